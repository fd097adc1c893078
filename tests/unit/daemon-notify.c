// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the service manager sees of adshardd, and its command line. Runs the
 * program, without the kernel module.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"

#define PROGRAM	"build/agent/bin/adshardd"

static char dir[] = "/tmp/daemon-notify.XXXXXX";
static char conf[64], sock[64], seen[8192];
static int notify;

static void write_conf(const char *more)
{
	FILE *f = fopen(conf, "w");

	fprintf(f, "socket = \"%s/run/control\"\nstate_dir = \"%s/state\"\n"
		"log_level = error\npoll { interval = 1s }\n%s\n", dir, dir,
		more);
	fclose(f);
}

static pid_t start(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setenv("NOTIFY_SOCKET", sock, 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	unsetenv("JOURNAL_STREAM");
	execl(PROGRAM, PROGRAM, "--config", conf, NULL);
	_exit(126);
}

/* Collects messages until @text is among them. */
static bool told(const char *text, int ms)
{
	struct pollfd p = { .fd = notify, .events = POLLIN };
	size_t len = strlen(seen);
	ssize_t n;

	while (!strstr(seen, text)) {
		if (poll(&p, 1, ms) <= 0 || len > sizeof(seen) - 600)
			return false;
		n = recv(notify, seen + len, 500, 0);
		if (n <= 0)
			return false;
		seen[len + n] = '\n';
		len += n + 1;
		seen[len] = 0;
	}
	return true;
}

static int run(const char *args)
{
	char command[256];
	int status;

	snprintf(command, sizeof(command), PROGRAM " %s >%s/out 2>&1", args,
		 dir);
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool printed(const char *text)
{
	char path[64], out[16384];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/out", dir);
	f = fopen(path, "r");
	n = f ? fread(out, 1, sizeof(out) - 1, f) : 0;
	out[n] = 0;
	if (f)
		fclose(f);
	return strstr(out, text);
}

static void test_command_line(void)
{
	char args[128];

	is(run("--help"), 0, "--help");
	ok(printed("Usage: adshardd"), "... helps");
	is(run("--version"), 0, "--version");
	is(run("--nonsense"), 2, "an unknown option is wrong usage");
	is(run("start"), 2, "so is an argument");
	snprintf(args, sizeof(args), "--check-config -c %s", conf);
	is(run(args), 0, "--check-config");
	write_conf("smart { interval = soon }");
	is(run(args), 1, "--check-config of a bad one");
	ok(printed("a.conf:5: interval: 'soon'"), "... says where");
	is(run("--check-config -c /nonexistent"), 1, "of none");
	write_conf("plan { window = 77 }");
	snprintf(args, sizeof(args), "--print-config -c %s", conf);
	is(run(args), 0, "--print-config");
	ok(printed("window = 77"), "... prints");
	snprintf(args, sizeof(args), "--once -c %s", conf);
	is(run(args), 1, "--once without the module");
	ok(printed("\"members\""), "... prints nevertheless");
}

static void test_service(void)
{
	char log[128];
	int status;
	pid_t pid;

	write_conf("");
	pid = start();
	ok(told("READY=1", 5000), "it is ready");
	ok(told("STATUS=", 5000), "it has a status");
	ok(told("not loaded", 5000), "that says what it waits for");
	seen[0] = 0;
	ok(told("WATCHDOG=1", 3000), "it feeds the watchdog");
	kill(pid, SIGHUP);
	ok(told("RELOADING=1", 5000), "it reloads");
	ok(told("READY=1", 5000), "and is ready again");
	write_conf("nonsense = 1");
	seen[0] = 0;
	kill(pid, SIGHUP);
	ok(told("RELOADING=1", 5000) && told("READY=1", 5000),
	   "and with a bad configuration too");
	is(waitpid(pid, &status, WNOHANG), 0, "it lives");
	write_conf("");
	snprintf(log, sizeof(log), "-c %s", conf);
	is(run(log), 1, "a second one does not start");
	ok(printed("another adshardd runs"), "... and says why");
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	seen[0] = 0;
	pid = start();
	ok(told("READY=1", 5000), "after a kill it starts again");
	kill(pid, SIGTERM);
	ok(told("STOPPING=1", 5000), "it says that it ends");
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && !WEXITSTATUS(status), "and ends well");
}

int main(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char command[64];

	if (access(PROGRAM, X_OK) < 0) {
		printf("1..0 # SKIP %s is not built, or not run from the top\n",
		       PROGRAM);
		return 0;
	}
	if (access("/sys/module/dm_adshard", F_OK) == 0) {
		printf("1..0 # SKIP the module is loaded here\n");
		return 0;
	}
	if (!mkdtemp(dir))
		return 1;
	snprintf(conf, sizeof(conf), "%s/a.conf", dir);
	snprintf(sock, sizeof(sock), "%s/notify", dir);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", sock);
	notify = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (bind(notify, (struct sockaddr *)&addr, sizeof(addr)))
		return 1;
	write_conf("");
	test_command_line();
	test_service();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || done_testing();
}
