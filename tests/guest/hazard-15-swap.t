#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 15, by chance instead of by design: the volume is swap, memory is short, and, where the kernel
# can do that, one allocation in ten fails, while segments move, members change and suspends come.
# kernels: 6.12
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 400
# memory: 320
# disks: virtio:a:192M virtio:b:192M virtio:c:192M
. /t/lib.sh

load_module
devs="$(disk a) $(disk b) $(disk c)"
dm_create vol "0 524288 adshard - 3 $devs 2 segment_size 8192"
word() { dm_status vol | cut -d' ' -f$((3 + $1)); }
idle() { [ "$(word 6) $(word 7)" = "0 0" ]; }
echo 60 >/proc/sys/kernel/hung_task_timeout_secs 2>/dev/null
busybox mkswap /dev/mapper/vol >/dev/null
run "the volume is swap" busybox swapon /dev/mapper/vol
free=$(mawk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
hog $((free + 64)) 30 >/tmp/hog 2>&1 &
hog=$!
fail=/sys/kernel/debug/failslab
[ -d $fail ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null
if [ -d $fail ]; then
	echo 0 >$fail/verbose
	echo -1 >$fail/times
	echo 10 >$fail/probability
fi
n=0
while kill -0 $hog 2>/dev/null; do
	for ((s = 0; s < 64; s += 5)); do
		dmsetup message vol 0 migrate $(((s + n) % 64)) $((RANDOM % 3)) 2>/dev/null
	done
	n=$((n + 1))
	sleep 0.5
	[ $((n % 4)) -ne 0 ] || { dmsetup suspend --nolockfs vol; dmsetup resume vol; }
done
wait $hog
ok $? "no page was changed" || true
diag "$(cat /tmp/hog)"
diag "swapped out: $(mawk '/^pswpout/ { print $2 }' /proc/vmstat) pages"
[ "$(mawk '/^pswpout/ { print $2 }' /proc/vmstat)" -gt 5000 ]
ok $? "memory was short"
[ ! -d $fail ] || echo 0 >$fail/probability
wait_for 30 idle
ok $? "the moves end"
diag "$(dm_status vol)"
[ "$(word 8)" -gt 10 ]
ok $? "segments have moved"
[ -d $fail ] || is "$(word 9)" 0 "no move failed"
is "$(word 13)" 0 "the legs never differed"
run "swap is taken back" busybox swapoff /dev/mapper/vol
run "removes" dm_remove vol
done_testing
