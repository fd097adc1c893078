#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two legs of each segment, and disks that are gone at activation: nothing is out of reach while one
# leg in sync is here; who misses writes is stale when he is back; what is lost is what nobody has.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 600
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

# write SEG: new data there, in the model too
nr=0
write() {
	nr=$((nr + 1))
	put "x$nr" "$1" 64 64 && keep "x$nr" && flush
}
# with MEMBER...: activation with these, degraded
degraded() {
	local list=("${@/#//dev/mapper/w}")
	dm_create vol "0 $((POOL_SEGMENTS * 2048)) adshard $UUID $# ${list[*]} 1 degraded"
}
lost() { word 19; }

load_module

# --- three disks, one is gone ---------------------------------------------------------------------
REPLICAS=2 pool 3 16 6
for s in {0..5}; do ! has $s 1 || echo $s; done >/tmp/short
run "a write" write 1
run "deactivated" deactivate
klog_mark
fails "without one disk it is not activated unasked" activate 0 2
like "$(klog)" "member 1 .* is missing, and it holds metadata" "as it may know the last changes"
like "$(klog)" "degraded" "the log says what to do"
run "degraded" degraded 0 2
is "$(lost) $(stale) $(short)" "0 0 $(grep -c . /tmp/short)" "nothing is lost, its segments are short of a leg"
run "all is there" same
run "and is written" write 2
power_cut
run "activated without more ado" activate 0 2
is "$(lost) $(stale) $(short)" "0 0 $(grep -c . /tmp/short)" "as before"
run "nothing is lost" same
run "what is in doubt is made equal" wait_for 60 certain
run "deactivated" deactivate
fails "the one left out does not come back" activate

# --- a new disk in its place -------------------------------------------------------------------------
dd if=/dev/zero of="${MEMBERS[1]}" bs=1M oflag=direct status=none 2>/dev/null
run "activated" activate 0 2
# table LENGTH ARGS: another one for the live volume
table() {
	dmsetup reload vol --table "0 $(($1 * 2048)) adshard $UUID ${*:2}" && dmsetup suspend vol && dmsetup resume vol
}
run "a blank one joins" table 6 3 /dev/mapper/w{0,2,1} 2 join 1
# as member 3
MEMBERS[3]=${MEMBERS[1]}
while read -r s; do replicate "$s" 3; done </tmp/short
run "it gets legs" wait_for 60 idle
is "$(short)" 0 "no segment is short"
run "the volume gets longer" table 8 3 /dev/mapper/w{0,1,2}
is "$(legs 6 | wc -w) $(legs 7 | wc -w)" "2 2" "by segments with as many legs as the others"
is "$(short)" 0 "none is short"
dd if=/dev/urandom of=/tmp/new bs=1M count=2 status=none
run "they are written" dd if=/tmp/new of=$DEV bs=1M seek=6 oflag=direct conv=notrunc,fsync status=none
run "settled" settle
run "on both legs" equal 7
run "and shorter" table 6 3 /dev/mapper/w{0,1,2} 2 shrink_from $((8 * 2048))
run "the volume is the same" same
s=$(head -n 1 /tmp/short)
run "as are the legs" equal "$s"
run "deactivated" deactivate
run "activated with the three" activate
run "the volume is the same" same
run "a segment is resynced, or was not in doubt" wait_for 60 certain

# --- and two of three --------------------------------------------------------------------------------
for s in {0..5}; do has $s 0 || echo $s; done >/tmp/lost
run "deactivated" deactivate
run "one of three disks, degraded" degraded 0
is "$(lost)" "$(grep -c . /tmp/lost)" "lost is what has no leg there"
for s in {0..5}; do
	if grep -qx $s /tmp/lost; then
		! read_seg $s >/tmp/r 2>/dev/null || echo "$s is read"
		! replicate $s 0 2>/dev/null || echo "$s gets a leg"
	else
		constant $s || echo "$s differs"
	fi
done >/tmp/wrong
is "$(cat /tmp/wrong)" "" "all else is there"
run "deactivated" deactivate
run "activated again" activate 0
is "$(lost)" "$(grep -c . /tmp/lost)" "what is lost stays so"
run "deactivated" deactivate
done_testing
