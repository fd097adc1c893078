#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Suspend, resume and reload at every moment of a migration, under I/O.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 150
. /t/lib.sh

load_module
members 4 24 512 discard=1
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
table=$(dmsetup table vol)
torture vol 1000000 4 7 >/tmp/torture.out 2>&1 &
torture=$!
# a suspend waits for the chunks in work: on a slow kernel for longer than between two of them
n=0 end=$((SECONDS + 25))
while kill -0 $torture 2>/dev/null; do
	[ $SECONDS -lt $end ] || [ $n -le 10 ] || kill $torture
	case $((RANDOM % 4)) in
	0) dmsetup suspend vol && dmsetup resume vol ;;
	1) dmsetup suspend --noflush vol && dmsetup resume vol ;;
	2) dmsetup suspend --nolockfs vol && dmsetup resume vol ;;
	3) dmsetup reload vol --table "$table" && dmsetup resume vol ;;
	esac || break
	n=$((n + 1))
	sleep "0.0$((RANDOM % 10))"
done
kill -0 $torture 2>/dev/null && dmsetup resume vol
wait $torture
ok $? "no difference, no error, no failed move ($n suspends)"
diag "$(cat /tmp/torture.out)"
[ $n -gt 10 ]
ok $? "suspended often enough"

# removed in the middle: the segments are whole on their sources
dd if=/dev/urandom of=/tmp/data bs=1M count=48 status=none
dd if=/tmp/data of=/dev/mapper/vol bs=1M oflag=direct status=none
for s in $(seq 0 47); do
	to=$((($(dmsetup message vol 0 locate "$s" | cut -d' ' -f1) + 1) % 4))
	dmsetup message vol 0 migrate "$s" $to 2>/dev/null
done
run "removes amid migrations" dm_remove vol
run "activates" dm_create vol "$table"
cmp /tmp/data <(dd if=/dev/mapper/vol bs=1M iflag=direct status=none)
ok $? "the data is whole"
like "$(dm_status vol)" " 0 0 0 0 0 0 0 0 [0-9]+ [0-9]+ [0-9]+ 0 0 0 0 0 0$" "nothing is in progress"
dm_remove vol
done_testing
