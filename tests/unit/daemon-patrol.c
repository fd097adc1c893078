// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The ring of the patrol stays the agent's own: a child that hangs in a disk must
 * not keep its memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/collect/patrol.h"

/* How many mappings of rings this process has. */
static int rings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char line[512];
	int n = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		n += strstr(line, "io_uring") != NULL;
	fclose(f);
	return n;
}

int main(void)
{
	struct patrol *patrol;
	sd_event *event;
	int r, status;
	pid_t pid;

	if (sd_event_new(&event) < 0)
		return 1;
	r = patrol_new(event, &patrol);
	if (r == -ENOSYS || r == -EPERM) {
		skip("the ring of the patrol", "this kernel allows none");
		return done_testing();
	}
	if (!is(r, 0, "a patrol"))
		return done_testing();
	ok(rings() > 0, "its ring is mapped");
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(rings());
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status),
	   "a child ends");
	is(WEXITSTATUS(status), 0, "and has no mapping of it");
	patrol_free(patrol);
	is(rings(), 0, "nor is there one in the end");
	sd_event_unref(event);
	return done_testing();
}
