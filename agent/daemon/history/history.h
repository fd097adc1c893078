/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage "history": remembers, over restarts.
 *
 * Takes	samples, loads, scores, jobs, and asks for what is known of a drive
 *		or member; gives the answers by callbacks in the event loop.
 *
 * The database lives in a thread of its own. If it can't be opened or written,
 * or its disk hangs, records are lost and the daemon goes on: that is said once
 * and in the status.
 */
#ifndef ADSHARDD_HISTORY_H
#define ADSHARDD_HISTORY_H

#include <systemd/sd-event.h>

#include "daemon/history/store.h"

struct history;

/* Arguments are valid during the call only. */
struct history_calls {
	/* The database is open, or (@error) will not be: nothing is known. */
	void (*ready)(int error, const struct job *jobs, size_t nr, void *arg);
	/* @nr 0 if nothing is known, or the question could not be asked. */
	void (*drive)(const char *model, const char *serial,
		      const struct store_row *rows, size_t nr, int64_t power_on,
		      const struct drive_day *days, size_t nr_days, void *arg);
	/* All zero if it is not known. */
	void (*member)(const struct store_member *m, void *arg);
	void (*loads)(const struct store_loads *l, void *arg);
};

/* @readonly: it answers, and forgets what it is given. */
int history_new(sd_event *event, const char *dir, bool readonly,
		const struct history_calls *calls, void *arg,
		struct history **out);

/* Waits a little for what is queued. false: the thread is stuck. */
bool history_free(struct history *h);	/* NULL is fine */

/*
 * The answer comes by a callback, in any case. With no history (@h NULL) or a
 * full queue it is -EAGAIN and nothing comes.
 */
int history_ask_drive(struct history *h, const char *model,
		      const char *serial);
int history_ask_member(struct history *h, const uint8_t *uuid);
int history_ask_loads(struct history *h, const uint8_t *uuid,
		      const struct config *c);

/* All of these copy what they are given. @h may be NULL. */
/* @more: what else the drive said, a JSON object, or NULL. */
void history_sample(struct history *h, const struct smart_sample *s,
		    const char *more, int score,
		    const struct drive_change *changes, unsigned int nr);
void history_member(struct history *h, const struct store_member *m);
void history_load(struct history *h, const struct store_load *row);
void history_slow(struct history *h, const struct store_slow *row, long length);
void history_fate(struct history *h, const struct store_fate *row);
void history_score(struct history *h, const struct store_score *row);
void history_job(struct history *h, const struct job *j);
void history_trim(struct history *h, int64_t now, const struct config *c);

/* Why nothing is kept at the moment; NULL if all is well. */
const char *history_problem(const struct history *h);

#endif
