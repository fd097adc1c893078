// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agent's socket: what comes in pieces, ends early, or is never read.
 *
 * Input: steps of up to three clients: a byte that says who and what (send, read,
 * shut, close, wait), for sending another one of length, then the bytes. A byte of 255
 * there is a newline.
 *
 * Options: -max_len=800
 * Words: agent/daemon/api/answer.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/api/api.h"
#include "daemon/plan/jobs.h"
#include "fuzz.h"
#include "lib/json.h"

#define CLIENTS	3

static struct config config;
static struct adshardd d = { .config = &config, .lock = -1 };

/* Of a length that fills buffers; answer.c has a target of its own. */
struct json_object *__wrap_api_answer(struct adshardd *daemon, const char *line,
				      size_t len, bool root);

struct json_object *__wrap_api_answer(struct adshardd *daemon, const char *line,
				      size_t len, bool root)
{
	struct json_object *o = json_object_new_object();
	char text[2000];

	must(!memchr(line, '\n', len));
	must(len < (size_t)config.api.max_request);
	memset(text, 'x', sizeof(text));
	json_object_object_add(o, "text", json_object_new_string_len(
			text, len && line[0] == 'x' ? sizeof(text) : 2));
	return o;
}

static void loop(void)
{
	int n = 0;

	/* an event that nobody takes would come for ever */
	while (sd_event_run(d.event, 0) > 0)
		must(++n < 1000);
}

static int dial(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), size = 4096;

	must(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	strcpy(sa.sun_path, config.socket);
	must(!connect(fd, (struct sockaddr *)&sa, sizeof(sa)));
	return fd;
}

static void remove_socket(void)
{
	unlink(config.socket);
}

void fuzz_init(void)
{
	struct ads_err err = { "" };

	config_defaults(&config);
	config.api.max_request = 64;
	config.api.clients = 2;
	snprintf(config.socket, sizeof(config.socket), "%s/socket.%d",
		 fuzz_dir(), (int)getpid());
	must(sd_event_new(&d.event) >= 0);
	d.jobs = jobs_new();
	must(!api_new(&d, &d.api, &err));
	atexit(remove_socket);
}

static void send_some(int fd, struct fuzz_in *in)
{
	uint8_t buf[256];
	size_t n = fuzz_u8(in);

	n = fuzz_take(in, buf, n);
	for (size_t i = 0; i < n; i++)
		if (buf[i] == 255)
			buf[i] = '\n';
	send(fd, buf, n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd[CLIENTS] = { -1, -1, -1 };
	struct fuzz_in in = { data, size };
	char buf[4096];

	for (int steps = 0; in.left && steps < 40; steps++) {
		uint8_t step = fuzz_u8(&in), who = (step >> 4) % CLIENTS;

		if (fd[who] < 0)
			fd[who] = dial();
		switch (step % 8) {
		case 0:
		case 1:
		case 2:
			send_some(fd[who], &in);
			break;
		case 3:
			while (recv(fd[who], buf, sizeof(buf), 0) > 0)
				;
			break;
		case 4:
			shutdown(fd[who], SHUT_WR);
			break;
		case 5:
			close(fd[who]);
			fd[who] = -1;
			break;
		case 6:
			shutdown(fd[who], SHUT_RD);
			break;
		}
		if (!(step & 8))
			loop();
	}
	for (int i = 0; i < CLIENTS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
	/* all of them leave */
	loop();
	/* and somebody else is served: the answer is there, and whole */
	fd[0] = dial();
	must(send(fd[0], "hello\n", 6, MSG_NOSIGNAL) == 6);
	loop();
	size = recv(fd[0], buf, sizeof(buf), MSG_DONTWAIT);
	must(size == 14 && !memcmp(buf, "{\"text\":\"xx\"}\n", 14));
	close(fd[0]);
	loop();
	return 0;
}

void fuzz_seeds(void)
{
	static const char one[] = "\x00\x05help\xff\x03\x05";
	static const char two[] = "\x00\x03" "abc\x10\x06 def\xff\n\x01\x02g\xff"
				  "\x13\x03\x04\x03";
	static const char big[] = "\x00\x40xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const char all[] = "\x00\x01x\x10\x01\xff\x20\x01y\x03\x13\x23\x05";
	char many[420];
	size_t n = 0;

	fuzz_seed("one", one, sizeof(one) - 1);
	fuzz_seed("two", two, sizeof(two) - 1);
	fuzz_seed("big", big, sizeof(big) - 1);
	fuzz_seed("all", all, sizeof(all) - 1);
	for (int i = 0; i < 10; i++) {
		many[n++] = 0;
		many[n++] = 40;
		for (int k = 0; k < 20; k++) {
			many[n++] = 'x';
			many[n++] = '\xff';
		}
	}
	fuzz_seed("many", many, n);
}
