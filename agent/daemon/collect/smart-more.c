// SPDX-License-Identifier: GPL-2.0-or-later
/* What is not understood of smartctl's output, and what only some vendors do. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/collect/smart.h"
#include "lib/smart-feat.h"

#define DEPTH		6
#define LIST_MAX	8	/* longer ones are logs */

/* What smart_parse() knows, and what says nothing of the drive's state. */
static const char *const known[] = {
	"json_format_version", "smartctl", "device", "model_name",
	"scsi_model_name", "serial_number", "firmware_version", "scsi_revision",
	"user_capacity", "nvme_total_capacity", "rotation_rate", "smart_status",
	"temperature.current", "temperature.drive_trip", "power_on_time.hours",
	"power_cycle_count", "endurance_used", "ata_smart_attributes",
	"local_time", "model_family", "product", "vendor", "wwn",
	"logical_unit_id", "scsi_grown_defect_list",
	"scsi_pending_defects.count",
	"nvme_smart_health_information_log.critical_warning",
	"nvme_smart_health_information_log.available_spare",
	"nvme_smart_health_information_log.available_spare_threshold",
	"nvme_smart_health_information_log.percentage_used",
	"nvme_smart_health_information_log.media_errors",
	"nvme_smart_health_information_log.num_err_log_entries",
	"nvme_smart_health_information_log.unsafe_shutdowns",
	"nvme_smart_health_information_log.data_units_written",
	"nvme_smart_health_information_log.warning_temp_time",
	"nvme_smart_health_information_log.critical_comp_time",
	"scsi_error_counter_log.read.total_uncorrected_errors",
	"scsi_error_counter_log.write.total_uncorrected_errors",
	"scsi_error_counter_log.verify.total_uncorrected_errors",
};

static bool is_known(const char *path)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(path, known[i]))
			return true;
	return false;
}

/* @left: bytes that may still be added. */
static void walk(struct json_object *from, char *path, size_t size,
		 size_t at, int depth, struct json_object *to, size_t *left)
{
	struct json_object_iterator i, end;
	size_t need;

	switch (json_object_get_type(from)) {
	case json_type_object:
		i = json_object_iter_begin(from);
		end = json_object_iter_end(from);
		for (; depth < DEPTH && !json_object_iter_equal(&i, &end);
		     json_object_iter_next(&i)) {
			int n = snprintf(path + at, size - at, "%s%s",
					 at ? "." : "",
					 json_object_iter_peek_name(&i));

			if (n > 0 && (size_t)n < size - at && !is_known(path))
				walk(json_object_iter_peek_value(&i), path,
				     size, at + n, depth + 1, to, left);
			path[at] = 0;
		}
		break;
	case json_type_array:
		if (json_object_array_length(from) > LIST_MAX)
			break;
		for (size_t k = 0; depth < DEPTH &&
				   k < json_object_array_length(from); k++) {
			int n = snprintf(path + at, size - at, "[%zu]", k);

			if (n > 0 && (size_t)n < size - at)
				walk(json_object_array_get_idx(from, k), path,
				     size, at + n, depth + 1, to, left);
			path[at] = 0;
		}
		break;
	case json_type_null:
		break;
	default:
		/* as it will be printed: every byte may be escaped */
		need = strlen(path) + 8 + 6 *
		       strlen(json_object_to_json_string(from));
		if (need > *left)
			break;
		*left -= need;
		json_object_object_add(to, path, json_object_get(from));
	}
}

char *smart_unknown(const char *json, size_t len)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *root, *more = json_object_new_object();
	char path[200] = "", *text = NULL;
	size_t left = SMART_MORE_MAX - 2;

	root = tok ? json_tokener_parse_ex(tok, json, (int)len) : NULL;
	if (tok)
		json_tokener_free(tok);
	if (more && json_object_is_type(root, json_type_object))
		walk(root, path, sizeof(path), 0, 0, more, &left);
	if (more && json_object_object_length(more))
		text = strdup(json_object_to_json_string_ext(more,
						JSON_C_TO_STRING_PLAIN));
	json_object_put(root);
	json_object_put(more);
	return text;
}

static bool begins(const char *model, const char *with)
{
	return !strncasecmp(model, with, strlen(with));
}

uint64_t smart_vendor_raw(const char *model, uint8_t id, uint64_t raw)
{
	bool seagate = (begins(model, "ST") && model[2] >= '0' &&
			model[2] <= '9') || begins(model, "Seagate");
	bool sandforce = begins(model, "OCZ-VERTEX") ||
			 begins(model, "KINGSTON SV300") ||
			 begins(model, "KINGSTON SH103") ||
			 begins(model, "Corsair Force");

	if ((seagate && (id == 1 || id == 7 || id == 195)) ||
	    (sandforce && (id == 1 || id == 195)))
		return raw >> 32;
	return ads_smart_unpack(id, raw);
}
