/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The judgement on a pool's metadata, in words and as JSON.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include "gather.h"

/* "would activate", ...; why; what to do. The strings are the caller's. */
struct verdict {
	int exit_code;		/* CTL_OK, CTL_DAMAGED or CTL_DEAD */
	const char *word;	/* for programs */
	const char *text;
	char why[512];
	char action[512];
};

void check_verdict(const struct gathered *p, struct verdict *v);
void check_print(struct ctl *c, const struct gathered *p);
void check_json(struct json_object *o, const struct gathered *p);

#endif
