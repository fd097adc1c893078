#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Metadata with every field damaged, and with random damage, is activated: refused or repaired,
# never with wrong data. bitflips.c says what is done and what is held against what;
# bitflips-long.t does each field in four ways and ten thousand at random.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 300
. /t/lib.sh

load_module
# of 4 KiB blocks, because a memory disk goes through its data by the block
members 3 12 4096
dm_create vol "0 24576 adshard - 3 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
out=$(bitflips -n "${FLIPS:-20}" -v "${FLIP_VALUES:-0}" -s "${FLIP_SEED:-1}" -t "${FLIP_SECONDS:-60}" vol "${MEMBERS[@]}" 2>&1)
ok $? "refused or repaired"
diag "$out"
run "unloads" unload_module
done_testing
