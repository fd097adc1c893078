#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Segments with two and three legs: writes reach all of them, reads come from any, and what fails on
# one is no error. Each of the ways to lose data that several legs bring is walked up to: a power cut
# between two legs, a leg that missed a write, one that lost its cache.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 900
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
REPLICAS=2 pool 3 16 9

# --- stable -------------------------------------------------------------------------------
for s in {0..8}; do legs $s; done >/tmp/legs
is "$(mawk 'NF != 2 || $1 == $2' /tmp/legs)" "" "every segment has two legs, on two members"
is "$(tr ' ' '\n' </tmp/legs | grep -c .)" 18 "and there are eighteen"
for m in 0 1 2; do grep -ow $m /tmp/legs | wc -l; done | sort -u >/tmp/spread
is "$(cat /tmp/spread)" 6 "spread evenly"
run "the volume has what was written" same
is "$(stale) $(short) $(doubt)" "0 0 0" "no leg is stale, no segment short or in doubt"
run "flushed" flush
run "both legs have it" equal 3
run "a write" put w1 3 100 8
keep w1
run "is there" contents w1 3 100
run "settled" settle
run "and on both legs" equal 3
run "deactivated" deactivate
run "and activated" activate
is "$(doubt)" 0 "a clean deactivation leaves no doubt"
run "nor a difference" same

# --- the intent comes first --------------------------------------------------------------------
run "settled" settle
gates stop j0 j1 j2
for d in d0 d1 d2; do written $d; done >/tmp/before
begin_put w2 4 0 64
sleep 1
fails "while no record can be written, a write doesn't end" ended w2
for d in d0 d1 d2; do written $d; done >/tmp/after
run "nor is it sent to any leg" cmp /tmp/before /tmp/after
power_cut
run "activated after a power cut" activate
run "the legs are the same" equal 4
run "what is read is what was written before" same

# --- power cut between two legs -------------------------------------------------------------
run "a write sets the intent" put w3 5 0 8
keep w3
run "flushed" flush
a=$(leg 5 0) b=$(leg 5 1)
# in the first's cache only, and on the other's medium
run "blank blocks" forget "$a" $(($(place 5 "$a") + 64)) 64
begin_put w4 5 32 64
run "one that is not flushed" result w4
run "of which one disk has all" sync "${MEMBERS[b]}"
power_cut
run "activated after the power cut" activate
# or the kernel makes them equal
dmsetup message vol 0 pause
is "$(doubt)" 1 "the segment is in doubt"
fails "its legs differ" equal 5
run "what is read is always the same" steady 5
cp /tmp/steady /tmp/first
run "deactivated" deactivate
run "and activated again" activate
dmsetup message vol 0 pause
is "$(doubt)" 1 "still in doubt"
run "what is read" steady 5
run "is what was read before" cmp /tmp/steady /tmp/first
# a reader that has to wait is no reason to ask the other one
gate "d$(leg 5 0)" reads
read_seg 5 >/tmp/r1 &
wait_for 10 held "d$(leg 5 0)" reads
dd if=$DEV bs=64K skip=$((5 * 16)) count=2 iflag=direct status=none >/tmp/r2 &
sleep 1
gate "d$(leg 5 0)" open
wait
run "nor does it depend on who is busy" cmp -n 131072 /tmp/r2 /tmp/first
# whoever writes it anew has it on both
cp /tmp/first /tmp/put.w5
dd if=/tmp/put.w5 of=/tmp/model bs=1M seek=5 conv=notrunc status=none
run "written again" dd if=/tmp/put.w5 of=$DEV bs=1M seek=5 oflag=direct conv=notrunc status=none
run "settled" settle
run "the legs are the same" equal 5
run "and the volume" same

# --- overlapping writes ----------------------------------------------------------------------
a=$(leg 6 0) b=$(leg 6 1)
run "the intent is there" put w6 6 0 8
keep w6
gate "d$a" writes
begin_put w7 6 128 64
wait_for 10 held "d$a" writes
n=$(count "d$b")
begin_put w8 6 160 64
sleep 1
is "$(count "d$b")" "$n" "a write that overlaps one in flight reaches no leg"
gate "d$a" open
run "the first ends" result w7
keep w7
run "then the second" result w8
keep w8
run "settled" settle
run "the legs are the same" equal 6
run "as is the volume" same

# --- reads that fail -------------------------------------------------------------------------
a=$(leg 7 0) b=$(leg 7 1)
at=$(place 7 "$a") bt=$(place 7 "$b")
member_bad "$a" $((at + 200)) $((at + 207))
run "a block that the primary can't read" constant 7
member_bad "$b" $((bt + 216)) $((bt + 223))
run "and another one that the other can't" constant 7
member_bad "$b" $((bt + 200)) $((bt + 207))
fails "what none can read is an error" dd if=$DEV of=/dev/null bs=4K skip=$((7 * 256 + 25)) count=1 iflag=direct
run "and nothing else" dd if=$DEV of=/dev/null bs=4K skip=$((7 * 256 + 26)) count=1 iflag=direct
member_good "$a" $((at + 200)) $((at + 207))
member_good "$b" $((bt + 200)) $((bt + 207))
member_good "$b" $((bt + 216)) $((bt + 223))
is "$(stale)" 0 "errors of reads make no leg stale"

# --- a leg that misses a write -----------------------------------------------------------------
a=$(leg 8 0) b=$(leg 8 1)
run "the intent is there" put w9 8 0 8
keep w9
run "flushed" flush
gates stop j0 j1 j2
gate "d$a" errors
begin_put w10 8 256 64
sleep 1
fails "a write that the primary missed doesn't end before the record" ended w10
begin_put w11 8 512 64
sleep 1
fails "nor does one that was not even sent there" ended w11
is "$(leg 8 0)" "$b" "the other one is the primary"
gates open j0 j1 j2
run "with the record it ends well" result w10
keep w10
run "and the other" result w11
keep w11
is "$(stale) $(short)" "1 1" "one leg is stale"
run "what is read is what was written" constant 8
run "flushed" flush
gate "d$a" open
power_cut
run "activated after a power cut" activate
is "$(stale)" 1 "the leg is stale"
is "$(leg 8 0)" "$b" "the other one is the primary"
run "what is read is what was written" same
run "again and again" constant 8

# --- a flush that fails ----------------------------------------------------------------------
# not on the member with the only leg of segment 8: there it would be an error
for s in {3..7}; do [ "$(leg $s 0)" != "$a" ] || break; done
run "blank blocks" forget "$a" $(($(place $s "$a") + 64)) 64
before=$(stale)
# at hand: when nobody has written for some seconds the kernel flushes by itself
dmsetup reload "w$a" --table "0 $MEMBER_SECTORS flakey /dev/mapper/m$a 0 0 86400 1 error_writes"
run "a write in both caches" put w12 $s 32 64
dmsetup suspend --noflush --nolockfs "w$a"
dmsetup resume "w$a"
run "a flush that one member fails ends well" flush
[ "$(stale)" -gt "$before" ]
ok $? "its leg is stale"
keep w12
run "what is read is what was written" constant $s
gate "w$a" open
power_cut
run "activated after a power cut" activate
run "nothing is lost" same
owner=$b

# --- and one where nobody else has it ------------------------------------------------------------
run "a write to the one with one leg in sync" put w13 8 0 8
keep w13
gate "w$owner" errors
fails "a flush that its member fails is an error" flush
gate "w$owner" open
run "deactivated" deactivate
run "and activated" activate
run "nothing is lost" same

run "deactivated" deactivate
done_testing
