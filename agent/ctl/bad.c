// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "bad.h"

struct bad_sum bad_add_up(const struct ads_bad *bad, size_t nr,
			  bad_mine_fn mine, void *arg)
{
	struct bad_sum sum = { 0 };

	for (size_t i = 0; i < nr; i++) {
		if (mine && !mine(&bad[i], arg))
			continue;
		sum.ranges++;
		sum.bytes += bad[i].length;
	}
	return sum;
}

int bad_ask(struct ctl *c, const uint8_t *pool, bad_mine_fn mine, void *arg,
	    struct bad_sum *out, struct ads_err *err)
{
	struct ads_bad *bad;
	size_t nr;
	int rc = ads_nl_bad(c->nl, pool, NULL, &bad, &nr, err);

	memset(out, 0, sizeof(*out));
	if (rc)
		return rc;
	*out = bad_add_up(bad, nr, mine, arg);
	free(bad);
	return 0;
}

const char *bad_words(struct bad_sum sum, char *buf, size_t size)
{
	char bytes[32];

	snprintf(buf, size, "%s in %zu range%s",
		 ads_format_size(sum.bytes, false, bytes, sizeof(bytes)),
		 sum.ranges, sum.ranges == 1 ? "" : "s");
	return buf;
}

void bad_sources(const struct ads_bad *bad, size_t nr,
		 const struct ads_member *m, size_t nr_m, char *buf,
		 size_t size)
{
	size_t len = 0, shown = 0;
	char name[128];

	buf[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		size_t k = 0;

		while (k < i && bad[k].from != bad[i].from)
			k++;
		if (k < i)
			continue;
		if (++shown > 4) {
			snprintf(buf + len, size - len, ", ...");
			return;
		}
		ctl_member_name(m, nr_m, bad[i].from, name, sizeof(name));
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
					len ? ", " : "", name);
		if (len >= size)
			return;
	}
}

int bad_report(struct ctl *c, struct json_object *o, const char *what,
	       const char *done, struct bad_sum sum, const char *more)
{
	char words[64];

	if (o) {
		ads_json_u64(o, "bad_ranges", sum.ranges);
		ads_json_u64(o, "bad_bytes", sum.bytes);
	}
	if (!sum.ranges)
		return CTL_OK;
	ctl_say(c, "%s: %s with errors: %s could not be read; reads of them fail until they are written ('adshardctl segments --bad --files' lists the files)%s",
		what, done, bad_words(sum, words, sizeof(words)), more);
	return CTL_UNREAD;
}
