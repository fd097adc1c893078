// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/collect/smart.h"
#include "lib/json.h"
#include "lib/smart-feat.h"

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (o && json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &v);
	return v;
}

/*
 * A counter in any of the shapes that smartctl has given them: a number, a
 * number of more than 64 bits (json-c saturates), a decimal string.
 */
static bool as_u64(struct json_object *v, uint64_t *out)
{
	const char *s;
	double d;
	char *end;

	switch (json_object_get_type(v)) {
	case json_type_int:
		if (json_object_get_int64(v) < 0)
			return false;
		*out = json_object_get_uint64(v);
		return true;
	case json_type_double:
		d = json_object_get_double(v);
		if (!(d >= 0))
			return false;
		*out = d >= 18446744073709551615.0 ? UINT64_MAX : (uint64_t)d;
		return true;
	case json_type_string:
		s = json_object_get_string(v);
		if (*s < '0' || *s > '9')
			return false;
		*out = strtoull(s, &end, 10);	/* saturates */
		return true;
	default:
		return false;
	}
}

static uint64_t get_u64(struct json_object *o, const char *key, uint64_t def)
{
	uint64_t v;

	return as_u64(get(o, key), &v) ? v : def;
}

/* Numbers that may be negative or missing. */
static int64_t get_i64(struct json_object *o, const char *key)
{
	struct json_object *v = get(o, key);
	uint64_t u;

	if (json_object_is_type(v, json_type_int))
		return json_object_get_int64(v);
	if (!as_u64(v, &u))
		return SMART_NONE;
	return u > INT64_MAX ? INT64_MAX : (int64_t)u;
}

static void get_str(struct json_object *o, const char *key, char *buf,
		    size_t size)
{
	struct json_object *v = get(o, key);
	size_t n = 0;

	if (!json_object_is_type(v, json_type_string))
		return;
	/* it comes from the drive: no control characters into logs */
	for (const char *s = json_object_get_string(v); *s; s++)
		if (n + 1 < size && (unsigned char)*s >= ' ' && *s != 127)
			buf[n++] = *s;
	while (n && buf[n - 1] == ' ')
		n--;
	buf[n] = 0;
}

static void parse_attrs(struct json_object *table, struct smart_sample *s)
{
	size_t n;

	if (!json_object_is_type(table, json_type_array))
		return;
	n = json_object_array_length(table);
	for (size_t i = 0; i < n && s->nr_attrs < SMART_MAX_ATTRS; i++) {
		struct json_object *o = json_object_array_get_idx(table, i);
		struct smart_attr *a = &s->attr[s->nr_attrs];
		uint64_t id = get_u64(o, "id", 0);
		char failed[16] = "";
		uint64_t raw;

		if (!id || id > 255 || smart_attr(s, id) ||
		    !as_u64(get(get(o, "raw"), "value"), &raw))
			continue;
		get_str(o, "when_failed", failed, sizeof(failed));
		*a = (struct smart_attr){
			.id = id,
			.value = get_u64(o, "value", 0),
			.worst = get_u64(o, "worst", 0),
			.thresh = get_u64(o, "thresh", 0),
			.prefail = json_object_get_boolean(
					get(get(o, "flags"), "prefailure")),
			.failing = strcmp(failed, "now") == 0 ||
				   strcmp(failed, "FAILING_NOW") == 0,
			.raw = smart_vendor_raw(s->model, id, raw),
		};
		s->nr_attrs++;
	}
	s->health |= s->nr_attrs > 0;
}

/* "Percentage Used Endurance Indicator" of the device statistics. */
static int64_t parse_endurance(struct json_object *statistics)
{
	struct json_object *pages = get(statistics, "pages"), *table;

	if (!json_object_is_type(pages, json_type_array))
		return SMART_NONE;
	for (size_t i = 0; i < json_object_array_length(pages); i++) {
		table = get(json_object_array_get_idx(pages, i), "table");
		if (!json_object_is_type(table, json_type_array))
			continue;
		for (size_t j = 0; j < json_object_array_length(table); j++) {
			struct json_object *o;
			char name[64] = "";

			o = json_object_array_get_idx(table, j);
			get_str(o, "name", name, sizeof(name));
			if (strstr(name, "Percentage Used Endurance"))
				return get_i64(o, "value");
		}
	}
	return SMART_NONE;
}

static void parse_nvme(struct json_object *o, struct smart_sample *s)
{
	if (!json_object_is_type(o, json_type_object))
		return;
	s->health = true;
	s->warning = get_u64(o, "critical_warning", 0);
	s->spare = get_i64(o, "available_spare");
	s->spare_threshold = get_i64(o, "available_spare_threshold");
	s->used = get_i64(o, "percentage_used");
	s->media_errors = get_u64(o, "media_errors", 0);
	s->error_entries = get_u64(o, "num_err_log_entries", 0);
	s->unsafe_shutdowns = get_u64(o, "unsafe_shutdowns", 0);
	s->written = get_u64(o, "data_units_written", 0);
	s->warning_minutes = get_u64(o, "warning_temp_time", 0);
	s->critical_minutes = get_u64(o, "critical_comp_time", 0);
}

static void add_phy(struct json_object *phy, struct smart_sample *s)
{
	static const char *const key[] = {
		"invalid_dword_count", "running_disparity_error_count",
		"loss_of_dword_synchronization_count",
		"phy_reset_problem_count",
	};
	uint64_t v;

	for (size_t i = 0; i < sizeof(key) / sizeof(key[0]); i++) {
		if (!as_u64(get(phy, key[i]), &v))
			continue;
		s->has_links = true;
		if (__builtin_add_overflow(s->link_errors, v, &s->link_errors))
			s->link_errors = UINT64_MAX;
	}
}

/* "scsi_sas_port_0": { "phy_0": { ... }, "phy_1": { ... } }, "scsi_sas_port_1" */
static void parse_links(struct json_object *root, struct smart_sample *s)
{
	static const char port_key[] = "scsi_sas_port_", phy_key[] = "phy_";

	json_object_object_foreach(root, name, port) {
		if (strncmp(name, port_key, sizeof(port_key) - 1) ||
		    !json_object_is_type(port, json_type_object))
			continue;
		json_object_object_foreach(port, of, phy) {
			if (!strncmp(of, phy_key, sizeof(phy_key) - 1))
				add_phy(phy, s);
		}
	}
}

static void parse_scsi(struct json_object *root, struct smart_sample *s)
{
	struct json_object *log = get(root, "scsi_error_counter_log");

	s->grown_defects = get_i64(root, "scsi_grown_defect_list");
	s->uncorrected_read = get_i64(get(log, "read"),
				      "total_uncorrected_errors");
	s->uncorrected_write = get_i64(get(log, "write"),
				       "total_uncorrected_errors");
	s->uncorrected_verify = get_i64(get(log, "verify"),
					"total_uncorrected_errors");
	s->pending_defects = get_i64(get(root, "scsi_pending_defects"),
				     "count");
	parse_links(root, s);
	if (s->used == SMART_NONE)
		s->used = get_i64(root,
				  "scsi_percentage_used_endurance_indicator");
	s->health |= s->grown_defects != SMART_NONE ||
		     s->uncorrected_read != SMART_NONE ||
		     s->uncorrected_write != SMART_NONE;
}

static enum smart_protocol parse_protocol(struct json_object *root)
{
	char word[16] = "";

	get_str(get(root, "device"), "protocol", word, sizeof(word));
	if (strcmp(word, "ATA") == 0 || get(root, "ata_smart_attributes"))
		return SMART_ATA;
	if (strcmp(word, "NVMe") == 0)
		return SMART_NVME;
	if (strcmp(word, "SCSI") == 0)
		return SMART_SCSI;
	return SMART_UNKNOWN;
}

static void parse_common(struct json_object *root, struct smart_sample *s)
{
	struct json_object *o;

	get_str(root, "model_name", s->model, sizeof(s->model));
	if (!s->model[0])
		get_str(root, "scsi_model_name", s->model, sizeof(s->model));
	get_str(root, "serial_number", s->serial, sizeof(s->serial));
	get_str(root, "firmware_version", s->firmware, sizeof(s->firmware));
	if (!s->firmware[0])
		get_str(root, "scsi_revision", s->firmware,
			sizeof(s->firmware));
	s->capacity = get_u64(get(root, "user_capacity"), "bytes", 0);
	if (!s->capacity)
		s->capacity = get_u64(root, "nvme_total_capacity", 0);
	s->rotation = get_i64(root, "rotation_rate");
	o = get(get(root, "smart_status"), "passed");
	if (json_object_is_type(o, json_type_boolean)) {
		s->passed = json_object_get_boolean(o);
		s->health = true;
	}
	o = get(root, "temperature");
	s->temperature = get_i64(o, "current");
	s->trip = get_i64(o, "drive_trip");
	if (s->trip <= 0)
		s->trip = SMART_NONE;
	/* what a RAID controller's volume says */
	if (s->temperature == 0 && s->trip == SMART_NONE)
		s->temperature = SMART_NONE;
	s->power_on = get_i64(get(root, "power_on_time"), "hours");
	s->power_cycles = get_i64(root, "power_cycle_count");
	s->used = get_i64(get(root, "endurance_used"), "current_percent");
}

int smart_parse(const char *json, size_t len, int64_t time,
		struct smart_sample *s, struct ads_err *err)
{
	struct json_tokener *tok;
	struct json_object *root;
	const struct smart_attr *a;
	enum json_tokener_error e;

	memset(s, 0, sizeof(*s));
	s->time = time;
	s->passed = -1;
	s->rotation = s->temperature = s->trip = s->used = SMART_NONE;
	s->power_on = s->power_cycles = SMART_NONE;
	s->spare = s->spare_threshold = s->grown_defects = SMART_NONE;
	s->uncorrected_read = s->uncorrected_write = SMART_NONE;
	s->uncorrected_verify = s->pending_defects = SMART_NONE;

	if (len > INT32_MAX)
		return ads_err(err, -EBADMSG, "output of %zu bytes", len);
	tok = json_tokener_new();
	if (!tok)
		return -ENOMEM;
	root = json_tokener_parse_ex(tok, json, len);
	e = json_tokener_get_error(tok);
	json_tokener_free(tok);
	if (!json_object_is_type(root, json_type_object)) {
		json_object_put(root);
		return ads_err(err, -EBADMSG, "output is not JSON: %s",
			       e == json_tokener_continue ? "it ends too early" :
			       json_tokener_error_desc(e));
	}
	if (!get(root, "smartctl") && !get(root, "device")) {
		json_object_put(root);
		return ads_err(err, -EBADMSG, "output is not smartctl's");
	}
	s->exit_status = get_u64(get(root, "smartctl"), "exit_status", 0);
	s->protocol = parse_protocol(root);
	parse_common(root, s);
	if (s->protocol == SMART_ATA) {
		parse_attrs(get(get(root, "ata_smart_attributes"), "table"), s);
		if (s->used == SMART_NONE)
			s->used = parse_endurance(get(root,
						      "ata_device_statistics"));
		a = smart_attr(s, 194);
		if (a && s->temperature == SMART_NONE && a->raw)
			s->temperature = a->raw;
		a = smart_attr(s, 9);
		if (a && s->power_on == SMART_NONE)
			s->power_on = a->raw;
	} else if (s->protocol == SMART_NVME) {
		parse_nvme(get(root, "nvme_smart_health_information_log"), s);
	} else if (s->protocol == SMART_SCSI) {
		parse_scsi(root, s);
	}
	json_object_put(root);
	return 0;
}

const struct smart_attr *smart_attr(const struct smart_sample *s, uint8_t id)
{
	for (unsigned int i = 0; i < s->nr_attrs; i++)
		if (s->attr[i].id == id)
			return &s->attr[i];
	return NULL;
}

char *smart_exit_text(int status, char *buf, size_t size)
{
	static const char *const text[] = {
		"the command line was not understood",
		"the device could not be opened",
		"a command to the drive failed",
		"the drive says that it is failing",
		"a prefail attribute is at its threshold",
		"an attribute was at its threshold",
		"the error log has entries",
		"a self-test has failed",
	};
	size_t len = 0;

	buf[0] = 0;
	if (status == SMARTCTL_ASLEEP) {
		snprintf(buf, size, "the drive sleeps");
		return buf;
	}
	for (int i = 0; i < 8; i++) {
		if (!(status & 1 << i) || len >= size)
			continue;
		len += snprintf(buf + len, size - len, "%s%s", len ? "; " : "",
				text[i]);
	}
	return buf;
}
