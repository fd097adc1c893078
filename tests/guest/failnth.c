// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * failnth: lets every single allocation of an action fail in turn.
 *
 *   failnth [-n MAX] [-e ERRNO] [-b COMMAND] [-a COMMAND] [-v] ACTION
 *
 * ACTION is a device-mapper call by this very process
 *
 *   load NAME SECTORS TYPE ARGUMENTS	load a table of one target
 *   suspend NAME | resume NAME | clear NAME | remove NAME | status NAME | table NAME
 *   message NAME TEXT
 *
 * or "exec PROGRAM ARGUMENT...", within the ioctls and messages of that program (see
 * failnth-preload.c; it must be dynamically linked).
 * The action is repeated with its 1st, 2nd, 3rd, ... allocation failing (/proc/self/fail-nth)
 * until it needs fewer than that.  COMMANDs are run by the shell, unharmed, before (-b) and
 * after (-a) each attempt, to bring things back to where they were.
 *
 * Passes if no attempt failed with anything but ENOMEM (-e allows one more error; exec: any
 * status, but no signal) and the last, unharmed one succeeded.
 * What else may have gone wrong is for the kernel's log, KASAN and kmemleak to say.
 *
 * Only allocations in the context of this task count: not those of kernel threads and
 * workqueues.  Needs CONFIG_FAULT_INJECTION; a kernel without it is a skip (status 77).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/dm-ioctl.h>

#define DEBUGFS "/sys/kernel/debug/"
#define BUFFER 65536

static int control = -1, nth_fd = -1;
static char preload[4096];

static void fatal(const char *what)
{
	fprintf(stderr, "failnth: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void setting(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fatal(path);
	close(fd);
}

static void configure(bool verbose)
{
	/* by default only allocations that may not sleep fail: hardly any */
	setting(DEBUGFS "failslab/ignore-gfp-wait", "N");
	setting(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N");
	setting(DEBUGFS "fail_page_alloc/min-order", "0");
	setting(DEBUGFS "failslab/verbose", verbose ? "2" : "0");
	setting(DEBUGFS "fail_page_alloc/verbose", verbose ? "2" : "0");
	/* a page fault of our own must not be what fails */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		fatal("mlockall");
}

static void set_nth(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth_fd, text, len, 0) != len)
		fatal("fail-nth");
}

/* 0: the failure happened; else how many allocations were left to go */
static unsigned int left(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) < 0)
		fatal("fail-nth");
	return strtoul(text, NULL, 10);
}

struct action {
	char **argv;			/* of exec */
	unsigned long request;		/* else a device-mapper call, prepared in */
	char *prepared;
};

static void prepare(struct action *a, int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned long request;
		unsigned int flags;
		int argc;
	} verbs[] = {
		{ "load", DM_TABLE_LOAD, 0, 5 },
		{ "suspend", DM_DEV_SUSPEND, DM_SUSPEND_FLAG, 2 },
		{ "resume", DM_DEV_SUSPEND, 0, 2 },
		{ "clear", DM_TABLE_CLEAR, 0, 2 },
		{ "remove", DM_DEV_REMOVE, 0, 2 },
		{ "status", DM_TABLE_STATUS, 0, 2 },
		{ "table", DM_TABLE_STATUS, DM_STATUS_TABLE_FLAG, 2 },
		{ "message", DM_TARGET_MSG, 0, 3 },
	};
	struct dm_ioctl *io;
	unsigned int i;
	char *data;

	if (argc > 1 && !strcmp(argv[0], "exec")) {
		ssize_t len = readlink("/proc/self/exe", preload, sizeof(preload) - 16);

		if (len < 0)
			fatal("/proc/self/exe");
		strcpy(preload + len, "-preload.so");
		a->argv = argv + 1;
		return;
	}
	for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (argc && !strcmp(argv[0], verbs[i].name) && argc == verbs[i].argc)
			break;
	if (i == sizeof(verbs) / sizeof(*verbs)) {
		fprintf(stderr, "failnth: no such action (see the top of its source)\n");
		exit(2);
	}
	a->request = verbs[i].request;
	a->prepared = calloc(2, BUFFER);
	if (!a->prepared)
		fatal("memory");
	io = (struct dm_ioctl *)a->prepared;
	*io = (struct dm_ioctl) {
		.version = { DM_VERSION_MAJOR, 0, 0 },
		.data_size = BUFFER,
		.data_start = sizeof(*io),
		.flags = verbs[i].flags,
	};
	snprintf(io->name, sizeof(io->name), "%s", argv[1]);
	data = a->prepared + sizeof(*io);
	if (a->request == DM_TABLE_LOAD) {
		struct dm_target_spec *spec = (void *)data;

		io->target_count = 1;
		spec->length = strtoull(argv[2], NULL, 10);
		snprintf(spec->target_type, sizeof(spec->target_type), "%s", argv[3]);
		snprintf((char *)(spec + 1), BUFFER - sizeof(*io) - sizeof(*spec), "%s", argv[4]);
	} else if (a->request == DM_TARGET_MSG) {
		struct dm_target_msg *msg = (void *)data;

		snprintf(msg->message, BUFFER - sizeof(*io) - sizeof(*msg), "%s", argv[2]);
	}
}

/* Runs the action with its nth allocation failing.  Returns an errno or a wait status. */
static int attempt(const struct action *a, unsigned int n, unsigned int *remaining)
{
	int report, status;
	char text[16];
	pid_t child;

	if (!a->argv) {
		char *buffer = a->prepared + BUFFER;
		int result;

		memcpy(buffer, a->prepared, BUFFER);
		set_nth(n);
		result = ioctl(control, a->request, buffer) < 0 ? errno : 0;
		*remaining = left(nth_fd);
		set_nth(0);
		return result;
	}

	report = memfd_create("report", 0);
	if (report < 0)
		fatal("memfd");
	child = fork();
	if (child < 0)
		fatal("fork");
	if (!child) {
		snprintf(text, sizeof(text), "%u", n);
		setenv("FAILNTH", text, 1);
		snprintf(text, sizeof(text), "%d", report);
		setenv("FAILNTH_FD", text, 1);
		setenv("LD_PRELOAD", preload, 1);
		execvp(a->argv[0], a->argv);
		_exit(126);
	}
	if (waitpid(child, &status, 0) < 0)
		fatal("wait");
	*remaining = left(report);
	close(report);
	return status;
}

static void shell(const char *command)
{
	if (command && system(command) != 0) {
		fprintf(stderr, "failnth: '%s' failed\n", command);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	unsigned int n, max = 5000, survived = 0, failed = 0, strange = 0, remaining = 0;
	const char *before = NULL, *after = NULL;
	struct action action = { 0 };
	bool verbose = false;
	int c, allowed = 0, result = 0;

	while ((c = getopt(argc, argv, "+n:e:b:a:v")) != -1) {
		switch (c) {
		case 'n': max = atoi(optarg); break;
		case 'e': allowed = atoi(optarg); break;
		case 'b': before = optarg; break;
		case 'a': after = optarg; break;
		case 'v': verbose = true; break;
		default: return 2;
		}
	}
	prepare(&action, argc - optind, argv + optind);
	nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		fprintf(stderr, "failnth: this kernel cannot fail allocations\n");
		return 77;
	}
	control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0 && !action.argv)
		fatal("/dev/mapper/control");
	configure(verbose);

	for (n = 1; n <= max; n++) {
		shell(before);
		result = attempt(&action, n, &remaining);
		if (!remaining && !result) {
			survived++;
		} else if (!remaining && (action.argv ? !WIFSIGNALED(result) :
					  result == ENOMEM || result == allowed)) {
			failed++;
		} else if (!remaining) {
			strange++;
			printf("allocation %u: %s\n", n, action.argv ? "killed by a signal" : strerror(result));
		}
		if (!remaining)
			shell(after);
		else
			break;
	}
	printf("%s: %u allocations failed in turn: %u times the action failed, %u times it went on",
	       argv[optind], n - 1, failed, survived);
	printf(strange ? ", %u strange errors\n" : "\n", strange);
	if (!remaining)
		printf("no end after %u\n", max);
	else if (result)
		printf("unharmed it fails too: %s\n", action.argv ? "status" : strerror(result));
	shell(after);
	return strange || result || !remaining;
}
