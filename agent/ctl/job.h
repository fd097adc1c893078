/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of migrations that one command has queued or adopted, and waiting for
 * them. The kernel does the work: this only watches, and gives segments whose
 * migration failed another destination if the command wants that.
 */
#ifndef CTL_JOB_H
#define CTL_JOB_H

#include "lib/place.h"

#include "bad.h"

/*
 * Cookie of an evacuation's migrations: a tag and the number of segments when
 * it began, so that whoever looks later can say how far it is.
 */
#define JOB_COOKIE_TAG		0xad5cULL
#define JOB_COOKIE(total)	(JOB_COOKIE_TAG << 48 | (uint32_t)(total))
#define JOB_COOKIE_IS(cookie)	((cookie) >> 48 == JOB_COOKIE_TAG)
#define JOB_COOKIE_TOTAL(cookie) ((uint32_t)(cookie))

enum job_state {
	JOB_PLANNED,		/* not queued yet */
	JOB_PENDING,		/* queued or running in the kernel */
	JOB_DONE,
	JOB_FAILED,
	JOB_ABORTED,
};

/* For reasons that are not the destination's. */
#define JOB_MAX_TRIES	3

struct job_segment {
	uint32_t segment;
	uint32_t src, dst;		/* member indexes */
	enum job_state state;
	bool adopted;			/* somebody else had queued it */
	char why[160];			/* of a failure */
	bool dst_fault;			/* it was the destination's */
	bool given_up;			/* there is nothing more to try */
	unsigned int tries;		/* that failed for another reason */
	uint32_t *failed_dst;		/* each is tried once */
	size_t nr_failed_dst;
	uint64_t bad_bytes;		/* that its move left unreadable */
};

struct job {
	struct ctl *c;
	struct ads_pool pool;
	struct ads_member *m;		/* kept up to date by the waiting */
	size_t nr_m;
	struct job_segment *seg;	/* ascending by number */
	size_t nr;
	size_t before;			/* segments done before this command */
	size_t moved;			/* in earlier rounds of this command */
	struct ads_progress progress;

	/* sums over the ended migrations */
	uint64_t bytes_copied, chunks_verified, chunks_recopied, mismatches;
	uint64_t hold_max_ns;

	/* Ranges that could not be read, known when job_wait() has ended. */
	struct bad_sum bad;
	/* Which of the pool's are this job's; NULL: by segment and source. */
	bad_mine_fn mine;

	/*
	 * Called while a segment has failed or was aborted; may queue it anew and
	 * return true. NULL: never.
	 */
	bool (*again)(struct job *j, struct job_segment *s);
	/* Called when nothing is pending: does another round follow? */
	bool (*more)(struct job *j);
	unsigned int rounds;		/* that job_wait() was called */
	/* Called while waiting; non-zero ends the waiting with that exit code. */
	int (*check)(struct job *j);
};

/*
 * Queues one segment. 0: it is on its way (or there already: state JOB_DONE, or
 * already on its way elsewhere by another hand: dst is corrected); else the
 * kernel's -errno with its sentence in s->why and state JOB_FAILED.
 */
int job_queue(struct job *j, struct job_segment *s, uint32_t priority,
	      uint64_t cookie);

/*
 * Waits until no segment is pending; draws progress. The caller has called
 * ctl_catch_signals(). An exit code: CTL_OK,
 * CTL_ERRORS, CTL_UNREAD, CTL_DETACHED, or what check() said.
 */
int job_wait(struct job *j, const char *what);

struct job_segment *job_find(struct job *j, uint32_t segment);
size_t job_count(const struct job *j, enum job_state state);
/* Reports failed segments, one sentence each (the first few). */
void job_report_failures(struct job *j);
/* Closing figures: to the document or as a line. */
void job_summary(struct job *j, const char *what);
void job_free_segments(struct job *j);
void job_free(struct job *j);
/* j->bad, as it is now. -errno. */
int job_count_bad(struct job *j, struct ads_err *err);

/* Members as the placement wants them; free() the array and its names. */
struct ads_place_member *job_place_members(const struct job *j,
					   const struct ads_agent_status *agent);
void job_place_free(struct ads_place_member *pm, size_t nr);

/* "segments" of the document. */
void job_json_segments(struct job *j, struct json_object *o);

#endif
