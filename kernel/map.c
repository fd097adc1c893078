// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hot path: from a bio to the leg of its segment and back.
 */
#include <linux/bio.h>
#include <linux/device-mapper.h>
#include <linux/jump_label.h>
#include <linux/ktime.h>
#include <linux/moduleparam.h>

#include "bio.h"
#include "migrate.h"
#include "pool.h"
#include "target.h"

static DEFINE_STATIC_KEY_TRUE(ads_telemetry);

static int telemetry_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int r = kstrtobool(val, &on);

	if (r)
		return r;
	/* Parameters of a module are set one at a time. */
	if (on)
		static_branch_enable(&ads_telemetry);
	else
		static_branch_disable(&ads_telemetry);
	return 0;
}

static int telemetry_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n",
			  static_key_enabled(&ads_telemetry) ? 'Y' : 'N');
}

static const struct kernel_param_ops telemetry_ops = {
	.set = telemetry_set,
	.get = telemetry_get,
};

module_param_cb(telemetry, &telemetry_ops, NULL, 0644);
MODULE_PARM_DESC(telemetry, "Sample heat and latency of one bio in 16 (default on)");

static void sample_heat(struct ads_pool *pool, u32 seg, struct bio *bio,
			struct ads_bio *pb)
{
	struct ads_heat *heat = &pool->heat[seg];
	u64 now = ktime_get_ns();

	if (op_is_write(bio_op(bio)))
		/* data_race: a guess by design, two CPUs may lose a bump */
		data_race(heat->writes++);
	else
		/* data_race: as above */
		data_race(heat->reads++);
	WRITE_ONCE(heat->last, max_t(u32, 1, div_u64(now, NSEC_PER_SEC)));
	pb->start_ns = now;
}

static int map_flush(struct ads_pool *pool, struct bio *bio, struct ads_bio *pb)
{
	struct ads_member *mb;
	u16 index = pool->present_member[dm_bio_get_target_bio_nr(bio)];

	pb->kind = ADS_BIO_FLUSH;
	pb->member = index;

	/*
	 * A member that holds no leg has nothing to make durable for the user,
	 * and may be gone: a drained disk must not fail anybody's fsync. Not an
	 * elided flush: what a segment that moved away had there was flushed on
	 * its new leg before the move was recorded, and a leg is counted before
	 * the first write goes to it and until its last one has ended.
	 */
	if (index == ADSHARD_NO_MEMBER)
		goto done;
	mb = &pool->members[index];
	if (!READ_ONCE(mb->nr_legs))
		goto done;
	bio_set_dev(bio, mb->bdev);
	return DM_MAPIO_REMAPPED;
done:
	pb->member = ADSHARD_NO_MEMBER;
	bio_endio(bio);
	return DM_MAPIO_SUBMITTED;
}

/*
 * Discards, write-zeroes and secure erases arrive whole, whatever
 * ->max_io_len says; a write to a migrating segment must not cross a chunk.
 * Only legal while DM made a single clone (num_*_bios is 1).
 */
static inline void cut_at(struct bio *bio, sector_t off, sector_t boundary)
{
	sector_t left = boundary - (off & (boundary - 1));

	if (bio_sectors(bio) > left)
		dm_accept_partial_bio(bio, left);
}

/* A segment with several legs, maybe one that is being worked on. */
static int map_set(struct ads_pool *pool, struct bio *bio, struct ads_bio *pb,
		   u32 seg, sector_t off, u64 word)
{
	/* Both are freed only after a drain of the lane we are counted in. */
	pb->set = ads_set_of(pool, seg);
	/* Pairs with smp_store_release() in renew.c. */
	if (unlikely(smp_load_acquire(&pb->set->lost))) {
		pb->kind = ADS_BIO_ENDED;
		bio_io_error(bio);
		return DM_MAPIO_SUBMITTED;
	}
	pb->mig = word & ADS_WORD_SLOW ? xa_load(&pool->migs, seg) : NULL;
	pb->held_ns = 0;
	pb->counted = false;
	if (!op_is_write(bio_op(bio))) {
		/* The volume's sector; legs are found from it at each try. */
		bio->bi_iter.bi_sector = off;
		return ads_set_read(bio);
	}
	if (pb->mig)
		cut_at(bio, off, 1ULL << pool->chunk_shift);
	pb->chunk = (off & pool->segment_mask) >> pool->chunk_shift;
	if (word & ADS_WORD_BAD)
		ads_bad_map(pool, bio, pb, seg, off, ADS_BAD_ALL_PLACES);
	bio->bi_iter.bi_sector = off;
	return ads_set_write(bio, GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * A segment with bad ranges, or one that migrates. DM_MAPIO_REMAPPED: it takes
 * the same way as any other.
 */
static int map_slow(struct ads_pool *pool, struct bio *bio, struct ads_bio *pb,
		    u32 seg, sector_t off, u64 word)
{
	struct ads_mig *m;

	/* Pairs with smp_store_release() in steps TRACK and COMMIT. */
	smp_rmb();
	if (word & ADS_WORD_SET)
		return map_set(pool, bio, pb, seg, off, word);
	if (unlikely(ads_word_lost(pool, word))) {
		pb->kind = ADS_BIO_ENDED;
		bio_io_error(bio);
		return DM_MAPIO_SUBMITTED;
	}
	if (word & ADS_WORD_BAD &&
	    ads_bad_map(pool, bio, pb, seg, off, word))
		return DM_MAPIO_SUBMITTED;
	if (!(word & ADS_WORD_SLOW) || !op_is_write(bio_op(bio)))
		return DM_MAPIO_REMAPPED;

	/* Freed only after a drain of the lane we are counted in. */
	m = xa_load(&pool->migs, seg);
	cut_at(bio, off, 1ULL << pool->chunk_shift);
	pb->mig = m;
	pb->chunk = (off & pool->segment_mask) >> pool->chunk_shift;
	pb->held_ns = 0;
	pb->counted = false;
	/* The volume's sector; legs are found from it at each try. */
	bio->bi_iter.bi_sector = off;
	return ads_write_slow(m, bio, GFP_NOWAIT | __GFP_NOWARN);
}

/*
 * All but the plain way: discards and their like, a bio that was sampled, a
 * segment of which the word says more than a place.
 */
static noinline int map_other(struct ads_pool *pool, struct bio *bio, u32 slot,
			      u64 word, bool sample)
{
	struct ads_bio *pb = ads_bio(bio);
	sector_t off = bio->bi_iter.bi_sector;
	u32 seg = off >> pool->segment_shift;
	struct ads_member *mb;

	bio->bi_private = NULL;		/* not plain: see bio.h */
	pb->slot = slot;
	pb->kind = ADS_BIO_PLAIN;
	pb->heal = ADS_HEAL_NONE;
	pb->start_ns = 0;
	pb->member = ads_word_member(word);
	pb->set = NULL;
	if (sample)
		sample_heat(pool, seg, bio, pb);
	cut_at(bio, off, 1ULL << pool->segment_shift);

	if (word & ADS_WORD_FLAGS) {
		int r = map_slow(pool, bio, pb, seg, off, word);

		if (r != DM_MAPIO_REMAPPED || pb->set)
			return r;
	}

	mb = &pool->members[pb->member];
	bio_set_dev(bio, mb->bdev);
	bio->bi_iter.bi_sector = mb->data_start +
		((sector_t)ads_word_chunk(word) << pool->chunk_shift) +
		(off & pool->segment_mask);
	return DM_MAPIO_REMAPPED;
}

/* One bio in so many of a CPU. */
static inline bool sampled(struct ads_pool *pool)
{
	return static_branch_likely(&ads_telemetry) &&
	       unlikely(!(this_cpu_inc_return(*pool->tick) &
			  (ADS_HEAT_SAMPLE - 1)));
}

/* Count a bio in its lane. Returns the slot, and the segment's @word. */
static inline u32 enter_lane(struct ads_pool *pool, u32 seg, u64 *word)
{
	u32 slot;

	/*
	 * The order of the next three is the proof in lane.c. A region without
	 * preemption is a read section of RCU, and the cheapest one.
	 */
	rcu_read_lock_sched_notrace();
	/* Pairs with smp_store_release() in ads_lane_drain(). */
	slot = smp_load_acquire(&pool->lanes.slot[ads_lane(seg)]);
	this_cpu_inc(pool->lanes.inflight->n[slot]);
	*word = READ_ONCE(pool->map[seg]);
	rcu_read_unlock_sched_notrace();
	return slot;
}

/* Neither a read nor a write of data. */
static noinline int map_odd(struct ads_pool *pool, struct bio *bio)
{
	u32 slot;
	u64 word;

	if (bio->bi_opf & REQ_PREFLUSH) {
		bio->bi_private = NULL;
		return map_flush(pool, bio, ads_bio(bio));
	}
	slot = enter_lane(pool, bio->bi_iter.bi_sector >> pool->segment_shift,
			  &word);
	return map_other(pool, bio, slot, word, sampled(pool));
}

/*
 * What every bio goes through. A plain one leaves nothing in its per-bio data,
 * which would have to be asked for, but a word in ->bi_private: device mapper
 * gives us a bio in which that is free. Each instruction here counts, see
 * Documentation/performance.rst.
 *
 * Reads and writes come within a segment, as ->max_io_len says. To look for its
 * end here would be cheaper, but device mapper also keeps them to what a disk
 * takes at once then: one that must be cut further down fails if it may not wait.
 */
int ads_map(struct dm_target *ti, struct bio *bio)
{
	struct ads_target *at = ti->private;
	struct ads_pool *pool = at->pool;
	/* The only target of its table (DM_TARGET_SINGLETON) begins at 0. */
	sector_t off = bio->bi_iter.bi_sector;
	struct ads_member *mb;
	u32 slot, in;
	u64 word;

	if (unlikely(bio->bi_opf & (REQ_PREFLUSH |
				    (REQ_OP_MASK &
				     ~(__force blk_opf_t)REQ_OP_WRITE))))
		return map_odd(pool, bio);

	slot = enter_lane(pool, off >> pool->segment_shift, &word);
	in = off & pool->segment_mask;

	if (unlikely(word & ADS_WORD_FLAGS))
		return map_other(pool, bio, slot, word, sampled(pool));
	if (sampled(pool))
		return map_other(pool, bio, slot, word, true);

	bio->bi_private = ads_plain(word, slot);
	mb = &pool->members[ads_word_member(word)];
	bio->bi_iter.bi_sector = mb->data_start + in +
		((sector_t)ads_word_chunk(word) << pool->chunk_shift);
	bio_set_dev(bio, mb->bdev);
	return DM_MAPIO_REMAPPED;
}

static void account_end(struct ads_pool *pool, struct bio *bio,
			struct ads_bio *pb, blk_status_t error)
{
	struct ads_member *mb = &pool->members[pb->member];
	bool write = op_is_write(bio_op(bio));

	if (pb->start_ns && pb->kind != ADS_BIO_MIRRORED) {
		u64 ns = ktime_get_ns() - pb->start_ns;
		unsigned int bucket = ns ? ilog2(ns) : 0;

		if (bucket >= ADSHARD_HIST_BUCKETS)
			bucket = ADSHARD_HIST_BUCKETS - 1;
		atomic_long_inc(&mb->hist[write][bucket]);
		/* See throttle.c: not a write that may have been held. */
		if (READ_ONCE(mb->pace.latency_ns) &&
		    pb->kind == ADS_BIO_PLAIN) {
			atomic64_add(ns, &mb->pace.sum_ns);
			atomic_inc(&mb->pace.samples);
		}
		if (!write)
			/* data_race: a guess, see set-read.c */
			data_race(mb->read_ns += ((s64)ns - (s64)mb->read_ns) / 8);
	}
	/* Mirrored writes are several: their errors are counted leg by leg. */
	if (unlikely(error) && pb->kind != ADS_BIO_MIRRORED &&
	    ads_error_counts(bio->bi_opf, error))
		ads_member_error(pool, mb,
				 write ? ADS_ERR_WRITE : ADS_ERR_READ);
}

static int flush_end(struct ads_pool *pool, struct bio *bio,
		     struct ads_bio *pb, blk_status_t *error)
{
	struct ads_member *mb;

	if (pb->member == ADSHARD_NO_MEMBER)
		return DM_ENDIO_DONE;
	mb = &pool->members[pb->member];
	/* Before its own failure counts: see settle.c. */
	pb->flushes = READ_ONCE(mb->settled);
	/* Nothing that was acknowledged depends on a mere destination. */
	if (unlikely(*error) && !ads_flush_failed(pool, mb))
		*error = BLK_STS_OK;
	bio->bi_status = *error;
	/* What it, or one before, has cost a set's leg must be recorded. */
	if (unlikely(pb->flushes != READ_ONCE(mb->flushes_failed)) &&
	    READ_ONCE(pool->sets.nr)) {
		ads_set_flush_wait(pool, bio);
		return DM_ENDIO_INCOMPLETE;
	}
	if (ads_flush_hold(mb, bio))
		return DM_ENDIO_INCOMPLETE;
	*error = bio->bi_status;
	return DM_ENDIO_DONE;
}

static noinline int end_other(struct ads_pool *pool, struct bio *bio,
			      blk_status_t *error)
{
	struct ads_bio *pb = ads_bio(bio);

	if (ads_is_plain(bio)) {
		pb->kind = ADS_BIO_PLAIN;
		pb->heal = ADS_HEAL_NONE;
		pb->start_ns = 0;
		pb->slot = ads_plain_slot(bio);
		pb->member = ads_plain_member(bio);
	}
	if (pb->kind == ADS_BIO_FLUSH)
		return flush_end(pool, bio, pb, error);
	if (pb->kind == ADS_BIO_FLUSHED)
		return DM_ENDIO_DONE;

	if (pb->kind == ADS_BIO_READ) {
		if (*error) {
			account_end(pool, bio, pb, *error);
			pb->start_ns = 0;
			if (ads_set_read_failed(bio, *error))
				return DM_ENDIO_INCOMPLETE;
			pb->kind = ADS_BIO_ENDED;
		} else {
			ads_set_read_done(bio);
		}
	}
	if (pb->heal == ADS_HEAL_WANTED && !*error) {
		pb->heal = ADS_HEAL_DONE;
		ads_heal_queue(pool, bio);
		return DM_ENDIO_INCOMPLETE;
	}
	if (pb->kind == ADS_BIO_TRACKED ||
	    (pb->kind >= ADS_BIO_MIRRORED && pb->kind <= ADS_BIO_SET &&
	     pb->counted))
		ads_write_tracked_end(pb->mig, pb);
	/* An error of the healing is none of the write's. */
	if ((pb->start_ns || *error) && pb->kind != ADS_BIO_ENDED &&
	    pb->kind != ADS_BIO_SET && pb->kind != ADS_BIO_READ_AGAIN &&
	    pb->heal != ADS_HEAL_DONE)
		account_end(pool, bio, pb, *error);

	/* Pairs with smp_rmb() in ads_lane_drain(). */
	smp_wmb();
	this_cpu_dec(pool->lanes.inflight->n[pb->slot]);
	return DM_ENDIO_DONE;
}

int ads_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct ads_target *at = ti->private;
	struct ads_pool *pool = at->pool;

	if (unlikely(!ads_is_plain(bio) || *error))
		return end_other(pool, bio, error);

	/* Pairs with smp_rmb() in ads_lane_drain(). */
	smp_wmb();
	this_cpu_dec(pool->lanes.inflight->n[ads_plain_slot(bio)]);
	return DM_ENDIO_DONE;
}
