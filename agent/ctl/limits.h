/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits of the copying: what was set, and what holds it back just now.
 */
#ifndef CTL_LIMITS_H
#define CTL_LIMITS_H

#include "view.h"

/* For status: nothing if none is set. */
void limits_print(const struct view *v);

/* All that throttle shows of a member, as members of @o. */
void limits_json(struct json_object *o, const struct ads_member *m);

#endif
