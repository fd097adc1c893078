#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# One allocation in ten fails while segments move under I/O: in the work queues, in the writers,
# everywhere; then one page in a hundred, of which a move needs more than fifty; then one request
# in a hundred to a disk. Moves and writes may fail, but what can be read is right, nothing hangs,
# each move ends, those that fail say why, and when the failures end the pool works. At the end
# nothing has leaked.
# kernels: um debug
# timeout: 600
# long: yes
# kmemleak: module
# append: log_buf_len=8M
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

ended() { dm_status vol | mawk '{ print $11 + $12 + $13 }'; }
failed() { dm_status vol | cut -d' ' -f12; }
# attempt TITLE KIND PERCENT SECONDS [NAME...]
attempt() {
	local title=$1 seconds=${FAULT_SECONDS:-$4} out torture before
	shift
	klog_mark
	torture vol 1000000000 3 1 0 errors >/tmp/torture.out 2>&1 &
	torture=$!
	sleep 0.3
	before=$(ended)
	out=$(faultwindow "$1" "$2" "$seconds" "${@:4}" 2>&1)
	ok $? "$title: things fail"
	diag "$out"
	kill -0 $torture
	ok $? "$title: the writers hold out"
	out=$(($(ended) - before))
	[ $out -gt 10 ]
	ok $? "$title: meanwhile $out moves end"
	kill $torture
	wait $torture
	ok $? "$title: what can be read is right, and all migrations end"
	diag "$(cat /tmp/torture.out)"
	is "$(klog | grep -c 'migration failed: [a-z]')" "$(failed)" "$title: each that has failed says why"
	diag "$(klog | sed -n 's/.*migration failed: //p' | sort | uniq -c)"
	like "$(dm_status vol)" "adshard (ok|degraded|readonly|stuck) 48 " "$title: the pool serves"
	run "$title: removes" dm_remove vol
	run "$title: activates" dm_create vol "$table"
	out=$(torture vol 20 3 1 60 2>&1)
	ok $? "$title: and now everything works"
	diag "$out"
}
attempt "work queues" failslab 10 5 kworker kthreadd
attempt "writers" failslab 10 5 torture
attempt "everywhere" failslab 10 15
attempt "pages" fail_page_alloc 1 5
for m in "${MEMBERS[@]}"; do echo 1 >/sys/block/"${m#/dev/}"/make-it-fail; done
attempt "disks" fail_make_request 1 3
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
