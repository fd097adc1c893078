// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The socket: requests of all kinds, and clients that are slow, silent, too
 * many, or send nonsense.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/api/api.h"
#include "daemon/cycle.h"
#include "daemon/lock.h"
#include "daemon/plan/jobs.h"
#include "lib/json.h"

static char dir[] = "/tmp/daemon-api.XXXXXX";
static struct config config;
static struct adshardd d = { .config = &config, .lock = -1 };

static char answer[65536];

static const char *ask(const char *line, bool root)
{
	struct json_object *o = api_answer(&d, line, strlen(line), root);

	snprintf(answer, sizeof(answer), "%s",
		 o ? json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN) :
		 "nothing");
	json_object_put(o);
	return answer;
}

static void test_answers(void)
{
	static const char *const bad[] = {
		"", "x", "12", "[]", "null", "{", "{}", "{\"cmd\":1}",
		"{\"cmd\":null}", "{\"cmd\":\"status\"} x", "{\"cmd\":\"status\"",
		"{'cmd':'status'}", "\"cmd\"", "{\"cmd\":\"status\"}{}",
	};
	unsigned int good = 0, n = sizeof(bad) / sizeof(bad[0]);
	uint8_t uuid[16] = { 1, 2, 3 };
	struct json_object *o, *root;
	struct job *j;

	for (unsigned int i = 0; i < n; i++) {
		ask(bad[i], true);
		good += !!strstr(answer, "\"code\":22");
	}
	is(good, n, "what is no request is refused");
	has(ask("{\"cmd\":\"nonsense\"}", true), "no such command",
	    "an unknown command");
	has(ask("{\"cmd\":\"status\"}", false),
	    "\"schema\":{\"name\":\"adshardd.status\",\"version\":1}",
	    "status for everyone");
	has(answer, "\"members\":[]", "... with members");
	has(answer, "\"jobs\":[]", "... and jobs");
	has(answer, "has not been asked yet", "... and warnings");
	has(ask(" {\"cmd\":\"version\"} \r", false), "\"version\":\"",
	    "version, with blanks around");
	has(ask("{\"cmd\":\"cancel\",\"job\":1}", false), "\"code\":1}",
	    "cancel is root's");
	has(ask("{\"cmd\":\"reload\"}", false), "only root", "reload is root's");
	has(ask("{\"cmd\":\"cancel\",\"job\":1}", true), "\"code\":2}",
	    "a job that there is not");
	has(ask("{\"cmd\":\"cancel\"}", true), "which job?", "no job");
	has(ask("{\"cmd\":\"cancel\",\"job\":\"x\"}", true), "which job?",
	    "a job by name");
	has(ask("{\"cmd\":\"risk\"}", false), "no such member", "risk of nobody");

	j = jobs_add(d.jobs, uuid, uuid, 4, "a \"reason\"", true, 1000);
	job_progress(j, 10, 1 << 20, 0);
	job_progress(j, 6, 1 << 20, 4096);
	root = json_tokener_parse(ask("{\"cmd\":\"jobs\"}", false));
	o = json_object_array_get_idx(ads_json_get(root, "jobs"), 0);
	is(json_object_get_int64(ads_json_get(o, "id")), 1, "jobs: id");
	is(json_object_get_int64(ads_json_get(o, "segments_done")), 4,
	   "jobs: progress");
	is(json_object_get_int64(ads_json_get(o, "bytes_done")),
	   (4 << 20) + 4096, "jobs: bytes");
	ok(!strcmp(json_object_get_string(ads_json_get(o, "state")),
		   "draining"), "jobs: state");
	json_object_put(root);
	has(answer, "\"finished\":null", "jobs: what is not known is null");
	has(ask("{\"cmd\":\"cancel\",\"job\":1}", true), "not active",
	    "a job of a pool that is not there");
	job_end(d.jobs, j, JOB_DRAINED, 2000);
	has(ask("{\"cmd\":\"cancel\",\"job\":1}", true), "has ended",
	    "a job that has ended");
}

/* -- over the socket --------------------------------------------------------------- */

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", config.socket);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		printf("# connect: %s\n", strerror(errno));
	return fd;
}

static void loop(unsigned int rounds)
{
	while (rounds--)
		sd_event_run(d.event, 2000);
}

static bool put(int fd, const char *s)
{
	return send(fd, s, strlen(s), MSG_NOSIGNAL) == (ssize_t)strlen(s);
}

static const char *get(int fd)
{
	ssize_t n = recv(fd, answer, sizeof(answer) - 1, 0);

	answer[n > 0 ? n : 0] = 0;
	if (n < 0)
		return errno == ECONNRESET ? "end" : "nothing";
	return n ? answer : "end";
}

static void test_socket(void)
{
	static const char request[] = "{\"cmd\":\"version\"}\n";
	int a, b, many[12];
	struct ads_err err = { .text = "" };
	struct stat st;
	unsigned int good = 0;

	config.api.clients = 8;
	config.api.timeout = 1;
	config.api.max_request = 256;
	is(api_new(&d, &d.api, &err), 0, "the socket is made");
	stat(config.socket, &st);
	is(st.st_mode & 0777, 0666, "for everyone");
	a = dial();
	put(a, request);
	loop(5);
	has(get(a), "}\n", "one line in, one line out");
	put(a, "{\"cmd\":");
	loop(3);
	ok(!strcmp(get(a), "nothing"), "half a line is not a request");
	put(a, "\"version\"}\n{\"cmd\":\"jobs\"}\n");
	loop(10);
	ok(strstr(get(a), "}\n{"), "two at once are answered both");
	for (int i = 0; i < 40; i++)
		put(a, "0123456789");
	loop(10);
	has(get(a), "too long", "a request that never ends");
	ok(!strcmp(get(a), "end"), "... ends the connection");
	close(a);

	/* never reads: must not stop the others */
	a = dial();
	for (int i = 0; i < 20000 && put(a, "{\"cmd\":\"status\"}\n"); i++)
		loop(1);
	b = dial();
	put(b, request);
	loop(10);
	has(get(b), "}\n", "one that does not read delays no other");
	close(a);
	close(b);
	loop(5);

	for (int i = 0; i < 12; i++) {
		many[i] = dial();
		loop(2);
	}
	loop(20);
	for (int i = 0; i < 12; i++)
		good += !!strstr(get(many[i]), "too many clients");
	is(good, 4, "more than so many are turned away");
	for (int i = 0; i < 700; i++)
		loop(1);
	good = 0;
	for (int i = 0; i < 8; i++)
		good += !strcmp(get(many[i]), "end");
	is(good, 8, "those that say nothing are dropped");
	for (int i = 0; i < 12; i++)
		close(many[i]);
	a = dial();
	put(a, request);
	shutdown(a, SHUT_WR);
	loop(10);
	has(get(a), "}\n", "and then others are served");
	close(a);
	loop(5);
	api_free(d.api);
	ok(access(config.socket, F_OK) < 0, "the socket is removed");
}

static void test_lock(void)
{
	struct ads_err err = { .text = "" };
	int fd = lock_take(config.socket, &err), other;

	ok(fd >= 0, "the lock is taken");
	is(lock_take(config.socket, &err), -EADDRINUSE, "and held");
	has(err.text, "another adshardd runs (process ", "by somebody");
	close(fd);
	other = lock_take(config.socket, &err);
	ok(other >= 0, "and free after that");
	close(other);
}

int main(void)
{
	struct kernel_calls none = { 0 };
	char command[64];
	sigset_t set;

	if (!mkdtemp(dir))
		return 1;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	config_defaults(&config);
	snprintf(config.socket, sizeof(config.socket), "%s/s/control", dir);
	sd_event_default(&d.event);
	d.view_error = 1;
	d.jobs = jobs_new();
	if (kernel_new(d.event, &none, &d, &d.kernel))
		return 1;
	test_answers();
	test_lock();
	test_socket();
	kernel_free(d.kernel);
	jobs_free(d.jobs);
	sd_event_unref(d.event);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
