// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migrations that step aside.
 *
 * What a failing disk can still read easily is to get away before it is asked for
 * the rest, which may take minutes for a chunk. Within a segment difficult chunks
 * come last (copy.c). Among segments, a migration in step FILL gives its place
 * under the limits to one in the queue, whatever their priorities, when
 *
 *	- nothing is left of it but difficult chunks,
 *	- or SLOW_READS reads of its source in a row took longer than
 *	  pool->slow_ns,
 *	- or all that it waits for are such reads: they may never return.
 *
 * It keeps what it has: clean chunks are mirrored on, only the jobs and their
 * buffers go. Jobs that wait for a read finish their chunk when it returns. When
 * nothing in the queue can start instead, it goes on, and does what is difficult,
 * @hard, until something in the queue could start in its place again.
 *
 * A read is never given up: its pages are the disk's until it returns. An abort
 * and a suspend wait for those that are on their way, one for each job, and what
 * bounds that is the time-out of the device below: an error is as good as data.
 */
#include <linux/jiffies.h>

#include "job.h"
#include "migrate.h"
#include "pool.h"

#define SLOW_READS	4
/* Each costs memory for its chunks, and writes to it go to two disks. */
#define ASIDE_MAX	1024
#define WATCH_MS	250

/* Is there one in the queue that could have its place? pool->lock held. */
static bool wanted(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	struct ads_mig *other;

	lockdep_assert_held(&pool->lock);
	if (pool->nr_aside >= ASIDE_MAX || m->stop)
		return false;
	list_for_each_entry(other, &pool->queue, node)
		if (ads_mig_fits(other, m))
			return true;
	return false;
}

static void step_aside(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	lockdep_assert_held(&pool->lock);
	spin_lock_irq(&m->lock);
	m->aside = true;
	m->hard = false;
	m->slow_reads = 0;
	spin_unlock_irq(&m->lock);
	/* Who has waited longest goes on first. */
	list_move_tail(&m->node, &pool->active);
	ads_mig_leave(m);
	pool->nr_aside++;
	pool->nr_queued++;
	/* Jobs that wait for a limit go, and then their buffers. */
	ads_jobs_hurry(m);
	queue_work(pool->ctl_wq, &m->ctl_work);
}

static void go_on(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;

	lockdep_assert_held(&pool->lock);
	spin_lock_irq(&m->lock);
	m->aside = false;
	m->hard = true;
	spin_unlock_irq(&m->lock);
	ads_aside_end(m);
	ads_mig_enter(m);
	/* If a read has not returned yet, the control work waits for it. */
	ads_jobs_kick(m, true);
	queue_work(pool->ctl_wq, &m->ctl_work);
}

void ads_aside_end(struct ads_mig *m)
{
	lockdep_assert_held(&m->pool->lock);
	m->pool->nr_aside--;
	m->pool->nr_queued--;
}

void ads_aside_go_on(struct ads_pool *pool)
{
	struct ads_mig *m, *tmp;

	lockdep_assert_held(&pool->lock);
	list_for_each_entry_safe(m, tmp, &pool->active, node) {
		if (m->aside && !m->stop && ads_mig_fits(m, NULL)) {
			go_on(m);
		} else if (m->hard && wanted(m)) {
			/* Its jobs stop; then the control work asks us. */
			spin_lock_irq(&m->lock);
			m->hard = false;
			spin_unlock_irq(&m->lock);
		}
	}
	if (pool->nr_active)
		queue_delayed_work(pool->ctl_wq, &pool->watch_work,
				   msecs_to_jiffies(WATCH_MS));
}

static bool only_hard(struct ads_mig *m)
{
	bool easy;
	u32 i;

	spin_lock_irq(&m->lock);
	easy = m->hard;
	for (i = 0; !easy && m->slow_reads < SLOW_READS && i < m->nr_chunks; i++)
		easy = m->chunks[i].state == ADS_CHUNK_DIRTY &&
		       !m->chunks[i].difficult;
	spin_unlock_irq(&m->lock);
	return !easy;
}

bool ads_aside_wait(struct ads_mig *m)
{
	struct ads_pool *pool = m->pool;
	bool aside;

	if (!only_hard(m))
		return false;
	mutex_lock(&pool->lock);
	if (!m->aside && wanted(m)) {
		step_aside(m);
		ads_mig_start_queued(pool);
	}
	aside = m->aside;
	if (!aside) {
		spin_lock_irq(&m->lock);
		m->hard = true;
		spin_unlock_irq(&m->lock);
	}
	mutex_unlock(&pool->lock);
	return aside;
}

/*----------------------------------------------------------------*/

static bool is_slow(struct ads_pool *pool, unsigned long since)
{
	u64 slow_ns = READ_ONCE(pool->slow_ns);

	return since && slow_ns &&
	       time_after(jiffies, since + nsecs_to_jiffies(slow_ns));
}

bool ads_aside_stops(struct ads_mig *m)
{
	lockdep_assert_held(&m->lock);
	return m->aside || (m->step == ADSHARD_STEP_FILL && !m->hard &&
			    m->slow_reads >= SLOW_READS);
}

void ads_aside_read_end(struct ads_job *job)
{
	struct ads_mig *m = job->m;

	spin_lock_irq(&m->lock);
	if (!is_slow(m->pool, job->read_at))
		m->slow_reads = 0;
	else if (m->slow_reads < SLOW_READS)
		m->slow_reads++;
	WRITE_ONCE(job->read_at, 0);
	spin_unlock_irq(&m->lock);
}

/* Is all that it waits for a slow read? */
static bool hangs(struct ads_mig *m)
{
	unsigned int i, nr = 0;
	bool hangs;

	spin_lock_irq(&m->lock);
	for (i = 0; i < m->nr_jobs; i++)
		nr += is_slow(m->pool, READ_ONCE(m->jobs[i].read_at));
	hangs = nr && nr == m->busy && m->step == ADSHARD_STEP_FILL;
	spin_unlock_irq(&m->lock);
	return hangs;
}

/* A read that hangs tells nobody: somebody has to look. */
void ads_aside_work(struct work_struct *work)
{
	struct ads_pool *pool = container_of(to_delayed_work(work),
					     struct ads_pool, watch_work);
	struct ads_mig *m, *tmp;

	mutex_lock(&pool->lock);
	if (pool->loaded) {
		list_for_each_entry_safe(m, tmp, &pool->active, node)
			if (!m->aside && hangs(m) && wanted(m))
				step_aside(m);
		/* Looks again, too, as long as any is active. */
		ads_mig_start_queued(pool);
	}
	mutex_unlock(&pool->lock);
}
