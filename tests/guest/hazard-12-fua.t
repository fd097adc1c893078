#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 12 once more: a write that asks to be on the medium when it ends (FUA), with no flush after
# it, as a file system sends for O_DSYNC into the blocks that a file has already. Where it is on the
# medium counts only when it is known which place of the segment counts.
# Checked by tests/mutations/12-fua.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
# no journal: it would send flushes of its own
run "a file system" mkfs.ext4 -q -F -b 4096 -O ^has_journal -E nodiscard $DEV
mkdir -p /mnt
mount -t ext4 $DEV /mnt || bail "cannot mount"
dd if=/dev/urandom of=/mnt/file bs=64K count=1 conv=fsync status=none
read -r a block < <(adshardctl locate /mnt/file -r -n -o SEGMENT,OFFSET | head -n 1)
block=$((block / 4096))
from=$(where "$a")
to=$(((from + 1) % 3))
dd if=/dev/urandom of=/tmp/new bs=4K count=1 status=none

# flushes that the disks have seen
# shellcheck disable=SC2046 # words
count_flushes() { awk '{ n += $16 } END { print n + 0 }' $(printf '/sys/block/%s/stat ' "${MEMBERS[@]#/dev/}"); }
overwrite() { dd if=/tmp/new of=/mnt/file bs=4K count=1 conv=notrunc oflag=direct,dsync status=none; }
flushes=$(count_flushes)
run "an overwrite" overwrite
is "$(count_flushes)" "$flushes" "is written with FUA, and no flush after it"

gates writes j0 j1 j2
start "$a" $to
run "the record is on its way to all members" wait_for 20 commit_begun
dd if=/dev/urandom of=/tmp/new bs=4K count=1 status=none
before=$(count d$to)
rm -f /tmp/ended.x
{ overwrite; echo $? >/tmp/ended.x; } &
run "an overwrite gets to the destination" wait_for 5 more d$to "$before"
sleep 1
fails "it waits for the outcome" ended x
gates open j0 j1 j2
run "it ends well" result x
run "the segment is at its destination" wait_for 20 at "$a" $to
run "the write is there" cmp -n 4096 /tmp/new <(dd if=$DEV bs=4K skip="$block" count=1 iflag=direct status=none)
umount /mnt
deactivate
done_testing
