// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "daemon/history/drive.h"

const struct track_info track_info[TRACK_NR] = {
	[TRACK_REALLOCATED] = { 5, SERIES_COUNTER, "reallocated sectors (5)" },
	[TRACK_SPIN_RETRY] = { 10, SERIES_COUNTER, "spin retries (10)" },
	[TRACK_END_TO_END] = { 184, SERIES_COUNTER, "end-to-end errors (184)" },
	[TRACK_UNCORRECTABLE] = { 187, SERIES_COUNTER,
				  "uncorrectable errors (187)" },
	[TRACK_TIMEOUT] = { 188, SERIES_COUNTER, "command timeouts (188)" },
	[TRACK_HIGH_FLY] = { 189, SERIES_COUNTER, "high fly writes (189)" },
	[TRACK_REALLOC_EVENT] = { 196, SERIES_COUNTER,
				  "reallocation events (196)" },
	[TRACK_PENDING] = { 197, SERIES_LEVEL, "pending sectors (197)" },
	[TRACK_OFFLINE] = { 198, SERIES_LEVEL,
			    "offline uncorrectable sectors (198)" },
	[TRACK_CRC] = { 199, SERIES_COUNTER, "interface CRC errors (199)" },
	[TRACK_MEDIA_ERRORS] = { 1000, SERIES_COUNTER, "media errors" },
	[TRACK_SPARE] = { 1001, SERIES_GAUGE, "available spare" },
	[TRACK_USED] = { 1002, SERIES_GAUGE, "endurance used" },
	[TRACK_CRITICAL_MINUTES] = { 1003, SERIES_COUNTER,
				     "minutes above the critical temperature" },
	[TRACK_GROWN_DEFECTS] = { 2000, SERIES_COUNTER, "grown defects" },
	[TRACK_UNCORRECTED] = { 2001, SERIES_COUNTER, "uncorrected errors" },
	[TRACK_PENDING_DEFECTS] = { 2002, SERIES_LEVEL, "pending defects" },
	/* no counter: they begin anew when the drive gets power, which is no
	 * reason to mistrust it */
	[TRACK_LINK_ERRORS] = { 2003, SERIES_LEVEL, "SAS link errors" },
	[TRACK_LINK_RESETS] = { 3000, SERIES_COUNTER, "link resets" },
	[TRACK_LOG_TIMEOUTS] = { 3001, SERIES_COUNTER,
				 "commands that the kernel gave up" },
	[TRACK_LOG_MEDIUM] = { 3002, SERIES_COUNTER,
			       "medium errors in the kernel's log" },
};

int track_by_code(int code)
{
	for (int i = 0; i < TRACK_NR; i++)
		if (track_info[i].code == code)
			return i;
	return -1;
}

struct drive *drive_new(const char *model, const char *serial,
			enum smart_protocol protocol)
{
	struct drive *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	strncpy(d->model, model, sizeof(d->model) - 1);
	strncpy(d->serial, serial, sizeof(d->serial) - 1);
	d->protocol = protocol;
	d->power_on = SMART_NONE;
	for (int i = 0; i < TRACK_NR; i++)
		d->series[i].kind = track_info[i].kind;
	return d;
}

void drive_free(struct drive *d)
{
	if (!d)
		return;
	for (int i = 0; i < TRACK_NR; i++)
		series_free(&d->series[i]);
	free(d->day);
	free(d);
}

/* false: the sample does not say. */
static bool reading(const struct drive *d, const struct smart_sample *s,
		    enum track t, uint64_t *v)
{
	const struct smart_attr *a;
	int64_t sum = 0;

	if (t >= TRACK_LINK_RESETS) {
		*v = d->counted[t - TRACK_LINK_RESETS];
		return d->counting;
	}
	if (t == TRACK_USED) {
		*v = s->used < 0 ? 0 : s->used;
		return s->used != SMART_NONE;
	}
	if (track_info[t].code < 1000) {
		a = s->protocol == SMART_ATA ?
		    smart_attr(s, track_info[t].code) : NULL;
		*v = a ? a->raw : 0;
		return a;
	}
	switch (t) {
	case TRACK_MEDIA_ERRORS:
		*v = s->media_errors;
		return s->protocol == SMART_NVME;
	case TRACK_SPARE:
		*v = s->spare < 0 ? 0 : s->spare;
		return s->spare != SMART_NONE;
	case TRACK_CRITICAL_MINUTES:
		*v = s->critical_minutes;
		return s->protocol == SMART_NVME;
	case TRACK_GROWN_DEFECTS:
		*v = s->grown_defects < 0 ? 0 : s->grown_defects;
		return s->grown_defects != SMART_NONE;
	case TRACK_UNCORRECTED:
		if (s->uncorrected_read == SMART_NONE &&
		    s->uncorrected_write == SMART_NONE)
			return false;
		if (s->uncorrected_read > 0)
			sum += s->uncorrected_read;
		if (s->uncorrected_write > 0 &&
		    __builtin_add_overflow(sum, s->uncorrected_write, &sum))
			sum = INT64_MAX;
		if (s->uncorrected_verify > 0 &&
		    __builtin_add_overflow(sum, s->uncorrected_verify, &sum))
			sum = INT64_MAX;
		*v = sum;
		return true;
	case TRACK_PENDING_DEFECTS:
		*v = s->pending_defects < 0 ? 0 : s->pending_defects;
		return s->protocol == SMART_SCSI &&
		       s->pending_defects != SMART_NONE;
	case TRACK_LINK_ERRORS:
		*v = s->link_errors;
		return s->has_links;
	default:
		return false;
	}
}

unsigned int drive_add(struct drive *d, const struct smart_sample *s,
		       struct drive_change changes[TRACK_NR], bool *reset)
{
	unsigned int n = 0;
	uint64_t v;

	*reset = false;
	if (!s->health)
		return 0;
	for (int t = 0; t < TRACK_NR; t++) {
		if (!reading(d, s, t, &v))
			continue;
		if (series_add(&d->series[t], s->time, v)) {
			changes[n].track = t;
			changes[n++].value = v;
		}
		*reset |= d->series[t].reset;
	}
	if (s->power_on != SMART_NONE) {
		/* some count in halves and step back when they are powered */
		if (d->power_on != SMART_NONE && s->power_on < d->power_on - 24)
			*reset = true;
		d->power_on = s->power_on;
	}
	return n;
}

void drive_load(struct drive *d, enum track track, int64_t time,
		uint64_t value)
{
	series_add(&d->series[track], time, value);
	if (track >= TRACK_LINK_RESETS)
		d->counted[track - TRACK_LINK_RESETS] = value;
}

void drive_count(struct drive *d, enum track t)
{
	if (d->counted[t - TRACK_LINK_RESETS] < UINT64_MAX)
		d->counted[t - TRACK_LINK_RESETS]++;
}

void drive_note_day(struct drive *d, const struct drive_day *day)
{
	while (d->nr_days && d->day[d->nr_days - 1].day >= day->day)
		d->nr_days--;
	if (d->nr_days == DRIVE_DAYS) {
		memmove(d->day, d->day + 1,
			(d->nr_days - 1) * sizeof(d->day[0]));
		d->nr_days--;
	} else if (d->nr_days == d->cap_days) {
		unsigned int cap = d->cap_days ? d->cap_days * 2 : 8;
		struct drive_day *more;

		more = realloc(d->day, cap * sizeof(*more));
		if (!more)
			return;
		d->day = more;
		d->cap_days = cap;
	}
	d->day[d->nr_days++] = *day;
}
