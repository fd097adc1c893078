// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "volume.h"

#define READ_BLOCKS	256

bool volume_open(struct volume *v)
{
	struct ads_pool *pools = NULL;
	struct ads_err err = { 0 };
	size_t n = 0;
	int rc;

	if (!v->nl && (ads_nl_open(&v->nl, &err) || ads_nl_subscribe(v->nl, &err))) {
		printf("# netlink: %s\n", err.text);
		return false;
	}
	rc = ads_nl_pools(v->nl, &pools, &n, &err);
	if (rc || n != 1) {
		printf("# %zu pools: %s\n", n, err.text);
		free(pools);
		return false;
	}
	memcpy(v->uuid, pools->uuid, sizeof(v->uuid));
	v->segments = pools->nr_segments;
	free(pools);
	return v->segments <= MAX_SEGMENTS;
}

void volume_close(struct volume *v)
{
	ads_nl_close(v->nl);
	v->nl = NULL;
	free(v->moving);
	v->moving = NULL;
	v->nr_moving = 0;
}

const struct ads_leg *volume_leg(const struct ads_segment *seg, uint32_t member)
{
	for (unsigned int i = 0; i < seg->nr_legs; i++)
		if (seg->leg[i].member == member)
			return &seg->leg[i];
	return NULL;
}

bool volume_same_owners(const struct ads_segment *a, const struct ads_segment *b)
{
	for (unsigned int i = 0; i < a->nr_legs; i++) {
		const struct ads_leg *leg = volume_leg(b, a->leg[i].member);

		if (!leg || leg->chunk != a->leg[i].chunk ||
		    (leg->state == ADSHARD_LEG_SYNC) != (a->leg[i].state == ADSHARD_LEG_SYNC))
			return false;
	}
	return a->nr_legs == b->nr_legs;
}

static bool share_slot(const struct ads_segment *a, const struct ads_segment *b)
{
	for (unsigned int i = 0; i < a->nr_legs; i++) {
		const struct ads_leg *leg = volume_leg(b, a->leg[i].member);

		if (leg && leg->chunk == a->leg[i].chunk)
			return true;
	}
	return false;
}

static bool legs_valid(const struct volume *v, const struct ads_segment *seg)
{
	if (!seg->nr_legs || seg->nr_legs > (v->max_legs ? v->max_legs : 1) ||
	    seg->leg[0].state != ADSHARD_LEG_SYNC)
		return false;
	for (unsigned int i = 0; i < seg->nr_legs; i++)
		if (volume_leg(seg, seg->leg[i].member) != &seg->leg[i])
			return false;
	return true;
}

bool volume_owners(struct volume *v)
{
	struct ads_segment *seg = NULL;
	struct ads_err err = { 0 };
	bool good = true;
	size_t n = 0;

	if (ads_nl_segments(v->nl, v->uuid, NULL, &seg, &n, &err) || n != v->segments) {
		printf("# %zu segments of %u: %s\n", n, v->segments, err.text);
		free(seg);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (seg[i].index != i || !legs_valid(v, &seg[i])) {
			printf("# segment %zu: index %u, %u legs, state %u\n", i, seg[i].index,
			       seg[i].nr_legs, seg[i].leg[0].state);
			good = false;
			continue;
		}
		v->seg[i] = seg[i];
		for (size_t j = 0; j < i; j++)
			if (share_slot(&seg[i], &seg[j])) {
				printf("# segments %zu and %zu have the same slot\n", i, j);
				good = false;
			}
	}
	free(seg);
	return good;
}

bool volume_steps(struct volume *v, uint32_t steps[STEPS])
{
	struct ads_err err = { 0 };

	memset(steps, 0, STEPS * sizeof(*steps));
	free(v->moving);
	v->moving = NULL;
	v->nr_moving = 0;
	if (ads_nl_migrations(v->nl, v->uuid, &v->moving, &v->nr_moving, &err))
		return false;
	for (size_t i = 0; i < v->nr_moving; i++)
		if (v->moving[i].step < STEPS)
			steps[v->moving[i].step]++;
	return true;
}

bool volume_moved(const struct volume *v, unsigned long *new, unsigned long *old)
{
	bool good = true;

	for (size_t i = 0; i < v->nr_moving; i++) {
		const struct ads_migration *m = &v->moving[i];
		const struct ads_leg *src = volume_leg(&v->seg[m->segment], m->src);
		const struct ads_leg *dst = volume_leg(&v->seg[m->segment], m->dst);
		bool moves = m->kind == ADSHARD_KIND_MOVE, resync = m->kind == ADSHARD_KIND_RESYNC;
		bool there = dst && (!resync || dst->state == ADSHARD_LEG_SYNC);

		/* legs in doubt are made equal where they are, without a record */
		if (resync && m->src == m->dst)
			continue;
		if (m->step == ADSHARD_STEP_COMMIT)
			++*(there ? new : old);
		/* one that was filled may have missed a write since */
		if ((!moves || !src == there) &&
		    (there ? m->step == ADSHARD_STEP_COMMIT || m->step == ADSHARD_STEP_RELEASE :
			     m->step != ADSHARD_STEP_RELEASE || resync))
			continue;
		printf("# segment %u has a leg on member %u: %s, on %u: %s; it was to %s, step %s\n",
		       m->segment, m->src, src ? "yes" : "no", m->dst, there ? "yes" : "no",
		       ads_kind_name(m->kind), ads_step_name(m->step));
		good = false;
	}
	return good;
}

static int show_event(const struct ads_event *ev, void *arg)
{
	bool *print = arg;

	if (!*print)
		return 0;
	printf("# event %llu at %llu us: %s", (unsigned long long)ev->seq,
	       (unsigned long long)ev->time_ns / 1000 % 1000000000, ads_event_name(ev->type));
	if (ev->has & ADS_EV_SEGMENT)
		printf(" segment %u: %u -> %u", ev->segment, ev->src, ev->dst);
	if (ev->has & ADS_EV_MEMBER)
		printf(" member %u", ev->member);
	if (ev->has & ADS_EV_MEMBER_STATE)
		printf(" %s", ads_member_state_name(ev->member_state));
	if (ev->has & ADS_EV_ERROR)
		printf(" error %u", ev->error);
	if (ev->has & ADS_EV_TEXT)
		printf(" (%s)", ev->text);
	printf("%s\n", ev->overrun ? " and some were lost" : "");
	return 0;
}

void volume_events(struct volume *v, bool print)
{
	struct ads_err err;

	while (ads_nl_read_events(v->nl, show_event, &print, &err) > 0)
		;
}

static void add(uint64_t *sum, const void *buf, size_t len)
{
	const uint64_t *p = buf;

	for (size_t i = 0; i < len / 8; i++)
		*sum = (*sum ^ p[i]) * 0x9e3779b97f4a7c15 + (*sum >> 29);
}

static bool read_all(const char *path, uint32_t nr_blocks, struct oracle *o, struct verdict *v,
		     uint64_t *sum)
{
	char *buf = aligned_alloc(BLOCK, READ_BLOCKS * BLOCK);
	int fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	uint32_t block, n;
	bool good = fd >= 0 && buf;

	*sum = 0;
	for (block = 0; good && block < nr_blocks; block += n) {
		n = nr_blocks - block < READ_BLOCKS ? nr_blocks - block : READ_BLOCKS;
		good = pread(fd, buf, (size_t)n * BLOCK, (off_t)block * BLOCK) ==
		       (ssize_t)n * BLOCK;
		if (!good)
			break;
		add(sum, buf, (size_t)n * BLOCK);
		for (uint32_t i = 0; o && i < n; i++)
			oracle_check(o, v, block + i, buf + (size_t)i * BLOCK);
	}
	if (!good)
		printf("# can't read block %u of %s: %s\n", block, path, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(buf);
	return good;
}

bool volume_check(const char *path, struct oracle *o, bool next_life, uint64_t *sum,
		  uint32_t *wrong)
{
	struct verdict v;
	bool good;

	oracle_check_begin(o, &v);
	good = read_all(path, o->nr_blocks, o, &v, sum);
	*wrong = v.wrong_block;
	return oracle_check_end(o, &v, good && next_life) && good;
}

void volume_find(const char *member, const struct oracle *o, uint32_t block)
{
	char *buf = aligned_alloc(BLOCK, BLOCK);
	int fd = open(member, O_RDONLY | O_DIRECT | O_CLOEXEC);

	for (off_t at = 0; fd >= 0 && buf && pread(fd, buf, BLOCK, at) == BLOCK; at += BLOCK) {
		uint32_t gen = oracle_find(o, block, buf);

		if (gen)
			printf("# block %u generation %u is at sector %lld of %s\n", block, gen,
			       (long long)at / SECTOR, member);
	}
	if (fd >= 0)
		close(fd);
	free(buf);
}

bool volume_sum(const char *path, uint32_t nr_blocks, uint64_t *sum)
{
	return read_all(path, nr_blocks, NULL, NULL, sum);
}
