// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/model-priv.h"
#include "lib/super.h"

/* Takes the file apart; once something is missing all is zero. */
struct cursor {
	const uint8_t *at;
	size_t left;
	bool short_of;
};

static const void *take(struct cursor *c, size_t n)
{
	const void *p = c->at;

	if (n > c->left) {
		c->short_of = true;
		return NULL;
	}
	c->at += n;
	c->left -= n;
	return p;
}

static uint32_t take_u32(struct cursor *c)
{
	const void *p = take(c, 4);
	uint32_t v;

	if (!p)
		return 0;
	memcpy(&v, p, 4);
	return le32toh(v);
}

static float take_float(struct cursor *c)
{
	uint32_t v = take_u32(c);
	float f;

	memcpy(&f, &v, 4);
	return f;
}

static int check_head(const struct ads_model_head *h, const void *data,
		      size_t size, const char *name, struct ads_err *err)
{
	const size_t begin = offsetof(struct ads_model_head, crc) + 4;

	if (size < sizeof(*h) || memcmp(h->magic, ADS_MODEL_MAGIC, 8))
		return ads_err(err, -EBADMSG, "%s: is no model of adshard-train",
			       name);
	if (le32toh(h->version) != ADS_MODEL_VERSION)
		return ads_err(err, -EPROTONOSUPPORT, "%s: is a model of version %u, this program knows version %u",
			       name, le32toh(h->version), ADS_MODEL_VERSION);
	if (le64toh(h->size) != size)
		return ads_err(err, -EBADMSG, "%s: is %s: %zu bytes, its header says %llu",
			       name, size < le64toh(h->size) ? "cut short" :
			       "too long", size,
			       (unsigned long long)le64toh(h->size));
	if (le32toh(h->crc) != ads_crc32c(~0U, (const char *)data + begin,
					   size - begin))
		return ads_err(err, -EBADMSG, "%s: is damaged: its checksum is wrong",
			       name);
	if (le32toh(h->schema) != ads_feat_schema() ||
	    le32toh(h->nr_features) != ADS_FEAT_NR ||
	    le32toh(h->nr_cold) != ADS_COLD_STATES)
		return ads_err(err, -EPROTONOSUPPORT, "%s: was made for other features (schema %08x, this program has %08x)",
			       name, le32toh(h->schema), ads_feat_schema());
	return 0;
}

static int bad(const char *name, const char *what, struct ads_err *err)
{
	return ads_err(err, -EBADMSG, "%s: is damaged: %s", name, what);
}

static int check_trees(const struct ads_model *m, const char *name,
		       struct ads_err *err)
{
	for (uint32_t t = 0; t < m->nr_trees; t++) {
		uint32_t end = t + 1 < m->nr_trees ? m->root[t + 1] :
						     m->nr_nodes;

		if (m->root[t] >= end || end > m->nr_nodes ||
		    (t == 0 && m->root[t]))
			return bad(name, "a tree has no nodes", err);
		for (uint32_t i = m->root[t]; i < end; i++) {
			const struct ads_model_node *n = &m->node[i];

			if (!isfinite(n->leaf) || !isfinite(n->mean) ||
			    n->missing_left > 1)
				return bad(name, "a node holds no number", err);
			/* downwards only, so that every walk has an end */
			if (n->left && (n->left <= i || n->left >= end - 1))
				return bad(name, "a tree leads nowhere", err);
			if (n->left && n->feature >= ADS_FEAT_NR)
				return bad(name, "a tree asks for a feature that there is not",
					   err);
		}
	}
	return 0;
}

static int check_rest(const struct ads_model *m, const char *name,
		      struct ads_err *err)
{
	for (int h = 0; h < ADS_HORIZONS; h++) {
		const struct ads_model_knot *k = m->knot[h];

		for (uint32_t i = 0; i < m->nr_knots[h]; i++)
			if (!isfinite(k[i].margin) || !isfinite(k[i].logit) ||
			    (i && (k[i].margin <= k[i - 1].margin ||
				   k[i].logit < k[i - 1].logit)))
				return bad(name, "a calibration does not rise", err);
	}
	for (uint32_t i = 0; i < m->hazards.nr; i++) {
		const struct ads_model_hazard_row *r = &m->hazards.row[i];

		if (!isfinite(r->hazard) || !r->name[0] ||
		    memchr(r->name, 0, ADS_MODEL_NAME) == NULL ||
		    (i && strcmp(r[-1].name, r->name) >= 0))
			return bad(name, "its table of hazards", err);
	}
	for (int i = 0; i <= ADS_COLD_STATES; i++)
		if (!isfinite(m->cold[i]))
			return bad(name, "its table of states", err);
	if (!isfinite(m->base) || !isfinite(m->hazards.fleet) ||
	    !(m->monthly >= 0 && m->monthly <= 1))
		return bad(name, "its header", err);
	return 0;
}

static void take_all(struct cursor *c, struct ads_model *m)
{
	for (uint32_t i = 0; i < m->nr_trees; i++)
		m->root[i] = take_u32(c);
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		struct ads_model_node *n = &m->node[i];
		uint32_t flags;

		n->leaf = take_float(c);
		n->mean = take_float(c);
		n->left = take_u32(c);
		flags = take_u32(c);
		n->feature = flags & 0xffff;
		n->missing_left = flags >> 16;
	}
	for (int h = 0; h < ADS_HORIZONS; h++) {
		for (uint32_t i = 0; i < m->nr_knots[h]; i++) {
			m->knot[h][i].margin = take_float(c);
			m->knot[h][i].logit = take_float(c);
		}
	}
	for (uint32_t i = 0; i < m->hazards.nr; i++) {
		const void *p = take(c, ADS_MODEL_NAME);

		if (p)
			memcpy(m->hazards.row[i].name, p, ADS_MODEL_NAME);
		m->hazards.row[i].hazard = take_float(c);
	}
	for (int i = 0; i <= ADS_COLD_STATES; i++)
		m->cold[i] = take_float(c);
}

int ads_model_parse(const void *data, size_t size, const char *name,
		    struct ads_model **out, struct ads_err *err)
{
	struct ads_model_head h = { 0 };
	struct cursor c;
	struct ads_model *m;
	int r;

	if (size > ADS_MODEL_MAX_SIZE)
		return ads_err(err, -EFBIG, "%s: is too large for a model: more than %d MiB",
			       name, ADS_MODEL_MAX_SIZE >> 20);
	memcpy(&h, data, size < sizeof(h) ? size : sizeof(h));
	r = check_head(&h, data, size, name, err);
	if (r)
		return r;
	m = calloc(1, sizeof(*m));
	if (!m)
		return ads_err(err, -ENOMEM, "%s: no memory", name);
	m->nr_trees = le32toh(h.nr_trees);
	m->nr_nodes = le32toh(h.nr_nodes);
	m->hazards.nr = le32toh(h.nr_hazards);
	r = m->nr_trees > ADS_MODEL_MAX_TREES ||
	    m->nr_nodes > ADS_MODEL_MAX_NODES ||
	    m->hazards.nr > ADS_MODEL_MAX_HAZARDS;
	for (int i = 0; i < ADS_HORIZONS; i++) {
		m->nr_knots[i] = le32toh(h.nr_knots[i]);
		r |= m->nr_knots[i] > ADS_MODEL_MAX_KNOTS;
	}
	if (r) {
		free(m);
		return bad(name, "its header counts more than there may be", err);
	}
	m->base = ads_model_float(h.base);
	m->hazards.fleet = ads_model_float(h.fleet);
	m->monthly = ads_model_float(h.monthly);
	m->from = (int64_t)le64toh(h.from);
	m->until = (int64_t)le64toh(h.until);
	m->drives = le64toh(h.drives);
	m->failures = le64toh(h.failures);
	m->rows = le64toh(h.rows);
	m->root = calloc(m->nr_trees + 1, sizeof(*m->root));
	m->node = calloc(m->nr_nodes + 1, sizeof(*m->node));
	m->hazards.row = calloc(m->hazards.nr + 1, sizeof(*m->hazards.row));
	if (!m->root || !m->node || !m->hazards.row) {
		ads_model_free(m);
		return ads_err(err, -ENOMEM, "%s: no memory", name);
	}
	c = (struct cursor){ (const uint8_t *)data + sizeof(h),
			     size - sizeof(h), false };
	take_all(&c, m);
	r = c.short_of || c.left ?
	    bad(name, "its length does not fit its header", err) :
	    check_trees(m, name, err);
	if (!r)
		r = check_rest(m, name, err);
	if (r)
		ads_model_free(m);
	else
		*out = m;
	return r;
}

int ads_model_read(const char *path, struct ads_model **out,
		   struct ads_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
	struct stat st;
	size_t size = 0;
	char *data;

	if (fd < 0)
		return ads_err(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		r = ads_err(err, -EBADMSG, "%s: is no regular file", path);
	else if (st.st_size > ADS_MODEL_MAX_SIZE)
		r = ads_err(err, -EFBIG, "%s: is too large for a model: more than %d MiB",
			    path, ADS_MODEL_MAX_SIZE >> 20);
	if (r) {
		close(fd);
		return r;
	}
	data = malloc(st.st_size + 1);
	while (data && size < (size_t)st.st_size) {
		ssize_t n = read(fd, data + size, st.st_size - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			r = ads_err(err, -errno, "%s: %s", path,
				    strerror(errno));
		if (n <= 0)
			break;
		size += n;
	}
	close(fd);
	if (!data)
		return ads_err(err, -ENOMEM, "%s: no memory", path);
	if (!r)
		r = ads_model_parse(data, size, path, out, err);
	free(data);
	return r;
}

void ads_model_free(struct ads_model *m)
{
	if (!m)
		return;
	free(m->root);
	free(m->node);
	free(m->hazards.row);
	free(m);
}
