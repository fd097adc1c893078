// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/units.h"

#include "ctl.h"

int ctl_exit_code(int rc)
{
	switch (-rc) {
	case 0:
		return CTL_OK;
	case EPROTONOSUPPORT:
	case EACCES:
	case ECONNREFUSED:
		return CTL_UNREACHABLE;
	case ENOENT:
	case ENXIO:
	case ENODEV:
	case ENOTBLK:
		return CTL_NOENT;
	case ENOTUNIQ:
		return CTL_USAGE;
	case EBUSY:
		return CTL_BUSY;
	case EPERM:		/* not "not root": that is EACCES here */
	case ENOSPC:
	case EROFS:
	case EHOSTDOWN:
	case ENOTEMPTY:
	case EEXIST:
		return CTL_REFUSED;
	default:
		return CTL_FAILED;
	}
}

static void report(struct ctl *c, int exit_code, const char *text)
{
	struct json_object *e;

	fprintf(stderr, "adshardctl %s: %s\n", c->cmd->name, text);
	c->failed = true;
	if (!c->doc)
		return;
	e = ads_json_get(c->doc, "error");
	if (e)
		return;		/* the first one counts */
	e = ads_json_obj(c->doc, "error");
	ads_json_str(e, "text", text);
	ads_json_i64(e, "exit_code", exit_code);
}

int ctl_fail(struct ctl *c, int exit_code, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(c, exit_code, text);
	return exit_code;
}

int ctl_fail_err(struct ctl *c, int rc, const struct ads_err *err)
{
	int code = ctl_exit_code(rc);

	report(c, code, ads_err_text(err, rc));
	return code;
}

void ctl_warn(struct ctl *c, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->doc)
		json_object_array_add(c->warnings,
				      json_object_new_string(text));
	else
		fprintf(stderr, "adshardctl %s: %s\n", c->cmd->name, text);
}

void ctl_say(struct ctl *c, const char *fmt, ...)
{
	va_list ap;

	if (c->json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

int ctl_connect(struct ctl *c)
{
	struct ads_err err = { "" };
	int rc;

	if (c->nl)
		return CTL_OK;
	rc = ads_nl_open(&c->nl, &err);
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

int ctl_load_pool(struct ctl *c, struct ads_pool *pool,
		  struct ads_member **members, size_t *nr)
{
	struct ads_err err = { "" };
	int rc;

	rc = ctl_connect(c);
	if (rc)
		return rc;
	rc = ads_find_pool(c->nl, c->pool, pool, &err);
	if (!rc && members)
		rc = ads_nl_members(c->nl, pool->uuid, members, nr, &err);
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

const char *ctl_pool_name(const struct ads_pool *p, char buf[37])
{
	return p->name[0] ? p->name : ads_format_uuid(p->uuid, buf);
}

void ctl_member_name(const struct ads_member *m, size_t nr, uint32_t index,
		     char *buf, size_t size)
{
	int i = ads_member_by_index(m, nr, index);

	if (i < 0)
		snprintf(buf, size, "member %u", index);
	else
		ads_member_name(&m[i], buf, size);
}

const char *ctl_color(const struct ctl *c, enum ctl_color color)
{
	static const char *const seq[] = {
		[CTL_PLAIN] = "\033[0m",
		[CTL_GOOD] = "\033[32m",
		[CTL_WARN] = "\033[33m",
		[CTL_BAD] = "\033[1;31m",
	};

	return c->color ? seq[color] : "";
}

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = 1;
}

void ctl_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	/* No SA_RESTART: a poll has to end. */
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
}

bool ctl_interrupted(void)
{
	return interrupted;
}

void ctl_json_pool(struct json_object *o, const struct ads_pool *p)
{
	char dev[32];

	ads_json_uuid(o, "uuid", p->uuid);
	ads_json_str(o, "name", p->name[0] ? p->name : NULL);
	snprintf(dev, sizeof(dev), "%u:%u", p->major, p->minor);
	ads_json_str(o, "device_number", dev);
	ads_json_str(o, "kernel_state", ads_pool_state_name(p->state));
	ads_json_bool(o, "suspended", p->suspended);
	ads_json_bool(o, "paused", p->paused);
	ads_json_u64(o, "size", p->size);
	ads_json_u64(o, "segment_size", p->segment_size);
	ads_json_u64(o, "chunk_size", p->chunk_size);
	ads_json_u64(o, "segments", p->nr_segments);
	ads_json_u64(o, "record_sequence", p->seq);
	ads_json_u64(o, "term", p->term);
	ads_json_u64(o, "event_sequence", p->event_seq);
	ads_json_u64(o, "generation", p->generation);
	ads_json_u64(o, "migrations_active", p->nr_active);
	ads_json_u64(o, "migrations_queued", p->nr_queued);
	ads_json_u64(o, "migrations_done", p->nr_done);
	ads_json_u64(o, "migrations_failed", p->nr_failed);
	ads_json_u64(o, "migrations_aborted", p->nr_aborted);
	ads_json_u64(o, "bytes_copied", p->bytes_copied);
	ads_json_u64(o, "chunks_verified", p->chunks_verified);
	ads_json_u64(o, "mismatches", p->mismatches);
	ads_json_u64(o, "max_active", p->max_active);
	ads_json_double(o, "slow_seconds", p->slow_ns / 1e9);
	ads_json_u64(o, "heat_sample", p->heat_sample);
	ads_json_u64(o, "kernel_bytes_per_segment", p->bytes_per_segment);
	ads_json_u64(o, "bad_ranges", p->nr_bad);
	ads_json_u64(o, "lost_segments", p->nr_lost);
	ads_json_u64(o, "bad_bytes", p->bad_bytes);
	if (p->knows_bad)
		ads_json_u64(o, "bad_ranges_free", p->nr_bad_free);
	else
		ads_json_null(o, "bad_ranges_free");
	ads_json_u64(o, "copies_stale", p->nr_stale);
	ads_json_u64(o, "segments_short", p->nr_short);
	ads_json_u64(o, "segments_in_doubt", p->nr_doubt);
	ads_json_u64(o, "resync_bytes", p->resync_bytes);
	ads_json_u64(o, "scrub_mismatches", p->scrub_mismatches);
	ads_json_u64(o, "read_repairs", p->read_repairs);
}

void ctl_json_migration(struct json_object *o, const struct ads_migration *m)
{
	ads_json_u64(o, "segment", m->segment);
	ads_json_str(o, "kind", ads_kind_name(m->kind));
	ads_json_u64(o, "source", m->src);
	ads_json_u64(o, "destination", m->dst);
	ads_json_str(o, "step", ads_step_name(m->step));
	ads_json_u64(o, "priority", m->priority);
	ads_json_u64(o, "chunks", m->chunks);
	ads_json_u64(o, "chunks_done", m->chunks_done);
	ads_json_u64(o, "chunks_verified", m->chunks_verified);
	ads_json_u64(o, "chunks_recopied", m->chunks_recopied);
	ads_json_u64(o, "mismatches", m->mismatches);
	ads_json_u64(o, "bytes_copied", m->bytes_copied);
	ads_json_u64(o, "writes_held", m->writes_held);
	ads_json_double(o, "longest_hold_seconds", m->hold_max_ns / 1e9);
	ads_json_double(o, "age_seconds", m->age_ns / 1e9);
	ads_json_u64(o, "bad_bytes", m->bad_bytes);
	ads_json_bool(o, "aside", m->aside);
	if (m->step == ADSHARD_STEP_SHIFT)
		ads_json_double(o, "reads_shifted", m->percent / 100.0);
	else
		ads_json_null(o, "reads_shifted");
}
