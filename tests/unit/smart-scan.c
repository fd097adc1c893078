// SPDX-License-Identifier: GPL-2.0-or-later
/* Disks behind RAID controllers: how they are said, found and recognised. */
#include <stdlib.h>

#include "daemon.h"
#include "daemon/collect/smart-scan.h"

static struct smart_target t;

static bool find(const char *devices, const char *disk)
{
	memset(&t, 0, sizeof(t));
	return smart_devices_find(devices, disk, &t);
}

static bool is_target(const char *device, const char *type)
{
	return !strcmp(t.device, device) && !strcmp(t.type, type);
}

static void test_said(void)
{
	static const char all[] =
		"auto sdb=megaraid,3@/dev/bus/0  /dev/sdc=sat\tsdd=areca,1/2@/dev/sg3";
	static const char *const wrong[] = {
		"sdb", "=sat", "sdb=", "sdb=@/dev/x", "sdb=sat@dev/x",
		"sdb=-x", "/dev/=sat", "auto sdb",
	};
	char bad[80];

	ok(find(all, "/dev/sdb") && is_target("/dev/bus/0", "megaraid,3"),
	   "behind a controller");
	ok(find(all, "/dev/sdc") && is_target("/dev/sdc", "sat"),
	   "with a type of its own");
	ok(find(all, "/dev/sdd") && is_target("/dev/sg3", "areca,1/2"), "a third");
	ok(!find(all, "/dev/sd") && !find(all, "/dev/sde") && !find("", "/dev/sdb"),
	   "and no other");
	ok(smart_devices_auto(all) && !smart_devices_auto("none") &&
	   !smart_devices_auto("sdb=auto"), "whether to look for more");
	ok(smart_devices_check(all, bad, sizeof(bad)) &&
	   smart_devices_check("none", bad, sizeof(bad)), "all of it makes sense");
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(!smart_devices_check(wrong[i], bad, sizeof(bad)),
		   "refused: %s", wrong[i]);
	has(bad, "sdb", "and named");
}

static size_t scan(const char *json, struct smart_target *out, size_t max)
{
	return smart_scan_parse(json, strlen(json), out, max);
}

static void test_found(void)
{
	static const char json[] =
		"{\"smartctl\":{},\"devices\":["
		"{\"name\":\"/dev/sda\",\"type\":\"scsi\",\"protocol\":\"SCSI\"},"
		"{\"name\":\"/dev/bus/0\",\"type\":\"megaraid,0\"},"
		"{\"name\":\"/dev/bus/0\",\"type\":\"sat+megaraid,1\"},"
		"{\"name\":\"-x\",\"type\":\"megaraid,1\"},"
		"{\"name\":\"/dev/y\",\"type\":\"-d,1\"},"
		"{\"name\":\"/dev/nvme0\",\"type\":\"nvme\"},7,null,{}]}";
	struct smart_target list[4];

	is((int)scan(json, list, 4), 2, "two are behind a controller");
	t = list[1];
	ok(is_target("/dev/bus/0", "sat+megaraid,1"), "the second of them");
	is((int)scan(json, list, 1), 1, "no more than there is room for");
	is((int)scan("", list, 4) + (int)scan("[]", list, 4) +
	   (int)scan("{\"devices\":{}}", list, 4) +
	   (int)scan("{\"devices\":[", list, 4), 0, "nonsense has none");
}

static bool identity(const char *json, struct smart_found *f)
{
	return smart_scan_identity(json, strlen(json), f);
}

static void test_recognised(void)
{
	struct smart_found f;

	ok(identity("{\"serial_number\":\"Z1\",\"wwn\":{\"naa\":5,"
		    "\"oui\":3152,\"id\":10577720276}}", &f),
	   "an ATA disk says who it is");
	ok(!strcmp(f.wwn, "naa.5000c502767b33d4"), "with its WWN: %s", f.wwn);
	ok(smart_scan_matches(&f, "Z1", "") && smart_scan_matches(&f, "", f.wwn),
	   "by either it is found");
	ok(!smart_scan_matches(&f, "", "") && !smart_scan_matches(&f, "Z", "naa.5"),
	   "and by nothing else");
	ok(identity("{\"logical_unit_id\":\"0x5000C500A1B2C3D4\"}", &f) &&
	   smart_scan_matches(&f, "", "naa.5000c500a1b2c3d4"), "a SAS disk");
	ok(!identity("{\"smartctl\":{}}", &f) && !identity("x", &f) &&
	   !smart_scan_matches(&f, "", ""), "one that says nothing is nobody's");
}

int main(void)
{
	test_said();
	test_found();
	test_recognised();
	return done_testing();
}
