/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAIN_LOAD_H
#define TRAIN_LOAD_H

#include "lib/err.h"
#include "train/verbs.h"

/* evaluate --load */
int verb_load(const struct train_args *a, struct ads_err *err);

#endif
