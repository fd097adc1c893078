/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One daemon at a time: a lock beside the socket, held until the process ends.
 */
#ifndef ADSHARDD_LOCK_H
#define ADSHARDD_LOCK_H

#include "lib/err.h"

/*
 * Returns a file descriptor to keep open. -EADDRINUSE: another daemon runs;
 * @err names it. One that was killed and can't end, because a request of its
 * waits for a disk, holds no lock: it is passed by.
 */
int lock_take(const char *socket, struct ads_err *err);

#endif
