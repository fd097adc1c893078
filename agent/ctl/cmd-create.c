// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * adshardctl create: a new pool on blank devices.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <uuid/uuid.h>

#include "lib/blank.h"
#include "lib/dev.h"
#include "lib/dm.h"
#include "lib/kmsg.h"
#include "lib/layout.h"
#include "lib/units.h"

#include "verbs.h"

static const struct ctl_opt opts[] = {
	{ 's', "size", "SIZE", "of the volume; default: as much as fits" },
	{ 'S', "segment-size", "SIZE", "power of two, 1M to 16G; default 1G" },
	{ 'C', "chunk-size", "SIZE", "power of two, 64K to 1M; default 1M, or a sixteenth of a segment" },
	{ 'R', "reserve", "HOW", "room kept for evacuations: auto (the largest member), 20% or SIZE" },
	{ 'c', "replicas", "NUMBER", "copies of each segment, on as many members; 1 to 4, default 1" },
	{ 'W', "wipe", NULL, "erase what is on the devices" },
	{ 'N', "dry-run", NULL, "only say what would be done" },
	{ 0, NULL, NULL, NULL },
};

struct create {
	struct ctl *c;
	const char *name;
	char **dev;
	unsigned int nr;
	uint64_t *dev_size;
	uint32_t *dev_major, *dev_minor;
	uint64_t size, segment_size, chunk_size;
	unsigned int copies;
	const char *reserve;
	bool wipe, dry;
	uint8_t uuid[ADS_UUID_LEN];
	struct ads_layout layout;
	uint64_t slots;
	uint32_t wanted_reserve;	/* segments */
};

static bool power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

static void check_sizes(struct create *k)
{
	struct ctl *c = k->c;

	if (!k->segment_size)
		k->segment_size = 1ULL << 30;
	if (!power_of_two(k->segment_size) || k->segment_size < 1 << 20 ||
	    k->segment_size > 16ULL << 30)
		ctl_usage(c, "the segment size has to be a power of two from 1M to 16G");
	if (!k->chunk_size) {
		k->chunk_size = k->segment_size / 16;
		if (k->chunk_size > 1 << 20)
			k->chunk_size = 1 << 20;
	}
	if (!power_of_two(k->chunk_size) || k->chunk_size < 64 << 10 ||
	    k->chunk_size > 1 << 20 || k->chunk_size > k->segment_size)
		ctl_usage(c, "the chunk size has to be a power of two from 64K to 1M");
	if (k->size % 4096)
		ctl_usage(c, "the size has to be a multiple of 4096 bytes");
}

static void check_name(struct create *k)
{
	size_t len = strlen(k->name);

	if (len >= ADSHARD_NAME_SIZE)
		ctl_usage(k->c, "the name is longer than %d characters",
			  ADSHARD_NAME_SIZE - 1);
	if (!len || !strcmp(k->name, ".") || !strcmp(k->name, "..") ||
	    k->name[0] == '-')
		ctl_usage(k->c, "'%s' is not a name", k->name);
	for (const char *p = k->name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.+", *p))
			ctl_usage(k->c, "a name consists of letters, digits and -_.+");
}

/* "auto", "25%" or a size, in segments; the percentage is of all slots. */
static uint32_t parse_reserve(struct create *k, uint64_t slots)
{
	const char *s = k->reserve;
	char *end;
	double p;

	if (!s || !strcmp(s, "auto"))
		/* Where every segment is on every member, none can move. */
		return k->nr > k->copies ? ADS_RESERVE_AUTO : 0;
	p = strtod(s, &end);
	if (end != s && !strcmp(end, "%")) {
		if (!(p >= 0) || p >= 100)
			ctl_usage(k->c, "--reserve: %s is not from 0%% to 99%%",
				  s);
		return (uint32_t)((double)slots * p / 100 + 0.999999);
	}
	p = (double)ctl_parse_size(k->c, "--reserve", s);
	return (uint32_t)(p / (double)k->segment_size + 0.999999);
}

static int check_device(struct create *k, unsigned int i)
{
	const char *dev = k->dev[i];
	struct ads_err err = { "" };
	struct ads_blank b;
	int rc;

	rc = ads_dev_id(dev, &k->dev_major[i], &k->dev_minor[i], &err);
	if (rc)
		return ctl_fail_err(k->c, rc, &err);
	for (unsigned int o = 0; o < i; o++)
		if (k->dev_major[o] == k->dev_major[i] &&
		    k->dev_minor[o] == k->dev_minor[i])
			ctl_usage(k->c, "%s and %s are the same device",
				  k->dev[o], dev);
	rc = ads_blank_check(dev, &b, &err);
	if (rc)
		return ctl_fail_err(k->c, rc, &err);
	k->dev_size[i] = b.size;
	if (b.verdict == ADS_BLANK_BUSY)
		return ctl_fail(k->c, CTL_BUSY, "%s %s: nothing was done", dev,
				b.what);
	if (b.verdict == ADS_BLANK_DIRTY && !k->wipe)
		return ctl_fail(k->c, CTL_REFUSED,
				"%s %s: nothing was done (--wipe erases it)",
				dev, b.what);
	if (b.verdict == ADS_BLANK_DIRTY)
		ctl_warn(k->c, "%s %s: %s erased", dev, b.what,
			 k->dry ? "would be" : "is");
	return CTL_OK;
}

static uint64_t total_slots(const struct create *k, uint64_t *largest)
{
	uint64_t sum = 0;

	*largest = 0;
	for (unsigned int i = 0; i < k->nr; i++) {
		uint64_t s = ads_layout_slots(&k->layout, k->dev_size[i],
					      k->segment_size);

		sum += s;
		if (s > *largest)
			*largest = s;
	}
	return sum;
}

/* Slots that the volume takes. */
static uint64_t needed(const struct create *k)
{
	return (uint64_t)k->layout.nr_segments * k->copies;
}

/* "segments" or "segments with 2 copies each", for sentences. */
static const char *segments(const struct create *k, char *buf, size_t size)
{
	if (k->copies == 1)
		snprintf(buf, size, "segments");
	else
		snprintf(buf, size, "segments with %u copies each", k->copies);
	return buf;
}

/* More than what fits on the devices, or more than what leaves the reserve. */
static int check_room(struct create *k, uint32_t none, uint32_t most)
{
	char a[32], b[32], each[64];

	ads_format_size(k->size, false, a, sizeof(a));
	segments(k, each, sizeof(each));
	if (k->layout.nr_segments > none)
		return ctl_fail(k->c, CTL_REFUSED,
				"%s need %u %s; the devices have room for %llu%s (at most %s)",
				a, k->layout.nr_segments, each,
				k->copies == 1 ? (unsigned long long)k->slots :
				none, k->copies == 1 ? "" : " of them",
				ads_format_size(none * k->segment_size, false,
						b, sizeof(b)));
	if (k->layout.nr_segments > most)
		return ctl_fail(k->c, CTL_REFUSED,
				"%s leave no room for the reserve: at most %s, or a smaller --reserve",
				a, ads_format_size(most * k->segment_size,
						   false, b, sizeof(b)));
	return CTL_OK;
}

static void warn_room(struct create *k, uint64_t largest)
{
	uint64_t left = k->slots - needed(k);

	if (k->nr == 1)
		ctl_warn(k->c, "a pool of one member can't be evacuated");
	else if (k->nr == k->copies)
		ctl_warn(k->c, "with %u copies on %u members no member can be evacuated: there is no other for its copies",
			 k->copies, k->nr);
	else if (left < largest)
		ctl_warn(k->c, "only %llu segments stay free; emptying the largest member may take %llu",
			 (unsigned long long)left, (unsigned long long)largest);
}

/* The volume's size and layout, from what was asked for and what there is. */
static int plan(struct create *k)
{
	struct ads_layout l;
	uint32_t most, none;
	uint64_t largest;
	char a[32], b[64];

	if (k->nr < k->copies)
		return ctl_fail(k->c, CTL_REFUSED,
				"%u copies of each segment need as many devices: there %s %u (--replicas)",
				k->copies, k->nr == 1 ? "is" : "are", k->nr);
	none = ads_layout_max_segments(k->dev_size, k->nr, k->segment_size,
				       k->copies, 0, &k->layout);
	if (!none)
		return ctl_fail(k->c, CTL_REFUSED, k->copies == 1 ?
				"the devices have no room for a single segment of %s (--segment-size)" :
				"the devices have no room for as many copies of a single segment of %s (--segment-size, --replicas)",
				ads_format_size(k->segment_size, false, a,
						sizeof(a)));
	k->slots = total_slots(k, &largest);
	k->wanted_reserve = parse_reserve(k, k->slots);
	most = ads_layout_max_segments(k->dev_size, k->nr, k->segment_size,
				       k->copies, k->wanted_reserve, &l);
	if (!most)
		return ctl_fail(k->c, CTL_REFUSED,
				"with the reserve there is no room for a single segment: there are %llu (--reserve, --segment-size)",
				(unsigned long long)k->slots);
	if (!k->size)
		k->size = most * k->segment_size;
	if (ads_layout(k->size, k->segment_size, &k->layout))
		return ctl_fail(k->c, CTL_REFUSED,
				"%s are more than %u segments of %s (--segment-size)",
				ads_format_size(k->size, false, a, sizeof(a)),
				ADSHARD_MAX_SEGMENTS,
				ads_format_size(k->segment_size, false, b,
						sizeof(b)));
	k->slots = total_slots(k, &largest);
	if (check_room(k, none, most))
		return CTL_REFUSED;
	warn_room(k, largest);
	return CTL_OK;
}

static void show(struct create *k)
{
	struct json_object *list = NULL;
	char uuid[ADS_UUID_STR], a[32], b[32], free_[32], copies[32] = "";
	uint64_t left = k->slots - needed(k);

	ads_format_uuid(k->uuid, uuid);
	if (k->c->doc) {
		ads_json_bool(k->c->doc, "dry_run", k->dry);
		ads_json_str(k->c->doc, "name", k->name);
		ads_json_str(k->c->doc, "uuid", k->dry ? NULL : uuid);
		ads_json_u64(k->c->doc, "size", k->size);
		ads_json_u64(k->c->doc, "segment_size", k->segment_size);
		ads_json_u64(k->c->doc, "chunk_size", k->chunk_size);
		ads_json_u64(k->c->doc, "segments", k->layout.nr_segments);
		ads_json_u64(k->c->doc, "replicas", k->copies);
		ads_json_u64(k->c->doc, "slots", k->slots);
		ads_json_u64(k->c->doc, "free_slots", left);
		ads_json_u64(k->c->doc, "data_start", k->layout.data_start);
		list = ads_json_arr(k->c->doc, "members");
	}
	if (k->copies > 1)
		snprintf(copies, sizeof(copies), ", %u copies of each",
			 k->copies);
	ctl_say(k->c, "%s: %s in %u segments of %s (chunks of %s)%s, %s free for evacuations",
		k->name, ads_format_size(k->size, false, a, sizeof(a)),
		k->layout.nr_segments,
		ads_format_size(k->segment_size, false, b, sizeof(b)),
		ads_format_size(k->chunk_size, false, uuid, sizeof(uuid)),
		copies,
		ads_format_size(left * k->segment_size, false, free_,
				sizeof(free_)));
	for (unsigned int i = 0; i < k->nr; i++) {
		uint32_t s = ads_layout_slots(&k->layout, k->dev_size[i],
					      k->segment_size);

		if (list) {
			struct json_object *o = ads_json_push(list);

			ads_json_str(o, "device", k->dev[i]);
			ads_json_u64(o, "size", k->dev_size[i]);
			ads_json_u64(o, "slots", s);
		}
		if (!s)
			ctl_warn(k->c, "%s has no room for a single segment",
				 k->dev[i]);
		ctl_say(k->c, "  %s: %s, room for %u segments", k->dev[i],
			ads_format_size(k->dev_size[i], false, a, sizeof(a)),
			s);
	}
}

static char *table_params(const struct create *k)
{
	char uuid[ADS_UUID_STR], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "- %u", k->nr);
	for (unsigned int i = 0; i < k->nr; i++)
		fprintf(f, " %u:%u", k->dev_major[i], k->dev_minor[i]);
	/* One copy is what a module that knows of no more makes, too. */
	fprintf(f, " %d uuid %s segment_size %llu chunk_size %llu name %s",
		k->copies > 1 ? 10 : 8, ads_format_uuid(k->uuid, uuid),
		(unsigned long long)k->segment_size / 512,
		(unsigned long long)k->chunk_size / 512, k->name);
	if (k->copies > 1)
		fprintf(f, " replicas %u", k->copies);
	fclose(f);
	return text;
}

static int make(struct create *k)
{
	char uuid[ADS_UUID_STR], dm_uuid[64], why[512], *params;
	struct ads_err err = { "" };
	struct ads_dm_dev old;
	int rc, log;

	rc = ads_dm_target_present(&err);
	if (rc < 0)
		return ctl_fail_err(k->c, rc, &err);
	if (!rc)
		return ctl_fail(k->c, CTL_UNREACHABLE,
				"the adshard kernel module is not loaded (modprobe dm-adshard)");
	rc = ads_dm_info(k->name, &old, &err);
	if (rc)
		return ctl_fail_err(k->c, rc, &err);
	if (old.exists)
		return ctl_fail(k->c, CTL_REFUSED,
				"there is a mapped device called %s already",
				k->name);
	for (unsigned int i = 0; k->wipe && i < k->nr; i++) {
		rc = ads_blank_wipe(k->dev[i], &err);
		if (rc)
			return ctl_fail_err(k->c, rc, &err);
	}
	params = table_params(k);
	if (!params)
		return ctl_fail_err(k->c, -ENOMEM, NULL);
	snprintf(dm_uuid, sizeof(dm_uuid), ADS_DM_UUID_PREFIX "%s",
		 ads_format_uuid(k->uuid, uuid));
	log = ads_kmsg_open();
	rc = ads_dm_create(k->name, dm_uuid, k->size / 512, params, false,
			   &err);
	free(params);
	if (ads_kmsg_reason(log, why, sizeof(why)) && rc)
		return ctl_fail(k->c, rc == -EBUSY ? CTL_BUSY : CTL_REFUSED,
				"%s: the kernel refused: %s", k->name, why);
	return rc ? ctl_fail_err(k->c, rc, &err) : CTL_OK;
}

static int run(struct ctl *c, int argc, char **argv)
{
	struct create k = { .c = c, .copies = 1 };
	int val, rc = CTL_OK;

	while ((val = ctl_getopt(c, argc, argv)) != -1) {
		switch (val) {
		case 's':
			k.size = ctl_parse_size(c, "--size", optarg);
			if (!k.size)
				ctl_usage(c, "--size: a volume of nothing");
			break;
		case 'S':
			k.segment_size = ctl_parse_size(c, "--segment-size",
							optarg);
			break;
		case 'C':
			k.chunk_size = ctl_parse_size(c, "--chunk-size",
						      optarg);
			break;
		case 'c':
			k.copies = ctl_parse_u64(c, "--replicas", optarg,
						 UINT32_MAX);
			if (!k.copies || k.copies > ADSHARD_MAX_LEGS)
				ctl_usage(c, "--replicas: a segment has 1 to %d copies, not %s",
					  ADSHARD_MAX_LEGS, optarg);
			break;
		case 'R':
			k.reserve = optarg;
			break;
		case 'W':
			k.wipe = true;
			break;
		case 'N':
			k.dry = true;
			break;
		}
	}
	if (argc - optind < 2)
		ctl_usage(c, "a name and at least one device");
	k.name = argv[optind];
	k.dev = argv + optind + 1;
	k.nr = argc - optind - 1;
	if (k.nr > ADSHARD_MAX_MEMBERS)
		ctl_usage(c, "at most %d devices", ADSHARD_MAX_MEMBERS);
	check_name(&k);
	check_sizes(&k);
	if (k.reserve)
		parse_reserve(&k, 1);
	k.dev_size = calloc(k.nr, sizeof(*k.dev_size));
	k.dev_major = calloc(k.nr, sizeof(*k.dev_major));
	k.dev_minor = calloc(k.nr, sizeof(*k.dev_minor));
	if (!k.dev_size || !k.dev_major || !k.dev_minor)
		rc = ctl_fail_err(c, -ENOMEM, NULL);
	uuid_generate_random(k.uuid);
	/* Everything is looked at before anything is touched. */
	for (unsigned int i = 0; !rc && i < k.nr; i++)
		rc = check_device(&k, i);
	if (!rc)
		rc = plan(&k);
	if (!rc) {
		show(&k);
		if (k.dry)
			ctl_say(c, "nothing was done");
		else
			rc = make(&k);
	}
	if (!rc && !k.dry)
		ctl_say(c, "/dev/mapper/%s is ready", k.name);
	free(k.dev_size);
	free(k.dev_major);
	free(k.dev_minor);
	return rc;
}

const struct ctl_cmd ctl_create = {
	.name = "create",
	.args = "NAME DEVICE...",
	.summary = "Make a new pool of blank devices and activate it",
	.opts = opts,
	.flags = CTL_NO_POOL,
	.run = run,
};
