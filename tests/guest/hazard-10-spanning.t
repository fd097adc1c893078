#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 10: discards and zeroes arrive whole, over many segments, and are easily forgotten as
# writes. One that went to the first segment's disk would hit another one's data there; one that
# missed a place of a segment on its way would come undone at the switch.
# Checked by tests/mutations/10-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 600
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
# loop devices on a file system in memory can do both, and what they discard reads as zeroes
modprobe loop
mkdir -p /tmp/disks && mount -t tmpfs none /tmp/disks
for i in 0 1 2; do
	truncate -s 16M /tmp/disks/$i
	MEMBERS+=("$(losetup --find --show /tmp/disks/$i)") || bail "no loop device"
done
pool 3 16 24
[ "$(cat /sys/block/dm-"$(dmsetup info -c --noheadings -o minor vol | tr -d ' ')"/queue/write_zeroes_max_bytes)" -gt 1048576 ]
ok $? "the volume takes zeroes"
model_zero() { dd if=/dev/zero of=/tmp/model bs=1K seek="$1" count="$2" conv=notrunc status=none; }

fallocate -p -o 1540K -l 5388K $DEV
ok $? "zeroes over six segments"
model_zero 1540 5388
run "they are there, and nowhere else" same
run "a discard over five segments" blkdiscard -o $((9 * 1048576 + 4096)) -l $((4 * 1048576 - 12288)) $DEV
model_zero $((9 * 1024 + 4)) $((4096 - 12))
run "it is there, and nowhere else" same

# reads and writes come whole, too
run "a write over four segments" put span 2 900 2300
keep span
run "it is there, and nowhere else" same
run "a read over four segments" contents span 2 900

# in the middle of the copy: chunks are read, and wait to be written
a=16
from=$(where $a) to=$((($(where $a) + 1) % 3))
gate d$to stop
start $a $to
sleep 1
fallocate -p -o $((a * 1024 - 100))K -l 600K $DEV &
pid=$!
sleep 1
gate d$to open
wait $pid
ok $? "zeroes during the copy"
model_zero $((a * 1024 - 100)) 600
run "the segment moves" wait_for 20 at $a $to
wait_for 20 idle
run "they are on its new place" same
is "$(word 13)" 0 "the legs never differed"

# when all chunks are copied: the flush of the destination is stopped
a=20
from=$(where $a) to=$((($(where $a) + 1) % 3))
gate j$to stop
before=$(word 11)
start $a $to
copied() { [ "$(word 11)" -ge $((before + 1048576)) ]; }
run "the chunks are copied" wait_for 20 copied
before=$(count d$to)
# (it ends with a flush)
fallocate -p -o $((a * 1024 + 100))K -l 700K $DEV &
pid=$!
run "zeroes get to the destination, too" wait_for 5 more d$to "$before"
model_zero $((a * 1024 + 100)) 700
run "a discard" blkdiscard -o $((a * 1048576 + 950272)) -l 16384 $DEV
model_zero $((a * 1024 + 928)) 16
gate j$to open
wait $pid
ok $? "all ends well"
run "the segment moves" wait_for 20 at $a $to
wait_for 20 idle
run "they are on its new place" same
is "$(word 13)" 0 "the legs never differed"
deactivate
for part in w m j d; do dmsetup remove ${part}0 ${part}1 ${part}2; done
losetup -D
umount /tmp/disks
done_testing
