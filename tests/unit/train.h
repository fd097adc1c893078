/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fleets that a test makes up, with known answers. */
#ifndef TEST_TRAIN_H
#define TEST_TRAIN_H

#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "train/evaluate.h"
#include "train/fleet.h"
#include "train/rows.h"

/* Text that grows. */
struct text {
	char *data;
	size_t len, cap;
};

__attribute__((format(printf, 2, 3), unused))
static void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	if (t->len + 512 > t->cap) {
		t->cap = t->cap ? t->cap * 2 : 65536;
		t->data = realloc(t->data, t->cap);
		if (!t->data)
			abort();
	}
	va_start(ap, fmt);
	t->len += vsnprintf(t->data + t->len, 512, fmt, ap);
	va_end(ap);
}

/* The same numbers everywhere. */
__attribute__((unused))
static uint32_t dice_of(uint32_t seed, uint32_t n)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL + n * 0xbf58476d1ce4e5b9ULL;

	x ^= x >> 29;
	x *= 0x94d049bb133111ebULL;
	return (uint32_t)(x >> 32);
}

__attribute__((unused))
static int fleet_of(const struct text *t, struct fleet *f, unsigned long *bad)
{
	struct ads_err err = { "" };
	struct stream *s;
	struct csv c;
	int r;

	memset(f, 0, sizeof(*f));
	r = stream_open_memory(t->data, t->len, "a fleet", &s, &err);
	if (!r)
		r = csv_open(&c, s, &err);
	if (!r) {
		c.quiet = true;
		r = fleet_read_csv(f, &c, &err);
		csv_close(&c);
	}
	if (bad)
		*bad = f->bad;
	if (!r)
		r = fleet_finish(f, &err);
	if (r)
		printf("# %s\n", ads_err_text(&err, r));
	return r;
}

#define HEADING "serial_number,model,size_tb,min_date,max_date,min_hours," \
		"max_hours,tstart,tstop,fails,smart_5,smart_12,smart_187," \
		"smart_197\n"

/* 2014-01-01, from which days are counted */
#define EPOCH	16071
__attribute__((unused))
static int64_t day_at(int day)
{
	return (EPOCH + day) * DAY;
}

/*
 * A fleet of @n drives from day 0 to @days. One in ten fails at some time; of
 * these, those that @foretold allows have pending sectors some days before. A
 * few that don't fail have reallocated sectors, and stay so.
 */
__attribute__((unused))
static void make_fleet(struct text *t, uint32_t n, int days, uint32_t seed,
		       int foretold)
{
	char first[16], last[16];

	text_add(t, HEADING);
	for (uint32_t i = 0; i < n; i++) {
		bool fails = dice_of(seed, i) % 10 == 0;
		int end = fails ? 20 + (int)(dice_of(seed + 1, i) %
					     (unsigned int)(days - 20)) : days;
		int sign = end - 6 - (int)(dice_of(seed + 2, i) % 10);
		bool signs = fails && (int)(dice_of(seed + 3, i) % 100) <
				      foretold && sign > 0;
		bool scar = !fails && dice_of(seed + 4, i) % 30 == 0;
		int hours = (int)(dice_of(seed + 5, i) % 20000);
		int cut = signs ? sign : scar ? days / 2 : end;

		date_of(day_at(0), first);
		date_of(day_at(end), last);
		text_add(t, "S%05u,%s,4,%s,%s,%d,%d,%d,%d,%d,0,3,0,0\n", i,
			 i % 3 ? "ST4000" : "HGST X1", first, last, hours,
			 hours + end * 24, hours, hours + cut * 24,
			 fails && !signs);
		if (cut < end)
			text_add(t, "S%05u,%s,4,%s,%s,%d,%d,%d,%d,%d,%d,3,%d,%d\n",
				 i, i % 3 ? "ST4000" : "HGST X1", first, last,
				 hours, hours + end * 24, hours + cut * 24,
				 hours + end * 24, fails, scar ? 8 : 0,
				 signs ? 2 : 0, signs ? 16 : 0);
	}
}

#endif
