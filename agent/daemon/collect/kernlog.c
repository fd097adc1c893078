// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/collect/kernlog.h"
#include "daemon/unused.h"
#include "lib/kmsg.h"

#define AT_ONCE		256	/* records, before others have their turn */

struct kernlog {
	sd_event_source *source;
	int fd;
	kernlog_fn fn;
	void *arg;
};

/* A name up to what can't be part of one. */
static bool take_name(const char *s, struct kernlog_line *out)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]))
		n++;
	if (!n || n >= sizeof(out->name))
		return false;
	memcpy(out->name, s, n);
	out->name[n] = 0;
	return true;
}

static bool has_any(const char *s, const char *const *words)
{
	for (; *words; words++)
		if (strstr(s, *words))
			return true;
	return false;
}

/* "ata3: hard resetting link", "ata3.00: failed command: READ DMA" */
static bool parse_ata(const char *s, struct kernlog_line *out)
{
	static const char *const resets[] = {
		"hard resetting link", "soft resetting link", "SATA link down",
		"COMRESET failed", "link is slow to respond", NULL
	};

	if (strncmp(s, "ata", 3) || !isdigit((unsigned char)s[3]) ||
	    !take_name(s, out))
		return false;
	if (has_any(s, resets))
		out->kind = KERNLOG_RESET;
	else if (strstr(s, "failed command"))
		out->kind = KERNLOG_TIMEOUT;
	else
		return false;
	return true;
}

/* "nvme nvme0: I/O 12 QID 1 timeout, aborting" */
static bool parse_nvme(const char *s, struct kernlog_line *out)
{
	static const char *const resets[] = {
		"resetting controller", "reset controller",
		"controller is down", "Removing after probe failure", NULL
	};

	if (strncmp(s, "nvme nvme", 9) || !take_name(s + 5, out))
		return false;
	if (has_any(s, resets))
		out->kind = KERNLOG_RESET;
	else if (strstr(s, "timeout"))
		out->kind = KERNLOG_TIMEOUT;
	else
		return false;
	return true;
}

/* "sd 2:0:0:0: [sdb] Power-on or device reset occurred" */
static bool parse_scsi(const char *s, struct kernlog_line *out)
{
	const char *name = strstr(s, ": [");

	if (strncmp(s, "sd ", 3) || !name || !take_name(name + 3, out))
		return false;
	if (strstr(s, "reset occurred"))
		out->kind = KERNLOG_RESET;
	else if (strstr(s, "timing out command"))
		out->kind = KERNLOG_TIMEOUT;
	else
		return false;
	return true;
}

/* "critical medium error, dev sdb, sector 8 op 0x0:(READ)" */
static bool parse_block(const char *s, struct kernlog_line *out)
{
	const char *name = strstr(s, " error, dev ");

	if (!name || !take_name(name + strlen(" error, dev "), out))
		return false;
	out->kind = strstr(s, "medium error") && strstr(s, "medium error") < name ?
		    KERNLOG_MEDIUM : KERNLOG_ERROR;
	return true;
}

bool kernlog_parse(const char *record, struct kernlog_line *out)
{
	const char *text = strchr(record, ';');
	char line[512];

	/* continuation lines are dictionaries */
	if (!text)
		return false;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text + 1, "\n"),
		 text + 1);
	return parse_ata(line, out) || parse_nvme(line, out) ||
	       parse_scsi(line, out) || parse_block(line, out);
}

bool kernlog_is_of(const struct kernlog_line *l, const char *disk,
		   const char *port)
{
	size_t n = strlen(l->name);

	if (!strcmp(l->name, disk) || (port[0] && !strcmp(l->name, port)))
		return true;
	/* a controller and its namespaces; a disk's log names partitions too */
	return !strncmp(l->name, "nvme", 4) && !strncmp(l->name, disk, n) &&
	       disk[n] == 'n';
}

static int on_log(sd_event_source *s, int fd, uint32_t revents UNUSED,
		  void *arg)
{
	struct kernlog *k = arg;
	char record[8192];

	for (int i = 0; i < AT_ONCE; i++) {
		ssize_t n = read(fd, record, sizeof(record) - 1);
		struct kernlog_line line;

		/* EPIPE: older ones were overwritten; EINVAL: one is too long */
		if (n < 0 && (errno == EINTR || errno == EPIPE ||
			      errno == EINVAL))
			continue;
		if (n < 0 && errno != EAGAIN)
			sd_event_source_set_enabled(s, SD_EVENT_OFF);
		if (n <= 0)
			break;
		record[n] = 0;
		if (kernlog_parse(record, &line))
			k->fn(&line, k->arg);
	}
	return 0;
}

int kernlog_new(sd_event *event, kernlog_fn fn, void *arg, struct kernlog **out)
{
	struct kernlog *k = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->fn = fn;
	k->arg = arg;
	k->fd = ads_kmsg_open();
	r = k->fd;
	if (r >= 0)
		r = sd_event_add_io(event, &k->source, k->fd, EPOLLIN, on_log,
				    k);
	if (r < 0) {
		if (k->fd >= 0)
			close(k->fd);
		free(k);
		return r;
	}
	sd_event_source_set_priority(k->source, SD_EVENT_PRIORITY_IDLE);
	*out = k;
	return 0;
}

void kernlog_free(struct kernlog *k)
{
	if (!k)
		return;
	sd_event_source_disable_unref(k->source);
	close(k->fd);
	free(k);
}
