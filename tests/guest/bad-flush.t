#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A write over a bad range, on a disk that holds no metadata (of ten, eight do), so that no commit
# flushes it: when the range is taken out of the record, the write must be on the medium.
# Checked by tests/mutations/bad-flush.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 10 12 20
like "$(adshardctl status -r -n -o MEMBER,META)" "(^|[[:space:]])4 +none" "member 4 holds no metadata"
a=$(on 0)
at=$(($(sector "$a") + 640))
member_bad 0 $at $((at + 7))
for to in 1 4; do
	run "a move" start "$a" $to
	run "is made" wait_for 60 idle
	is "$(where "$a") $(word 8)" "$to $((to == 1 ? 1 : 2))" "to member $to"
done
is "$(badscan $DEV /tmp/model $((a * 2048)) 2048)" "unreadable $((a * 2048 + 640)) 8" "a range is bad"
run "moving wrote nothing there that a cut would undo" settle
forget 4 $(($(sector "$a") + 640)) 4
run "a write of it" put x "$a" 320 4
keep x
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 4 "the segment is there"
is "$(badscan $DEV /tmp/model $((a * 2048)) 2048)" "" "the range is good, and has what was written"
deactivate
done_testing
