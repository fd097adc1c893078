// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "json.h"
#include "units.h"

struct json_object *ads_json_doc(const char *schema, int version)
{
	struct json_object *o = json_object_new_object();
	struct json_object *s;

	if (!o)
		return NULL;
	s = ads_json_obj(o, "schema");
	ads_json_str(s, "name", schema);
	ads_json_i64(s, "version", version);
	return o;
}

void ads_json_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key,
			       value ? json_object_new_string(value) : NULL);
}

void ads_json_u64(struct json_object *o, const char *key, uint64_t value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void ads_json_i64(struct json_object *o, const char *key, int64_t value)
{
	json_object_object_add(o, key, json_object_new_int64(value));
}

/* Ten digits: json-c's own 17 make 0.1 look like a measurement of an atom. */
void ads_json_double(struct json_object *o, const char *key, double value)
{
	char text[32];

	if (!isfinite(value)) {
		ads_json_null(o, key);
		return;
	}
	snprintf(text, sizeof(text), "%.10g", value);
	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

void ads_json_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void ads_json_null(struct json_object *o, const char *key)
{
	json_object_object_add(o, key, NULL);
}

void ads_json_uuid(struct json_object *o, const char *key, const uint8_t *uuid)
{
	char text[ADS_UUID_STR];

	ads_json_str(o, key, ads_format_uuid(uuid, text));
}

struct json_object *ads_json_obj(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_new_object();

	json_object_object_add(o, key, v);
	return v;
}

struct json_object *ads_json_arr(struct json_object *o, const char *key)
{
	struct json_object *v = json_object_new_array();

	json_object_object_add(o, key, v);
	return v;
}

struct json_object *ads_json_push(struct json_object *array)
{
	struct json_object *v = json_object_new_object();

	json_object_array_add(array, v);
	return v;
}

struct json_object *ads_json_get(struct json_object *o, const char *key)
{
	struct json_object *v;

	if (!json_object_is_type(o, json_type_object) ||
	    !json_object_object_get_ex(o, key, &v))
		return NULL;
	return v;
}

bool ads_json_get_str(struct json_object *o, const char *key,
		      const char **value)
{
	struct json_object *v = ads_json_get(o, key);

	if (!json_object_is_type(v, json_type_string))
		return false;
	*value = json_object_get_string(v);
	return true;
}

bool ads_json_get_i64(struct json_object *o, const char *key, int64_t *value)
{
	struct json_object *v = ads_json_get(o, key);

	/* A whole number may come as 5.0 from a writer that knows doubles only. */
	if (!json_object_is_type(v, json_type_int) &&
	    !json_object_is_type(v, json_type_double))
		return false;
	*value = json_object_get_int64(v);
	return true;
}

bool ads_json_get_double(struct json_object *o, const char *key, double *value)
{
	struct json_object *v = ads_json_get(o, key);

	if (!json_object_is_type(v, json_type_int) &&
	    !json_object_is_type(v, json_type_double))
		return false;
	*value = json_object_get_double(v);
	return true;
}

bool ads_json_get_bool(struct json_object *o, const char *key, bool *value)
{
	struct json_object *v = ads_json_get(o, key);

	if (!json_object_is_type(v, json_type_boolean))
		return false;
	*value = json_object_get_boolean(v);
	return true;
}

const char *ads_json_line(struct json_object *o)
{
	return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
}
