#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A leg is to go, and while that is being recorded the other one fails a write: the one that has it
# stays.
# kernels: um
# kernels-long: 6.1 6.12 um
# long: yes
# timeout: 300
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
REPLICAS=2 pool 3 16 6
# no other segment has an intent then, which would be taken back at any time
run "deactivated" deactivate
run "activated" activate
a=$(leg 2 0) b=$(leg 2 1)
run "the intent is there" put a1 2 0 8
keep a1
run "flushed" flush
# or the kernel takes the intent back, with a record that comes before
touch /tmp/busy
while [ -e /tmp/busy ]; do
	dd if=/tmp/model of=$DEV bs=4K skip=700 seek=700 count=1 oflag=direct conv=notrunc status=none
	sleep 0.2
done &
gates writes j0 j1 j2
{
	dmsetup message vol 0 drop 2 "$b" 2>/dev/null
	echo $? >/tmp/dropped
} &
run "a leg is to go, the record is on its way" wait_for 10 commit_begun
rm /tmp/busy
sleep 0.5
gate "d$a" errors
begin_put a2 2 32 64
sleep 1
fails "a write that the other one fails waits" ended a2
gates open j0 j1 j2
run "it ends" result a2
keep a2
run "the answer is there" wait_for 10 test -s /tmp/dropped
[ "$(cat /tmp/dropped)" != 0 ]
ok $? "the leg stays"
is "$(leg 2 0)" "$b" "and is read now"
is "$(stale)" 1 "the other one is stale"
run "what is read is what was written" constant 2
gate "d$a" open
flush 2>/dev/null
power_cut
run "activated after a power cut" activate
is "$(leg 2 0) $(stale)" "$b 1" "as before"
run "nothing is lost" same
run "it is filled again" replicate 2 "$a"
run "done" wait_for 30 idle
run "and now the other one may go" drop 2 "$b"
run "with nothing lost" same
run "deactivated" deactivate
done_testing
