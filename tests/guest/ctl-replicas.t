#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How many copies segments have: at the creation, changed both ways while a program writes, and what
# status, segments and check say of it.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 300
. /t/lib.sh

on() { ctl status -r -n -o MEMBER,SEGMENTS | sed -n "s/^ *$1 //p"; }
# copies: the distinct values of the column
copies() { ctl segments -r -n -o COPIES | sort -u | tr -d ' ' | paste -sd' '; }
# apart: no segment has two copies on one member
apart() { [ -z "$(ctl segments -r -n -o MEMBER | tr , ' ' | mawk '{ for (i = 1; i <= NF; i++) if (seen[NR, $i]++) print }')" ]; }
health() { ctl status | sed -n 's/^ state: //p'; }

load_module
members 4 24
# --- creation --------------------------------------------------------------------------
rc 5 "more copies than members" ctl create --replicas 3 tank "${MEMBERS[@]:0:2}"
like "$OUT" "3 copies of each segment need as many devices: there are 2" "says so"
rc 2 "five copies" ctl create --replicas 5 tank "${MEMBERS[@]}"
rc 5 "no room" ctl create --replicas 2 --size 60M --segment-size 1M tank "${MEMBERS[@]}"
like "$OUT" "60 MiB need 60 segments with 2 copies each; the devices have room for 42 of them" "with numbers"
rc 0 "a dry run" ctl create --replicas 2 --segment-size 1M --dry-run tank "${MEMBERS[@]}"
like "$OUT" "in 31 segments of 1 MiB .*, 2 copies of each, 22 MiB free" "tells what there would be"
rc 0 "create" ctl create --replicas 2 --size 24M --segment-size 1M --chunk-size 64K tank "${MEMBERS[@]}"
is "$(copies)" "2/2" "every segment has two copies"
run "on two members each" apart
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
is "$(health)" healthy "status: healthy"

# --- up --------------------------------------------------------------------------------
rc 0 "a dry run" ctl replicas tank 0-3 3 --dry-run
like "$OUT" "would make 4 new copies \(4 MiB\), fill 0 again, drop 0.*nothing was done" "tells the plan"
is "$(copies)" "2/2" "and does nothing"
rc 0 "three copies of four segments" ctl replicas tank 0-3 3
like "$OUT" "4 copies made, 4 MiB copied, .* 0 mismatches" "made and compared"
is "$(ctl segments -r -n -R 0-3 -o COPIES | sort -u | tr -d ' ')" "3/3" "there they are"
is "$(ctl segments -r -n -R 4-23 -o COPIES | sort -u | tr -d ' ')" "2/2" "and nowhere else"
run "never two on a member" apart
rc 0 "once more: nothing to do" ctl replicas tank 0-3 3
like "$OUT" "nothing to do: every segment has its copies" "says so"
rc 5 "four copies of all: no room" ctl replicas all 4
like "$OUT" "can't give 24 segments 4 copies each: 44 more are needed, of which [0-9]+ find a place" "with numbers"
is "$(copies)" "2/2 3/3" "nothing was changed"
rc 4 "a segment that there is not" ctl replicas 24 2

# --- interrupted, cancelled ----------------------------------------------------------------
ctl throttle --rate 512K >/dev/null
adshardctl replicas tank 4-11 3 >/tmp/out 2>&1 &
pid=$!
wait_for 30 grep -q "%" /tmp/out
like "$(health)" rebuilding "status: copies are being made"
like "$(ctl status)" "segment [0-9]+: new copy on /dev/member[0-3], from /dev/member[0-3], " "and which"
kill -INT $pid
status=0
wait $pid || status=$?
is $status 7 "interrupted: exit code 7"
rc 0 "cancelled" ctl replicas --cancel all
ctl throttle --rate 0 >/dev/null
rc 0 "nothing moves any more" ctl wait idle --timeout "$(patience 15)"
is "$(ctl segments --short -r -n -o SEGMENT | wc -l)" 0 "what there is is what there should be"
is "$(health)" healthy "status: healthy"

# --- detached, paused; then rebuilt ------------------------------------------------------------
ctl pause >/dev/null
rc 0 "detached" ctl replicas tank 12-15 3 --detach
like "$(health)" short "status while paused: short"
like "$(ctl status)" "4 segments have 2 of 3 copies" "how many and what they have"
like "$(ctl status)" "'adshardctl resume': copying is paused" "and what to do"
ctl resume >/dev/null
rc 0 "rebuild waits for them" ctl rebuild tank
is "$(ctl segments -r -n -R 12-15 -o COPIES | sort -u | tr -d ' ')" "3/3" "they are there"

# --- down, while it is written to ---------------------------------------------------------------
(while [ ! -e /tmp/stop ]; do dd if=/dev/zero of=/dev/mapper/tank bs=64K count=16 oflag=direct conv=notrunc status=none; done) &
writer=$!
rc 0 "one copy of each" ctl replicas tank all 1
like "$OUT" "[0-9]+ copies dropped" "dropped"
is "$(copies)" "1/1" "every segment has one"
rc 0 "and two again" ctl replicas tank all 2
is "$(copies)" "2/2" "every segment has two"
run "on two members each" apart
touch /tmp/stop
wait $writer
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)

# --- moved: one copy of several --------------------------------------------------------------
read -r from other < <(ctl segments -r -n -R 5 -o MEMBER | tr , ' ')
for to in 0 1 2 3; do [ $to = "$from" ] || [ $to = "$other" ] || break; done
rc 2 "which copy?" ctl migrate 5 --to $to
like "$OUT" "segment 5 has 2 copies: which one moves" "asks"
rc 5 "never beside the other" ctl migrate 5 --from "$from" --to "$other"
like "$OUT" "another copy on" "says why"
rc 0 "one of them" ctl migrate 5 --from "$from" --to $to --wait
is "$(ctl segments -r -n -R 5 -o MEMBER | tr -d ' ' | tr , '\n' | sort | paste -sd,)" "$(printf '%s\n' $to "$other" | sort | paste -sd,)" "there it is"
rc 0 "a member is emptied" ctl evacuate 2
like "$OUT" "drained; may be pulled" "to the end"
is "$(on 2)" 0 "nothing is on it"
is "$(copies)" "2/2" "and every segment still has two copies"
run "on two members each" apart
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
run "back online" ctl member 2 online

# --- what lies on the disks --------------------------------------------------------------------
run "deactivate" ctl deactivate tank
rc 0 "check" ctl check tank
rc 0 "dump" ctl dump --segments "${MEMBERS[0]}"
like "$OUT" "segment 5: member [0-3], chunk [0-9]+; member [0-3], chunk [0-9]+; 2 wanted" "both copies"
rc 0 "without one of the disks" ctl activate --degraded --dry-run -d "${MEMBERS[0]}" -d "${MEMBERS[1]}" -d "${MEMBERS[2]}" tank
like "$OUT" "member 3 is missing: [0-9]+ segments of its have another copy.*no segment is lost" "what that would mean"
run "activate" ctl activate tank
is "$(copies)" "2/2" "two copies"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
done_testing
