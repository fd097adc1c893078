/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the files of the scan only.
 */
#ifndef ADS_SCAN_PRIV_H
#define ADS_SCAN_PRIV_H

#include "scan.h"

/* Replaces the sentence about a device. */
void ads_scan_problem(struct ads_scan_dev *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Reads every device's head. What fails is said in the device itself. */
int ads_scan_read(struct ads_scan_dev *dev, size_t nr, struct ads_err *err);

#endif
