// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * volatile-disk: network disks (NBD) that lose what was not flushed when their power is cut, all
 * at the same instant.
 *
 *	volatile-disk [-s SEED] [-l DISK] SOCKET FILE...
 *
 * Serves FILE number i as the export "i" on a unix socket, for QEMU. What is written stays in
 * memory until a flush, or goes to the file with FUA.
 *	SIGUSR1	cuts the power: of what is not flushed a random part is written to the files, by
 *		sectors of 512 bytes, or in larger pieces, or nothing, or all, of each disk by chance;
 *		the rest is lost. Nothing is answered any more. Prints "cut SECTORS WRITTEN".
 *	SIGUSR2	power again: closes the old connections, and serves new ones. Prints "power".
 * -l: a negative control: this disk ignores flushes and FUA, and says that it has done them.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECTOR		512
#define MAX_DISKS	16
#define MAX_CLIENTS	64
#define MAX_IO		(32 << 20)

#define OPT_EXPORT_NAME	1
#define OPT_ABORT	2
#define OPT_INFO	6
#define OPT_GO		7
#define REP_ACK		1
#define REP_INFO	3
#define REP_UNSUP	0x80000001U
/* has flags, takes flush, FUA, trim, write zeroes */
#define FLAGS		(1 | 4 | 8 | 32 | 64)

enum { CMD_READ, CMD_WRITE, CMD_DISC, CMD_FLUSH, CMD_TRIM, CMD_ZEROES = 6 };

struct disk {
	uint64_t size;
	char *stable;			/* the file */
	char *cached;			/* what a reader sees */
	uint8_t *dirty;			/* by sector */
	bool lies;
};

struct option_head {
	uint64_t magic;
	uint32_t option, length;
} __attribute__((packed));

struct reply_head {
	uint64_t magic;
	uint32_t option, type, length;
} __attribute__((packed));

struct request {
	uint32_t magic;
	uint16_t flags, type;
	uint64_t handle, offset;
	uint32_t length;
} __attribute__((packed));

struct reply {
	uint32_t magic, error;
	uint64_t handle;
} __attribute__((packed));

/* The one context: all of it is under the lock, so that a cut is one instant. */
static struct {
	pthread_mutex_t lock;
	struct disk disk[MAX_DISKS];
	unsigned int nr, epoch;
	bool off;
	uint64_t rnd;
	int client[MAX_CLIENTS];	/* 0: none */
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint64_t next(void)
{
	uint64_t z = all.rnd += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool take(int fd, void *buf, size_t len)
{
	for (ssize_t n; len; buf = (char *)buf + n, len -= (size_t)n) {
		n = read(fd, buf, len);
		if (n <= 0)
			return false;
	}
	return true;
}

static bool give(int fd, const void *buf, size_t len)
{
	for (ssize_t n; len; buf = (const char *)buf + n, len -= (size_t)n) {
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static void harden(struct disk *d, uint64_t sector)
{
	memcpy(d->stable + sector * SECTOR, d->cached + sector * SECTOR, SECTOR);
	d->dirty[sector] = 0;
}

static void flush(struct disk *d)
{
	for (uint64_t s = 0; !d->lies && s < d->size / SECTOR; s++)
		if (d->dirty[s])
			harden(d, s);
}

static void put(struct disk *d, uint64_t at, uint32_t len, const char *data, bool fua)
{
	if (data)
		memcpy(d->cached + at, data, len);
	else
		memset(d->cached + at, 0, len);
	for (uint64_t s = at / SECTOR; s < (at + len) / SECTOR; s++) {
		d->dirty[s] = 1;
		if (fua && !d->lies)
			harden(d, s);
	}
}

static void cut(void)
{
	unsigned long dirty = 0, written = 0;

	pthread_mutex_lock(&all.lock);
	all.off = true;
	for (unsigned int i = 0; i < all.nr; i++) {
		static const unsigned int pieces[] = { 1, 1, 8, 128 };
		struct disk *d = &all.disk[i];
		unsigned int kind = next() % 8, piece = pieces[next() % 4];

		for (uint64_t s = 0; s < d->size / SECTOR; s += piece) {
			bool keep = kind == 0 ? false : kind == 1 ? true : next() & 1;

			for (uint64_t k = s; k < s + piece && k < d->size / SECTOR; k++) {
				if (!d->dirty[k])
					continue;
				dirty++;
				if (keep) {
					harden(d, k);
					written++;
				} else {
					memcpy(d->cached + k * SECTOR, d->stable + k * SECTOR,
					       SECTOR);
					d->dirty[k] = 0;
				}
			}
		}
	}
	pthread_mutex_unlock(&all.lock);
	printf("cut %lu %lu\n", dirty, written);
}

static void power(void)
{
	pthread_mutex_lock(&all.lock);
	for (unsigned int i = 0; i < MAX_CLIENTS; i++)
		if (all.client[i])
			shutdown(all.client[i], SHUT_RDWR);
	all.off = false;
	all.epoch++;
	pthread_mutex_unlock(&all.lock);
	printf("power\n");
}

static bool answer(int fd, uint32_t option, uint32_t type, const void *data, uint32_t len)
{
	struct reply_head r = { htobe64(0x3e889045565a9), htobe32(option), htobe32(type),
				htobe32(len) };

	return give(fd, &r, sizeof(r)) && give(fd, data, len);
}

static struct disk *by_name(const char *name, uint32_t len)
{
	char text[16] = "";
	unsigned long i;

	if (!len || len >= sizeof(text))
		return NULL;
	memcpy(text, name, len);
	i = strtoul(text, NULL, 10);
	return i < all.nr ? &all.disk[i] : NULL;
}

/* Until the client has chosen a disk. */
static struct disk *negotiate(int fd)
{
	static const uint8_t hello[] = "NBDMAGICIHAVEOPT\0\3";
	uint32_t client;

	if (!give(fd, hello, 18) || !take(fd, &client, sizeof(client)))
		return NULL;
	for (;;) {
		char data[4096];
		struct option_head o;
		struct disk *d = NULL;
		uint32_t option, len, name_len;

		if (!take(fd, &o, sizeof(o)))
			return NULL;
		option = be32toh(o.option);
		len = be32toh(o.length);
		if (len > sizeof(data) || !take(fd, data, len))
			return NULL;
		switch (option) {
		case OPT_EXPORT_NAME: {
			struct { uint64_t size; uint16_t flags; char zero[124]; }
				__attribute__((packed)) export = { 0 };

			d = by_name(data, len);
			if (!d)
				return NULL;
			export.size = htobe64(d->size);
			export.flags = htobe16(FLAGS);
			/* 2: the client wants no zeroes */
			return give(fd, &export, be32toh(client) & 2 ? 10 : 134) ? d : NULL;
		}
		case OPT_INFO:
		case OPT_GO: {
			struct { uint16_t type; uint64_t size; uint16_t flags; }
				__attribute__((packed)) export;
			struct { uint16_t type; uint32_t min, best, max; }
				__attribute__((packed)) block = {
				htobe16(3), htobe32(SECTOR), htobe32(4096), htobe32(MAX_IO) };

			if (len >= 4) {
				memcpy(&name_len, data, 4);
				if (be32toh(name_len) <= len - 4)
					d = by_name(data + 4, be32toh(name_len));
			}
			if (!d) {
				if (!answer(fd, option, 0x80000006U, NULL, 0))
					return NULL;
				break;
			}
			export.type = 0;
			export.size = htobe64(d->size);
			export.flags = htobe16(FLAGS);
			if (!answer(fd, option, REP_INFO, &export, sizeof(export)) ||
			    !answer(fd, option, REP_INFO, &block, sizeof(block)) ||
			    !answer(fd, option, REP_ACK, NULL, 0))
				return NULL;
			if (option == OPT_GO)
				return d;
			break;
		}
		case OPT_ABORT:
			answer(fd, option, REP_ACK, NULL, 0);
			return NULL;
		default:
			if (!answer(fd, option, REP_UNSUP, NULL, 0))
				return NULL;
		}
	}
}

static void serve(int fd, struct disk *d, unsigned int epoch)
{
	char *buf = malloc(MAX_IO);
	struct request r;

	while (buf && take(fd, &r, sizeof(r))) {
		struct reply answer = { htobe32(0x67446698), 0, r.handle };
		uint16_t type = be16toh(r.type), flags = be16toh(r.flags);
		uint64_t at = be64toh(r.offset);
		uint32_t len = be32toh(r.length);
		bool dead;

		if (be32toh(r.magic) != 0x25609513 || type == CMD_DISC ||
		    (type <= CMD_WRITE && len > MAX_IO) ||
		    (type == CMD_WRITE && !take(fd, buf, len)))
			break;
		pthread_mutex_lock(&all.lock);
		dead = all.off || all.epoch != epoch;
		if (dead)
			;
		else if (type == CMD_FLUSH)
			flush(d);
		else if (at > d->size || len > d->size - at || (at | len) % SECTOR)
			answer.error = htobe32(EINVAL);
		else if (type == CMD_READ)
			memcpy(buf, d->cached + at, len);
		else if (type == CMD_WRITE)
			put(d, at, len, buf, flags & 1);
		else if (type == CMD_TRIM || type == CMD_ZEROES)
			put(d, at, len, NULL, flags & 1);
		else
			answer.error = htobe32(EINVAL);
		pthread_mutex_unlock(&all.lock);
		/* without power nobody answers */
		if (dead)
			continue;
		if (!give(fd, &answer, sizeof(answer)) ||
		    (type == CMD_READ && !answer.error && !give(fd, buf, len)))
			break;
	}
	free(buf);
}

static void *client(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg, epoch;
	int fd = all.client[i];
	struct disk *d;

	pthread_mutex_lock(&all.lock);
	epoch = all.epoch;
	pthread_mutex_unlock(&all.lock);
	d = negotiate(fd);
	if (d)
		serve(fd, d, epoch);
	pthread_mutex_lock(&all.lock);
	all.client[i] = 0;
	close(fd);
	pthread_mutex_unlock(&all.lock);
	return NULL;
}

static void *accept_clients(void *arg)
{
	int listener = *(int *)arg;

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		pthread_t thread;
		unsigned int i;

		if (fd < 0)
			continue;
		pthread_mutex_lock(&all.lock);
		for (i = 0; i < MAX_CLIENTS && all.client[i]; i++)
			;
		if (i < MAX_CLIENTS && !all.off)
			all.client[i] = fd;
		else
			i = MAX_CLIENTS;
		pthread_mutex_unlock(&all.lock);
		if (i == MAX_CLIENTS || pthread_create(&thread, NULL, client, (void *)(uintptr_t)i))
			close(fd);
		else
			pthread_detach(thread);
	}
	return NULL;
}

static void open_disk(struct disk *d, const char *file)
{
	int fd = open(file, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		err(1, "%s", file);
	d->size = (uint64_t)st.st_size / SECTOR * SECTOR;
	d->stable = mmap(NULL, d->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	d->cached = malloc(d->size);
	d->dirty = calloc(1, d->size / SECTOR);
	if (d->stable == MAP_FAILED || !d->cached || !d->dirty)
		err(1, "%s", file);
	memcpy(d->cached, d->stable, d->size);
	close(fd);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int c, lies = -1, listener, sig;
	pthread_t thread;
	sigset_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((c = getopt(argc, argv, "s:l:")) != -1)
		switch (c) {
		case 's': all.rnd = strtoull(optarg, NULL, 10); break;
		case 'l': lies = atoi(optarg); break;
		default: return 2;
		}
	if (argc - optind < 2 || argc - optind - 1 > MAX_DISKS)
		errx(2, "usage: volatile-disk [-s SEED] [-l DISK] SOCKET FILE...");
	for (int i = optind + 1; i < argc; i++)
		open_disk(&all.disk[all.nr++], argv[i]);
	if (lies >= 0 && lies < (int)all.nr)
		all.disk[lies].lies = true;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", argv[optind]);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(listener, 16) || pthread_create(&thread, NULL, accept_clients, &listener))
		err(1, "%s", argv[optind]);
	printf("ready\n");
	while (!sigwait(&set, &sig) && sig != SIGTERM)
		if (sig == SIGUSR1)
			cut();
		else
			power();
	return 0;
}
