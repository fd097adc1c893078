#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A flush that one leg has failed, and another one of the same disk, which it does not fail: neither
# ends before it is recorded that the leg is stale.
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
run "blank blocks" forget "$a" $(($(place 2 "$a") + 64)) 64
dmsetup reload "w$a" --table "0 $MEMBER_SECTORS flakey /dev/mapper/m$a 0 0 86400 1 error_writes"
run "a write in both caches" put a2 2 32 64
keep a2
# or the kernel takes the intent back, with a record and a flush that come before
touch /tmp/busy
while [ -e /tmp/busy ]; do
	dd if=/tmp/model of=$DEV bs=4K skip=700 seek=700 count=1 oflag=direct conv=notrunc status=none
	sleep 0.2
done &
busy=$!
others=()
for m in $(others "$a"); do others+=("j$m"); done
gates writes "${others[@]}"
rm /tmp/busy
wait $busy
dmsetup suspend --noflush --nolockfs "w$a"
dmsetup resume "w$a"
begin_flush f1
run "the record is on its way" wait_for 10 eval 'held "${others[0]}" writes && held "${others[1]}" writes'
fails "a flush that one disk has failed waits for it" ended f1
gate "w$a" open
begin_flush f2
sleep 1
fails "and so does the next, which none fails" ended f2
gates open "${others[@]}"
run "the first ends well" result f1
run "and the second" result f2
[ "$(stale)" -gt 0 ]
ok $? "the leg is stale"
power_cut
run "activated after a power cut" activate
is "$(leg 2 0)" "$b" "the other leg is read"
run "nothing is lost" same
run "whoever is asked" constant 2
run "deactivated" deactivate
done_testing
