#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 14: a write reaches the two places of a segment in two versions: because one that overlaps
# it overtakes it on one of them, or because its buffer changes on the way. The first must not
# happen; the second is found by comparing, and then copied, not failed.
# Checked by tests/mutations/14-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

# The legs are equal, and the comparison has not begun: the flush before it is stopped.
legs_equal() {
	gate w1 flushes
	start "$a" 1
	run "all chunks are copied" wait_for 20 held w1 flushes
}
fill() { tr '\0' "$1" </dev/zero | head -c 65536; }
read_it() { dd if=$DEV bs=64K count=1 skip=$((a * 1024 + 512))K iflag=direct,skip_bytes status=none; }

# the buffer changes after it was written to the source, and before it is written to the destination
legs_equal
gate d1 writes
rm -f /tmp/go*
scribble $DEV $((a * 1048576 + 524288)) 65536 /tmp/go &
pid=$!
run "a write is on the source, and on its way to the destination" wait_for 5 held d1 writes
source_has_it() { cmp <(fill A) <(dd if=/dev/mapper/m0 bs=512 skip=$(($(sector "$a") + 1024)) count=128 iflag=direct status=none); }
run "the source has its first version" wait_for 5 source_has_it
touch /tmp/go
run "the buffer changes" wait_for 5 test -e /tmp/go.done
gate d1 open
wait $pid
ok $? "the write ends well"
read_it >/tmp/before
gate w1 open
run "the move is made all the same" wait_for 20 at "$a" 1
wait_for 20 idle
is "$(word 8) $(word 9)" "1 0" "and did not fail"
is "$(word 13)" 1 "the difference was found"
read_it >/tmp/after
run "reads give what they gave before" cmp /tmp/before /tmp/after
run "which is one of the versions" cmp /tmp/after <(fill A)
dd if=/tmp/after of=/tmp/model bs=1K seek=$((a * 1024 + 512)) conv=notrunc status=none
run "all else is as it was" same

# two writes that overlap, the first is stopped on its way to the source
a=$(on 0)
legs_equal
place=$(sector "$a")
gate d0 writes
begin_put v "$a" 256 8
run "a write has not got to the source" wait_for 5 held d0 writes
before=$(count d1)
begin_put w "$a" 260 8
sleep 2
is "$(count d1)" "$before" "one that overlaps it goes nowhere"
fails "and waits" ended w
begin_put u "$a" 284 8
gate d0 open
for name in v w u; do
	run "write $name ends well" result $name
	keep $name
done
gate w1 open
run "the segment moves" wait_for 20 at "$a" 1
wait_for 20 idle
is "$(word 13)" 1 "without any other difference"
run "the last write won on both" same
deactivate
done_testing
