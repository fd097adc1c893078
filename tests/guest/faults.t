#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Devices that fail during a migration: what the user sees, what is durable.
#
# Each member is put together of three parts, so that its journal and its data can be made to
# fail or to be slow by themselves:   m0 = [head] [j0: journal] [tables] [d0: data]
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

load_module
modprobe -a dm-flakey dm-delay
sectors=49152 journal=128 tables=2048 data=6144
members 4 $((sectors / 2048))

# part NAME DEVICE LENGTH START KIND: (re)loads a part as linear, as one that fails writes, or as one
# that keeps them: nothing depends on how fast the machine is. Loaded anew it lets them go.
part() {
	local name=$1 base=$2 length=$3 from=$4 table
	case $5 in
	good) table="0 $length linear $base $from" ;;
	bad) table="0 $length flakey $base $from 0 3600 1 error_writes" ;;
	kept) table="0 $length delay $base $from 0 $base $from 3600000" ;;
	esac
	if dmsetup info "$name" >/dev/null 2>&1; then
		dmsetup reload "$name" --table "$table" && dmsetup resume "$name"
	else
		dmsetup create "$name" --table "$table"
	fi
}
journal() { part "j$1" "${MEMBERS[$1]}" $((tables - journal)) $journal "$2"; }
data() { part "d$1" "${MEMBERS[$1]}" $((sectors - data)) $data "$2"; }
for i in 0 1 2 3; do
	journal $i good
	data $i good
	dmsetup create m$i <<-END
		0 $journal linear ${MEMBERS[i]} 0
		$journal $((tables - journal)) linear /dev/mapper/j$i 0
		$tables $((data - tables)) linear ${MEMBERS[i]} $tables
		$data $((sectors - data)) linear /dev/mapper/d$i 0
	END
done
devs="/dev/mapper/m0 /dev/mapper/m1 /dev/mapper/m2 /dev/mapper/m3"
dm_create vol "0 98304 adshard - 4 $devs 4 segment_size 2048 chunk_size 128"
table=$(dmsetup table vol)
uuid=$(cut -d' ' -f4 <<<"$table")
dev=/dev/mapper/vol
dd if=/dev/urandom of=/tmp/data bs=1M count=48 status=none
dd if=/tmp/data of=$dev bs=1M oflag=direct status=none

# 1: state, 6: active, 7: queued, 8: done, 9: failed, 12: chunks verified
word() { dm_status vol | cut -d' ' -f$((3 + $1)); }
where() { dmsetup message vol 0 locate "$1" | cut -d' ' -f1; }
migrate() { dmsetup message vol 0 migrate "$1" "$2"; }
idle() { [ "$(word 6) $(word 7)" = "0 0" ]; }
same() { cmp /tmp/data <(dd if=$dev bs=1M iflag=direct status=none); }
# seg_not_on MEMBER: a segment that lives elsewhere
seg_on() { for s in $(seq 0 47); do [ "$(where "$s")" != "$1" ] || { echo "$s"; return; }; done; }
# put SEGMENT: writes a new megabyte there, in the model too
put() {
	dd if=/dev/urandom of=/tmp/one bs=1M count=1 status=none
	dd if=/tmp/one of=/tmp/data bs=1M seek="$1" conv=notrunc status=none
	dd if=/tmp/one of=$dev bs=1M seek="$1" oflag=direct conv=notrunc,fsync status=none
}

# 1. the destination does not take writes
a=$(seg_on 0)
data 2 bad
migrate "$a" 2
run "the move ends" wait_for 20 idle
is "$(word 9)" 1 "it is counted as failed"
is "$(where "$a")" 0 "the segment is where it was"
run "the data is right" same
data 2 good
migrate "$a" 2
wait_for 20 idle
is "$(where "$a") $(word 8)" "2 1" "and it can be moved when the disk is good again"

# 2. a part of the source can't be read: neither can it be after the move, until it is written
b=$(seg_on 1)
first=$(dmsetup message vol 0 locate "$b" | cut -d' ' -f3)
member_bad 1 $((first + 100)) $((first + 107))
migrate "$b" 3
wait_for 20 idle
is "$(word 9) $(where "$b")" "1 3" "an unreadable part: the move is made"
member_good 1 $((first + 100)) $((first + 107))
fails "it can't be read" same
put "$b"
run "written anew, the data is right" same

# Records are kept from the members until the test lets them go: it has all the time of the world
# in the middle of a commit.
journals() { local i; for i in 0 1 2 3; do journal $i "$1"; done; }
records_sent() { for i in 0 1 2 3; do [[ $(dmsetup status j$i) == *" delay 0 1 "* ]] || return; done; }
# commit_open SEGMENT MEMBER: moves it there as far as into the commit
commit_open() {
	journals kept
	migrate "$1" "$2"
	run "all is verified, the record on its way" wait_for 50 records_sent
}
# writes NAME: how many this device has completed
writes() { awk '{print $5}' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1")/stat"; }
writes_more() { [ "$(writes "$1")" -gt "$2" ]; }

# 3. a write during the commit does not reach the destination: the commit is taken back
#    (with the window of chunk.c switched off, this write is lost at the next activation)
c=$(seg_on 0)
klog_mark
commit_open "$c" 3
data 3 bad
before=$(writes m3)
put "$c" &
put=$!
run "the destination fails the write" wait_for 20 writes_more m3 "$before"
journals good
wait $put
ok $? "the write ends well"
wait_for 20 idle
like "$(klog)" "segment $c: migration failed: the destination failed during the commit" "it was caught in the commit"
data 3 good
is "$(where "$c")" 0 "the segment stays with its source"
run "the data is right" same
dm_remove vol
run "activates" dm_create vol "$table"
is "$(where "$c")" 0 "the source is the owner after activation too"
run "the data is right after activation" same

# 3b. a flush on the destination during a commit is not acknowledged before its outcome is known
#     (with ads_flush_hold() made to return false it is)
f=$(seg_on 0)
other=$(seg_on 1)
commit_open "$f" 3
is "$(where "$f")" 0 "the commit is not over"
before=$(writes vol)
{ put "$other" && where "$f"; } >/tmp/owner &
put=$!
run "a write elsewhere ends" wait_for 20 writes_more vol "$before"
# time for the flush behind it to end, if nothing keeps it
sleep 3
journals good
wait $put
is "$(cat /tmp/owner)" 3 "it is when a flush behind it has ended"
wait_for 20 idle
run "the data is right" same

# 4. one journal fails: the commit goes on without it
d=$(seg_on 0)
journal 1 bad
migrate "$d" 3
wait_for 20 idle
is "$(where "$d") $(word 1)" "3 degraded" "one metadata member fails: the move is made, the pool degraded"
dm_remove vol
journal 1 good
fails "the member that missed it can't bring back the old state" dm_create vol "0 98304 adshard $uuid 1 /dev/mapper/m1"
dmsetup remove vol 2>/dev/null
run "all together activate" dm_create vol "$table"
is "$(where "$d")" 3 "with what was committed"
run "the data is right" same

# 5. no journal takes the commit: nobody knows, so both legs are written until the next activation
e=$(seg_on 2)
for i in 0 1 2 3; do journal $i bad; done
migrate "$e" 0
run "the pool is stuck" wait_for 20 eval '[ "$(word 1)" = stuck ]'
# a cache that failed to take a record may have lost more: that is told once
fails "a flush says so" put "$e"
run "writes go on" put "$e"
fails "further moves are refused" migrate "$((e + 1))" 1
dm_remove vol
for i in 0 1 2 3; do journal $i good; done
run "activates" dm_create vol "$table"
run "the data is right, whoever owns it" same
diag "segment $e is on member $(where "$e")"

# 6. a drained member can be pulled
dmsetup message vol 0 member 3 draining
for s in $(seq 0 47); do
	[ "$(where "$s")" != 3 ] || dmsetup message vol 0 migrate "$s" $((s % 3))
done
wait_for 60 idle
fails "a drained member takes no data" migrate 0 3
fails "a member that holds data can't be declared failed" dmsetup message vol 0 member 0 failed
dmsetup reload m3 --table "0 $sectors error" && dmsetup resume m3
run "writes and flushes go on without the disk" put 7
migrate 7 $((($(where 7) + 1) % 3))
wait_for 20 idle
run "moves too" same
is "$(word 1)" ok "the pool is not degraded: nothing was lost"
dm_remove vol
run "activates with the three that are left" dm_create vol "0 98304 adshard $uuid 3 ${devs% *}"
run "the data is right" same
dm_remove vol
dmsetup remove m0 m1 m2 m3
done_testing
