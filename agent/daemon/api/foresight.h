/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is foreseen, as pieces of the agent's answers.
 */
#ifndef ADSHARDD_FORESIGHT_H
#define ADSHARDD_FORESIGHT_H

#include <json-c/json.h>

#include "daemon/ctx.h"

/*
 * "probability", "early_warnings", "slow" and "forecast" of a member; @full: with
 * each day and each mode of failing, and how the score came about.
 */
void api_foresight(struct json_object *o, const struct member *m, bool full);

/* "forecast": of bytes and requests, or (@first) of requests only. */
void api_outlook(struct json_object *o, const struct outlook *f,
		 enum outlook_of first);

/* {"cmd":"forecast"}: how much load is to come, of members and of segments. */
struct json_object *answer_forecast(struct adshardd *d,
				    struct json_object *req);

/* "shared_causes" of all, and what there is to warn of. */
void api_causes(struct json_object *o, const struct adshardd *d);

/* "host": how busy it is, and how much tasks wait for what it has. */
void api_host(struct json_object *o, const struct adshardd *d);

/* {"cmd":"history"}: how scores, temperatures, counters and loads went. */
struct json_object *api_history(const struct member *m);

#endif
