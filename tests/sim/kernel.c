// SPDX-License-Identifier: GPL-2.0-or-later
/* The parts of kernel.h that are more than a line. */
#undef snprintf
#include "sim.h"

#ifdef __clang__
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

static struct {
	u64 seed, seconds;
	unsigned long fail_alloc;
	long live;
	struct work_struct *works;
	char said[16384];
	size_t len;
} sim = { .seed = 0x9e3779b97f4a7c15ULL };

unsigned long sim_find_bit(const unsigned long *map, unsigned long size,
			   unsigned long from, bool wanted)
{
	while (from < size && test_bit(from, map) != wanted)
		from++;
	return from < size ? from : size;
}

/*--- memory -----------------------------------------------------*/

void sim_fail_alloc(unsigned long nth)
{
	sim.fail_alloc = nth;
}

long sim_live(void)
{
	return sim.live;
}

static bool must_fail(void)
{
	return sim.fail_alloc && !--sim.fail_alloc;
}

/*
 * An activation takes several hundred blocks, which would be most of its time.
 * So those that are free are kept, each between its own red zones, and poisoned.
 */
#define SPARE_MAX	1024

static struct {
	void *block[SPARE_MAX];
	unsigned int nr;
} spare;

void *sim_block_alloc(void)
{
	void *p;

	if (must_fail())
		return NULL;
	if (spare.nr) {
		p = spare.block[--spare.nr];
		ASAN_UNPOISON_MEMORY_REGION(p, SIM_BLOCK);
	} else {
		p = malloc(SIM_BLOCK);
	}
	assert(p);
	sim.live++;
	return p;
}

void sim_block_free(void *p)
{
	if (!p)
		return;
	sim.live--;
	if (spare.nr == SPARE_MAX) {
		free(p);
		return;
	}
	ASAN_POISON_MEMORY_REGION(p, SIM_BLOCK);
	spare.block[spare.nr++] = p;
}

void *sim_alloc(size_t n, size_t size, bool zero)
{
	void *p;

	if (must_fail())
		return NULL;
	/* As the kernel: what nobody would give is not asked for. */
	if (size && n > ((size_t)1 << 33) / size)
		return NULL;
	p = zero ? calloc(n, size) : malloc(n * size);
	assert(p);
	sim.live++;
	return p;
}

void sim_free(const void *p)
{
	sim.live -= !!p;
	free((void *)(uintptr_t)p);
}

/*--- work -------------------------------------------------------*/

void schedule_work(struct work_struct *work)
{
	struct work_struct **end = &sim.works;

	if (work->queued)
		return;
	work->queued = true;
	work->next = NULL;
	while (*end)
		end = &(*end)->next;
	*end = work;
}

void cancel_work_sync(struct work_struct *work)
{
	struct work_struct **p = &sim.works;

	while (*p && *p != work)
		p = &(*p)->next;
	if (*p)
		*p = work->next;
	work->queued = false;
}

void sim_run_works(void)
{
	while (sim.works) {
		struct work_struct *work = sim.works;

		cancel_work_sync(work);
		work->func(work);
	}
}

/*--- text -------------------------------------------------------*/

static size_t put_uuid(char *to, const u8 *b)
{
	unsigned int i, n = 0;

	for (i = 0; i < 16; i++)
		n += sprintf(to + n, "%s%02x",
			     i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
			     b[i]);
	return n;
}

/* One conversion without its extension to @to; returns what it consumed. */
static const char *put_one(char *to, size_t len, const char *fmt, va_list *ap)
{
	size_t n = strspn(fmt + 1, "-+ #0123456789.*lhz") + 2;
	char spec[16] = "";

	assert(n < sizeof(spec));
	memcpy(spec, fmt, n);
	assert(!strchr(spec, '*'));
	fmt += n;
	if (spec[n - 1] == 'p') {
		const void *p = va_arg(*ap, const void *);

		if (*fmt == 'g') {
			const struct block_device *bdev = p;

			snprintf(to, len, "%s", bdev->name);
			return fmt + 1;
		}
		assert(!strncmp(fmt, "Ub", 2));
		put_uuid(to, p);
		return fmt + 2;
	}
	if (spec[n - 1] == 's')
		snprintf(to, len, spec, va_arg(*ap, const char *));
	else if (strstr(spec, "ll"))
		snprintf(to, len, spec, va_arg(*ap, unsigned long long));
	else if (strpbrk(spec, "lz"))
		snprintf(to, len, spec, va_arg(*ap, unsigned long));
	else if (spec[n - 1] == '%')
		snprintf(to, len, "%%");
	else
		snprintf(to, len, spec, va_arg(*ap, int));
	return fmt;
}

static int format(char *buf, size_t len, const char *fmt, va_list *ap)
{
	size_t n = 0;
	char one[256];

	while (*fmt) {
		if (*fmt == '%') {
			fmt = put_one(one, sizeof(one), fmt, ap);
		} else {
			one[0] = *fmt++;
			one[1] = 0;
		}
		for (const char *c = one; *c; c++, n++)
			if (n + 1 < len)
				buf[n] = *c;
	}
	if (len)
		buf[n < len ? n : len - 1] = 0;
	return (int)n;
}

int sim_snprintf(char *buf, size_t len, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = format(buf, len, fmt, &ap);
	va_end(ap);
	return n;
}

void sim_say(char level, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	format(line, sizeof(line), fmt, &ap);
	va_end(ap);
	if (sim.len + strlen(line) + 5 > sizeof(sim.said))
		return;
	sim.len += sprintf(sim.said + sim.len, "%c: %s\n", level, line);
}

void sim_hush(void)
{
	sim.len = 0;
	sim.said[0] = 0;
}

const char *sim_said(void)
{
	return sim.said;
}

void *memchr_inv(const void *p, int c, size_t n)
{
	const u8 *b = p;

	/* Every byte is as the one before, and the first is right. */
	if (!n || (b[0] == c && !memcmp(b, b + 1, n - 1)))
		return NULL;
	while (*b == c)
		b++;
	return (void *)(uintptr_t)b;
}

ssize_t strscpy(char *to, const char *from, size_t n)
{
	size_t len = strnlen(from, n);

	if (len == n)
		len--;
	memcpy(to, from, len);
	to[len] = 0;
	return (ssize_t)len;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	return index < xa->nr ? xa->entry[index] : NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	if (must_fail())
		return (void *)(intptr_t)-ENOMEM;
	if (index >= xa->nr) {
		unsigned long nr = index + 64;

		xa->entry = realloc(xa->entry, nr * sizeof(void *));
		assert(xa->entry);
		memset(xa->entry + xa->nr, 0, (nr - xa->nr) * sizeof(void *));
		xa->nr = nr;
	}
	xa->used += !xa->entry[index];
	xa->entry[index] = entry;
	return NULL;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *entry = xa_load(xa, index);

	if (!entry)
		return NULL;
	xa->entry[index] = NULL;
	if (!--xa->used) {
		free(xa->entry);
		memset(xa, 0, sizeof(*xa));
	}
	return entry;
}

int kstrtou64(const char *s, unsigned int base, u64 *res)
{
	char *end;

	if (*s == '+')
		s++;
	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*res = strtoull(s, &end, (int)base);
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : errno ? -ERANGE : 0;
}

int kstrtou8(const char *s, unsigned int base, u8 *res)
{
	u64 value;
	int err = kstrtou64(s, base, &value);

	if (!err && value > 255)
		err = -ERANGE;
	if (!err)
		*res = value;
	return err;
}

/*--- chance, and time -------------------------------------------*/

void sim_seed(uint64_t seed)
{
	sim.seed = seed;
	sim.seconds = 0;
}

u64 ktime_get_real_seconds(void)
{
	return 1700000000 + sim.seconds++;
}

/* splitmix64 */
uint64_t sim_random(void)
{
	u64 z = sim.seed += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

u64 get_random_u64(void)
{
	return sim_random();
}

void generate_random_uuid(u8 uuid[16])
{
	u64 r[2] = { sim_random(), sim_random() };

	memcpy(uuid, r, 16);
	uuid[6] = (uuid[6] & 0x0f) | 0x40;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

int uuid_parse(const char *text, uuid_t *uuid)
{
	static const u8 at[16] = {
		0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34
	};
	unsigned int i;

	for (i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return -EINVAL;
	}
	for (i = 0; i < 16; i++) {
		char two[3] = { text[at[i]], text[at[i] + 1], 0 };

		uuid->b[i] = (u8)strtoul(two, NULL, 16);
	}
	return 0;
}

/*--- the table line ---------------------------------------------*/

const char *dm_shift_arg(struct dm_arg_set *as)
{
	if (!as->argc)
		return NULL;
	as->argc--;
	return *as->argv++;
}

void dm_consume_args(struct dm_arg_set *as, unsigned int n)
{
	assert(as->argc >= n);
	as->argc -= n;
	as->argv += n;
}

static int read_arg(const struct dm_arg *arg, struct dm_arg_set *as,
		    unsigned int *value, char **error, bool grouped)
{
	const char *text = dm_shift_arg(as);
	char dummy;

	if (!text || sscanf(text, "%u%c", value, &dummy) != 1 ||
	    *value < arg->min || *value > arg->max ||
	    (grouped && as->argc < *value)) {
		*error = arg->error;
		return -EINVAL;
	}
	return 0;
}

int dm_read_arg(const struct dm_arg *arg, struct dm_arg_set *as,
		unsigned int *value, char **error)
{
	return read_arg(arg, as, value, error, false);
}

int dm_read_arg_group(const struct dm_arg *arg, struct dm_arg_set *as,
		      unsigned int *value, char **error)
{
	return read_arg(arg, as, value, error, true);
}
