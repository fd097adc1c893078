// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/dev.h"
#include "lib/dm.h"
#include "lib/kmsg.h"
#include "lib/units.h"

#include "change.h"

/* "<uuid> <n> <dev>..." */
static int parse_line(struct change *ch)
{
	char *copy = strdup(ch->line), *save = NULL, *word;
	size_t nr = 0;

	if (!copy)
		return -ENOMEM;
	strtok_r(copy, " ", &save);
	word = strtok_r(NULL, " ", &save);
	if (word)
		nr = strtoul(word, NULL, 10);
	if (nr && nr <= ADSHARD_MAX_MEMBERS)
		ch->dev = calloc(nr, sizeof(*ch->dev));
	while (ch->dev && ch->nr_dev < nr &&
	       (word = strtok_r(NULL, " ", &save))) {
		ch->dev[ch->nr_dev] = strdup(word);
		if (ch->dev[ch->nr_dev])
			ch->nr_dev++;
	}
	free(copy);
	return nr && ch->nr_dev == nr ? 0 : -EPROTO;
}

int change_begin(struct change *ch, struct ctl *c)
{
	struct ads_dev_info info;
	struct ads_err err = { "" };
	int rc;

	memset(ch, 0, sizeof(*ch));
	ch->c = c;
	rc = ctl_load_pool(c, &ch->pool, &ch->m, &ch->nr_m);
	if (rc)
		return rc;
	if (ch->pool.suspended)
		return ctl_fail(c, CTL_BUSY,
				"%s is suspended: nothing can be changed now",
				ch->pool.name);
	rc = ads_dev_info(ch->pool.major, ch->pool.minor, &info);
	if (!rc && !info.dm_name[0])
		rc = -ENODEV;
	if (rc)
		return ctl_fail_err(c, rc, NULL);
	snprintf(ch->dm, sizeof(ch->dm), "%s", info.dm_name);
	rc = ads_dm_table(ch->dm, &ch->line, &ch->sectors, &err);
	if (!rc)
		rc = parse_line(ch);
	return rc ? ctl_fail_err(c, rc, &err) : CTL_OK;
}

static char *make_line(const struct change *ch, char *const *dev, size_t nr,
		       const char *features)
{
	char uuid[ADS_UUID_STR], *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "%s %zu", ads_format_uuid(ch->pool.uuid, uuid), nr);
	for (size_t i = 0; i < nr; i++)
		fprintf(f, " %s", dev[i]);
	if (features[0])
		fprintf(f, " %s", features);
	return fclose(f) ? NULL : text;
}

int change_apply(struct change *ch, char *const *dev, size_t nr,
		 const char *features, uint64_t sectors, const char *what)
{
	struct ads_dm_line new = { .sectors = sectors };
	struct ads_dm_line old = { ch->sectors, ch->line };
	struct ads_err err = { "" };
	char why[512], *line;
	int rc, log;

	line = make_line(ch, dev, nr, features);
	if (!line)
		return ctl_fail_err(ch->c, -ENOMEM, NULL);
	new.params = line;
	log = ads_kmsg_open();
	rc = ads_dm_reload(ch->dm, &new, &old, &err);
	free(line);
	if (ads_kmsg_reason(log, why, sizeof(why)) && rc &&
	    !strstr(err.text, "is suspended"))
		return ctl_fail(ch->c, rc == -EBUSY ? CTL_BUSY : CTL_REFUSED,
				"%s: the kernel refused: %s", what, why);
	return rc ? ctl_fail_err(ch->c, rc, &err) : CTL_OK;
}

int change_reread(struct change *ch)
{
	struct ads_err err = { "" };
	int rc;

	free(ch->m);
	ch->m = NULL;
	rc = ads_nl_pool(ch->c->nl, ch->pool.uuid, &ch->pool, &err);
	if (!rc)
		rc = ads_nl_members(ch->c->nl, ch->pool.uuid, &ch->m, &ch->nr_m,
				    &err);
	return rc ? ctl_fail_err(ch->c, rc, &err) : CTL_OK;
}

size_t change_device(const struct change *ch, const struct ads_member *m)
{
	char text[32];
	size_t i;

	snprintf(text, sizeof(text), "%u:%u", m->major, m->minor);
	for (i = 0; i < ch->nr_dev; i++)
		if (m->major && !strcmp(ch->dev[i], text))
			break;
	return i;
}

void change_free(struct change *ch)
{
	for (size_t i = 0; i < ch->nr_dev; i++)
		free(ch->dev[i]);
	free(ch->dev);
	free(ch->line);
	free(ch->m);
	memset(ch, 0, sizeof(*ch));
}
