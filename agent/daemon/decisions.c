// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/decisions.h"
#include "daemon/keep.h"
#include "daemon/log.h"
#include "lib/planlog.h"

static void on_written(int error, const struct ads_err *err, const char *text,
		       void *arg)
{
	struct adshardd *d = arg;

	(void)text;
	if (error && !d->told_unrecorded)
		log_warn("plan", "decisions are not recorded: %s",
			 ads_err_text(err, error));
	d->told_unrecorded = error != 0;
}

void decisions_add(struct pool *p, const struct plan_state *s,
		   const struct plan_policy *policy, size_t max,
		   const struct plan_result *r)
{
	struct adshardd *d = p->daemon;
	struct json_object *o = planlog_encode(p->k.uuid, s, policy, max, r);
	const char *line = o ? json_object_to_json_string_ext(o,
				JSON_C_TO_STRING_PLAIN |
				JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;

	if (line)
		keep_append(d->keep, "decisions.log", line, DECISIONS_MAX,
			    on_written, d);
	json_object_put(o);
}
