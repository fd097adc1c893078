/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trained model of failing disks (score.model), which predict/ asks.
 */
#ifndef ADSHARDD_TRAINED_H
#define ADSHARDD_TRAINED_H

#include "daemon/ctx.h"

/*
 * Reads it, at the start and at a reload. If it can't be used that is said and
 * the one before stays; if there is none, the rules judge alone.
 */
void trained_load(struct adshardd *d);

#endif
