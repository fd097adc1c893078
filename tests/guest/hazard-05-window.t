#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 5: writes while the record of a move is on its way. Whether it arrives is not known, so
# they must be on both places: a power cut may leave either one as the owner.
# Checked by tests/mutations/05-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

gates writes j0 j1 j2
start "$a" 1
run "the record is on its way to all members" wait_for 20 commit_begun
run "a write" put x "$a" 128 4
settle
keep x
power_cut
run "a power cut before the record arrives: activates" activate
is "$(where "$a")" 0 "the segment is where it was"
run "the write is there" contents x "$a" 128

gates writes j0 j1 j2
start "$a" 1
run "the record is on its way to all members" wait_for 20 commit_begun
run "a write" put y "$a" 132 4
settle
keep y
gate j2 open
sleep 1
power_cut
run "a power cut when one member has the record: activates" activate
is "$(where "$a")" 1 "the segment is at its destination"
run "the write is there" contents y "$a" 132

gates writes j0 j1 j2
start "$a" 0
run "the record is on its way to all members" wait_for 20 commit_begun
run "a write" put z "$a" 124 12
keep z
run "reads see it" contents z "$a" 124
gates open j0 j1 j2
run "the move is made" wait_for 20 at "$a" 0
run "the write is there" contents z "$a" 124
run "all else is as it was" same
deactivate
done_testing
