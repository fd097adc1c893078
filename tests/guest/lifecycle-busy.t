#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Removal while something is going on: open, mounted, migrating, under I/O with the table torn
# away: refused or clean, and the data is whole.
# kernels: 6.1 6.12 um
# timeout: 300
# long: yes
. /t/lib.sh

load_module
members 4 24 512 discard=1
dm_create vol "0 98304 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 chunk_size 128"
table=$(dmsetup table vol)
dev=/dev/mapper/vol

queue_moves() { lifecycle move vol $RANDOM >/dev/null; }
exists() { dmsetup info vol >/dev/null 2>&1; }
gone() { ! exists; }

# open
exec 9<$dev
fails "an open volume is not removed" dmsetup remove vol
run "but will be, when it is closed" dmsetup remove --deferred vol
run "it is still there" exists
exec 9<&-
run "it goes" wait_for 10 gone
run "activates" dm_create vol "$table"

# mounted
modprobe ext4
mkfs.ext4 -q $dev
mount $dev /mnt
dd if=/dev/urandom of=/mnt/file bs=1M count=8 status=none
sum=$(md5sum </mnt/file)
queue_moves
fails "a mounted volume is not removed" dmsetup remove vol
fails "nor is the module" unload_module
is "$(md5sum </mnt/file)" "$sum" "the file is whole"
umount /mnt
run "removes amid migrations" dm_remove vol

# migrating, at any moment
run "activates" dm_create vol "$table"
dd if=/dev/urandom of=/tmp/data bs=1M count=48 status=none
dd if=/tmp/data of=$dev bs=1M oflag=direct status=none
for round in $(seq 1 "${ROUNDS:-4}"); do
	queue_moves
	sleep "0.$((RANDOM % 10))"
	dm_remove vol && dm_create vol "$table" || break
done
is "$round" "${ROUNDS:-4}" "removes in the middle of migrations, again and again"
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "the data is whole"

# the table is torn away under I/O and migrations, and comes back
for round in $(seq 1 "${ROUNDS:-4}"); do
	queue_moves
	while dd if=$dev of=/dev/null bs=64K iflag=direct status=none; do :; done 2>/dev/null &
	reader=$!
	sleep "0.$((RANDOM % 10))"
	dmsetup wipe_table vol || break
	wait $reader
	dm_reload vol "$table" || break
done
is "$round" "${ROUNDS:-4}" "the table is torn away, again and again"
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "the data is whole"
exec 9<$dev
fails "forced removal of an open volume" dmsetup remove --force vol
dd if=$dev of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null
[ $? != 0 ]
ok $? "leaves errors"
exec 9<&-
run "and then it goes" dm_remove vol
run "activates" dm_create vol "$table"
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "the data is whole"
run "removes" dm_remove vol
run "unloads" unload_module
done_testing
