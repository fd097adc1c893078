#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A flush that one leg has failed, and another one of the same disk, which it does not fail: neither
# ends before it is recorded that the leg is stale.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 300
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
# a member without metadata: of one that has some the record would fail as well, which is one
# more failed flush, and the second flush had to wait for that alone
REPLICAS=2 pool 9 16 18
# no other segment has an intent then, which would be taken back at any time
run "deactivated" deactivate
run "activated" activate
a=8
for ((s = 0; s < POOL_SEGMENTS; s++)); do
	[ "$(leg $s 0)" != $a ] || break
done
b=$(leg $s 1)
run "a segment of it" test -n "$b"
run "the intent is there" put a1 $s 0 8
keep a1
run "flushed" flush
run "blank blocks" forget "$a" $(($(place $s "$a") + 64)) 64
dmsetup reload "w$a" --table "0 $MEMBER_SECTORS flakey /dev/mapper/m$a 0 0 86400 1 error_writes"
run "a write in both caches" put a2 $s 32 64
keep a2
# or the kernel takes the intent back, with a record and a flush that come before
touch /tmp/busy
while [ -e /tmp/busy ]; do
	dd if=/tmp/model of=$DEV bs=4K skip=$((s * 256 + 200)) seek=$((s * 256 + 200)) count=1 oflag=direct conv=notrunc status=none
	sleep 0.2
done &
busy=$!
others=()
for m in {0..7}; do others+=("j$m"); done
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
is "$(leg $s 0)" "$b" "the other leg is read"
run "nothing is lost" same
run "whoever is asked" constant $s
run "deactivated" deactivate
done_testing
