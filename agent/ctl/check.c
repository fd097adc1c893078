// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "lib/units.h"

#include "check.h"
#include "table.h"

static const char *const levels[] = {
	[ADS_OFF_NOTE] = "note", [ADS_OFF_DAMAGE] = "damage",
	[ADS_OFF_FATAL] = "fatal",
};

static const char *const heals[] = {
	[ADS_OFF_NOTHING] = NULL, [ADS_OFF_ACTIVATION] = "activation",
	[ADS_OFF_REPAIR] = "repair", [ADS_OFF_OPERATOR] = "operator",
};

/* The first finding of this level, for @kind NULL any. */
static const struct ads_off_finding *first(const struct ads_off *o,
					   enum ads_off_level level,
					   const char *kind)
{
	for (size_t i = 0; i < o->nr_finding; i++)
		if (o->finding[i].level == level &&
		    (!kind || !strcmp(o->finding[i].kind, kind)))
			return &o->finding[i];
	return NULL;
}

/* Sections of Documentation/recovery.rst, by what a finding is about. */
static const char *procedure(const char *kind)
{
	static const struct {
		const char *kind, *section;
	} map[] = {
		{ "super-lost", "All superblocks of a member are gone" },
		{ "no-super", "All superblocks of a member are gone" },
		{ "missing", "A member is missing" },
		{ "stale", "A member came back from the dead" },
		{ "duplicate", "A member came back from the dead" },
		{ "disagree", "Two members disagree" },
		{ "history", "Two members disagree" },
		{ "layout", "Two members disagree" },
		{ "identity", "Two members disagree" },
	};

	for (size_t i = 0; i < sizeof(map) / sizeof(*map); i++)
		if (!strcmp(map[i].kind, kind))
			return map[i].section;
	return "The metadata leads nowhere";
}

static void see(struct verdict *v, const char *before, const char *kind)
{
	snprintf(v->action, sizeof(v->action),
		 "%s" "see \"%s\" in Documentation/recovery.rst", before,
		 procedure(kind));
}

/* Everything fatal is about superblocks that can be made anew. */
static bool all_lost(const struct ads_off *o)
{
	for (size_t i = 0; i < o->nr_finding; i++)
		if (o->finding[i].level == ADS_OFF_FATAL &&
		    o->finding[i].heal != ADS_OFF_REPAIR)
			return false;
	return true;
}

static void dead(const struct gathered *p, struct verdict *v, const char *name)
{
	const struct ads_off *o = p->off;
	const struct ads_off_finding *f = first(o, ADS_OFF_FATAL, NULL);

	v->exit_code = CTL_DEAD;
	v->word = "no";
	v->text = "would not activate";
	snprintf(v->why, sizeof(v->why), "%s", f->text);
	if (all_lost(o))
		snprintf(v->action, sizeof(v->action),
			 "adshardctl repair %s; see \"%s\" in Documentation/recovery.rst",
			 name, procedure("super-lost"));
	else
		see(v, "", f->kind);
}

static void alive(const struct gathered *p, struct verdict *v)
{
	const struct ads_off *o = p->off;
	const struct ads_off_finding *f;

	v->exit_code = CTL_OK;
	v->word = o->forward ? "roll-forward" : "yes";
	v->text = o->forward ? "would activate with a roll forward" :
			       "would activate";
	f = first(o, ADS_OFF_NOTE, "behind");
	if (!f)
		f = first(o, ADS_OFF_DAMAGE, NULL);
	if (o->forward && f)
		snprintf(v->why, sizeof(v->why), "%s", f->text);
	else
		snprintf(v->why, sizeof(v->why),
			 "member %u's table %u and the records up to %llu tell its state, and all that is needed is there",
			 o->chosen->sb.index, o->area,
			 (unsigned long long)o->end.seq);
	snprintf(v->action, sizeof(v->action), "%s", o->forward ?
		 "none; activation brings all members to the same state" :
		 "none");
	if (p->active) {
		v->word = "active";
		v->text = "active";
		snprintf(v->why, sizeof(v->why),
			 "it is active%s%s: checked as it stands on the devices",
			 p->volume[0] ? " on " : "", p->volume);
		snprintf(v->action, sizeof(v->action), "none");
	}
}

static void damaged(const struct gathered *p, struct verdict *v,
		    const char *name)
{
	const struct ads_off *o = p->off;
	const struct ads_off_finding *f = first(o, ADS_OFF_DAMAGE, NULL);
	bool repair = false, activation = false;

	v->exit_code = CTL_DAMAGED;
	if (o->undecided) {
		f = first(o, ADS_OFF_DAMAGE, "disagree");
		snprintf(v->why, sizeof(v->why), "%s", f->text);
		see(v, "do not activate it; ", "disagree");
		return;
	}
	for (size_t i = 0; i < o->nr_finding; i++) {
		if (o->finding[i].level != ADS_OFF_DAMAGE)
			continue;
		repair |= o->finding[i].heal == ADS_OFF_REPAIR;
		activation |= o->finding[i].heal == ADS_OFF_ACTIVATION;
	}
	if (p->active)
		snprintf(v->action, sizeof(v->action),
			 "none now; when it is deactivated, 'adshardctl repair %s'",
			 name);
	else if (repair)
		snprintf(v->action, sizeof(v->action),
			 "adshardctl repair %s%s", name, activation ?
			 "; activation alone puts only some of it right" : "");
	else
		snprintf(v->action, sizeof(v->action),
			 "adshardctl activate %s puts it right, or adshardctl repair %s",
			 name, name);
	/* All copies are whole, and agree: nothing to copy from. */
	if (!repair && !activation)
		snprintf(v->action, sizeof(v->action),
			 "none; what its bad ranges should be can't be told, so reads of all of them fail until they are written");
	snprintf(v->why, sizeof(v->why), "%s", f->text);
}

void check_verdict(const struct gathered *p, struct verdict *v)
{
	char buf[ADS_UUID_STR];
	const char *name = gathered_name(p, buf);

	memset(v, 0, sizeof(*v));
	if (p->off->worst == ADS_OFF_FATAL) {
		dead(p, v, name);
		return;
	}
	alive(p, v);
	if (p->off->worst == ADS_OFF_DAMAGE)
		damaged(p, v, name);
}

/*---------------------------------------------------------------------------*/

enum { C_MEMBER, C_DEVICE, C_PART, C_SUPER, C_TABLES, C_LAST, C_STANDS };

static const struct table_col cols[] = {
	[C_MEMBER] = { "MEMBER", "index in the pool", TABLE_RIGHT },
	[C_DEVICE] = { "DEVICE", "", 0 },
	[C_PART] = { "METADATA", "", 0 },
	[C_SUPER] = { "SUPERBLOCK", "", 0 },
	[C_TABLES] = { "TABLES", "", 0 },
	[C_LAST] = { "LAST-RECORD", "", TABLE_RIGHT },
	[C_STANDS] = { "STANDS", "", 0 },
	{ NULL, NULL, 0 },
};

static const char *part(const struct ads_off_dev *d)
{
	static const char *const names[] = {
		[ADS_OFF_PLAIN] = "none", [ADS_OFF_DROPPED] = "dropped",
		[ADS_OFF_ACTIVE] = "active",
	};

	return names[d->role];
}

static const char *super_word(const struct ads_off_dev *d)
{
	if (d->copy[0].is == ADS_OFF_GOOD && d->copy[1].is == ADS_OFF_GOOD)
		return "both";
	if (!d->has_sb)
		return d->lost ? "lost" : "none";
	return d->copy[0].is == ADS_OFF_GOOD ? "copy 0" : "copy 1";
}

static const char *stands(const struct ads_off *o, const struct ads_off_dev *d)
{
	if (!d->has_sb || d->excluded || d->role != ADS_OFF_ACTIVE)
		return "-";
	if (d == o->chosen)
		return d->in_step ? "in step, chosen" : "chosen";
	return d->in_step ? "in step" : "behind";
}

static void table_word(const struct ads_off_dev *d, int a, char *buf,
		       size_t size)
{
	const struct ads_off_table *t = &d->table[a];

	if (t->is == ADS_OFF_GOOD && t->whole)
		snprintf(buf, size, "%llu", (unsigned long long)t->at.seq);
	else
		snprintf(buf, size, "%s", t->is == ADS_OFF_BLANK ? "blank" :
			 t->is == ADS_OFF_UNREADABLE ? "unreadable" : "damaged");
}

static void print_devices(struct ctl *c, const struct ads_off *o)
{
	struct table t;

	table_init(&t, c, cols);
	for (size_t i = 0; i < o->nr; i++) {
		const struct ads_off_dev *d = o->dev[i];
		char a[24], b[24];

		table_row(&t);
		if (d->has_sb || d->lost)
			table_set(&t, C_MEMBER, "%u", d->sb.index);
		else
			table_set(&t, C_MEMBER, "-");
		table_set(&t, C_DEVICE, "%s", d->b->path);
		table_set(&t, C_PART, "%s", d->has_sb ? part(d) : "-");
		table_set(&t, C_SUPER, "%s", super_word(d));
		table_set(&t, C_TABLES, "-");
		table_set(&t, C_LAST, "-");
		if (d->probe) {
			table_word(d, 0, a, sizeof(a));
			table_word(d, 1, b, sizeof(b));
			table_set(&t, C_TABLES, "%s, %s", a, b);
			if (d->last)
				table_set(&t, C_LAST, "%llu",
					  (unsigned long long)d->last);
		}
		table_set(&t, C_STANDS, "%s", stands(o, d));
	}
	table_print(&t, "  ");
	table_free(&t);
}

void check_print(struct ctl *c, const struct gathered *p)
{
	static const enum ctl_color colors[] = { CTL_PLAIN, CTL_WARN, CTL_BAD };
	const struct ads_off *o = p->off;
	char buf[ADS_UUID_STR];
	struct verdict v;

	check_verdict(p, &v);
	printf("   pool: %s (%s)", p->name[0] ? p->name : "-",
	       ads_format_uuid(p->uuid, buf));
	if (o->chosen)
		printf(", %u members, %u segments, record %llu of term %llu",
		       o->st.nr_members, o->st.nr_segments,
		       (unsigned long long)o->end.seq,
		       (unsigned long long)o->end.term);
	printf("\nverdict: %s%s%s%s\n",
	       ctl_color(c, v.exit_code == CTL_DEAD ? CTL_BAD :
			 v.exit_code ? CTL_WARN : CTL_GOOD), v.text,
	       v.exit_code == CTL_DAMAGED ? ", but a copy is damaged" : "",
	       ctl_color(c, CTL_PLAIN));
	printf("    why: %s\n action: %s\n\n", v.why, v.action);
	print_devices(c, o);
	if (o->nr_finding)
		putchar('\n');
	for (size_t i = 0; i < o->nr_finding; i++) {
		const struct ads_off_finding *f = &o->finding[i];

		printf(" %s%6s%s: %s\n", ctl_color(c, colors[f->level]),
		       levels[f->level], ctl_color(c, CTL_PLAIN), f->text);
	}
}

/*---------------------------------------------------------------------------*/

static void json_device(struct json_object *e, const struct ads_off *o,
			const struct ads_off_dev *d)
{
	static const char *const kinds[] = {
		[ADS_OFF_BLANK] = "blank", [ADS_OFF_BAD] = "damaged",
		[ADS_OFF_UNREADABLE] = "unreadable", [ADS_OFF_ODD] = "odd",
		[ADS_OFF_GOOD] = "whole",
	};
	bool known = d->has_sb || d->lost;
	struct json_object *list;

	ads_json_str(e, "device", d->b->path);
	if (known)
		ads_json_u64(e, "member", d->sb.index);
	else
		ads_json_null(e, "member");
	if (known)
		ads_json_uuid(e, "uuid", d->sb.uuid);
	else
		ads_json_null(e, "uuid");
	ads_json_bool(e, "superblock_lost", d->lost);
	ads_json_bool(e, "excluded", d->excluded);
	ads_json_str(e, "metadata", d->has_sb ? part(d) : NULL);
	list = ads_json_arr(e, "superblocks");
	for (int i = 0; i < 2; i++) {
		struct json_object *s = ads_json_push(list);

		ads_json_str(s, "state", kinds[d->copy[i].is]);
		if (d->copy[i].is == ADS_OFF_GOOD)
			ads_json_u64(s, "sequence", d->copy[i].s.seq);
		else
			ads_json_null(s, "sequence");
	}
	list = ads_json_arr(e, "tables");
	for (int i = 0; d->probe && i < 2; i++) {
		const struct ads_off_table *t = &d->table[i];
		struct json_object *s = ads_json_push(list);

		ads_json_str(s, "state", t->is == ADS_OFF_GOOD && !t->whole ?
			     "damaged" : kinds[t->is]);
		if (t->is == ADS_OFF_GOOD)
			ads_json_u64(s, "sequence", t->at.seq);
		else
			ads_json_null(s, "sequence");
		if (t->is == ADS_OFF_GOOD)
			ads_json_u64(s, "leads_to", t->end.seq);
		else
			ads_json_null(s, "leads_to");
	}
	if (d->probe && d->last)
		ads_json_u64(e, "last_record", d->last);
	else
		ads_json_null(e, "last_record");
	ads_json_bool(e, "chosen", d == o->chosen);
	if (d->has_sb && d->role == ADS_OFF_ACTIVE)
		ads_json_bool(e, "in_step", d->in_step);
	else
		ads_json_null(e, "in_step");
}

void check_json(struct json_object *o, const struct gathered *p)
{
	const struct ads_off *off = p->off;
	struct json_object *list;
	struct verdict v;

	check_verdict(p, &v);
	if (off->has_geo)
		ads_json_uuid(o, "uuid", p->uuid);
	else
		ads_json_null(o, "uuid");
	ads_json_str(o, "name", p->name[0] ? p->name : NULL);
	ads_json_bool(o, "active", p->active);
	ads_json_str(o, "activates", v.word);
	ads_json_i64(o, "exit_code", v.exit_code);
	ads_json_str(o, "why", v.why);
	ads_json_str(o, "action", v.action);
	if (off->chosen) {
		ads_json_u64(o, "record_sequence", off->end.seq);
		ads_json_u64(o, "term", off->end.term);
		ads_json_u64(o, "segments", off->st.nr_segments);
		ads_json_u64(o, "bad_ranges", off->nr_bad);
		ads_json_u64(o, "bad_bytes", off->bad_sectors * 512);
		ads_json_u64(o, "bad_leftovers", off->nr_leftover);
	} else {
		ads_json_null(o, "record_sequence");
		ads_json_null(o, "term");
		ads_json_null(o, "segments");
		ads_json_null(o, "bad_ranges");
		ads_json_null(o, "bad_bytes");
		ads_json_null(o, "bad_leftovers");
	}
	list = ads_json_arr(o, "devices");
	for (size_t i = 0; i < off->nr; i++)
		json_device(ads_json_push(list), off, off->dev[i]);
	list = ads_json_arr(o, "findings");
	for (size_t i = 0; i < off->nr_finding; i++) {
		const struct ads_off_finding *f = &off->finding[i];
		struct json_object *e = ads_json_push(list);

		ads_json_str(e, "level", levels[f->level]);
		ads_json_str(e, "kind", f->kind);
		ads_json_str(e, "device", f->dev ? f->dev->b->path : NULL);
		if (f->member >= 0)
			ads_json_i64(e, "member", f->member);
		else
			ads_json_null(e, "member");
		ads_json_str(e, "text", f->text);
		ads_json_str(e, "healed_by", heals[f->heal]);
	}
}
