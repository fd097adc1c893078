#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk goes in the middle of its evacuation: what has moved is safe, and the evacuation says which
# segments are left.
# kernels: um
# kernels-long: 6.1 6.12 um
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 12
scan() { badscan $DEV /tmp/model $(($1 * 2048)) 2048; }
mapfile -t here < <(for ((s = 0; s < POOL_SEGMENTS; s++)); do ! at $s 0 || echo $s; done)
run "it is going to be slow" adshardctl throttle --rate 512K --source-jobs 1
{
	adshardctl evacuate 0 >/tmp/out 2>&1
	echo $? >/tmp/status
} &
some() { [ "$(word 8)" -ge 1 ]; }
run "a segment is away" wait_for 60 some
gate w0 stop
dmsetup reload w0 --table "0 $MEMBER_SECTORS error"
dmsetup resume w0
adshardctl throttle --rate 0 >/dev/null
run "the evacuation ends" wait_for 60 test -s /tmp/status
is "$(cat /tmp/status)" 8 "with a status that says so" || diag "$(cat /tmp/out)"
left=0
for s in "${here[@]}"; do
	if at "$s" 0; then
		left=$((left + 1))
		like "$(cat /tmp/out)" "segment $s stays on " "which names segment $s"
	else
		is "$(scan "$s")" "" "segment $s is safe"
	fi
done
[ $left -gt 0 ] && [ $left -lt ${#here[@]} ]
ok $? "$left are left, not all"
done_testing
