// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table line; see uapi/linux/dm-adshard.h.
 */
#include <linux/ctype.h>
#include <linux/log2.h>

#include "pool.h"
#include "target.h"

static int bad(struct dm_target *ti, char *why)
{
	ti->error = why;
	return -EINVAL;
}

static int parse_shift(const char *s, u8 min, u8 max, u8 *shift)
{
	u64 sectors;

	if (kstrtou64(s, 10, &sectors) || !is_power_of_2(sectors) ||
	    sectors < 1ULL << min || sectors > 1ULL << max)
		return -EINVAL;
	*shift = ilog2(sectors);
	return 0;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= ADSHARD_NAME_SIZE)
		return false;
	for (; *name; name++)
		if (!isascii(*name) ||
		    (!isalnum(*name) && !strchr("-_.+", *name)))
			return false;
	return true;
}

/* Feature arguments of a reload, that change who is a member. */
static int parse_change(struct dm_target *ti, const char *key,
			const char *value, struct ads_args *args)
{
	u64 n;

	if (args->create)
		return bad(ti, "join, spares, forget, shrink_from: for an active pool");
	if (!strcmp(key, "shrink_from")) {
		if (kstrtou64(value, 10, &args->shrink_from) ||
		    !args->shrink_from)
			return bad(ti, "Invalid number of sectors after shrink_from");
		return 0;
	}
	if (kstrtou64(value, 10, &n))
		return bad(ti, "Invalid number after join, spares or forget");
	if (!strcmp(key, "forget")) {
		if (n >= ADSHARD_MAX_MEMBERS)
			return bad(ti, "Invalid member to forget (0 to 1023)");
		if (args->nr_forget == ADS_TXN_MAX)
			return bad(ti, "Too many members to forget at once (up to 8)");
		args->forget[args->nr_forget++] = n;
	} else if (!strcmp(key, "join")) {
		/* One of them at least is a member already: it tells the layout. */
		if (n > ADS_TXN_MAX || n >= args->nr_devs)
			return bad(ti, "Invalid join (up to 8, and less than <#members>)");
		args->nr_join = n;
	} else {
		if (n > ADS_TXN_MAX)
			return bad(ti, "Invalid spares (up to 8)");
		args->nr_spares = n;
	}
	return 0;
}

static int parse_feature(struct dm_target *ti, struct dm_arg_set *as,
			 unsigned int *nr, struct ads_args *args)
{
	const char *key = dm_shift_arg(as), *value;

	(*nr)--;
	if (!strcmp(key, "degraded")) {
		if (args->create)
			return bad(ti, "A new pool can't be degraded");
		args->degraded = true;
		return 0;
	}
	if (strcmp(key, "uuid") && strcmp(key, "segment_size") &&
	    strcmp(key, "chunk_size") && strcmp(key, "name") &&
	    strcmp(key, "join") && strcmp(key, "spares") &&
	    strcmp(key, "forget") && strcmp(key, "shrink_from") &&
	    strcmp(key, "replicas"))
		return bad(ti, "Unknown feature argument");
	if (!*nr)
		return bad(ti, "Feature argument without its value");
	value = dm_shift_arg(as);
	(*nr)--;
	if (!strcmp(key, "join") || !strcmp(key, "spares") ||
	    !strcmp(key, "forget") || !strcmp(key, "shrink_from"))
		return parse_change(ti, key, value, args);
	if (!args->create)
		return bad(ti, "Feature arguments are for a new pool (\"-\") only");

	if (!strcmp(key, "uuid")) {
		if (uuid_parse(value, &args->format.uuid) ||
		    uuid_is_null(&args->format.uuid))
			return bad(ti, "Invalid uuid");
	} else if (!strcmp(key, "segment_size")) {
		if (parse_shift(value, ADSHARD_SEGMENT_SHIFT_MIN,
				ADSHARD_SEGMENT_SHIFT_MAX,
				&args->format.segment_shift))
			return bad(ti, "Invalid segment_size (a power of two, 2048 to 33554432)");
	} else if (!strcmp(key, "chunk_size")) {
		if (parse_shift(value, ADSHARD_CHUNK_SHIFT_MIN,
				ADSHARD_CHUNK_SHIFT_MAX,
				&args->format.chunk_shift))
			return bad(ti, "Invalid chunk_size (a power of two, 128 to 2048)");
	} else if (!strcmp(key, "replicas")) {
		if (kstrtou8(value, 10, &args->format.replicas) ||
		    !args->format.replicas ||
		    args->format.replicas > ADSHARD_MAX_LEGS)
			return bad(ti, "Invalid replicas (1 to 4)");
	} else {
		if (!name_ok(value))
			return bad(ti, "Invalid name (1 to 63 letters, digits, \"-_.+\")");
		strscpy(args->format.name, value, sizeof(args->format.name));
	}
	return 0;
}

static void default_chunk(struct ads_format *f)
{
	if (f->chunk_shift)
		return;
	f->chunk_shift = clamp_t(int, f->segment_shift - 4,
				 ADSHARD_CHUNK_SHIFT_MIN,
				 ADSHARD_CHUNK_SHIFT_MAX);
}

int ads_args_parse(struct dm_target *ti, unsigned int argc, char **argv,
		   struct ads_args *args)
{
	static const struct dm_arg members[] = {
		{ 1, ADSHARD_MAX_MEMBERS, "Invalid number of members (1 to 1024)" },
	};
	static const struct dm_arg features[] = {
		{ 0, 24, "Invalid number of feature arguments" },
	};
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	unsigned int nr;
	const char *uuid;
	int r;

	memset(args, 0, sizeof(*args));
	args->format.segment_shift = ADSHARD_SEGMENT_SHIFT_DEFAULT;
	if (argc < 3)
		return bad(ti, "Too few arguments: <pool uuid or -> <#members> <dev>...");

	uuid = dm_shift_arg(&as);
	args->create = !strcmp(uuid, "-");
	if (args->create)
		uuid_gen(&args->format.uuid);
	else if (uuid_parse(uuid, &args->format.uuid))
		return bad(ti, "Invalid pool uuid");

	r = dm_read_arg(members, &as, &args->nr_devs, &ti->error);
	if (r)
		return r;
	if (as.argc < args->nr_devs)
		return bad(ti, "Fewer devices than <#members> says");
	args->devs = as.argv;
	dm_consume_args(&as, args->nr_devs);

	if (as.argc) {
		r = dm_read_arg_group(features, &as, &nr, &ti->error);
		if (r)
			return r;
		while (nr) {
			r = parse_feature(ti, &as, &nr, args);
			if (r)
				return r;
		}
	}
	if (as.argc)
		return bad(ti, "Too many arguments");

	if (args->nr_spares > args->nr_join)
		return bad(ti, "More spares than devices that join");
	if (args->format.replicas > args->nr_devs)
		return bad(ti, "Fewer members than replicas");
	default_chunk(&args->format);
	if (args->format.chunk_shift > args->format.segment_shift)
		return bad(ti, "chunk_size is greater than segment_size");
	return 0;
}
