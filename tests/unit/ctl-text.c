// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Units, progress, JSON, kernel log lines, the agent's answers.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/agentsock.h"
#include "lib/json.h"
#include "lib/kmsg.h"
#include "lib/nl.h"
#include "lib/progress.h"
#include "lib/units.h"

static void sizes_in(void **state)
{
	static const struct {
		const char *s;
		int rc;
		uint64_t v;
	} t[] = {
		{ "0", 0, 0 }, { "4096", 0, 4096 }, { "4096B", 0, 4096 },
		{ "64K", 0, 65536 }, { "64k", 0, 65536 },
		{ "1.5G", 0, 3ULL << 29 }, { "1GiB", 0, 1 << 30 },
		{ "1GB", 0, 1000000000 }, { "10 MiB", 0, 10 << 20 },
		{ "0.5K", 0, 512 }, { "15E", 0, 15ULL << 60 },
		{ "", -EINVAL, 0 }, { "G", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "1X", -EINVAL, 0 }, { "1Gi", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 }, { "1.", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
		{ "16E", -ERANGE, 0 }, { "99999999999999999999", -ERANGE, 0 },
		{ "5Gfoo", -EINVAL, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		uint64_t v = 0;

		assert_int_equal(ads_parse_size(t[i].s, &v), t[i].rc);
		if (!t[i].rc)
			assert_int_equal(v, t[i].v);
	}
}

static void sizes_out(void **state)
{
	static const struct {
		uint64_t v;
		const char *s, *brief;
	} t[] = {
		{ 0, "0 B", "0B" }, { 1023, "1023 B", "1023B" },
		{ 1024, "1 KiB", "1K" }, { 1536, "1.5 KiB", "1.5K" },
		{ (1 << 20) - 1, "1 MiB", "1M" }, { 3ULL << 29, "1.5 GiB", "1.5G" },
		{ UINT64_MAX, "16 EiB", "16E" },
	};
	char b[32];

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		assert_string_equal(ads_format_size(t[i].v, false, b,
						    sizeof(b)), t[i].s);
		assert_string_equal(ads_format_size(t[i].v, true, b,
						    sizeof(b)), t[i].brief);
	}
}

static void durations(void **state)
{
	double v;
	char b[32];

	assert_int_equal(ads_parse_duration("90", &v), 0);
	assert_true(v == 90);
	assert_int_equal(ads_parse_duration("1.5h", &v), 0);
	assert_true(v == 5400);
	assert_int_equal(ads_parse_duration("2d", &v), 0);
	assert_true(v == 172800);
	assert_int_equal(ads_parse_duration("5x", &v), -EINVAL);
	assert_int_equal(ads_parse_duration("1500ms", &v), 0);
	assert_true(v == 1.5);
	assert_int_equal(ads_parse_duration("5msm", &v), -EINVAL);
	assert_int_equal(ads_parse_duration("5sm", &v), -EINVAL);
	assert_int_equal(ads_parse_duration("-5", &v), -EINVAL);
	assert_int_equal(ads_parse_duration("", &v), -EINVAL);
	assert_string_equal(ads_format_duration(-1, b, sizeof(b)), "-");
	assert_string_equal(ads_format_duration(45.9, b, sizeof(b)), "45s");
	assert_string_equal(ads_format_duration(125, b, sizeof(b)), "2m05s");
	assert_string_equal(ads_format_duration(11520, b, sizeof(b)), "3h12m");
	assert_string_equal(ads_format_duration(187200, b, sizeof(b)),
			    "2d4h");
}

static void percents(void **state)
{
	char b[16];

	assert_string_equal(ads_format_percent(0, 0, b, 16), "-");
	assert_string_equal(ads_format_percent(0, 10, b, 16), "0.0%");
	assert_string_equal(ads_format_percent(1, 1000000, b, 16), "0.1%");
	assert_string_equal(ads_format_percent(999999, 1000000, b, 16),
			    "99.9%");
	assert_string_equal(ads_format_percent(10, 10, b, 16), "100.0%");
	assert_string_equal(ads_format_percent(11, 10, b, 16), "100.0%");
	assert_string_equal(ads_format_percent(UINT64_MAX - 1, UINT64_MAX, b,
					       16), "99.9%");
}

static void numbers(void **state)
{
	uint64_t v;

	assert_int_equal(ads_parse_u64("18446744073709551615", UINT64_MAX, &v),
			 0);
	assert_int_equal(ads_parse_u64("18446744073709551616", UINT64_MAX, &v),
			 -ERANGE);
	assert_int_equal(ads_parse_u64("11", 10, &v), -ERANGE);
	assert_int_equal(ads_parse_u64("", 10, &v), -EINVAL);
	assert_int_equal(ads_parse_u64("1 ", 10, &v), -EINVAL);
}

static void rates(void **state)
{
	struct ads_rate r = { 0 };
	double t = 100;

	assert_true(ads_rate_eta(&r, t, 0, 1 << 30) < 0);
	for (uint64_t i = 0; i <= 100; i++, t += 0.5)
		ads_rate_sample(&r, t, i * (5 << 20));
	t -= 0.5;
	assert_true(r.ewma > 10.4e6 && r.ewma < 10.6e6);
	assert_true(ads_rate_stalled(&r, t) == 0);
	assert_int_equal((int)ads_rate_eta(&r, t, 500 << 20, 510 << 20), 1);
	/* nothing moves: after 10 s there is no guess any more */
	for (int i = 0; i < 30; i++)
		ads_rate_sample(&r, t += 0.5, 500 << 20);
	assert_true(ads_rate_stalled(&r, t) > 14);
	assert_true(ads_rate_eta(&r, t, 500 << 20, 510 << 20) < 0);
	assert_true(ads_rate_eta(&r, t, 5, 5) == 0);
	/* a segment that starts again takes bytes back */
	ads_rate_sample(&r, t += 0.5, 400 << 20);
	assert_true(r.ewma >= 0);
	ads_rate_sample(&r, t += 0.5, 410 << 20);
	assert_true(ads_rate_stalled(&r, t) == 0);
}

static void lines(void **state)
{
	struct ads_progress p;
	char b[256];
	double t = 10;

	ads_progress_init(&p, ADS_PROGRESS_NONE, stdout, "evacuate sdb");
	ads_progress_line(&p, t, 0, 100 << 20, 0, 10, NULL, b, sizeof(b));
	assert_string_equal(b,
		"evacuate sdb: 0.0%, -, ETA -, 0 B of 100 MiB, 0 of 10 segments");
	for (uint64_t i = 0; i <= 20; i++)
		ads_progress_update(&p, t++, i << 20, 100 << 20, i / 10, 10,
				    NULL);
	ads_progress_line(&p, t - 1, 20 << 20, 100 << 20, 2, 10, "3 active", b,
			  sizeof(b));
	assert_string_equal(b,
		"evacuate sdb: 20.0%, 1 MiB/s, ETA 1m20s, 20 MiB of 100 MiB, 2 of 10 segments (3 active)");
	ads_progress_line(&p, t + 125, 20 << 20, 100 << 20, 2, 10,
			  "copying is paused", b, sizeof(b));
	assert_string_equal(b,
		"evacuate sdb: 20.0%, stalled 2m06s, 20 MiB of 100 MiB, 2 of 10 segments (copying is paused)");
	ads_progress_line(&p, t, 100 << 20, 100 << 20, 10, 10, "x", b,
			  sizeof(b));
	assert_string_equal(b,
		"evacuate sdb: 100.0%, 100 MiB of 100 MiB, 10 of 10 segments");
}

/* Lines in a file: one at the start, one every 10 s, one at the end. */
static void plain_log(void **state)
{
	struct ads_progress p;
	FILE *f = tmpfile();
	int count = 0, c;

	ads_progress_init(&p, ADS_PROGRESS_AUTO, f, "x");
	assert_int_equal(p.mode, ADS_PROGRESS_PLAIN);
	for (int i = 0; i <= 30; i++)
		ads_progress_update(&p, i, i, 31, i, 31, NULL);
	ads_progress_finish(&p, 31, 31, 31, 31, 31, NULL);
	rewind(f);
	while ((c = getc(f)) != EOF)
		count += c == '\n';
	assert_int_equal(count, 5);
	fclose(f);
}

static void ndjson(void **state)
{
	struct json_object *o;
	struct ads_progress p;
	FILE *f = tmpfile();
	char line[1024];
	int64_t v;
	bool b;

	ads_progress_init(&p, ADS_PROGRESS_JSON, f, "x");
	ads_progress_update(&p, 1, 7, 31, 1, 4, "n");
	ads_progress_finish(&p, 2, 31, 31, 4, 4, NULL);
	rewind(f);
	assert_non_null(fgets(line, sizeof(line), f));
	o = json_tokener_parse(line);
	assert_true(ads_json_get_i64(o, "bytes_done", &v));
	assert_int_equal(v, 7);
	assert_null(ads_json_get(o, "bytes_per_second"));
	assert_true(json_object_object_get_ex(o, "bytes_per_second", NULL));
	json_object_put(o);
	assert_non_null(fgets(line, sizeof(line), f));
	o = json_tokener_parse(line);
	assert_true(ads_json_get_bool(o, "finished", &b) && b);
	json_object_put(o);
	fclose(f);
}

static void json_docs(void **state)
{
	struct json_object *o = ads_json_doc("x.y", 1);

	ads_json_u64(o, "big", UINT64_MAX);
	ads_json_double(o, "ratio", 0.1);
	ads_json_str(o, "none", NULL);
	assert_string_equal(ads_json_line(o),
		"{\"schema\":{\"name\":\"x.y\",\"version\":1},\"big\":18446744073709551615,\"ratio\":0.1,\"none\":null}");
	json_object_put(o);
}

static void log_lines(void **state)
{
	char b[256];

	assert_int_equal(ads_kmsg_parse("3,55,1234,-;device-mapper: table: 254:0: adshard: Invalid name (-EINVAL)\n SUBSYSTEM=x\n",
					b, sizeof(b)), ADS_KMSG_TABLE);
	assert_string_equal(b, "Invalid name");
	assert_int_equal(ads_kmsg_parse("3,55,1234,-;device-mapper: adshard: sdb: too small\n",
					b, sizeof(b)), ADS_KMSG_REASON);
	assert_string_equal(b, "sdb: too small");
	/* a warning is not a reason; others' lines aren't ours */
	assert_int_equal(ads_kmsg_parse("4,55,1234,-;device-mapper: adshard: hm\n",
					b, sizeof(b)), ADS_KMSG_OTHER);
	assert_int_equal(ads_kmsg_parse("3,55,1234,-;device-mapper: table: 254:0: linear: x\n",
					b, sizeof(b)), ADS_KMSG_OTHER);
	assert_int_equal(ads_kmsg_parse("garbage", b, sizeof(b)),
			 ADS_KMSG_OTHER);
}

#define ANSWER "{\"schema\":{\"name\":\"adshardd.status\",\"version\":1}," \
	"\"members\":[{\"pool\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\"," \
	"\"member\":2,\"score\":71.6,\"stale\":true,\"device\":null," \
	"\"reasons\":[{\"text\":\"spare below threshold\",\"points\":40}," \
	"{\"points\":1}],\"smart_age\":null},{\"score\":null},17]," \
	"\"jobs\":[{\"id\":7,\"kind\":\"evacuate\",\"segments_total\":12," \
	"\"started\":-4}]}"

static void agent_answers(void **state)
{
	static const char *const bad[] = {
		"{}", "{\"schema\":3}",
		"{\"schema\":{\"name\":\"adshardd.status\",\"version\":2}}",
		"{\"schema\":{\"name\":\"other\",\"version\":1}}",
	};
	struct json_object *o = json_tokener_parse(ANSWER);
	const struct ads_agent_member *m;
	struct ads_agent_status *st;
	struct ads_err err;
	uint8_t pool[16];

	for (int i = 0; i < 16; i++)
		pool[i] = i;
	assert_int_equal(ads_agent_status_parse(o, &st, &err), 0);
	assert_int_equal(st->nr_members, 3);
	m = ads_agent_find(st, pool, 2);
	assert_non_null(m);
	assert_int_equal(m->score, 72);
	assert_true(m->stale);
	assert_null(m->device);
	assert_int_equal(m->smart_age, -1);
	assert_int_equal(m->nr_reasons, 1);
	assert_string_equal(m->reasons[0].text, "spare below threshold");
	assert_null(ads_agent_find(st, pool, 1));
	assert_int_equal(st->members[1].score, -1);
	assert_int_equal(st->jobs[0].id, 7);
	assert_int_equal(st->jobs[0].started, 0);
	ads_agent_status_free(st);
	json_object_put(o);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		o = json_tokener_parse(bad[i]);
		assert_int_equal(ads_agent_status_parse(o, &st, &err),
				 -EPROTO);
		json_object_put(o);
	}
	/* nothing but the schema: an agent that knows no pool yet */
	o = json_tokener_parse("{\"schema\":{\"name\":\"adshardd.status\",\"version\":1}}");
	assert_int_equal(ads_agent_status_parse(o, &st, &err), 0);
	assert_int_equal(st->nr_members, 0);
	ads_agent_status_free(st);
	json_object_put(o);
}

/* A server that gives one answer, in two pieces, and goes. */
static pid_t serve(const char *path, const char *answer)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), c;
	char buf[256];
	pid_t pid;

	strcpy(sa.sun_path, path);
	unlink(path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 5), 0);
	pid = fork();
	if (pid) {
		close(fd);
		return pid;
	}
	c = accept(fd, NULL, NULL);
	if (read(c, buf, sizeof(buf)) <= 0)
		_exit(1);
	if (answer) {
		size_t half = strlen(answer) / 2;

		if (write(c, answer, half) < 0)
			_exit(1);
		usleep(20000);
		if (write(c, answer + half, strlen(answer) - half) < 0)
			_exit(1);
	} else {
		sleep(5);
	}
	_exit(0);
}

static int ask(const char *path, const char *answer, struct ads_err *err)
{
	pid_t pid = serve(path, answer);
	struct ads_agent_status *st;
	int rc = ads_agent_status(300, &st, err);

	if (!rc)
		ads_agent_status_free(st);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	unlink(path);
	return rc;
}

static void agent_socket(void **state)
{
	struct ads_agent_status *st;
	struct ads_err err;
	char path[64];

	snprintf(path, sizeof(path), "/tmp/ctl-agent-%d", getpid());
	setenv("ADSHARD_SOCKET", path, 1);
	assert_int_equal(ads_agent_status(300, &st, &err), -ENOENT);
	assert_int_equal(ask(path, ANSWER "\n", &err), 0);
	assert_int_equal(ask(path, ANSWER, &err), -EPROTO);	/* no end */
	assert_int_equal(ask(path, "rubbish\n", &err), -EPROTO);
	assert_int_equal(ask(path, "{\"error\":\"no such command\",\"code\":22}\n",
			     &err), -EREMOTEIO);
	assert_string_equal(err.text, "agent: no such command");
	assert_int_equal(ask(path, NULL, &err), -ETIMEDOUT);
}

/* The kernel's sentences, as it says them. */
static void blame(void **state)
{
	static const struct {
		const char *text;
		bool dst;
	} said[] = {
		{ "writes to the destination fail", true },
		{ "the destination can't be flushed", true },
		{ "the destination fails", true },
		{ "the destination returns other data than was written", true },
		{ "the destination failed during the commit", true },
		{ "the source does not answer any more", false },
		{ "the source is gone", false },
		{ "too many bad ranges: there is no room to record more", false },
		{ "its bad ranges could not be recorded", false },
		{ "the legs of a chunk differ again and again", false },
		{ "the change could not be recorded", false },
		{ "out of memory", false },
		{ "", false },
	};
	struct ads_event ev = { .type = ADSHARD_EVENT_MIGRATION_FAILED,
				.has = ADS_EV_TEXT | ADS_EV_DST };

	for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++) {
		snprintf(ev.text, sizeof(ev.text), "%s", said[i].text);
		assert_int_equal(ads_event_blames_dst(&ev), said[i].dst);
	}
	snprintf(ev.text, sizeof(ev.text), "the destination fails");
	ev.has = ADS_EV_TEXT;
	assert_false(ads_event_blames_dst(&ev));	/* which one? */
	ev.has = ADS_EV_DST;
	assert_false(ads_event_blames_dst(&ev));
	ev.has = ADS_EV_TEXT | ADS_EV_DST;
	ev.type = ADSHARD_EVENT_MIGRATION_ABORTED;
	assert_false(ads_event_blames_dst(&ev));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_in),
		cmocka_unit_test(sizes_out),
		cmocka_unit_test(durations),
		cmocka_unit_test(percents),
		cmocka_unit_test(numbers),
		cmocka_unit_test(rates),
		cmocka_unit_test(lines),
		cmocka_unit_test(plain_log),
		cmocka_unit_test(ndjson),
		cmocka_unit_test(json_docs),
		cmocka_unit_test(log_lines),
		cmocka_unit_test(agent_answers),
		cmocka_unit_test(agent_socket),
		cmocka_unit_test(blame),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
