// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The parser of smartctl's JSON: made-up outputs of each protocol, broken ones,
 * and, where there is a collection of real ones, all of these.
 */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdlib.h>

#include "daemon.h"
#include "daemon/collect/smart.h"

static struct smart_sample s;

static int parse(const char *json)
{
	return smart_parse(json, strlen(json), 1000, &s, NULL);
}

static uint64_t raw(uint8_t id)
{
	const struct smart_attr *a = smart_attr(&s, id);

	return a ? a->raw : UINT64_MAX;
}

static void test_ata(void)
{
	is(parse("{\"smartctl\":{\"exit_status\":64},"
		 "\"device\":{\"protocol\":\"ATA\"},\"model_name\":\"Made Up 1\","
		 "\"serial_number\":\"S \\u0007 1  \",\"rotation_rate\":7200,"
		 "\"user_capacity\":{\"bytes\":4000787030016},"
		 "\"smart_status\":{\"passed\":true},"
		 "\"temperature\":{\"current\":31},"
		 "\"power_on_time\":{\"hours\":1234},\"power_cycle_count\":7,"
		 "\"ata_smart_attributes\":{\"table\":["
		 "{\"id\":5,\"value\":100,\"worst\":99,\"thresh\":10,"
		 "\"when_failed\":\"\",\"flags\":{\"prefailure\":true},"
		 "\"raw\":{\"value\":8,\"string\":\"8\"}},"
		 "{\"id\":188,\"value\":100,\"worst\":100,\"thresh\":0,"
		 "\"raw\":{\"value\":17180131332}},"
		 "{\"id\":190,\"value\":60,\"worst\":50,\"thresh\":0,"
		 "\"when_failed\":\"past\",\"raw\":{\"value\":521994272}},"
		 "{\"id\":194,\"raw\":{\"value\":167504969753}},"
		 "{\"id\":197,\"value\":1,\"worst\":1,\"thresh\":2,"
		 "\"when_failed\":\"now\",\"flags\":{\"prefailure\":true},"
		 "\"raw\":{\"value\":281474976710655}},"
		 "{\"id\":197,\"raw\":{\"value\":1}},"
		 "{\"id\":300,\"raw\":{\"value\":1}},{\"id\":9},7,null]},"
		 "\"ata_device_statistics\":{\"pages\":[{\"number\":7,\"table\":["
		 "{\"name\":\"Percentage Used Endurance Indicator\","
		 "\"value\":19}]}]}}"), 0, "ATA parses");
	is(s.protocol, SMART_ATA, "ATA: protocol");
	ok(s.health && s.passed == 1, "ATA: has health data and passed");
	is(s.exit_status, 64, "ATA: exit status");
	ok(!strcmp(s.model, "Made Up 1"), "ATA: model");
	ok(!strcmp(s.serial, "S  1"),
	   "ATA: a serial number without control characters and blanks");
	is(s.rotation, 7200, "ATA: rotation");
	is(s.power_on, 1234, "ATA: hours");
	is(s.used, 19, "ATA: endurance from the device statistics");
	is(raw(5), 8, "ATA: a plain raw value");
	is(raw(188), 4, "ATA: 188 is the largest of three words");
	is(raw(190), 32, "ATA: 190 is its low byte");
	is(raw(194), 25, "ATA: 194 is its low byte");
	is(raw(197), 281474976710655LL, "ATA: 48 bits stay; the first one counts");
	ok(smart_attr(&s, 197)->failing && smart_attr(&s, 197)->prefail,
	   "ATA: failing now");
	ok(!smart_attr(&s, 190)->failing, "ATA: failed in the past is not now");
	is(s.nr_attrs, 5, "ATA: nonsense in the table is passed over");
}

static void test_nvme(void)
{
	is(parse("{\"smartctl\":{\"exit_status\":0},"
		 "\"device\":{\"protocol\":\"NVMe\"},\"serial_number\":\"N1\","
		 "\"smart_status\":{\"passed\":false,\"nvme\":{\"value\":4}},"
		 "\"nvme_smart_health_information_log\":{"
		 "\"critical_warning\":4,\"temperature\":40,"
		 "\"available_spare\":98,\"available_spare_threshold\":10,"
		 "\"percentage_used\":255,"
		 "\"data_units_written\":340282366920938463463374607431768211455,"
		 "\"media_errors\":1e30,\"num_err_log_entries\":\"12\","
		 "\"unsafe_shutdowns\":18446744073709551615,"
		 "\"critical_comp_time\":3}}"), 0, "NVMe parses");
	is(s.protocol, SMART_NVME, "NVMe: protocol");
	is(s.warning, 4, "NVMe: warning");
	ok(s.written == UINT64_MAX, "NVMe: a counter of 128 bits saturates");
	ok(s.media_errors == UINT64_MAX, "NVMe: so does a huge float");
	is(s.error_entries, 12, "NVMe: a number in quotes");
	ok(s.unsafe_shutdowns == UINT64_MAX, "NVMe: all of 64 bits");
	is(s.used, 255, "NVMe: used may be above 100");
	is(s.critical_minutes, 3, "NVMe: minutes of heat");
}

static void test_scsi(void)
{
	is(parse("{\"device\":{\"protocol\":\"SCSI\"},"
		 "\"scsi_model_name\":\"MADE UP\",\"serial_number\":\"Z\","
		 "\"smart_status\":{\"passed\":false},"
		 "\"temperature\":{\"current\":44,\"drive_trip\":68},"
		 "\"scsi_grown_defect_list\":56,"
		 "\"scsi_error_counter_log\":{\"read\":{"
		 "\"gigabytes_processed\":\"386.568\","
		 "\"total_uncorrected_errors\":3},"
		 "\"write\":{\"total_uncorrected_errors\":0}}}"), 0,
	   "SCSI parses");
	is(s.passed, 0, "SCSI: failed");
	ok(!strcmp(s.model, "MADE UP"), "SCSI: model of newer versions");
	is(s.grown_defects, 56, "SCSI: grown defects");
	is(s.uncorrected_read, 3, "SCSI: uncorrected");
	ok(s.uncorrected_verify == SMART_NONE, "SCSI: what is not there");
	is(s.trip, 68, "SCSI: trip temperature");
	ok(s.pending_defects == SMART_NONE && !s.has_links,
	   "SCSI: neither pending defects nor a log of phys");
}

/* Two ports of which one has two phys; what is not a number counts nothing. */
static void test_sas(void)
{
	is(parse("{\"device\":{\"protocol\":\"SCSI\"},"
		 "\"smart_status\":{\"passed\":true},"
		 "\"scsi_pending_defects\":{\"count\":2},"
		 "\"scsi_sas_port_0\":{\"relative_target_port_id\":1,"
		 "\"number_of_phys\":2,\"phy_0\":{\"identifier\":0,"
		 "\"invalid_dword_count\":40,"
		 "\"running_disparity_error_count\":30,"
		 "\"loss_of_dword_synchronization_count\":2,"
		 "\"phy_reset_problem_count\":1},"
		 "\"phy_1\":{\"invalid_dword_count\":\"7\","
		 "\"phy_event_descriptors\":{\"invalid_dword_count\":99}}},"
		 "\"scsi_sas_port_1\":{\"phy_0\":{"
		 "\"invalid_dword_count\":100,"
		 "\"phy_reset_problem_count\":null}}}"), 0, "SAS parses");
	ok(s.has_links, "SAS: has a log of phys");
	is(s.link_errors, 180, "SAS: the four counters of all phys");
	is(s.pending_defects, 2, "SAS: pending defects");
	is(parse("{\"device\":{\"protocol\":\"SCSI\"},\"scsi_sas_port_0\":{"
		 "\"phy_0\":{\"invalid_dword_count\":18446744073709551615,"
		 "\"phy_reset_problem_count\":4}}}"), 0, "SAS: too many");
	ok(s.link_errors == UINT64_MAX, "SAS: the sum stays at its most");
	is(parse("{\"device\":{\"protocol\":\"SCSI\"},\"scsi_sas_port_0\":[1],"
		 "\"scsi_sas_port_1\":{\"phy_0\":7,\"phy_1\":{"
		 "\"invalid_dword_count\":-5}},\"scsi_pending_defects\":3}"), 0,
	   "SAS: nonsense");
	ok(!s.has_links && s.pending_defects == SMART_NONE,
	   "SAS: and nothing comes of it");
}

static void test_poor(void)
{
	static const char *const bad[] = {
		"", " ", "nonsense", "{", "[]", "12", "\"x\"", "{}",
		"{\"a\":1}", "{\"smartctl\":", "{\"smartctl\":{}",
		"smartctl 7.3 2022-02-28 r5338\n", "{\"smartctl\":{}}}}}x]",
	};
	static const char *const poor[] = {
		"{\"smartctl\":null,\"device\":{}}",
		"{\"smartctl\":{\"exit_status\":2},\"device\":{\"protocol\":1}}",
		"{\"smartctl\":{},\"device\":{\"protocol\":\"NVMe\"},"
		"\"nvme_smart_health_information_log\":[1,2]}",
		"{\"smartctl\":{},\"ata_smart_attributes\":{\"table\":{}}}",
		"{\"smartctl\":{},\"ata_smart_attributes\":{\"table\":"
		"[{\"id\":5,\"raw\":{\"value\":-1}}]}}",
		"{\"smartctl\":{},\"temperature\":{\"current\":0,"
		"\"drive_trip\":0},\"device\":{\"protocol\":\"SCSI\"}}",
	};
	const char *whole = "{\"smartctl\":{\"exit_status\":0},\"device\":"
		"{\"protocol\":\"ATA\"},\"smart_status\":{\"passed\":true}}";
	unsigned int good = 0, n = sizeof(bad) / sizeof(bad[0]);

	for (unsigned int i = 0; i < n - 1; i++)
		good += parse(bad[i]) == -EBADMSG;
	is(good, n - 1, "what is not smartctl's is refused");
	n = sizeof(poor) / sizeof(poor[0]);
	good = 0;
	for (unsigned int i = 0; i < n; i++)
		good += parse(poor[i]) == 0 && !s.health;
	is(good, n, "what holds no health data parses, and says so");
	good = 0;
	n = strlen(whole);
	for (unsigned int i = 0; i < n; i++)
		good += smart_parse(whole, i, 1, &s, NULL) == -EBADMSG;
	is(good, n, "an output that was cut short is refused at every byte");
}

/* Deep, wide, long: it takes no more time or room than it should. */
static void test_hostile(void)
{
	size_t size = 4 << 20, n;
	char *big = malloc(size + 1), *more;
	struct smart_sample before;

	/* ever deeper */
	memset(big, '[', size);
	memcpy(big, "{\"smartctl\":", 12);
	is(smart_parse(big, size, 1, &s, NULL), -EBADMSG, "four million brackets");
	/* as many attributes as fit, each of them another time */
	n = sprintf(big, "{\"smartctl\":{},\"device\":{\"protocol\":\"ATA\"},"
		    "\"ata_smart_attributes\":{\"table\":[{}");
	for (int i = 0; n + 100 < size; i++)
		n += sprintf(big + n, ",{\"id\":%d,\"raw\":{\"value\":%d}}",
			     i % 255 + 1, i);
	n += sprintf(big + n, "]}}");
	is(smart_parse(big, n, 1, &s, NULL), 0, "a table of four megabytes");
	is(s.nr_attrs, SMART_MAX_ATTRS, "of which some are taken");
	/* a name that does not end */
	memset(big, 'x', size);
	n = sprintf(big, "{\"smartctl\":{},\"model_name\":\"");
	big[n] = 'x';
	memcpy(big + size - 2, "\"}", 3);
	is(smart_parse(big, size, 1, &s, NULL), 0, "a name of four megabytes");
	is(strlen(s.model), sizeof(s.model) - 1, "is cut");
	more = smart_unknown(big, size);
	ok(!more, "and is known");
	free(more);
	n = sprintf(big, "{\"smartctl\":{}");
	for (int i = 0; i < 50000; i++)
		n += sprintf(big + n, ",\"k%d\":\"%d\"", i, i);
	n += sprintf(big + n, "}");
	more = smart_unknown(big, n);
	ok(more && strlen(more) <= SMART_MORE_MAX && strlen(more) > 500,
	   "of fifty thousand fields some are kept");
	free(more);
	/* what was read before is nobody's business */
	before = s;
	is(smart_parse("{\"smartctl\"", 11, 1, &s, NULL), -EBADMSG, "cut short");
	ok(s.nr_attrs == 0 && !s.health && before.model[0],
	   "nothing of it is taken");
	free(big);
}

static void test_more(void)
{
	static const char json[] =
		"{\"smartctl\":{\"exit_status\":0},\"new_field\":7,"
		"\"temperature\":{\"current\":30,\"lifetime_max\":55},"
		"\"ata_sct_status\":{\"state\":{\"value\":1,\"s\":\"a\\\"b\"}},"
		"\"short\":[1,2],\"log\":[1,2,3,4,5,6,7,8,9],\"x\":null,"
		"\"nvme_smart_health_information_log\":{\"media_errors\":1,"
		"\"host_reads\":99}}";
	char *more = smart_unknown(json, strlen(json));

	ok(more && !strcmp(more, "{\"new_field\":7,"
			   "\"temperature.lifetime_max\":55,"
			   "\"ata_sct_status.state.value\":1,"
			   "\"ata_sct_status.state.s\":\"a\\\"b\","
			   "\"short[0]\":1,\"short[1]\":2,"
			   "\"nvme_smart_health_information_log.host_reads\":99}"),
	   "what is not understood is kept: %s", more ? more : "nothing");
	free(more);
	ok(!smart_unknown("{}", 2) && !smart_unknown("x", 1) &&
	   !smart_unknown("", 0), "nothing of nothing");
	is(smart_vendor_raw("ST4000DM000-1F2168", 7, 3ULL << 32 | 12345), 3,
	   "Seagate: errors above operations");
	is(smart_vendor_raw("WDC WD40EFRX", 7, 12345), 12345, "others count errors");
	is(smart_vendor_raw("STEC Z16", 1, 3ULL << 32), 3LL << 32,
	   "another name that begins alike");
	is(smart_vendor_raw("ST4000DM000", 188, 2ULL << 32 | 5 << 16 | 1), 5,
	   "and what all pack alike");
}

/* Whatever a broken drive or bridge makes of it: no crash, no endless loop. */
static void test_mutations(void)
{
	static const char whole[] =
		"{\"smartctl\":{\"exit_status\":4},\"device\":{\"protocol\":"
		"\"ATA\"},\"model_name\":\"M\",\"temperature\":{\"current\":31},"
		"\"ata_smart_attributes\":{\"table\":[{\"id\":5,\"value\":100,"
		"\"when_failed\":\"now\",\"flags\":{\"prefailure\":true},"
		"\"raw\":{\"value\":8}},{\"id\":188,\"raw\":{\"value\":1e99}}]},"
		"\"nvme_smart_health_information_log\":{\"media_errors\":-1},"
		"\"scsi_error_counter_log\":{\"read\":[]}}";
	char buf[sizeof(whole)];
	unsigned int seed = 1, good = 0;

	for (int i = 0; i < 100000; i++) {
		memcpy(buf, whole, sizeof(buf));
		for (int j = 0; j < 1 + i % 4; j++) {
			seed = seed * 1103515245 + 12345;
			buf[(seed >> 8) % (sizeof(buf) - 1)] = seed >> 24;
		}
		good += smart_parse(buf, sizeof(buf) - 1, 1, &s, NULL) == 0;
		if (s.nr_attrs > SMART_MAX_ATTRS)
			ok(false, "too many attributes");
	}
	ok(good > 1000, "100000 mutations, %u of which still parse", good);
}

static void test_exit(void)
{
	char text[256];

	has(smart_exit_text(SMARTCTL_OPEN, text, sizeof(text)),
	    "could not be opened", "exit status in words");
	has(smart_exit_text(SMARTCTL_ASLEEP, text, sizeof(text)), "sleeps",
	    "a sleeping drive is no failure");
	smart_exit_text(255, text, 20);
	ok(strlen(text) < 20, "in a small buffer");
}

static unsigned int files, parsed, healthy, packed;

static int each(const char *path, const struct stat *st, int type,
		struct FTW *ftw)
{
	char *buf;
	size_t n;
	FILE *f;

	(void)ftw;
	if (type != FTW_F || !strstr(path, ".json"))
		return 0;
	f = fopen(path, "r");
	buf = malloc(st->st_size + 1);
	n = f && buf ? fread(buf, 1, st->st_size, f) : 0;
	files++;
	if (smart_parse(buf, n, 1, &s, NULL))
		printf("# does not parse: %s\n", path);
	else
		parsed++;
	healthy += s.health;
	/* no disk has had so many timeouts */
	packed += smart_attr(&s, 188) && raw(188) > 65535;
	if (f)
		fclose(f);
	free(buf);
	return 0;
}

static void test_collection(void)
{
	const char *data = getenv("ADSHARD_DATA");
	char path[512];

	snprintf(path, sizeof(path), "%s/smartctl_json", data ? data : "");
	if (!data || nftw(path, each, 16, FTW_PHYS) || !files) {
		skip("real outputs parse", data ? "no smartctl_json there" :
		     "ADSHARD_DATA is not set");
		return;
	}
	is(parsed, files, "all of %u real outputs parse", files);
	ok(healthy * 10 > files * 9, "%u of them with health data", healthy);
	is(packed, 0, "no packed counter was left packed");
}

int main(void)
{
	test_ata();
	test_nvme();
	test_scsi();
	test_sas();
	test_poor();
	test_hostile();
	test_more();
	test_mutations();
	test_exit();
	test_collection();
	return done_testing();
}
