#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 9: two opinions about where a segment is. A table that is loaded while segments move and
# resumed later must not bring the map of the time when it was loaded; and nobody else may use the
# members meanwhile.
# Checked by tests/mutations/09-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
table=$(dmsetup table vol)
other() { dmsetup create other --table "$1"; }
fails "the members are not lent to a second device" other "$table"
fails "not to a new pool either" other "0 2048 adshard - 1 /dev/mapper/w1 2 segment_size 2048"
dmsetup remove other >/dev/null 2>&1

# loaded before the move has ended, resumed afterwards
a=$(on 0)
copied() { [ "$(word 11)" -gt "$1" ]; }
dmsetup message vol 0 throttle 1
start "$a" 1
run "a segment is on its way" wait_for 20 copied 0
run "a table is loaded" dmsetup reload vol --table "$table"
run "a write" put x "$a" 512 4
keep x
dmsetup message vol 0 throttle 0
run "the segment moves" wait_for 20 at "$a" 1
wait_for 20 idle
run "a write to its new place" put y "$a" 520 4
keep y
run "the table is resumed" dmsetup resume vol
is "$(where "$a")" 1 "it knows where the segment is"
run "the write is there" contents y "$a" 520
run "all data is whole" same

# loaded and resumed in the middle
b=$(on 0)
before=$(word 11)
dmsetup message vol 0 throttle 1
start "$b" 2
run "a segment is on its way" wait_for 20 copied "$before"
run "a table is loaded" dmsetup reload vol --table "$table"
dmsetup suspend vol
begin_put z "$b" 800 4
sleep 1
run "and resumed" dmsetup resume vol
run "a write from between ends well" result z
keep z
is "$(word 6)" 1 "the segment is still on its way"
dmsetup message vol 0 throttle 0
run "and arrives" wait_for 20 at "$b" 2
wait_for 20 idle
run "all data is whole" same
run "removes" deactivate
run "activates" activate
is "$(where "$a") $(where "$b")" "1 2" "the segments are where they were"
run "all data is whole" same
deactivate
done_testing
