/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers on json-c. Every document of adshard starts with
 * "schema":{"name":...,"version":...}; numbers are in base units; what is not
 * known is null and its key is there.
 */
#ifndef ADS_JSON_H
#define ADS_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

/* A new object with its schema. NULL if there is no memory. */
struct json_object *ads_json_doc(const char *schema, int version);

/* Add a member to an object. NULL strings become null. */
void ads_json_str(struct json_object *o, const char *key, const char *value);
void ads_json_u64(struct json_object *o, const char *key, uint64_t value);
void ads_json_i64(struct json_object *o, const char *key, int64_t value);
void ads_json_double(struct json_object *o, const char *key, double value);
void ads_json_bool(struct json_object *o, const char *key, bool value);
void ads_json_null(struct json_object *o, const char *key);
void ads_json_uuid(struct json_object *o, const char *key, const uint8_t *uuid);
struct json_object *ads_json_obj(struct json_object *o, const char *key);
struct json_object *ads_json_arr(struct json_object *o, const char *key);

/* Appends a new object to an array and returns it (owned by the array). */
struct json_object *ads_json_push(struct json_object *array);

/* Read: false if the key is missing, null or of another type. */
bool ads_json_get_str(struct json_object *o, const char *key,
		      const char **value);
bool ads_json_get_i64(struct json_object *o, const char *key, int64_t *value);
bool ads_json_get_double(struct json_object *o, const char *key, double *value);
bool ads_json_get_bool(struct json_object *o, const char *key, bool *value);
struct json_object *ads_json_get(struct json_object *o, const char *key);

/* One line without spaces and without a newline. Owned by the object. */
const char *ads_json_line(struct json_object *o);

#endif
