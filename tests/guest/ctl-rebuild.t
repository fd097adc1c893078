#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A member that misses writes, and one that is gone: what status says, and that rebuild makes every
# segment whole again, what is worst off first, where it was or elsewhere.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 300
. /t/lib.sh

copies() { ctl segments -r -n -o COPIES | sort -u | tr -d ' ' | paste -sd' '; }
health() { ctl status | sed -n 's/^ state: //p'; }
on() { ctl status -r -n -o MEMBER,SEGMENTS | sed -n "s/^ *$1 //p"; }
stale() { ctl segments -r -n -o MEMBER | grep -c "($1)"; }
write() { dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none; }

load_module
members 4 24
rc 0 "create" ctl create --replicas 2 --size 20M --segment-size 1M --chunk-size 64K tank "${MEMBERS[@]}"
write 2>/dev/null
rc 0 "nothing to do" ctl rebuild tank
like "$OUT" "nothing to do: every segment has its copies" "says so"

# --- one misses writes -------------------------------------------------------------------
# all of its data area fails, its metadata does not
had=$(on 1)
member_bad 1 6144 49151
write 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
run "its copies are stale" test "$(stale 1)" = "$had"
is "$(health)" short "status: short"
like "$(ctl status)" "$had segments have 1 of 2 copies; of no use are those on ${MEMBERS[1]}" "how many, and whose fault it is"
like "$(ctl status)" "'adshardctl rebuild tank' makes them" "and what to do"
is "$(ctl segments --short -r -n -o SEGMENT | wc -l)" "$had" "segments --short lists them"
rc 1 "status --check warns" ctl status --check
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- filled again where they are -----------------------------------------------------------
member_good 1 6144 49151
rc 0 "a dry run" ctl rebuild tank --dry-run
like "$OUT" "make 0 new copies .*, fill $had again, drop 0" "tells the plan"
rc 0 "rebuild" ctl rebuild tank
like "$OUT" "$had copies made, .* 0 mismatches" "made"
is "$(copies)" "2/2" "every segment has two"
is "$(on 1)" "$had" "where they were"
is "$(stale 1)" 0 "none is stale"
is "$(health)" errors "status: no more than that it had errors"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- made elsewhere ------------------------------------------------------------------------
member_bad 1 6144 49151
write 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
run "draining: no place to fill it again" ctl member 1 draining
# worst first: one of these is to have three
rc 0 "one is worse off" ctl replicas 7 3 --detach
ctl wait idle --timeout "$(patience 15)"
rc 0 "rebuild" ctl rebuild tank
is "$(copies)" "2/2 3/3" "every segment has its copies"
is "$(on 1)" 0 "none on it"
is "$(ctl status -r -n -o MEMBER,STATE | sed -n 's/^ *1 //p')" drained "drained by that"
member_good 1 6144 49151
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
rc 0 "two of all" ctl replicas tank all 2
run "online again" ctl member 1 online

# --- in order of need: fewest copies first, then the most used -------------------------------
ctl replicas tank 3 3 >/dev/null
ctl pause >/dev/null
for ((i = 0; i < 40; i++)); do dd if=/dev/mapper/tank of=/dev/null bs=1M skip=9 count=1 iflag=direct status=none; done
rc 0 "wanted" ctl replicas tank 5,9 3 --detach
ctl abort --all >/dev/null
ctl wait idle --timeout "$(patience 8)"
rc 0 "the plan" ctl rebuild tank --dry-run --json
is "$(tr -d ' \n' <<<"$OUT" | grep -o '"segment":[0-9]*,"act":"add"' | head -n 1)" '"segment":9,"act":"add"' "the hottest comes first"
ctl resume >/dev/null
rc 0 "rebuild of one" ctl rebuild tank 5
is "$(ctl segments --short -r -n -o SEGMENT | tr -d ' ')" 9 "leaves the other"
rc 0 "rebuild" ctl rebuild tank
is "$(ctl segments --short -r -n | wc -l)" 0 "nothing is left"

# --- no room: what can be done is done, and the rest is said -----------------------------------
for m in 1 2 3; do ctl member $m draining >/dev/null; done
ctl replicas tank --cancel all >/dev/null
rc 5 "nobody takes anything" ctl replicas tank all 4
like "$OUT" "no member can take a segment|find a place" "says why"
for m in 1 2 3; do ctl member $m online >/dev/null; done
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
done_testing
