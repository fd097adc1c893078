// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "train/rows.h"
#include "train/verbs.h"

static double percent(double log_odds)
{
	return 100 / (1 + exp(-log_odds));
}

void model_print(const struct ads_model *m, FILE *out)
{
	char from[16], until[16];

	fprintf(out, "made of %s .. %s: %llu rows of %llu drives, of which %llu failed (%.3f %% a month)\n",
		date_of(m->from, from), date_of(m->until, until),
		(unsigned long long)m->rows, (unsigned long long)m->drives,
		(unsigned long long)m->failures, 100.0 * m->monthly);
	fprintf(out, "%u trees, %u nodes, %d features, schema %08x\n",
		m->nr_trees, m->nr_nodes, ADS_FEAT_NR, ads_feat_schema());
	fprintf(out, "%u hazards; without a name %.3f %% of the weeks are followed by a failure in 30 days\n",
		m->hazards.nr, 100 * exp(m->hazards.fleet));
	for (uint32_t i = 0; i < m->hazards.nr; i++)
		fprintf(out, "  hazard %-40s %.3f %%\n", m->hazards.row[i].name,
			100 * exp(m->hazards.row[i].hazard));
	fprintf(out, "states without a history; of all drives %.3f %% fail in 30 days\n",
		percent(m->cold[ADS_COLD_STATES]));
	for (int s = 0; s < ADS_COLD_STATES; s++)
		fprintf(out, "  state %-40s odds x %.2f\n", ads_cold_name(s),
			exp(m->cold[s]));
	for (int h = 0; h < ADS_HORIZONS; h++) {
		fprintf(out, "calibration for %d days\n", ads_model_days[h]);
		for (uint32_t i = 0; i < m->nr_knots[h]; i++)
			fprintf(out, "  margin %7.3f  %7.3f %%\n",
				m->knot[h][i].margin,
				percent(m->knot[h][i].logit));
	}
}
