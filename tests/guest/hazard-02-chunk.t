#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 2: a write during the copy of its chunk. The copy that was read before would go over it on
# the destination, or the write would go to the source only, behind the copy's back.
# Checked by tests/mutations/02-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24

# a write to a chunk that was read, and is not written yet
a=$(on 0)
gate d1 writes
start "$a" 1
run "the first chunks are on their way to the destination" wait_for 20 held d1 writes 4
begin_put w "$a" 0 4
sleep 1
fails "a write to one of them waits" ended w
gate d1 open
run "and ends well when the chunk is copied" result w
keep w
run "the segment moves" wait_for 20 at "$a" 1
run "the write is where the segment is" contents w "$a" 0
is "$(word 13)" 0 "the legs never differed"

# a write in flight when its chunk's turn comes
b=$(on 0)
before=$(word 11)
dmsetup message vol 0 throttle 1
start "$b" 1
one_copied() { [ "$(word 11)" -ge $((before + 65536)) ]; }
run "one chunk is copied, the others wait for the limit" wait_for 20 one_copied
gate d0 writes
begin_put v "$b" 512 4
run "a write to another one is on its way to the source" wait_for 5 held d0 writes
dmsetup message vol 0 throttle 0
sleep 2
is "$(word 11)" $((before + 15 * 65536)) "all chunks are copied but this one"
gate d0 open
run "the write ends well" result v
keep v
run "the segment moves" wait_for 20 at "$b" 1
wait_for 20 idle
run "the write is where the segment is" contents v "$b" 512
is "$(word 13)" 0 "the legs never differed"
run "all else is as it was" same
deactivate
done_testing
