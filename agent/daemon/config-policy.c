// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The planner's settings in the configuration. Some have a key of their own that
 * the stages before the planner read too; both are kept the same.
 */
#include <errno.h>
#include <string.h>

#include "daemon/config.h"

static const struct {
	const char *setting;
	size_t in_policy, in_config;
} shared[] = {
#define SHARED(name, setting, key) \
	{ name, offsetof(struct plan_policy, setting), \
	  offsetof(struct config, key) }
	SHARED("mode", mode, mode),
	SHARED("score.drain", score.drain, score.drain),
	SHARED("score.confirm", score.confirm, score.confirm),
	SHARED("score.release", score.release, score.release),
	SHARED("score.release_time", score.release_time, score.release_time),
	SHARED("evacuate.members", evacuate.members, plan.evacuations),
	SHARED("evacuate.max_score", evacuate.max_score, plan.max_score),
	SHARED("evacuate.window", evacuate.window, plan.window),
	SHARED("evacuate.same_domain", evacuate.same_domain, plan.same_domain),
	SHARED("rebuild.enable", rebuild.enable, rebuild.enable),
	SHARED("rebuild.window", rebuild.window, rebuild.window),
};

#define NR_SHARED	(sizeof(shared) / sizeof(shared[0]))

bool config_policy_shared(const char *setting)
{
	for (size_t i = 0; i < NR_SHARED; i++)
		if (!strcmp(shared[i].setting, setting))
			return true;
	return false;
}

static long *at(void *base, size_t offset)
{
	return (long *)((char *)base + offset);
}

void config_policy_from_keys(struct config *c)
{
	for (size_t i = 0; i < NR_SHARED; i++)
		*at(&c->policy, shared[i].in_policy) =
			*at(c, shared[i].in_config);
}

void config_policy_to_keys(struct config *c)
{
	for (size_t i = 0; i < NR_SHARED; i++)
		*at(c, shared[i].in_config) =
			*at(&c->policy, shared[i].in_policy);
}

/*
 * Each is checked against all others when it is set, so the order of several that
 * only go together matters: those that are refused are tried again behind the rest.
 */
int config_policy_set(struct plan_policy *p, const char *const *names,
		      const char *const *values, size_t n, struct ads_err *err)
{
	struct plan_policy changed = *p;
	bool done[CONFIG_POLICY_MAX] = { false };
	struct ads_err first = { .text = "" };
	size_t left = n, before;
	int r;

	if (n > CONFIG_POLICY_MAX)
		return ads_err(err, -E2BIG, "more settings than there are");
	do {
		before = left;
		r = 0;
		for (size_t i = 0; i < n; i++) {
			struct ads_err why = { .text = "" };
			int e;

			if (done[i])
				continue;
			e = plan_policy_set(&changed, names[i], values[i],
					    &why);
			if (!e) {
				done[i] = true;
				left--;
			} else if (!r) {
				r = e;
				first = why;
			}
		}
	} while (left && left < before);
	if (left)
		return ads_err(err, r, "%s", ads_err_text(&first, r));
	*p = changed;
	return 0;
}
