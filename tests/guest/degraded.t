#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Activation without members that hold the only copy of segments: what it refuses, what it loses and
# what not, and that those who were left out do not come back.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 300
. /t/lib.sh

load_module
members 4 40
d=("${MEMBERS[@]}")
run "a pool" dm_create vol "0 49152 adshard - 4 ${d[*]} 4 segment_size 2048 name tank"
uuid=$(dmsetup table vol | cut -d' ' -f4)
vol=/dev/mapper/vol
line="0 49152 adshard $uuid"
dd if=/dev/urandom of=/dev/mapper/vol bs=1M count=24 oflag=direct status=none
dd if=/dev/mapper/vol of=/run/data bs=1M count=24 iflag=direct status=none
for ((i = 0; i < 24; i++)); do member_of[i]=$(dmsetup message vol 0 locate $i | cut -d' ' -f1); done
dm_remove vol
# same I: segment I is what was written
same() { cmp -s <(dd if=$vol bs=1M skip="$1" count=1 iflag=direct status=none) <(dd if=/run/data bs=1M skip="$1" count=1 status=none); }
# check_all LOST-MEMBER: its segments fail, all others are right
check_all() {
	local i wrong=0
	for ((i = 0; i < 24; i++)); do
		if [ "${member_of[i]}" = "$1" ]; then
			! dd if=$vol of=/dev/null bs=4k skip=$((i * 256)) count=1 iflag=direct 2>/dev/null || wrong=$((wrong + 1))
			! dd if=/dev/zero of=$vol bs=4k seek=$((i * 256)) count=1 oflag=direct 2>/dev/null || wrong=$((wrong + 1))
		else
			same $i || wrong=$((wrong + 1))
		fi
	done
	is $wrong 0 "segments of member $1 fail, all others are what they were"
}

three="3 ${d[0]} ${d[1]} ${d[3]}"
klog_mark
fails "without one it does not activate" dm_create vol "$line $three"
like "$(klog)" "member 2 .* is missing, and it holds metadata" "says who is missing"
like "$(klog)" "degraded" "and that there is a way"
fails "not for a new pool" dmsetup create vol --table "0 2048 adshard - 1 ${d[0]} 1 degraded"
run "all of them: nothing to go on without" dm_create vol "$line 4 ${d[*]} 1 degraded"
like "$(dm_status vol)" "ok 24 2048 4 4 " "all is well"
dm_remove vol

three_of="-d ${d[0]} -d ${d[1]} -d ${d[3]}"
# shellcheck disable=SC2086 # a list
out=$(adshardctl activate $three_of tank 2>&1)
is $? 5 "the tool does not either"
like "$out" "degraded --dry-run says what would be lost" "and says how to find out"
# shellcheck disable=SC2086
like "$(adshardctl activate --degraded --dry-run $three_of tank 2>&1)" \
	"6 of 24 segments are lost.* 1 degraded" "which it does"
run "degraded" dm_create vol "$line $three 1 degraded"
like "$(dm_status vol)" "degraded 24 2048 4 3 .* 6 0 0 0$" "six segments are lost"
check_all 2
like "$(nlabuse get_segment "pool_uuid=$uuid" segment=2)" "state=3" "a lost segment is shown as one"
fails "it can't be moved" dmsetup message vol 0 migrate 2 0
run "others can" dmsetup message vol 0 migrate 0 1
wait_for 20 eval '[[ "$(dmsetup message vol 0 locate 0)" == "1 "* ]]'
run "fsync" dd if=/run/data of=/dev/mapper/vol bs=1M count=1 conv=fsync,notrunc status=none
check_all 2
dm_remove vol

klog_mark
fails "who was left out does not come back" dm_create vol "$line 4 ${d[*]}"
like "$(klog)" "belongs to a history before a degraded activation" "and why"
fails "alone neither" dm_create vol "$line 1 ${d[2]}"
run "active again, without more ado" dm_create vol "$line $three"
like "$(dm_status vol)" "degraded 24 2048 4 3 .* 6 0 0 0$" "what is lost stays so"
check_all 2
dm_remove vol
run "with the tools: they leave it out" adshardctl activate tank
vol=/dev/mapper/tank
check_all 2
vol=/dev/mapper/vol
adshardctl deactivate tank

# --- the other half, somewhere else, has gone on as well

run "the one alone, degraded" dm_create vol "$line 1 ${d[2]} 1 degraded"
dm_remove vol
fails "two histories are not one" dm_create vol "$line 4 ${d[*]}"
run "this one" dm_create vol "$line $three"
check_all 2
dm_remove vol

# --- a new disk in its place

dd if=/dev/zero of="${d[2]}" bs=128k count=1 oflag=direct status=none
run "activate" adshardctl activate tank
vol=/dev/mapper/tank
run "a new member" adshardctl member add "${d[2]}"
run "takes segments" adshardctl migrate 1 --to "${d[2]}" --wait
same 1
ok $? "and has them"
adshardctl deactivate tank
run "what is on disk makes sense" adshardctl check "${d[@]}"
done_testing
