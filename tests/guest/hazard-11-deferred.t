#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 11: a write that had to wait goes where it would have gone when it came, though its segment
# has moved meanwhile. The disks take small requests only, so that each write is cut on its way down.
# Checked by tests/mutations/11-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
modprobe null_blk nr_devices=0
grep -q max_sectors <(cat /sys/kernel/config/nullb/features 2>/dev/null) || mount -t configfs config /sys/kernel/config 2>/dev/null
small=()
grep -q max_sectors $NULLB/features && small=(max_sectors=8)
diag "null_blk: ${small[*]:-no small requests}"
pool 3 16 24 "${small[@]}"
a=$(on 0)
place=$(sector "$a")
old() { dd if=/dev/mapper/m0 bs=512 skip="$place" count=2048 iflag=direct status=none | md5sum; }

gates writes j0 j1 j2
start "$a" 1
run "the record is on its way to all members" wait_for 20 commit_begun
gate d0 writes
begin_put v "$a" 256 32
run "a write has not got to the source" wait_for 5 held d0 writes
begin_put w "$a" 272 32
sleep 1
fails "one that overlaps it waits" ended w
gates open j0 j1 j2
run "the segment moves" wait_for 20 at "$a" 1
fails "the write still waits" ended w
gate d0 open
run "the first write ends well" result v
run "the second write ends well" result w
wait_for 20 idle
keep v
keep w
run "it is where the segment is" contents w "$a" 272
before=$(old)
run "another write" put u "$a" 512 64
keep u
is "$(old)" "$before" "nothing goes to the old place any more"
run "all data is whole" same
deactivate
done_testing
