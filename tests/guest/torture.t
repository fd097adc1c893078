#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random I/O against a model while small segments move back and forth at random.
# Checked by taking a protection away: without the drain in step TRACK, and without the wait for
# writes in flight when a chunk is held, VERIFY finds mismatches, which count as a failure here.
# timeout: 200
. /t/lib.sh

load_module
members 2 24 512 discard=1
# two that are slow, so that writes are in flight at the wrong moment; user-mode Linux with KASAN
# can't take timer interrupts that nest
if [ "$ADS_KERNEL" = um ]; then
	members 2 24 512 discard=1
else
	members 2 24 512 discard=1 irqmode=2 completion_nsec=3000000
fi
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
out=$(torture vol "${TORTURE_MOVES:-300}" 8 "${TORTURE_SEED:-1}" 60 2>&1)
ok $? "no difference, no error, no failed move" || true
diag "$out"
like "$out" "moves done [1-9]" "segments moved"
diag "$(dm_status vol)"
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
