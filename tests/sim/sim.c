// SPDX-License-Identifier: GPL-2.0-or-later
/* Pools of the simulation: what kernel/pool.c and migrate.c do with metadata. */
#include "../../kernel/meta-core.h"
#include "../../kernel/pool.h"
#include "../../kernel/table.h"
#include "../../kernel/target.h"
#include "sim.h"

struct sim_pool {
	struct ads_pool pool;
	bool loaded;
	unsigned int told;
};

static void no_work(struct work_struct *work)
{
}

/* The metadata's only call into pool.c; here without the event. */
void ads_flush_lost(struct ads_member *mb, bool tell)
{
	mb->flushes_failed++;
}

void ads_pool_set_state(struct ads_pool *pool, int state, const char *why)
{
	assert(pool->lock.held);
	if (state <= pool->state)
		return;
	pool->state = state;
	DMWARN("pool %s: %s", pool->name, why);
}

struct sim_pool *sim_pool_new(struct sim_dev **devs, unsigned int nr,
			      const uint8_t *uuid, uint64_t sectors)
{
	struct sim_pool *p = calloc(1, sizeof(*p));
	struct ads_pool *pool = &p->pool;
	unsigned int i;

	assert(p);
	pool->state = ADSHARD_POOL_LOADING;
	ads_sets_init(&pool->sets);
	INIT_WORK(&pool->error_work, no_work);
	INIT_WORK(&pool->repair_work, ads_meta_repair_work);
	if (uuid)
		memcpy(pool->uuid.b, uuid, sizeof(pool->uuid.b));
	pool->volume_sectors = sectors;
	pool->nr_present = nr;
	pool->present = calloc(nr, sizeof(*pool->present));
	pool->present_member = calloc(nr, sizeof(*pool->present_member));
	assert(pool->present && pool->present_member);
	for (i = 0; i < nr; i++)
		pool->present[i] = (struct block_device *)devs[i];
	return p;
}

int sim_pool_load(struct sim_pool *p, const struct sim_format *format)
{
	struct ads_pool *pool = &p->pool;
	struct ads_format f = {};
	unsigned int i;
	int err;

	if (format) {
		f.segment_shift = format->segment_shift;
		f.chunk_shift = format->chunk_shift;
		memcpy(f.uuid.b, format->uuid, sizeof(f.uuid.b));
		if (uuid_is_null(&f.uuid))
			uuid_gen(&f.uuid);
		if (format->name)
			strscpy(f.name, format->name, sizeof(f.name));
	}
	assert(!p->loaded);
	err = ads_meta_load(pool, format ? &f : NULL, false);
	if (err)
		return err;
	p->loaded = true;
	/* As ads_pool_load(). */
	for (i = 0; i < pool->nr_members; i++)
		pool->members[i].nr_owned += pool->members[i].nr_legs;
	pool->state = ADSHARD_POOL_OK;
	if (ads_meta_degraded(pool))
		pool->state = ADSHARD_POOL_DEGRADED;
	pool->loaded = true;
	return 0;
}

void sim_pool_free(struct sim_pool *p)
{
	cancel_work_sync(&p->pool.repair_work);
	cancel_work_sync(&p->pool.error_work);
	if (p->loaded)
		ads_meta_unload(&p->pool);
	free(p->pool.present);
	free(p->pool.present_member);
	free(p);
}

/*----------------------------------------------------------------*/

const uint8_t *sim_pool_uuid(const struct sim_pool *p)
{
	return p->pool.uuid.b;
}

uint64_t sim_pool_sectors(const struct sim_pool *p)
{
	return p->pool.volume_sectors;
}

uint32_t sim_pool_segments(const struct sim_pool *p)
{
	return p->pool.nr_segments;
}

uint32_t sim_pool_members(const struct sim_pool *p)
{
	return p->pool.nr_members;
}

uint8_t sim_pool_segment_shift(const struct sim_pool *p)
{
	return p->pool.segment_shift;
}

uint8_t sim_pool_chunk_shift(const struct sim_pool *p)
{
	return p->pool.chunk_shift;
}

struct sim_segment sim_pool_segment(const struct sim_pool *p, uint32_t seg)
{
	u64 word = p->pool.map[seg];

	assert(seg < p->pool.nr_segments);
	return (struct sim_segment){ ads_word_member(word),
				     ads_word_chunk(word) };
}

uint64_t sim_pool_place(const struct sim_pool *p, uint32_t seg)
{
	struct sim_segment at = sim_pool_segment(p, seg);

	/* As ads_map(). */
	return p->pool.members[at.member].data_start +
	       ((u64)at.chunk << p->pool.chunk_shift);
}

struct sim_member sim_pool_member(const struct sim_pool *p, uint16_t member)
{
	const struct ads_member *mb = &p->pool.members[member];

	assert(member < p->pool.nr_members);
	return (struct sim_member){
		.dev = (struct sim_dev *)mb->bdev, .state = mb->state,
		.role = (u8)ads_meta_role((struct ads_pool *)&p->pool, member),
		.data_start = mb->data_start,
		.nr_slots = mb->nr_slots, .nr_taken = mb->nr_legs,
	};
}

uint64_t sim_pool_seq(const struct sim_pool *p)
{
	return ads_meta_seq((struct ads_pool *)&p->pool);
}

uint64_t sim_pool_term(const struct sim_pool *p)
{
	return ads_meta_term((struct ads_pool *)&p->pool);
}

bool sim_pool_readonly(const struct sim_pool *p)
{
	return p->pool.meta->readonly;
}

/*----------------------------------------------------------------*/

struct move {
	struct ads_txn txn;
	struct sim_pool *p;
};

/* As step COMMIT. */
static int apply_move(struct ads_txn *txn)
{
	struct sim_pool *p = container_of(txn, struct move, txn)->p;
	const struct ads_change *chg = &txn->redo[0];
	const struct sim_write *writes;
	const char *why;

	p->told = sim_recorded(&writes);
	return ads_table_put_seg(&p->pool, chg->index, &chg->seg, &why);
}

static void end_move(struct ads_txn *txn, int err)
{
	struct sim_pool *p = container_of(txn, struct move, txn)->p;
	const struct sim_write *writes;

	if (err)
		p->told = sim_recorded(&writes);
}

int sim_pool_move(struct sim_pool *p, uint32_t seg, uint16_t member)
{
	struct ads_pool *pool = &p->pool;
	unsigned int slot_shift = pool->segment_shift - pool->chunk_shift;
	struct sim_segment from = sim_pool_segment(p, seg);
	struct ads_member *to = &pool->members[member];
	struct move t;
	u32 slot;
	int err;

	if (member >= pool->nr_members || !to->bdev || !to->slots)
		return -ENODEV;
	err = ads_slot_alloc(to, &slot);
	if (err)
		return err;
	ads_txn_init(&t.txn);
	t.p = p;
	t.txn.nr = 1;
	ads_txn_place(&t.txn.redo[0], seg, member, slot << slot_shift);
	ads_txn_place(&t.txn.undo[0], seg, from.member, from.chunk);
	t.txn.doomed = member;
	t.txn.apply = apply_move;
	t.txn.end = end_move;
	err = ads_meta_commit(pool, &t.txn);
	if (!err)
		ads_slot_free(&pool->members[from.member],
			      from.chunk >> slot_shift);
	else if (err != -EOWNERDEAD)
		ads_slot_free(to, slot);
	return err;
}

unsigned int sim_pool_told(const struct sim_pool *p)
{
	return p->told;
}

int sim_pool_set_member(struct sim_pool *p, uint16_t member, uint8_t state)
{
	struct ads_pool *pool = &p->pool;
	struct ads_member *mb = &pool->members[member];
	struct ads_txn txn;
	int err;

	if ((state == ADSHARD_MEMBER_DRAINED ||
	     state == ADSHARD_MEMBER_FAILED) && mb->nr_legs)
		return -ENOTEMPTY;
	ads_txn_init(&txn);
	txn.nr = 1;
	txn.redo[0].type = ADSHARD_ENTRY_MEMBER;
	txn.redo[0].index = member;
	txn.redo[0].member = mb->disk;
	txn.undo[0] = txn.redo[0];
	txn.redo[0].member.state = state;
	if (state == ADSHARD_MEMBER_DRAINED || state == ADSHARD_MEMBER_FAILED)
		txn.drop_meta = member;
	err = ads_meta_commit(pool, &txn);
	if (!err && state == ADSHARD_MEMBER_ONLINE)
		ads_meta_recruit(pool, member);
	return err;
}

int sim_pool_note(struct sim_pool *p)
{
	struct ads_txn txn;

	ads_txn_init(&txn);
	return ads_meta_commit(&p->pool, &txn);
}

int sim_parse_table(char *line, const char **error)
{
	struct dm_target ti = {};
	struct ads_args args;
	char *argv[2048], *save = NULL, *word;
	unsigned int argc = 0;
	int err;

	for (word = strtok_r(line, " ", &save); word && argc < ARRAY_SIZE(argv);
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	err = ads_args_parse(&ti, argc, argv, &args);
	*error = ti.error;
	return err;
}
