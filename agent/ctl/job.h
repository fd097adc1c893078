/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A set of operations that one command has queued or adopted, one to a segment,
 * and waiting for them. The kernel does the work: this only watches, and gives
 * segments whose operation failed another destination if the command wants that.
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
	uint32_t kind;			/* enum adshard_kind; ADD may be a RESYNC */
	uint32_t src, dst;		/* member indexes, or ADS_PLACE_NONE */
	enum job_state state;
	bool adopted;			/* somebody else had queued it */
	bool behind;			/* pending: it waits for the end of
					 * another operation on the segment */
	bool told_done;			/* an event said that it has ended well */
	uint32_t priority;		/* as queued */
	uint64_t cookie;
	/* For the placement: where it has copies, and those that stay there. */
	uint32_t nr_on, on[ADSHARD_MAX_LEGS];
	uint32_t nr_with, with[ADSHARD_MAX_LEGS];
	char why[160];			/* of a failure */
	bool dst_fault;			/* it was the destination's */
	bool given_up;			/* there is nothing more to try */
	unsigned int tries;		/* that failed for another reason */
	uint32_t *failed_dst;		/* each is tried once */
	size_t nr_failed_dst;
	uint64_t bad_bytes;		/* that its move left unreadable */
};

enum job_doing {
	JOB_MOVES,
	JOB_COPIES,			/* new ones, or stale ones made good */
};

struct job {
	struct ctl *c;
	enum job_doing doing;		/* for sentences */
	bool same_domain;		/* see struct ads_place_opts */
	struct ads_pool pool;
	struct ads_member *m;		/* kept up to date by the waiting */
	size_t nr_m;
	struct job_segment *seg;	/* ascending by number */
	size_t nr;
	size_t before;			/* segments done before this command */
	size_t moved;			/* in earlier rounds of this command */
	size_t later;			/* that are to come in later rounds */
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
	/* Called with every event of the pool. */
	void (*told)(struct job *j, const struct ads_event *ev);
	/* Called when nothing is pending: does another round follow? */
	bool (*more)(struct job *j);
	unsigned int rounds;		/* that job_wait() was called */
	/* Called while waiting; non-zero ends the waiting with that exit code. */
	int (*check)(struct job *j);
};

/*
 * Queues one segment. 0: it is on its way (or there already: state JOB_DONE, or
 * already on its way elsewhere by another hand: dst is corrected, or something
 * else is being done with it first: it waits); else the kernel's -errno with its
 * sentence in s->why and state JOB_FAILED. A scrub makes way.
 */
int job_queue(struct job *j, struct job_segment *s, uint32_t priority,
	      uint64_t cookie);

/*
 * Waits until no segment is pending; draws progress. The caller has called
 * ctl_catch_signals(). An exit code: CTL_OK,
 * CTL_ERRORS, CTL_UNREAD, CTL_DETACHED, or what check() said.
 */
int job_wait(struct job *j, const char *what);

/* Fills in where @s has copies; the one on @leaves (or ADS_PLACE_NONE) goes. */
void job_take_legs(struct job_segment *s, const struct ads_segment *seg,
		   uint32_t leaves);
/* The same for the placement. */
void job_place_segment(const struct job_segment *s,
		       struct ads_place_segment *out);

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
