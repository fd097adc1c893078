#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ext4 and xfs on a volume whose segments move under load; clean afterwards; fstrim works.
# timeout: 150
# memory: 1536
. /t/lib.sh

load_module
members 4 200 512 discard=1
dev=/dev/mapper/vol
dm_create vol "0 819200 adshard - 4 ${MEMBERS[*]} 2 segment_size 8192"
mount_point=/tmp/m
mkdir -p $mount_point

segments=100 pass=0
load() { # writes files with their checksums until /tmp/stop is there
	local n=0
	while [ ! -e /tmp/stop ]; do
		n=$(((n + 1) % 20))
		head -c $((RANDOM * 40)) /dev/urandom >$mount_point/f$n
		(cd $mount_point && sha256sum f$n >f$n.sum && sync f$n f$n.sum)
	done
}
moves() { # moves every segment to the next member, once
	local s to
	pass=$((pass + 1))
	for s in $(seq 0 $((segments - 1))); do
		to=$((($(dmsetup message vol 0 locate "$s" | cut -d' ' -f1) + 1) % 4))
		dmsetup message vol 0 migrate "$s" $to 2>/dev/null
	done
	wait_for 60 idle
}
idle() { dm_status vol | awk '{exit !($9 == 0 && $10 == 0)}'; }

for fs in ext4 xfs; do
	run "mkfs.$fs" "mkfs.$fs" -q $dev
	mount $dev $mount_point
	rm -f /tmp/stop
	load &
	loader=$!
	moves
	ok $? "all segments moved under load ($fs)"
	run "fstrim ($fs)" fstrim $mount_point
	moves
	touch /tmp/stop
	wait $loader
	umount $mount_point
	mount $dev $mount_point
	(cd $mount_point && cat f*.sum | sha256sum -c --quiet)
	ok $? "every file has its checksum ($fs)"
	umount $mount_point
	if [ $fs = ext4 ]; then
		run "e2fsck finds nothing" e2fsck -fn $dev
	else
		run "xfs_repair finds nothing" xfs_repair -n $dev
	fi
	wipefs -qa $dev
done
status=$(dm_status vol)
diag "$status"
[ "$(awk '{print $12}' <<<"$status")" = 0 ]
ok $? "no migration failed"
[ "$(awk '{print $11}' <<<"$status")" -ge $((segments * 3)) ]
ok $? "the moves were made"
dm_remove vol
done_testing
