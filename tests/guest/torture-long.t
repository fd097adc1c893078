#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Ten thousand moves under random I/O.
# kernels: 6.1 6.12
# timeout: 1500
# long: yes
# not-on: debug,kcsan hours; torture.t is the same for a minute
. /t/lib.sh

load_module
members 4 24 512 discard=1
for seed in 1 2 3 4 5; do
	dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
	out=$(torture vol 2000 8 $seed 2>&1)
	ok $? "seed $seed: no difference, no error, no failed move"
	diag "$out"
	dm_remove vol
	for m in "${MEMBERS[@]}"; do dd if=/dev/zero of="$m" bs=64K count=1 oflag=direct status=none; done
done
done_testing
