// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"

int ads_kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Warnings are not why something was refused. */
static bool is_error(const char *record)
{
	return (strtoul(record, NULL, 10) & 7) <= 3;
}

enum ads_kmsg_kind ads_kmsg_parse(const char *record, char *buf, size_t size)
{
	static const char own[] = "device-mapper: adshard: ";
	static const char table[] = "device-mapper: table: ";
	const char *text = strchr(record, ';');
	enum ads_kmsg_kind kind;
	char *end;

	if (!text || !is_error(record))
		return ADS_KMSG_OTHER;
	text++;
	if (!strncmp(text, own, strlen(own))) {
		text += strlen(own);
		kind = ADS_KMSG_REASON;
	} else if (!strncmp(text, table, strlen(table))) {
		/* "253:0: adshard: Invalid name (-EINVAL)" */
		text = strstr(text, ": adshard: ");
		if (!text)
			return ADS_KMSG_OTHER;
		text += strlen(": adshard: ");
		kind = ADS_KMSG_TABLE;
	} else {
		return ADS_KMSG_OTHER;
	}
	snprintf(buf, size, "%.*s", (int)strcspn(text, "\n"), text);
	end = strstr(buf, " (-E");
	if (end && end[strlen(end) - 1] == ')')
		*end = '\0';
	return kind;
}

bool ads_kmsg_reason(int fd, char *buf, size_t size)
{
	char record[4096], line[1024], fallback[1024] = "";
	size_t len = 0;

	buf[0] = '\0';
	if (fd < 0)
		return false;
	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;	/* EPIPE: older lines were overwritten */
		if (n <= 0)
			break;
		record[n] = '\0';
		switch (ads_kmsg_parse(record, line, sizeof(line))) {
		case ADS_KMSG_REASON:
			if (len < size)
				len += snprintf(buf + len, size - len, "%s%s",
						len ? "; " : "", line);
			break;
		case ADS_KMSG_TABLE:
			strcpy(fallback, line);
			break;
		case ADS_KMSG_OTHER:
			break;
		}
	}
	close(fd);
	if (!buf[0])
		snprintf(buf, size, "%s", fallback);
	return buf[0];
}
