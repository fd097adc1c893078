/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Planning of an evacuation.
 */
#ifndef CTL_EVACUATE_H
#define CTL_EVACUATE_H

#include "lib/place.h"

#include "job.h"

/* One leg of a segment moves in a round, and what came late. */
#define EVAC_ROUNDS	8

struct evac {
	struct job job;		/* first: its callbacks cast back */
	uint32_t *from;		/* members to be emptied, by index */
	size_t nr_from;
	uint32_t *not_to;	/* no destinations: those, and others */
	size_t nr_not_to;
	size_t *order;		/* job.seg[order[i]]: hottest first */
	size_t total;		/* segments when the evacuation began */
	size_t adopted;
	struct ads_agent_status *agent;		/* NULL: doesn't answer */
	struct evac_fault *fault;	/* by member: failures as destination */
	char what[64];		/* "evacuate /dev/sdb" */
};

struct evac_fault {
	uint32_t segments;
	char why[160];
};

void evac_name(struct evac *e);

/* All return an exit code and have reported what is wrong. */

/* Segments on the members, with what is on its way already adopted. */
int evac_collect(struct evac *e);
/* A destination for each of the others; CTL_REFUSED with numbers. */
int evac_plan(struct evac *e);
int evac_show_plan(struct evac *e);
/* Segments that have turned up since; queues them. */
int evac_more(struct evac *e);

/* Hands the plan to the kernel; failures stand in the segments. */
void evac_queue(struct evac *e);

/* A segment's migration has failed: try another destination. */
bool evac_again(struct job *j, struct job_segment *s);

/* Which destinations have failed: to the document or as lines. */
void evac_report_faults(struct evac *e);

void evac_free(struct evac *e);

/*
 * All of it, with what is said: the verb, and a part of others. @only: the one
 * destination, an index, or ADS_PLACE_NONE for any.
 */
struct evac_args {
	char **members;
	int nr;
	bool detach, cancel, dry, same_domain;
	uint32_t only;
};

int evac_main(struct ctl *c, const struct evac_args *a);

#endif
