#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The target: what a table line may say, what is refused and why, what comes back.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 180
. /t/lib.sh

load_module
members 4 48
dev=/dev/mapper/vol
new="0 262144 adshard - 4 ${MEMBERS[*]} 4 segment_size 2048 name vault"

# refused TEXT TABLE: ctr refuses it, the log says TEXT, nothing is left
refused() {
	klog_mark
	if dmsetup create bad --table "$2" 2>/dev/null; then
		dmsetup remove bad
		ok 1 "refused: $1"
		return
	fi
	like "$(klog)" "$1" "refused: $1"
	dmsetup info bad >/dev/null 2>&1 && dmsetup remove bad
}

refused "Too few arguments" "0 262144 adshard -"
refused "Invalid pool uuid" "0 262144 adshard nonsense 1 ${MEMBERS[0]}"
refused "Invalid number of members" "0 262144 adshard - 0 x"
refused "Fewer devices" "0 262144 adshard - 9 ${MEMBERS[*]}"
refused "cannot open" "0 262144 adshard - 1 /dev/nothing"
refused "named twice" "0 262144 adshard - 2 ${MEMBERS[0]} ${MEMBERS[0]}"
refused "Invalid segment_size" "0 262144 adshard - 1 ${MEMBERS[0]} 2 segment_size 1000"
refused "Invalid segment_size" "0 262144 adshard - 1 ${MEMBERS[0]} 2 segment_size 1024"
refused "Invalid chunk_size" "0 262144 adshard - 1 ${MEMBERS[0]} 2 chunk_size 4096"
refused "Unknown feature" "0 262144 adshard - 1 ${MEMBERS[0]} 2 colour red"
refused "without its value" "0 262144 adshard - 1 ${MEMBERS[0]} 1 segment_size"
refused "Invalid name" "0 262144 adshard - 1 ${MEMBERS[0]} 2 name a/b"
refused "Too many arguments" "0 262144 adshard - 1 ${MEMBERS[0]} 0 more"
refused "for a new pool" "0 262144 adshard 3b241101-e2bb-4255-8caf-4136c566a962 1 ${MEMBERS[0]} 2 name x"
refused "member0: .*blank" "0 262144 adshard 3b241101-e2bb-4255-8caf-4136c566a962 1 ${MEMBERS[0]}"
refused "slots" "0 400000 adshard - 4 ${MEMBERS[*]} 2 segment_size 2048"
is "$(head -c 65536 "${MEMBERS[0]}" | tr -d '\0' | wc -c)" 0 "a refused format writes nothing"

echo label | dd of="${MEMBERS[2]}" bs=512 seek=3 conv=notrunc,fsync status=none
refused "member2: not blank" "$new"
dd if=/dev/zero of="${MEMBERS[2]}" bs=64k count=1 conv=notrunc,fsync status=none

# a pool
run "formats and activates" dm_create vol "$new"
table=$(dmsetup table vol)
like "$table" "^0 262144 adshard [0-9a-f-]{36} 4 " "the table names the pool"
uuid=$(cut -d' ' -f4 <<<"$table")
line=$(dm_status vol)
like "$line" "adshard ok 128 2048 4 4 0 0 0 0 0 0 0 0 [0-9]+ [0-9]+ [0-9]+ 0 0 0 0 0 0$" "status: one line of counters"
bytes=$(awk '{ print $19 }' <<<"$line")
[ "$bytes" -ge 8 ] && [ "$bytes" -le 64 ]
ok $? "a plain segment takes at most 64 bytes of kernel memory ($bytes)"
like "$(dmsetup message vol 0 locate 5)" "^[0-3] member[0-3] [0-9]+$" "locate"
is "$(blockdev --getiomin $dev) $(blockdev --getss $dev)" "512 512" "block sizes"

dd if=/dev/urandom of=/tmp/data bs=1M count=128 status=none
dd if=/tmp/data of=$dev bs=1M oflag=direct status=none
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "reads what was written"

refused "use" "0 262144 adshard $uuid 4 ${MEMBERS[*]}"
refused "use" "0 262144 adshard - 1 ${MEMBERS[1]}"

# reload under the same name
run "its own table can be loaded again" dm_reload vol "$table"
fails "a reload with fewer members is refused" dmsetup reload vol --table "0 262144 adshard $uuid 3 ${MEMBERS[*]:0:3}"
fails "a reload with another length" dm_reload vol "0 262000 adshard $uuid 4 ${MEMBERS[*]}"
dmsetup resume vol 2>/dev/null || { dmsetup reload vol --table "$table"; dmsetup resume vol; }
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "the data is still there"

# discards, zeroes across segments at odd offsets
fallocate -z -o 1536K -l 5M $dev 2>/dev/null || blkdiscard -z -o 1536K -l 5M $dev
dd if=/dev/zero of=/tmp/data bs=512K seek=3 count=10 conv=notrunc status=none
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "zeroes across segments reach each of them, and nothing else"

map() { for s in $(seq 0 9 127); do dmsetup message vol 0 locate "$s"; done; }
before=$(map)
run "removes" dm_remove vol
klog_mark
run "activates again, members in another order" dm_create vol "0 262144 adshard $uuid 4 ${MEMBERS[3]} ${MEMBERS[1]} ${MEMBERS[0]} ${MEMBERS[2]}"
is "$(map)" "$before" "the same map"
cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none)
ok $? "the same data"
dm_remove vol

# what activation refuses, by name
refused "missing|not (here|present)" "0 262144 adshard $uuid 3 ${MEMBERS[*]:0:3}"
dmsetup remove bad 2>/dev/null
refused "sectors" "0 262000 adshard $uuid 4 ${MEMBERS[*]}"
members 2 48
dm_create other "0 65536 adshard - 2 ${MEMBERS[4]} ${MEMBERS[5]} 2 segment_size 2048"
dm_remove other
refused "member4: a member of pool" "0 262144 adshard $uuid 4 ${MEMBERS[*]:0:3} ${MEMBERS[4]}"

# superblocks: one copy may go, not both
flip() { # DEVICE OFFSET
	local byte
	byte=$(dd if="$1" bs=1 skip="$2" count=1 status=none | od -An -tu1)
	# shellcheck disable=SC2059 # an octal escape
	printf "\\$(printf %o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc,fsync status=none
}
flip "${MEMBERS[1]}" $((4096 + 100))
run "one bad superblock of two" dm_create vol "$table"
dm_remove vol
# (which the activation has put right)
flip "${MEMBERS[1]}" $((4096 + 100))
flip "${MEMBERS[1]}" $((12288 + 100))
refused "member1: " "$table"
flip "${MEMBERS[1]}" $((4096 + 100))
flip "${MEMBERS[1]}" $((12288 + 100))
run "and good again" dm_create vol "$table"
dm_remove vol
dd if="${MEMBERS[1]}" of=/tmp/head bs=4096 count=16 status=none
dd if=/dev/zero of="${MEMBERS[1]}" bs=4096 count=16 conv=notrunc,fsync status=none
refused "member1: " "$table"
dd if=/tmp/head of="${MEMBERS[1]}" bs=4096 conv=notrunc,fsync status=none
dd if="${MEMBERS[0]}" of="${MEMBERS[4]}" bs=64K count=1 conv=notrunc,fsync status=none
refused "duplicate|twice|same" "0 262144 adshard $uuid 5 ${MEMBERS[*]:0:5}"

# 4Kn beside 512e
MEMBERS=()
for d in $NULLB/member*; do echo 0 >"$d/power"; rmdir "$d"; done
members 2 48 512
members 2 48 4096
run "mixed block sizes" dm_create vol "0 131072 adshard - 4 ${MEMBERS[*]} 2 segment_size 2048"
is "$(blockdev --getss $dev)" 4096 "the volume has the greater one"
dm_remove vol
run "unloads" unload_module
done_testing
