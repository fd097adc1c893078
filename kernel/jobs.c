// SPDX-License-Identifier: GPL-2.0-only
/*
 * The chunk jobs of a migration, as long as they have no chunk: their buffers,
 * and how they are started and stopped. What a job does is in copy.c.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#include "job.h"
#include "migrate.h"
#include "pool.h"

#define ADS_JOBS	4	/* chunks at once; Documentation/design.rst */

void ads_job_queue(struct ads_job *job)
{
	queue_delayed_work(job->m->pool->copy_wq, &job->work, 0);
}

void ads_jobs_kick(struct ads_mig *m, bool if_busy)
{
	unsigned int i;

	spin_lock_irq(&m->lock);
	for (i = 0; (m->busy || !if_busy) && i < m->nr_jobs; i++) {
		struct ads_job *job = &m->jobs[i];

		/* A busy one goes from state to state without the lock. */
		if (READ_ONCE(job->state) != ADS_JOB_IDLE)
			continue;
		WRITE_ONCE(job->state, ADS_JOB_PICK);
		m->busy++;
		atomic_inc(&m->pool->busy_jobs);
		ads_job_queue(job);
	}
	spin_unlock_irq(&m->lock);
}

void ads_job_idle(struct ads_job *job)
{
	struct ads_mig *m = job->m;
	struct ads_pool *pool = m->pool;

	spin_lock_irq(&m->lock);
	WRITE_ONCE(job->state, ADS_JOB_IDLE);
	if (!--m->busy)
		queue_work(pool->ctl_wq, &m->ctl_work);
	spin_unlock_irq(&m->lock);
	/* After the control work was queued: ads_mig_park() relies on it. */
	if (atomic_dec_and_test(&pool->busy_jobs))
		wake_up_all(&pool->wait);
}

void ads_jobs_hurry(struct ads_mig *m)
{
	unsigned int i;

	spin_lock_irq(&m->lock);
	for (i = 0; i < m->nr_jobs; i++) {
		struct ads_job *job = &m->jobs[i];

		if (!job->delayed)
			continue;
		job->hurry = true;
		/*
		 * Only if it is still waiting: queueing a job that has begun to
		 * run would run it once more, in the middle of its I/O.
		 */
		if (cancel_delayed_work(&job->work))
			ads_job_queue(job);
	}
	spin_unlock_irq(&m->lock);
}

/*----------------------------------------------------------------*/

static int job_init(struct ads_job *job, struct ads_mig *m)
{
	unsigned int i, nr;

	/* First: how long a chunk is, is asked by way of it. */
	job->m = m;
	nr = ads_job_bytes(job) >> PAGE_SHIFT;
	INIT_DELAYED_WORK(&job->work, ads_job_work);
	job->state = ADS_JOB_IDLE;
	job->vecs = kcalloc(nr, sizeof(*job->vecs), GFP_KERNEL);
	job->pages = kcalloc(nr, sizeof(*job->pages), GFP_KERNEL);
	job->todo = bitmap_zalloc(ads_job_blocks(job), GFP_KERNEL);
	job->skip = bitmap_zalloc(ads_job_blocks(job), GFP_KERNEL);
	job->stale = bitmap_zalloc(ads_job_blocks(job), GFP_KERNEL);
	job->page = alloc_page(GFP_KERNEL);
	if (!job->vecs || !job->pages || !job->todo || !job->skip ||
	    !job->stale || !job->page)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		job->pages[i] = alloc_page(GFP_KERNEL);
		if (!job->pages[i])
			return -ENOMEM;
		job->nr_pages++;
	}
	return 0;
}

static void job_exit(struct ads_job *job)
{
	unsigned int k;

	cancel_delayed_work_sync(&job->work);
	for (k = 0; k < job->nr_pages; k++)
		__free_page(job->pages[k]);
	if (job->page)
		__free_page(job->page);
	bitmap_free(job->stale);
	bitmap_free(job->skip);
	bitmap_free(job->todo);
	kfree(job->pages);
	kfree(job->vecs);
}

int ads_jobs_init(struct ads_mig *m)
{
	struct ads_job *jobs;
	unsigned int i;
	int r = 0;

	jobs = kcalloc(ADS_JOBS, sizeof(*jobs), GFP_KERNEL);
	if (!jobs)
		return -ENOMEM;
	for (i = 0; i < ADS_JOBS && !r; i++)
		r = job_init(&jobs[i], m);
	if (r) {
		while (i--)
			job_exit(&jobs[i]);
		kfree(jobs);
		return r;
	}
	/* Whoever stops us may look at them at once. */
	spin_lock_irq(&m->lock);
	m->jobs = jobs;
	m->nr_jobs = ADS_JOBS;
	spin_unlock_irq(&m->lock);
	return 0;
}

void ads_jobs_exit(struct ads_mig *m)
{
	struct ads_job *jobs;
	unsigned int i, nr;

	spin_lock_irq(&m->lock);
	jobs = m->jobs;
	nr = m->nr_jobs;
	m->jobs = NULL;
	m->nr_jobs = 0;
	spin_unlock_irq(&m->lock);
	for (i = 0; i < nr; i++)
		job_exit(&jobs[i]);
	kfree(jobs);
}
