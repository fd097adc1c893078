// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a drive's state is worth: the hazard table, the rules for NVMe and SCSI,
 * wear, heat, cable, failed I/O, and how they come together.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/smart-feat.h"
#include "daemon.h"
#include "daemon/predict/predict.h"

#define DAY	86400LL
#define START	(20000 * DAY)

static struct config config;
static struct drive *drive;
static struct smart_sample sample;
static struct errors errors;
static struct risk risk;
static double peers = NAN;
static int64_t now;

static void fresh(enum smart_protocol protocol)
{
	drive_free(drive);
	drive = drive_new("Made Up", "1", protocol);
	memset(&sample, 0, sizeof(sample));
	memset(&errors, 0, sizeof(errors));
	sample.health = true;
	sample.passed = 1;
	sample.protocol = protocol;
	sample.temperature = sample.trip = sample.power_on = SMART_NONE;
	sample.used = sample.spare = sample.spare_threshold = SMART_NONE;
	sample.grown_defects = SMART_NONE;
	sample.uncorrected_read = sample.uncorrected_write = SMART_NONE;
	sample.uncorrected_verify = SMART_NONE;
	sample.rotation = 7200;
	peers = NAN;
	now = START;
}

static void attr(uint8_t id, uint64_t value)
{
	struct smart_attr *a = (struct smart_attr *)smart_attr(&sample, id);

	if (!a) {
		a = &sample.attr[sample.nr_attrs++];
		a->id = id;
		a->value = a->worst = 100;
	}
	a->raw = value;
}

/* One more reading, @days after the last one; the score that follows. */
static int read_after(double days)
{
	struct drive_change changes[TRACK_NR];
	bool reset;

	now += (int64_t)(days * DAY);
	sample.time = now;
	drive_add(drive, &sample, changes, &reset);
	predict(&(struct predict_input){
		.now = now, .config = &config, .drive = drive,
		.sample = &sample, .peers = peers, .errors = &errors,
	}, &risk);
	return risk.score;
}

static int later(double days)
{
	now += (int64_t)(days * DAY);
	predict(&(struct predict_input){
		.now = now, .config = &config, .drive = drive,
		.sample = &sample, .peers = peers, .errors = &errors,
	}, &risk);
	return risk.score;
}

static void test_scale(void)
{
	static const struct { double p; int score; } knot[] = {
		{ 0, 0 }, { .001, 5 }, { .0055, 25 }, { .0116, 40 },
		{ .028, 55 }, { .105, 70 }, { .22, 80 }, { .5, 90 },
		{ .85, 97 }, { 1, 100 },
	};
	int last = 0;
	bool good = true;

	for (unsigned int i = 0; i < sizeof(knot) / sizeof(knot[0]); i++)
		is(risk_score_of(knot[i].p), knot[i].score, "p %g is %d",
		   knot[i].p, knot[i].score);
	for (double p = 0; p <= 1; p += 0.0001) {
		int score = risk_score_of(p);

		good &= score >= last && score <= 100;
		last = score;
	}
	ok(good, "the scale never goes down");
	is(risk_score_of(NAN), 0, "not a number is no risk");
}

static void ata_healthy(void)
{
	fresh(SMART_ATA);
	for (int id = 5; id < 200; id++)
		if (id == 5 || id == 10 || (id > 186 && id < 200))
			attr(id, 0);
	read_after(0);
}

static void test_ata(void)
{
	ata_healthy();
	is(risk.score, 7, "ATA: all zero");
	is(risk.nr, 0, "ATA: and no reason");

	ata_healthy();
	attr(5, 8);
	is(read_after(1), risk_score_of(.060), "ATA: reallocated rose");
	is(later(8), risk_score_of(.0075), "ATA: a week later it is stable");
	attr(5, 200);
	ok(read_after(1) > 70, "ATA: reallocated grew by more than 100");

	ata_healthy();
	for (int i = 1; i <= 3; i++) {
		attr(5, i);
		read_after(1);
	}
	is(risk.score, risk_score_of(.103), "ATA: rose on three days");
	ok(risk.score <= 70, "ATA: which alone is not above 70");

	ata_healthy();
	for (int i = 1; i <= 30; i++) {
		attr(5, i);
		read_after(0.01);
	}
	is(risk.score, risk_score_of(.060),
	   "ATA: thirty rises on one day are one");

	ata_healthy();
	attr(197, 1);
	ok(read_after(1) > 80, "ATA: one pending sector more");
	has(risk.reason[0].text, "pending sectors (197) rose",
	    "ATA: says so");
	is(risk.reason[0].since, now, "ATA: and since when");
	attr(197, 0);
	ok(read_after(1) > 80, "ATA: gone again, it still rose");
	ok(later(7) < 10, "ATA: a week later it is forgotten");

	ata_healthy();
	attr(197, 1);
	attr(187, 1);
	is(read_after(1), risk_score_of(.453), "ATA: pending and uncorrectable");
	ata_healthy();
	attr(197, 1);
	attr(5, 1);
	is(read_after(1), risk_score_of(.356), "ATA: pending and reallocated");
	ata_healthy();
	attr(198, 1);
	is(read_after(1), risk_score_of(.358), "ATA: offline uncorrectable");
	ata_healthy();
	attr(188, 3);
	is(read_after(1), risk_score_of(.0143), "ATA: a timeout is little");
	ata_healthy();
	attr(10, 1);
	ok(read_after(1) < 55, "ATA: spin retry is little");
}

static void test_ata_first_sight(void)
{
	fresh(SMART_ATA);
	attr(5, 100);
	is(read_after(0), risk_score_of(.0075),
	   "ATA: what was there at first sight has not risen");
	fresh(SMART_ATA);
	attr(197, 40);
	is(read_after(0), risk_score_of(.243), "ATA: 16 pending at first sight");
	fresh(SMART_ATA);
	attr(5, 3);
	attr(187, 3);
	is(read_after(0), risk_score_of(.0765), "ATA: two kinds");
	attr(198, 3);
	sample.time = 0;
	fresh(SMART_ATA);
	attr(5, 3);
	attr(187, 3);
	attr(198, 3);
	ok(read_after(0) > 70, "ATA: three kinds");
	fresh(SMART_ATA);
	attr(188, ads_smart_unpack(188, 17180131332ULL));
	ok(read_after(0) < 30, "ATA: a packed 188 of a new drive is no risk");
	fresh(SMART_ATA);
	sample.passed = 0;
	is(read_after(0), risk_score_of(.9), "ATA: SMART status failed");
	fresh(SMART_ATA);
	attr(1, 5);
	sample.attr[0].failing = true;
	ok(read_after(0) < 30, "ATA: an old-age attribute at its threshold");
	sample.attr[0].prefail = true;
	is(read_after(0), risk_score_of(.9), "ATA: a prefail one");
}

static int nvme(uint64_t warning, int64_t spare, int64_t used, uint64_t media)
{
	fresh(SMART_NVME);
	sample.rotation = 0;
	sample.warning = warning;
	sample.passed = !warning;
	sample.spare = spare;
	sample.spare_threshold = 10;
	sample.used = used;
	sample.media_errors = media;
	return read_after(0);
}

static void test_nvme(void)
{
	is(nvme(0, 100, 3, 7), 0, "NVMe: healthy; old media errors are old");
	is(nvme(8, 100, 3, 0), 95, "NVMe: read-only");
	is(nvme(16, 100, 3, 0), 95, "NVMe: memory backup failed");
	is(nvme(1, 50, 3, 0), 85, "NVMe: spare warning");
	is(nvme(0, 10, 3, 0), 85, "NVMe: spare at its threshold");
	is(nvme(4, 100, 3, 0), 85, "NVMe: unreliable");
	is(nvme(4, 100, 100, 0), 60, "NVMe: worn, but well: wear");
	is(risk.mode, RISK_WEAR, "NVMe: and is called so");
	is(nvme(4, 100, 100, 1), 85 + 3, "NVMe: worn and with errors");
	is(nvme(4, 9, 100, 0), 85 + 3, "NVMe: worn and without spare");
	is(nvme(2, 100, 3, 0), 60, "NVMe: temperature");
	is(risk.mode, RISK_THERMAL, "NVMe: is thermal");
	is(nvme(0, 100, 100, 0), 60, "NVMe: all used up");
	is(nvme(8 | 16 | 1 | 2, 1, 200, 0), 100,
	   "NVMe: three modes at once");
	nvme(0, 100, 3, 7);
	sample.media_errors = 8;
	is(read_after(1), 60, "NVMe: media errors rose");
	is(read_after(8), 0, "NVMe: a week ago");
	sample.media_errors = 9;
	is(read_after(1), 75, "NVMe: and again in the month");
	nvme(0, 100, 3, 0);
	sample.error_entries = 8000;
	sample.unsafe_shutdowns = 100;
	is(read_after(1), 0, "NVMe: log entries and power cuts never count");
}

static void test_wear(void)
{
	nvme(0, 60, 3, 0);
	for (int i = 1; i <= 10; i++) {
		sample.spare = 60 - i;
		read_after(1);
	}
	is(risk.score, 55, "wear: spare falls by 1 a day, 40 days left");
	for (int i = 11; i <= 25; i++) {
		sample.spare = 60 - i;
		read_after(1);
	}
	is(risk.score, 75, "wear: 25 days left");
	nvme(0, 60, 3, 0);
	for (int i = 1; i <= 5; i++) {
		sample.spare = 60 - 5 * i;
		read_after(1);
	}
	is(risk.score, 0, "wear: five days are no trend yet");
	nvme(0, 100, 60, 0);
	for (int i = 1; i <= 20; i++) {
		sample.used = 60 + i;
		read_after(1);
	}
	is(risk.score, 55, "wear: 100 %% in 20 days");
	nvme(0, 0, 3, 0);
	sample.spare_threshold = 0;
	is(read_after(1), 0, "wear: a drive without spare says 0 of 0");
}

static void test_scsi(void)
{
	fresh(SMART_SCSI);
	sample.grown_defects = 56;
	sample.uncorrected_read = 1;
	sample.uncorrected_write = 0;
	is(read_after(0), 0, "SCSI: old defects are old");
	sample.grown_defects = 57;
	is(read_after(1), risk_score_of(.10), "SCSI: a defect more");
	sample.grown_defects = 58;
	read_after(1);
	sample.grown_defects = 59;
	is(read_after(1), risk_score_of(.20), "SCSI: on three days");
	sample.uncorrected_write = 1;
	is(read_after(1), risk_score_of(.25), "SCSI: uncorrected");
	sample.passed = 0;
	is(read_after(1), risk_score_of(.9), "SCSI: predicts its failure");

	fresh(SMART_SCSI);
	sample.pending_defects = 3;
	is(read_after(0), risk_score_of(.05), "SCSI: pending defects");
	sample.pending_defects = 4;
	is(read_after(1), risk_score_of(.20), "SCSI: more of them");
	sample.pending_defects = 0;
	is(read_after(1), 0, "SCSI: written, and gone");
}

/* They are counted since the drive got power: days tell, not numbers. */
static void test_sas(void)
{
	static const int points[] = { 15, 35, 45, 45, 50, 50 };

	fresh(SMART_SCSI);
	sample.has_links = true;
	sample.link_errors = 5000;
	is(read_after(0), 0, "SAS: errors of long ago");
	ok(risk.part[RISK_INTERFACE].known, "SAS: the link is judged");
	sample.link_errors = 0;
	is(read_after(1), 0, "SAS: it had no power in between");
	for (int i = 0; i < 6; i++) {
		sample.link_errors += i ? 1 : 9000;
		is(read_after(1), points[i], "SAS: link errors on %d days", i + 1);
	}
	is(risk.mode, RISK_INTERFACE, "SAS: it is the link");
	drive->counting = true;
	read_after(1);
	drive_count(drive, TRACK_LOG_TIMEOUTS);
	sample.link_errors++;
	is(read_after(1), 60, "SAS: and commands time out");
	is(later(9), 0, "SAS: a week without");
}

static void test_channels(void)
{
	ata_healthy();
	attr(199, 5000);
	is(read_after(1), 50, "interface: thousands of CRC errors stay at 50");
	is(risk.mode, RISK_INTERFACE, "interface: is called so");
	attr(188, 1);
	is(read_after(1), 60, "interface: 60 with timeouts, never above 70");
	fresh(SMART_ATA);
	attr(199, 5000);
	ok(read_after(0) < 10, "interface: old CRC errors are old");

	ata_healthy();
	sample.temperature = 55;
	is(read_after(1), 45, "thermal: a warm disk");
	sample.temperature = 90;
	is(read_after(1), 60, "thermal: a hot one, never above 60");
	sample.temperature = 40;
	peers = 30;
	is(read_after(1), 30, "thermal: hotter than its peers");
	sample.temperature = 37;
	is(read_after(1), 7, "thermal: like its peers");
	nvme(0, 100, 3, 0);
	sample.temperature = 65;
	is(read_after(1), 0, "thermal: solid state may be warmer");
	sample.critical_minutes = 5;
	is(read_after(1), 60, "thermal: was above critical");
}

static void look(double seconds, unsigned int n)
{
	now += (int64_t)seconds;
	errors_look(&errors, now, n, &config);
}

static void test_errors(void)
{
	ata_healthy();
	look(0, 0);
	is(later(0), 7, "errors: none");
	look(10, 1);
	is(later(0), 34, "errors: one");
	look(10, 100000);
	ok(later(0) <= 70, "errors: one burst, however big, is no pattern");
	look(10, 5);
	ok(later(0) > 70, "errors: N in T is");
	is(risk.mode, RISK_ERRORS, "errors: is called so");
	for (int i = 0; i < 20; i++)
		look(10, 100);
	ok(later(0) > 85 && later(0) <= 95, "errors: many are urgent");
	look(3600, 0);
	ok(later(0) > 40 && later(0) < 50, "errors: halved after an hour");
	for (int i = 0; i < 10; i++)
		look(3600, 0);
	is(later(0), 7, "errors: forgotten after a day");
	errors.hung = now - 100;
	is(later(0), 60, "errors: a read that does not return");

	fresh(SMART_ATA);
	predict(&(struct predict_input){
		.now = now, .config = &config, .errors = &errors, .peers = NAN,
	}, &risk);
	is(risk.score, -1, "errors: none is no verdict on an unknown drive");
	look(0, 5);
	look(10, 5);
	predict(&(struct predict_input){
		.now = now, .config = &config, .errors = &errors, .peers = NAN,
	}, &risk);
	ok(risk.score > 70, "errors: but failures are");
}

static void test_refused(void)
{
	ata_healthy();
	memset(&errors, 0, sizeof(errors));
	look(0, 0);
	errors_refused(&errors, now, "the destination fails", &config);
	is(later(0), 45, "refused: a segment");
	ok(!strcmp(risk.reason[0].text, "1 segment could not be moved to it: the destination fails"),
	   "refused: is a reason");
	errors_refused(&errors, now, "writes to the destination fail", &config);
	ok(later(0) > config.plan.max_score,
	   "refused: two, and it is no destination");
	for (int i = 0; i < 100; i++)
		errors_refused(&errors, now, "x", &config);
	ok(later(0) <= config.score.drain,
	   "refused: many are no reason to empty it");
	look(20 * (double)config.errors.half_life, 0);
	is(later(0), 7, "refused: forgotten");
	errors_refused(&errors, now, "x", &config);
	is(later(0), 45, "refused: and counted from the start");
	memset(&errors, 0, sizeof(errors));
}

static void test_fusion(void)
{
	int64_t oldest[RISK_MODES] = { 0 }, evidence;

	risk_init(&risk);
	is(risk.score, -1, "fusion: nothing is known");
	risk_judged(&risk, RISK_MEDIA, 100);
	risk_judged(&risk, RISK_WEAR, 100);
	risk_judged(&risk, RISK_ERRORS, 500);
	risk_add(&risk, RISK_MEDIA, 80, 0, "a", "1", "first");
	risk_add(&risk, RISK_MEDIA, 75, 0, "b", "1", "second");
	risk_add(&risk, RISK_WEAR, 49, 0, "c", "1", "third");
	risk_add(&risk, RISK_ERRORS, 90, 0, "d", "1", "fourth");
	risk_fuse(&risk);
	is(risk.score, 93, "fusion: the strongest mode and 3 for another");
	is(risk.mode, RISK_ERRORS, "fusion: the strongest mode");
	ok(!strcmp(risk.reason[0].text, "fourth") &&
	   !strcmp(risk.reason[3].text, "third"), "fusion: reasons in order");
	is(risk_fresh(&risk, oldest, &evidence), 93, "fusion: all are fresh");
	oldest[RISK_MEDIA] = oldest[RISK_WEAR] = 101;
	is(risk_fresh(&risk, oldest, &evidence), 90,
	   "fusion: without what is stale");
	is(evidence, 500, "fusion: time of the evidence");
	oldest[RISK_ERRORS] = 501;
	is(risk_fresh(&risk, oldest, &evidence), -1, "fusion: all is stale");
	for (int i = 0; i < 100; i++)
		risk_add(&risk, RISK_MEDIA, i, 0, "x", "1", "one of many");
	risk_fuse(&risk);
	ok(risk.nr == RISK_MAX_REASONS && risk.reason[0].points == 99,
	   "fusion: the strongest reasons are kept");
}

int main(void)
{
	config_defaults(&config);
	test_scale();
	test_ata();
	test_ata_first_sight();
	test_nvme();
	test_wear();
	test_scsi();
	test_sas();
	test_channels();
	test_errors();
	test_refused();
	test_fusion();
	drive_free(drive);
	return done_testing();
}
