// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * scribble: a writer that changes its buffer while it is being written.
 *
 *	scribble DEVICE OFFSET LENGTH GO
 *
 * Writes LENGTH bytes of 'A' at OFFSET with O_DIRECT. As soon as a file named GO exists, fills the
 * buffer with 'B' and makes a file GO.done. Exits with status 0 when the write has ended well.
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct job {
	int fd;
	char *buf;
	size_t length;
	off_t offset;
	ssize_t result;
};

static void *writer(void *arg)
{
	struct job *job = arg;

	job->result = pwrite(job->fd, job->buf, job->length, job->offset);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	struct job job;
	char done[256];
	int fd;

	if (argc != 5)
		errx(2, "usage: scribble DEVICE OFFSET LENGTH GO");
	job.offset = strtoll(argv[2], NULL, 0);
	job.length = strtoull(argv[3], NULL, 0);
	job.fd = open(argv[1], O_RDWR | O_DIRECT);
	if (job.fd < 0)
		err(1, "%s", argv[1]);
	if (posix_memalign((void **)&job.buf, 4096, job.length))
		errx(1, "no memory");
	memset(job.buf, 'A', job.length);
	if (pthread_create(&thread, NULL, writer, &job))
		errx(1, "no thread");

	while (access(argv[4], F_OK))
		usleep(10000);
	memset(job.buf, 'B', job.length);
	snprintf(done, sizeof(done), "%s.done", argv[4]);
	fd = open(done, O_CREAT | O_WRONLY, 0600);
	if (fd < 0)
		err(1, "%s", done);
	close(fd);

	pthread_join(thread, NULL);
	if (job.result != (ssize_t)job.length)
		errx(1, "the write failed");
	return 0;
}
