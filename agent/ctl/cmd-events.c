// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl events: what there is, then what happens.
 *
 * First a snapshot ("exists" records and one "snapshot-end"), then events. Where
 * events were lost there is a "gap" record and a new snapshot.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/units.h"

#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 'f', "follow", NULL, "go on until interrupted" },
	{ 's', "since", "SEQ", "no snapshot if no event was lost after this one (one pool)" },
	{ 0, NULL, NULL, NULL },
};

struct events {
	struct ctl *c;
	struct ads_pool pool;	/* with --pool: only this one */
	bool one;
	bool dump_again;
	uint64_t since;		/* events up to this one are known */
};

static void put(struct json_object *o)
{
	printf("%s\n", ads_json_line(o));
	fflush(stdout);
	json_object_put(o);
}

/* A record of either kind: JSON, or "TIME POOL WHAT key=value...". */
static struct json_object *record(const char *what, const uint8_t *pool)
{
	struct json_object *o = ads_json_doc("adshardctl.events", 1);

	ads_json_str(o, "event", what);
	if (pool)
		ads_json_uuid(o, "pool", pool);
	else
		ads_json_null(o, "pool");
	return o;
}

static void emit(struct events *e, struct json_object *o)
{
	const char *what = "?", *pool = "-", *text;
	struct timespec now;
	char when[32];
	int64_t ns;

	if (e->c->json) {
		put(o);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	if (!ads_json_get_i64(o, "time_ns", &ns))
		ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	ads_json_get_str(o, "event", &what);
	ads_json_get_str(o, "pool", &pool);
	printf("%s %.8s %s", ads_format_time((uint64_t)ns / 1000000000, when,
					     sizeof(when)), pool, what);
	json_object_object_foreach(o, key, value) {
		if (!strcmp(key, "schema") || !strcmp(key, "event") ||
		    !strcmp(key, "pool") || !strcmp(key, "time_ns") || !value)
			continue;
		text = json_object_get_string(value);
		printf(strchr(text, ' ') ? " %s=\"%s\"" : " %s=%s", key, text);
	}
	putchar('\n');
	fflush(stdout);
	json_object_put(o);
}

static bool wanted(const struct events *e, const uint8_t *pool)
{
	return !e->one || !memcmp(e->pool.uuid, pool, ADS_UUID_LEN);
}

static void exists_pool(struct events *e, const struct ads_pool *p)
{
	struct json_object *o = record("exists", p->uuid);

	ads_json_str(o, "object", "pool");
	ads_json_str(o, "name", p->name[0] ? p->name : NULL);
	ads_json_str(o, "state", ads_pool_state_name(p->state));
	ads_json_u64(o, "size", p->size);
	ads_json_u64(o, "seq", p->event_seq);
	emit(e, o);
}

static void exists_member(struct events *e, const struct ads_member *m)
{
	struct json_object *o = record("exists", m->pool_uuid);
	char name[128];

	ads_member_name(m, name, sizeof(name));
	ads_json_str(o, "object", "member");
	ads_json_u64(o, "member", m->index);
	ads_json_str(o, "device", m->present ? name : NULL);
	ads_json_str(o, "state", ads_member_state_name(m->state));
	ads_json_u64(o, "segments", m->nr_segments);
	emit(e, o);
}

static void exists_migration(struct events *e, const struct ads_migration *m)
{
	struct json_object *o = record("exists", m->pool_uuid);

	ads_json_str(o, "object", "migration");
	ads_json_u64(o, "segment", m->segment);
	ads_json_str(o, "kind", ads_kind_name(m->kind));
	ads_json_u64(o, "source", m->src);
	ads_json_u64(o, "destination", m->dst);
	ads_json_str(o, "step", ads_step_name(m->step));
	emit(e, o);
}

static int snapshot(struct events *e, struct ads_err *err)
{
	struct ads_migration *mig = NULL;
	struct ads_member *m = NULL;
	struct ads_pool *p = NULL;
	size_t np, nm, ng;
	uint64_t seq = 0;
	int rc;

	e->dump_again = false;
	rc = ads_nl_pools(e->c->nl, &p, &np, err);
	if (!rc)
		rc = ads_nl_members(e->c->nl, NULL, &m, &nm, err);
	if (!rc)
		rc = ads_nl_migrations(e->c->nl, NULL, &mig, &ng, err);
	if (!rc) {
		for (size_t i = 0; i < np; i++) {
			if (!wanted(e, p[i].uuid))
				continue;
			exists_pool(e, &p[i]);
			seq = p[i].event_seq;
		}
		for (size_t i = 0; i < nm; i++)
			if (wanted(e, m[i].pool_uuid))
				exists_member(e, &m[i]);
		for (size_t i = 0; i < ng; i++)
			if (wanted(e, mig[i].pool_uuid))
				exists_migration(e, &mig[i]);
		struct json_object *o = record("snapshot-end", e->one ?
					       e->pool.uuid : NULL);

		if (e->one) {
			ads_json_u64(o, "seq", seq);
			/* Older ones are in the snapshot. */
			if (seq > e->since)
				e->since = seq;
		} else {
			ads_json_null(o, "seq");
		}
		emit(e, o);
	}
	free(p);
	free(m);
	free(mig);
	return rc;
}

static void gap(struct events *e, const uint8_t *pool, uint64_t first,
		uint64_t lost)
{
	struct json_object *o = record("gap", pool);

	if (lost) {
		ads_json_u64(o, "first_lost", first);
		ads_json_u64(o, "lost", lost);
	} else {
		ads_json_null(o, "first_lost");
		ads_json_null(o, "lost");
	}
	emit(e, o);
	e->dump_again = true;
}

static int on_event(const struct ads_event *ev, void *arg)
{
	struct events *e = arg;
	struct json_object *o;

	if (ev->overrun) {
		gap(e, NULL, 0, 0);
		return 0;
	}
	if (!wanted(e, ev->pool_uuid))
		return 0;
	/* With one pool the numbers tell what the snapshot had already. */
	if (e->one && ev->seq <= e->since &&
	    ev->type != ADSHARD_EVENT_POOL_ACTIVE)
		return 0;
	if (ev->lost)
		gap(e, ev->pool_uuid, ev->seq - ev->lost, ev->lost);
	o = record(ads_event_name(ev->type), ev->pool_uuid);
	ads_json_u64(o, "seq", ev->seq);
	ads_json_u64(o, "time_ns", ev->time_ns);
	if (ev->has & ADS_EV_SEGMENT)
		ads_json_u64(o, "segment", ev->segment);
	if (ev->has & ADS_EV_OFFSET)
		ads_json_u64(o, "offset", ev->offset);
	if (ev->has & ADS_EV_KIND)
		ads_json_str(o, "kind", ads_kind_name(ev->kind));
	if (ev->has & ADS_EV_SRC)
		ads_json_u64(o, "source", ev->src);
	if (ev->has & ADS_EV_DST)
		ads_json_u64(o, "destination", ev->dst);
	if (ev->has & ADS_EV_MEMBER)
		ads_json_u64(o, "member", ev->member);
	if (ev->has & ADS_EV_MEMBER_STATE)
		ads_json_str(o, "state",
			     ads_member_state_name(ev->member_state));
	if (ev->has & ADS_EV_COOKIE)
		ads_json_u64(o, "cookie", ev->cookie);
	if (ev->has & ADS_EV_ERROR)
		ads_json_u64(o, "errno", ev->error);
	if (ev->has & ADS_EV_TEXT)
		ads_json_str(o, "text", ev->text);
	if (ev->has & ADS_EV_COUNTERS) {
		ads_json_u64(o, "bytes_copied", ev->bytes_copied);
		ads_json_u64(o, "chunks_verified", ev->chunks_verified);
		ads_json_u64(o, "chunks_recopied", ev->chunks_recopied);
		ads_json_u64(o, "mismatches", ev->mismatches);
		ads_json_double(o, "longest_hold_seconds",
				ev->hold_max_ns / 1e9);
		ads_json_double(o, "age_seconds", ev->age_ns / 1e9);
	}
	if (ev->has & ADS_EV_BAD)
		ads_json_u64(o, "bad_bytes", ev->bad_bytes);
	emit(e, o);
	if (ev->seq > e->since || ev->type == ADSHARD_EVENT_POOL_ACTIVE)
		e->since = ev->seq;
	return 0;
}

static int follow(struct events *e, struct ads_err *err)
{
	struct pollfd p = { .fd = ads_nl_event_fd(e->c->nl),
			    .events = POLLIN };
	int rc;

	ctl_catch_signals();
	while (!ctl_interrupted()) {
		/* A reader that has gone away ends us at the next line. */
		if (ferror(stdout))
			return 0;
		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return -errno;
		rc = ads_nl_read_events(e->c->nl, on_event, e, err);
		if (rc >= 0 && e->dump_again)
			rc = snapshot(e, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int run(struct ctl *c, int argc, char **argv)
{
	bool forever = false, since = false;
	struct events e = { .c = c };
	struct ads_err err = { "" };
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		if (val == 'f')
			forever = true;
		if (val == 's') {
			since = true;
			e.since = ctl_parse_u64(c, "--since", optarg,
						UINT64_MAX);
		}
	}
	if (optind < argc)
		ctl_usage(c, "%s: no arguments, please", argv[optind]);
	/* Many documents, a line each, instead of one at the end. */
	json_object_put(c->doc);
	c->doc = NULL;
	rc = ctl_connect(c);
	if (rc)
		return rc;
	rc = ads_nl_subscribe(c->nl, &err);
	if (!rc && (c->pool || since)) {
		e.one = true;
		rc = ads_find_pool(c->nl, c->pool, &e.pool, &err);
	}
	if (!rc && since && e.pool.event_seq != e.since) {
		/* The kernel keeps no history, so these are gone. */
		gap(&e, e.pool.uuid, e.since + 1,
		    e.pool.event_seq > e.since ?
		    e.pool.event_seq - e.since : 0);
		e.since = 0;
	}
	if (!rc && (!since || e.dump_again))
		rc = snapshot(&e, &err);
	if (!rc && forever)
		rc = follow(&e, &err);
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

const struct ctl_cmd ctl_events = {
	.name = "events",
	.args = "",
	.summary = "Print what there is, and with --follow what happens",
	.opts = opts,
	.run = run,
};
