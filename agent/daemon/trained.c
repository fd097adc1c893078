// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "daemon/log.h"
#include "daemon/trained.h"
#include "lib/model-file.h"
#include "lib/units.h"

/* NULL: there is none, or none that can be used; that has been said. */
static struct ads_model *take(struct adshardd *d, const char *path, bool own)
{
	struct ads_err err = { .text = "" };
	struct ads_model *m;
	char until[40];
	int r = ads_model_read(path, &m, &err);

	if (r == -ENOENT && (own || !d->trained)) {
		if (!own)
			log_info("model", "%s is not there: rules judge disks alone",
				 path);
		return NULL;
	}
	if (r) {
		log_warn("model", "%s; %s", ads_err_text(&err, r),
			 d->trained ? "the one in use stays" :
			 own ? "trying the one that is installed" :
			       "rules judge disks alone");
		return NULL;
	}
	log_info("model", "%s: %u trees of what was known at %s", path,
		 m->nr_trees,
		 ads_format_time((uint64_t)m->until, until, sizeof(until)));
	return m;
}

void trained_load(struct adshardd *d)
{
	char own[CONFIG_PATH_MAX + 16];
	struct ads_model *m;

	/* the site's, made of the one that is installed */
	snprintf(own, sizeof(own), "%s/smart.model", d->config->state_dir);
	m = take(d, own, true);
	if (!m)
		m = take(d, d->config->score.model, false);
	if (!m)
		return;
	ads_model_free(d->trained);
	d->trained = m;
}
