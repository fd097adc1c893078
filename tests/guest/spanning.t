#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Large reads and writes over the ends of segments, from io_uring: such that may not wait, such that
# are polled for, and both while segments are moving.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 400
. /t/lib.sh

load_module
members 2 64 512 poll_queues=1
run "the volume" dm_create vol "0 65536 adshard - 2 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
DEV=/dev/mapper/vol
# spans NAME OFFSET OPTION...: writes in one direction, 320 KiB at a time, and reads it
# again; it is more than such a disk takes at once
spans() {
	run "$1" fio --name=x --filename=$DEV --ioengine=io_uring --iodepth=8 --rw=write --bs=320k --offset="$2" \
		--size=20m --direct=1 --verify=crc32c --do_verify=1 --verify_fatal=1 --verify_state_save=0 \
		--minimal "${@:3}"
}
spans "over segments' ends" 4k
is "$(cmp -n 4096 $DEV /dev/zero && echo same)" same "nothing before it is touched"
echo "polled: $(cat /sys/block/dm-0/queue/io_poll)" | sed 's/^/# /'
spans "the same, polled for" 68k --hipri=1
for ((s = 0; s < 8; s++)); do dmsetup message vol 0 migrate $s 1; done >/dev/null 2>&1
spans "while segments move" 132k
idle() { [ "$(dm_status vol | awk '{ print $9, $10, $12 }')" = "0 0 0" ]; }
run "they have moved" wait_for 60 idle
for ((s = 0; s < 8; s++)); do dmsetup message vol 0 migrate $s 0; done >/dev/null 2>&1
# reads only: a write that would have to wait for its chunk is an error for who polls
again() { # NAME ENGINE OPTION...
	run "$1" fio --name=x --filename=$DEV --ioengine="$2" --iodepth=8 --rw=read --bs=320k --offset=132k \
		--size=20m --direct=1 --verify=crc32c --verify_fatal=1 --verify_state_save=0 --minimal "${@:3}"
}
again "it is read while they move back, polled for" io_uring --hipri=1
run "they have moved back" wait_for 60 idle
again "and afterwards" libaio
is "$(dm_status vol | awk '{ print $16 }')" 0 "no copy differed"
done_testing
