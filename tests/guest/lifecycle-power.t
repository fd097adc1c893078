#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A memory disk loses its power in the middle of a migration, under I/O: the source, the
# destination, both. What can still be read is right, nothing hangs, the volume can be removed,
# and with the disks back it is activated and works. lifecycle-unplug.t does it to NVMe disks.
# kernels: 6.1 6.12 um
# timeout: 400
# long: yes
# files: tests/guest/lifecycle-lib.sh
. /t/lib.sh
. /t/lifecycle-lib.sh

load_module
members 4 24
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
table=$(dmsetup table vol)
# set by amid_migration
victims=
for victim in source destination both; do
	amid_migration $victim member_cut
	run "$victim: removes" dm_remove vol
	for i in $victims; do member_power $i; done
	run "$victim: activates with the disks back" dm_create vol "$table"
	dd if=/dev/mapper/vol of=/dev/null bs=1M iflag=direct status=none
	ok $? "$victim: all of it can be read"
	out=$(torture vol 20 3 1 60 2>&1)
	ok $? "$victim: and now everything works"
	diag "$out"
	like "$(dm_status vol)" "adshard ok 48 " "$victim: the pool is well"
done
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
