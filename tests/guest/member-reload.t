#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tables for a pool that is active: devices join it and leave it, the volume gets longer and shorter;
# what is refused leaves all as it was; the data stays right.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 300
# memory: 768
. /t/lib.sh

load_module
members 2 40
members 1 24
members 3 40
d=("${MEMBERS[@]}")
# 24 segments of 1 MiB on the first two
run "a pool" dm_create vol "0 49152 adshard - 2 ${d[0]} ${d[1]} 2 segment_size 2048"
uuid=$(dmsetup table vol | cut -d' ' -f4)
of_pool() { nlabuse get_pool "pool_uuid=$uuid" | sed -nE "s/.* $1=(\"[^\"]*\"|[^ ]*).*/\1/p"; }
of_member() { nlabuse -d get_member "pool_uuid=$uuid" | grep " member=$2 " | sed -nE "s/.* $1=([^ ]*).*/\1/p"; }
content() { dd if=/dev/mapper/vol bs=1M count="${1:-24}" iflag=direct status=none | sha256sum; }
dd if=/dev/urandom of=/dev/mapper/vol bs=1M count=24 oflag=direct status=none
sum=$(content)
line="0 49152 adshard $uuid"
# reload LINE: as the tools do it, and the old line if that fails
reload() {
	dmsetup reload vol --table "$1" || return
	dmsetup resume vol && return
	dmsetup reload vol --table "$old" && dmsetup resume vol
	return 1
}
old="$line 2 ${d[0]} ${d[1]}"

# --- joining

fails "one device more, that nobody said joins" dmsetup reload vol --table "$line 3 ${d[0]} ${d[1]} ${d[3]}"
fails "all devices join" dmsetup reload vol --table "$line 2 ${d[0]} ${d[1]} 2 join 2"
dd if=/dev/urandom of="${d[3]}" bs=4k seek=20 count=1 status=none
fails "one that is not blank" dmsetup reload vol --table "$line 3 ${d[0]} ${d[1]} ${d[3]} 2 join 1"
dd if=/dev/zero of="${d[3]}" bs=4k seek=20 count=1 status=none
run "one joins" reload "$line 3 ${d[0]} ${d[1]} ${d[3]} 2 join 1"
is "$(dmsetup table vol | cut -d' ' -f4-)" "$(dmsetup table vol | cut -d' ' -f4-8)" "the line says no more of that"
like "$(dm_status vol)" "ok 24 2048 3 3 " "three members"
is "$(of_member nr_slots 2)" "$(of_member nr_slots 1)" "with room"
wait_for 5 eval '[ "$(of_member meta 2)" = 2 ]'
is "$(of_member meta 2)" 2 "it holds metadata"
run "suspend and resume" eval "dmsetup suspend vol && dmsetup resume vol"
run "the line that it prints" reload "$(dmsetup table vol)"
like "$(dm_status vol)" "ok 24 2048 3 3 " "still three"
run "a smaller one and a spare, at once" \
	reload "$line 5 ${d[0]} ${d[1]} ${d[3]} ${d[2]} ${d[4]} 4 join 2 spares 1"
is "$(of_member nr_slots 3)" $(($(of_member nr_slots 1) - 16)) "a member uses all that it has"
is "$(of_member spare 3)$(of_member spare 4)" 01 "a spare"
is "$(content)" "$sum" "the data"
run "a segment moves to a new one" dmsetup message vol 0 migrate 0 3
wait_for 20 eval '[[ "$(dmsetup message vol 0 locate 0)" == "3 "* ]]'
is "$(content)" "$sum" "the data, there"

# --- over an activation

all="5 ${d[0]} ${d[1]} ${d[3]} ${d[2]} ${d[4]}"
dm_remove vol
run "active again" dm_create vol "$line $all"
is "$(content)" "$sum" "the data"
like "$(dm_status vol)" "ok 24 2048 5 5 " "five members"

# --- leaving

old="$line $all"
fails "one that is online can't be left out" dmsetup reload vol --table "$line 4 ${d[0]} ${d[1]} ${d[3]} ${d[2]}"
dmsetup message vol 0 member 4 draining
wait_for 5 eval '[ "$(of_member member_state 4)" = 3 ]'
run "one that is drained can" reload "$line 4 ${d[0]} ${d[1]} ${d[3]} ${d[2]}"
like "$(dm_status vol)" "ok 24 2048 5 4 " "it is no member"
is "$(of_member member 4)" "" "nor shown"
run "its superblock is gone" cmp -n 131072 "${d[4]}" /dev/zero
run "its place is used again" reload "$line 5 ${d[0]} ${d[1]} ${d[3]} ${d[2]} ${d[5]} 2 join 1"
is "$(of_member member 4)" 4 "by another one"
run "in one go: one leaves, one joins" eval \
	'dmsetup message vol 0 member 4 draining; wait_for 5 eval "[ \$(of_member member_state 4) = 3 ]"
	reload "$line 5 ${d[0]} ${d[1]} ${d[3]} ${d[2]} ${d[4]} 2 join 1"'
is "$(of_member member 4)/$(of_member member 5)" "/5" "at another place"

# --- a resume that fails: the table was loaded while the member was drained

old="$line 5 ${d[0]} ${d[1]} ${d[3]} ${d[2]} ${d[4]}"
dmsetup message vol 0 member 5 draining
wait_for 5 eval '[ "$(of_member member_state 5)" = 3 ]'
dmsetup reload vol --table "$line 4 ${d[0]} ${d[1]} ${d[3]} ${d[2]}"
dmsetup message vol 0 member 5 online
dmsetup message vol 0 migrate 1 5
wait_for 20 eval '[[ "$(dmsetup message vol 0 locate 1)" == "5 "* ]]'
fails "it holds a segment again" dmsetup resume vol
fails "and again" dmsetup resume vol
like "$(nlabuse -d get_member "pool_uuid=$uuid" | tail -n 1)" ok "members can be asked for"
run "the table that it had" eval 'dmsetup reload vol --table "$old" && dmsetup resume vol'
is "$(content)" "$sum" "the data, all of it"

# --- the length

longer=${old/49152/90112}
run "longer" reload "$longer"
is "$(blockdev --getsz /dev/mapper/vol)" 90112 "20 segments more"
like "$(dm_status vol)" "ok 44 2048 " "known to the pool"
is "$(content)" "$sum" "what was there"
is "$(of_member nr_segments 4)" "" "nothing on a place without a member"
dd if=/dev/urandom of=/dev/mapper/vol bs=1M seek=24 count=20 oflag=direct status=none
sum=$(content 44)
dm_remove vol
fails "the old length does not activate it" dm_create vol "$old"
run "the new one does" dm_create vol "$longer"
is "$(content 44)" "$sum" "the data"
run "within the last segment" reload "${old/49152/90000} 2 shrink_from 90112"
is "$(blockdev --getsz /dev/mapper/vol)" 90000 "a bit shorter"
run "and back" reload "$longer"
is "$(content 44)" "$sum" "the data, all of it"
old=$longer
fails "more than there is room for" reload "${old/90112/500000}"
is "$(blockdev --getsz /dev/mapper/vol)" 90112 "as long as it was"
fails "more than the metadata has room for" reload "${old/90112/4194304}"
is "$(content 44)" "$sum" "the data after that"
free=$(of_member nr_free 0)
fails "shorter, and nobody said so" dmsetup reload vol --table "${old/90112/40960}"
fails "from another length" dmsetup reload vol --table "${old/90112/40960} 2 shrink_from 90111"
run "shorter" reload "${old/90112/40960} 2 shrink_from 90112"
like "$(dm_status vol)" "ok 20 2048 " "20 segments"
run "with room on the members" [ "$(of_member nr_free 0)" -gt "$free" ]
run "longer again" reload "$longer"
is "$(content 20)" "$(dd if=/dev/mapper/vol bs=1M count=20 iflag=direct status=none | sha256sum)" "readable"
like "$(dm_status vol)" "ok 44 2048 " "44 segments"
dm_remove vol
run "what is on disk makes sense" adshardctl check "${d[@]}"
done_testing
