// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What mending would do, in words and as JSON.
 */
#include <stdio.h>

#include "lib/units.h"

#include "mend.h"

static size_t to(const struct mend *m, uint32_t member, bool resync)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_step; i++)
		n += m->step[i].dst == member &&
		     (m->step[i].act == ADS_MEND_RESYNC) == resync;
	return n;
}

static size_t drops(const struct mend *m, uint32_t member)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_step; i++)
		n += m->step[i].src == member &&
		     (m->step[i].act == ADS_MEND_DROP ||
		      m->step[i].act == ADS_MEND_REPLACE);
	return n;
}

static void show_member(const struct mend *m, const struct ads_member *mem,
			struct json_object *list)
{
	uint64_t seg = m->job.pool.segment_size;
	size_t add = to(m, mem->index, false), fill = to(m, mem->index, true);
	size_t drop = drops(m, mem->index);
	int64_t left = (int64_t)mem->nr_free + (int64_t)drop - (int64_t)add;
	char name[128], text[200] = "", bytes[32], room[32];
	size_t len = 0;

	if (!add && !fill && !drop)
		return;
	if (left < 0)
		left = 0;
	ads_member_name(mem, name, sizeof(name));
	if (add)
		len += snprintf(text + len, sizeof(text) - len,
				"%zu new (%s), ", add,
				ads_format_size(add * seg, false, bytes,
						sizeof(bytes)));
	if (fill)
		len += snprintf(text + len, sizeof(text) - len,
				"%zu filled again, ", fill);
	if (drop)
		snprintf(text + len, sizeof(text) - len, "%zu dropped, ",
			 drop);
	ctl_say(m->job.c, "  %s: %sthen %s free", name, text,
		ads_format_size((uint64_t)left * seg, false, room,
				sizeof(room)));
	if (!list)
		return;
	list = ads_json_push(list);
	ads_json_u64(list, "member", mem->index);
	ads_json_str(list, "device", mem->present ? name : NULL);
	ads_json_u64(list, "copies_new", add);
	ads_json_u64(list, "copies_filled", fill);
	ads_json_u64(list, "copies_dropped", drop);
	ads_json_u64(list, "free_after", (uint64_t)left * seg);
}

static void steps_json(const struct mend *m, struct json_object *o)
{
	static const char *const acts[] = {
		[ADS_MEND_RESYNC] = "resync", [ADS_MEND_ADD] = "add",
		[ADS_MEND_REPLACE] = "replace", [ADS_MEND_DROP] = "drop",
	};
	struct json_object *list = ads_json_arr(o, "steps");

	for (size_t i = 0; i < m->nr_step; i++) {
		const struct ads_mend *s = &m->step[i];
		struct json_object *e = ads_json_push(list);

		ads_json_u64(e, "segment", s->segment);
		ads_json_str(e, "act", acts[s->act]);
		if (s->src == ADS_PLACE_NONE)
			ads_json_null(e, "source");
		else
			ads_json_u64(e, "source", s->src);
		if (s->dst == ADS_PLACE_NONE)
			ads_json_null(e, "destination");
		else
			ads_json_u64(e, "destination", s->dst);
	}
}

int mend_show_plan(struct mend *m)
{
	size_t add = mend_count(m, ADS_MEND_ADD) +
		     mend_count(m, ADS_MEND_REPLACE);
	size_t fill = mend_count(m, ADS_MEND_RESYNC);
	size_t drop = mend_count(m, ADS_MEND_DROP) +
		      mend_count(m, ADS_MEND_REPLACE);
	struct json_object *plan = NULL, *list = NULL;
	struct ctl *c = m->job.c;
	char bytes[32];

	if (c->doc) {
		plan = ads_json_obj(c->doc, "plan");
		ads_json_u64(plan, "segments", m->nr);
		ads_json_u64(plan, "segments_short", m->nr_short);
		ads_json_u64(plan, "segments_lost", m->nr_lost);
		ads_json_u64(plan, "copies_new", add);
		ads_json_u64(plan, "copies_filled", fill);
		ads_json_u64(plan, "copies_dropped", drop);
		ads_json_u64(plan, "copies_without_place", m->unplaced);
		ads_json_u64(plan, "bytes", (add + fill) *
			     m->job.pool.segment_size);
		steps_json(m, plan);
		list = ads_json_arr(plan, "members");
	}
	ctl_say(c, "%s: would make %zu new cop%s (%s), fill %zu again, drop %zu",
		m->what, add, add == 1 ? "y" : "ies",
		ads_format_size(add * m->job.pool.segment_size, false, bytes,
				sizeof(bytes)), fill, drop);
	for (size_t i = 0; i < m->job.nr_m; i++)
		show_member(m, &m->job.m[i], list);
	if (m->unplaced)
		ctl_warn(c, "%zu cop%s would find no place: %s", m->unplaced,
			 m->unplaced == 1 ? "y" : "ies",
			 ads_err_text(&m->unplaced_why, 0));
	if (m->nr_lost)
		ctl_warn(c, "%zu segment%s (the first is %u) %s no copy that can be read",
			 m->nr_lost, m->nr_lost == 1 ? "" : "s", m->first_lost,
			 m->nr_lost == 1 ? "has" : "have");
	ctl_say(c, "nothing was done");
	return CTL_OK;
}
