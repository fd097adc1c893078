// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/collect/smart-scan.h"
#include "daemon/log.h"
#include "lib/json.h"

#define MAX_FOUND	256
#define MAX_OUTPUT	(1 << 20)
#define AGAIN		86400.0		/* seconds */
#define WORD		160

struct smart_scan {
	struct adshardd *daemon;
	struct child *child;
	bool running;
	double started;			/* monotonic */
	struct smart_target *todo;	/* to be asked who they are */
	size_t nr_todo, at;
	struct smart_found *found;
	size_t nr_found;
	bool told;
};

/* -- what is said ------------------------------------------------------------------ */

/* The next word; false at the end. */
static bool next_word(const char **s, char word[WORD])
{
	size_t n;

	*s += strspn(*s, " \t");
	n = strcspn(*s, " \t");
	snprintf(word, WORD, "%.*s", (int)n, *s);
	*s += n;
	return n > 0;
}

/* "sdb=megaraid,3@/dev/bus/0" */
static bool split(char *word, char **disk, struct smart_target *out)
{
	char *type = strchr(word, '='), *device;

	if (!type || type == word || !type[1])
		return false;
	*type++ = 0;
	*disk = strncmp(word, "/dev/", 5) ? word : word + 5;
	device = strchr(type, '@');
	if (device)
		*device++ = 0;
	/* it goes onto a command line: nothing that looks like an option */
	if (!**disk || *type == '-' || !*type || (device && *device != '/') ||
	    strlen(type) >= sizeof(out->type) ||
	    (device && strlen(device) >= sizeof(out->device)))
		return false;
	snprintf(out->type, sizeof(out->type), "%s", type);
	if (device)
		snprintf(out->device, sizeof(out->device), "%s", device);
	else
		snprintf(out->device, sizeof(out->device), "/dev/%.60s", *disk);
	return true;
}

bool smart_devices_check(const char *devices, char *bad, size_t size)
{
	struct smart_target t;
	char word[WORD], *disk;

	while (next_word(&devices, word)) {
		snprintf(bad, size, "%s", word);
		if (strcmp(word, "auto") && strcmp(word, "none") &&
		    !split(word, &disk, &t))
			return false;
	}
	return true;
}

bool smart_devices_auto(const char *devices)
{
	char word[WORD];

	while (next_word(&devices, word))
		if (!strcmp(word, "auto"))
			return true;
	return false;
}

bool smart_devices_find(const char *devices, const char *disk,
			struct smart_target *out)
{
	char word[WORD], *name;

	if (!strncmp(disk, "/dev/", 5))
		disk += 5;
	while (next_word(&devices, word))
		if (split(word, &name, out) && !strcmp(name, disk))
			return true;
	return false;
}

/* -- what smartctl says -------------------------------------------------------------- */

static struct json_object *parse(const char *json, size_t len)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;

	o = tok ? json_tokener_parse_ex(tok, json, (int)len) : NULL;
	if (tok)
		json_tokener_free(tok);
	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

size_t smart_scan_parse(const char *json, size_t len, struct smart_target *out,
			size_t max)
{
	struct json_object *root = parse(json, len);
	struct json_object *list = root ? ads_json_get(root, "devices") : NULL;
	size_t n = 0;

	for (size_t i = 0; json_object_is_type(list, json_type_array) &&
			   i < json_object_array_length(list) && n < max; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *name, *type;

		/* "megaraid,3", "cciss,0", "areca,1/2": all others are disks
		 * of their own */
		if (!json_object_is_type(o, json_type_object) ||
		    !ads_json_get_str(o, "name", &name) ||
		    !ads_json_get_str(o, "type", &type) || *name != '/' ||
		    *type == '-' || !strchr(type, ',') ||
		    strlen(name) >= sizeof(out->device) ||
		    strlen(type) >= sizeof(out->type))
			continue;
		snprintf(out[n].device, sizeof(out->device), "%s", name);
		snprintf(out[n++].type, sizeof(out->type), "%s", type);
	}
	json_object_put(root);
	return n;
}

bool smart_scan_identity(const char *json, size_t len, struct smart_found *f)
{
	struct json_object *root = parse(json, len), *wwn;
	int64_t naa, oui, id;
	const char *s;

	f->serial[0] = f->wwn[0] = 0;
	if (!root)
		return false;
	if (ads_json_get_str(root, "serial_number", &s))
		snprintf(f->serial, sizeof(f->serial), "%s", s);
	wwn = ads_json_get(root, "wwn");
	if (wwn && ads_json_get_i64(wwn, "naa", &naa) &&
	    ads_json_get_i64(wwn, "oui", &oui) &&
	    ads_json_get_i64(wwn, "id", &id))
		snprintf(f->wwn, sizeof(f->wwn), "naa.%llx%06llx%09llx",
			 (unsigned long long)naa, (unsigned long long)oui,
			 (unsigned long long)id);
	else if (ads_json_get_str(root, "logical_unit_id", &s) &&
		 !strncmp(s, "0x", 2))
		snprintf(f->wwn, sizeof(f->wwn), "naa.%.34s", s + 2);
	json_object_put(root);
	return f->serial[0] || f->wwn[0];
}

bool smart_scan_matches(const struct smart_found *f, const char *serial,
			const char *wwid)
{
	return (f->serial[0] && !strcmp(f->serial, serial)) ||
	       (f->wwn[0] && !strcasecmp(f->wwn, wwid));
}

/* -- asking it -------------------------------------------------------------------- */

static void ask_next(struct smart_scan *s);

static void on_identity(const struct child_result *res, void *arg)
{
	struct smart_scan *s = arg;
	struct smart_found f = { .target = s->todo[s->at++] }, *more;

	s->running = false;
	if (!res->error && smart_scan_identity(res->output, res->len, &f)) {
		more = reallocarray(s->found, s->nr_found + 1, sizeof(*more));
		if (more) {
			s->found = more;
			s->found[s->nr_found++] = f;
		}
	}
	/* one that hangs costs its own answer, and time of nobody */
	ask_next(s);
}

static void ask_next(struct smart_scan *s)
{
	const struct config *c = s->daemon->config;
	char *argv[7] = { (char *)c->smart.command, "--json", "-i", "-d" };

	if (s->at == s->nr_todo) {
		if (s->nr_found && !s->told)
			log_info("SMART", "%zu disks behind controllers",
				 s->nr_found);
		s->told |= s->nr_found > 0;
		return;
	}
	/* the one before may sit in the kernel for ever: it is left to itself */
	if (child_lingers(&s->child))
		child_forget(&s->child);
	argv[4] = s->todo[s->at].type;
	argv[5] = s->todo[s->at].device;
	if (!child_start(s->daemon->event, argv, (unsigned int)c->smart.timeout,
			 MAX_OUTPUT, on_identity, s, &s->child))
		s->running = true;
}

static void on_scan(const struct child_result *res, void *arg)
{
	struct smart_scan *s = arg;

	s->running = false;
	if (res->error)
		return;
	free(s->todo);
	s->at = s->nr_todo = 0;
	s->todo = calloc(MAX_FOUND, sizeof(*s->todo));
	if (!s->todo)
		return;
	s->nr_todo = smart_scan_parse(res->output, res->len, s->todo, MAX_FOUND);
	s->nr_found = 0;
	ask_next(s);
}

static void start(struct adshardd *d)
{
	const struct config *c = d->config;
	char *argv[] = { (char *)c->smart.command, "--json", "--scan-open", NULL };
	struct smart_scan *s = d->smart_scan;

	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return;
		s->daemon = d;
		d->smart_scan = s;
	} else if (s->running || now_mono() - s->started < AGAIN) {
		return;
	}
	s->started = now_mono();
	if (child_lingers(&s->child))
		child_forget(&s->child);
	if (!child_start(d->event, argv, (unsigned int)c->smart.timeout,
			 MAX_OUTPUT, on_scan, s, &s->child))
		s->running = true;
}

void smart_scan_target(struct member *m, struct smart_target *out)
{
	struct adshardd *d = m->daemon;
	const char *devices = d->config->smart.devices;

	if (smart_devices_find(devices, m->disk, out))
		return;
	if (smart_devices_auto(devices) && !d->once) {
		start(d);
		for (size_t i = 0; d->smart_scan &&
				   i < d->smart_scan->nr_found; i++)
			if (smart_scan_matches(&d->smart_scan->found[i],
					       m->dev.serial, m->dev.wwid)) {
				*out = d->smart_scan->found[i].target;
				return;
			}
	}
	snprintf(out->device, sizeof(out->device), "%s", m->disk);
	out->type[0] = 0;
}

void smart_scan_free(struct smart_scan *s)
{
	if (!s)
		return;
	child_forget(&s->child);
	free(s->todo);
	free(s->found);
	free(s);
}
