// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lifecycle: suspends, reloads, activates and removes volumes, thousands of times.
 *
 *	lifecycle suspend NAME COUNT SEED
 *		Suspends and resumes the volume COUNT times (0: until SIGTERM), in all four
 *		ways (with and without flushing, with and without freezing a file system), and
 *		while it is suspended, or instead of that: loads the same table again, loads
 *		tables that must be refused at once, and one that must be refused when it is to
 *		be resumed. Somebody else moves segments meanwhile; it counts in which step
 *		migrations were when a suspend began, and in which they were parked.
 *	lifecycle move NAME SEED
 *		Queues a move of every segment to a random member.
 *	lifecycle race SECONDS SEED UUID SECTORS DEVICE...
 *		Four processes activate the same pool under different names, with all its
 *		members, with too few of them and as a new pool, and remove it again. Who wins
 *		writes, reads it back and goes. No two may win at the same time.
 *
 * Prints counts. Status 0: nothing was answered wrongly.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "dm.h"
#include "nl.h"
#include "random.h"

#define STEPS	(ADSHARD_STEP_ABORT + 1)
#define NAMES	4
#define BLOCK	4096

static const char *const step_names[STEPS] = {
	"queued", "track", "fill", "verify", "shift", "commit", "release", "abort",
};

static volatile sig_atomic_t terminated;

static void terminate(int sig)
{
	terminated = 1;
}

#define PRINT(name, value) printf("lifecycle.%s %llu\n", name, (unsigned long long)(value))

/* Suspend --------------------------------------------------------------------*/

struct suspender {
	const char *name;
	uint64_t rnd;
	char table[4096];		/* the target's words */
	uint64_t sectors;
	int fd, family;
	uint64_t suspends, noflush, nolockfs, reloads, refused, refused_late, wrong;
	uint64_t begun_at[STEPS], parked_at[STEPS];
};

static void wrong(struct suspender *s, const char *what, int err)
{
	if (s->wrong++ < 10)
		fprintf(stderr, "lifecycle: %s: %s\n", what, err ? strerror(err) : "accepted");
}

/* Adds one to each step that some migration of any pool is in. */
static void look_at_steps(struct suspender *s, uint64_t *count)
{
	static char buf[32768];
	const struct nlmsghdr *nlh;
	bool seen[STEPS] = { 0 }, more = true;
	struct nl_msg m;
	ssize_t len;

	nl_begin(&m, s->family, ADSHARD_CMD_GET_MIGRATION, NLM_F_REQUEST | NLM_F_DUMP);
	if (send(s->fd, &m, m.nlh.nlmsg_len, 0) < 0)
		return;
	while (more && (len = recv(s->fd, buf, sizeof(buf), 0)) > 0)
		for (nlh = (void *)buf; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
			uint32_t step = STEPS;

			if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
				more = false;
			else
				step = nl_u32(nlh, ADSHARD_A_STEP, STEPS);
			if (step < STEPS)
				seen[step] = true;
		}
	for (int i = 0; i < STEPS; i++)
		count[i] += seen[i];
}

/* One of the tables that no reload may bring: a pool keeps its members and its name. */
static void load_refused(struct suspender *s)
{
	char uuid[64], table[8192], *rest;
	unsigned int members = 0;
	int used = 0;

	if (sscanf(s->table, "%63s %u %n", uuid, &members, &used) < 2)
		return;
	rest = s->table + used;
	switch (rnd_below(&s->rnd, 4)) {
	case 0:
		uuid[0] = uuid[0] == '0' ? '1' : '0';
		snprintf(table, sizeof(table), "%s %u %s", uuid, members, rest);
		break;
	case 1:
		snprintf(table, sizeof(table), "%s %u %s", uuid, members - 1,
			 strchr(rest, ' ') ? strchr(rest, ' ') + 1 : rest);
		break;
	case 2:
		snprintf(table, sizeof(table), "- %u %s", members, rest);
		break;
	default:
		snprintf(table, sizeof(table), "%s %u %s %.*s", uuid, members + 1, rest,
			 (int)strcspn(rest, " "), rest);
	}
	if (!dm_table(DM_DEVICE_RELOAD, s->name, 0, s->sectors, "adshard", table))
		wrong(s, table, 0);
	else
		s->refused++;
}

/*
 * One that would cut off the end is found out by the resume, if not before, which then leaves the
 * volume suspended.
 */
static void resume_refused(struct suspender *s)
{
	if (dm_table(DM_DEVICE_RELOAD, s->name, 0, s->sectors - 8, "adshard", s->table)) {
		s->refused++;
		return;
	}
	if (!dm_resume(s->name))
		wrong(s, "a table that is too short", 0);
	else
		s->refused_late++;
	if (dm_table(DM_DEVICE_RELOAD, s->name, 0, s->sectors, "adshard", s->table))
		wrong(s, "the right table after a wrong one", EINVAL);
}

static void while_suspended(struct suspender *s)
{
	char words[4096];
	int r;

	switch (rnd_below(&s->rnd, 16)) {
	case 0 ... 2:
		r = dm_table(DM_DEVICE_RELOAD, s->name, 0, s->sectors, "adshard", s->table);
		if (r)
			wrong(s, "the same table", r);
		s->reloads++;
		break;
	case 3 ... 4:
		load_refused(s);
		break;
	case 5:
		resume_refused(s);
		break;
	case 6:
		if (!dm_message(s->name, "pause", NULL, 0))
			wrong(s, "a message to a suspended volume", 0);
		break;
	case 7:
		r = dm_words(DM_DEVICE_STATUS, s->name, words, sizeof(words), NULL);
		if (r)
			wrong(s, "status", r);
		break;
	case 8:
		r = dm_suspend(s->name, false, false);
		if (r && r != EINVAL)
			wrong(s, "a second suspend", r);
		break;
	}
}

static void cycle(struct suspender *s)
{
	bool noflush = rnd_one_in(&s->rnd, 2), nolockfs = rnd_one_in(&s->rnd, 2);
	int r;

	look_at_steps(s, s->begun_at);
	/* Without a suspend of its own: the resume brings it. */
	if (rnd_one_in(&s->rnd, 8)) {
		r = dm_table(DM_DEVICE_RELOAD, s->name, 0, s->sectors, "adshard", s->table);
		if (r)
			wrong(s, "reload", r);
		s->reloads++;
	} else {
		r = dm_suspend(s->name, noflush, nolockfs);
		if (r)
			wrong(s, "suspend", r);
		s->noflush += noflush;
		s->nolockfs += nolockfs;
		look_at_steps(s, s->parked_at);
		while_suspended(s);
	}
	r = dm_resume(s->name);
	if (r)
		wrong(s, "resume", r);
	s->suspends++;
}

static int suspend_main(const char *name, uint64_t count, uint64_t seed)
{
	static struct suspender s;

	s.name = name;
	s.rnd = seed;
	s.fd = nl_open();
	s.family = nl_family(NULL);
	if (s.family < 0 || dm_words(DM_DEVICE_TABLE, name, s.table, sizeof(s.table), &s.sectors)) {
		fprintf(stderr, "lifecycle: no volume %s\n", name);
		return 2;
	}
	while (!terminated && (!count || s.suspends < count) && s.wrong < 100) {
		cycle(&s);
		usleep(rnd_below(&s.rnd, 4000));
	}
	PRINT("suspends", s.suspends);
	PRINT("suspends_noflush", s.noflush);
	PRINT("suspends_nolockfs", s.nolockfs);
	PRINT("reloads", s.reloads);
	PRINT("tables_refused", s.refused);
	PRINT("tables_refused_at_resume", s.refused_late);
	for (int i = 0; i < STEPS; i++) {
		if (s.begun_at[i])
			printf("lifecycle.begun_at.%s %llu\n", step_names[i], (unsigned long long)s.begun_at[i]);
		if (s.parked_at[i])
			printf("lifecycle.parked_at.%s %llu\n", step_names[i], (unsigned long long)s.parked_at[i]);
	}
	PRINT("wrong_answers", s.wrong);
	return s.wrong ? 1 : 0;
}

/* Race -----------------------------------------------------------------------*/

struct race {
	uint32_t active;
	uint64_t activations, refused, refused_always, loads, two_at_once, wrong;
};

static void add(uint64_t *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

/* Alone: what is written stays. */
static void use(struct race *race, const char *name, uint64_t *rnd)
{
	static char out[BLOCK] __attribute__((aligned(BLOCK)));
	static char in[BLOCK] __attribute__((aligned(BLOCK)));
	uint32_t word = rnd_next(rnd);
	int fd;

	if (__atomic_add_fetch(&race->active, 1, __ATOMIC_SEQ_CST) > 1)
		add(&race->two_at_once);
	fd = dm_open(name, O_RDWR | O_DIRECT);
	for (int i = 0; i < BLOCK / 4; i++)
		((uint32_t *)out)[i] = word + i;
	if (fd < 0 || pwrite(fd, out, BLOCK, 0) != BLOCK || pread(fd, in, BLOCK, 0) != BLOCK ||
	    memcmp(out, in, BLOCK)) {
		fprintf(stderr, "lifecycle: %s: not what was written: %m\n", name);
		add(&race->wrong);
	}
	if (fd >= 0 && rnd_one_in(rnd, 8) && dm_remove(name) == 0) {
		fprintf(stderr, "lifecycle: %s: removed while open\n", name);
		add(&race->wrong);
	}
	if (fd >= 0)
		close(fd);
	__atomic_sub_fetch(&race->active, 1, __ATOMIC_SEQ_CST);
}

static void join_devices(char *to, size_t size, const char *uuid, char **dev, int nr)
{
	size_t at = snprintf(to, size, "%s %d", uuid, nr);

	for (int i = 0; i < nr && at < size; i++)
		at += snprintf(to + at, size - at, " %s", dev[i]);
}

static void racer(struct race *race, int me, int seconds, uint64_t seed, const char *uuid,
		  uint64_t sectors, char **dev, int nr)
{
	time_t end = time(NULL) + seconds;
	uint64_t rnd = seed * 100 + me;
	char name[16], all[4096], few[4096], new[4096];

	snprintf(name, sizeof(name), "race%d", me);
	join_devices(all, sizeof(all), uuid, dev, nr);
	join_devices(few, sizeof(few), uuid, dev, nr - 1);
	join_devices(new, sizeof(new), "-", dev, nr);
	while (time(NULL) < end) {
		switch (rnd_below(&rnd, 8)) {
		case 0:
			if (!dm_table(DM_DEVICE_CREATE, name, 0, sectors, "adshard", few) ||
			    !dm_table(DM_DEVICE_CREATE, name, 0, sectors, "adshard", new))
				add(&race->wrong);
			else
				add(&race->refused_always);
			break;
		case 1:
			/* Loaded, which already keeps others out, and dropped. */
			if (!dm_simple(DM_DEVICE_CREATE, name) &&
			    !dm_table(DM_DEVICE_RELOAD, name, 0, sectors, "adshard", all)) {
				add(&race->loads);
				if (rnd_one_in(&rnd, 2))
					dm_clear(name);
			}
			break;
		default:
			if (!dm_table(DM_DEVICE_CREATE, name, 0, sectors, "adshard", all)) {
				add(&race->activations);
				use(race, name, &rnd);
			} else {
				add(&race->refused);
			}
		}
		dm_remove(name);
	}
}

static int race_main(int seconds, uint64_t seed, const char *uuid, uint64_t sectors, char **dev, int nr)
{
	struct race *race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (race == MAP_FAILED)
		return 2;
	for (int i = 0; i < NAMES; i++) {
		if (!fork()) {
			racer(race, i, seconds, seed, uuid, sectors, dev, nr);
			exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	PRINT("race_activations", race->activations);
	PRINT("race_refused", race->refused);
	PRINT("race_refused_always", race->refused_always);
	PRINT("race_loads", race->loads);
	PRINT("race_two_at_once", race->two_at_once);
	PRINT("race_wrong_answers", race->wrong);
	return race->two_at_once || race->wrong || !race->activations || !race->refused;
}

static int move_main(const char *name, uint64_t rnd)
{
	unsigned int segments, members, queued = 0;
	char words[1024], text[64];

	if (dm_words(DM_DEVICE_STATUS, name, words, sizeof(words), NULL) ||
	    sscanf(words, "%*s %u %*u %u", &segments, &members) != 2) {
		fprintf(stderr, "lifecycle: no volume %s\n", name);
		return 2;
	}
	for (unsigned int i = 0; i < segments; i++) {
		snprintf(text, sizeof(text), "migrate %u %u", i, rnd_below(&rnd, members));
		queued += !dm_message(name, text, NULL, 0);
	}
	PRINT("moves_queued", queued);
	return !queued;
}

int main(int argc, char **argv)
{
	dm_quiet();
	signal(SIGTERM, terminate);
	if (argc == 5 && !strcmp(argv[1], "suspend"))
		return suspend_main(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "move"))
		return move_main(argv[2], strtoull(argv[3], NULL, 10));
	if (argc > 7 && !strcmp(argv[1], "race"))
		return race_main(atoi(argv[2]), strtoull(argv[3], NULL, 10), argv[4],
				 strtoull(argv[5], NULL, 10), argv + 6, argc - 6);
	fprintf(stderr, "usage: lifecycle suspend NAME COUNT SEED | move NAME SEED | race SECONDS SEED UUID SECTORS DEVICE...\n");
	return 2;
}
