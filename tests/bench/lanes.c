// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lanes: what the counting of bios in flight costs when processors share it, which neither an
 * emulator nor a count of instructions shows. Runs on the machine itself.
 *
 *	lanes [SECONDS]
 *
 * As many threads as there are processors, each on one of them, begin and end "bios" of random
 * segments, in three ways: counters by lane, epoch and processor without locked instructions, as
 * the kernel module has them; the same lanes with atomics that all processors share; and one
 * atomic for all, as a target that counts its bios would have. Rounds are interleaved; printed is
 * the median of what a begin and an end take together.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LANES 64
#define ROUNDS 9
#define BATCH 4096

enum way { WAY_LANES, WAY_SHARED_LANES, WAY_SHARED, WAYS };

static const char *const names[WAYS] = { "per_cpu_lanes", "shared_lanes", "shared_counter" };

struct cpu {
	_Alignas(64) unsigned long n[LANES * 2];
};

static struct cpu *cpus;
static _Alignas(64) uint32_t slots[LANES];
static _Alignas(64) atomic_ulong shared[LANES * 2];
static _Alignas(64) atomic_ulong counter;
static atomic_int stop;
static pthread_barrier_t begin;

struct work {
	pthread_t thread;
	int cpu;
	enum way way;
	double ns;
};

/* volatile: one instruction each, as this_cpu_inc() is, and none is left out */
static inline void add(unsigned long *n, long d)
{
	*(volatile unsigned long *)n += d;
}

static void batch(struct work *w, uint64_t *random)
{
	struct cpu *mine = &cpus[w->cpu];
	int i;

	for (i = 0; i < BATCH; i++) {
		uint32_t lane, slot;

		*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
		lane = *random >> 58;
		slot = *(volatile uint32_t *)&slots[lane];
		switch (w->way) {
		case WAY_LANES:
			add(&mine->n[slot], 1);
			add(&mine->n[slot], -1);
			break;
		case WAY_SHARED_LANES:
			atomic_fetch_add(&shared[slot], 1);
			atomic_fetch_sub(&shared[slot], 1);
			break;
		default:
			atomic_fetch_add(&counter, 1);
			atomic_fetch_sub(&counter, 1);
		}
	}
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void *run(void *arg)
{
	struct work *w = arg;
	uint64_t random = w->cpu + 1, done = 0;
	cpu_set_t set;
	double start;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	pthread_barrier_wait(&begin);
	start = now();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		batch(w, &random);
		done += BATCH;
	}
	w->ns = (now() - start) / done;
	return NULL;
}

static double round_of(enum way way, int threads, double seconds)
{
	struct work *works = calloc(threads, sizeof(*works));
	double sum = 0;
	int i;

	if (!works)
		exit(1);
	atomic_store(&stop, 0);
	pthread_barrier_init(&begin, NULL, threads + 1);
	for (i = 0; i < threads; i++) {
		works[i].cpu = i;
		works[i].way = way;
		if (pthread_create(&works[i].thread, NULL, run, &works[i]))
			exit(1);
	}
	pthread_barrier_wait(&begin);
	usleep(seconds * 1e6);
	atomic_store(&stop, 1);
	for (i = 0; i < threads; i++) {
		pthread_join(works[i].thread, NULL);
		sum += works[i].ns;
	}
	pthread_barrier_destroy(&begin);
	free(works);
	return sum / threads;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	double seconds = argc > 1 ? atof(argv[1]) : 4, ns[2][WAYS][ROUNDS];
	int nr = sysconf(_SC_NPROCESSORS_ONLN), many, way, i;

	cpus = aligned_alloc(64, nr * sizeof(*cpus));
	if (!cpus)
		return 1;
	for (i = 0; i < LANES; i++)
		slots[i] = i * 2;
	for (i = 0; i < nr; i++)
		cpus[i] = (struct cpu){ { 0 } };
	for (i = 0; i < ROUNDS; i++)
		for (many = 0; many < 2; many++)
			for (way = 0; way < WAYS; way++)
				ns[many][way][i] = round_of(way, many ? nr : 1,
							    seconds / (ROUNDS * 2 * WAYS));
	for (many = 0; many < 2; many++)
		for (way = 0; way < WAYS; way++) {
			double *all = ns[many][way];

			qsort(all, ROUNDS, sizeof(*all), compare);
			printf("figure lanes.%s.threads_%d %.2f ns\n", names[way], many ? nr : 1,
			       all[ROUNDS / 2]);
			printf("figure lanes.%s.threads_%d.spread %.2f ns\n", names[way], many ? nr : 1,
			       all[ROUNDS - 1] - all[0]);
		}
	return 0;
}
