// SPDX-License-Identifier: GPL-2.0-or-later
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define MAGIC	0x656c6361726f2173ULL
#define STAMP	0x706d617473647368ULL

struct op_ref {
	uint32_t op, next;		/* numbers + 1, so that 0 ends the list */
};

struct stamp {
	uint64_t magic;
	uint64_t seed;
	uint32_t block, sector;
	uint32_t gen, spare;
	uint64_t noise[SECTOR / 8 - 4];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
/* newest acknowledged change of each block in this life + 1, for oracle_check_live */
static uint32_t newest[MAX_BLOCKS];
static bool unsure[MAX_BLOCKS];

static uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void stamp(struct stamp *s, uint64_t seed, uint32_t block, uint32_t sector, uint32_t gen)
{
	uint64_t key = mix(seed ^ (uint64_t)block << 35 ^ (uint64_t)sector << 32 ^ gen);

	*s = (struct stamp){ .magic = STAMP, .seed = seed, .block = block, .sector = sector,
			     .gen = gen };
	for (unsigned int i = 0; i < SECTOR / 8 - 4; i++)
		s->noise[i] = key + i * 0x9e3779b97f4a7c15;
}

static bool all_zero(const void *buf)
{
	const uint64_t *p = buf;

	for (unsigned int i = 0; i < SECTOR / 8; i++)
		if (p[i])
			return false;
	return true;
}

void oracle_init(struct oracle *o, uint64_t seed, uint32_t nr_blocks)
{
	memset(o, 0, sizeof(*o));
	o->seed = seed;
	o->nr_blocks = nr_blocks;
	o->first_gen = 1;
	memset(newest, 0, sizeof(newest));
	memset(unsure, 0, sizeof(unsure));
	__atomic_store_n(&o->magic, MAGIC, __ATOMIC_RELEASE);
}

bool oracle_valid(const struct oracle *o)
{
	return o->magic == MAGIC && o->nr_blocks <= MAX_BLOCKS && o->nr_ops <= MAX_OPS;
}

int oracle_intend(struct oracle *o, enum kind kind, uint32_t block, uint32_t nr, bool fua)
{
	int i;

	pthread_mutex_lock(&lock);
	i = o->nr_ops < MAX_OPS ? (int)o->nr_ops : -1;
	if (i >= 0) {
		o->op[i] = (struct op){ .block = block, .nr = (uint8_t)nr, .kind = kind,
					.fua = fua };
		__atomic_store_n(&o->nr_ops, i + 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&lock);
	return i;
}

void oracle_acked(struct oracle *o, int i)
{
	struct op *op = &o->op[i];
	uint64_t *counter = op->kind == OP_WRITE ? &o->writes :
			    op->kind == OP_ZERO ? &o->zeroes : &o->discards;

	pthread_mutex_lock(&lock);
	/* In this order: a flush that begins here does not count it yet. */
	__atomic_store_n(&op->acked, o->acks + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&o->acks, o->acks + 1, __ATOMIC_RELEASE);
	(*counter)++;
	o->fuas += op->fua;
	for (uint32_t b = op->block; b < op->block + op->nr; b++) {
		newest[b] = (uint32_t)i + 1;
		unsure[b] = op->kind == OP_DISCARD;
	}
	pthread_mutex_unlock(&lock);
}

void oracle_failed(struct oracle *o, int i)
{
	struct op *op = &o->op[i];

	pthread_mutex_lock(&lock);
	op->failed = 1;
	o->errors++;
	for (uint32_t b = op->block; b < op->block + op->nr; b++)
		unsure[b] = true;
	pthread_mutex_unlock(&lock);
}

uint32_t oracle_flush_begin(const struct oracle *o)
{
	return __atomic_load_n(&o->acks, __ATOMIC_ACQUIRE);
}

void oracle_flushed(struct oracle *o, uint32_t mark)
{
	pthread_mutex_lock(&lock);
	if (mark > o->durable)
		__atomic_store_n(&o->durable, mark, __ATOMIC_RELEASE);
	o->flushes++;
	pthread_mutex_unlock(&lock);
}

void oracle_fill(const struct oracle *o, int i, uint32_t block, void *buf)
{
	for (uint32_t s = 0; s < SECTORS; s++)
		stamp((struct stamp *)((char *)buf + s * SECTOR), o->seed, block, s,
		      o->first_gen + (uint32_t)i);
}

/* Whole, and of this sector? Then its generation, else 0. */
static uint32_t generation(const struct oracle *o, uint32_t block, uint32_t sector,
			   const struct stamp *s)
{
	struct stamp want;

	if (s->magic != STAMP || s->seed != o->seed || s->block != block || s->sector != sector)
		return 0;
	stamp(&want, o->seed, block, sector, s->gen);
	return memcmp(&want, s, SECTOR) ? 0 : s->gen;
}

static void describe(const struct oracle *o, uint32_t block, uint32_t sector, const void *buf)
{
	const struct stamp *s = buf;

	if (all_zero(buf))
		printf("# block %u sector %u: zeroes\n", block, sector);
	else if (s->magic != STAMP)
		printf("# block %u sector %u: not stamped: %016llx\n", block, sector,
		       (unsigned long long)s->magic);
	else
		printf("# block %u sector %u: stamp of block %u sector %u generation %u, seed %s, %s\n",
		       block, sector, s->block, s->sector, s->gen,
		       s->seed == o->seed ? "ours" : "another",
		       generation(o, s->block, s->sector, s) ? "whole" : "damaged");
}

bool oracle_check_live(struct oracle *o, uint32_t block, const void *buf)
{
	uint32_t i = newest[block];

	if (unsure[block])
		return true;
	for (uint32_t s = 0; s < SECTORS; s++) {
		const char *p = (const char *)buf + s * SECTOR;
		uint32_t want = !i ? o->base[block * SECTORS + s] :
				o->op[i - 1].kind == OP_WRITE ? o->first_gen + i - 1 : 0;

		if (want ? generation(o, block, s, (const void *)p) == want : all_zero(p))
			continue;
		printf("# read amid the load: generation %u was expected\n", want);
		describe(o, block, s, p);
		return false;
	}
	return true;
}

void oracle_check_begin(struct oracle *o, struct verdict *v)
{
	uint32_t n = 0;

	*v = (struct verdict){ .head = calloc(MAX_BLOCKS, sizeof(*v->head)),
			       .found = calloc(MAX_BLOCKS * SECTORS, sizeof(*v->found)),
			       .ref = calloc((size_t)o->nr_ops * MAX_RUN + 1, sizeof(*v->ref)) };
	if (!v->head || !v->found || !v->ref)
		abort();
	/* newest first */
	for (uint32_t i = 0; i < o->nr_ops; i++)
		for (uint32_t b = o->op[i].block; b < o->op[i].block + o->op[i].nr; b++) {
			v->ref[n] = (struct op_ref){ i + 1, v->head[b] };
			v->head[b] = ++n;
		}
}

static bool is_durable(const struct oracle *o, const struct op *op)
{
	return op->acked && (op->fua || op->acked <= o->durable);
}

static void history(const struct oracle *o, const struct verdict *v, uint32_t block)
{
	static const char *const name[] = { "write", "zeroes", "discard" };
	uint32_t r = v->head[block];

	for (unsigned int n = 0; r && n < 12; r = v->ref[r - 1].next, n++) {
		const struct op *op = &o->op[v->ref[r - 1].op - 1];

		printf("#   generation %u: %s of blocks %u+%u%s, %s %u%s\n",
		       o->first_gen + v->ref[r - 1].op - 1, name[op->kind], op->block, op->nr,
		       op->fua ? " FUA" : "", op->failed ? "failed" : "acknowledgment", op->acked,
		       is_durable(o, op) ? " durable" : "");
	}
	printf("#   durable up to acknowledgment %u of %u, base generation %u\n", o->durable,
	       o->acks, o->base[block * SECTORS]);
}

/* Whether the sector may hold generation @gen (0: zeroes). */
static bool allowed(const struct oracle *o, const struct verdict *v, uint32_t block,
		    uint32_t sector, uint32_t gen)
{
	bool discarded = false;
	uint32_t r;

	for (r = v->head[block]; r; r = v->ref[r - 1].next) {
		uint32_t i = v->ref[r - 1].op - 1;
		const struct op *op = &o->op[i];

		discarded |= op->kind == OP_DISCARD;
		if (op->kind == OP_WRITE ? gen == o->first_gen + i : !gen)
			return true;
		if (is_durable(o, op))
			break;
	}
	if (discarded)
		return !gen || gen < o->first_gen + o->nr_ops;
	return !r && gen == o->base[block * SECTORS + sector];
}

void oracle_check(struct oracle *o, struct verdict *v, uint32_t block, const void *buf)
{
	uint32_t found[SECTORS], bad = SECTORS;
	uint32_t r = v->head[block];

	for (uint32_t s = 0; s < SECTORS; s++) {
		const struct stamp *p = (const void *)((const char *)buf + s * SECTOR);
		uint32_t gen = generation(o, block, s, p);
		bool zero = all_zero(p);

		found[s] = gen;
		if ((gen || zero) && allowed(o, v, block, s, gen))
			continue;
		bad = s;
		if (gen >= o->first_gen + o->nr_ops)
			v->future++;
		else if (gen || zero)
			v->lost++;
		else if (p->magic == STAMP && p->seed == o->seed && p->block != block)
			v->foreign++;
		else
			v->torn++;
	}
	o->checked++;
	if (r && o->op[v->ref[r - 1].op - 1].kind == OP_WRITE &&
	    found[0] < o->first_gen + v->ref[r - 1].op - 1)
		v->stale++;
	if (bad < SECTORS && !v->wrong)
		v->wrong_block = block;
	if (bad < SECTORS && v->wrong++ < 5) {
		describe(o, block, bad, (const char *)buf + bad * SECTOR);
		history(o, v, block);
	}
	/* what was found is what stays: there is no cache any more that could change it */
	memcpy(v->found + (size_t)block * SECTORS, found, sizeof(found));
}

bool oracle_check_end(struct oracle *o, struct verdict *v, bool next_life)
{
	bool good = !v->wrong;

	if (!good)
		printf("# %u blocks are wrong; sectors lost %u, from the future %u, foreign %u, torn %u\n",
		       v->wrong, v->lost, v->future, v->foreign, v->torn);
	if (good && next_life) {
		memcpy(o->base, v->found, (size_t)o->nr_blocks * SECTORS * sizeof(*o->base));
		o->first_gen += o->nr_ops;
		o->nr_ops = o->acks = o->durable = 0;
		o->lost_blocks += v->stale;
		o->lives++;
		memset(newest, 0, sizeof(newest));
		memset(unsure, 0, sizeof(unsure));
	}
	free(v->ref);
	free(v->head);
	free(v->found);
	return good;
}

uint32_t oracle_find(const struct oracle *o, uint32_t block, const void *buf)
{
	uint32_t gen = 0;

	for (uint32_t s = 0; !gen && s < SECTORS; s++)
		gen = generation(o, block, s, (const void *)((const char *)buf + s * SECTOR));
	return gen;
}
