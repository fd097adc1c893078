// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardd: foresees the failure of disks and has the kernel empty them in time.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "daemon/api/api.h"
#include "daemon/ctx.h"
#include "daemon/cycle.h"
#include "daemon/history/history.h"
#include "daemon/keep.h"
#include "daemon/lock.h"
#include "daemon/log.h"
#include "daemon/plan/jobs.h"
#include "daemon/planner-keep.h"
#include "daemon/reload.h"
#include "daemon/score.h"
#include "daemon/settings.h"
#include "daemon/trained.h"
#include "daemon/transfer.h"
#include "daemon/unused.h"
#include "lib/model-file.h"

#define ONCE_TICK	100000	/* microseconds */
#define ONCE_SLACK	30	/* seconds above smart.timeout */
#define STATUS_USEC	1000000

static const char usage[] =
"Usage: adshardd [OPTION]...\n"
"Watches the disks of adshard pools and empties those that are about to fail.\n"
"\n"
"  -c, --config FILE   configuration [" CONFIG_FILE "]\n"
"  -f, --foreground    stay in the foreground (it always does)\n"
"  -d, --debug         say more, whatever log_level is\n"
"      --once          collect and score once, print what is found, change\n"
"                      nothing\n"
"      --check-config  only read the configuration; status 1 if it is wrong\n"
"      --print-config  print the configuration in effect\n"
"      --export KIND   print changes, days, loads, scores, slow or fleet out\n"
"                      of the history, as CSV\n"
"      --import FILE   take such CSV into it; no agent may run\n"
"  -h, --help          this text\n"
"  -V, --version       the version\n"
"\n"
"Status: 0 all well, 1 failure, 2 usage. See adshardd(8), adshardd.conf(5).\n";

struct options {
	const char *config;
	const char *export, *import;
	bool must_exist, once, check, print, debug;
};

enum { OPT_ONCE = CHAR_MAX + 1, OPT_CHECK, OPT_PRINT, OPT_EXPORT, OPT_IMPORT };

/* -1: go on, else the exit status. */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "debug", no_argument, NULL, 'd' },
		{ "once", no_argument, NULL, OPT_ONCE },
		{ "check-config", no_argument, NULL, OPT_CHECK },
		{ "print-config", no_argument, NULL, OPT_PRINT },
		{ "export", required_argument, NULL, OPT_EXPORT },
		{ "import", required_argument, NULL, OPT_IMPORT },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	o->config = CONFIG_FILE;
	while ((c = getopt_long(argc, argv, "c:fdhV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			o->must_exist = true;
			break;
		case 'f':
			break;
		case 'd':
			o->debug = true;
			break;
		case OPT_ONCE:
			o->once = true;
			break;
		case OPT_CHECK:
			o->check = true;
			break;
		case OPT_PRINT:
			o->print = true;
			break;
		case OPT_EXPORT:
			o->export = optarg;
			break;
		case OPT_IMPORT:
			o->import = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			printf("adshardd %s\n", ADSHARD_VERSION);
			return 0;
		default:
			fputs("Try \"adshardd --help\".\n", stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "adshardd: takes no arguments: %s\n",
			argv[optind]);
		return 2;
	}
	return -1;
}

/* -- signals and the service manager -------------------------------------------- */

static int on_stop(sd_event_source *s UNUSED, const struct signalfd_siginfo *si,
		   void *arg)
{
	struct adshardd *d = arg;

	log_info("agent", "ends by signal %u; what the kernel moves goes on",
		 si->ssi_signo);
	return sd_event_exit(d->event, 0);
}

static int on_reload(sd_event_source *s UNUSED,
		     const struct signalfd_siginfo *si UNUSED,
		     void *arg)
{
	struct ads_err err = { .text = "" };

	reload(arg, &err);	/* says by itself what is wrong */
	return 0;
}

static int add_signals(struct adshardd *d)
{
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(d->event, NULL, SIGTERM, on_stop, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGINT, on_stop, d);
	if (r >= 0)
		r = sd_event_add_signal(d->event, NULL, SIGHUP, on_reload, d);
	return r < 0 ? r : 0;
}

/* The line that "systemctl status" shows, when it has changed. */
static int on_status(sd_event_source *s, uint64_t usec UNUSED, void *arg)
{
	struct adshardd *d = arg;
	unsigned int pools = 0, members = 0, at_risk = 0;
	unsigned int evacuations = 0, rebuilds = 0;
	char text[sizeof(d->told_status)];

	for (const struct pool *p = d->pools; p; p = p->next, pools++)
		for (const struct member *m = p->members; m; m = m->next) {
			members++;
			at_risk += m->track.at_risk != 0;
		}
	for (const struct job *j = d->jobs->newest; j; j = j->next)
		if (j->state == JOB_DRAINING) {
			evacuations += j->kind == JOB_EVACUATE;
			rebuilds += j->kind == JOB_REBUILD;
		}
	if (d->view_error < 0)
		snprintf(text, sizeof(text), "%.150s", d->view_text);
	else
		snprintf(text, sizeof(text),
			 "%u pools, %u members, %u at risk, %u evacuations, %u rebuilds",
			 pools, members, at_risk, evacuations,
			 rebuilds);
	if (strcmp(text, d->told_status)) {
		sd_notifyf(0, "STATUS=%s", text);
		snprintf(d->told_status, sizeof(d->told_status), "%s", text);
	}
	sd_event_source_set_time_relative(s, STATUS_USEC);
	return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
}

/* -- one cycle only ---------------------------------------------------------------- */

static int on_once(sd_event_source *s, uint64_t usec UNUSED, void *arg)
{
	struct adshardd *d = arg;
	int64_t limit = d->config->smart.timeout + ONCE_SLACK;
	struct json_object *o;

	if (!cycle_complete(d) && now_epoch() - d->started < limit) {
		sd_event_source_set_time_relative(s, ONCE_TICK);
		return sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
	}
	o = api_status(d);
	if (o)
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	return sd_event_exit(d->event, d->view_error ? 1 : 0);
}

/* -- start and end ------------------------------------------------------------------- */

static int start_history(struct adshardd *d)
{
	char path[CONFIG_PATH_MAX + 16];
	int r;

	snprintf(path, sizeof(path), "%s/history.db", d->config->state_dir);
	if (!d->config->history.enable ||
	    (d->once && access(path, R_OK) < 0)) {
		d->history_ready = true;
		return 0;
	}
	r = history_new(d->event, d->config->state_dir, d->once,
			&score_history_calls, d, &d->history);
	if (r) {
		log_error("history", "%s; going on without it", strerror(-r));
		d->history_ready = true;
	}
	return 0;
}

static void start_patrol(struct adshardd *d)
{
	int r;

	if (d->once)
		return;
	r = patrol_new(d->event, &d->patrol);
	if (r && d->config->patrol.enable)
		log_warn("patrol", "no io_uring (%s): disks are not patrolled",
			 strerror(-r));
}

static int start(struct adshardd *d, struct ads_err *err)
{
	int r;

	d->jobs = jobs_new();
	if (!d->jobs)
		return -ENOMEM;
	r = sd_event_default(&d->event);
	if (r < 0)
		return ads_err(err, r, "event loop: %s", strerror(-r));
	r = add_signals(d);
	if (r)
		return ads_err(err, r, "signals: %s", strerror(-r));
	if (!d->once) {
		r = lock_take(d->config->socket, err);
		if (r < 0)
			return r;
		d->lock = r;
		r = api_new(d, &d->api, err);
		if (r)
			return r;
	}
	trained_load(d);
	r = keep_new(d->event, d->config->state_dir, &d->keep);
	if (!r)
		r = settings_new(d, d->config);
	if (!r)
		r = planner_keep_new(d);
	if (r)
		return ads_err(err, r, "settings: %s", strerror(-r));
	start_history(d);
	start_patrol(d);
	r = cycle_start(d);
	if (r)
		return ads_err(err, r, "kernel: %s", strerror(-r));
	r = sd_event_add_time_relative(d->event, NULL, CLOCK_MONOTONIC,
				       d->once ? ONCE_TICK : 0, 0,
				       d->once ? on_once : on_status, d);
	return r < 0 ? r : 0;
}

/* false: something is stuck, the process has to leave by _exit(). */
static bool stop(struct adshardd *d)
{
	struct drive *dr;
	bool clean;

	api_free(d->api);
	if (d->kernel)
		cycle_stop(d);
	patrol_free(d->patrol);
	clean = kernel_free(d->kernel);
	clean &= history_free(d->history);
	clean &= keep_free(d->keep);
	if (!clean)
		return false;
	while ((dr = d->drives)) {
		d->drives = dr->next;
		drive_free(dr);
	}
	jobs_free(d->jobs);
	settings_free(d->settings);
	planner_keep_free(d);
	ads_model_free(d->trained);
	sd_event_unref(d->event);
	if (d->lock >= 0)
		close(d->lock);
	free((void *)d->config);
	return true;
}

static int run(const struct options *o, struct config *config)
{
	struct ads_err err = { .text = "" };
	struct adshardd d = {
		.config = config,
		.config_path = o->config,
		.config_must_exist = o->must_exist,
		.once = o->once,
		.started = now_epoch(),
		.lock = -1,
	};
	int r;

#ifdef PR_SET_IO_FLUSHER
	/*
	 * Memory that this process waits for must not be made by writing to
	 * what it looks after. Needs CAP_SYS_RESOURCE; goes without.
	 */
	prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
#endif
	r = start(&d, &err);
	if (r) {
		log_error("agent", "%s", ads_err_text(&err, r));
		r = 1;
	} else {
		sd_event_set_watchdog(d.event, true);
		if (!d.once)
			log_info("agent", "adshardd %s has started",
				 ADSHARD_VERSION);
		sd_notify(0, "READY=1");
		r = sd_event_loop(d.event);
		if (r < 0) {
			log_error("agent", "event loop: %s", strerror(-r));
			r = 1;
		}
	}
	sd_notify(0, "STOPPING=1");
	if (!stop(&d)) {
		log_warn("agent", "leaves a request behind that does not end");
		fflush(stdout);
		_exit(r);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct ads_err err = { .text = "" };
	struct options o = { .config = NULL };
	struct config *config;
	int r;

	r = parse_options(&o, argc, argv);
	if (r >= 0)
		return r;
	log_init(o.debug ? LOG_DEBUG : LOG_INFO);
	r = config_load(o.config, o.must_exist, &config, &err);
	if (r) {
		log_error("config", "%s", ads_err_text(&err, r));
		return 1;
	}
	if (o.print)
		config_print(config, stdout);
	if (o.check || o.print) {
		free(config);
		return fflush(stdout) ? 1 : 0;
	}
	if (o.export || o.import) {
		r = o.export ? transfer_out(config, o.export) :
			       transfer_in(config, o.import);
		free(config);
		return r;
	}
	if (o.debug)
		config->log_level = LOG_DEBUG;
	log_init((int)config->log_level);
	return run(&o, config);
}
