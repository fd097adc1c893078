/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adshardctl: what its verbs share.
 *
 * A verb is a struct ctl_cmd: its options are data, from which parsing, help
 * and completion are made. It returns an exit code; text goes to stdout, one
 * sentence per error to stderr, and with --json exactly one document (events
 * and progress: a line each) to stdout.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/agentsock.h"
#include "lib/json.h"
#include "lib/lookup.h"
#include "lib/nl.h"
#include "lib/progress.h"

/* Exit codes; in the man page, never to be changed. */
enum ctl_exit {
	CTL_OK		= 0,
	CTL_FAILED	= 1,
	CTL_USAGE	= 2,
	CTL_UNREACHABLE	= 3,	/* no module, no agent, no permission */
	CTL_NOENT	= 4,	/* no such pool, member, segment, ... */
	CTL_REFUSED	= 5,	/* it would not be safe */
	CTL_BUSY	= 6,
	CTL_DETACHED	= 7,	/* interrupted; the job goes on */
	CTL_ERRORS	= 8,	/* the job has ended, not all of it well */
	CTL_DAMAGED	= 9,	/* check: a copy is damaged, others serve */
	CTL_DEAD	= 10,	/* check: the pool would not activate */
	CTL_UNREAD	= 11,	/* all has moved, but not all could be read */
};

struct ctl_opt {
	int val;		/* the short option's letter, or > 255 */
	const char *name;
	const char *arg;	/* "SIZE"; "[=WHAT]" if optional; NULL if none */
	const char *help;
};

struct ctl;

struct ctl_cmd {
	const char *name;
	const char *args;	/* "SEGMENT... --to MEMBER" */
	const char *summary;	/* one line */
	const struct ctl_opt *opts;	/* ends with name NULL; may be NULL */
	unsigned int flags;
	int (*run)(struct ctl *c, int argc, char **argv);
};

#define CTL_HIDDEN	0x1	/* not in the list of verbs */
#define CTL_NO_POOL	0x2	/* has no option --pool */
#define CTL_NO_JSON	0x4	/* has no option --json */
#define CTL_TABLE	0x8	/* has the options of tables */
#define CTL_PROGRESS	0x10	/* has the option --progress */

struct ctl {
	const struct ctl_cmd *cmd;
	const char *pool;	/* --pool, or NULL */
	bool json;
	int color;		/* 1 yes, 0 no */
	enum ads_progress_mode progress;
	struct {
		const char *columns;	/* --output */
		bool all, noheadings, bytes, raw;
	} table;
	struct json_object *doc;	/* with --json; NULL otherwise */
	struct json_object *warnings;	/* in @doc */
	struct ads_nl *nl;	/* once ctl_connect() has been called */
	struct option *longopts;	/* built from the tables */
	char *shortopts;
	bool failed;		/* an error has been reported */
};

extern const struct ctl_cmd *const ctl_cmds[];	/* ends with NULL */

/*
 * The next option's val, -1 behind the last one, with optarg and optind as
 * getopt_long(). Common options are taken here; wrong ones end the program.
 */
int ctl_getopt(struct ctl *c, int argc, char **argv);

/* Wrong usage: says so, names the help, ends the program with CTL_USAGE. */
void ctl_usage(struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* Reports an error in one sentence and returns @exit_code. */
int ctl_fail(struct ctl *c, int exit_code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same for -errno and its sentence. */
int ctl_fail_err(struct ctl *c, int rc, const struct ads_err *err);
int ctl_exit_code(int rc);

/* To stderr, or to the document's "warnings". */
void ctl_warn(struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* To stdout unless there is a document. */
void ctl_say(struct ctl *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Opens c->nl. An exit code. */
int ctl_connect(struct ctl *c);

/* Connects, finds the pool (--pool) and its members (to be freed). */
int ctl_load_pool(struct ctl *c, struct ads_pool *pool,
		  struct ads_member **members, size_t *nr);

/* For options and arguments; they end the program if @s makes no sense. */
uint64_t ctl_parse_size(struct ctl *c, const char *what, const char *s);
uint64_t ctl_parse_u64(struct ctl *c, const char *what, const char *s,
		       uint64_t max);
double ctl_parse_duration(struct ctl *c, const char *what, const char *s);

/* "5,7-12" into an array of segments, no duplicates, ascending. */
int ctl_parse_segments(struct ctl *c, char **argv, int argc,
		       uint32_t **out, size_t *nr);

/* The pool's name, or its UUID. */
const char *ctl_pool_name(const struct ads_pool *p, char buf[37]);

/* Member by index as "/dev/sdb" (or "member 3"). */
void ctl_member_name(const struct ads_member *m, size_t nr, uint32_t index,
		     char *buf, size_t size);

/* What --color and the terminal allow: "", or an escape sequence. */
enum ctl_color { CTL_PLAIN, CTL_GOOD, CTL_WARN, CTL_BAD };
const char *ctl_color(const struct ctl *c, enum ctl_color color);

/* SIGINT and SIGTERM from now on only set this flag. */
void ctl_catch_signals(void);
bool ctl_interrupted(void);

/* Common pieces of the documents. */
void ctl_json_pool(struct json_object *o, const struct ads_pool *p);
void ctl_json_migration(struct json_object *o, const struct ads_migration *m);

#endif
