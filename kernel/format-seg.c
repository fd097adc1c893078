// SPDX-License-Identifier: GPL-2.0-only
/*
 * The codec of the on-disk format: segments. See format.h.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#endif

#include "format.h"

static int leg_decode(const struct adshard_leg *d, struct ads_fmt_seg *s,
		      const char **why)
{
	struct ads_fmt_leg *leg = &s->leg[s->nr_legs];
	unsigned int i;

	if (d->flags)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of a leg");
	leg->member = le16_to_cpu(d->member);
	leg->chunk = le32_to_cpu(d->chunk);
	leg->state = d->state;
	switch (d->state) {
	case ADSHARD_LEG_FILLING:
		return 0;		/* thrown away */
	case ADSHARD_LEG_SYNC:
		s->in_sync++;
		break;
	case ADSHARD_LEG_STALE:
		break;
	default:
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown state of a leg");
	}
	for (i = 0; i < s->nr_legs; i++)
		if (s->leg[i].member == leg->member)
			return ads_fmt_bad(why, -EINVAL,
					   "two legs on one member");
	s->nr_legs++;
	return 0;
}

int ads_fmt_seg_decode(const struct adshard_seg *d, struct ads_fmt_seg *s,
		       const char **why)
{
	unsigned int i;
	int err;

	memset(s, 0, sizeof(*s));
	if (d->kind == ADSHARD_SEG_UNUSED)
		return -ENOENT;
	if (d->kind != ADSHARD_SEG_LEGS)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown kind of segment");
	if (d->flags & ~ADSHARD_SEG_F_INTENT || d->aux)
		return ads_fmt_bad(why, -EOPNOTSUPP, "unknown flags of a segment");
	if (!d->nr_legs || d->nr_legs > ADSHARD_MAX_LEGS)
		return ads_fmt_bad(why, -EINVAL, "number of legs out of range");
	if (d->wanted > ADSHARD_MAX_LEGS)
		return ads_fmt_bad(why, -EINVAL,
				   "number of wanted legs out of range");
	s->wanted = d->wanted ? d->wanted : 1;
	for (i = 0; i < d->nr_legs; i++) {
		err = leg_decode(&d->leg[i], s, why);
		if (err)
			return err;
	}
	if (!s->in_sync)
		return ads_fmt_bad(why, -EINVAL, "no leg in sync");
	if (s->leg[0].state != ADSHARD_LEG_SYNC)
		return ads_fmt_bad(why, -EINVAL, "the first leg is not in sync");
	s->intent = d->flags & ADSHARD_SEG_F_INTENT;
	/* One can't differ from itself. */
	if (s->in_sync < 2)
		s->intent = false;
	/* What is left of one that was thrown away is of no concern. */
	memset(&s->leg[s->nr_legs], 0,
	       (ADSHARD_MAX_LEGS - s->nr_legs) * sizeof(s->leg[0]));
	return 0;
}

void ads_fmt_seg_encode(const struct ads_fmt_seg *s, struct adshard_seg *d)
{
	unsigned int i;

	memset(d, 0, sizeof(*d));
	d->kind = ADSHARD_SEG_LEGS;
	d->nr_legs = s->nr_legs;
	d->flags = s->intent ? ADSHARD_SEG_F_INTENT : 0;
	d->wanted = s->wanted > 1 ? s->wanted : 0;
	for (i = 0; i < s->nr_legs; i++) {
		d->leg[i].chunk = cpu_to_le32(s->leg[i].chunk);
		d->leg[i].member = cpu_to_le16(s->leg[i].member);
		d->leg[i].state = s->leg[i].state;
	}
}

void ads_fmt_seg_plain(struct adshard_seg *d, u16 member, u32 chunk)
{
	struct ads_fmt_seg s = {
		.nr_legs = 1,
		.in_sync = 1,
		.wanted = 1,
		.leg[0] = { .chunk = chunk, .member = member,
			    .state = ADSHARD_LEG_SYNC },
	};

	ads_fmt_seg_encode(&s, d);
}
