#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 13: some of the members, or one that comes back from the past, make a pool of their own.
# Every subset and stale copy must be refused with a name, or be brought up to date: the map that is
# served is the last one.
# Checked by tests/mutations/13-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 300
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 4 8 8
map() { for ((s = 0; s < POOL_SEGMENTS; s++)); do dmsetup message vol 0 locate $s; done; }
# refused NAME REGEX MEMBER...
refused() {
	local name=$1 regex=$2
	shift 2
	klog_mark
	if activate "$@" >/dev/null 2>&1; then
		ok 1 "refused: $name: $*"
		deactivate
		return
	fi
	like "$(klog)" "$regex" "refused: $name: $*"
	dmsetup info vol >/dev/null 2>&1 && dmsetup remove vol
}
# serves NAME MEMBER...: the last map and the data
serves() {
	local name=$1
	shift
	run "activates: $name: $*" activate "$@" || return
	is "$(map)" "$(cat /tmp/map)" "with the last map: $name: $*"
	run "and the data: $name: $*" same
	deactivate
}
save() { dd if="/dev/member$1" of="/tmp/$2.$1" bs=1M iflag=direct status=none; }
restore() { dd if="/tmp/$2.$1" of="/dev/member$1" bs=1M oflag=direct conv=fsync status=none; }
move() { start "$1" "$2" && wait_for 20 at "$1" "$2" && wait_for 20 idle; }

# member 3 holds no segment, only metadata
s=0
while [[ $(map) == *"3 dm-"* ]]; do
	move "$(on 3)" $((s++ % 3)) || bail "cannot empty member 3"
done
a=$(on 0)
deactivate
for i in 0 1 2 3; do save $i old; done

activate
run "a move" move "$a" 1
run "a write" put x "$a" 64 4
keep x
for ((i = 0; i < 10; i++)); do
	dmsetup message vol 0 member 2 draining
	dmsetup message vol 0 member 2 online
done
run "a flush" flush
map >/tmp/map
deactivate
for i in 0 1 2 3; do save $i new; done

for ((mask = 1; mask < 15; mask++)); do
	some=()
	for i in 0 1 2 3; do
		# half of them in the other order
		((mask >> i & 1)) || continue
		if ((mask & 2)); then some=("$i" "${some[@]}"); else some+=("$i"); fi
	done
	refused "some of the members" "is missing, and it holds|none of the metadata members" "${some[@]}"
done
order=(0 1 2 3)
for i in 0 1 2 3; do
	restore $i old
	refused "member $i is of the past" "dm-[0-9]+ is stale: the metadata of member $i" "${order[@]}"
	restore $i new
	order=("${order[@]:1}" "${order[0]}")
done
for k in 1 2 3; do restore $k old; done
refused "only member 0 is not of the past" "is stale: the metadata of member" 0 1 2 3
for k in 1 2 3; do restore $k new; done
serves "everybody" 2 0 3 1

# one that is a few records behind is brought up to date
restore 3 new
serves "one is a little behind" 3 0 1 2

# a member misses the record of a move, and is dropped
activate
gate j1 refuses
b=$(on 2)
run "a move that member 1 misses" move "$b" 0
run "a write" put y "$b" 64 4
keep y
run "a flush" flush
like "$(dm_status vol)" "adshard degraded" "the pool is degraded"
map >/tmp/map
deactivate
gate j1 open
refused "the dropped member" "is missing|none of the metadata members|in another history" 1
serves "the dropped member first" 1 0 2 3

# a drained member may be away, and comes back from the past
activate
dmsetup message vol 0 member 3 draining
drained() { [ "$(word 5)" = 3 ]; }
run "member 3 is drained" wait_for 10 drained
deactivate
for order in "0 1 2" "2 0 1"; do
	# shellcheck disable=SC2086 # a list
	serves "without a drained member" $order
done
refused "without another one" "is missing, and it holds" 0 1
restore 3 old
serves "the drained member is of the past" 3 0 1 2
done_testing
