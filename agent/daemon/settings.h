/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the operator has set while the agent runs: settings of the planner, over
 * those of the configuration file, and pins. Kept in the state directory, in
 * settings.json, and there again after a restart.
 *
 * Nothing is decided before the file was read. If it can't be, or makes no sense,
 * members are emptied all the same, but nothing that can wait is moved: nobody
 * knows what the operator had forbidden.
 */
#ifndef ADSHARDD_SETTINGS_H
#define ADSHARDD_SETTINGS_H

#include "daemon/ctx.h"
#include "lib/err.h"
#include "lib/nl.h"

#define SETTINGS_PINS	4096

/* A range of segments of a pool, and where it belongs. */
struct pin {
	uint32_t id;
	uint8_t pool[ADS_UUID_LEN];
	uint32_t first, count;
	uint8_t kind;			/* enum plan_pin_kind */
	char value[40];			/* class, location, UUID of a member, or "" */
};

struct settings;

/* Begins to read; takes @config as what the file says (still the caller's). */
int settings_new(struct adshardd *d, const struct config *config);
void settings_free(struct settings *s);	/* NULL is fine */

/* The file was read, or will not be. */
bool settings_ready(const struct settings *s);
/* Now and then: a disk that hangs must not keep members from being emptied. */
void settings_unblock(struct adshardd *d, int64_t now);
/* Why what can wait may not move, or what is set is not kept; NULL: all is well. */
const char *settings_doubt(const struct settings *s);
const char *settings_problem(const struct settings *s);
/* Everything is on the disk. */
bool settings_saved(const struct settings *s);

/* @config, of a file, with what is set over it: to be freed, NULL no memory. */
struct config *settings_over(struct settings *s, const struct config *config);

/*
 * All of them or, with -errno and a sentence, none. A value of NULL takes a
 * setting back to the file's.
 */
int settings_set(struct adshardd *d, const char *const *names,
		 const char *const *values, size_t n, struct ads_err *err);
bool settings_is_set(const struct settings *s, const char *name);
/* The value without it. */
const struct plan_policy *settings_base(const struct settings *s);

/* The id is made here. -ENOSPC: too many. */
int settings_pin(struct adshardd *d, struct pin *pin, struct ads_err *err);
int settings_unpin(struct adshardd *d, uint32_t id, struct ads_err *err);
const struct pin *settings_pins(const struct settings *s, size_t *n);

/* "class", "member", "location", "stay"; -1 */
const char *settings_pin_name(uint8_t kind);
int settings_pin_kind(const char *name);

#endif
