#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A source that takes seconds for a read, or never answers: writes go on meanwhile, also to the
# chunk that is being read, and other segments get away first. Likewise for what it can't read.
# A source that fails writes only, and then reads: the destination has what it had, and keeps it.
# Checked by tests/mutations/slow-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# timeout: 600
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
adshardctl events --follow >/tmp/events 2>/dev/null &
EVENTS=$!
trap 'kill $EVENTS; wait; cleanup' EXIT

# part KIND SEG FIRST COUNT: these sectors of a segment, on the disk it is on, hang when they are
# read, or can't be (errors), or take long (a number of ms); whole SEG: no more
part() {
	local i at size=$((MEMBER_SECTORS - DATA)) table
	i=$(where "$2")
	at=$(($(sector "$2") - DATA + $3))
	case $1 in
	hang) table="delay ${MEMBERS[i]} $((DATA + at)) $FOREVER ${MEMBERS[i]} $((DATA + at)) 0" ;;
	errors) table=error ;;
	*) table="delay ${MEMBERS[i]} $((DATA + at)) $1 ${MEMBERS[i]} $((DATA + at)) 0" ;;
	esac
	{
		[ $at = 0 ] || echo "0 $at linear ${MEMBERS[i]} $DATA"
		echo "$at $4 $table"
		[ $((at + $4)) = $size ] ||
			echo "$((at + $4)) $((size - at - $4)) linear ${MEMBERS[i]} $((DATA + at + $4))"
	} | dmsetup reload "d$i" && dmsetup suspend --noflush --nolockfs "d$i" && dmsetup resume "d$i" || bail "part $*"
}
whole() { gate "d$(where "$1")" open; }
hangs() { [ "$(dmsetup status "d$1" | awk '$3 == "delay" { print $4 }')" -ge "${2:-1}" ]; }
copied() { [ "$(word 11)" -ge "$1" ]; }
aside() { adshardctl status --json | grep -q '"aside": *true'; }
# the segments whose moves were made, in their order
order() { sed -n 's/.*migration-done.*segment[ =]*\([0-9]*\).*/\1/p' /tmp/events | tr '\n' ' '; }
scan() { badscan $DEV /tmp/model $(($1 * 2048)) 2048; }

# --- a read that does not return ------------------------------------------------------
a=$(on 0)
before=$(word 11)
part hang "$a" $((3 * 128 + 64)) 64		# the second half of chunk 3
start "$a" 1
run "a read hangs" wait_for 20 hangs 0
run "all other chunks of the segment are copied" wait_for 20 copied $((before + 15 * 65536))
begin_put w "$a" $((3 * 64)) 4
run "a write to what was read already ends" result w
keep w
begin_put v "$a" $((3 * 64 + 40)) 4
run "a write to what hangs ends" result v
keep v
b=$((a + 1)) c=$((a + 2))
while ! at $b 0; do b=$((b + 1)); done
c=$((b + 1))
while ! at $c 0; do c=$((c + 1)); done
adshardctl throttle --jobs 1 >/dev/null
gate d1 writes
start $b 1
run "another one takes its place" wait_for 20 held d1 writes
run "it has stepped aside" aside
is "$(word 6) $(word 7)" "1 1" "and counts as queued"
gate d1 open
run "the other one gets there" wait_for 30 at $b 1
start $c 1
run "again" wait_for 30 at $c 1
is "$(where "$a")" 0 "while it is where it was"
begin_put u "$a" $((3 * 64 + 44)) 4
run "a write to what hangs still ends" result u
keep u
whole "$a"
run "the read returns, and the move is made" wait_for 30 at "$a" 1
run "it ends" wait_for 20 idle
is "$(word 9) $(word 13)" "0 0" "nothing failed, the legs never differed"
is "$(scan "$a")$(scan $b)$(scan $c)" "" "all has what was written"
like "$(order)" "$b $c $a " "the order"

# --- the same, aborted ----------------------------------------------------------------
d=$(on 0)
part hang "$d" 64 64
start "$d" 1
run "a read hangs" wait_for 20 hangs 0
aborted=$(word 10)
dmsetup message vol 0 abort "$d"
sleep 1
is "$(word 10)" "$aborted" "an abort waits for it: the buffer is the disk's"
begin_put x "$d" 40 4
run "writes go on" result x
keep x
whole "$d"
run "it returns" wait_for 20 idle
is "$(word 10) $(where "$d") $(scan "$d")" "$((aborted + 1)) 0 " "aborted, with all data"

# --- reads that take long -------------------------------------------------------------
: >/tmp/events
adshardctl throttle --slow 100ms >/dev/null
e=$(on 0)
f=$((e + 1))
while ! at $f 0; do f=$((f + 1)); done
part 400 "$e" 0 2048
start "$e" 1
start $f 1
run "both are moved" wait_for 120 idle
like "$(order)" "$f $e " "the one that can be read soon comes first"
adshardctl throttle --slow 0 >/dev/null
whole "$e"

# --- what can't be read comes last ----------------------------------------------------
: >/tmp/events
g=$(on 0)
h=$((g + 1))
while ! at $h 0; do h=$((h + 1)); done
part errors "$g" 1000 8
dmsetup message vol 0 pause
start "$g" 2
start $h 2
dmsetup message vol 0 resume
run "both are moved" wait_for 60 idle
like "$(order)" "$h $g " "the one without errors comes first"
is "$(scan "$g")$(scan $h)" "unreadable $((g * 2048 + 1000)) 8" "with all that could be read"
gate d0 open

# --- a source that fails a write ------------------------------------------------------
adshardctl throttle --jobs 8 >/dev/null
k=$(on 0)
base=$((k * 2048))
gate d2 flushes
start "$k" 2
run "all is copied, and about to be flushed" wait_for 20 held d2 flushes
at_k=$(sector "$k")
member_bad 0 $((at_k + 8)) $((at_k + 8))
fails "a write that the source does not take is an error" put bad "$k" 4 4
run "one beside it is none" put good "$k" 32 4
keep good
member_bad 0 "$at_k" $((at_k + 127))		# and now nothing of the chunk can be read
gate d2 open
run "the move is made" wait_for 60 idle
is "$(where "$k") $(word 9)" "2 0" "well"
# what the write that failed went over may have either content
dd if=$DEV of=/tmp/model bs=512 skip=$((base + 8)) seek=$((base + 8)) count=8 iflag=direct conv=notrunc status=none
is "$(scan "$k") $(dm_status vol | awk '{ print $21 }')" " 8" "nothing of it is bad: the destination had all of it"

done_testing
