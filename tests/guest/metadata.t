#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The metadata: rings that wrap, damage, members that miss records, what must be refused.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 600
. /t/lib.sh

load_module
members 4 32
dev=/dev/mapper/vol
# in 4 KiB blocks, for a pool of up to 256 segments
journal=16 journal_blocks=240 tables=(256 401) table_blocks=145

activate() { dm_create vol "0 65536 adshard $uuid ${#use[@]} ${use[*]}"; }
# refused TEXT NAME: activation is refused, and the log says TEXT
refused() {
	klog_mark
	if activate >/dev/null 2>&1; then
		ok 1 "$2"
		return
	fi
	like "$(klog)" "$1" "$2"
	dmsetup info vol >/dev/null 2>&1 && dmsetup remove vol
}
seq() { dm_status vol | awk '{ print $17 }'; }
map() {
	local seg
	for ((seg = 0; seg < 32; seg++)); do dmsetup message vol 0 locate $seg; done
}
# move SEGMENT MEMBER
arrived() { [[ $(dmsetup message vol 0 locate "$1") == "$2 "* ]]; }
move() { dmsetup message vol 0 migrate "$1" "$2" && wait_for 20 arrived "$1" "$2"; }
zero() { dd if=/dev/zero of="$1" bs=4096 seek="$2" count="$3" conv=notrunc,fsync status=none; }
save() { dd if="$1" of="$2" bs=4096 count=600 status=none; }
restore() { dd if="$2" of="$1" bs=4096 conv=notrunc,fsync status=none; }

use=("${MEMBERS[@]}")
dm_create vol "0 65536 adshard - 4 ${MEMBERS[*]} 2 segment_size 2048"
uuid=$(dmsetup table vol | cut -d' ' -f4)
dd if=/dev/urandom of=/tmp/data bs=1M count=32 status=none
dd if=/tmp/data of=$dev bs=1M oflag=direct status=none

# --- the ring wraps: 520 records, two checkpoints and a bit
before=$(seq)
for ((i = 0; i < 260; i++)); do
	dmsetup message vol 0 member 3 draining
	dmsetup message vol 0 member 3 online
done
is $(($(seq) - before)) 520 "one record a change"
run "a move" move 5 0
run "and another" move 9 0
map >/tmp/map
at=$(seq)
dm_remove vol
run "activates" activate
is "$(map)" "$(cat /tmp/map)" "the same map"
is "$(seq)" $((at + 1)) "one record for the activation"
dm_remove vol

# --- damage on one member, then on all but one
heal() {
	klog_mark
	run "activates: $1" activate
	is "$(map)" "$(cat /tmp/map)" "the same map: $1"
	like "$(klog)" "member$2: metadata brought up" "and says so: $1"
	dm_remove vol
	klog_mark
	activate
	is "$(klog)" "" "once: $1"
	dm_remove vol
}
zero "${MEMBERS[1]}" $journal $journal_blocks
heal "no journal on one" 1
zero "${MEMBERS[1]}" ${tables[0]} 1
zero "${MEMBERS[1]}" ${tables[1]} 1
heal "no table header on one" 1
zero "${MEMBERS[2]}" $((tables[0] + 70)) 1
zero "${MEMBERS[2]}" $((tables[1] + 70)) 1
heal "no table body on one" 2
member_bad 0 $((journal * 8 + 100)) $((journal * 8 + 101))
klog_mark
run "activates: a bad sector in a journal" activate
is "$(map)" "$(cat /tmp/map)" "the same map: a bad sector in a journal"
dm_remove vol
member_good 0 $((journal * 8 + 100)) $((journal * 8 + 101))
# where the next record would be: can anybody say that there is none?
activate
next=$((journal + ($(seq) + 1) % journal_blocks))
dm_remove vol
for i in 0 1 2; do member_bad $i $((next * 8)) $((next * 8)); done
run "activates: three of four can't say whether there is one more record" activate
dm_remove vol
next=$((next + 1))
for i in 0 1 2 3; do member_bad $i $((next * 8)) $((next * 8)); done
refused "block $next can't be read, nor on any other metadata member" "nobody can say"
for i in 0 1 2 3; do member_good $i $(((next - 1) * 8)) $((next * 8)); done
run "activates, and the three that could not take the record are back" activate
like "$(dm_status vol)" "adshard ok" "the pool is well again"
dm_remove vol
for i in 0 1 3; do zero "${MEMBERS[i]}" $journal $((240 + 2 * table_blocks)); done
heal "one whole member is enough" 0

for i in 0 1 2 3; do
	save "${MEMBERS[i]}" /tmp/head$i
	zero "${MEMBERS[i]}" ${tables[0]} 1
	zero "${MEMBERS[i]}" ${tables[1]} 1
done
refused "record [0-9]+ of pool $uuid can be read on no member" "no table at all"
for i in 0 1 2 3; do restore "${MEMBERS[i]}" /tmp/head$i; done
use=("${MEMBERS[@]:0:3}")
refused "member 3 .* is missing, and it holds metadata" "a missing metadata member"
use=("${MEMBERS[@]}")

# --- a member misses a record, and must not be believed afterwards
bad() { "member_$1" "$2" $((journal * 8)) $(((journal + journal_blocks) * 8 - 1)); }
run "activates" activate
bad bad 1
run "a move that one metadata member misses" move 7 2
like "$(dm_status vol)" "adshard degraded" "the pool is degraded"
dmsetup message vol 0 migrate 8 1
sleep 2
map >/tmp/map
dm_remove vol
bad good 1
for i in 0 1 2 3; do save "${MEMBERS[i]}" /tmp/head$i; done
for i in 0 2 3; do zero "${MEMBERS[i]}" $journal $((240 + 2 * table_blocks)); done
refused "is the highest found, but none of the metadata members" "the word of a dropped member"
for i in 0 2 3; do restore "${MEMBERS[i]}" /tmp/head$i; done
klog_mark
run "activates with the others" activate
is "$(map)" "$(cat /tmp/map)" "the map is theirs"
like "$(klog)" "member1: member 1 now holds metadata" "the dropped one is recruited again"
like "$(dm_status vol)" "adshard ok" "the pool is well"

# --- the destination of a move can't take the record
seg=$(grep -n "^0 " /tmp/map | head -1 | cut -d: -f1)
seg=$((seg - 1))
bad bad 1
dmsetup message vol 0 migrate $seg 1
failed() { [ "$(dm_status vol | awk '{ print $12 }')" = 1 ]; }
run "the migration fails" wait_for 20 failed
is "$(map)" "$(cat /tmp/map)" "nothing has moved"
bad good 1
dm_remove vol
run "activates" activate
is "$(map)" "$(cat /tmp/map)" "nothing has moved after that either"

# --- no member takes records
for i in 0 1 2 3; do bad bad $i; done
fails "a change is refused" dmsetup message vol 0 member 3 draining
like "$(dm_status vol)" "adshard readonly" "the pool is readonly"
dd if=$dev bs=1M iflag=direct status=none | cmp - /tmp/data
ok $? "but serves"
dm_remove vol
for i in 0 1 2 3; do bad good $i; done
run "activates" activate
is "$(map)" "$(cat /tmp/map)" "the same map"
dd if=$dev bs=1M iflag=direct status=none | cmp - /tmp/data
ok $? "the same data"
dm_remove vol
run "unloads" unload_module
done_testing
