// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/collect/topology.h"
#include "lib/dev.h"

/* "0000:03:00.0" */
static bool is_pci(const char *s, size_t len)
{
	static const char like[] = "xxxx:xx:xx.x";

	if (len != strlen(like))
		return false;
	for (size_t i = 0; i < len; i++)
		if (like[i] == 'x' ? !isxdigit((unsigned char)s[i]) :
				     s[i] != like[i])
			return false;
	return true;
}

static bool is_port(const char *s, size_t len)
{
	if (len < 4 || strncmp(s, "ata", 3))
		return false;
	for (size_t i = 3; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* The last part of its path in sysfs that is one: those before are bridges. */
static char *last_part(const char *name, bool (*is)(const char *s, size_t len),
		       char *buf, size_t size)
{
	char path[PATH_MAX], real[PATH_MAX], *part, *rest = real;

	buf[0] = 0;
	snprintf(path, sizeof(path), "%s/block/%s", ads_sysfs(), name);
	if (!realpath(path, real))
		return buf;
	while ((part = strsep(&rest, "/")))
		if (is(part, strlen(part)))
			snprintf(buf, size, "%s", part);
	return buf;
}

char *topology_controller(const char *name, char *buf, size_t size)
{
	return last_part(name, is_pci, buf, size);
}

char *topology_port(const char *name, char *buf, size_t size)
{
	return last_part(name, is_port, buf, size);
}
