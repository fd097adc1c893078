/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For parameters that a callback's type asks for and this one has no use for. */
#ifndef ADSHARDD_UNUSED_H
#define ADSHARDD_UNUSED_H

#define UNUSED __attribute__((unused))

#endif
