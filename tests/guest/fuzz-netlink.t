#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Netlink messages that are almost right, from three threads, while the volume is written to,
# segments move, and it is suspended and resumed; beside it a pool that comes and goes. Afterwards
# nothing is lost and the pool takes orders. fuzz-netlink-long.t has a million messages.
# Checked by taking a protection away: without the check of CAP_SYS_ADMIN, messages are counted
# as wrongly accepted. How the look at the data was checked is said in torture.t.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

load_module
members 6 24 512 discard=1
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]:0:4} 4 segment_size 2048 chunk_size 128"
uuid=$(dmsetup table vol | cut -d' ' -f4)
scratch=11111111-2222-3333-4444-555555555555
make_scratch() {
	for m in "${MEMBERS[@]:4}"; do dd if=/dev/zero of="$m" bs=128K count=1 oflag=direct status=none; done
	dm_create scratch "0 32768 adshard - 2 ${MEMBERS[*]:4} 4 segment_size 2048 uuid $scratch"
}
run "a scratch pool" make_scratch

torture vol 1000000000 3 "${FUZZ_SEED:-1}" >/tmp/torture.out 2>&1 &
torture=$!
lifecycle suspend vol 0 "${FUZZ_SEED:-1}" >/tmp/lifecycle.out 2>&1 &
suspender=$!
touch /tmp/go
while [ -e /tmp/go ]; do
	sleep 1
	dm_remove scratch
	make_scratch
done >/tmp/scratch.out 2>&1 &
scratcher=$!

out=$(nlfuzz -n "${FUZZ_MESSAGES:-4000}" -t 3 -s "${FUZZ_SEED:-1}" "$uuid" 48 4 $scratch 2>&1)
ok $? "each message is answered as it should be"
diag "$out"
rm /tmp/go
wait $scratcher
is "$(cat /tmp/scratch.out)" "" "the scratch pool came and went"
kill $suspender
wait $suspender
ok $? "suspends and resumes"
diag "$(cat /tmp/lifecycle.out)"

# what was said last stays said
run "unpause" dmsetup message vol 0 resume
run "no limits" dmsetup message vol 0 throttle 0
for i in 0 1 2 3; do run "member $i is online" dmsetup message vol 0 member $i online; done
kill $torture
wait $torture
ok $? "no difference, no error, no failed move"
diag "$(cat /tmp/torture.out)"
like "$(dm_status vol)" "adshard ok 48 2048 4 4 0 0 " "the pool is well"

where() { dmsetup message vol 0 locate 0 | cut -d' ' -f1; }
to=$((($(where) + 1) % 4))
run "a move" dmsetup message vol 0 migrate 0 $to
arrived() { [ "$(where)" = $to ]; }
run "arrives" wait_for 20 arrived
table=$(dmsetup table vol)
sum=$(md5sum </dev/mapper/vol)
run "removes" dm_remove vol
run "activates" dm_create vol "$table"
is "$(md5sum </dev/mapper/vol)" "$sum" "the same data"
run "removes again" dm_remove vol
run "removes the scratch pool" dm_remove scratch
run "unloads" unload_module
done_testing
