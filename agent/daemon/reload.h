/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the configuration anew. On an error the one in use stays; what can't be
 * changed while running (socket, state_dir) is said and stays too.
 */
#ifndef ADSHARDD_RELOAD_H
#define ADSHARDD_RELOAD_H

#include "daemon/ctx.h"
#include "lib/err.h"

int reload(struct adshardd *d, struct ads_err *err);

#endif
