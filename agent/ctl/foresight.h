/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent has to say of members, for the verbs that show it.
 */
#ifndef CTL_FORESIGHT_H
#define CTL_FORESIGHT_H

#include "agent.h"

/*
 * Asks the agent @cmd about @member (NULL: none). An exit code; the answer is
 * for json_object_put().
 */
int foresight_ask(struct ctl *c, const char *cmd, const char *member,
		  struct json_object **answer);

/* Copies the keys (ends with NULL) that there are. */
void foresight_copy(struct json_object *to, struct json_object *from,
		    const char *const *keys);

/* NaN, -1 if it is not known. */
double foresight_number(struct json_object *o, const char *key);
int64_t foresight_int(struct json_object *o, const char *key);

/* "2 hours" of a time that was; "-" if it is not known. */
char *foresight_since(struct json_object *o, const char *key, char *buf,
		      size_t size);

/* The numbers of a key of the objects of an array, NaN for null; free() them. */
double *foresight_series(struct json_object *list, const char *key, size_t *nr);

/* The day of a time, "2026-11-21". */
char *foresight_day(int64_t time, char *buf, size_t size);

#endif
