// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlfuzz: a great many netlink messages that are almost right.
 *
 *	nlfuzz [-n MESSAGES] [-t THREADS] [-s SEED] UUID SEGMENTS MEMBERS [SCRATCH-UUID]
 *
 * Each message is a valid one of a random command, and then, mostly, something is done to it: an
 * attribute is left out, doubled, of another length, type or number, of a length that lies, one
 * that the command doesn't take, garbage in a nest; the message is cut, its length lies, its
 * header says something else; the sender or the opener of the socket has no CAP_SYS_ADMIN.
 * Dumps are broken off by closing the socket or by the next message. Each thread has several
 * sockets, one of which gets events that it doesn't read.
 *
 * What is sent follows from the seed and the number of the thread alone, not from the answers.
 *
 * Nothing that would legitimately make the pool useless is said to UUID: no member is declared
 * failed. That, and all the rest, goes to the scratch pool too (one message in eight).
 *
 * Some of what is done to a message makes it wrong for certain; if such a message, with nothing
 * else done to it, is accepted, that counts as wrongly accepted, and the status is 1.
 */
#include "nlfuzz-message.h"

/* Privileges belong to the thread. */
static void cap_sys_admin(bool on)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];
	uint32_t bit = 1U << CAP_SYS_ADMIN;

	if (syscall(SYS_capget, &h, d))
		abort();
	d[0].effective = on ? d[0].effective | bit : d[0].effective & ~bit;
	if (syscall(SYS_capset, &h, d))
		abort();
}

static void open_socket(struct thread *t, int i)
{
	int small = 4096;

	t->fd[i] = nl_open();
	if (i == 0 && t->f->group >= 0) {
		setsockopt(t->fd[i], SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		setsockopt(t->fd[i], SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &t->f->group,
			   sizeof(t->f->group));
	}
}

static void reopen(struct thread *t, int i)
{
	close(t->fd[i]);
	open_socket(t, i);
}

/* Answers ------------------------------------------------------------------*/

/* @seq: of the message that this is the answer to; a dump left over has an older one. */
static void take_error(struct thread *t, uint32_t seq, int error)
{
	if (!error) {
		t->accepted++;
		if (t->surely_wrong && seq == t->seq && t->wrongly++ < 5)
			fprintf(stderr, "nlfuzz: accepted: mutation %u: command %u flags %#x, %u bytes\n",
				t->what, t->m.genl.cmd, t->m.nlh.nlmsg_flags, t->m.nlh.nlmsg_len);
	} else {
		t->refused[-error < ERRNOS ? -error : 0]++;
	}
}

/* Returns how many final answers there were: errors, acknowledgments, ends of dumps. */
static int take_buffer(struct thread *t, ssize_t len)
{
	const struct nlmsghdr *nlh = (void *)t->buf;
	int finals = 0;

	for (; NLMSG_OK(nlh, len); nlh = NLMSG_NEXT(nlh, len)) {
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			take_error(t, nlh->nlmsg_seq, ((struct nlmsgerr *)NLMSG_DATA(nlh))->error);
			finals++;
		} else if (nlh->nlmsg_type == NLMSG_DONE) {
			take_error(t, nlh->nlmsg_seq, *(int *)NLMSG_DATA(nlh));
			finals++;
		} else {
			t->data++;
		}
	}
	return finals;
}

/* The kernel has answered when send() returns; the rest of a dump is made as it is read. */
static void take_answers(struct thread *t, int max)
{
	static const uint32_t sizes[] = { 1024, 8192, 32768 };
	size_t size = sizes[rnd_below(&t->rnd, 3)];
	int finals = 0;
	ssize_t len;

	while (max--) {
		len = recv(t->fd[t->socket], t->buf, size, MSG_DONTWAIT);
		if (len < 0 && errno == ENOBUFS)
			continue;
		if (len < 0)
			break;
		finals += take_buffer(t, len);
	}
	if (!finals)
		t->silent++;
}

/* Sending ------------------------------------------------------------------*/

/* Without an address, or the kernel does not ask who opened the socket. */
static void send_it(struct thread *t, size_t len)
{
	if (send(t->fd[t->socket], &t->m, len, 0) < 0 && errno != ENOBUFS)
		t->refused[errno]++;
	t->sent++;
}

/* Several messages in one piece. */
static void send_train(struct thread *t)
{
	uint32_t n = 2 + rnd_below(&t->rnd, 7), len = NLMSG_ALIGN(t->m.nlh.nlmsg_len);
	char *to = (char *)&t->train;

	for (uint32_t i = 0; i < n && (i + 1) * len <= sizeof(t->train); i++) {
		memcpy(to + i * len, &t->m, t->m.nlh.nlmsg_len);
		t->sent++;
		if (send(t->fd[t->socket], to, (i + 1) * len, 0) < 0)
			break;
	}
}

static void one(struct thread *t)
{
	enum mutation what = rnd_one_in(&t->rnd, 4) ? NOTHING : rnd_below(&t->rnd, MUTATIONS);
	const struct template *tp = pick_template(t);
	bool again = what > DOUBLE && what < TRAIN && rnd_one_in(&t->rnd, 4);
	size_t len;

	t->use_scratch = t->f->scratch && rnd_one_in(&t->rnd, 8);
	t->socket = rnd_below(&t->rnd, SOCKETS);
	t->dump = tp->dump;
	t->surely_wrong = false;
	t->mutated[what]++;
	t->what = what;
	build(t, tp, what == DROP ? (int)rnd_below(&t->rnd, 3) : -1,
	      what == DOUBLE ? (int)rnd_below(&t->rnd, 3) : -1);
	t->m.nlh.nlmsg_seq = ++t->seq;
	if (what > DOUBLE) {
		t->surely_wrong = mutate(t, tp, what);
		if (again) {
			mutate(t, tp, GARBAGE);
			t->surely_wrong = false;
		}
	}
	len = t->m.nlh.nlmsg_len;
	if (what == MESSAGE_LENGTH)
		t->m.nlh.nlmsg_len = rnd_one_in(&t->rnd, 2) ? rnd_below(&t->rnd, 2 * len) :
				     odd_number(t);
	if (what == OPENER) {
		cap_sys_admin(false);
		reopen(t, t->socket);
		cap_sys_admin(true);
	}
	if (what == SENDER)
		cap_sys_admin(false);
	if (what == SENDER || what == OPENER) {
		t->unprivileged++;
		t->surely_wrong = true;
	}
	if (what == TRAIN)
		send_train(t);
	else
		send_it(t, len);
	if (what == SENDER)
		cap_sys_admin(true);

	if (what == OPENER || (t->dump && rnd_one_in(&t->rnd, 4))) {
		take_answers(t, 1 + rnd_below(&t->rnd, 3));
		reopen(t, t->socket);
		t->dumps_cut++;
	} else if (t->dump && rnd_one_in(&t->rnd, 3)) {
		/* The rest is left for the next message, and no verdict is due. */
		take_answers(t, 1);
	} else {
		take_answers(t, 1000);
	}
}

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	for (int i = 0; i < SOCKETS; i++)
		open_socket(t, i);
	while (t->sent < t->messages)
		one(t);
	for (int i = 0; i < SOCKETS; i++)
		close(t->fd[i]);
	return NULL;
}

static int report(const struct thread *t, unsigned int nr)
{
	struct thread sum = { 0 };

	for (unsigned int i = 0; i < nr; i++) {
		sum.sent += t[i].sent;
		sum.accepted += t[i].accepted;
		sum.silent += t[i].silent;
		sum.dumps_cut += t[i].dumps_cut;
		sum.data += t[i].data;
		sum.unprivileged += t[i].unprivileged;
		sum.wrongly += t[i].wrongly;
		for (int k = 0; k < ERRNOS; k++)
			sum.refused[k] += t[i].refused[k];
		for (int k = 0; k < MUTATIONS; k++)
			sum.mutated[k] += t[i].mutated[k];
	}
#define PRINT(name, value) printf("nlfuzz.%s %llu\n", name, (unsigned long long)(value))
	PRINT("messages", sum.sent);
	PRINT("mutated", sum.sent - sum.mutated[NOTHING]);
	PRINT("unprivileged", sum.unprivileged);
	PRINT("accepted", sum.accepted);
	for (int k = 0; k < ERRNOS; k++)
		if (sum.refused[k])
			printf("nlfuzz.refused.%s %llu\n", k ? strerrorname_np(k) : "other",
			       (unsigned long long)sum.refused[k]);
	PRINT("no_answer", sum.silent);
	PRINT("answers_with_data", sum.data);
	PRINT("dumps_cut", sum.dumps_cut);
	PRINT("wrongly_accepted", sum.wrongly);
	return sum.wrongly || !sum.accepted || !sum.refused[EPERM] || !sum.refused[EINVAL];
}

int main(int argc, char **argv)
{
	struct fuzz f = { .seed = 1 };
	uint64_t messages = 10000;
	unsigned int nr = 3, i;
	struct thread *t;
	int opt;

	while ((opt = getopt(argc, argv, "n:t:s:")) != -1) {
		switch (opt) {
		case 'n': messages = strtoull(optarg, NULL, 10); break;
		case 't': nr = atoi(optarg); break;
		case 's': f.seed = strtoull(optarg, NULL, 10); break;
		default: return 2;
		}
	}
	argv += optind;
	argc -= optind;
	if (argc < 3 || !nr || !nl_uuid(argv[0], f.uuid[0]) ||
	    (argc > 3 && !nl_uuid(argv[3], f.uuid[1]))) {
		fprintf(stderr, "usage: nlfuzz [-n N] [-t N] [-s N] UUID SEGMENTS MEMBERS [SCRATCH-UUID]\n");
		return 2;
	}
	f.scratch = argc > 3;
	f.segments = atoi(argv[1]);
	f.members = atoi(argv[2]);
	f.family = nl_family(&f.group);
	if (f.family < 0)
		return 2;
	t = calloc(nr, sizeof(*t));
	for (i = 0; i < nr; i++) {
		t[i].f = &f;
		t[i].rnd = f.seed * 1000 + i;
		t[i].messages = messages / nr + (i < messages % nr);
		if (pthread_create(&t[i].thread, NULL, thread_main, &t[i]))
			return 2;
	}
	for (i = 0; i < nr; i++)
		pthread_join(t[i].thread, NULL);
	return report(t, nr);
}
