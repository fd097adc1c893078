#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ext4 and xfs on a volume whose segments move under load; clean afterwards; fstrim works.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 300
# memory: 1536
. /t/lib.sh

load_module
members 4 200 512 discard=1
dev=/dev/mapper/vol
dm_create vol "0 819200 adshard - 4 ${MEMBERS[*]} 2 segment_size 8192"
mount_point=/tmp/m
mkdir -p $mount_point

load() { # writes files with their checksums until /tmp/stop is there
	local n=0
	while [ ! -e /tmp/stop ]; do
		n=$(((n + 1) % 20))
		head -c $((RANDOM * 40)) /dev/urandom >$mount_point/f$n
		(cd $mount_point && sha256sum f$n >f$n.sum && sync f$n f$n.sum)
	done
}

for fs in ext4 xfs; do
	run "mkfs.$fs" "mkfs.$fs" -q $dev
	mount $dev $mount_point
	rm -f /tmp/stop
	load &
	loader=$!
	# moves only: no thread of its own that does I/O
	done=$(dm_status vol | cut -d" " -f11)
	run "segments move under load ($fs)" torture vol $((done + 60)) 0 1
	run "fstrim ($fs)" fstrim $mount_point
	run "segments move after it ($fs)" torture vol $((done + 120)) 0 2
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
diag "$(dm_status vol)"
dm_remove vol
done_testing
