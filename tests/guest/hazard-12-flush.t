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
before=$(count d1)
# (dsync: is followed by a flush)
begin_put z "$a" 128 4 dsync
run "a write gets to the destination" wait_for 5 more d1 "$before"
keep z
sleep 1
fails "the flush after it waits for the outcome" ended z
gate j2 open
sleep 1
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 1 "the segment is at its destination"
run "the write is there" contents z "$a" 128
run "all data is whole" same
deactivate
done_testing
