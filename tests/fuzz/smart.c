// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What smartctl printed, one reading after the other, and the scores that come of
 * it.
 *
 * Input: readings with a byte of 255 between them.
 *
 * Options: -max_len=4000
 * Words: agent/daemon/collect/smart-parse.c tests/unit/smart-parse.c
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/predict/predict.h"
#include "fuzz.h"

static struct config config;

void fuzz_init(void)
{
	config_defaults(&config);
}

static void check_sample(const struct smart_sample *s)
{
	char text[300], *small = malloc(5);

	must(s->nr_attrs <= SMART_MAX_ATTRS);
	must(strlen(s->model) < sizeof(s->model));
	for (const char *c = s->serial; *c; c++)
		must((unsigned char)*c >= ' ' && *c != 127);
	must(s->passed >= -1 && s->passed <= 1);
	smart_exit_text(s->exit_status, text, sizeof(text));
	smart_exit_text(s->exit_status, small, 5);
	free(small);
}

static void score(const struct drive *d, const struct smart_sample *s,
		  struct risk_track *track)
{
	struct predict_input in = { .now = s->time + 60, .config = &config,
				    .drive = d, .sample = s, .peers = NAN };
	int64_t oldest[RISK_MODES] = { 0 }, evidence = 0;
	struct errors errors = { 0 };
	struct risk r;
	int fresh;

	in.errors = &errors;
	predict(&in, &r);
	must(r.score >= -1 && r.score <= 100);
	must(r.nr <= RISK_MAX_REASONS);
	for (unsigned int i = 0; i < r.nr; i++) {
		must(r.reason[i].text[0]);
		must(!i || r.reason[i].points <= r.reason[i - 1].points);
	}
	fresh = risk_fresh(&r, oldest, &evidence);
	must(fresh >= -1 && fresh <= 100);
	risk_track(track, fresh, evidence, in.now, &config);
	in.peers = 30;
	predict(&in, &r);
	must(r.score >= -1 && r.score <= 100);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct drive_change changes[TRACK_NR];
	struct risk_track track = { 0 };
	struct drive *d = NULL;
	int64_t time = 1700000000;
	struct smart_sample s;
	bool reset;

	while (size) {
		const uint8_t *end = memchr(data, 255, size);
		size_t n = end ? (size_t)(end - data) : size;
		struct ads_err err = { "" };
		/* of its very size: there is no NUL behind what a pipe gave */
		char *text = malloc(n ? n : 1);
		int r;

		if (n)
			memcpy(text, data, n);
		r = smart_parse(text, n, time, &s, &err);
		free(text);
		data += n + !!end;
		size -= n + !!end;
		time += 40000;
		must(r == 0 || (r == -EBADMSG && err.text[0]));
		if (r)
			continue;
		check_sample(&s);
		if (!d)
			d = drive_new(s.model, s.serial, s.protocol);
		must(drive_add(d, &s, changes, &reset) <= TRACK_NR);
		if (s.health)
			score(d, &s, &track);
	}
	drive_free(d);
	return 0;
}

void fuzz_seeds(void)
{
	static const char ata[] =
		"{\"smartctl\":{\"exit_status\":64},\"device\":{\"protocol\":"
		"\"ATA\"},\"model_name\":\"M 1\",\"serial_number\":\"S\\u0007\","
		"\"rotation_rate\":7200,\"user_capacity\":{\"bytes\":1},"
		"\"smart_status\":{\"passed\":true},\"temperature\":"
		"{\"current\":71,\"drive_trip\":60},\"power_on_time\":{\"hours\":1234},"
		"\"power_cycle_count\":7,\"ata_smart_attributes\":{\"table\":["
		"{\"id\":5,\"value\":100,\"worst\":99,\"thresh\":10,"
		"\"when_failed\":\"now\",\"flags\":{\"prefailure\":true},"
		"\"raw\":{\"value\":8,\"string\":\"8\"}},"
		"{\"id\":188,\"raw\":{\"value\":17180131332}},"
		"{\"id\":187,\"raw\":{\"value\":2}},{\"id\":199,\"raw\":{\"value\":200}},"
		"{\"id\":197,\"raw\":{\"value\":1e300}},{\"id\":9}]},"
		"\"ata_device_statistics\":{\"pages\":[{\"table\":["
		"{\"name\":\"Percentage Used Endurance Indicator\",\"value\":119}]}]}}"
		"\xff"
		"{\"device\":{\"protocol\":\"ATA\"},\"ata_smart_attributes\":"
		"{\"table\":[{\"id\":5,\"raw\":{\"value\":800}},"
		"{\"id\":197,\"raw\":{\"value\":24}},{\"id\":198,\"raw\":{\"value\":9}}]}}";
	static const char nvme[] =
		"{\"smartctl\":{},\"device\":{\"protocol\":\"NVMe\"},"
		"\"nvme_total_capacity\":10,\"smart_status\":{\"passed\":false},"
		"\"nvme_smart_health_information_log\":{\"critical_warning\":4,"
		"\"temperature\":40,\"available_spare\":3,"
		"\"available_spare_threshold\":10,\"percentage_used\":255,"
		"\"data_units_written\":18446744073709551615,\"media_errors\":"
		"\"340282366920938463463374607431768211455\",\"num_err_log_entries\":5,"
		"\"unsafe_shutdowns\":1,\"warning_temp_time\":1,"
		"\"critical_comp_time\":2}}";
	static const char scsi[] =
		"{\"device\":{\"protocol\":\"SCSI\"},\"scsi_model_name\":\"X\","
		"\"scsi_revision\":\"1\",\"scsi_grown_defect_list\":12,"
		"\"scsi_error_counter_log\":{\"read\":{\"total_uncorrected_errors\":9},"
		"\"write\":{\"total_uncorrected_errors\":9223372036854775807},"
		"\"verify\":{\"total_uncorrected_errors\":-5}},"
		"\"scsi_percentage_used_endurance_indicator\":99,"
		"\"endurance_used\":{\"current_percent\":-1}}";

	char many[4096] = "{\"device\":{\"protocol\":\"ATA\"},"
			  "\"ata_smart_attributes\":{\"table\":[";
	size_t n = strlen(many);

	/* more than there is room for */
	for (int id = 1; id <= SMART_MAX_ATTRS + 10; id++)
		n += sprintf(many + n, "{\"id\":%d,\"raw\":{\"value\":%d}},", id,
			     id * 7);
	strcpy(many + n - 1, "]}}");
	fuzz_seed("many", many, strlen(many));
	fuzz_seed("ata", ata, sizeof(ata) - 1);
	fuzz_seed("nvme", nvme, sizeof(nvme) - 1);
	fuzz_seed("scsi", scsi, sizeof(scsi) - 1);
}
