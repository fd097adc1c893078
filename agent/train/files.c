// SPDX-License-Identifier: GPL-2.0-or-later
/* What is named on the command line: files, and folders of them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/verbs.h"

/* Labels lie beside the data and are no data. */
#define LABELS	"slow_drive_info."

static int is_table(const struct dirent *d)
{
	static const char *const ends[] = { ".csv", ".csv.gz", ".csv.xz" };
	size_t len = strlen(d->d_name);

	if (d->d_name[0] == '.' || !strncmp(d->d_name, LABELS, strlen(LABELS)))
		return 0;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (len > strlen(ends[i]) &&
		    !strcmp(d->d_name + len - strlen(ends[i]), ends[i]))
			return 1;
	return 0;
}

static int add(struct train_args *a, char *path, struct ads_err *err)
{
	if (!path)
		return ads_err(err, -ENOMEM, "%s: no memory", "the files");
	if (a->nr_files == TRAIN_MAX_FILES) {
		free(path);
		return ads_err(err, -E2BIG, "more than %d files",
			       TRAIN_MAX_FILES);
	}
	a->file[a->nr_files++] = path;
	return 0;
}

static int add_folder(struct train_args *a, const char *folder,
		      struct ads_err *err)
{
	struct dirent **name;
	int n = scandir(folder, &name, is_table, alphasort), r = 0;

	if (n < 0)
		return ads_err(err, -errno, "%s: %s", folder, strerror(errno));
	if (!n)
		r = ads_err(err, -ENOENT, "%s: has no files *.csv, *.csv.gz or *.csv.xz",
			    folder);
	for (int i = 0; i < n; i++) {
		char *path = NULL;

		if (!r && asprintf(&path, "%s/%s", folder, name[i]->d_name) < 0)
			path = NULL;
		r = r ? r : add(a, path, err);
		free(name[i]);
	}
	free(name);
	return r;
}

int files_find(struct train_args *a, struct ads_err *err)
{
	int r = 0;

	for (unsigned int i = 0; i < a->nr_data && !r; i++) {
		struct stat st;

		if (stat(a->data[i], &st))
			r = ads_err(err, -errno, "%s: %s", a->data[i],
				    strerror(errno));
		else if (S_ISDIR(st.st_mode))
			r = add_folder(a, a->data[i], err);
		else
			r = add(a, strdup(a->data[i]), err);
	}
	return r;
}

void files_forget(struct train_args *a)
{
	for (unsigned int i = 0; i < a->nr_files; i++)
		free(a->file[i]);
	a->nr_files = 0;
}

const char *model_shipped(void)
{
	static const char installed[] = "/usr/share/adshard/smart.model";
	static char path[4096];
	ssize_t n;

	/* out of the sources: the model is there and not where it will be */
	n = readlink("/proc/self/exe", path, sizeof(path) - 64);
	if (n > 0) {
		static const char tail[] = "/build/agent/bin/adshard-train";

		path[n] = 0;
		n -= (ssize_t)strlen(tail);
		if (n > 0 && !strcmp(path + n, tail)) {
			strcpy(path + n, "/agent/train/smart.model");
			if (!access(path, R_OK))
				return path;
		}
	}
	return access(installed, R_OK) ? NULL : installed;
}
