#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# adshardctl from create to activate: what it says, what it refuses, its exit codes.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

rc 3 "status without the module" ctl status
is "$OUT" "adshardctl status: the adshard kernel module is not loaded (modprobe dm-adshard)" "one sentence"
rc 3 "status --check without the module" ctl status --check
modprobe -a dm-mod loop
members 4 80
rc 3 "create without the module" ctl create --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "module is not loaded" "says so"
load_module
rc 3 "status without the right" chroot --userspec=65534:65534 / "$(type -P adshardctl)" status
like "$OUT" "only to root" "says so"
rc 0 "status without a pool" ctl
like "$OUT" "no pool is active" "says so"
rc 4 "segments without a pool" ctl segments

# --- create: refusals ----------------------------------------------------------------
rc 4 "a device that is not there" ctl create tank /dev/nosuch
rc 4 "no block device" ctl create tank /dev/null
rc 2 "the same device twice" ctl create --segment-size 4M tank "${MEMBERS[0]}" "${MEMBERS[0]}"
mkfs.ext4 -q -L precious "${MEMBERS[1]}"
rc 5 "a file system" ctl create --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "${MEMBERS[1]} holds ext4 .*labelled 'precious'" "is named"
is "$(blkid -o value -s LABEL "${MEMBERS[1]}")" precious "and is still there"
mount "${MEMBERS[1]}" /mnt
rc 6 "a mounted device" ctl create --wipe --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "mounted on /mnt" "is named with its mount point"
umount /mnt
dd if=/dev/zero of="${MEMBERS[1]}" bs=1M count=1 oflag=direct status=none
echo x | dd of="${MEMBERS[2]}" bs=512 seek=20 conv=sync oflag=direct status=none
rc 5 "data without a signature" ctl create --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "${MEMBERS[2]} has data in its first 128 KiB" "is named"
rc 5 "no room for a segment" ctl create --segment-size 1G tank "${MEMBERS[@]}"
rc 5 "too large" ctl create --wipe --segment-size 4M --size 400M tank "${MEMBERS[@]}"
like "$OUT" "room for 76 \(at most 304 MiB\)" "with numbers"
rc 5 "no room for the reserve" ctl create --wipe --segment-size 4M --size 300M tank "${MEMBERS[@]}"
rc 0 "dry run" ctl create --dry-run --wipe --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "228 MiB in 57 segments.*nothing was done" "says what would be"
is "$(dmsetup ls)" "No devices found" "and did nothing"

# --- create --------------------------------------------------------------------------
rc 0 "create" ctl create --wipe --segment-size 4M tank "${MEMBERS[@]}"
like "$OUT" "/dev/mapper/tank is ready" "says where it is"
is "$(blockdev --getsize64 /dev/mapper/tank)" $((228 << 20)) "its size"
like "$(dmsetup info -c --noheadings -o uuid tank)" "^ADSHARD-[0-9a-f-]{36}$" "its DM UUID"
rc 6 "create again" ctl create --wipe --segment-size 4M tank2 "${MEMBERS[@]}"
like "$OUT" "in use by dm-0 \(tank\)" "names the volume"
rc 0 "status" ctl
like "$OUT" "state: healthy" "is healthy"
rc 0 "status --check" ctl status --check
like "$OUT" "^OK tank: healthy" "in one line"
rc 4 "status of another pool" ctl status nosuch

# --- segments, locate ----------------------------------------------------------------
is "$(ctl segments -n -o SEGMENT | wc -l)" 57 "all segments"
is "$(ctl segments -r -n -R 3-5 -o SEGMENT,MEMBER | tr '\n' ' ')" "3 3 4 0 5 1 " "a range"
is "$(ctl segments -n -o SEGMENT --member "${MEMBERS[2]}" | wc -l)" 14 "of a member"
rc 4 "a segment that is not there" ctl segments --range 57
rc 2 "a column that is not there" ctl segments -o NOSUCH
mkfs.ext4 -q /dev/mapper/tank
mount /dev/mapper/tank /mnt
dd if=/dev/urandom of=/mnt/file bs=1M count=12 status=none
sync
# every piece that locate names has to be found on the member itself
check_file() {
	local off len pos dev
	while read -r off len pos dev; do
		cmp -s <(dd if=/mnt/file bs=512 skip=$((off / 512)) count=$((len / 512)) status=none) \
			<(dd if="$dev" bs=512 skip=$((pos / 512)) count=$((len / 512)) iflag=direct status=none) ||
			return 1
	done < <(ctl locate /mnt/file -r -n -o FILE-OFFSET,LENGTH,POSITION,DEVICE)
}
run "locate of a file leads to its data" check_file
is "$(ctl locate /mnt/file -n -o LENGTH | awk '{s += $1} END {print s}')" $((12 << 20)) "all of it"
rc 4 "a file elsewhere" ctl locate /t/run
is "$(ctl locate -r -n -o SEGMENT,MEMBER 9M)" "2 2" "locate of an offset"
is "$(ctl locate -r -n -o OFFSET,MEMBER @7)" "$((28 << 20)) 3" "locate of a segment"
rc 4 "behind the end" ctl locate 228M
rc 6 "deactivate while mounted" ctl deactivate
like "$OUT" "mounted on /mnt" "names the mount point"

# --- migrate -------------------------------------------------------------------------
sum=$(md5sum </mnt/file)
rc 0 "migrate --dry-run" ctl migrate 0-2 --to 3 --dry-run
is "$(ctl segments -r -n -R 0-2 -o MEMBER | tr '\n' ' ')" "0 1 2 " "moved nothing"
rc 0 "migrate --wait" ctl migrate 0,1,2 --to "${MEMBERS[3]}" --wait
like "$OUT" "3 segments moved, .*0 mismatches" "summary"
is "$(ctl segments -r -n -R 0-2 -o MEMBER | tr '\n' ' ')" "3 3 3 " "they are there"
rc 0 "again: nothing to do" ctl migrate 0-2 --to 3
like "$OUT" "3 segments are on ${MEMBERS[3]} already" "says so"
rc 4 "no such segment" ctl migrate 99 --to 3
rc 4 "no such member" ctl migrate 5 --to 9
rc 8 "too many for the room" ctl migrate 4,5,6,8 --to 3 --wait
like "$OUT" "no free slot" "says why"
rc 4 "abort of nothing" ctl abort 7
rc 0 "abort --all" ctl abort --all
echo 3 >/proc/sys/vm/drop_caches
is "$(md5sum </mnt/file)" "$sum" "the file is unharmed"

# --- throttle, pause, member ---------------------------------------------------------
rc 0 "throttle" ctl throttle --rate 8M --jobs 2
rc 2 "no jobs at all" ctl throttle --jobs 0
is "$(ctl throttle -r -n -b -o SOURCE-RATE,DEST-RATE 1)" "8388608 8388608" "shows the limits"
rc 0 "pause" ctl pause
# (one may be on its way to 0: those that are there still count as told)
ctl migrate 4-6 --to 0 >/dev/null 2>&1
rc 7 "wait idle times out" ctl wait idle --timeout 1
like "$(ctl status)" "\(paused\)" "status says paused"
rc 0 "resume" ctl resume
rc 0 "wait idle" ctl wait idle --timeout "$(patience 15)"
rc 5 "a member with data can't be failed" ctl member 1 failed
like "$OUT" "holds the only copy" "says why"
rc 0 "draining" ctl member 1 draining
rc 1 "status --check warns" ctl status --check
rc 5 "a draining member takes nothing" ctl migrate 20 --to 1
rc 0 "online" ctl member "${MEMBERS[1]}" online
rc 2 "drained is not for people" ctl member 1 drained

# --- deactivate, activate ------------------------------------------------------------
umount /mnt
before=$(ctl segments -r -n -o SEGMENT,MEMBER,POSITION)
data() { head -c 48M /dev/mapper/tank | md5sum; }
sum=$(data)
rc 4 "deactivate another" ctl deactivate nosuch
rc 0 "deactivate" ctl deactivate tank
rc 0 "scan" ctl scan -r -n -o POOL,MEMBER,STATE
is "$(echo "$OUT" | tr '\n' ';')" "tank 0 online;tank 1 online;tank 2 online;tank 3 online;" "finds the members"
rc 5 "create on members" ctl create --segment-size 4M other "${MEMBERS[@]}"
like "$OUT" "member 0 of the adshard pool tank" "names the pool"
rc 4 "activate another" ctl activate nosuch
rc 5 "activate with members missing" ctl activate --device "${MEMBERS[0]}" --device "${MEMBERS[1]}"
like "$OUT" "member 2 is missing.*the kernel refused: member" "says which, and the kernel's reason"
rc 0 "activate" ctl activate tank
rc 0 "activate again: nothing to do" ctl activate
is "$(ctl segments -r -n -o SEGMENT,MEMBER,POSITION)" "$before" "same map"
is "$(data)" "$sum" "same data"
rc 0 "deactivate --all" ctl deactivate --all
rc 4 "deactivate nothing" ctl deactivate
rc 0 "wait gone" ctl wait gone

# --- damage --------------------------------------------------------------------------
dd if=/dev/zero of="${MEMBERS[1]}" bs=4096 seek=1 count=1 oflag=direct status=none
rc 0 "scan with one copy damaged" ctl scan
like "$OUT" "copy 0" "says so"
rc 0 "activates all the same" ctl activate
ctl deactivate
dd if=/dev/urandom of="${MEMBERS[1]}" bs=512 seek=9 count=1 oflag=direct status=none
dd if=/dev/urandom of="${MEMBERS[1]}" bs=512 seek=25 count=1 oflag=direct status=none
rc 0 "scan with both damaged" ctl scan
like "$OUT" "${MEMBERS[1]}: both copies .* damaged" "names the device"
rc 5 "does not activate" ctl activate
rc 0 "probe" ctl probe --udev "${MEMBERS[0]}"
like "$OUT" "ID_FS_TYPE=adshard_member" "for udev"
done_testing
