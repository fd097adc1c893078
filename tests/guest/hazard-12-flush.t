#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 12: a flush that does not get to every disk that has something to flush, or is answered
# before, or despite an error, or before it is known which place of a segment counts.
# Checked by tests/mutations/12-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24

for i in 0 1 2; do
	s=$(on $i)
	forget $i $(($(sector "$s") + 200)) 8
	run "a write to member $i" put "p$i" "$s" 100 8
	keep "p$i"
done
run "a flush" flush
power_cut
run "activates after a power cut" activate
run "all of them are there" same
# the control: without a flush they are not, so these disks do lose what they have in their caches
forget 1 $(($(sector "$(on 1)") + 400)) 8
run "a write that is not flushed" put lost "$(on 1)" 200 8
power_cut
run "activates after a power cut" activate
fails "it is lost" contents lost "$(on 1)" 200
dd if=$DEV of=/tmp/model bs=1M iflag=direct status=none

# two flushes at a time: each waits for the disk
b=$(on 1)
run "a write" put x "$b" 300 4
gate w1 flushes
flush &
first=$!
run "a flush is on its way" wait_for 5 held w1 flushes
flush &
second=$!
sleep 1
kill -0 $second 2>/dev/null
ok $? "a second one is not answered before it"
gate w1 open
wait $first
ok $? "the first ends well"
wait $second
ok $? "the second ends well"
keep x

run "a write" put y "$b" 304 4
keep y
gate d1 errors
fails "a flush that fails on one member fails" flush
gate d1 open
run "the next one is good" flush

# while the record of a move is on its way
a=$(on 0)
gates writes j0 j1 j2
start "$a" 1
run "the record is on its way to all members" wait_for 20 commit_begun
run "a write" put z "$a" 128 4
keep z
begin_flush f
before=$(count d1)
begin_put v "$a" 132 4 dsync
run "a write with FUA gets to the destination" wait_for 5 more d1 "$before"
keep v
sleep 1
fails "a flush waits for the outcome" ended f
fails "and so does the write with FUA" ended v
gate j2 open
sleep 1
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 1 "the segment is at its destination"
run "the write is there" contents z "$a" 128
run "all data is whole" same

# a destination that owns nothing, and loses its cache while the record is on its way: the move is
# taken back, so nothing is lost, and a user's flush that met it is good
for ((s = 0; s < POOL_SEGMENTS; s++)); do
	! at $s 2 || { start $s $((s % 2)) && wait_for 20 idle; } || bail "cannot empty member 2"
done
a=$(on 0)
failed=$(word 9)
gates writes j0 j1 j2
start "$a" 2
run "the record is on its way to all members" wait_for 20 commit_begun
run "a write" put w "$a" 128 4
keep w
gate d2 errors
before=$(count d2)
begin_flush f
run "a flush has failed there" wait_for 5 more d2 "$before"
gate d2 open
gates open j0 j1 j2
run "the flush is good" result f
run "the move has failed" wait_for 20 idle
is "$(word 9) $(where "$a")" "$((failed + 1)) 0" "the segment is where it was"
run "all data is whole" same
deactivate
done_testing
