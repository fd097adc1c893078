// SPDX-License-Identifier: GPL-2.0-or-later
#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "meta.h"
#include "text.h"

struct reader {
	int fd;
	const char *dev;
	const struct ads_super *sb;
	struct ads_err *err;
};

static int read_blocks(struct reader *r, uint64_t block, uint32_t nr,
		       void *buf)
{
	size_t have = 0, want = (size_t)nr * ADSHARD_BLOCK_SIZE;

	while (have < want) {
		ssize_t n = pread(r->fd, (char *)buf + have, want - have,
				  block * ADSHARD_BLOCK_SIZE + have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ads_err(r->err, n ? -errno : -EIO,
				       "%s: its metadata can't be read: %s",
				       r->dev, strerror(n ? errno : EIO));
		have += n;
	}
	return 0;
}

/* magic and crc stand first in tables, bodies and records alike */
static bool block_valid(struct reader *r, const void *data, uint64_t block,
			uint32_t magic)
{
	const struct adshard_table *t = data;

	return le32toh(t->magic) == magic &&
	       le32toh(t->crc) ==
	       ads_block_crc(r->sb->pool_uuid, r->sb->member_uuid, block, data,
			     offsetof(struct adshard_table, crc));
}

static void take_state(struct ads_meta *m, const struct adshard_state *s)
{
	m->seq = le64toh(s->seq);
	m->term = le64toh(s->term);
	m->history = le64toh(s->history);
	m->time = le64toh(s->time);
	m->volume_sectors = le64toh(s->volume_sectors);
	m->nr_segments = le32toh(s->nr_segments);
	m->nr_members = le32toh(s->nr_members);
	for (int i = 0; i < ADSHARD_META_MEMBERS; i++)
		m->meta_member[i] = le16toh(s->meta_member[i]);
	m->meta_active = s->meta_active;
}

static void take_member(struct ads_meta *m, uint32_t index,
			const struct adshard_member *d)
{
	static const uint8_t zero[ADSHARD_UUID_SIZE];
	struct ads_meta_member *o;

	if (index >= ADSHARD_MAX_MEMBERS)
		return;
	o = &m->member[index];
	memset(o, 0, sizeof(*o));
	o->used = memcmp(d->uuid, zero, sizeof(zero));
	memcpy(o->uuid, d->uuid, sizeof(o->uuid));
	o->sectors = le64toh(d->sectors);
	o->state = d->state;
	memcpy(o->domain, d->domain, sizeof(o->domain) - 1);
	memcpy(o->location, d->location, sizeof(o->location) - 1);
	ads_text_clean(o->domain);
	ads_text_clean(o->location);
}

static int read_members(struct reader *r, uint64_t area, void *buf,
			struct ads_meta *m)
{
	uint32_t blocks = (r->sb->max_members + ADSHARD_MEMBERS_PER_BLOCK - 1) /
			  ADSHARD_MEMBERS_PER_BLOCK;

	for (uint32_t b = 0; b < blocks; b++) {
		const struct adshard_body *body = buf;
		int rc = read_blocks(r, area + 1 + b, 1, buf);

		if (rc)
			return rc;
		if (!block_valid(r, buf, area + 1 + b, ADSHARD_TABLE_MAGIC) ||
		    le32toh(body->kind) != ADSHARD_BODY_MEMBERS)
			return ads_err(r->err, -EBADMSG,
				       "%s: a block of its member table is damaged",
				       r->dev);
		for (int i = 0; i < ADSHARD_MEMBERS_PER_BLOCK; i++)
			take_member(m, le32toh(body->first) + i,
				    &body->u.members[i]);
	}
	return 0;
}

static void apply(struct ads_meta *m, const struct adshard_record *rec)
{
	size_t pos = 0, bytes = le16toh(rec->bytes);

	if (bytes > sizeof(rec->entries))
		return;
	take_state(m, &rec->state);
	for (int i = 0; i < le16toh(rec->nr_entries); i++) {
		const struct adshard_entry *e = (const void *)
						&rec->entries[pos];
		size_t len;

		if (pos + sizeof(*e) > bytes)
			return;
		len = le16toh(e->bytes);
		if (pos + sizeof(*e) + len > bytes)
			return;
		if (le16toh(e->type) == ADSHARD_ENTRY_MEMBER &&
		    len >= sizeof(struct adshard_member))
			take_member(m, le32toh(e->index),
				    (const void *)(e + 1));
		pos += sizeof(*e) + ((len + 7) & ~(size_t)7);
	}
}

/* Records behind the table, as far as their chain goes without a hole. */
static int replay(struct reader *r, struct ads_meta *m)
{
	uint32_t nr = r->sb->journal_blocks;
	char *ring = aligned_alloc(4096, (size_t)nr * ADSHARD_BLOCK_SIZE);
	int rc;

	if (!ring)
		return -ENOMEM;
	rc = read_blocks(r, r->sb->journal_block, nr, ring);
	/* One bad sector must not hide the good blocks around it. */
	for (uint32_t i = 0; rc && i < nr; i++) {
		char *at = ring + (size_t)i * ADSHARD_BLOCK_SIZE;

		if (read_blocks(r, (uint64_t)r->sb->journal_block + i, 1, at))
			memset(at, 0, ADSHARD_BLOCK_SIZE);
	}
	rc = 0;
	for (uint32_t i = 0; i < nr; i++) {
		const struct adshard_record *rec =
			(void *)(ring + (size_t)i * ADSHARD_BLOCK_SIZE);

		if (block_valid(r, rec, (uint64_t)r->sb->journal_block + i,
				ADSHARD_RECORD_MAGIC) &&
		    le64toh(rec->state.seq) > m->top_record)
			m->top_record = le64toh(rec->state.seq);
	}
	while (!rc) {
		uint64_t next = m->seq + 1, at = next % nr;
		const void *block = ring + at * ADSHARD_BLOCK_SIZE;
		const struct adshard_record *rec = block;

		if (!block_valid(r, block, r->sb->journal_block + at,
				 ADSHARD_RECORD_MAGIC) ||
		    le64toh(rec->state.seq) != next)
			break;
		apply(m, rec);
		if (m->seq != next)
			break;
	}
	free(ring);
	return rc;
}

static int read_table(struct reader *r, int area, void *buf, struct ads_meta *m)
{
	const struct adshard_table *t = buf;
	int rc = read_blocks(r, r->sb->table_block[area], 1, buf);

	if (rc)
		return rc;
	memset(m->member, 0, ADSHARD_MAX_MEMBERS * sizeof(*m->member));
	take_state(m, &t->state);
	return read_members(r, r->sb->table_block[area], buf, m);
}

int ads_meta_read(int fd, const char *dev, const struct ads_super *sb,
		  struct ads_meta **out, struct ads_err *err)
{
	struct reader r = { .fd = fd, .dev = dev, .sb = sb, .err = err };
	void *buf = aligned_alloc(4096, ADSHARD_BLOCK_SIZE);
	struct ads_meta *m = calloc(1, sizeof(*m));
	const struct adshard_table *t = buf;
	uint64_t seq[2] = { 0, 0 };
	int newer, rc = -ENOMEM;

	if (!buf || !m)
		goto out;
	m->member = calloc(ADSHARD_MAX_MEMBERS, sizeof(*m->member));
	if (!m->member)
		goto out;
	for (int i = 0; i < 2; i++) {
		rc = read_blocks(&r, sb->table_block[i], 1, buf);
		if (!rc && block_valid(&r, buf, sb->table_block[i],
				       ADSHARD_TABLE_MAGIC))
			seq[i] = le64toh(t->state.seq);
	}
	if (!seq[0] && !seq[1]) {
		if (!rc)
			rc = ads_err(err, -ENODATA,
				     "%s carries no metadata of the pool", dev);
		goto out;
	}
	/* The newer one; if that is damaged, the older one. */
	newer = seq[1] > seq[0];
	rc = read_table(&r, newer, buf, m);
	if (rc && seq[!newer])
		rc = read_table(&r, !newer, buf, m);
	if (!rc)
		rc = replay(&r, m);
	if (!rc && m->nr_members > ADSHARD_MAX_MEMBERS)
		rc = ads_err(err, -EBADMSG, "%s: its metadata makes no sense",
			     dev);
out:
	free(buf);
	if (rc)
		ads_meta_free(m);
	else
		*out = m;
	return rc;
}

void ads_meta_free(struct ads_meta *m)
{
	if (!m)
		return;
	free(m->member);
	free(m);
}
