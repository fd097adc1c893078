// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "sim/metrics.h"

#define FIRST_MS	0.01
#define BINS_PER_2	20

void metrics_latency(struct metrics *m, double ms, double accesses)
{
	double bin = ms > FIRST_MS ? log2(ms / FIRST_MS) * BINS_PER_2 : 0;

	if (!(accesses > 0))
		return;
	m->latency[bin < METRICS_BINS - 1 ? (int)bin : METRICS_BINS - 1] +=
		accesses;
	m->accesses += accesses;
}

double metrics_quantile(const struct metrics *m, double q)
{
	double sum = 0;

	for (int i = 0; i < METRICS_BINS; i++) {
		sum += m->latency[i];
		if (sum >= q * m->accesses)
			return FIRST_MS * exp2((i + 0.5) / BINS_PER_2);
	}
	return 0;
}

void metrics_add(struct metrics *s, const struct metrics *m)
{
	s->members_months += m->members_months;
	s->failures += m->failures;
	s->drained += m->drained;
	s->lost_any += m->lost_any;
	s->at_risk += m->at_risk;
	s->lost_accesses += m->lost_accesses;
	s->evacuated += m->evacuated;
	s->needless += m->needless;
	s->moved += m->moved;
	s->needed += m->needed;
	s->moved_risk += m->moved_risk;
	s->moved_needless += m->moved_needless;
	s->moved_replica += m->moved_replica;
	s->moved_load += m->moved_load;
	for (int i = 0; i < METRICS_BINS; i++)
		s->latency[i] += m->latency[i];
	s->accesses += m->accesses;
	s->load_time += m->load_time;
	s->load_max += m->load_max;
	s->load_spread += m->load_spread;
	s->days += m->days;
	s->peak_sum += m->peak_sum;
	if (m->peak > s->peak)
		s->peak = m->peak;
	s->plans += m->plans;
	s->plan_seconds += m->plan_seconds;
	if (m->plan_worst > s->plan_worst)
		s->plan_worst = m->plan_worst;
}

void metrics_print(const struct metrics *m, const char *prefix,
		   const char *strategy, FILE *out)
{
	const double tb = 1e12;
	const struct {
		const char *name;
		double value;
		const char *unit;
		bool known;
	} figures[] = {
		{ "failures", m->failures, "members", true },
		{ "drained_in_time", m->drained / fmax(m->failures, 1), "ratio",
		  m->failures > 0 },
		{ "at_risk", m->at_risk / tb, "TB", true },
		{ "lost_accesses", m->lost_accesses, "1/s", m->accesses > 0 },
		{ "evacuated", m->evacuated, "members", true },
		{ "needless", m->needless, "members", true },
		{ "needless_per_drive_month",
		  m->needless / fmax(m->members_months, 1e-9), "ratio",
		  m->members_months > 0 },
		{ "moved", m->moved / tb, "TB", true },
		{ "moved_needless", m->moved_needless / tb, "TB", true },
		{ "moved_replica", m->moved_replica / tb, "TB", true },
		{ "moved_load", m->moved_load / tb, "TB", true },
		{ "bytes_ratio", (m->moved_risk + m->moved_replica) /
		  fmax(m->needed, 1), "ratio", m->needed > 0 },
		{ "p99_latency", metrics_quantile(m, 0.99), "ms",
		  m->accesses > 0 },
		{ "peak_load", m->peak_sum / fmax(m->days, 1), "ratio",
		  m->days > 0 && m->accesses > 0 },
		{ "imbalance", m->load_spread / fmax(m->load_time, 1), "ratio",
		  m->accesses > 0 },
	};

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		if (figures[i].known)
			fprintf(out, "figure sim.%s%s.%s %.4g %s\n", prefix,
				strategy, figures[i].name, figures[i].value,
				figures[i].unit);
}
