#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 4: a commit fails on some members, and the move is taken for undone. The record is on the
# others, or even on those that reported an error; after a crash it counts, and what was written
# to the source alone since then is lost.
# Checked by tests/mutations/04-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 240
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 4 16 24

# crash NAME: a write, which the disks do not lose; a power cut; whoever is the owner now has it
crash() {
	run "$1: writes go on" put x "$a" 192 4
	settle
	keep x
	power_cut
	run "$1: activates after a power cut" activate "${ORDER[@]}"
	run "$1: the last write is there" contents x "$a" 192
	run "$1: all the data is whole" same
}
ORDER=(0 1 2 3)

a=$(on 0)
gate j3 refuses
start "$a" 1
wait_for 20 idle
is "$(where "$a") $(word 1)" "1 degraded" "one member misses the record: the move is made"
crash "one of four"
is "$(where "$a")" 1 "and stays"

ORDER=(3 2 1 0)
a=$(on 0)
gates refuses j0 j2 j3
start "$a" 1
wait_for 20 idle
is "$(where "$a")" 1 "only the destination takes the record: the move is made"
crash "three of four"
is "$(where "$a")" 1 "and stays"

ORDER=(1 0 3 2)
a=$(on 0)
gate j1 lies
start "$a" 1
wait_for 20 idle
is "$(where "$a") $(word 9)" "0 1" "the destination has the record and denies it: the move is taken back"
crash "the destination lies"
is "$(where "$a")" 0 "and stays so"

ORDER=(2 3 0 1)
a=$(on 0)
gates lies j0 j1 j2 j3
start "$a" 1
stuck() { [ "$(word 1)" = stuck ]; }
run "all have the record and deny it: the pool is stuck" wait_for 20 stuck
crash "all lie"
diag "the segment is on member $(where "$a")"

ORDER=(0 1 2 3)
a=$(on 0)
gates refuses j0 j1 j2 j3
start "$a" 1
run "no member has the record: the pool is stuck" wait_for 20 stuck
crash "all fail"
is "$(where "$a")" 0 "the segment is where it was"
deactivate
done_testing
