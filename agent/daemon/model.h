/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pools and members that there are, and what each stage keeps of them.
 *
 * Made and unmade here out of what the kernel reports; each stage writes its own
 * part and reads those to its left: collect -> history -> predict -> plan.
 */
#ifndef ADSHARDD_MODEL_H
#define ADSHARDD_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "daemon/collect/child.h"
#include "daemon/collect/iostat.h"
#include "daemon/collect/kernel.h"
#include "daemon/collect/patrol.h"
#include "daemon/collect/smart.h"
#include "daemon/history/drive.h"
#include "daemon/history/loads.h"
#include "daemon/plan/core/core.h"
#include "daemon/plan/heat.h"
#include "daemon/predict/ahead.h"
#include "daemon/predict/groups.h"
#include "daemon/predict/outlook.h"
#include "daemon/predict/predict.h"
#include "daemon/predict/shared.h"
#include "lib/dev.h"

struct adshardd;
struct leaving;
struct planner;
struct rebuild;

/* SMART collection of one member. */
struct smart_state {
	sd_event_source *timer;
	struct child *child;		/* running or lingering, or NULL */
	bool running;			/* its answer is awaited */
	struct smart_sample sample;	/* last one with health; time 0: none */
	char *more;			/* of it, that nobody understands; or NULL */
	int64_t tried;			/* when it was last asked, 0 never */
	bool asleep;			/* at the last try */
	unsigned int failures;		/* in a row */
	char problem[200];		/* why there is no newer sample, or "" */
};

/* Minutes are sums until the minute is over, then go to history. */
struct load_minute {
	int64_t minute;			/* since the epoch; 0: empty */
	unsigned int n;
	double read_rate, write_rate, read_bytes, write_bytes;
	double read_wait, write_wait, util, queue;
	double latency[SLOW_OPS], samples[SLOW_OPS];	/* geometric mean, of so
							 * many requests */
};

struct member {
	struct adshardd *daemon;
	struct pool *pool;
	struct member *next;		/* in the pool, by index */
	struct ads_member k;		/* last view */
	bool seen;			/* in the view being taken in */
	int64_t found;			/* when it appeared */
	bool throttled;			/* limits were set since */
	struct ads_dev_info dev;	/* empty path: no device */
	char disk[80];			/* path of the whole disk */
	char object[192];		/* for messages: "/dev/sdb (tank)" */

	/* collect */
	struct smart_state smart;
	struct iostat io;
	struct latency read_latency, write_latency;
	struct patroller *patroller;
	uint64_t patrol_errors;		/* that errors know of */
	uint64_t kernel_errors;		/* likewise */
	bool errors_based;		/* the first view was taken */
	struct load_minute load;
	struct {
		double sum, weight;	/* of the busy share, smoothed; the load is
					 * their quotient */
		double bytes, requests;	/* likewise, per second */
		double time;		/* monotonic, of the last look */
		unsigned int looks;
	} steady;
	struct {
		double mibs, iops;	/* the most that it was seen to do, for the
					 * time it was busy; forgotten in weeks */
		double time;		/* monotonic, of the last look */
	} does;
	double looked;			/* at the counters, monotonic */
	char controller[64];		/* that the disk hangs on, or "" */
	char port[16];			/* "ata3", or "" */
	char controller_of[80];		/* the disk of which these are known */

	/* history */
	struct drive *drive;		/* NULL: not identified */
	bool waiting;			/* sample waits for its drive's log */
	bool state_loaded;		/* track and patrol position came */
	uint64_t patrol_start;		/* position to go on at */
	struct loads loads;
	int64_t told_reset;		/* when that counters went back */

	/* predict */
	struct errors errors;
	struct risk risk;
	struct risk_track track;
	struct plan_track band;		/* the planner's, likewise */
	bool band_known;		/* it was read, or made of @track */
	bool suspect;			/* many drives of its model rose */
	struct slow slow;
	struct outlook outlook;
	struct ahead ahead;
	double fed;			/* @looked as of the last step */
	int64_t compared;		/* when slow_compare() was last asked */
	struct shared_member shared;	/* with whom it has what in common */
	int64_t warns[RISK_MODES];	/* since when, 0: does not */
	int told_score;			/* last one in the log, -1 */

	/* plan */
	struct leaving *leaving;	/* being emptied, or NULL: evacuate.h */
	struct plan_verdict verdict;	/* of the last plan */
	bool judged;			/* there is one */
	int64_t hold_until;		/* not to be drained by itself */
	char told_why[160];		/* why it is not drained, as last told */
	bool by_agent;			/* we set it draining */
	bool approved;			/* the operator wants what is advised */
	unsigned int commanded;		/* changes of its state under way */
	uint64_t command_serial;	/* views from here on know of it */
	double command_again;		/* not before, monotonic; after errors */
	double gone_since;		/* its device, monotonic; 0: it is there */
};

struct pool {
	struct adshardd *daemon;
	struct pool *next;
	struct ads_pool k;
	bool seen;
	char object[100];		/* "pool tank" */
	struct member *members;
	struct heat *heat;		/* of all segments, NULL: not yet */
	int64_t heat_asked;		/* monotonic seconds */
	struct groups *groups;		/* of segments: loads; NULL: not yet */
	struct ads_migration *migrations;
	size_t nr_migrations;
	struct ads_bad *bad;		/* what could not be read, by segment */
	size_t nr_bad;
	uint64_t view_serial;		/* of @migrations and @bad */
	bool throttled;			/* limits were set since it appeared */
	struct planner *planner;	/* NULL: not yet */
	struct rebuild *rebuild;	/* copies are being made, or NULL */
	bool has_copies;		/* some segment should have several */
	int64_t rebuild_hold;		/* not by itself before; after a cancel */
};

/* Whom model_take() tells. A member is whole when it is told. */
struct model_calls {
	void (*pool_new)(struct pool *p);
	void (*pool_gone)(struct pool *p);
	void (*member_new)(struct member *m);
	void (*member_gone)(struct member *m);
	void (*member_device)(struct member *m);	/* has another one */
};

/* Brings the list of pools up to the view. */
void model_take(struct adshardd *d, const struct kernel_view *v,
		const struct model_calls *calls);
void model_free(struct adshardd *d, const struct model_calls *calls);

/* What @m could not read of what was moved off it, if it is still bad. */
void model_bad(const struct member *m, uint64_t *ranges, uint64_t *bytes);

struct pool *model_pool(struct adshardd *d, const uint8_t *uuid);
struct member *model_member(struct pool *p, uint32_t index);
struct member *model_member_by_uuid(struct adshardd *d, const uint8_t *uuid);

#endif
