#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# adshardctl evacuate: plans, adopts, survives its own death, finds other destinations.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

state() { ctl status -r -n -o MEMBER,STATE | sed -n "s/^ *$1 //p"; }
on() { ctl status -r -n -o MEMBER,SEGMENTS | sed -n "s/^ *$1 //p"; }
segments() { ctl segments -r -n --member "$1" -o SEGMENT | wc -l; }
moving() { ctl status | grep -q "segment .* -> "; }
is_state() { [ "$(state "$1")" = "$2" ]; }

load_module
members 4 24
run "create" ctl create --segment-size 1M --chunk-size 64K tank "${MEMBERS[@]}"
fill() { dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none; }
fill 2>/dev/null
sum=$(md5sum </dev/mapper/tank)

# --- the whole way -------------------------------------------------------------------
rc 0 "dry run" ctl evacuate 1 --dry-run
like "$OUT" "would move 1[0-9] segments" "tells the plan"
is "$(state 1)" online "and does nothing"
rc 0 "evacuate" ctl evacuate "${MEMBERS[1]}"
like "$OUT" "100.0%.*0 mismatches.*drained; may be pulled" "to the end"
is "$(state 1)" drained "its state"
is "$(segments 1)" 0 "its segments"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
rc 0 "evacuate again: nothing to do" ctl evacuate 1
like "$OUT" "drained already" "says so"
rc 0 "wait drained" ctl wait drained 1

# --- no room for a second one --------------------------------------------------------
rc 5 "no room" ctl evacuate 2
like "$OUT" "needs [0-9]+ slots, [0-9]+ free on ${MEMBERS[0]}, ${MEMBERS[3]}" "with numbers"
is "$(state 2)" online "and nothing was done"
rc 5 "two at once exclude each other" ctl evacuate 1 2 3 0
rc 0 "back online" ctl member 1 online

# --- killed in the middle ------------------------------------------------------------
ctl throttle --rate 1M >/dev/null
adshardctl evacuate 2 >/tmp/out 2>&1 &
pid=$!
wait_for 30 moving
kill -9 $pid
wait $pid 2>/dev/null
is "$(state 2)" draining "killed: still draining"
like "$(ctl status)" "job: evacuate ${MEMBERS[2]}, draining: [0-9.]+%, [0-9]+ of [0-9]+ segments" "status shows how far it is"
like "$(ctl status)" "limits: each member: copying 1 MiB/s from it and to it.*1 MiB/s from ${MEMBERS[2]}, by ceiling" \
	"and what holds it back"
left=$(ctl status | sed -n 's/.*moving: .* \([0-9]*\) queued.*/\1/p')
run "killed: the kernel goes on" test -n "$left"
rc 0 "detach adopts" ctl evacuate 2 --detach
like "$OUT" "on the way already" "says so"
# an interrupted one says that it goes on
adshardctl evacuate 2 >/tmp/out 2>&1 &
pid=$!
wait_for 30 grep -q "%" /tmp/out
kill -INT $pid
status=0
wait $pid || status=$?
is $status 7 "interrupted: exit code 7"
like "$(cat /tmp/out)" "the kernel goes on" "says so"
ctl throttle --rate 0 >/dev/null
rc 0 "adopted to the end" ctl evacuate 2
is "$(state 2)" drained "drained"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
ctl member 2 online >/dev/null

# --- cancelled -----------------------------------------------------------------------
ctl throttle --rate 1M >/dev/null
adshardctl evacuate 0 >/tmp/out 2>&1 &
pid=$!
wait_for 30 is_state 0 draining
sleep 1
rc 0 "cancel" ctl evacuate 0 --cancel
status=0
wait $pid || status=$?
is $status 8 "the one that waited ends"
like "$(cat /tmp/out)" "is online now: its evacuation has ended" "says why"
is "$(state 0)" online "online again"
rc 0 "nothing moves any more" ctl wait idle --timeout "$(patience 8)"
run "what has not moved is still there" test "$(segments 0)" -gt 0
ctl throttle --rate 0 >/dev/null

# --- paused: no guess, no end; --detach and wait -------------------------------------
ctl pause >/dev/null
rc 0 "detach while paused" ctl evacuate 0 --detach
rc 7 "wait times out" ctl wait drained 0 --timeout 1
like "$(ctl status)" "copying is paused" "status tells what to do"
ctl resume >/dev/null
rc 0 "wait drained" ctl wait drained 0 --timeout "$(patience 15)"
ctl member 0 online >/dev/null

# --- a destination that can't be written ---------------------------------------------
# behind the metadata, so that only the copying meets it; the one with the most room, and room
# for some on another one
target=0
rc 0 "room elsewhere" ctl migrate "$(ctl segments -r -n --member 1 -o SEGMENT | head -n 2 | tr -d ' ' | paste -sd,)" --to 0 --wait
member_bad $target 6144 49151
before=$(segments $target)
rc 8 "a bad destination is left for others" ctl evacuate 3
like "$OUT" "could not be written to ${MEMBERS[target]}: " "says who failed"
like "$OUT" "stays on ${MEMBERS[3]}" "and what there is no room for elsewhere"
is "$(segments $target)" "$before" "nothing went to the bad one"
is "$(segments 1)" 21 "but all that fits to the other"
member_good $target 6144 49151
rc 0 "it is good again" ctl evacuate 3
is "$(state 3)" drained "drained"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- progress in other forms ---------------------------------------------------------
ctl member 3 online >/dev/null
ctl evacuate 1 --progress=json | head -n 1 >/tmp/first
like "$(cat /tmp/first)" "segments? to move|adshardctl.progress" "NDJSON"
wait_for 60 is_state 1 drained
is "$(state 1)" drained "the reader went away, the evacuation did not"
done_testing
