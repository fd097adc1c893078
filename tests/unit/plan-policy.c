// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of settings: what it says must be what it does.
 */
#include <errno.h>
#include <ctype.h>

#include "plan.h"

int main(void)
{
	struct plan_policy p, q;
	struct ads_err err;
	bool same = true, ordered = true, worded = true, found = true;
	char buf[64];

	plan_policy_defaults(&p);
	is(plan_policy_check(&p, &err), 0, "the defaults go together");
	for (const struct plan_setting *s = plan_settings; s->name; s++) {
		q = p;
		plan_policy_get(&p, s, buf, sizeof(buf));
		same &= !plan_policy_set(&q, s->name, buf, &err) &&
			!memcmp(&p, &q, sizeof(p));
		ordered &= s->min < s->max;
		worded &= s->text && strlen(s->text) > 7 &&
			  s->text[strlen(s->text) - 1] != '.' &&
			  islower((unsigned char)s->text[0]);
		found &= plan_setting_find(s->name) == s;
	}
	ok(same, "each value that is shown can be set");
	ok(ordered, "each has bounds");
	ok(worded, "each is explained");
	ok(found, "each is found");

	q = p;
	is(plan_policy_set(&p, "score.empty", "70", &err), -ENOENT, "no such one");
	has(err.text, "score.empty", "... is named");
	is(plan_policy_set(&p, "score.drain", "many", &err), -EINVAL, "no number");
	has(err.text, "a number", "... says what it expects");
	is(plan_policy_set(&p, "score.drain", "101", &err), -ERANGE, "too much");
	has(err.text, "between", "... says the bounds");
	is(plan_policy_set(&p, "score.drain", "95", &err), -EINVAL,
	   "above the rescue");
	has(err.text, "score.rescue", "... says what it contradicts");
	is(plan_policy_set(&p, "score.confirm", "1", &err), -ERANGE,
	   "one look can't be made enough");
	is(plan_policy_set(&p, "pace.quiet_from", "25:00", &err), -EINVAL,
	   "no time of the day");
	ok(!memcmp(&p, &q, sizeof(p)), "and nothing was changed");

	is(plan_policy_set(&p, "pace.rate", "100M", &err), 0, "a size");
	is(p.pace.rate, 100 << 20, "... is set");
	is(plan_policy_set(&p, "tier.payback", "2d", &err), 0, "a time");
	is(p.tier.payback, 172800, "... is set");
	is(plan_policy_set(&p, "mode", "advise", &err), 0, "a mode");
	is(p.mode, PLAN_MODE_ADVISE, "... is set");

	plan_policy_set(&p, "balance.quantile", "90", &err);
	ok(plan_quantile(&p, 1, 3) > 2.999 && plan_quantile(&p, 1, 3) < 3.001,
	   "the ninth tenth is what it is");
	plan_policy_set(&p, "balance.quantile", "50", &err);
	ok(plan_quantile(&p, 1, 3) == 1, "... and the half the middle");
	ok(plan_is_quiet(&p, 0) && plan_is_quiet(&p, 1439),
	   "without quiet hours it is always quiet");
	plan_policy_set(&p, "pace.quiet_from", "22:00", &err);
	plan_policy_set(&p, "pace.quiet_to", "06:30", &err);
	ok(plan_is_quiet(&p, 22 * 60) && plan_is_quiet(&p, 389) &&
	   !plan_is_quiet(&p, 390) && !plan_is_quiet(&p, 1319),
	   "and over midnight");
	return done_testing();
}
