// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Power cuts of disks with a volatile cache, many in one boot.
 *
 * A trial is the life of an active pool under load, which ends when the disks lose their power,
 * at a random moment or when a migration is seen in a chosen step. Then the pool is activated,
 * checked, activated a second time, and compared. One in ten loses its power in the middle of the
 * activation, too. With several legs, what the cut has left in doubt is read at once or when it is
 * made equal, and must be the same.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disks.h"
#include "dm.h"
#include "legs.h"
#include "load.h"
#include "main.h"
#include "volume.h"

#define NAME		"cutvol"
#define PATH		"/dev/" NAME
#define MEMBERS		4
#define MEMBER_MIB	24
#define SEGMENTS	16		/* of 1 MiB, chunks of 64 KiB */
#define META_SECTORS	6144
#define MAX_AGE		40		/* trials of one pool */
#define MAX_FAILED_AGE	4		/* the same when a member has failed */

struct campaign {
	const struct options *opt;
	struct oracle *oracle;
	struct disks disks;
	struct volume vol;
	char uuid[40];
	uint64_t rnd;			/* of this trial */
	unsigned int age, failed_age;
	bool active;
	/* figures */
	unsigned long trials, bad, unassembled, wrong, owners, moved, differ, reads;
	unsigned long during[STEPS], still, how[HOW_TO_CUT], twice, hidden;
	unsigned long commit_new, commit_old, pools, drains, fails, faults, aborts;
	unsigned long comes, goes;
	struct legs_figures legs;
	struct oracle sum;
};

static const char *volatile stage = "start";
static volatile unsigned long current_trial;

static void too_long(int sig)
{
	char text[128];
	int n = snprintf(text, sizeof(text), "# trial %lu hangs: %s\n", current_trial, stage);

	if (write(1, text, (size_t)n) < 0)
		n = 0;
	_exit(3);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Makes the volume out of its members, in random order. */
static int bring_up(struct campaign *c, bool format)
{
	unsigned int order[MEMBERS];
	char params[256];
	dev_t dev;
	int n, rc;

	for (unsigned int i = 0; i < MEMBERS; i++) {
		unsigned int j = format ? i : random_step(&c->rnd) % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
	n = snprintf(params, sizeof(params), "%s %u", format ? "-" : c->uuid, MEMBERS);
	for (unsigned int i = 0; i < MEMBERS; i++) {
		dev_t m = c->disks.dev[order[i]];

		n += snprintf(params + n, sizeof(params) - (size_t)n, " %u:%u",
			      (unsigned int)(m >> 8) & 0xfff, (unsigned int)m & 0xff);
	}
	if (format)
		snprintf(params + n, sizeof(params) - (size_t)n,
			 " 8 segment_size 2048 chunk_size 128 uuid %s replicas %u", c->uuid,
			 c->opt->legs);
	rc = dm_create(NAME, PATH, &dev);
	if (!rc)
		rc = dm_load(NAME, SEGMENTS * 2048, "adshard", params);
	if (!rc)
		rc = dm_resume(NAME);
	if (rc)
		dm_remove(NAME);
	return rc;
}

static bool activate(struct campaign *c)
{
	int rc = bring_up(c, false);

	c->active = !rc;
	if (rc) {
		printf("# the pool can't be activated: %s\n", strerror(-rc));
		c->unassembled++;
		return false;
	}
	if (!volume_open(&c->vol) || !volume_owners(&c->vol)) {
		c->owners++;
		return false;
	}
	return true;
}

static bool deactivate(struct campaign *c)
{
	c->active = false;
	return !dm_remove(NAME);
}

static bool new_pool(struct campaign *c)
{
	/* not the trial's: it must make the same choices on another pool */
	uint64_t rnd = ~c->rnd, r = random_step(&rnd);

	stage = "new pool";
	if (c->pools) {
		if (c->active && !deactivate(c))
			return false;
		disks_unmake(&c->disks);
	}
	snprintf(c->uuid, sizeof(c->uuid), "%08x-0000-4000-8000-%012llx", (unsigned int)c->pools,
		 (unsigned long long)(r & 0xffffffffffff));
	if (!disks_make(&c->disks, &rnd) || bring_up(c, true) || !volume_open(&c->vol) ||
	    !volume_owners(&c->vol))
		return false;
	c->active = true;
	c->sum.writes += c->oracle->writes;
	c->sum.flushes += c->oracle->flushes;
	c->sum.fuas += c->oracle->fuas;
	c->sum.zeroes += c->oracle->zeroes;
	c->sum.discards += c->oracle->discards;
	c->sum.errors += c->oracle->errors;
	c->sum.checked += c->oracle->checked;
	c->sum.lost_blocks += c->oracle->lost_blocks;
	oracle_init(c->oracle, r, SEGMENTS * 256);
	c->pools++;
	c->age = 0;
	c->failed_age = 0;
	return true;
}

/* Waits for the moment to cut. */
static void aim(struct campaign *c)
{
	static const uint8_t goals[] = {
		ADSHARD_STEP_COMMIT, ADSHARD_STEP_COMMIT, ADSHARD_STEP_COMMIT,
		ADSHARD_STEP_COMMIT, ADSHARD_STEP_RELEASE, ADSHARD_STEP_VERIFY,
		ADSHARD_STEP_TRACK, 0, 0, 0 };
	unsigned int goal = goals[random_step(&c->rnd) % sizeof(goals)];
	uint64_t r = random_step(&c->rnd);
	uint32_t acks = r % 200, more = acks + 200;
	uint32_t steps[STEPS];
	double end = now() + 5;

	/* By what has been done, not by the clock: the machine may be busy with something else. */
	while (c->oracle->acks < acks && now() < end)
		usleep(200);
	while (goal && c->oracle->acks < more && now() < end) {
		if (volume_steps(&c->vol, steps) && steps[goal])
			break;
		/* leaves the processor to those who have to get there */
		usleep(100);
	}
	if (goal && r >> 32 & 1)
		usleep((r >> 33) % 1000);
}

static void cut(struct campaign *c, enum how_to_cut how, bool count)
{
	uint32_t steps[STEPS];
	bool moving = false;

	stage = "freeze";
	if (how == CUT_AT_ONCE)
		disks_freeze(&c->disks, &c->rnd);
	stage = "what is moving";
	if (count && !volume_steps(&c->vol, steps))
		c->hidden++;
	for (unsigned int i = 0; count && i < STEPS; i++)
		if (steps[i]) {
			c->during[i]++;
			moving |= i != ADSHARD_STEP_QUEUED;
		}
	if (count) {
		c->still += !moving;
		c->how[how]++;
	}
	stage = "cut";
	disks_cut(&c->disks, how, &c->rnd);
}

static void *activate_thread(void *arg)
{
	struct campaign *c = arg;

	c->active = !bring_up(c, false);
	return NULL;
}

/* The power fails again while the pool comes up. */
static bool cut_activation(struct campaign *c)
{
	uint64_t r = random_step(&c->rnd), rnd = random_step(&c->rnd);
	pthread_t thread;

	stage = "cut amid the activation";
	c->twice++;
	pthread_create(&thread, NULL, activate_thread, c);
	usleep(r % 30000);
	/* bring_up uses c->rnd */
	if (r >> 32 & 1) {
		disks_freeze(&c->disks, &rnd);
		disks_cut(&c->disks, CUT_AT_ONCE, &rnd);
	} else {
		disks_cut(&c->disks, CUT_IN_TURN, &rnd);
	}
	pthread_join(thread, NULL);
	if (c->active && !deactivate(c))
		return false;
	disks_power(&c->disks, &c->rnd);
	return true;
}

static void explain_legs(const char *when, const struct ads_segment *seg, uint32_t block)
{
	for (unsigned int i = 0; i < seg->nr_legs; i++)
		printf("# %s on member %u, %s, at sector %u; intent %u\n", when, seg->leg[i].member,
		       ads_leg_state_name(seg->leg[i].state),
		       META_SECTORS + seg->leg[i].chunk * 128 + block % (1048576 / BLOCK) * SECTORS,
		       seg->intent);
}

/* What can be told of a wrong block: of its segment, before, at and after the cut. */
static void explain(struct campaign *c, enum how_to_cut how, uint32_t block,
		    const struct ads_segment *before)
{
	unsigned int segment = block / (1048576 / BLOCK);
	char name[16];

	printf("# cut %s; segment %u\n", how == CUT_AT_ONCE ? "at once" : "in turn", segment);
	explain_legs("it was", &before[segment], block);
	explain_legs("it is", &c->vol.seg[segment], block);
	for (size_t i = 0; i < c->vol.nr_moving; i++) {
		const struct ads_migration *m = &c->vol.moving[i];

		printf("# at the cut: segment %u from %u to %u, %s, %s, %u of %u chunks\n",
		       m->segment, m->src, m->dst, ads_kind_name(m->kind), ads_step_name(m->step),
		       m->chunks_done, m->chunks);
	}
	for (unsigned int i = 0; i < MEMBERS; i++) {
		snprintf(name, sizeof(name), "/dev/cut%u", i);
		volume_find(name, c->oracle, block);
	}
	volume_events(&c->vol, true);
}

static bool same_owners(const struct campaign *c, const struct ads_segment *seg)
{
	for (unsigned int i = 0; i < c->vol.segments; i++)
		if (!volume_same_owners(&seg[i], &c->vol.seg[i])) {
			explain_legs("it was", &seg[i], 0);
			explain_legs("it is", &c->vol.seg[i], 0);
			return false;
		}
	return true;
}

/* What the cut has left in doubt is no more; and legs are the same. */
static bool make_equal(struct campaign *c)
{
	stage = "doubt";
	return legs_certain(&c->vol, &c->legs) && legs_equal(&c->vol, &c->disks, &c->legs);
}

/* The same content and the same map, after a removal or another cut? */
static bool second_time(struct campaign *c, uint64_t sum)
{
	struct ads_segment seg[MAX_SEGMENTS];
	bool several = c->opt->legs > 1, cut_again, equal = false;
	uint64_t again;

	/* else with some in doubt */
	if (several && random_step(&c->rnd) & 1) {
		if (!make_equal(c))
			return false;
		equal = true;
	}
	stage = "second activation";
	memcpy(seg, c->vol.seg, sizeof(seg));
	cut_again = random_step(&c->rnd) & 1;
	if (cut_again) {
		cut(c, CUT_AT_ONCE, false);
		if (!deactivate(c))
			return false;
		disks_power(&c->disks, &c->rnd);
	} else if (!deactivate(c)) {
		return false;
	}
	if (!activate(c))
		return false;
	if (equal && !cut_again && !legs_clean(&c->vol, &c->legs))
		return false;
	if (!volume_sum(PATH, c->oracle->nr_blocks, &again) || again != sum ||
	    !same_owners(c, seg)) {
		printf("# the second activation gives another content or map\n");
		c->differ++;
		return false;
	}
	if (!several)
		return true;
	if (!make_equal(c))
		return false;
	if (volume_sum(PATH, c->oracle->nr_blocks, &again) && again == sum)
		return true;
	printf("# the content is another when nothing is in doubt any more\n");
	c->differ++;
	return false;
}

static bool trial(struct campaign *c)
{
	struct load load = {
		.oracle = c->oracle, .path = PATH, .name = NAME, .seed = random_step(&c->rnd),
		.threads = 4, .segments = SEGMENTS, .members = MEMBERS, .move = true,
		.legs = c->opt->legs, .pool = c->vol.uuid,
		.pretend = c->opt->pretend, .fault = disks_fault, .fault_arg = &c->disks,
	};
	enum how_to_cut how = random_step(&c->rnd) % 3 ? CUT_AT_ONCE : CUT_IN_TURN;
	struct ads_segment before[MAX_SEGMENTS];
	uint32_t wrong;
	bool moved = true;
	uint64_t sum;

	memcpy(before, c->vol.seg, sizeof(before));
	volume_events(&c->vol, false);
	stage = "load";
	if (!load_start(&load))
		return false;
	aim(c);
	cut(c, how, true);
	stage = "end of the load";
	load_join(&load);
	c->drains += load.drains;
	c->fails += load.fails;
	c->faults += load.faults;
	c->aborts += load.aborts;
	c->comes += load.comes;
	c->goes += load.goes;
	if (load.fails)
		c->failed_age++;
	stage = "removal";
	if (!deactivate(c))
		return false;
	stage = "power";
	disks_power(&c->disks, &c->rnd);
	if (random_step(&c->rnd) % 10 == 0 && !cut_activation(c))
		return false;
	stage = "activation";
	if (!activate(c))
		return false;
	if (how == CUT_AT_ONCE)
		moved = volume_moved(&c->vol, &c->commit_new, &c->commit_old);
	stage = "check";
	if (!volume_check(PATH, c->oracle, true, &sum, &wrong)) {
		c->wrong++;
		explain(c, how, wrong, before);
	} else if (load.wrong) {
		c->reads++;
	} else if (!moved) {
		c->moved++;
	} else {
		return second_time(c, sum);
	}
	return false;
}

static void figures(struct campaign *c)
{
	const struct oracle *o = c->oracle, *s = &c->sum;

	printf("cuts.trials %lu\n", c->trials);
	printf("cuts.failed %lu\n", c->bad);
	printf("cuts.lost %lu\n", c->wrong);
	printf("cuts.unassembled %lu\n", c->unassembled);
	printf("cuts.owners_wrong %lu\n", c->owners);
	printf("cuts.moves_wrong %lu\n", c->moved);
	printf("cuts.reads_wrong %lu\n", c->reads);
	printf("cuts.second_differs %lu\n", c->differ);
	printf("cuts.at_once %lu\n", c->how[CUT_AT_ONCE]);
	printf("cuts.in_turn %lu\n", c->how[CUT_IN_TURN]);
	printf("cuts.amid_activation %lu\n", c->twice);
	for (unsigned int i = 0; i < STEPS; i++)
		if (i != ADSHARD_STEP_SHIFT)
			printf("cuts.during.%s %lu\n", ads_step_name(i), c->during[i]);
	printf("cuts.during.nothing %lu\n", c->still);
	printf("cuts.commits_durable %lu\n", c->commit_new);
	printf("cuts.commits_undone %lu\n", c->commit_old);
	printf("cuts.pools %lu\n", c->pools);
	printf("cuts.drains %lu\n", c->drains);
	printf("cuts.members_failed %lu\n", c->fails);
	printf("cuts.metadata_faults %lu\n", c->faults);
	printf("cuts.aborts %lu\n", c->aborts);
	if (c->opt->legs > 1) {
		printf("cuts.legs_differ %lu\n", c->legs.unequal);
		printf("cuts.resyncs_unbounded %lu\n", c->legs.unbounded);
		printf("cuts.doubt_after_clean_end %lu\n", c->legs.unclean);
		printf("cuts.legs_asked_for %lu\n", c->comes);
		printf("cuts.legs_dropped %lu\n", c->goes);
		printf("cuts.legs_stale %lu\n", c->legs.stale);
		printf("cuts.activations_in_doubt %lu\n", c->legs.doubts);
		printf("cuts.segments_compared %lu\n", c->legs.several);
		printf("cuts.bytes_resynced %llu\n", c->legs.resynced);
	}
	printf("cuts.writes %llu\n", (unsigned long long)(o->writes + s->writes));
	printf("cuts.fua_writes %llu\n", (unsigned long long)(o->fuas + s->fuas));
	printf("cuts.zeroes %llu\n", (unsigned long long)(o->zeroes + s->zeroes));
	printf("cuts.discards %llu\n", (unsigned long long)(o->discards + s->discards));
	printf("cuts.flushes %llu\n", (unsigned long long)(o->flushes + s->flushes));
	printf("cuts.failed_changes %llu\n", (unsigned long long)(o->errors + s->errors));
	printf("cuts.blocks_checked %llu\n", (unsigned long long)(o->checked + s->checked));
	printf("cuts.unflushed_lost %llu\n", (unsigned long long)(o->lost_blocks + s->lost_blocks));
}

int cut_many(const struct options *opt)
{
	struct campaign *c = calloc(1, sizeof(*c));
	bool good;

	if (!c)
		return 2;
	c->opt = opt;
	c->oracle = calloc(1, sizeof(*c->oracle));
	c->vol.max_legs = opt->legs > 1 ? ADSHARD_MAX_LEGS : 1;
	c->disks = (struct disks){ .nr = MEMBERS, .mib = MEMBER_MIB, .latency = opt->latency,
				   .meta_sectors = META_SECTORS, .lie = opt->lie };
	signal(SIGALRM, too_long);
	if (!c->oracle || dm_open())
		return 2;
	for (unsigned long n = opt->first; n < opt->first + opt->trials; n++) {
		c->rnd = opt->seed * 1000003 + n;
		current_trial = n;
		alarm(opt->limit);
		good = (c->pools && c->age < MAX_AGE && c->failed_age < MAX_FAILED_AGE) ||
		       new_pool(c);
		good = good && trial(c);
		c->trials++;
		c->age++;
		if (c->failed_age)
			c->failed_age++;
		if (good)
			continue;
		printf("# trial %lu of seed %llu failed: %s\n", n, (unsigned long long)opt->seed,
		       stage);
		c->bad++;
		if (!opt->lie && !opt->pretend)
			break;
		c->age = MAX_AGE;
	}
	alarm(0);
	figures(c);
	return c->bad ? 1 : 0;
}
