/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metadata of one device in full, whole or not, as text or as JSON.
 */
#ifndef CTL_DUMP_H
#define CTL_DUMP_H

#include "gather.h"

/* @segments: all of them, not only how many. */
void dump_print(struct ads_off_dev *d, bool segments);
void dump_json(struct json_object *o, struct ads_off_dev *d, bool segments);

/* "whole", "damaged", ... */
const char *dump_block_word(enum ads_off_block is);
/* Body block @nr of a table: false if it is not whole. */
bool dump_body(struct ads_off_dev *d, unsigned int area, uint32_t nr,
	       struct adshard_body *b);
/* A segment's legs, how many it should have, and its intent; or what is wrong. */
const char *dump_segment(const struct adshard_seg *seg, char *buf, size_t size);

/* The same of a bad range; NULL: the place is free. */
const char *dump_bad(const struct adshard_bad *d,
		     const struct ads_geometry *geo, char *buf, size_t size);

#endif
