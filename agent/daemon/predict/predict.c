// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "daemon/predict/predict.h"

void predict_fuse(struct risk *r)
{
	risk_fuse(r);
	/* that no I/O has failed yet is not a verdict on a drive */
	if (r->score == 0 && !r->part[RISK_MEDIA].known)
		r->score = -1;
}

void predict(const struct predict_input *in, struct risk *r)
{
	risk_init(r);
	if (in->drive && in->sample && in->sample->health) {
		switch (in->sample->protocol) {
		case SMART_ATA:
			predict_ata(r, in);
			predict_trees(r, in);
			break;
		case SMART_NVME:
			predict_nvme(r, in);
			break;
		case SMART_SCSI:
			predict_scsi(r, in);
			break;
		case SMART_UNKNOWN:
			break;
		}
		if (in->sample->protocol != SMART_UNKNOWN) {
			predict_interface(r, in);
			predict_wear(r, in);
			predict_thermal(r, in);
		}
	}
	predict_errors(r, in);
	predict_slow(r, in);
	predict_fuse(r);
}

#define URGENT_CONFIRM	2	/* scorings */

enum track_event risk_track(struct risk_track *t, int score, int64_t evidence,
			    int64_t now, const struct config *c)
{
	/* one sample may be wrong, whatever it says */
	long enough = score > c->score.urgent ? URGENT_CONFIRM :
						c->score.confirm;

	if (score < 0) {
		t->quiet = 0;
		return RISK_SAME;
	}
	/* the clock was set back */
	if (t->evidence > now + 3600)
		t->evidence = 0;
	if (evidence > t->evidence) {
		t->evidence = evidence;
		if (score > c->score.drain) {
			t->above++;
			if (!t->rose)
				t->rose = now;
		} else {
			t->above = 0;
			t->rose = 0;
		}
		if (!t->at_risk && t->above >= enough) {
			t->at_risk = now;
			t->quiet = 0;
			return RISK_RAISED;
		}
	}
	if (!t->at_risk)
		return RISK_SAME;
	if (score >= c->score.release) {
		t->quiet = 0;
	} else if (!t->quiet) {
		t->quiet = now;
	} else if (now - t->quiet >= c->score.release_time) {
		t->at_risk = t->quiet = 0;
		t->above = 0;
		return RISK_RELEASED;
	}
	return RISK_SAME;
}

static bool together(const struct fleet_entry *a, const struct fleet_entry *b,
		     long window)
{
	int64_t apart = a->rose > b->rose ? a->rose - b->rose :
					    b->rose - a->rose;

	return b->rose && apart <= window;
}

void fleet_check(struct fleet_entry *e, unsigned int n, const struct config *c)
{
	for (unsigned int i = 0; i < n; i++) {
		long peers = 0, rising = 0;

		e[i].suspect = false;
		if (!e[i].rose || !e[i].model[0])
			continue;
		for (unsigned int j = 0; j < n; j++) {
			if (strcmp(e[i].model, e[j].model))
				continue;
			peers++;
			rising += together(&e[i], &e[j], c->fleet.window);
		}
		e[i].suspect = rising >= c->fleet.minimum &&
			       rising * 100 > c->fleet.share * peers;
	}
}
