#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Suspends of all kinds, reloads and tables that must be refused, at every state of migrations,
# under I/O; lifecycle-suspend-long.t has ten thousand. lifecycle.c says what is done.
# How the look at the data was checked is said in torture.t.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 200
. /t/lib.sh

load_module
members 4 24 512 discard=1
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
torture vol 1000000000 3 "${SEED:-1}" >/tmp/torture.out 2>&1 &
torture=$!
out=$(lifecycle suspend vol "${SUSPENDS:-60}" "${SEED:-1}" 2>&1)
ok $? "each is answered as it should be"
diag "$out"
for step in queued fill verify; do like "$out" "parked_at.$step [1-9]" "some were parked in $step"; done
kill $torture
wait $torture
ok $? "no difference, no error, no failed move"
diag "$(cat /tmp/torture.out)"
like "$(cat /tmp/torture.out)" "moves done [1-9]" "segments moved"
table=$(dmsetup table vol)
sum=$(md5sum </dev/mapper/vol)
run "removes" dm_remove vol
run "activates" dm_create vol "$table"
is "$(md5sum </dev/mapper/vol)" "$sum" "the same data"
run "removes again" dm_remove vol
run "unloads" unload_module
done_testing
