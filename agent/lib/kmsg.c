// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

_Bool ads_kmsg_parse(const char *record, char *buf, size_t size)
{
	static const char *const prefixes[] = {
		"device-mapper: table: ", "device-mapper: ioctl: ",
		"device-mapper: adshard: ", "device-mapper: ", "dm-adshard: ",
		"adshard: ",
	};
	const char *text = strchr(record, ';');
	size_t len;
	char *end;

	if (!text)
		return 0;
	text++;
	if (!strstr(text, "adshard"))
		return 0;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
			text += strlen(prefixes[i]);
	/* "253:0: adshard: reason (-EINVAL)" of a refused table */
	if (text[0] >= '0' && text[0] <= '9') {
		const char *p = strstr(text, ": adshard: ");

		if (p && strspn(text, "0123456789:") == (size_t)(p - text))
			text = p + strlen(": adshard: ");
	}
	len = strcspn(text, "\n");
	snprintf(buf, size, "%.*s", (int)len, text);
	end = strstr(buf, " (-E");
	if (end && end[strlen(end) - 1] == ')')
		*end = '\0';
	return buf[0] != '\0';
}

_Bool ads_kmsg_reason(int fd, char *buf, size_t size)
{
	char record[4096];
	_Bool found = 0;

	if (fd < 0)
		return 0;
	for (;;) {
		ssize_t n = read(fd, record, sizeof(record) - 1);

		if (n < 0 && (errno == EINTR || errno == EPIPE))
			continue;	/* EPIPE: older lines were overwritten */
		if (n <= 0)
			break;
		record[n] = '\0';
		found |= ads_kmsg_parse(record, buf, size);
	}
	close(fd);
	return found;
}
