#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# NVMe disks are pulled out of their slots in the middle of a migration, under I/O: the source,
# then the destination, then both of one. What can still be read is right, nothing hangs, the
# volume can be removed, and is not activated without what it has lost.
# kernels: 6.1 6.12
# timeout: 600
# long: yes
# files: tests/guest/lifecycle-lib.sh
# hook: tests/guest/lifecycle-unplug.hook
# disks: slot:a:64M slot:b:64M slot:c:64M slot:d:64M slot:e:64M slot:f:64M slot:g:64M slot:h:64M
. /t/lib.sh
. /t/lifecycle-lib.sh

modprobe nvme
present() { [ "$(grep -l . /sys/block/nvme*/device/serial | wc -l)" = 8 ]; }
run "the disks are there" wait_for 20 present
load_module
names=(a b c d e f g h)
for name in "${names[@]}"; do MEMBERS+=("$(disk $name)"); done

pull() {
	local node
	node=$(basename "${MEMBERS[$1]}")
	host "${names[$1]}" >/dev/null
	pulled() { [ ! -e "/sys/block/$node" ]; }
	wait_for 30 pulled
	ok $? "member $1 is out"
	out_of_order+=" $1"
}
for victim in source destination both; do
	rest=() left=() out_of_order=
	for i in "${!MEMBERS[@]}"; do [ ! -b "${MEMBERS[i]}" ] || { rest+=("${MEMBERS[i]}") left+=("${names[i]}"); }; done
	MEMBERS=("${rest[@]}") names=("${left[@]}")
	for m in "${MEMBERS[@]}"; do dd if=/dev/zero of="$m" bs=128K count=1 oflag=direct status=none; done
	run "$victim: creates" dm_create vol "0 65536 adshard - ${#MEMBERS[@]} ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
	table=$(dmsetup table vol)
	# shellcheck disable=SC2046 # words
	set -- $table
	uuid=$4
	amid_migration $victim pull
	run "$victim: removes" dm_remove vol
	rest=()
	for m in "${MEMBERS[@]}"; do [ ! -b "$m" ] || rest+=("$m"); done
	fails "$victim: not activated without it" dm_create vol "0 65536 adshard $uuid ${#rest[@]} ${rest[*]}"
	dmsetup info vol >/dev/null 2>&1 && dm_remove vol
done
run "unloads" unload_module
done_testing
