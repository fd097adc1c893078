#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Power cuts of disks with a volatile cache, while segments have several legs that come, go and miss
# writes: a small share of "tests/crash/cuts -r 2", without its negative controls.
# kernels: um
# long: yes
# timeout: 900
# module: tests/crash/disk
. /t/lib.sh

load_module
insmod /t/dm-volatile.ko
crash-cut -s 5 -r 2 -n 8 -w 500 -t 300 many >/tmp/out
status=$?
diag "$(cat /tmp/out)"
figure() { mawk -v name="cuts.$1" '$1 == name { print $2 }' /tmp/out; }
is $status 0 "nothing is lost, and legs are equal when nothing is in doubt"
is "$(figure trials)" 8 "all cuts were made"
run "some left something in doubt" [ "$(figure activations_in_doubt)" -gt 0 ]
run "legs were compared" [ "$(figure segments_compared)" -gt 0 ]
# of a life that was not ended well
dmsetup remove --retry cutvol 2>/dev/null
for disk in cut0 cut1 cut2 cut3; do dmsetup remove --retry $disk 2>/dev/null; done
done_testing
