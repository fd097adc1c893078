#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad ranges that a move finds, and writes that come at the worst moment of it. The destination holds
# no metadata (of ten members, eight do), so that its flushes can be stopped and records still written.
# Checked by tests/mutations/bad-{inflight,missed,second,leftover}.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# timeout: 600
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 10 12 20
to=4
like "$(adshardctl status -r -n -o MEMBER,META)" "(^|[[:space:]])$to +none" "member $to holds no metadata"

# medium MEMBER [SECTOR COUNT]: these can't be read from the disk, but written (a bad block of null_blk
# fails both); the gate says what it holds of it
medium() {
	local d=${MEMBERS[$1]} at=$((${2:-MEMBER_SECTORS} - DATA)) bad=${3:-0} size=$((MEMBER_SECTORS - DATA))
	local end=$((at + bad))
	{
		[ $at = 0 ] || echo "0 $at linear $d $DATA"
		[ $end = $at ] || echo "$at $bad error"
		[ $end = $size ] || echo "$end $((size - end)) linear $d $((DATA + end))"
	} >/tmp/medium
	if [ -b /dev/mapper/e$1 ]; then
		dmsetup reload e$1 /tmp/medium && dmsetup suspend --noflush --nolockfs e$1 && dmsetup resume e$1
	else
		dmsetup create e$1 /tmp/medium
	fi || bail "medium $*"
}
# medium_gate MEMBER open|reads|writes: as "gate dMEMBER", with reads from the medium
medium_gate() {
	local d="${MEMBERS[$1]} $DATA" r=0 w=0
	case $2 in
	reads) r=$FOREVER ;;
	writes) w=$FOREVER ;;
	esac
	dmsetup reload d$1 --table "0 $((MEMBER_SECTORS - DATA)) delay /dev/mapper/e$1 0 $r $d $w $d 0" &&
		dmsetup suspend --noflush --nolockfs d$1 && dmsetup resume d$1 || bail "medium_gate $*"
}
medium_end() {
	gate d"$1" open
	dm_remove e"$1"
}
unread() { klog | grep -q "can't read sector $1"; }
scan() { badscan $DEV /tmp/model $((a * 2048)) 2048; }
# to the comparison, which is stopped at its reads of the source
to_verify() {
	gate w$to flushes
	start "$a" $to
	run "all is copied" wait_for 40 held w$to flushes
	medium_gate $from reads
	gate w$to open
	run "the comparison has begun" wait_for 20 held d$from reads
}

# --- a write was in flight when the source was read, and ended before the copy --------------
# (Of nothing but what can't be read: of anything else, the comparison would find that it is missing.)
from=0
a=$(on $from)
at=$(sector "$a")
medium $from "$at" 8
medium_gate $from writes
gate d$to reads
start "$a" $to
# the first chunk has failed, the four jobs are at the next ones
run "copying is under way" wait_for 20 held d$to reads 4
klog_mark
begin_put x "$a" 0 4
run "a write is on its way to the source" wait_for 5 held d$from writes
gate d$to open
run "what it writes can't be read" wait_for 20 unread $((at + 7))
fails "the write has not ended" ended x
medium $from			# it is good again, then the write goes on
medium_end $from
run "it ends" result x
keep x
run "the move is made" wait_for 40 idle
is "$(where "$a"): $(scan)" "$to: " "what was written can be read"

# --- a write that the destination missed, and a source that can't be compared any more ------
from=1
a=$(on $from)
at=$(sector "$a")
medium $from
to_verify
gate d$to errors
run "a write that misses the destination" put y "$a" 4 4
keep y
gate d$to open
medium $from $((at + 100)) 1
medium_gate $from open
run "the move is made" wait_for 40 idle
is "$(where "$a"): $(scan)" "$to: unreadable $((a * 2048 + 100)) 1" "what was written is there"
medium_end $from

# --- recorded, and the move is not: a second write is no better than the first ---------------
from=2
a=$(on $from)
at=$(sector "$a")
medium $from $((at + 16)) 8
medium_gate $from open
to_verify
gate w$to flushes		# before the record of the move, after those of its ranges
medium_gate $from open
run "the ranges are recorded, the move is not" wait_for 20 held w$to flushes
begin_put first "$a" 8 4
run "a write is being flushed" wait_for 20 held w$to flushes 2
begin_put second "$a" 8 4
sleep 1
fails "it waits until the range is out of the record" ended first
fails "and so does another one to the same place" ended second

# --- and that is all there is of it ---------------------------------------------------------
medium_end $from
power_cut
run "activates after a power cut" activate
is "$(where "$a")" $from "the segment is where it was"
dd if=$DEV of=/tmp/model bs=4K skip=$((a * 256 + 2)) seek=$((a * 256 + 2)) count=1 iflag=direct conv=notrunc status=none
is "$(scan)" "" "all of it can be read"
start "$a" $to
run "a move to the same place" wait_for 40 idle
is "$(where "$a"): $(scan)" "$to: " "nothing is bad there"
deactivate
done_testing
