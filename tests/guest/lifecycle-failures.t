#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One allocation in ten fails while segments move under I/O: in the work queues, in the writers,
# everywhere; then pages; then one request in a hundred to a disk. Moves and writes may fail, but
# what can be read is right, nothing hangs, and when the failures end the pool works.
# kernels: um debug
# timeout: 400
# long: yes
# kmemleak: module
. /t/lib.sh

if [ ! -d /sys/kernel/debug/failslab ]; then
	plan "0 # SKIP a kernel that can't make anything fail"
	exit 0
fi
load_module
members 4 24
# a memory disk allocates what is written for the first time, and that is not to fail
for m in "${MEMBERS[@]}"; do dd if=/dev/zero of="$m" bs=1M oflag=direct status=none 2>/dev/null; done
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
table=$(dmsetup table vol)

# attempt TITLE KIND PERCENT [NAME...]
attempt() {
	local title=$1 out torture
	shift
	torture vol 1000000000 3 1 0 errors >/tmp/torture.out 2>&1 &
	torture=$!
	sleep 0.3
	run "$title: things fail" faultwindow "$1" "$2" "${FAULT_SECONDS:-3}" "${@:3}"
	kill $torture
	wait $torture
	ok $? "$title: what can be read is right, and all migrations end"
	diag "$(cat /tmp/torture.out)"
	like "$(dm_status vol)" "adshard (ok|degraded|readonly|stuck) 48 " "$title: the pool serves"
	run "$title: removes" dm_remove vol
	run "$title: activates" dm_create vol "$table"
	out=$(torture vol 20 3 1 60 2>&1)
	ok $? "$title: and now everything works"
	diag "$out"
}
attempt "work queues" failslab 10 kworker kthreadd
attempt "writers" failslab 10 torture
attempt "everywhere" failslab 10
attempt "pages" fail_page_alloc 10
for m in "${MEMBERS[@]}"; do echo 1 >/sys/block/"${m#/dev/}"/make-it-fail; done
attempt "disks" fail_make_request 1
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
