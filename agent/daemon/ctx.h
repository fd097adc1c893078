/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one context. Every part gets a pointer to it; there is no other mutable
 * state outside of functions.
 */
#ifndef ADSHARDD_CTX_H
#define ADSHARDD_CTX_H

#include <stdbool.h>
#include <stdint.h>

#include <systemd/sd-event.h>

#include "daemon/config.h"
#include "daemon/model.h"

struct api;
struct history;
struct jobs;
struct keep;
struct planner_keep;
struct settings;
struct ads_model;
struct foresee;
struct smart_scan;

struct adshardd {
	sd_event *event;
	const struct config *config;	/* replaced by a reload */
	const char *config_path;
	bool config_must_exist;
	bool stopping;
	bool once;			/* one cycle, nothing is changed */
	int64_t started;		/* seconds since the epoch */
	int lock;			/* fd of lock_take(), -1 */
	char told_status[200];		/* to the service manager */

	struct pool *pools;
	struct drive *drives;		/* ever seen since the start */
	struct ads_model *trained;	/* of failing disks, NULL: none */
	struct foresee *foresee;	/* see foresee.h */

	struct smart_scan *smart_scan;	/* disks behind controllers, or NULL */
	struct kernel *kernel;
	sd_event_source *poll;		/* timer of the views */
	sd_event_source *soon;		/* one that an event asked for */
	int view_error;			/* of the last view, 1: none yet */
	char view_text[200];		/* its sentence */
	bool told_silent;		/* that the kernel owes an answer */

	struct patrol *patrol;		/* NULL: no io_uring */
	struct history *history;	/* NULL: disabled */
	bool history_ready;		/* or there is none: jobs are known */
	struct jobs *jobs;
	struct keep *keep;
	struct settings *settings;	/* of the operator */
	struct planner_keep *planner_keep;	/* see planner-keep.h */
	bool told_unrecorded;		/* that decisions are not kept */
	struct api *api;
};

/* Seconds since the epoch, and of a clock that nobody sets. */
int64_t now_epoch(void);
double now_mono(void);

#endif
