/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A chunk job: shared by copy.c (what it does), source.c (how it reads) and
 * jobs.c (how it starts and stops).
 */
#ifndef ADS_JOB_H
#define ADS_JOB_H

#include <linux/bio.h>
#include <linux/workqueue.h>

struct ads_mig;

enum ads_job_state {
	ADS_JOB_IDLE,
	ADS_JOB_PICK,		/* look for a chunk */
	ADS_JOB_PAID,		/* the limit's time has passed */
	ADS_JOB_QUIET,		/* held, no write in flight */
	/* what has just completed: */
	ADS_JOB_SOURCE,		/* a piece of the source */
	ADS_JOB_ALIVE,		/* a superblock of the source, into job->page */
	ADS_JOB_WRITE,
	ADS_JOB_BACK,		/* the destination, to be compared */
};

/* What a job is at. */
enum ads_job_task {
	ADS_TASK_COPY,
	ADS_TASK_COMPARE,
};

/**
 * struct ads_job - one chunk in work
 * @state:	enum ads_job_state; written by the job itself, and by whoever
 *		makes an idle job PICK. To IDLE and back under m->lock only,
 *		which is all that others look at
 * @held:	the chunk is held by this job
 * @delayed:	waits for a limit, or is about to; under m->lock
 * @hurry:	it need not wait any more: look again; under m->lock
 * @trust:	COMPARE: the source can't be read any more: the destination is
 *		only read
 * @tries:	of a copy, or of an I/O on the destination
 * @fails:	of the same piece of the source
 * @passes:	over the source with the chunk not held, one after the other
 * @read_at:	jiffies when the source was asked, 0: it has answered
 * @crc:	of the source
 * @src, @src_chunk: where it reads the segment; of a set with @src_leg, one of
 *		several, of which it has @asked some, a bit each; for the block
 *		that it is at @asked_block
 * @pos, @len:	SOURCE: the piece, in logical blocks of the chunk
 * @todo:	a bit per block that is to be read in this pass
 * @skip:	a bit per block that has no data, and is taken for zero
 * @stale:	a bit per block on which a write has ended since it was asked
 *		for: what was read there counts for nothing. Under m->lock
 */
struct ads_job {
	struct ads_mig *m;
	struct delayed_work work;
	int state;
	enum ads_job_task task;
	bool held, delayed, hurry, trust;
	u32 chunk;
	unsigned int tries, fails, passes;
	unsigned long read_at;
	u32 crc;
	u16 src;
	u32 src_chunk;
	u8 src_leg, asked, asked_block;
	u32 pos, len;
	unsigned long *todo, *skip, *stale;
	struct bio bio;
	struct bio_vec *vecs;
	struct page **pages;
	unsigned int nr_pages;
	struct page *page;
};

/* jobs.c: it has no chunk and takes no other. May free its migration's last hold. */
void ads_job_idle(struct ads_job *job);

/* copy.c: as far as it is done with the chunk */

void ads_job_work(struct work_struct *work);	/* of job->work */
u32 ads_job_bytes(struct ads_job *job);		/* of a chunk */
/* @leg: 0 the source, 1 the destination; of the chunk, from @pos on. */
void ads_job_submit(struct ads_job *job, unsigned int leg, enum req_op op,
		    u32 pos, u32 len, enum ads_job_state next);
void ads_job_endio(struct bio *bio);
/* Keep writes off the chunk, then read the source (again). */
void ads_job_hold(struct ads_job *job);
/* Stop: the chunk is as clean as it was. */
void ads_job_stop(struct ads_job *job);
/* Done with the chunk, on to the next. */
void ads_job_done(struct ads_job *job, bool clean);
void ads_job_fail(struct ads_job *job, int err, const char *why);
/*
 * The source is in job->pages, but for what a write may have changed if the
 * chunk is not held: what comes next.
 */
void ads_job_source_read(struct ads_job *job);

/* source.c */

/* Logical blocks of a chunk. */
u32 ads_job_blocks(struct ads_job *job);
/* As many of them as are within the volume. */
u32 ads_job_valid(struct ads_job *job);
/* Read the source into job->pages, but for what has no data. */
void ads_job_read_source(struct ads_job *job);
/* Was a write in flight at any time since? Not known for good until held. */
bool ads_job_raced(struct ads_job *job);
/*
 * Read again what is stale, if anything is; else return false. Held, and no write
 * in flight: after that, or if there is nothing, job->pages is what the source
 * holds.
 */
bool ads_job_read_stale(struct ads_job *job);
/* A piece of it has been read, or a superblock. */
void ads_job_source_end(struct ads_job *job);

#endif /* ADS_JOB_H */
