// SPDX-License-Identifier: GPL-2.0-or-later
/* What moves cost, as it is kept: an array for each pair of classes. */
#include <math.h>
#include <string.h>

#include "planlog.h"

struct json_object *planlog_cost(const struct plan_cost *c)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; c && i < PLAN_COST_CLASSES; i++)
		for (int k = 0; k < PLAN_COST_CLASSES; k++) {
			const struct plan_cost_pair *p = &c->pair[i][k];
			const double *v = &p->n;
			struct json_object *a;

			if (p->n == 0 && p->rr == 0)
				continue;
			a = json_object_new_array();
			json_object_array_add(a, json_object_new_int(i));
			json_object_array_add(a, json_object_new_int(k));
			for (size_t n = 0; n < sizeof(*p) / sizeof(*v); n++)
				json_object_array_add(a,
					json_object_new_double(v[n]));
			json_object_array_add(list, a);
		}
	return list;
}

bool planlog_cost_take(struct plan_cost *c, struct json_object *list)
{
	memset(c, 0, sizeof(*c));
	if (!json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *a = json_object_array_get_idx(list, i);
		size_t n = sizeof(struct plan_cost_pair) / sizeof(double);
		int from, to;
		double *v;

		if (!json_object_is_type(a, json_type_array) ||
		    json_object_array_length(a) != n + 2)
			return false;
		from = json_object_get_int(json_object_array_get_idx(a, 0));
		to = json_object_get_int(json_object_array_get_idx(a, 1));
		if (from < 0 || from >= PLAN_COST_CLASSES || to < 0 ||
		    to >= PLAN_COST_CLASSES)
			return false;
		v = &c->pair[from][to].n;
		for (size_t k = 0; k < n; k++) {
			v[k] = json_object_get_double(
					json_object_array_get_idx(a, k + 2));
			if (!isfinite(v[k]))
				return false;
		}
	}
	return true;
}
