/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading a fleet needs of those who keep it. */
#ifndef TRAIN_FLEET_PRIV_H
#define TRAIN_FLEET_PRIV_H

#include "train/fleet.h"

/* The index of a model of drives, new or known. */
int fleet_model(struct fleet *f, const char *name, uint32_t *out,
		struct ads_err *err);

/*
 * The drive of that number: of several the one that came last. NULL in *@out if
 * there is none; *@slot is then where it would be entered.
 */
int fleet_life(struct fleet *f, const char *serial, uint32_t model,
	       struct life **out, uint32_t **slot, struct ads_err *err);
/* Enters one there; it takes the place of an older one of that number. */
int fleet_new_life(struct fleet *f, const char *serial, uint32_t model,
		   uint32_t *slot, struct life **out, struct ads_err *err);

/* A value at a time. Those that say nothing new are passed over. */
int life_add(struct life *l, int attr, int64_t time, double value,
	     struct ads_err *err);

#endif
