// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/model-priv.h"
#include "lib/super.h"

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, 4);
	return p + 4;
}

static uint8_t *put_float(uint8_t *p, float f)
{
	uint32_t v = ads_model_u32(f);

	memcpy(p, &v, 4);
	return p + 4;
}

static size_t size_of(const struct ads_model *m)
{
	size_t n = sizeof(struct ads_model_head) + m->nr_trees * 4ULL +
		   m->nr_nodes * 16ULL +
		   m->hazards.nr * (ADS_MODEL_NAME + 4ULL) +
		   (ADS_COLD_STATES + 1) * 4;

	for (int h = 0; h < ADS_HORIZONS; h++)
		n += m->nr_knots[h] * 8ULL;
	return n;
}

static void put_head(const struct ads_model *m, uint8_t *data, size_t size)
{
	const size_t begin = offsetof(struct ads_model_head, crc) + 4;
	struct ads_model_head h = {
		.version = htole32(ADS_MODEL_VERSION),
		.size = htole64(size),
		.schema = htole32(ads_feat_schema()),
		.nr_features = htole32(ADS_FEAT_NR),
		.nr_cold = htole32(ADS_COLD_STATES),
		.nr_trees = htole32(m->nr_trees),
		.nr_nodes = htole32(m->nr_nodes),
		.nr_hazards = htole32(m->hazards.nr),
		.base = ads_model_u32(m->base),
		.fleet = ads_model_u32(m->hazards.fleet),
		.monthly = ads_model_u32(m->monthly),
		.from = htole64((uint64_t)m->from),
		.until = htole64((uint64_t)m->until),
		.drives = htole64(m->drives),
		.failures = htole64(m->failures),
		.rows = htole64(m->rows),
	};

	memcpy(h.magic, ADS_MODEL_MAGIC, 8);
	for (int i = 0; i < ADS_HORIZONS; i++)
		h.nr_knots[i] = htole32(m->nr_knots[i]);
	memcpy(data, &h, sizeof(h));
	h.crc = htole32(ads_crc32c(~0U, data + begin, size - begin));
	memcpy(data, &h, sizeof(h));
}

int ads_model_pack(const struct ads_model *m, void **data, size_t *size,
		   struct ads_err *err)
{
	uint8_t *p;

	*size = size_of(m);
	if (*size > ADS_MODEL_MAX_SIZE)
		return ads_err(err, -EFBIG, "the model: has become too large");
	*data = p = calloc(1, *size);
	if (!p)
		return ads_err(err, -ENOMEM, "the model: no memory");
	p += sizeof(struct ads_model_head);
	for (uint32_t i = 0; i < m->nr_trees; i++)
		p = put_u32(p, m->root[i]);
	for (uint32_t i = 0; i < m->nr_nodes; i++) {
		const struct ads_model_node *n = &m->node[i];

		p = put_float(p, n->leaf);
		p = put_float(p, n->mean);
		p = put_u32(p, n->left);
		p = put_u32(p, n->feature | (uint32_t)n->missing_left << 16);
	}
	for (int h = 0; h < ADS_HORIZONS; h++) {
		for (uint32_t i = 0; i < m->nr_knots[h]; i++) {
			p = put_float(p, m->knot[h][i].margin);
			p = put_float(p, m->knot[h][i].logit);
		}
	}
	for (uint32_t i = 0; i < m->hazards.nr; i++) {
		memcpy(p, m->hazards.row[i].name, ADS_MODEL_NAME);
		p = put_float(p + ADS_MODEL_NAME, m->hazards.row[i].hazard);
	}
	for (int i = 0; i <= ADS_COLD_STATES; i++)
		p = put_float(p, m->cold[i]);
	put_head(m, *data, *size);
	return 0;
}

int ads_model_write(const struct ads_model *m, const char *path,
		    struct ads_err *err)
{
	size_t size, done = 0;
	char new[4096];
	void *data;
	int r, fd;

	if (snprintf(new, sizeof(new), "%s.new", path) >= (int)sizeof(new))
		return ads_err(err, -ENAMETOOLONG, "%s: the name is too long",
			       path);
	r = ads_model_pack(m, &data, &size, err);
	if (r)
		return r;
	fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	while (fd >= 0 && done < size) {
		ssize_t n = write(fd, (char *)data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		done += n;
	}
	/* the name is taken over only by what is on the disk as a whole */
	if (fd < 0 || done < size || fsync(fd) || rename(new, path))
		r = ads_err(err, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (r)
		unlink(new);
	free(data);
	return r;
}
