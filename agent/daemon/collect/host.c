// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "daemon/collect/host.h"

const char *host_what_name(enum host_what what)
{
	static const char *const names[HOST_WHAT] = {
		[HOST_CPU] = "cpu", [HOST_MEMORY] = "memory", [HOST_IO] = "io",
	};

	return names[what];
}

bool host_parse_pressure(const char *text, double *some, double *full)
{
	const char *f = strstr(text, "full ");
	double v;

	if (sscanf(text, "some avg10=%*f avg60=%lf", &v) != 1)
		return false;
	*some = v / 100;
	/* older kernels have none for processors */
	*full = f && sscanf(f, "full avg10=%*f avg60=%lf", &v) == 1 ? v / 100 :
								      0;
	return true;
}

static double share(unsigned long long now, unsigned long long was,
		    unsigned long long total)
{
	return now > was && total ? (double)(now - was) / (double)total : 0;
}

bool host_parse_stat(const char *text, struct host *h)
{
	unsigned long long v[8], total = 0, ticks[3], more;

	/* user nice system idle iowait irq softirq steal */
	if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0],
		   &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return false;
	for (int i = 0; i < 8; i++)
		total += v[i];
	ticks[0] = total - v[3] - v[4];
	ticks[1] = v[7];
	ticks[2] = v[4];
	h->known = h->total_ticks && total > h->total_ticks;
	if (h->known) {
		more = total - h->total_ticks;
		h->busy = share(ticks[0], h->ticks[0], more);
		h->steal = share(ticks[1], h->ticks[1], more);
		h->iowait = share(ticks[2], h->ticks[2], more);
	}
	h->total_ticks = total;
	memcpy(h->ticks, ticks, sizeof(ticks));
	return true;
}

double host_parse_memory(const char *text)
{
	const char *t = strstr(text, "MemTotal:");
	const char *a = strstr(text, "MemAvailable:");
	double total, available;

	if (!t || !a || sscanf(t, "MemTotal: %lf", &total) != 1 ||
	    sscanf(a, "MemAvailable: %lf", &available) != 1 || !(total > 0))
		return -1;
	return available / total;
}

static bool slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(buf, 1, size - 1, f);
	buf[n] = 0;
	fclose(f);
	return n > 0;
}

void host_look(struct host *h)
{
	char path[64], text[4096];

	h->pressure = true;
	for (int i = 0; i < HOST_WHAT; i++) {
		snprintf(path, sizeof(path), "/proc/pressure/%s",
			 host_what_name(i));
		h->pressure &= slurp(path, text, sizeof(text)) &&
			       host_parse_pressure(text, &h->some[i],
						   &h->full[i]);
	}
	if (slurp("/proc/stat", text, sizeof(text)))
		host_parse_stat(text, h);
	h->available = slurp("/proc/meminfo", text, sizeof(text)) ?
		       host_parse_memory(text) : -1;
}

bool host_is_starved(const struct host *h, double share)
{
	return h->pressure && (h->some[HOST_CPU] > share ||
			       h->some[HOST_MEMORY] > share);
}
