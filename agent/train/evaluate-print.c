// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "train/evaluate.h"

static void figure(FILE *out, const char *name, double v, const char *unit)
{
	if (isnan(v))
		fprintf(out, "figure %s - %s\n", name, unit);
	else
		fprintf(out, "figure %s %.4g %s\n", name, v, unit);
}

static void rates(FILE *out, const char *what, const struct at_rate *r)
{
	char name[64];

	for (int i = 0; i < EVALUATE_RATES; i++) {
		snprintf(name, sizeof(name), "%s.fdr_at_far.%.3g", what,
			 evaluate_rates[i]);
		figure(out, name, r[i].fdr, "ratio");
	}
	for (int i = 0; i < EVALUATE_RATES; i++) {
		snprintf(name, sizeof(name), "%s.threshold_at_far.%.3g", what,
			 evaluate_rates[i]);
		figure(out, name, r[i].threshold, "probability");
	}
}

void evaluation_print(const struct evaluation *e, FILE *out)
{
	char name[64];

	figure(out, "smart.failures", (double)e->failures, "drive-months");
	fprintf(out, "figure smart.good %lu drive-months\n", e->good);
	rates(out, "smart", e->trees);
	/* at the rate at which the agent is meant to act, 0.2 % */
	figure(out, "smart.median_lead", e->trees[1].lead, "days");
	figure(out, "smart.lead_3_days", e->trees[1].early, "ratio");
	figure(out, "smart.score70.fdr", e->score70.fdr, "ratio");
	figure(out, "smart.score70.far", e->score70.far, "ratio");
	figure(out, "smart.score70.median_lead", e->score70.lead, "days");
	figure(out, "smart.score70.lead_3_days", e->score70.early, "ratio");
	figure(out, "smart.either70.fdr", e->either70.fdr, "ratio");
	figure(out, "smart.either70.far", e->either70.far, "ratio");
	figure(out, "smart.migrated_in_time", e->migrated, "ratio");
	figure(out, "smart.migrated_in_vain", e->migrated_in_vain, "ratio");
	figure(out, "smart.auc", e->auc, "ratio");
	figure(out, "smart.brier", e->brier, "square");
	figure(out, "smart.brier_base", e->brier_base, "square");
	figure(out, "smart.brier_skill", 1 - e->brier / e->brier_base, "ratio");
	for (int b = 0; b < EVALUATE_BINS; b++) {
		if (!e->bin[b].nr)
			continue;
		snprintf(name, sizeof(name), "smart.calibration.%d.predicted", b);
		figure(out, name, e->bin[b].predicted, "probability");
		snprintf(name, sizeof(name), "smart.calibration.%d.observed", b);
		figure(out, name, e->bin[b].observed, "ratio");
		snprintf(name, sizeof(name), "smart.calibration.%d.rows", b);
		fprintf(out, "figure %s %lu rows\n", name, e->bin[b].nr);
	}
	figure(out, "smart.calibration.worst", e->worst_bin, "ratio");
	rates(out, "smart.cold", e->cold);
	for (int r = 0; r < RULES; r++) {
		snprintf(name, sizeof(name), "smart.rule.%s.fdr", rule_names[r]);
		figure(out, name, e->rule[r].fdr, "ratio");
		snprintf(name, sizeof(name), "smart.rule.%s.far", rule_names[r]);
		figure(out, name, e->rule[r].far, "ratio");
	}
	if (!e->models)
		return;
	figure(out, "smart.models_trained", e->models, "models");
	figure(out, "smart.training_time", e->training_seconds / e->models,
	       "seconds");
}
