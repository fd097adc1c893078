#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 7: a write that missed one place is acknowledged, and after a crash that place counts.
# While the record of a move is on its way, a write that fails on the destination has to wait: for
# the outcome, and if the move is taken back, for the record that says so.
# Checked by tests/mutations/07-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

# missed NAME KIB: a write that misses the destination while the record is on its way
missed() {
	local before
	gates writes j0 j1 j2
	start "$a" 1
	run "the record is on its way to all members" wait_for 20 commit_begun
	gate d1 errors
	before=$(count d1)
	begin_put "$1" "$a" "$2" 4
	run "a write fails on the destination" wait_for 5 more d1 "$before"
	gate d1 open
	sleep 1
	fails "it is not acknowledged" ended "$1"
}

klog_mark
missed x 128
gates open j0 j1 j2
run "when the outcome is known it ends well" result x
keep x
wait_for 20 idle
is "$(where "$a") $(word 9)" "0 1" "the move was taken back"
like "$(klog)" "the destination failed during the commit" "and says so"
run "it is flushed" flush
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 0 "the segment is where it was"
run "the write is there" contents x "$a" 128
run "all else is as it was" same

missed y 256
# the record goes, the one that takes it back does not
gates writes j0 j1 j2
run "the record that takes it back is on its way" wait_for 20 held j0 writes
sleep 1
fails "the write is not acknowledged" ended y
power_cut
run "activates after a power cut" activate
diag "the segment is on member $(where "$a")"
contents y "$a" 256 2>/dev/null >&2 && keep y
run "the write is there, or is not; all else is as it was" same
deactivate
done_testing
