// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl repair: rebuild damaged or missing metadata from the copies that
 * are whole. Shows what it would write, asks, keeps what it replaces.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/units.h"

#include "check.h"
#include "repair.h"
#include "verbs.h"

#define BACKUP_DIR	"/var/lib/adshard"

enum { O_FROM = 256, O_FORCE };

static const struct ctl_opt opts[] = {
	{ 'm', "member", "NUMBER", "the device without a superblock is this member" },
	{ 'B', "backup", "FILE", "keep there what is overwritten; default in " BACKUP_DIR },
	{ 'y', "yes", NULL, "don't ask" },
	{ 'N', "dry-run", NULL, "only say what would be written" },
	{ O_FROM, "from", "FILE", "go back: write what this backup holds" },
	{ O_FORCE, "force", NULL, "with --from: even if the blocks have changed since" },
	{ 0, NULL, NULL, NULL },
};

struct request {
	int64_t member;
	const char *backup, *from;
	bool yes, dry, force;
};

/* The one device that nobody knows is the member that was named. */
static int name_member(struct ctl *c, struct gathered *p, int64_t member)
{
	struct ads_off_dev *d = NULL;
	struct ads_err err = { "" };

	for (size_t i = 0; i < p->off->nr; i++) {
		if (p->off->dev[i]->has_sb)
			continue;
		if (p->off->dev[i]->proven &&
		    p->off->dev[i]->sb.index == member)
			return CTL_OK;
		if (p->off->dev[i]->lost)
			continue;
		if (d)
			return ctl_fail(c, CTL_REFUSED,
					"which one is member %lld? %s and %s have no superblock: name the members' devices and one of these",
					(long long)member, d->b->path,
					p->off->dev[i]->b->path);
		d = p->off->dev[i];
	}
	if (!d)
		return ctl_fail(c, CTL_REFUSED,
				"there is no device without a superblock that could be member %lld",
				(long long)member);
	if (ads_off_identify(p->off, d, member, &err))
		return ctl_fail(c, CTL_REFUSED, "nothing can be repaired: %s",
				err.text);
	if (d->lost && d->sb.index != member)
		return ctl_fail(c, CTL_REFUSED,
				"%s is not member %lld: its own journal and tables say that it is member %u",
				d->b->path, (long long)member, d->sb.index);
	/* Judged once more: it isn't missing any longer, but lost. */
	ads_off_judge(p->off);
	return CTL_OK;
}

static void show(struct repair *r)
{
	struct json_object *list = NULL;
	char buf[ADS_UUID_STR];

	if (r->c->doc)
		list = ads_json_arr(r->c->doc, "plan");
	if (r->nr_step)
		ctl_say(r->c, "%s: would write %zu block%s:",
			gathered_name(r->p, buf), r->nr_block,
			r->nr_block == 1 ? "" : "s");
	for (size_t i = 0; i < r->nr_step; i++) {
		const struct repair_step *s = &r->step[i];

		ctl_say(r->c, "  %s (member %u): %s, %zu block%s, from %s",
			s->dev->b->path, s->member, s->what, s->blocks,
			s->blocks == 1 ? "" : "s", s->from);
		if (list) {
			struct json_object *e = ads_json_push(list);

			ads_json_str(e, "device", s->dev->b->path);
			ads_json_u64(e, "member", s->member);
			ads_json_str(e, "what", s->what);
			ads_json_u64(e, "blocks", s->blocks);
			ads_json_str(e, "from", s->from);
		}
	}
}

static bool agreed(struct ctl *c)
{
	char answer[16];

	printf("Write that? Type yes: ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) &&
	       !strcmp(answer, "yes\n");
}

static char *default_backup(const struct gathered *p)
{
	time_t now = time(NULL);
	char when[32], uuid[ADS_UUID_STR], *path;
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	mkdir("/var", 0755);
	mkdir("/var/lib", 0755);
	mkdir(BACKUP_DIR, 0755);
	/* A name may be anything but a slash: it is a table's argument. */
	if (asprintf(&path, BACKUP_DIR "/repair-%s-%s.bak",
		     p->name[0] && !strchr(p->name, '/') ? p->name :
		     ads_format_uuid(p->uuid, uuid), when) < 0)
		abort();
	return path;
}

static int write_plan(struct repair *r)
{
	const struct ads_off *o = r->p->off;
	struct ads_err err = { "" };

	for (unsigned int phase = 0; phase < REPAIR_PHASES; phase++) {
		for (size_t i = 0; i < o->nr; i++) {
			struct ads_blocks *b = o->dev[i]->b;
			bool any = false;

			for (size_t k = 0; k < b->nr_change; k++) {
				int rc;

				if (b->change[k].phase != phase)
					continue;
				any = true;
				rc = ads_blocks_write(b, b->change[k].block,
						      b->change[k].data, &err);
				if (rc)
					return ctl_fail_err(r->c, rc, &err);
			}
			if (any && ads_blocks_sync(b, &err))
				return ctl_fail(r->c, CTL_FAILED, "%s",
						err.text);
		}
	}
	return CTL_OK;
}

/* What is on the devices now, without help. */
static int look_again(struct repair *r)
{
	struct verdict v;

	for (size_t i = 0; i < r->p->off->nr; i++)
		ads_blocks_revert(r->p->off->dev[i]->b);
	gather_judge(r->p->off);
	check_verdict(r->p, &v);
	if (v.exit_code == CTL_DEAD)
		return ctl_fail(r->c, CTL_FAILED,
				"repaired, but it still would not activate: %s",
				v.why);
	if (v.exit_code)
		ctl_warn(r->c, "what is left: %s; %s", v.why, v.action);
	return CTL_OK;
}

static int carry_out(struct repair *r, const struct request *q)
{
	char *path = NULL;
	int rc;

	if (!q->yes && !agreed(r->c))
		return ctl_fail(r->c, CTL_REFUSED, "nothing was written");
	path = q->backup ? strdup(q->backup) : default_backup(r->p);
	rc = backup_make(r, path);
	if (!rc) {
		rc = write_plan(r);
		if (rc)
			ctl_warn(r->c, "it may be repaired again; or go back with: adshardctl repair --from %s",
				 path);
	}
	if (!rc)
		rc = look_again(r);
	if (!rc)
		ctl_say(r->c, "%zu block%s written; to go back: adshardctl repair --from %s",
			r->nr_block, r->nr_block == 1 ? "" : "s", path);
	if (!rc && r->c->doc)
		ads_json_str(r->c->doc, "backup", path);
	free(path);
	return rc;
}

static int repair(struct ctl *c, struct gathered *p, const struct request *q)
{
	struct repair r = { .c = c, .p = p };
	char buf[ADS_UUID_STR];
	struct verdict v;
	int rc = CTL_OK;

	if (p->active)
		rc = ctl_fail(c, CTL_BUSY,
			      "%s is active: adshardctl deactivate %s first",
			      gathered_name(p, buf), gathered_name(p, buf));
	if (!rc && q->member >= 0)
		rc = name_member(c, p, q->member);
	if (!rc)
		rc = repair_plan(&r);
	if (rc)
		goto out;
	show(&r);
	if (c->doc)
		ads_json_u64(c->doc, "blocks", r.nr_block);
	if (!r.nr_block) {
		check_verdict(p, &v);
		ctl_say(c, "%s: nothing to repair%s", gathered_name(p, buf),
			v.exit_code ? "; what is damaged is put right by activation or the next checkpoint" : "");
	} else if (q->dry) {
		ctl_say(c, "nothing was done");
	} else {
		rc = carry_out(&r, q);
	}
out:
	free(r.step);
	return rc;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct request q = { .member = -1 };
	struct gather g;
	int val, rc;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		switch (val) {
		case 'm':
			q.member = (int64_t)ctl_parse_u64(c, "--member",
				optarg, ADSHARD_MAX_MEMBERS - 1);
			break;
		case 'B':
			q.backup = optarg;
			break;
		case 'y':
			q.yes = true;
			break;
		case 'N':
			q.dry = true;
			break;
		case O_FROM:
			q.from = optarg;
			break;
		case O_FORCE:
			q.force = true;
			break;
		}
	}
	if (q.from && (q.member >= 0 || q.backup))
		ctl_usage(c, "--from goes with --dry-run, --force and devices only");
	if (q.force && !q.from)
		ctl_usage(c, "--force is for --from");
	if (c->doc && !q.yes && !q.dry && !q.from)
		ctl_usage(c, "--json can't ask: --yes or --dry-run");
	if (q.from)
		return backup_restore(c, q.from, argv + optind, argc - optind,
				      q.force, q.dry);
	if (optind == argc)
		ctl_usage(c, "which pool? (its name, UUID or devices)");
	rc = gather(c, argv + optind, argc - optind, !q.dry, &g);
	if (rc)
		return rc;
	if (g.nr > 1)
		rc = ctl_fail(c, CTL_USAGE,
			      "these devices belong to %zu pools: one at a time",
			      g.nr);
	else
		rc = repair(c, &g.pool[0], &q);
	gather_free(&g);
	return rc;
}

const struct ctl_cmd ctl_repair = {
	.name = "repair",
	.args = "POOL | DEVICE... | --from FILE [DEVICE...]",
	.summary = "Rebuild damaged metadata from the copies that are whole",
	.opts = opts,
	.flags = CTL_NO_POOL,
	.run = run,
};
