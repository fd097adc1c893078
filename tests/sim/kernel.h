/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the metadata code needs of the kernel, for the host. Included before
 * everything else; the kernel's own headers are empty files here. One thread,
 * so that locks only check that they are used in pairs.
 */
#ifndef SIM_KERNEL_H
#define SIM_KERNEL_H

#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <isa-l/crc.h>
#include <linux/types.h>

#define __KERNEL__

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef u64 sector_t;
typedef u32 blk_opf_t;
typedef u8 blk_status_t;
typedef unsigned int gfp_t;
typedef struct { u8 b[16]; } uuid_t;

/*----------------------------------------------------------------*/

#define __percpu
#undef __force
#define __force
#define __printf(a, b)		__attribute__((format(printf, a, b)))
#define ____cacheline_aligned
#define U32_MAX			(~0U)

#define smp_store_release(p, v)	(*(p) = (v))
#define rcu_read_lock()		((void)0)
#define rcu_read_unlock()	((void)0)
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define data_race(x)		(x)
#define likely(x)		(x)
#define unlikely(x)		(x)
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, field) sizeof(((type *)0)->field)
#define BUILD_BUG_ON(x)		_Static_assert(!(x), #x)
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))
#define clamp_t(type, v, a, b)	min_t(type, max_t(type, v, a), b)
#define lockdep_assert_held(l)	((void)(l))
#define cond_resched()		((void)0)

/* A warning of the kernel's is a failure here. */
static inline bool WARN_ON_ONCE(bool bad)
{
	if (bad)
		abort();
	return bad;
}

#define cpu_to_le16(x)		((__le16)htole16(x))
#define cpu_to_le32(x)		((__le32)htole32(x))
#define cpu_to_le64(x)		((__le64)htole64(x))
#define le16_to_cpu(x)		((u16)le16toh(x))
#define le32_to_cpu(x)		((u32)le32toh(x))
#define le64_to_cpu(x)		((u64)le64toh(x))

static inline u32 crc32c(u32 crc, const void *buf, unsigned int len)
{
	return crc32_iscsi((unsigned char *)(uintptr_t)buf, (int)len, crc);
}

static inline u64 div64_u64(u64 n, u64 by)
{
	return n / by;
}

static inline u64 div_u64_rem(u64 n, u32 by, u32 *rest)
{
	*rest = n % by;
	return n / by;
}

/*----------------------------------------------------------------*/

#define BITS_PER_LONG		64
#define BIT_ULL(n)		(1ULL << (n))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define __ffs(x)		((unsigned int)__builtin_ctzl(x))

#define DECLARE_BITMAP(name, bits) \
	unsigned long name[BITS_TO_LONGS(bits)]

static inline bool test_bit(unsigned long nr, const unsigned long *map)
{
	return map[nr / BITS_PER_LONG] >> nr % BITS_PER_LONG & 1;
}

static inline void __set_bit(unsigned long nr, unsigned long *map)
{
	map[nr / BITS_PER_LONG] |= 1UL << nr % BITS_PER_LONG;
}

static inline bool __test_and_set_bit(unsigned long nr, unsigned long *map)
{
	bool old = test_bit(nr, map);

	__set_bit(nr, map);
	return old;
}

static inline bool __test_and_clear_bit(unsigned long nr, unsigned long *map)
{
	bool old = test_bit(nr, map);

	map[nr / BITS_PER_LONG] &= ~(1UL << nr % BITS_PER_LONG);
	return old;
}

#define test_and_set_bit	__test_and_set_bit

static inline void bitmap_zero(unsigned long *map, unsigned int nr)
{
	memset(map, 0, BITS_TO_LONGS(nr) * sizeof(long));
}

static inline void bitmap_fill(unsigned long *map, unsigned int nr)
{
	memset(map, 0xff, BITS_TO_LONGS(nr) * sizeof(long));
}

unsigned long sim_find_bit(const unsigned long *map, unsigned long size,
			   unsigned long from, bool wanted);

#define find_next_bit(map, size, from)	sim_find_bit(map, size, from, true)
#define find_next_zero_bit(map, size, from) \
	sim_find_bit(map, size, from, false)
#define find_first_zero_bit(map, size)	sim_find_bit(map, size, 0, false)

static inline bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

static inline int ilog2(u64 n)
{
	return 63 - __builtin_clzll(n);
}

/*----------------------------------------------------------------*/

#define GFP_KERNEL		0U
#define GFP_NOIO		0U
#define __GFP_NOFAIL		0U

/* Each may be made to fail, see sim_fail_alloc(). */
void *sim_alloc(size_t n, size_t size, bool zero);
void sim_free(const void *p);
#define SIM_BLOCK	4096
void *sim_block_alloc(void);
void sim_block_free(void *p);

#define kmalloc(size, gfp)	sim_alloc(1, size, false)
#define kzalloc(size, gfp)	sim_alloc(1, size, true)
#define kvzalloc(size, gfp)	sim_alloc(1, size, true)
#define kcalloc(n, size, gfp)	sim_alloc(n, size, true)
#define kvcalloc(n, size, gfp)	sim_alloc(n, size, true)
#define kfree			sim_free
#define kvfree			sim_free

#define memalloc_noreclaim_save	memalloc_noio_save
#define memalloc_noreclaim_restore memalloc_noio_restore

static inline unsigned int memalloc_noio_save(void)
{
	return 0;
}

static inline void memalloc_noio_restore(unsigned int flags)
{
}

/*----------------------------------------------------------------*/

struct mutex {
	bool held;
};

#define mutex_init(m)		((m)->held = false)
#define mutex_destroy(m)	assert(!(m)->held)
#define mutex_lock(m)		(assert(!(m)->held), (void)((m)->held = true))
#define mutex_unlock(m)		(assert((m)->held), (void)((m)->held = false))

typedef struct mutex spinlock_t;

#define spin_lock_init(l)	mutex_init(l)
#define spin_lock_irq(l)	((void)(l))
#define spin_unlock_irq(l)	((void)(l))
#define spin_lock_irqsave(l, flags) \
	((void)((flags) = 0), mutex_lock(l))
#define spin_unlock_irqrestore(l, flags) \
	((void)(flags), mutex_unlock(l))

typedef struct { int n; } atomic_t;
typedef struct { long n; } atomic_long_t;
typedef struct { s64 n; } atomic64_t;

#define atomic_long_inc(a)	((void)(a)->n++)
#define atomic_long_read(a)	((a)->n)

#define atomic_set(a, v)	((void)((a)->n = (v)))
#define atomic_add(v, a)	((void)((a)->n += (v)))

struct list_head {
	struct list_head *next, *prev;
};

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->next = list;
	entry->prev = list->prev;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	entry->next = entry->prev = entry;
}

/* Only to be parts of struct ads_pool. */
struct bio_set { int unused; };
struct completion { int unused; };
struct kref { int unused; };
struct xarray {
	void **entry;
	unsigned long nr, used;
};

#define xa_init(xa)		memset(xa, 0, sizeof(*(xa)))
#define xa_err(entry)		((int)(intptr_t)(entry))
void *xa_load(struct xarray *xa, unsigned long index);
/* As an error an entry that xa_err() makes one of. */
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
#define xa_for_each(xa, index, found) \
	for ((index) = 0; (index) < (xa)->nr; (index)++) \
		if (((found) = (xa)->entry[index]))
typedef struct { int unused; } wait_queue_head_t;
struct workqueue_struct;
struct rcu_head { int unused; };

/* A work that was queued runs when the simulation says so: sim_run_works(). */
struct work_struct {
	void (*func)(struct work_struct *work);
	struct work_struct *next;
	bool queued;
};
struct delayed_work {
	struct work_struct work;
};

#define INIT_WORK(w, f) \
	(*(w) = (struct work_struct){ .func = (f) })
void schedule_work(struct work_struct *work);
void cancel_work_sync(struct work_struct *work);
#define queue_work(wq, work)	((void)(wq), schedule_work(work))

/*----------------------------------------------------------------*/

enum {
	REQ_OP_READ		= 0,
	REQ_OP_WRITE		= 1,
	REQ_PREFLUSH		= 1 << 8,
	REQ_FUA			= 1 << 9,
};

struct bio { int unused; };
struct bio_list { struct bio *head; };
#define bio_list_init(list)	((list)->head = NULL)
#define INIT_LIST_HEAD(list)	((list)->next = (list)->prev = (list))
struct bio_vec { int unused; };

/* The head of struct sim_dev. */
struct block_device {
	const char *name;
	u64 sectors;
	u32 logical_block_size;
};

#define bdev_nr_sectors(b)	((b)->sectors)
#define bdev_nr_bytes(b)	((b)->sectors << 9)
#define bdev_logical_block_size(b) ((b)->logical_block_size)
#define bdev_fua(b)		true

/*----------------------------------------------------------------*/

/* Knows %pg and %pUb besides. */
__printf(3, 4)
int sim_snprintf(char *buf, size_t len, const char *fmt, ...);
__printf(2, 3)
void sim_say(char level, const char *fmt, ...);

#define snprintf		sim_snprintf
#define DMERR(fmt, args...)	sim_say('E', fmt, ##args)
#define DMWARN(fmt, args...)	sim_say('W', fmt, ##args)
#define DMINFO(fmt, args...)	sim_say('I', fmt, ##args)

void *memchr_inv(const void *p, int c, size_t n);
ssize_t strscpy(char *to, const char *from, size_t n);
int kstrtou64(const char *s, unsigned int base, u64 *res);
int kstrtou8(const char *s, unsigned int base, u8 *res);

/* From the simulation's own seed, so that a run can be repeated. */
u64 get_random_u64(void);
void generate_random_uuid(u8 uuid[16]);
int uuid_parse(const char *text, uuid_t *uuid);

#define uuid_gen(u)		generate_random_uuid((u)->b)

static inline bool uuid_is_null(const uuid_t *uuid)
{
	return !memchr_inv(uuid, 0, sizeof(*uuid));
}

/* A second later each time it is asked: two records never are the same by chance. */
u64 ktime_get_real_seconds(void);

/* The table line; as drivers/md/dm-table.c has them. */
struct dm_target {
	char *error;
	void *private;
};

struct dm_arg_set {
	unsigned int argc;
	char **argv;
};

struct dm_arg {
	unsigned int min, max;
	char *error;
};

const char *dm_shift_arg(struct dm_arg_set *as);
void dm_consume_args(struct dm_arg_set *as, unsigned int n);
int dm_read_arg(const struct dm_arg *arg, struct dm_arg_set *as,
		unsigned int *value, char **error);
int dm_read_arg_group(const struct dm_arg *arg, struct dm_arg_set *as,
		      unsigned int *value, char **error);

#endif
