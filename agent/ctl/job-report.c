// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What became of a command's segments, in words and as JSON.
 */
#include <stdio.h>

#include "lib/units.h"

#include "job.h"

#define FAILURES_SHOWN	5

static void warn_failed(struct job *j, const struct job_segment *s,
			const char *src, const char *dst)
{
	const char *why = s->why[0] ? s->why : "unknown reason";

	switch (s->kind) {
	case ADSHARD_KIND_MOVE:
		ctl_warn(j->c, "segment %u stays on %s, did not go to %s: %s",
			 s->segment, src, dst, why);
		break;
	default:
		ctl_warn(j->c, "segment %u got no copy on %s: %s", s->segment,
			 dst, why);
	}
}

void job_report_failures(struct job *j)
{
	size_t shown = 0, all = job_count(j, JOB_FAILED) +
				job_count(j, JOB_ABORTED);
	char src[128], dst[128];

	for (size_t i = 0; i < j->nr && shown < FAILURES_SHOWN; i++) {
		const struct job_segment *s = &j->seg[i];

		if (s->state != JOB_FAILED && s->state != JOB_ABORTED)
			continue;
		ctl_member_name(j->m, j->nr_m, s->src, src, sizeof(src));
		ctl_member_name(j->m, j->nr_m, s->dst, dst, sizeof(dst));
		warn_failed(j, s, src, dst);
		shown++;
	}
	if (all > shown)
		ctl_warn(j->c, "and %zu more", all - shown);
}

void job_summary(struct job *j, const char *what)
{
	static const char *const words[][2] = {
		[JOB_MOVES] = { "segment moved", "segments moved" },
		[JOB_COPIES] = { "copy made", "copies made" },
	};
	size_t done = j->moved + job_count(j, JOB_DONE);
	char bytes[32], hold[32];
	struct json_object *o;

	if (!j->c->doc) {
		snprintf(hold, sizeof(hold), "%.1f ms", j->hold_max_ns / 1e6);
		ctl_say(j->c, "%s: %zu %s, %s copied, %llu chunks compared, %llu mismatches, longest wait of a write %s",
			what, done, words[j->doing][done != 1],
			ads_format_size(j->bytes_copied, false, bytes,
					sizeof(bytes)),
			(unsigned long long)j->chunks_verified,
			(unsigned long long)j->mismatches, hold);
		return;
	}
	o = ads_json_obj(j->c->doc, "result");
	ads_json_u64(o, "segments_done", done);
	ads_json_u64(o, "segments_failed", job_count(j, JOB_FAILED));
	ads_json_u64(o, "segments_aborted", job_count(j, JOB_ABORTED));
	ads_json_u64(o, "segments_pending", job_count(j, JOB_PENDING));
	ads_json_u64(o, "bytes_copied", j->bytes_copied);
	ads_json_u64(o, "chunks_verified", j->chunks_verified);
	ads_json_u64(o, "chunks_recopied", j->chunks_recopied);
	ads_json_u64(o, "mismatches", j->mismatches);
	ads_json_double(o, "longest_hold_seconds", j->hold_max_ns / 1e9);
	ads_json_u64(o, "bad_ranges", j->bad.ranges);
	ads_json_u64(o, "bad_bytes", j->bad.bytes);
}

static void json_member(struct json_object *o, const char *key, uint32_t member)
{
	if (member == ADS_PLACE_NONE)
		ads_json_null(o, key);
	else
		ads_json_u64(o, key, member);
}

void job_json_segments(struct job *j, struct json_object *o)
{
	static const char *const states[] = {
		[JOB_PLANNED] = "planned", [JOB_PENDING] = "pending",
		[JOB_DONE] = "done", [JOB_FAILED] = "failed",
		[JOB_ABORTED] = "aborted",
	};
	struct json_object *list = ads_json_arr(o, "segments");

	for (size_t i = 0; i < j->nr; i++) {
		const struct job_segment *s = &j->seg[i];
		struct json_object *e = ads_json_push(list);

		ads_json_u64(e, "segment", s->segment);
		ads_json_str(e, "kind", ads_kind_name(s->kind));
		json_member(e, "source", s->src);
		json_member(e, "destination", s->dst);
		ads_json_str(e, "state", states[s->state]);
		ads_json_bool(e, "adopted", s->adopted);
		ads_json_str(e, "reason", s->why[0] && s->state != JOB_DONE ?
			     s->why : NULL);
		ads_json_u64(e, "bad_bytes", s->bad_bytes);
	}
}
