/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Judges what finds slow disks, by clusters in which they are known.
 *
 * Tables: host, disk, ts, tput_kib, lat (and day, else it is that of ts), of one
 * cluster each, which is named by the file: cluster_A.csv.xz. Labels: cluster,
 * host_name, disk_id.
 */
#ifndef TRAIN_FAILSLOW_H
#define TRAIN_FAILSLOW_H

#include "lib/err.h"
#include "train/verbs.h"

struct slow_drive {
	unsigned int cluster;
	char host[32], disk[32];
	bool labelled;
	double *day;		/* slowdowns, by day of its cluster */
	unsigned int nr;
};

struct slow_study {
	char cluster[TRAIN_MAX_FILES][64];
	unsigned int nr_clusters;
	struct slow_drive *drive;
	size_t nr, cap;
	unsigned long rows, bad;
	unsigned int labels;	/* of these clusters, found or not */
};

/* The slowdowns of a file's disks and days. */
int slow_read(struct slow_study *s, const char *path, struct ads_err *err);
int slow_labels(struct slow_study *s, const char *path, struct ads_err *err);
void slow_print(const struct slow_study *s, FILE *out);
void slow_free(struct slow_study *s);

/* evaluate --failslow */
int verb_failslow(const struct train_args *a, struct ads_err *err);

#endif
