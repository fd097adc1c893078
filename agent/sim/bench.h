/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include "lib/err.h"

/* Plans a pool of that size in which much is to be done; prints how long it took. */
int sim_bench(unsigned int members, unsigned int segments, struct ads_err *err);

#endif
