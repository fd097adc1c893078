// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dmfuzz: table lines and messages that are almost right.
 *
 *	dmfuzz [-l LINES] [-m MESSAGES] [-s SEED] VOLUME WORD...
 *
 * Lines are made of the WORDs (devices, UUIDs of pools) in the places where such belong, and of
 * numbers, feature arguments and nonsense, with a length and a start that are mostly right. Each is
 * loaded into a device of its own, "dmfuzz"; one that is accepted is dropped again, never resumed.
 * The kernel must give a reason for each refusal.
 *
 * Messages go to the active VOLUME. Half of them are wrong for certain (numbers out of range or
 * none, a wrong number of arguments, unknown words) and must be refused. The others are right, but
 * "member N failed", which would make the volume useless, and those that would change what is on
 * the members. So after all of it every block of every member must be what it was, but for what
 * the caller has written.
 *
 * Prints counts and the reasons. Status 0: each refusal had a reason, no wrong message passed.
 */
#include <stdlib.h>
#include <unistd.h>

#include "dm.h"
#include "random.h"

#define REASONS	64

static struct {
	const char *volume;
	char **words;
	int nr_words, kmsg;
	uint64_t rnd, sectors;
	unsigned int segments, members;
	char line[70000];
	char reason[REASONS][160];
	uint64_t times[REASONS];
	uint64_t lines, accepted, refused, silent, messages, msg_accepted, msg_refused, wrongly, blamed;
} z;

static uint32_t below(uint32_t n)
{
	return rnd_below(&z.rnd, n);
}

static const char *word(void)
{
	return z.words[below(z.nr_words)];
}

static const char *some_uuid(void)
{
	const char *w = word();

	for (int i = 0; i < 100 && strlen(w) != 36; i++)
		w = word();
	return w;
}

static const char *nonsense(void)
{
	static const char *const words[] = {
		"-", "--", "0", "1", "2", "3", "4", "5", "8", "9", "1024", "1025", "65535", "4294967295",
		"4294967296", "4294967297", "18446744073709551615", "18446744073709551616", "-1", "+1",
		"0x10", "1e3", "1.5", " ", "\t", "\\", "\\ ", "\"", "'", "%s%n%n", "uuid", "segment_size",
		"chunk_size", "name", "2048", "2049", "128", "127", "33554432", "67108864", "4096",
		"00000000-0000-0000-0000-000000000000", "zzzzzzzz-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff", "/dev", "/dev/null", "/dev/none", "/proc/1/mem",
		".", "..", "8:0", "0:0", "254:0", "999999:0", "\xc3\xa4", "\x7f\x01", "/",
		"a-name", "n.a_m+e", "n/a/m/e", "",
	};
	static char made[5000];
	uint32_t i = below(sizeof(words) / sizeof(*words) + 8), len;

	if (i >= 8)
		return words[i - 8];
	if (i < 4) {
		snprintf(made, sizeof(made), "%llu", (unsigned long long)(rnd_next(&z.rnd) >> below(64)));
		return made;
	}
	len = i == 4 ? 4000 : 60 + below(8);
	for (i = 0; i < len; i++)
		made[i] = "abcdefghijklmnopqrstuvwxyz0123456789-_.+"[below(i == 4 ? 26 : 40)];
	made[len] = 0;
	return made;
}

static void append(const char *w)
{
	size_t at = strlen(z.line);

	snprintf(z.line + at, sizeof(z.line) - at, "%s%s", at ? " " : "", w);
}

static void append_number(uint64_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	append(text);
}

static void append_features(void)
{
	static const char *const keys[] = { "uuid", "segment_size", "chunk_size", "name" };
	uint32_t nr = below(6), i;

	append_number(rnd_one_in(&z.rnd, 8) ? below(20) : 2 * nr);
	for (i = 0; i < nr; i++) {
		append(rnd_one_in(&z.rnd, 10) ? nonsense() : keys[below(4)]);
		if (rnd_one_in(&z.rnd, 2))
			append_number(1ULL << below(40));
		else
			append(rnd_one_in(&z.rnd, 2) ? nonsense() : word());
	}
}

/* The valid part is that of somebody who mixes up his disks. */
static void make_line(void)
{
	uint32_t devices = 1 + below(rnd_one_in(&z.rnd, 50) ? 1200 : 4), i;

	z.line[0] = 0;
	append(rnd_one_in(&z.rnd, 3) ? "-" : rnd_one_in(&z.rnd, 16) ? nonsense() :
	       rnd_one_in(&z.rnd, 16) ? word() : some_uuid());
	if (rnd_one_in(&z.rnd, 8))
		append(nonsense());
	else
		append_number(rnd_one_in(&z.rnd, 10) ? below(12) : devices);
	for (i = 0; i < devices; i++)
		append(rnd_one_in(&z.rnd, 12) ? nonsense() : word());
	if (!rnd_one_in(&z.rnd, 3))
		append_features();
	if (rnd_one_in(&z.rnd, 10))
		append(nonsense());
	if (rnd_one_in(&z.rnd, 30))
		z.line[below(strlen(z.line) + 1)] = 0;
	if (rnd_one_in(&z.rnd, 20) && z.line[0])
		z.line[below(strlen(z.line))] = 1 + below(255);
}

static void count_reason(const char *text)
{
	int i;

	for (i = 0; i < REASONS - 1 && z.reason[i][0]; i++)
		if (!strcmp(z.reason[i], text))
			break;
	snprintf(z.reason[i], sizeof(z.reason[i]), "%s", text);
	z.times[i]++;
}

/* What device-mapper says about a table: "device-mapper: table: 254:1: adshard: REASON (-EINVAL)". */
static bool reason_given(void)
{
	static const char mark[] = ": adshard: ";
	char text[8192], *at, *end;
	bool found = false;
	ssize_t len;

	while ((len = read(z.kmsg, text, sizeof(text) - 1)) > 0 || (len < 0 && errno == EPIPE)) {
		text[len < 0 ? 0 : len] = 0;
		if (strstr(text, "(null)"))
			z.blamed++;
		if (!strstr(text, "device-mapper: table"))
			continue;
		at = strstr(text, mark);
		at = at ? at + sizeof(mark) - 1 : strstr(text, "table: ") + 7;
		end = strrchr(at, '(');
		if (!end)
			end = strchr(at, '\n');
		if (end)
			*end = 0;
		found = *at && strcmp(at, "Unknown error ");
		count_reason(at);
	}
	return found;
}

static void one_line(void)
{
	uint64_t start = rnd_one_in(&z.rnd, 40) ? rnd_next(&z.rnd) >> below(64) : 0;
	uint64_t sectors = rnd_one_in(&z.rnd, 10) ? rnd_next(&z.rnd) >> below(64) : z.sectors;

	make_line();
	reason_given();
	z.lines++;
	if (!dm_table(DM_DEVICE_RELOAD, "dmfuzz", start, sectors, "adshard", z.line)) {
		z.accepted++;
		dm_clear("dmfuzz");
	} else {
		z.refused++;
		if (!reason_given() && z.silent++ < 10)
			fprintf(stderr, "dmfuzz: refused without a reason: %llu %llu %.200s\n",
				(unsigned long long)start, (unsigned long long)sectors, z.line);
	}
}

/* Wrong for certain. */
static void wrong_message(void)
{
	static const char *const commands[] = {
		"migrate", "abort", "throttle", "pause", "resume", "member", "locate",
	};
	static const unsigned int args[] = { 2, 1, 1, 0, 0, 2, 1 };
	uint32_t c = below(7), nr, i;

	z.line[0] = 0;
	switch (below(4)) {
	case 0:
		/* An unknown word; "@" would be for device-mapper itself. */
		append("x");
		strcat(z.line, nonsense());
		for (i = below(5); i; i--)
			append(nonsense());
		break;
	case 1:
		append(commands[c]);
		for (nr = args[c] + 1 + below(4), i = 0; i < nr; i++)
			append_number(below(z.members));
		break;
	case 2:
		append(commands[args[c] ? c : 0]);
		for (nr = below(args[args[c] ? c : 0]), i = 0; i < nr; i++)
			append_number(below(z.members));
		break;
	default:
		switch (below(4)) {
		case 0:
			append("migrate");
			append_number(z.segments + (rnd_next(&z.rnd) >> below(63)));
			append_number(below(z.members));
			break;
		case 1:
			append("migrate");
			append_number(below(z.segments));
			append_number(z.members + (rnd_next(&z.rnd) >> below(63)));
			break;
		case 2:
			append("locate");
			append_number(z.segments + (rnd_next(&z.rnd) >> below(63)));
			break;
		default:
			append("member");
			append_number(below(z.members));
			append(below(2) ? "drained" : "1");
		}
	}
}

static void right_message(void)
{
	z.line[0] = 0;
	switch (below(6)) {
	case 0:
		/* The caller has paused the pool: what is queued changes nothing. */
		append("migrate");
		append_number(below(z.segments));
		append_number(below(z.members));
		break;
	case 1:
		append("abort");
		append("all");
		break;
	case 2:
		append("throttle");
		append_number(rnd_next(&z.rnd) >> below(64));
		break;
	case 3:
		append("pause");
		break;
	case 4:
		append("locate");
		append_number(below(z.segments));
		break;
	default:
		append("ABORT");
		append_number(below(z.segments));
	}
}

static void one_message(void)
{
	bool wrong = rnd_one_in(&z.rnd, 2);
	char answer[256];

	if (wrong)
		wrong_message();
	else
		right_message();
	z.messages++;
	if (dm_message(z.volume, z.line, answer, sizeof(answer))) {
		z.msg_refused++;
		return;
	}
	z.msg_accepted++;
	if (wrong && z.wrongly++ < 10)
		fprintf(stderr, "dmfuzz: accepted: %.200s\n", z.line);
}

int main(int argc, char **argv)
{
	uint64_t lines = 1000, messages = 1000, i;
	char words[1024];
	int opt;

	z.rnd = 1;
	while ((opt = getopt(argc, argv, "l:m:s:")) != -1) {
		switch (opt) {
		case 'l': lines = strtoull(optarg, NULL, 10); break;
		case 'm': messages = strtoull(optarg, NULL, 10); break;
		case 's': z.rnd = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: dmfuzz [-l LINES] [-m MESSAGES] [-s SEED] VOLUME WORD...\n");
		return 2;
	}
	dm_quiet();
	z.volume = argv[optind];
	z.words = argv + optind + 1;
	z.nr_words = argc - optind - 1;
	z.kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (z.kmsg < 0 || dm_words(DM_DEVICE_STATUS, z.volume, words, sizeof(words), &z.sectors) ||
	    sscanf(words, "%*s %u %*u %u", &z.segments, &z.members) != 2 ||
	    dm_simple(DM_DEVICE_CREATE, "dmfuzz")) {
		perror("dmfuzz");
		return 2;
	}
	lseek(z.kmsg, 0, SEEK_END);
	for (i = 0; i < lines; i++)
		one_line();
	for (i = 0; i < messages; i++)
		one_message();
	dm_remove("dmfuzz");

	for (i = 0; i < REASONS && z.reason[i][0]; i++)
		printf("%llu times: %s\n", (unsigned long long)z.times[i], z.reason[i]);
#define PRINT(name, value) printf("dmfuzz.%s %llu\n", name, (unsigned long long)(value))
	PRINT("lines", z.lines);
	PRINT("lines_accepted", z.accepted);
	PRINT("lines_refused", z.refused);
	PRINT("lines_refused_without_a_reason", z.silent);
	PRINT("null_in_the_log", z.blamed);
	PRINT("messages", z.messages);
	PRINT("messages_accepted", z.msg_accepted);
	PRINT("messages_refused", z.msg_refused);
	PRINT("messages_wrongly_accepted", z.wrongly);
	return z.silent || z.blamed || z.wrongly || !z.accepted != !lines || (messages && !z.msg_accepted);
}
