// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recorder SOCKET LOG SEED NR SECTORS: disks for a guest that keep a log of all
 * that happens to them, in one order over all.
 *
 * It serves the network block device protocol, exports m0, m1, ... of SECTORS
 * each and "oracle", until the last client has gone. The disks have a volatile
 * cache: a write is answered some time after it has arrived, a flush too, so
 * that many are in flight at once; what is in the cache follows from the log.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define MAX_DISKS	18
#define MAX_WAITING	4096
#define DELAY_NS	1500000
#define ORACLE_SECTORS	65536
#define MAX_REQUEST	(32 << 20)

struct disk {
	int fd;			/* -1: nobody is connected */
	uint8_t *image;
	uint64_t sectors;
	/* writes that are to fail */
	uint64_t bad, nr_bad, count;
};

/* An answer that is to be given, and what the log is to say then. */
struct answer {
	uint64_t due, handle;
	struct log_entry entry;
};

static struct {
	struct disk disk[MAX_DISKS];
	unsigned int nr, clients;
	FILE *log;
	uint64_t id, rnd;
	struct answer waiting[MAX_WAITING];
	unsigned int nr_waiting;
	uint8_t *buffer;
} rec;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool get(int fd, void *to, size_t n)
{
	while (n) {
		ssize_t got = read(fd, to, n);

		if (got <= 0)
			return false;
		to = (char *)to + got;
		n -= (size_t)got;
	}
	return true;
}

static bool put(int fd, const void *from, size_t n)
{
	while (n) {
		ssize_t put = send(fd, from, n, MSG_NOSIGNAL);

		if (put <= 0)
			return false;
		from = (const char *)from + put;
		n -= (size_t)put;
	}
	return true;
}

static void write_log(const struct log_entry *e, const void *data)
{
	if (fwrite(e, sizeof(*e), 1, rec.log) != 1 ||
	    (data && fwrite(data, 512, e->sectors, rec.log) != e->sectors))
		err(1, "log");
}

/*--- negotiation ------------------------------------------------*/

static bool option_reply(int fd, uint32_t option, uint32_t type,
			 const void *data, uint32_t len)
{
	struct {
		uint64_t magic;
		uint32_t option, type, len;
	} __attribute__((packed)) reply = {
		htobe64(0x3e889045565a9ULL), htobe32(option), htobe32(type),
		htobe32(len)
	};

	return put(fd, &reply, sizeof(reply)) && put(fd, data, len);
}

/* Which disk a client asks for, -1 if none. */
static int find(const char *name, uint32_t len)
{
	char text[32] = "";

	if (len >= sizeof(text))
		return -1;
	memcpy(text, name, len);
	if (!strcmp(text, "oracle"))
		return (int)rec.nr - 1;
	if (text[0] != 'm' || (unsigned int)atoi(text + 1) >= rec.nr - 1)
		return -1;
	return atoi(text + 1);
}

static bool go(int fd, uint32_t option, const char *data, uint32_t len, int *disk)
{
	struct {
		uint16_t type;
		uint64_t size;
		uint16_t flags;
	} __attribute__((packed)) info = { 0 };
	uint32_t name;

	if (len < 4)
		return false;
	memcpy(&name, data, 4);
	name = be32toh(name);
	if (name > len - 4)
		return false;
	*disk = find(data + 4, name);
	if (*disk < 0)
		return option_reply(fd, option, 0x80000006U, NULL, 0);
	info.size = htobe64(rec.disk[*disk].sectors * 512);
	info.flags = htobe16(1 | 4);		/* flags; knows flushes */
	return option_reply(fd, option, 3, &info, sizeof(info)) &&
	       option_reply(fd, option, 1, NULL, 0);
}

/* Returns the disk, -1 if the client went away again. */
static int negotiate(int fd)
{
	struct {
		uint64_t magic, option;
		uint16_t flags;
	} __attribute__((packed)) hello = {
		htobe64(0x4e42444d41474943ULL), htobe64(0x49484156454f5054ULL),
		htobe16(1 | 2)
	};
	struct {
		uint64_t magic;
		uint32_t option, len;
	} __attribute__((packed)) ask;
	uint32_t flags;
	char data[4096];
	int disk = -1;

	if (!put(fd, &hello, sizeof(hello)) || !get(fd, &flags, 4))
		return -1;
	for (;;) {
		if (!get(fd, &ask, sizeof(ask)))
			return -1;
		ask.len = be32toh(ask.len);
		ask.option = be32toh(ask.option);
		if (ask.len > sizeof(data) || !get(fd, data, ask.len))
			return -1;
		if (ask.option != 6 && ask.option != 7) {
			if (!option_reply(fd, ask.option, 0x80000001U, NULL, 0))
				return -1;
			continue;
		}
		if (!go(fd, ask.option, data, ask.len, &disk))
			return -1;
		if (ask.option == 7 && disk >= 0)
			return disk;
	}
}

/*--- requests ---------------------------------------------------*/

static bool reply(struct disk *d, uint64_t handle, uint32_t error,
		  const void *data, size_t len)
{
	struct {
		uint32_t magic, error;
		uint64_t handle;
	} __attribute__((packed)) head = {
		htobe32(0x67446698U), htobe32(error), handle
	};

	return put(d->fd, &head, sizeof(head)) && put(d->fd, data, len);
}

static void answer_later(uint64_t handle, const struct log_entry *e, uint8_t type)
{
	struct answer *a = &rec.waiting[rec.nr_waiting++];

	if (rec.nr_waiting == MAX_WAITING)
		errx(1, "too many requests in flight");
	a->due = now() + rnd_below(&rec.rnd, DELAY_NS);
	a->handle = handle;
	a->entry = *e;
	a->entry.type = type;
}

static void control(const void *data)
{
	struct ctl_block c;

	memcpy(&c, data, sizeof(c));
	if (c.magic != CTL_MAGIC || c.disk >= rec.nr - 1)
		return;
	rec.disk[c.disk].bad = c.sector;
	rec.disk[c.disk].nr_bad = c.sectors;
	rec.disk[c.disk].count = c.count;
}

static void do_write(unsigned int nr, uint64_t handle, struct log_entry *e)
{
	struct disk *d = &rec.disk[nr];
	bool there = true;

	if (d->count && e->sector < d->bad + d->nr_bad &&
	    d->bad < e->sector + e->sectors) {
		d->count--;
		e->error = EIO;
		there = rnd_below(&rec.rnd, 2);
	}
	if (there) {
		memcpy(d->image + e->sector * 512, rec.buffer,
		       (size_t)e->sectors * 512);
		write_log(e, rec.buffer);
	}
	if (nr == rec.nr - 1 && e->sector == CTL_SECTOR)
		control(rec.buffer);
	answer_later(handle, e, there ? LOG_DONE : 0);
}

/* False: the client is gone. */
static bool request(unsigned int nr)
{
	struct disk *d = &rec.disk[nr];
	struct {
		uint32_t magic;
		uint16_t flags, type;
		uint64_t handle, offset;
		uint32_t len;
	} __attribute__((packed)) r;
	struct log_entry e = { .magic = LOG_MAGIC };
	uint64_t offset;

	if (!get(d->fd, &r, sizeof(r)) || r.magic != htobe32(0x25609513U))
		return false;
	offset = be64toh(r.offset);
	r.len = be32toh(r.len);
	e.disk = nr == rec.nr - 1 ? LOG_ORACLE : (uint8_t)nr;
	e.id = ++rec.id;
	e.sector = offset / 512;
	e.sectors = r.len / 512;
	if (offset % 512 || r.len % 512 || r.len > MAX_REQUEST ||
	    e.sector + e.sectors > d->sectors)
		errx(1, "a request that is no disk's");
	switch (be16toh(r.type)) {
	case 0:
		return reply(d, r.handle, 0, d->image + offset, r.len);
	case 1:
		if (!get(d->fd, rec.buffer, r.len))
			return false;
		e.type = LOG_WRITE;
		do_write(nr, r.handle, &e);
		return true;
	case 2:
		return false;
	case 3:
		e.type = LOG_FLUSH;
		write_log(&e, NULL);
		answer_later(r.handle, &e, LOG_FLUSHED);
		return true;
	}
	return reply(d, r.handle, EINVAL, NULL, 0);
}

static void give(const struct answer *a)
{
	unsigned int nr = a->entry.disk == LOG_ORACLE ? rec.nr - 1 : a->entry.disk;
	struct disk *d = &rec.disk[nr];

	if (d->fd < 0)
		return;
	if (a->entry.type)
		write_log(&a->entry, NULL);
	/* Whoever is gone is noticed when reading. */
	reply(d, a->handle, a->entry.error, NULL, 0);
}

/* Give the answers that are due; nanoseconds until the next, at most a second. */
static uint64_t answers(void)
{
	uint64_t t = now(), next = t + 1000000000;
	unsigned int i = 0;

	while (i < rec.nr_waiting) {
		struct answer *a = &rec.waiting[i];

		if (a->due <= t) {
			give(a);
			*a = rec.waiting[--rec.nr_waiting];
			continue;
		}
		if (a->due < next)
			next = a->due;
		i++;
	}
	return next - t;
}

static void welcome(int listener)
{
	int fd = accept(listener, NULL, NULL), nr;

	if (fd < 0)
		return;
	nr = negotiate(fd);
	if (nr < 0 || rec.disk[nr].fd >= 0) {
		close(fd);
		return;
	}
	rec.disk[nr].fd = fd;
	rec.clients++;
}

static void serve(int listener)
{
	struct pollfd fds[MAX_DISKS + 1];
	unsigned int i;

	do {
		uint64_t ns = answers();
		struct timespec t = { (time_t)(ns / 1000000000),
				      (long)(ns % 1000000000) };

		for (i = 0; i < rec.nr; i++)
			fds[i] = (struct pollfd){ rec.disk[i].fd, POLLIN, 0 };
		fds[rec.nr] = (struct pollfd){ listener, POLLIN, 0 };
		if (ppoll(fds, rec.nr + 1, &t, NULL) < 0)
			err(1, "poll");
		if (fds[rec.nr].revents)
			welcome(listener);
		for (i = 0; i < rec.nr; i++) {
			if (!fds[i].revents || request(i))
				continue;
			close(rec.disk[i].fd);
			rec.disk[i].fd = -1;
			rec.clients--;
		}
	} while (rec.clients || !rec.id);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	unsigned int i;
	int listener;

	if (argc != 6 || strlen(argv[1]) >= sizeof(at.sun_path))
		errx(2, "usage: recorder SOCKET LOG SEED NR SECTORS");
	strcpy(at.sun_path, argv[1]);
	rec.rnd = strtoull(argv[3], NULL, 0);
	rec.nr = (unsigned int)atoi(argv[4]) + 1;
	if (rec.nr > MAX_DISKS)
		errx(2, "too many disks");
	rec.log = fopen(argv[2], "w");
	rec.buffer = malloc(MAX_REQUEST);
	if (!rec.log || !rec.buffer)
		err(1, "%s", argv[2]);
	for (i = 0; i < rec.nr; i++) {
		struct disk *d = &rec.disk[i];

		d->fd = -1;
		d->sectors = i == rec.nr - 1 ? ORACLE_SECTORS :
			     strtoull(argv[5], NULL, 0);
		d->image = mmap(NULL, d->sectors * 512, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (d->image == MAP_FAILED)
			err(1, "memory");
	}
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	unlink(argv[1]);
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, MAX_DISKS))
		err(1, "%s", argv[1]);
	serve(listener);
	return fclose(rec.log) ? 1 : 0;
}
