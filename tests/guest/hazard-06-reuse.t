#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 6: the source's slot is used again too early: before the record that frees it is durable
# (a crash makes the segment live there again), or while a read of the old place is under way
# (which returns another segment's data).
# Checked by tests/mutations/06-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
while start "$(on 2)" 0 2>/dev/null; do
	wait_for 20 idle
done
a=$(on 0)
b=$(on 2)
fails "member 0 is full" start "$b" 0

gates writes j0 j1 j2
start "$a" 1
run "the record that frees a slot is on its way" wait_for 20 commit_begun
fails "the slot is not free yet" start "$b" 0
# if it was: time for the copy to be made, and flushed
sleep 2
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 0 "the segment is where it was"
run "its data is whole" same

gates writes j0 j1 j2
start "$a" 1
run "the record that frees a slot is on its way" wait_for 20 commit_begun
gate d0 reads
dd if=$DEV of=/tmp/read bs=64K count=1 skip="${a}M" iflag=direct,skip_bytes status=none &
reader=$!
run "a read of the old place is under way" wait_for 5 held d0 reads
gates open j0 j1 j2
run "the segment moves" wait_for 20 at "$a" 1
fails "the slot is not free yet" start "$b" 0
# if it was: the first chunks are written, and wait to be read back behind the read of the user
[ "$(word 7)$(word 6)" = 01 ] || wait_for 5 held d0 reads 5
gate d0 open
wait $reader
ok $? "the read ends well"
run "with the data of its segment" cmp /tmp/read <(dd if=/tmp/model bs=1M skip="$a" count=1 status=none | head -c 65536)
wait_for 20 idle
run "now the slot is free" start "$b" 0
run "and used" wait_for 20 at "$b" 0
run "all data is whole" same
deactivate
done_testing
