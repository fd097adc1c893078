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

static void print(FILE *out, const char *set, const char *name, double v,
		  const char *unit)
{
	char full[96];

	snprintf(full, sizeof(full), "%s.%s", set, name);
	figure(out, full, v, unit);
}

static void count(FILE *out, const char *set, const char *name,
		  unsigned long n, const char *unit)
{
	fprintf(out, "figure %s.%s %lu %s\n", set, name, n, unit);
}

static void bins(FILE *out, const char *set, const struct evaluation *e)
{
	char name[64];

	for (int b = 0; b < EVALUATE_BINS; b++) {
		if (!e->bin[b].nr)
			continue;
		snprintf(name, sizeof(name), "calibration.%d.predicted", b);
		print(out, set, name, e->bin[b].predicted, "probability");
		snprintf(name, sizeof(name), "calibration.%d.observed", b);
		print(out, set, name, e->bin[b].observed, "ratio");
		snprintf(name, sizeof(name), "calibration.%d.rows", b);
		count(out, set, name, e->bin[b].nr, "rows");
	}
	print(out, set, "calibration.worst", e->worst_bin, "ratio");
}

static void families(FILE *out, const struct evaluation *e)
{
	char name[128];

	for (unsigned int i = 0; i < e->families; i++) {
		const struct family *k = &e->family[i];

		fprintf(out, "figure smart.left_out.%s.failures %lu drive-months\n",
			k->name, k->failures);
		for (int r = 0; r < EVALUATE_RATES; r++) {
			snprintf(name, sizeof(name),
				 "smart.left_out.%s.fdr_at_far.%.3g", k->name,
				 evaluate_rates[r]);
			figure(out, name, k->fdr[r], "ratio");
		}
	}
}

void evaluation_print(const struct evaluation *e, FILE *out)
{
	const char *set = e->families ? "smart.left_out" : "smart";
	char name[64];

	families(out, e);
	count(out, set, "failures", e->failures, "drive-months");
	count(out, set, "good", e->good, "drive-months");
	rates(out, set, e->trees);
	/* at the rate at which the agent is meant to act, 0.2 % */
	print(out, set, "median_lead", e->trees[1].lead, "days");
	print(out, set, "lead_3_days", e->trees[1].early, "ratio");
	print(out, set, "score70.fdr", e->score70.fdr, "ratio");
	print(out, set, "score70.far", e->score70.far, "ratio");
	print(out, set, "score70.median_lead", e->score70.lead, "days");
	print(out, set, "score70.lead_3_days", e->score70.early, "ratio");
	print(out, set, "either70.fdr", e->either70.fdr, "ratio");
	print(out, set, "either70.far", e->either70.far, "ratio");
	print(out, set, "migrated_in_time", e->migrated, "ratio");
	print(out, set, "migrated_in_vain", e->migrated_in_vain, "ratio");
	print(out, set, "auc", e->auc, "ratio");
	print(out, set, "brier", e->brier, "square");
	print(out, set, "brier_base", e->brier_base, "square");
	print(out, set, "brier_skill", 1 - e->brier / e->brier_base, "ratio");
	bins(out, set, e);
	snprintf(name, sizeof(name), "%s.cold", set);
	rates(out, name, e->cold);
	for (int r = 0; r < RULES; r++) {
		snprintf(name, sizeof(name), "rule.%s.fdr", rule_names[r]);
		print(out, set, name, e->rule[r].fdr, "ratio");
		snprintf(name, sizeof(name), "rule.%s.far", rule_names[r]);
		print(out, set, name, e->rule[r].far, "ratio");
	}
	if (e->scored)
		print(out, set, "scoring_1000", 1000 * e->scoring_seconds /
		      (double)e->scored, "seconds");
	if (!e->models)
		return;
	count(out, set, "models_trained", e->models, "models");
	count(out, set, "models_on_base", e->models_based, "models");
	print(out, set, "training_time", e->training_seconds / e->models,
	      "seconds");
}
