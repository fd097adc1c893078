// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <string.h>

#include "daemon/collect/collect.h"
#include "daemon/log.h"

void patrol_start(struct member *m)
{
	uint64_t end = m->k.data_start +
		       (uint64_t)m->k.nr_slots * m->pool->k.segment_size;
	int r;

	if (!m->daemon->patrol || m->patroller || !m->dev.path[0] ||
	    m->daemon->once)
		return;
	if (end > m->k.size)
		end = m->k.size - m->k.size % 4096;
	if (end <= m->k.data_start)
		return;
	r = patroller_new(m->daemon->patrol, m->dev.path, m->k.data_start, end,
			  m->patrol_start, &m->daemon->config, &m->patroller);
	if (r)
		log_warn(m->object, "patrol: %s", strerror(-r));
	m->patrol_errors = 0;
}

void patrol_stop(struct member *m)
{
	if (m->patroller)
		m->patrol_start = patroller_state(m->patroller)->position;
	patroller_free(m->patroller);
	m->patroller = NULL;
}

static uint64_t more(uint64_t now, uint64_t *seen)
{
	uint64_t n = now >= *seen ? now - *seen : now;

	*seen = now;
	return n;
}

/*
 * Failed I/O since the last look. What had failed before the agent looked for
 * the first time is old news: it is counted, but is no event.
 */
static void look_for_errors(struct member *m, int64_t now)
{
	uint64_t kernel = m->k.read_errors + m->k.write_errors +
			  m->k.flush_errors + m->k.meta_errors +
			  m->k.copy_errors;
	uint64_t n = more(kernel, &m->kernel_errors);

	if (!m->errors_based) {
		m->errors_based = true;
		m->errors.total = n;
		n = 0;
	}
	if (m->patroller) {
		const struct patrol_state *s = patroller_state(m->patroller);

		n += more(s->errors, &m->patrol_errors);
		m->errors.hung = s->hung;
	} else {
		m->errors.hung = 0;
	}
	errors_look(&m->errors, now, n, m->daemon->config);
}

static void add_latency(struct load_minute *l, enum slow_op op,
			const struct latency *t)
{
	if (!t->count || !(t->mean > 0))
		return;
	l->samples[op] += (double)t->count;
	l->latency[op] += (double)t->count * log(t->mean);
}

static void add_to_minute(struct member *m, int64_t now)
{
	struct load_minute *l = &m->load;

	if (!l->minute)
		l->minute = now / 60;
	l->n++;
	l->read_rate += m->io.read_rate;
	l->write_rate += m->io.write_rate;
	l->read_bytes += m->io.read_bytes;
	l->write_bytes += m->io.write_bytes;
	l->read_wait += m->io.read_wait;
	l->write_wait += m->io.write_wait;
	l->util += m->io.util;
	l->queue += m->io.queue;
	add_latency(l, SLOW_READ, &m->read_latency);
	add_latency(l, SLOW_WRITE, &m->write_latency);
}

int collect_minute(struct member *m, int64_t now, struct load_minute *row)
{
	double n = m->load.n;

	if (!m->load.n || now / 60 == m->load.minute)
		return 0;
	*row = m->load;
	row->read_rate /= n;
	row->write_rate /= n;
	row->read_bytes /= n;
	row->write_bytes /= n;
	row->read_wait /= n;
	row->write_wait /= n;
	row->util /= n;
	row->queue /= n;
	for (int op = 0; op < SLOW_OPS; op++)
		row->latency[op] = row->samples[op] > 0 ?
				   exp(row->latency[op] / row->samples[op]) : 0;
	memset(&m->load, 0, sizeof(m->load));
	return 1;
}

void collect_counters(struct member *m, int64_t now)
{
	struct iostat_raw raw;

	latency_update(&m->read_latency, m->k.read_hist);
	latency_update(&m->write_latency, m->k.write_hist);
	if (m->dev.path[0] &&
	    iostat_read(m->dev.major, m->dev.minor, &raw) == 0) {
		iostat_update(&m->io, &raw, now_mono());
		if (m->io.known)
			add_to_minute(m, now);
		m->looked = now_mono();
	}
	if (m->patroller)
		patroller_load(m->patroller, m->io.known ? m->io.util : 0);
	look_for_errors(m, now);
}
