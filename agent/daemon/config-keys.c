// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "daemon/config.h"

#define MINUTE	60L
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
#define KiB	1024L
#define MiB	(1024 * KiB)
#define GiB	(1024 * MiB)

#define TOP(field, type, def, min, max) \
	{ NULL, #field, CONFIG_##type, offsetof(struct config, field), \
	  def, min, max }
#define KEY(section, field, type, def, min, max) \
	{ #section, #field, CONFIG_##type, \
	  offsetof(struct config, section.field), def, min, max }
#define STR(section, field, def) \
	{ #section, #field, CONFIG_STRING, \
	  offsetof(struct config, section.field), def, 1, \
	  sizeof(((struct config *)0)->section.field) }
#define TOPSTR(field, def) \
	{ NULL, #field, CONFIG_STRING, offsetof(struct config, field), \
	  def, 1, sizeof(((struct config *)0)->field) }

/*
 * adshardd.conf(5) and the shipped adshardd.conf list the same keys with the
 * same defaults; a test compares them.
 */
const struct config_key config_keys[] = {
	TOP(mode, MODE, "auto", MODE_OFF, MODE_AUTO),
	TOPSTR(socket, "/run/adshard/control"),
	TOPSTR(state_dir, "/var/lib/adshard"),
	TOP(log_level, LEVEL, "info", 3, 7),

	KEY(poll, interval, SECONDS, "10s", 1, HOUR),

	KEY(smart, enable, BOOL, "yes", 0, 1),
	STR(smart, command, "/usr/sbin/smartctl"),
	KEY(smart, interval, SECONDS, "30m", 1, 7 * DAY),
	KEY(smart, timeout, SECONDS, "1m", 1, HOUR),
	KEY(smart, extended, BOOL, "yes", 0, 1),
	STR(smart, devices, "auto"),

	KEY(patrol, enable, BOOL, "yes", 0, 1),
	KEY(patrol, days, NUMBER, "28", 1, 3650),
	KEY(patrol, rate, SIZE, "0", 0, 4 * GiB),
	KEY(patrol, block, SIZE, "512K", 4 * KiB, 4 * MiB),
	KEY(patrol, max_load, NUMBER, "50", 0, 100),
	KEY(patrol, hung, SECONDS, "1m", 1, HOUR),

	KEY(history, enable, BOOL, "yes", 0, 1),
	KEY(history, keep_log, SECONDS, "400d", DAY, 10000 * DAY),
	KEY(history, keep_minutes, SECONDS, "3d", 3 * HOUR, 10000 * DAY),
	KEY(history, keep_load, SECONDS, "35d", DAY, 10000 * DAY),
	KEY(history, keep_hours, SECONDS, "400d", DAY, 10000 * DAY),
	KEY(history, max_size, SIZE, "512M", MiB, 1024 * GiB),

	KEY(score, drain, NUMBER, "70", 1, 100),
	KEY(score, urgent, NUMBER, "85", 1, 100),
	KEY(score, release, NUMBER, "50", 0, 99),
	KEY(score, confirm, NUMBER, "2", 2, 100),
	KEY(score, release_time, SECONDS, "14d", 1, 10000 * DAY),
	KEY(score, stale, NUMBER, "2", 1, 100),
	STR(score, model, "/usr/share/adshard/smart.model"),

	KEY(errors, count, NUMBER, "10", 1, 1000000),
	KEY(errors, time, SECONDS, "10m", 1, DAY),
	KEY(errors, half_life, SECONDS, "1h", 1, 100 * DAY),

	KEY(thermal, hdd, NUMBER, "55", 1, 200),
	KEY(thermal, ssd, NUMBER, "70", 1, 200),
	KEY(thermal, peers, NUMBER, "8", 1, 100),

	KEY(slow, peers, NUMBER, "16", 1, 1000),
	KEY(slow, self, NUMBER, "50", 1, 1000),
	KEY(slow, day, SECONDS, "1d", MINUTE, DAY),
	KEY(slow, starved, NUMBER, "40", 1, 100),

	KEY(forecast, step, SECONDS, "30m", 1, HOUR),
	KEY(forecast, season, SECONDS, "1d", MINUTE, DAY),
	KEY(forecast, near, SECONDS, "30m", 1, 7 * DAY),
	KEY(forecast, middle, SECONDS, "3h", 1, 7 * DAY),
	KEY(forecast, far, SECONDS, "1d", 1, 7 * DAY),
	KEY(forecast, groups, NUMBER, "64", 0, 256),

	KEY(fleet, share, NUMBER, "20", 1, 100),
	KEY(fleet, minimum, NUMBER, "3", 2, 100000),
	KEY(fleet, window, SECONDS, "1d", 1, 365 * DAY),

	KEY(plan, window, NUMBER, "4", 1, 4096),
	KEY(plan, evacuations, NUMBER, "1", 1, 1024),
	KEY(plan, retries, NUMBER, "5", 1, 1000),
	KEY(plan, backoff, SECONDS, "30s", 1, DAY),
	KEY(plan, backoff_max, SECONDS, "30m", 1, 7 * DAY),
	KEY(plan, hold, SECONDS, "7d", 0, 365 * DAY),
	KEY(plan, max_score, NUMBER, "50", 1, 100),
	KEY(plan, same_domain, BOOL, "no", 0, 1),

	KEY(rebuild, enable, BOOL, "yes", 0, 1),
	KEY(rebuild, window, NUMBER, "4", 1, 4096),
	KEY(rebuild, delay, SECONDS, "10m", 0, 30 * DAY),

	KEY(throttle, source_rate, SIZE, "0", 0, 1024 * GiB),
	KEY(throttle, destination_rate, SIZE, "0", 0, 1024 * GiB),
	KEY(throttle, floor, SIZE, "0", 0, 1024 * GiB),
	KEY(throttle, latency_ms, NUMBER, "0", 0, 60000),
	KEY(throttle, source_active, NUMBER, "0", 0, 4096),
	KEY(throttle, destination_active, NUMBER, "0", 0, 4096),
	KEY(throttle, active, NUMBER, "0", 0, 4096),

	KEY(heat, interval, SECONDS, "1m", 1, DAY),
	KEY(heat, half_life, SECONDS, "1h", 1, 365 * DAY),

	KEY(api, clients, NUMBER, "64", 1, 10000),
	KEY(api, timeout, SECONDS, "30s", 1, HOUR),
	KEY(api, max_request, SIZE, "4K", 64, MiB),
	{ NULL, NULL, 0, 0, NULL, 0, 0 },
};
