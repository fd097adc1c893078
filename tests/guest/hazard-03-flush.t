#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 3: the record of a move is durable before the copy is. After a power cut the segment
# would live in a place that lost it in the disk's cache.
# Checked by tests/mutations/03-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

# the destination does not come to the end of a flush; the other members would take the record
gate w1 flushes
start "$a" 1
run "the destination is asked to flush" wait_for 20 held w1 flushes
sleep 1
power_cut
run "activates after a power cut" activate
run "the data is whole, wherever the segment is" same

# What was copied again after the first flush needs another one. The legs of a chunk come to
# differ between the first flush and the comparison, at which reading the source is stopped.
gate w1 flushes
start "$a" 1
run "the destination is asked to flush" wait_for 20 held w1 flushes
gate d1 errors
run "a write that misses the destination" put x "$a" 320 4
keep x
gate d1 open
gate d0 reads
gate w1 open
run "the comparison has begun" wait_for 20 held d0 reads
run "the user flushes" flush
gate w1 flushes
forget_free 1 320 64
gate d0 open
run "the destination is asked to flush again" wait_for 20 held w1 flushes
sleep 1
power_cut
run "activates after a power cut" activate
run "the data is whole, wherever the segment is" same

# a flush that failed may have lost what the disk had in its cache, and the next one says nothing
dmsetup message vol 0 throttle 1
start "$a" 1
copied() { [ "$(word 11)" -ge 65536 ]; }
run "one chunk is copied" wait_for 20 copied
gate d1 errors
fails "a flush that fails" flush
gate d1 open
dmsetup message vol 0 throttle 0
wait_for 20 idle
is "$(where "$a") $(word 9)" "0 1" "the move fails, the segment stays"
run "the data is whole" same
deactivate
done_testing
