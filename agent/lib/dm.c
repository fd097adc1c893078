// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where udev runs, resume and remove carry a cookie and wait until its rules
 * have made the nodes; where it doesn't, libdevmapper notices and makes them
 * itself. Its own messages are silenced: errors are reported by the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libdevmapper.h>

#include "dm.h"

#define TARGET	"adshard"

__attribute__((format(printf, 5, 6)))
static void quiet(int level, const char *file, int line, int dm_errno,
		  const char *fmt, ...)
{
}

/* 0 and a task, or -errno: it fails where the kernel can't be talked to. */
static int task(int type, const char *name, struct dm_task **out,
		struct ads_err *err)
{
	struct dm_task *t;

	dm_log_with_errno_init(quiet);
	t = dm_task_create(type);
	if (!t && geteuid())
		return ads_err(err, -EACCES,
			       "device-mapper answers only to root");
	if (!t)
		return ads_err(err, -EPROTONOSUPPORT,
			       "the kernel offers no device-mapper (modprobe dm_mod)");
	if (name && !dm_task_set_name(t, name)) {
		dm_task_destroy(t);
		return ads_err(err, -EINVAL,
			       "%s is not a name for a mapped device", name);
	}
	*out = t;
	return 0;
}

static int failed(struct dm_task *t, const char *name, const char *what,
		  struct ads_err *err)
{
	int e = dm_task_get_errno(t);

	if (!e)
		e = EIO;
	if (e == EPERM || e == EACCES)
		return ads_err(err, -EACCES,
			       "device-mapper answers only to root");
	if (name)
		ads_err(err, 0, "%s: can't %s: %s", name, what, strerror(e));
	else
		ads_err(err, 0, "can't %s: %s", what, strerror(e));
	return -e;
}

/* Runs and destroys the task; with @wait it is one that udev has to follow. */
static int run(struct dm_task *t, const char *name, const char *what,
	       bool wait, struct ads_err *err)
{
	uint32_t cookie = 0;
	int rc = 0;

	if (wait && !dm_task_set_cookie(t, &cookie, 0))
		rc = ads_err(err, -EIO, "%s: can't synchronize with udev",
			     name);
	if (!rc && !dm_task_run(t))
		rc = failed(t, name, what, err);
	if (wait)
		dm_udev_wait(cookie);
	dm_task_update_nodes();
	dm_task_destroy(t);
	return rc;
}

static int simple(int type, const char *name, const char *what, bool wait,
		  struct ads_err *err)
{
	struct dm_task *t;
	int rc = task(type, name, &t, err);

	if (rc)
		return rc;
	if (type == DM_DEVICE_RESUME)
		dm_task_set_add_node(t, DM_ADD_NODE_ON_RESUME);
	if (type == DM_DEVICE_REMOVE)
		dm_task_retry_remove(t);
	return run(t, name, what, wait, err);
}

static int load(const char *name, uint64_t sectors, const char *params,
		bool readonly, struct ads_err *err)
{
	struct dm_task *t;
	int rc = task(DM_DEVICE_RELOAD, name, &t, err);

	if (rc)
		return rc;
	if (!dm_task_add_target(t, 0, sectors, TARGET, params) ||
	    (readonly && !dm_task_set_ro(t))) {
		dm_task_destroy(t);
		return -ENOMEM;
	}
	return run(t, name, "load its table", false, err);
}

int ads_dm_create(const char *name, const char *uuid, uint64_t sectors,
		  const char *params, bool readonly, struct ads_err *err)
{
	struct dm_task *t;
	int rc = task(DM_DEVICE_CREATE, name, &t, err);

	if (rc)
		return rc;
	if (!dm_task_set_uuid(t, uuid)) {
		dm_task_destroy(t);
		return -ENOMEM;
	}
	dm_task_set_add_node(t, DM_ADD_NODE_ON_RESUME);
	rc = run(t, name, "create the mapped device", false, err);
	if (rc)
		return rc;
	rc = load(name, sectors, params, readonly, err);
	if (!rc)
		rc = simple(DM_DEVICE_RESUME, name, "start the mapped device",
			    true, err);
	if (rc)
		simple(DM_DEVICE_REMOVE, name, "remove", true, NULL);
	return rc;
}

int ads_dm_reload(const char *name, const struct ads_dm_line *line,
		  const struct ads_dm_line *old, struct ads_err *err)
{
	struct ads_err again = { "" };
	int rc, back;

	/*
	 * We may lie on this very volume: nothing of us may have to be read
	 * while it is suspended.
	 */
	mlockall(MCL_CURRENT | MCL_FUTURE);
	rc = load(name, line->sectors, line->params, false, err);
	if (rc)
		goto out;
	/* The kernel suspends it, changes tables and resumes it, all in one. */
	rc = simple(DM_DEVICE_RESUME, name, "resume the mapped device", true,
		    err);
	if (!rc)
		goto out;
	back = load(name, old->sectors, old->params, false, &again);
	if (!back)
		back = simple(DM_DEVICE_RESUME, name, "resume it", true,
			      &again);
	if (back)
		ads_err(err, 0, "%s is suspended: neither the new table nor the old one can be resumed (%s); load \"0 %llu adshard %s\"",
			name, ads_err_text(&again, back),
			(unsigned long long)old->sectors, old->params);
out:
	munlockall();
	return rc;
}

int ads_dm_suspend(const char *name, struct ads_err *err)
{
	return simple(DM_DEVICE_SUSPEND, name, "suspend", false, err);
}

int ads_dm_resume(const char *name, struct ads_err *err)
{
	return simple(DM_DEVICE_RESUME, name, "resume", true, err);
}

int ads_dm_remove(const char *name, struct ads_err *err)
{
	return simple(DM_DEVICE_REMOVE, name, "remove the mapped device", true,
		      err);
}

static void take_info(const char *name, const char *uuid,
		      const struct dm_info *info, struct ads_dm_dev *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->uuid, sizeof(out->uuid), "%s", uuid ? uuid : "");
	out->exists = info->exists;
	out->major = info->major;
	out->minor = info->minor;
	out->suspended = info->suspended;
	out->live_table = info->live_table;
	out->open_count = info->open_count;
}

int ads_dm_info(const char *name, struct ads_dm_dev *out, struct ads_err *err)
{
	struct dm_task *t;
	struct dm_info info;
	int rc = task(DM_DEVICE_INFO, name, &t, err);

	if (rc)
		return rc;
	if (!dm_task_run(t) || !dm_task_get_info(t, &info))
		rc = failed(t, name, "ask device-mapper", err);
	else
		take_info(name, dm_task_get_uuid(t), &info, out);
	dm_task_destroy(t);
	return rc;
}

static int line_of(int type, const char *name, char **line, uint64_t *sectors,
		   struct ads_err *err)
{
	struct dm_task *t;
	uint64_t start, length;
	char *target, *params;
	int rc = task(type, name, &t, err);

	if (rc)
		return rc;
	if (type == DM_DEVICE_STATUS)
		dm_task_no_flush(t);
	if (!dm_task_run(t)) {
		rc = failed(t, name, "ask device-mapper", err);
		if (rc == -ENXIO)
			rc = ads_err(err, -ENOENT, "no mapped device %s", name);
		goto out;
	}
	target = NULL;
	dm_get_next_target(t, NULL, &start, &length, &target, &params);
	if (!target || strcmp(target, TARGET)) {
		rc = ads_err(err, -EMEDIUMTYPE,
			     "%s is a mapped device, but not of adshard", name);
		goto out;
	}
	*line = strdup(params ? params : "");
	if (!*line)
		rc = -ENOMEM;
	if (sectors)
		*sectors = length;
out:
	dm_task_destroy(t);
	return rc;
}

int ads_dm_status(const char *name, char **line, struct ads_err *err)
{
	return line_of(DM_DEVICE_STATUS, name, line, NULL, err);
}

int ads_dm_table(const char *name, char **line, uint64_t *sectors,
		 struct ads_err *err)
{
	return line_of(DM_DEVICE_TABLE, name, line, sectors, err);
}

int ads_dm_list(struct ads_dm_dev **out, size_t *n, struct ads_err *err)
{
	struct ads_dm_dev *list = NULL, one;
	struct dm_names *names;
	unsigned int next = 0;
	struct dm_task *t;
	int rc;

	*out = NULL;
	*n = 0;
	rc = task(DM_DEVICE_LIST, NULL, &t, err);
	if (rc)
		return rc;
	if (!dm_task_run(t)) {
		rc = failed(t, NULL, "list the mapped devices", err);
		goto out;
	}
	names = dm_task_get_names(t);
	if (!names || !names->dev)
		goto out;
	do {
		struct ads_dm_dev *p;

		names = (void *)((char *)names + next);
		next = names->next;
		/* One that goes away meanwhile is simply not in the list. */
		if (ads_dm_info(names->name, &one, NULL) || !one.exists ||
		    strncmp(one.uuid, ADS_DM_UUID_PREFIX,
			    strlen(ADS_DM_UUID_PREFIX)))
			continue;
		p = reallocarray(list, *n + 1, sizeof(*p));
		if (!p) {
			rc = -ENOMEM;
			free(list);
			list = NULL;
			*n = 0;
			break;
		}
		list = p;
		list[(*n)++] = one;
	} while (next);
	*out = list;
out:
	dm_task_destroy(t);
	return rc;
}

int ads_dm_target_present(struct ads_err *err)
{
	struct dm_task *t;
	struct dm_versions *v, *last;
	int rc = task(DM_DEVICE_LIST_VERSIONS, NULL, &t, err);

	if (rc)
		return rc;
	if (!dm_task_run(t)) {
		rc = failed(t, NULL, "ask device-mapper for its targets", err);
		goto out;
	}
	v = dm_task_get_versions(t);
	do {
		last = v;
		if (!strcmp(v->name, TARGET)) {
			rc = 1;
			break;
		}
		v = (void *)((char *)v + v->next);
	} while (last != v);
out:
	dm_task_destroy(t);
	return rc;
}
