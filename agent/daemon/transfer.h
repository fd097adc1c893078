/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adshardd --export, --import: the history as CSV. Exit statuses.
 */
#ifndef ADSHARDD_TRANSFER_H
#define ADSHARDD_TRANSFER_H

#include "daemon/config.h"

/* To stdout. 2: there is no such kind. */
int transfer_out(const struct config *c, const char *kind);

/* @file "-": from stdin. Refused while an agent runs: it keeps what it has read. */
int transfer_in(const struct config *c, const char *file);

#endif
