// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshard-train: makes models of failing disks out of fleets, and judges them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "train/evaluate.h"
#include "train/failslow.h"
#include "train/load.h"
#include "train/rows.h"
#include "train/verbs.h"

#define HISTORY		365
#define KEEP		3

static void help(void)
{
	puts("Usage: adshard-train VERB --data FILE [--data FILE...] [OPTION...]\n\n"
	     "Makes models of failing disks out of records of fleets, and judges them.\n\n"
	     "Verbs:\n"
	     "  train        make a model, written to --out\n"
	     "  retrain      correct a model by what a site has seen, if that makes it better\n"
	     "  evaluate     judge by months that a model has not seen: prints figures\n"
	     "  show FILE    say what is in a model\n\n"
	     "Options:\n"
	     "  --data FILE         records, CSV, as they are or in gzip or xz, or a folder of\n"
	     "                      such files; may be repeated\n"
	     "  --out FILE          train, retrain: the model to write\n"
	     "  --until DATE        train, retrain: nothing later is known [the end of the data]\n"
	     "  --base FILE         the model to begin with if little was seen [the one that\n"
	     "                      comes with the program, but for train]\n"
	     "  --keep N            retrain: how many older models stay, FILE.1... [3]\n"
	     "  --rollback          retrain: no new one, but the one before again\n"
	     "  --history DAYS      how far back rows are taken [365]\n"
	     "  --from DATE, --to DATE\n"
	     "                      evaluate: the first and the last day\n"
	     "  --train-until DATE  evaluate: one model of what was known then [a new one\n"
	     "                      each month]\n"
	     "  --model FILE        evaluate: this model; none is made\n"
	     "  --leave-family-out  evaluate: each model of drives by what was made of the others\n"
	     "  --failslow          evaluate: latencies of disks; --labels FILE names the slow ones\n"
	     "  --load              evaluate: forecasts of load\n"
	     "  -v, --verbose       say what goes on\n"
	     "  -h, --help          this text\n"
	     "  -V, --version       the version\n\n"
	     "Exit codes: 0 ok, 1 failed, 2 usage.\n\n"
	     "adshard-train(1) has the details and examples.");
}

__attribute__((format(printf, 1, 2)))
static int usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "adshard-train: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "; see adshard-train --help\n");
	return TRAIN_USAGE;
}

static int tell(const struct ads_err *err, int r)
{
	fprintf(stderr, "adshard-train: %s\n", ads_err_text(err, r));
	return TRAIN_FAILED;
}

enum {
	O_DATA = 1000, O_OUT, O_UNTIL, O_HISTORY, O_FROM, O_TO, O_TRAIN_UNTIL,
	O_MODEL, O_FAILSLOW, O_LOAD, O_LABELS, O_BASE, O_KEEP, O_ROLLBACK,
	O_FAMILIES,
};

static const struct option options[] = {
	{ "data", required_argument, NULL, O_DATA },
	{ "out", required_argument, NULL, O_OUT },
	{ "until", required_argument, NULL, O_UNTIL },
	{ "history", required_argument, NULL, O_HISTORY },
	{ "from", required_argument, NULL, O_FROM },
	{ "to", required_argument, NULL, O_TO },
	{ "train-until", required_argument, NULL, O_TRAIN_UNTIL },
	{ "model", required_argument, NULL, O_MODEL },
	{ "failslow", no_argument, NULL, O_FAILSLOW },
	{ "load", no_argument, NULL, O_LOAD },
	{ "labels", required_argument, NULL, O_LABELS },
	{ "base", required_argument, NULL, O_BASE },
	{ "keep", required_argument, NULL, O_KEEP },
	{ "rollback", no_argument, NULL, O_ROLLBACK },
	{ "leave-family-out", no_argument, NULL, O_FAMILIES },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int date_option(const char *text, bool after, int64_t *out)
{
	if (!csv_date(text, out))
		return usage("\"%s\" is no date like 2015-10-31", text);
	/* the day itself belongs to it */
	*out += after ? DAY : 0;
	return 0;
}

static int take_option(struct train_args *a, int c)
{
	int64_t n;

	switch (c) {
	case O_DATA:
		if (a->nr_data == TRAIN_MAX_DATA)
			return usage("%s: too many files", optarg);
		a->data[a->nr_data++] = optarg;
		return 0;
	case O_OUT:
		a->out = optarg;
		return 0;
	case O_UNTIL:
		return date_option(optarg, true, &a->until);
	case O_HISTORY:
		if (!csv_integer(optarg, &n) || n < 30 || n > 36500)
			return usage("\"%s\" is no number of days from 30 to 36500",
				     optarg);
		a->history = (int)n;
		return 0;
	case O_FROM:
		return date_option(optarg, false, &a->from);
	case O_TO:
		return date_option(optarg, true, &a->to);
	case O_TRAIN_UNTIL:
		return date_option(optarg, true, &a->train_until);
	case O_MODEL:
		a->model = optarg;
		return 0;
	case O_FAILSLOW:
		a->failslow = true;
		return 0;
	case O_LOAD:
		a->load = true;
		return 0;
	case O_BASE:
		a->base = optarg;
		return 0;
	case O_KEEP:
		if (!csv_integer(optarg, &n) || n < 0 || n > 100)
			return usage("\"%s\" is no number from 0 to 100", optarg);
		a->keep = (int)n;
		return 0;
	case O_ROLLBACK:
		a->rollback = true;
		return 0;
	case O_FAMILIES:
		a->families = true;
		return 0;
	case O_LABELS:
		a->labels = optarg;
		return 0;
	case 'v':
		a->verbose = true;
		return 0;
	default:
		return usage("%s: no such option, or its argument is missing",
			     "the command line");
	}
}

int read_fleet(const struct train_args *a, struct fleet *f,
	       struct ads_err *err)
{
	int r = 0;

	for (unsigned int i = 0; i < a->nr_files && !r; i++)
		r = fleet_read(f, a->file[i], err);
	if (!r)
		r = fleet_finish(f, err);
	if (f->bad)
		fprintf(stderr, "adshard-train: %lu of %lu lines were bad and skipped\n",
			f->bad, f->rows + f->bad);
	if (f->dropped)
		fprintf(stderr, "adshard-train: %lu drives whose hours don't fit their dates were left out\n",
			f->dropped);
	if (!r && a->verbose)
		fprintf(stderr, "adshard-train: %u drives of %u models\n",
			f->nr, f->nr_models);
	return r;
}

/* What it has cost up to now, of time on the clock, processors and memory. */
static void costs(const char *what, const struct timespec *begun)
{
	struct timespec now;
	struct rusage u;

	clock_gettime(CLOCK_MONOTONIC, &now);
	getrusage(RUSAGE_SELF, &u);
	printf("figure %s.seconds %.1f seconds\n", what,
	       (double)(now.tv_sec - begun->tv_sec) +
	       (double)(now.tv_nsec - begun->tv_nsec) / 1e9);
	printf("figure %s.cpu %.1f seconds\n", what,
	       (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6);
	printf("figure %s.rss %.0f MB\n", what, (double)u.ru_maxrss / 1e3);
}

static int verb_train(const struct train_args *a)
{
	struct train_options o = {
		.until = a->until, .history = a->history,
		.trees = gbdt_defaults,
	};
	struct fleet f = { 0 };
	struct ads_err err = { "" };
	struct ads_model *m = NULL, *base = NULL;
	struct timespec begun;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	if (a->base)
		r = ads_model_read(a->base, &base, &err);
	o.base = base;
	r = r ? r : read_fleet(a, &f, &err);
	if (!r && !o.until)
		o.until = fleet_end(&f) + 1;
	if (!r)
		r = train_model(&f, &o, &m, &err);
	if (!r)
		r = ads_model_write(m, a->out, &err);
	if (!r) {
		model_print(m, stdout);
		costs("train", &begun);
	}
	ads_model_free(m);
	ads_model_free(base);
	fleet_free(&f);
	return r ? tell(&err, r) : TRAIN_OK;
}

/* A fleet that fails seldom, or has no past, is judged by a model of others. */
static int find_base(const struct train_args *a, struct evaluate_options *o,
		     struct ads_model **base, struct ads_err *err)
{
	const char *path = a->base ? a->base : model_shipped();
	int64_t first = o->train_until ? o->train_until : o->from;
	int r;

	*base = NULL;
	if (o->model || !path)
		return 0;
	r = ads_model_read(path, base, err);
	if (r && !a->base) {
		fprintf(stderr, "adshard-train: %s; going on without it\n",
			ads_err_text(err, r));
		return 0;
	}
	/* by itself nobody takes one that knows what it shall foresee */
	if (!r && !a->base && (*base)->until > first) {
		ads_model_free(*base);
		*base = NULL;
	}
	o->train.base = *base;
	return r;
}

static int verb_evaluate(const struct train_args *a)
{
	struct evaluate_options o = {
		.from = a->from, .to = a->to, .train_until = a->train_until,
		.train = { .history = a->history, .trees = gbdt_defaults },
		.leave_family_out = a->families,
		.verbose = a->verbose,
	};
	struct fleet f = { 0 };
	struct ads_err err = { "" };
	struct ads_model *m = NULL, *base = NULL;
	struct timespec begun;
	struct evaluation e;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	if (a->families && a->model)
		return usage("%s: --leave-family-out makes its own models: no --model",
			     "evaluate");

	if (!o.from || !o.to || o.from >= o.to)
		return usage("%s: --from and --to are needed, in this order",
			     "evaluate");
	if (o.train_until > o.from)
		return usage("%s: --train-until is later than --from: the model would know what it is asked",
			     "evaluate");
	if (a->model)
		r = ads_model_read(a->model, &m, &err);
	if (!r && m && m->until > o.from)
		fprintf(stderr, "adshard-train: %s was made of what was known later than --from: these figures prove nothing\n",
			a->model);
	o.model = m;
	if (!r && !a->families)
		r = find_base(a, &o, &base, &err);
	if (!r && base && base->until > o.from)
		fprintf(stderr, "adshard-train: %s was made of what was known later than --from: if it is needed these figures prove nothing\n",
			a->base);
	if (!r)
		r = read_fleet(a, &f, &err);
	if (!r && fleet_end(&f) < o.to + LABEL_DAYS * DAY)
		fprintf(stderr, "adshard-train: the data end before %d days after --to are over: a disk that would fail in these counts as good\n",
			LABEL_DAYS);
	if (!r)
		r = evaluate(&f, &o, &e, &err);
	if (!r) {
		evaluation_print(&e, stdout);
		costs("evaluate", &begun);
	}
	ads_model_free(m);
	ads_model_free(base);
	fleet_free(&f);
	return r ? tell(&err, r) : TRAIN_OK;
}

static int verb_show(const char *path)
{
	struct ads_err err = { "" };
	struct ads_model *m;
	int r = ads_model_read(path, &m, &err);

	if (r)
		return tell(&err, r);
	model_print(m, stdout);
	ads_model_free(m);
	return TRAIN_OK;
}

static int run_verb(struct train_args *a, const char *verb)
{
	struct ads_err err = { "" };
	int r;

	if (strcmp(verb, "train") == 0)
		return verb_train(a);
	if (strcmp(verb, "evaluate") == 0 && !a->failslow && !a->load)
		return verb_evaluate(a);
	r = strcmp(verb, "retrain") == 0 ? verb_retrain(a, &err) :
	    a->load ? verb_load(a, &err) : verb_failslow(a, &err);
	return r ? tell(&err, r) : TRAIN_OK;
}

static int run(struct train_args *a, const char *verb, const char *file)
{
	bool writes = !strcmp(verb, "train") || !strcmp(verb, "retrain");
	struct ads_err err = { "" };
	int r;

	if (strcmp(verb, "show") == 0)
		return file ? verb_show(file) :
			      usage("%s: which model?", "show");
	if (file)
		return usage("\"%s\": not expected here", file);
	if (!writes && strcmp(verb, "evaluate"))
		return usage("\"%s\" is no verb", verb);
	if (!a->nr_data && !a->rollback)
		return usage("%s: --data FILE is missing", verb);
	if (writes && !a->out)
		return usage("%s: --out FILE is missing", verb);
	if (a->rollback && strcmp(verb, "retrain"))
		return usage("%s: --rollback is for retrain", verb);
	if (a->failslow && a->load)
		return usage("%s: --failslow or --load, not both", verb);
	r = files_find(a, &err);
	r = r ? tell(&err, r) : run_verb(a, verb);
	files_forget(a);
	return r;
}

int main(int argc, char **argv)
{
	static struct train_args a = { .history = HISTORY, .keep = KEEP };
	int c, rc;

	while ((c = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		if (c == 'h') {
			help();
			return TRAIN_OK;
		}
		if (c == 'V') {
			puts("adshard-train " ADSHARD_VERSION);
			return TRAIN_OK;
		}
		rc = take_option(&a, c);
		if (rc)
			return rc;
	}
	if (optind == argc) {
		help();
		return TRAIN_USAGE;
	}
	if (argc - optind > 2)
		return usage("\"%s\": not expected here", argv[optind + 2]);
	rc = run(&a, argv[optind], argv[optind + 1]);
	if (ferror(stdout) | fflush(stdout)) {
		fprintf(stderr, "adshard-train: can't write the output: %s\n",
			strerror(errno));
		return rc ? rc : TRAIN_FAILED;
	}
	return rc;
}
