// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The pool as it is at the beginning: members, and segments spread over them.
 */
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

#define MiB	1048576.0

double sim_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	z ^= z >> 31;
	return (double)(z >> 11) / 9007199254740992.0;
}

static void make_members(struct sim *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->sc->nr_groups; i++) {
		const struct sim_group *g = &s->sc->group[i];

		for (uint32_t k = 0; k < g->count; k++, n++) {
			struct plan_member *m = &s->s.member[n];

			*m = (struct plan_member){
				.index = (uint16_t)n, .spare = g->spare,
				.slots = (uint32_t)(g->size / s->sc->segment),
				.score = 3, .fails = -1, .weight = 1,
				.evidence = SIM_EPOCH, .cost = g->cost,
				.class = g->class, .location = g->location,
				.mibs = s->sc->class[g->class].mibs,
				.iops = s->sc->class[g->class].iops,
			};
			if (g->per_domain)
				m->domain = (uint16_t)(1 + n / g->per_domain);
			snprintf(m->name, sizeof(m->name), "m%u", n);
			s->m[n].slow = 1;
			if (s->life) {
				s->m[n].life = &s->life[n];
				s->m[n].in_pool = s->life[n].begin;
			}
		}
	}
}

/*
 * Emptiest first, as every placement does with a new pool; or each up to its share,
 * as with a volume that was put together of disks.
 */
static uint16_t first_place(const struct sim *s, const struct plan_seg *g)
{
	uint16_t best = PLAN_NONE;
	double least = 2;

	for (uint32_t i = 0; i < s->s.nr_members; i++) {
		const struct plan_member *m = &s->s.member[i];
		double used = m->slots ? (double)m->used / m->slots : 2;
		bool no = m->spare || m->used >= m->slots;

		for (unsigned int l = 0; l < g->nr_legs && !no; l++) {
			const struct plan_member *o = &s->s.member[g->leg[l]];

			no = o == m || (m->domain && o->domain == m->domain);
		}
		if (!no && s->sc->sequential && used < s->sc->fill)
			return (uint16_t)i;
		if (!no && used < least) {
			least = used;
			best = (uint16_t)i;
		}
	}
	return best;
}

static void place(struct sim *s, uint32_t seg)
{
	struct plan_seg *g = &s->s.seg[seg];

	while (g->nr_legs < s->sc->legs) {
		uint16_t to = first_place(s, g);

		if (to == PLAN_NONE)
			break;
		g->leg[g->nr_legs++] = to;
		s->s.member[to].used++;
	}
	g->wanted = (uint8_t)s->sc->legs;
	g->mibs_next = -1;
}

static uint32_t imports(const struct scenario *sc)
{
	double n = 0;

	for (uint32_t i = 0; i < sc->nr_events; i++)
		if (sc->event[i].kind == SIM_IMPORT)
			n += sc->event[i].a;
	return n < 1e7 ? (uint32_t)n : 10000000;
}

static uint32_t first_segments(const struct scenario *sc)
{
	double slots = 0;

	for (uint32_t i = 0; i < sc->nr_groups; i++)
		if (!sc->group[i].spare)
			slots += (double)sc->group[i].count *
				 (double)(sc->group[i].size / sc->segment);
	return (uint32_t)(slots * sc->fill / sc->legs);
}

uint32_t sim_segments(const struct scenario *sc)
{
	return first_segments(sc) + imports(sc);
}

int sim_world(struct sim *s, struct ads_err *err)
{
	const struct scenario *sc = s->sc;
	uint32_t members = 0;

	for (uint32_t i = 0; i < sc->nr_groups; i++)
		members += sc->group[i].count;
	s->s = (struct plan_state){
		.now = SIM_EPOCH, .segment_size = sc->segment,
		.nr_members = members, .nr_segs = sim_segments(sc),
		.class = (struct plan_class *)sc->class,
		.nr_classes = sc->nr_classes,
		.location = (struct plan_location *)sc->location,
		.nr_locations = sc->nr_locations,
		.link = s->link, .nr_links = sc->nr_links, .cost = &s->cost,
	};
	memcpy(s->link, sc->link, sizeof(s->link));
	s->policy = sc->policy;
	s->random = sc->seed;
	s->s.member = calloc(members + 1, sizeof(*s->s.member));
	s->s.seg = calloc(s->s.nr_segs + 1, sizeof(*s->s.seg));
	s->s.flight = calloc(SIM_FLIGHTS, sizeof(*s->s.flight));
	s->m = calloc(members + 1, sizeof(*s->m));
	s->generation = calloc(members + 1, sizeof(*s->generation));
	s->flying = calloc(s->s.nr_segs + 1, 1);
	if (!s->s.member || !s->s.seg || !s->s.flight || !s->m ||
	    !s->generation || !s->flying)
		return ads_err(err, -ENOMEM, "the pool: no memory");
	make_members(s);
	for (uint32_t i = 0; i < first_segments(sc); i++)
		place(s, i);
	return 0;
}

void sim_world_free(struct sim *s)
{
	free(s->s.member);
	free(s->s.seg);
	free(s->s.flight);
	free(s->m);
	free(s->generation);
	free(s->flying);
	free(s->queue);
}

uint64_t sim_bytes_on(const struct sim *s, uint32_t member, bool only)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < s->s.nr_segs; i++) {
		const struct plan_seg *g = &s->s.seg[i];
		bool here = false, other = false;

		for (unsigned int l = 0; l < g->nr_legs; l++) {
			here |= g->leg[l] == member;
			other |= g->leg[l] != member &&
				 s->s.member[g->leg[l]].state < PLAN_FAILED;
		}
		n += here && !(only && other);
	}
	return n * s->sc->segment;
}
