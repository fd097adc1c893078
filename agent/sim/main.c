// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshard-sim: the planner in virtual time, beside what people do without it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/bench.h"
#include "sim/sim.h"
#include "sim/smart.h"
#include "train/csv.h"

#define DAY	86400LL

enum { SIM_OK, SIM_FAILED, SIM_USAGE };

struct args {
	const char *strategy, *smart, *model, *load;
	int64_t from, to;
	unsigned int pools, members, segments;
	uint64_t seed;
	bool has_seed, verbose;
};

static void help(void)
{
	puts("Usage: adshard-sim SCENARIO... [OPTION...]\n"
	     "       adshard-sim bench [--members N] [--segments N]\n\n"
	     "Runs pools in virtual time: the planner of adshardd, and what people do without it.\n"
	     "Prints lines \"figure sim.[SCENARIO.]STRATEGY.NAME VALUE UNIT\".\n\n"
	     "Options:\n"
	     "  --strategy NAME     only this one: adshard, react, scrutiny, greedy or random [all]\n"
	     "  --seed N            another one than the scenario's\n"
	     "  --smart FILE        disks out of records, as adshard-train reads them; with\n"
	     "  --model FILE        what scores them,\n"
	     "  --from DATE, --to DATE\n"
	     "                      the first and the last day, and\n"
	     "  --pools N           so many pools of the scenario's size [all disks]\n"
	     "  --load PATH         recorded loads: a table, or a folder of them\n"
	     "  --members N, --segments N\n"
	     "                      bench: the size of the pool [1000, 1048576]\n"
	     "  -v, --verbose       say what goes on, and how long plans took\n"
	     "  -h, --help          this text\n"
	     "  -V, --version       the version\n\n"
	     "Exit codes: 0 ok, 1 failed, 2 usage.\n\n"
	     "adshard-sim(1) has the form of scenarios, the figures and examples.");
}

__attribute__((format(printf, 1, 2)))
static int usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "adshard-sim: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see adshard-sim --help\n");
	return SIM_USAGE;
}

static int tell(const struct ads_err *err, int r)
{
	fprintf(stderr, "adshard-sim: %s\n", ads_err_text(err, r));
	return SIM_FAILED;
}

enum {
	O_STRATEGY = 1000, O_SEED, O_SMART, O_MODEL, O_FROM, O_TO, O_POOLS,
	O_LOAD, O_MEMBERS, O_SEGMENTS,
};

static const struct option options[] = {
	{ "strategy", required_argument, NULL, O_STRATEGY },
	{ "seed", required_argument, NULL, O_SEED },
	{ "smart", required_argument, NULL, O_SMART },
	{ "model", required_argument, NULL, O_MODEL },
	{ "from", required_argument, NULL, O_FROM },
	{ "to", required_argument, NULL, O_TO },
	{ "pools", required_argument, NULL, O_POOLS },
	{ "load", required_argument, NULL, O_LOAD },
	{ "members", required_argument, NULL, O_MEMBERS },
	{ "segments", required_argument, NULL, O_SEGMENTS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int whole(const char *name, const char *text, unsigned int least,
		 unsigned int most, unsigned int *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end || *text == '-' || v < least || v > most)
		return usage("%s: %s is not between %u and %u", name, text,
			     least, most);
	*out = (unsigned int)v;
	return 0;
}

static int date(const char *name, const char *text, int64_t *out)
{
	return csv_date(text, out) ? 0 :
	       usage("%s: %s is no date like 2015-10-31", name, text);
}

static int known_strategy(const char *name)
{
	for (const struct sim_strategy *s = sim_strategies; s->name; s++)
		if (!strcmp(s->name, name))
			return 0;
	return usage("--strategy: there is none called %s", name);
}

static int parse(int argc, char **argv, struct args *a)
{
	unsigned int u;
	int c, r = 0;

	while (!r && (c = getopt_long(argc, argv, "vhV", options, NULL)) >= 0) {
		switch (c) {
		case O_STRATEGY:
			a->strategy = optarg;
			r = known_strategy(optarg);
			break;
		case O_SEED:
			r = whole("--seed", optarg, 0, 1U << 31, &u);
			a->seed = r ? 0 : u;
			a->has_seed = true;
			break;
		case O_SMART:
			a->smart = optarg;
			break;
		case O_MODEL:
			a->model = optarg;
			break;
		case O_LOAD:
			a->load = optarg;
			break;
		case O_FROM:
			r = date("--from", optarg, &a->from);
			break;
		case O_TO:
			r = date("--to", optarg, &a->to);
			a->to += DAY;
			break;
		case O_POOLS:
			r = whole("--pools", optarg, 1, 100000, &a->pools);
			break;
		case O_MEMBERS:
			r = whole("--members", optarg, 20, PLAN_MEMBERS,
				  &a->members);
			break;
		case O_SEGMENTS:
			r = whole("--segments", optarg, 100, 1 << 24,
				  &a->segments);
			break;
		case 'v':
			a->verbose = true;
			break;
		case 'h':
			help();
			exit(SIM_OK);
		case 'V':
			puts("adshard-sim " ADSHARD_VERSION);
			exit(SIM_OK);
		default:
			fprintf(stderr, "adshard-sim: see adshard-sim --help\n");
			r = SIM_USAGE;
		}
	}
	if (!r && a->smart && (!a->model || !a->from || a->to <= a->from))
		r = usage("--smart needs --model, --from and a later --to");
	if (!r && !a->smart && (a->model || a->from || a->pools))
		r = usage("--model, --from, --to and --pools go with --smart");
	return r;
}

static uint32_t members_of(const struct scenario *sc)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < sc->nr_groups; i++)
		n += sc->group[i].count;
	return n;
}

/* All pools of one strategy. */
static int run(const struct scenario *sc, const struct sim_strategy *st,
	       const struct sim_fleet *fleet, struct volumes *v,
	       struct metrics *sum, struct ads_err *err)
{
	uint32_t members = members_of(sc);
	uint32_t pools = fleet->nr ? fleet->nr / members : 1;
	int r = 0;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t p = 0; p < pools && !r; p++) {
		struct metrics m;

		r = sim_run(sc, st, fleet->nr ? fleet->life +
			    (size_t)p * members : NULL, v, &m, err);
		if (!r)
			metrics_add(sum, &m);
	}
	return r;
}

static int simulate(const struct args *a, const char *path,
		    const struct traces *t, struct ads_err *err)
{
	struct scenario *sc = calloc(1, sizeof(*sc));
	struct sim_fleet fleet = { .nr = 0 };
	struct volumes v = { .nr = 0 };
	struct metrics m;
	char prefix[80] = "";
	int r;

	if (!sc)
		return ads_err(err, -ENOMEM, "no memory");
	r = scenario_read(path, sc, err);
	if (!r && a->has_seed)
		sc->seed = a->seed;
	if (!r && scenario_wants_traces(sc) && !t->count)
		r = ads_err(err, -ENODATA, "%s: wants recorded loads: --load",
			    path);
	if (!r && a->smart) {
		sc->length = a->to - a->from;
		r = sim_fleet_read(a->smart, a->model, a->from, a->to, sc->seed,
				   a->pools * members_of(sc), &fleet, err);
		if (!r && fleet.nr < members_of(sc))
			r = ads_err(err, -ENODATA,
				    "%s: has %u disks in that time, fewer than the %u of the pool",
				    a->smart, fleet.nr, members_of(sc));
		if (!r && fleet.known_until > a->from)
			fprintf(stderr, "adshard-sim: %s knows some of the time that is simulated: its figures are too good\n",
				a->model);
	}
	if (!r)
		r = volumes_make(sc, sim_segments(sc), t, &v, err);
	if (sc->name[0] && !a->smart)
		snprintf(prefix, sizeof(prefix), "%s.", sc->name);
	for (const struct sim_strategy *s = sim_strategies; s->name && !r; s++) {
		if (a->strategy && strcmp(a->strategy, s->name))
			continue;
		r = run(sc, s, &fleet, &v, &m, err);
		if (r)
			break;
		metrics_print(&m, prefix, s->name, stdout);
		fflush(stdout);
		if (a->verbose && m.plans)
			fprintf(stderr, "%s%s: %u plans, %.4f s each, %.4f s the longest\n",
				prefix, s->name, m.plans,
				m.plan_seconds / m.plans, m.plan_worst);
	}
	volumes_free(&v);
	sim_fleet_free(&fleet);
	free(sc);
	return r;
}

int main(int argc, char **argv)
{
	struct args a = { .members = 1000, .segments = 1 << 20 };
	struct traces t = { .count = 0 };
	struct ads_err err = { .text = "" };
	int r = parse(argc, argv, &a);

	if (r)
		return r;
	if (optind >= argc)
		return usage("which scenario");
	if (!strcmp(argv[optind], "bench")) {
		if (optind + 1 < argc)
			return usage("bench takes no %s", argv[optind + 1]);
		r = sim_bench(a.members, a.segments, &err);
		return r ? tell(&err, r) : SIM_OK;
	}
	if (a.load)
		r = traces_read(a.load, &t, &err);
	for (int i = optind; i < argc && !r; i++)
		r = simulate(&a, argv[i], &t, &err);
	traces_free(&t);
	return r ? tell(&err, r) : SIM_OK;
}
