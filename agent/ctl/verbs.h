/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs, one file cmd-VERB.c for each.
 */
#ifndef CTL_VERBS_H
#define CTL_VERBS_H

#include "ctl.h"

extern const struct ctl_cmd ctl_status, ctl_create, ctl_scan, ctl_activate,
	ctl_deactivate, ctl_segments, ctl_locate, ctl_migrate, ctl_evacuate,
	ctl_abort, ctl_pause, ctl_resume, ctl_throttle, ctl_plan, ctl_jobs, ctl_job,
	ctl_policy, ctl_pin, ctl_unpin, ctl_replay, ctl_member,
	ctl_resize, ctl_events,
	ctl_wait, ctl_probe, ctl_check, ctl_dump, ctl_repair, ctl_risk,
	ctl_history, ctl_explain, ctl_forecast, ctl_replicas, ctl_rebuild,
	ctl_renew, ctl_complete;

#endif
