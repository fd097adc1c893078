#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Swap on a volume whose segments move: more memory is used than there is, and each page must come
# back as it was. Nothing may wait for itself: a hang ends the test by its time limit.
# kernels: 6.1 6.12
# timeout: 900
# memory: 512
# long: yes
# disks: virtio:a:192M virtio:b:192M virtio:c:192M virtio:d:192M
. /t/lib.sh

load_module
for name in a b c d; do MEMBERS+=("$(disk $name)"); done
run "creates" dm_create vol "0 786432 adshard - 4 ${MEMBERS[*]} 4 segment_size 8192 chunk_size 256"
run "makes it swap space" mkswap /dev/mapper/vol
run "swaps to it" swapon /dev/mapper/vol
# the processor is for the swapping: some moves at any time, and each for some seconds
run "copies slowly" dmsetup message vol 0 throttle 2000000
# a hundred MiB more than there are, and more than the root's files can make room for: those are in
# memory, and go to the swap first
free=$(awk '/^(MemAvailable|Shmem):/ {sum += $2} END {print int(sum / 1024)}' /proc/meminfo)
memhog $((free + 100)) "${HOG_SECONDS:-30}" 1 >/tmp/memhog.out 2>&1 &
hog=$!
while kill -0 $hog 2>/dev/null; do
	lifecycle move vol $RANDOM >/dev/null 2>&1
	sleep 0.5
done
wait $hog
ok $? "every page is what was written to it"
diag "$(cat /tmp/memhog.out)"
for way in pswpout pswpin; do
	pages=$(awk -v way=$way '$1 == way {print $2}' /proc/vmstat)
	[ "$pages" -gt 10000 ]
	ok $? "it was swapped: $way $pages"
done
is "$(awk '/^oom_kill/ {print $2}' /proc/vmstat)" 0 "nobody was killed"
like "$(dm_status vol)" "adshard ok 96 8192 4 4 [0-9]+ [0-9]+ [1-9][0-9]* 0 " "segments moved meanwhile, and none failed to"
diag "$(dm_status vol)"
run "swaps back" swapoff /dev/mapper/vol
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
