#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Table lines and messages that are almost right: each refusal has its reason, and no block of any
# disk changes: neither of an active pool, nor of one that is not, nor of blank or foreign ones.
# fuzz-dm-long.t has tens of thousands. Checked by leaving one reason out of the
# module, which is noticed.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

load_module
members 6 12
members 1 1
dm_create vol "0 24576 adshard - 3 ${MEMBERS[*]:0:3} 4 segment_size 2048 chunk_size 128"
active=$(dmsetup table vol | cut -d' ' -f4)
dm_create other "0 8192 adshard - 1 ${MEMBERS[3]} 2 segment_size 2048"
inactive=$(dmsetup table other | cut -d' ' -f4)
dm_remove other
dd if=/dev/urandom of="${MEMBERS[4]}" bs=64K count=4 oflag=direct status=none
dd if=/dev/urandom of=/dev/mapper/vol bs=1M oflag=direct status=none 2>/dev/null
run "pauses" dmsetup message vol 0 pause
sums() { for m in "${MEMBERS[@]}"; do md5sum <"$m"; done; }
before=$(sums)
# the blank one twice, so that there is something to be accepted
out=$(dmfuzz -l "${LINES:-600}" -m "${MESSAGES:-1000}" -s "${SEED:-1}" vol "$active" "$inactive" "$inactive" \
	"${MEMBERS[@]}" "${MEMBERS[3]}" "${MEMBERS[3]}" "${MEMBERS[5]}" "${MEMBERS[5]}" 2>&1)
ok $? "each refusal has a reason, and what is wrong is refused"
diag "$out"
is "$(sums)" "$before" "nothing has changed on any disk"
run "aborts" dmsetup message vol 0 abort all
run "no limit" dmsetup message vol 0 throttle 0
run "unpauses" dmsetup message vol 0 resume
to=$((($(dmsetup message vol 0 locate 0 | cut -d' ' -f1) + 1) % 3))
arrived() { [ "$(dmsetup message vol 0 locate 0 | cut -d' ' -f1)" = $to ]; }
run "a move" dmsetup message vol 0 migrate 0 $to
run "arrives" wait_for 20 arrived
run "removes" dm_remove vol
run "the other pool activates" dm_create other "0 8192 adshard $inactive 1 ${MEMBERS[3]}"
run "and goes" dm_remove other
run "unloads" unload_module
done_testing
