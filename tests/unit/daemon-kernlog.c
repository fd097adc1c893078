// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel's log says of disks, how busy the host is, where a disk hangs. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "daemon/collect/host.h"
#include "daemon/collect/kernlog.h"
#include "daemon/collect/topology.h"
#include "daemon/history/drive.h"

static const char *const kinds[] = {
	[KERNLOG_RESET] = "reset", [KERNLOG_TIMEOUT] = "timeout",
	[KERNLOG_MEDIUM] = "medium", [KERNLOG_ERROR] = "error",
};

/* "reset ata3", or "nothing" */
static const char *parse(const char *text)
{
	static char buf[64];
	struct kernlog_line l;
	char record[600];

	snprintf(record, sizeof(record), "3,1234,5678,-;%s\n SUBSYSTEM=x\n", text);
	if (!kernlog_parse(record, &l))
		return "nothing";
	snprintf(buf, sizeof(buf), "%s %s", kinds[l.kind], l.name);
	return buf;
}

static void test_lines(void)
{
	static const char *const lines[][2] = {
		{ "ata3: hard resetting link", "reset ata3" },
		{ "ata12: SATA link down (SStatus 0 SControl 300)", "reset ata12" },
		{ "ata3.00: failed command: READ FPDMA QUEUED", "timeout ata3" },
		{ "ata3: SATA link up 6.0 Gbps (SStatus 133 SControl 300)", "nothing" },
		{ "ata3.00: configured for UDMA/133", "nothing" },
		{ "nvme nvme0: I/O 12 (Read) QID 1 timeout, aborting", "timeout nvme0" },
		{ "nvme nvme1: I/O 3 QID 0 timeout, reset controller", "reset nvme1" },
		{ "nvme nvme0: controller is down; will reset: CSTS=0xffffffff", "reset nvme0" },
		{ "nvme nvme0: 4/0/0 default/read/poll queues", "nothing" },
		{ "sd 2:0:0:0: [sdb] Power-on or device reset occurred", "nothing" },
		{ "sd 2:0:0:0: [sdb] tag#3 timing out command, waited 180s", "timeout sdb" },
		{ "sd 2:0:0:0: Power-on or device reset occurred", "nothing" },
		{ "I/O error, dev sdb, sector 128 op 0x0:(READ) flags 0x0", "error sdb" },
		{ "blk_update_request: critical medium error, dev sdc, sector 8", "medium sdc" },
		{ "critical target error, dev nvme0n1, sector 0", "error nvme0n1" },
		{ "EXT4-fs error (device sdb1): ext4_lookup:1234", "nothing" },
		{ "usb 1-1: reset high-speed USB device", "nothing" },
		{ "a ata3: hard resetting link", "nothing" },
		{ " error, dev ", "nothing" },
		{ "I/O error, dev aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, x", "nothing" },
		{ "", "nothing" },
	};
	struct kernlog_line l;

	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		/* the kernel names the disk in brackets */
		const char *want = i == 9 ? "reset sdb" : lines[i][1];

		ok(!strcmp(parse(lines[i][0]), want), "%s: %s", lines[i][0],
		   want) ? (void)0 : (void)printf("# %s\n", parse(lines[i][0]));
	}
	ok(!kernlog_parse("no semicolon", &l), "no record");
	ok(!kernlog_parse(" SUBSYSTEM=block", &l), "a continuation");
}

static bool is_of(const char *name, const char *disk, const char *port)
{
	struct kernlog_line l = { .kind = KERNLOG_RESET };

	snprintf(l.name, sizeof(l.name), "%s", name);
	return kernlog_is_of(&l, disk, port);
}

static void test_names(void)
{
	ok(is_of("sdb", "sdb", "ata3") && is_of("ata3", "sdb", "ata3"),
	   "a disk, and its port");
	ok(!is_of("sdb", "sdbb", "") && !is_of("ata3", "sdb", "ata33") &&
	   !is_of("", "sdb", "") && !is_of("sd", "sdb", ""),
	   "and not those that begin alike");
	ok(is_of("nvme0", "nvme0n1", "") && is_of("nvme0n1", "nvme0n1", "") &&
	   !is_of("nvme1", "nvme10n1", "") && is_of("nvme10", "nvme10n1", ""),
	   "a controller and its namespaces");
}

static void test_host(void)
{
	struct host h = { 0 };
	double some, full;

	ok(host_parse_pressure("some avg10=1.00 avg60=50.00 avg300=2 total=3\n"
			       "full avg10=0.50 avg60=25.00 avg300=2 total=3\n",
			       &some, &full) && some == 0.5 && full == 0.25,
	   "pressure");
	ok(host_parse_pressure("some avg10=1.00 avg60=2.00 avg300=2 total=3\n",
			       &some, &full) && full == 0, "without \"full\"");
	ok(!host_parse_pressure("", &some, &full) &&
	   !host_parse_pressure("some avg10=x", &some, &full), "nonsense");
	ok(host_parse_stat("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1\n", &h) &&
	   !h.known, "one look gives no share");
	ok(host_parse_stat("cpu  200 0 150 1400 150 0 0 100 0 0\n", &h) &&
	   h.known && fabs(h.busy - 0.25) < 1e-9 &&
	   fabs(h.steal - 0.1) < 1e-9 && fabs(h.iowait - 0.05) < 1e-9, "two do");
	ok(host_parse_stat("cpu  1 0 1 1 1 0 0 1 0 0\n", &h) && !h.known,
	   "ticks that went back give none");
	ok(!host_parse_stat("cpu 1 2", &h), "too short");
	ok(host_parse_memory("MemTotal: 1000 kB\nMemFree: 1 kB\n"
			     "MemAvailable: 250 kB\n") == 0.25 &&
	   host_parse_memory("") < 0, "memory");
	h = (struct host){ .pressure = true, .some = { [HOST_IO] = 0.9 } };
	ok(!host_is_starved(&h, 0.4), "who waits for disks is not starved");
	h.some[HOST_CPU] = 0.9;
	ok(host_is_starved(&h, 0.4), "who waits for processors is");
	ok(!host_is_starved(&h, 1), "unless it does not matter");
}

static void test_topology(void)
{
	char dir[] = "/tmp/daemon-kernlog.XXXXXX", command[1024], buf[64];

	if (!mkdtemp(dir))
		abort();
	snprintf(command, sizeof(command),
		 "cd %s && a=devices/pci0000:00/0000:00:1c.0/0000:03:00.0 &&"
		 " mkdir -p block $a/ata3/host2/target2:0:0/2:0:0:0/block/sdb"
		 " devices/virtual/block/ram0 && ln -s"
		 " ../$a/ata3/host2/target2:0:0/2:0:0:0/block/sdb block/sdb &&"
		 " ln -s ../devices/virtual/block/ram0 block/ram0", dir);
	if (system(command))
		abort();
	setenv("ADSHARD_SYSFS", dir, 1);
	ok(!strcmp(topology_controller("sdb", buf, sizeof(buf)), "0000:03:00.0"),
	   "the controller, not the bridge");
	ok(!strcmp(topology_port("sdb", buf, sizeof(buf)), "ata3"), "the port");
	ok(!topology_controller("ram0", buf, sizeof(buf))[0] &&
	   !topology_port("ram0", buf, sizeof(buf))[0], "a virtual disk has none");
	ok(!topology_controller("sdz", buf, sizeof(buf))[0], "nor has none");
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		abort();
}

/* They are counted by the agent, and go on after a restart. */
static void test_counting(void)
{
	struct drive *d = drive_new("M", "1", SMART_ATA);
	struct drive_change changes[TRACK_NR];
	struct smart_sample s = {
		.protocol = SMART_ATA, .health = true, .used = SMART_NONE,
		.spare = SMART_NONE, .power_on = SMART_NONE,
		.grown_defects = SMART_NONE, .uncorrected_read = SMART_NONE,
		.uncorrected_write = SMART_NONE, .time = 1000,
	};
	bool reset;

	is(drive_add(d, &s, changes, &reset), 0, "nobody counts");
	drive_load(d, TRACK_LINK_RESETS, 500, 7);
	d->counting = true;
	drive_count(d, TRACK_LINK_RESETS);
	s.time = 2000;
	drive_add(d, &s, changes, &reset);
	is((int)d->series[TRACK_LINK_RESETS].value, 8, "on from where it was");
	is((int)series_grown(&d->series[TRACK_LINK_RESETS], 2000, 1000), 1,
	   "one more");
	drive_free(d);
}

int main(void)
{
	test_lines();
	test_names();
	test_host();
	test_topology();
	test_counting();
	return done_testing();
}
