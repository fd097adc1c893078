// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "daemon/cycle.h"
#include "daemon/log.h"
#include "daemon/reload.h"
#include "daemon/settings.h"
#include "daemon/trained.h"

int reload(struct adshardd *d, struct ads_err *err)
{
	const struct config *old = d->config;
	struct config *new, *over;
	struct timespec t;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &t);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		   t.tv_sec * 1000000ULL + t.tv_nsec / 1000);
	r = config_load(d->config_path, d->config_must_exist, &new, err);
	if (r) {
		log_error("config", "%s; keeping the one in use",
			  ads_err_text(err, r));
		sd_notify(0, "READY=1");
		return r;
	}
	if (strcmp(new->socket, old->socket) ||
	    strcmp(new->state_dir, old->state_dir) ||
	    new->history.enable != old->history.enable) {
		log_warn("config", "socket, state_dir and history.enable change at the next start only");
		memcpy(new->socket, old->socket, sizeof(new->socket));
		memcpy(new->state_dir, old->state_dir, sizeof(new->state_dir));
		new->history.enable = old->history.enable;
	}
	over = settings_over(d->settings, new);
	free(new);
	if (!over) {
		sd_notify(0, "READY=1");
		return -ENOMEM;
	}
	new = over;
	d->config = new;
	free((void *)old);
	log_init((int)new->log_level);
	trained_load(d);
	cycle_reconfigure(d);
	log_notice("config", "loaded again");
	sd_notify(0, "READY=1");
	return 0;
}
