// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "daemon/log.h"
#include "daemon/trained.h"
#include "lib/model-file.h"
#include "lib/units.h"

void trained_load(struct adshardd *d)
{
	const char *path = d->config->score.model;
	struct ads_err err = { .text = "" };
	struct ads_model *m;
	char until[40];
	int r = ads_model_read(path, &m, &err);

	if (r == -ENOENT && !d->trained) {
		log_info("model", "%s is not there: rules judge disks alone",
			 path);
		return;
	}
	if (r) {
		log_warn("model", "%s; %s", ads_err_text(&err, r),
			 d->trained ? "the one in use stays" :
				      "rules judge disks alone");
		return;
	}
	ads_model_free(d->trained);
	d->trained = m;
	log_info("model", "%s: %u trees of what was known at %s", path,
		 m->nr_trees,
		 ads_format_time((uint64_t)m->until, until, sizeof(until)));
}
