// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests on the agent's socket, of root and of others, to an agent that has
 * two pools, members at risk and jobs.
 *
 * Input: a byte that says who, then the line.
 *
 * Options: -max_len=600
 * Words: agent/daemon/api/answer.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/act.h"
#include "daemon/api/api.h"
#include "daemon/plan/jobs.h"
#include "fuzz.h"
#include "lib/json.h"

static struct config config;
static struct adshardd d = { .config = &config, .lock = -1, .started = 1 };

int __wrap_reload(struct adshardd *daemon, struct ads_err *err);
double __wrap_kernel_silent(const struct kernel *k, const char **what);
int __wrap_kernel_do(struct kernel *k, const struct kernel_command *command);
int64_t __wrap_now_epoch(void);

/* Reads files and the environment. */
int __wrap_reload(struct adshardd *daemon, struct ads_err *err)
{
	return ads_err(err, -EINVAL, "x.conf:1: what is wrong");
}

double __wrap_kernel_silent(const struct kernel *k, const char **what)
{
	*what = "dump of members";
	return 31;
}

/* So that a job that is cancelled stays. */
int __wrap_kernel_do(struct kernel *k, const struct kernel_command *command)
{
	return -EAGAIN;
}

int64_t __wrap_now_epoch(void)
{
	return 1700000000;
}

static void nothing(struct member *m)
{
}

static void nothing_of(struct pool *p)
{
}

/* Names of devices and drives are somebody else's, too. */
static void spice(struct member *m, int i)
{
	snprintf(m->dev.path, sizeof(m->dev.path), "/dev/sd%c", 'a' + i);
	snprintf(m->dev.name, sizeof(m->dev.name), "sd%c", 'a' + i);
	snprintf(m->smart.sample.model, 60, "M\"\\\x80\xff %d", i);
	m->smart.sample.time = i ? 1699999000 : 0;
	m->io.known = i & 1;
	m->read_latency.p50 = 1.0 / 0.0;
	m->risk.score = 95 - i;
	m->track.at_risk = i;
	m->suspect = i == 2;
	for (int k = 0; k < i; k++)
		risk_add(&m->risk, RISK_MEDIA, 10 + k, 5, "f", "v", "text %d", k);
	risk_fuse(&m->risk);
}

void fuzz_init(void)
{
	static const struct model_calls calls = {
		nothing_of, nothing_of, nothing, nothing, nothing,
	};
	struct ads_pool pools[2] = {
		{ .uuid = { 1 }, .name = "tank", .nr_segments = 10 },
		{ .uuid = { 2 }, .nr_segments = 20 },
	};
	struct ads_member members[5];
	struct kernel_view v = { .pools = pools, .nr_pools = 2,
				 .members = members, .nr_members = 5 };
	int i = 0;

	memset(members, 0, sizeof(members));
	for (int k = 0; k < 5; k++) {
		members[k].pool_uuid[0] = 1 + k / 3;
		members[k].uuid[0] = 10 + k;
		members[k].index = k % 3;
		members[k].state = 1 + k % 4;
	}
	config_defaults(&config);
	d.jobs = jobs_new();
	must(d.jobs);
	model_take(&d, &v, &calls);
	for (struct pool *p = d.pools; p; p = p->next)
		for (struct member *m = p->members; m; m = m->next)
			spice(m, i++);
	for (int k = 0; k < 3; k++) {
		struct job *j = jobs_add(d.jobs, pools[0].uuid, members[k].uuid,
					 k, "a \"reason\"", k, 1000);

		job_progress(j, 10, 1 << 20, 0);
		if (k == 2)
			job_end(d.jobs, j, JOB_DRAINED, 2000);
	}
	snprintf(d.view_text, sizeof(d.view_text), "no answer");
	d.view_error = -EIO;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, size };
	bool root = fuzz_u8(&in) & 1;
	struct json_object *o, *v;
	char *line = malloc(in.left ? in.left : 1);

	/* of its very size: there is no NUL behind it */
	if (in.left)
		memcpy(line, in.at, in.left);
	o = api_answer(&d, line, in.left, root);
	free(line);
	must(o);
	v = ads_json_get(o, "error");
	if (v)
		must(json_object_get_int64(ads_json_get(o, "code")) > 0);
	else
		must(ads_json_get(o, "schema"));
	must(!strchr(ads_json_line(o), '\n'));
	json_object_put(o);
	return 0;
}

void fuzz_seeds(void)
{
	static const char *const lines[] = {
		"0{\"cmd\":\"status\"}", "0{\"cmd\":\"jobs\"}",
		"0{\"cmd\":\"version\"} \r", "1{\"cmd\":\"cancel\",\"job\":1}",
		"1{\"cmd\":\"cancel\",\"job\":3}", "1{\"cmd\":\"reload\"}",
		"0{\"cmd\":\"reload\"}", "0{\"cmd\":\"risk\",\"member\":\"/dev/sdb\"}",
		"0{\"cmd\":\"risk\",\"member\":\"sdc\"}",
		"0{\"cmd\":\"risk\",\"member\":1,\"pool\":"
		"\"01000000-0000-0000-0000-000000000000\"}",
		"0{\"cmd\":\"risk\",\"member\":"
		"\"0b000000-0000-0000-0000-000000000000\"}",
		"0{\"cmd\":1e999,\"a\":[[[[{}]]]],\"\\u0000\":null}",
	};
	char name[8];

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		snprintf(name, sizeof(name), "%u", i);
		fuzz_seed(name, lines[i], strlen(lines[i]));
	}
}
