// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl check: is all metadata whole, and would the pool activate? Reads
 * only.
 */
#include <getopt.h>
#include <stdio.h>

#include "check.h"
#include "verbs.h"

static int run(struct ctl *c, int argc, char **argv)
{
	struct json_object *list = NULL;
	struct gather g;
	int rc;

	while (ctl_getopt(c, argc, argv) != -1)
		;
	rc = gather(c, argv + optind, argc - optind, false, &g);
	if (rc)
		return rc;
	if (c->doc)
		list = ads_json_arr(c->doc, "pools");
	for (size_t i = 0; i < g.nr; i++) {
		struct verdict v;

		check_verdict(&g.pool[i], &v);
		if (v.exit_code > rc)
			rc = v.exit_code;
		if (list)
			check_json(ads_json_push(list), &g.pool[i]);
		else
			check_print(c, &g.pool[i]);
		if (!c->doc && i + 1 < g.nr)
			putchar('\n');
	}
	gather_free(&g);
	return rc;
}

const struct ctl_cmd ctl_check = {
	.name = "check",
	.args = "[POOL | DEVICE...]",
	.summary = "Verify the metadata, and say whether a pool would activate",
	.flags = CTL_NO_POOL,
	.run = run,
};
