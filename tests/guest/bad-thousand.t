#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk with a thousand unreadable blocks of 4 KiB, scattered all over it, is evacuated: every byte
# that can be read arrives, and exactly these blocks return errors.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 900
. /t/lib.sh

MIB=${MIB:-64} BAD=1000
modprobe dm-mod
members 2 $((MIB + 16))
# the data of the first member, and bad blocks in it; its metadata is left alone
size=$(((MIB + 16) * 2048))
medium() { # [BAD-LIST]: sectors, in ascending order
	local at=0 s
	while read -r s; do
		[ "$at" = "$s" ] || echo "$at $((s - at)) linear ${MEMBERS[0]} $at"
		echo "$s 8 error"
		at=$((s + 8))
	done <"${1:-/dev/null}"
	echo "$at $((size - at)) linear ${MEMBERS[0]} $at"
}
medium | dmsetup create medium
load_module
run "create" adshardctl create --segment-size 4M --chunk-size 256K --size ${MIB}M tank /dev/mapper/medium "${MEMBERS[1]}"
run "all is on the first one" adshardctl evacuate 1
run "the second one is back" adshardctl member 1 online
dd if=/dev/urandom of=/tmp/model bs=1M count=$MIB status=none
dd if=/tmp/model of=/dev/mapper/tank bs=1M oflag=direct status=none
sync /dev/mapper/tank

# blocks of the volume, one in every sixteenth, at random; where that is on the disk
segments=$((MIB / 4)) each=$(((MIB * 256) / BAD))
for ((i = 0; i < BAD; i++)); do echo $((i * each + RANDOM % (each - 1))); done >/tmp/blocks
declare -a place
for ((s = 0; s < segments; s++)); do
	place[s]=$(dmsetup message tank 0 locate $s | cut -d' ' -f3)
done
while read -r b; do echo $((place[b / 1024] + b % 1024 * 8)); done </tmp/blocks | sort -n >/tmp/sectors
is "$(sort -nu /tmp/sectors | wc -l)" $BAD "bad blocks"
medium /tmp/sectors >/tmp/table
dmsetup reload medium /tmp/table && dmsetup suspend --noflush --nolockfs medium && dmsetup resume medium
ok $? "the disk has them"

status=0
adshardctl evacuate 0 >/tmp/out 2>&1 || status=$?
is $status 11 "the evacuation says that not all could be read" || diag "$(cat /tmp/out)"
is "$(dm_status tank | awk '{ print $20, $21 }')" "$BAD $((BAD * 8))" "so many ranges, and sectors"
# off it goes: nothing comes from there any more
is "$(dmsetup table medium >/dev/null && adshardctl segments -r -n --member 0 -o SEGMENT | wc -l)" 0 "nothing is left there"
badscan /dev/mapper/tank /tmp/model 0 $((MIB * 2048)) >/tmp/found
while read -r b; do echo "unreadable $((b * 8)) 8"; done </tmp/blocks >/tmp/wanted
run "exactly these are unreadable, all else is right" cmp /tmp/wanted /tmp/found
diag "recovered and wrong: $(awk -v all=$((MIB << 20)) '{ lost += $3 * 512 } END { print all - lost }' /tmp/found) $(grep -c wrong /tmp/found)"
done_testing
