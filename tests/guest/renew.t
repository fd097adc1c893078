#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Segments that were lost with their members get a place again: nothing is made up for what they held,
# what is written is good, and the members can leave. With one copy, and with several.
# Checked by tests/mutations/renew-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 300
. /t/lib.sh

rc() {
	local want=$1 name=$2 status=0
	shift 2
	OUT=$("$@" 2>&1) || status=$?
	is $status "$want" "$name" || diag "$OUT"
}
ctl() { adshardctl "$@"; }
vol=/dev/mapper/tank
lost() { ctl status --json | jq '.pools[0].lost_segments'; }
bad() { ctl status --json | jq '.pools[0].bad_bytes'; }
# block N: 4 KiB, as they were written; unreadable N
block() { cmp -s <(dd if=$vol bs=4k skip="$1" count=1 iflag=direct status=none) <(dd if=/run/data bs=4k skip="$1" count=1 status=none); }
unreadable() { ! dd if=$vol of=/dev/null bs=4k skip="$1" count=1 iflag=direct 2>/dev/null; }
# write FIRST-BLOCK COUNT: what was there once
write() { dd if=/run/data of=$vol bs=4k skip="$1" seek="$1" count="$2" oflag=direct conv=notrunc status=none; }
# others: every segment but those in $gone is what it was
others() {
	local i wrong=0
	for ((i = 0; i < segments; i++)); do
		[[ " $gone " == *" $i "* ]] ||
			cmp -s <(dd if=$vol bs=1M skip=$i count=1 iflag=direct status=none) <(dd if=/run/data bs=1M skip=$i count=1 status=none) ||
			wrong=$((wrong + 1))
	done
	[ $wrong = 0 ]
}
fill() {
	segments=$1
	dd if=/dev/urandom of=/run/data bs=1M count="$1" status=none
	dd if=/run/data of=$vol bs=1M oflag=direct status=none
}

load_module
members 4 40
d=("${MEMBERS[@]}")
run "a pool" ctl create --segment-size 1M --chunk-size 64K --size 24M tank "${d[@]}"
fill 24
gone=$(ctl segments -r -n --member 2 -o SEGMENT | tr -d ' ' | tr '\n' ' ')
read -r first second _ <<<"$gone"
run "deactivated" ctl deactivate tank
run "a member is gone for good" ctl activate --degraded -d "${d[0]}" -d "${d[1]}" -d "${d[3]}" tank
is "$(lost)" "$(wc -w <<<"$gone")" "its segments are lost"
like "$(ctl status)" "'adshardctl renew all' lets these segments be written again" "status says what to do"

# --- what is refused -----------------------------------------------------------------------

rc 5 "it can't be removed" ctl member remove 2
like "$OUT" "lost segments were on it: 'adshardctl renew all'" "says why, and what to do"
rc 5 "a segment that is not lost" ctl renew tank "$(ctl segments -r -n --member 0 -o SEGMENT | head -n 1 | tr -d ' ')"
like "$OUT" "is not lost: nothing was done" "says so"
rc 4 "one that there is not" ctl renew tank 24
rc 5 "to the member that has failed" ctl renew tank "$first" --to 2
rc 0 "a dry run" ctl renew tank all --dry-run
like "$OUT" "would give $(wc -w <<<"$gone") lost segments a place" "tells what it would do"
is "$(lost)" "$(wc -w <<<"$gone")" "nothing was done"

# --- one: nothing is in it but what is written -------------------------------------------------

rc 0 "one" ctl renew tank "$first" --to 0
like "$OUT" "1 segment has a place again, with nothing in it: reads fail until it is written" "says so"
is "$(lost)" "$(($(wc -w <<<"$gone") - 1))" "it is lost no more"
is "$(ctl segments -r -n -R "$first" -o MEMBER | tr -d ' ')" 0 "it is there"
at=$((first * 256))
run "what it held can't be read" unreadable $at
run "to its end" unreadable $((at + 255))
run "a write" write $((at + 100)) 1
run "is read" block $((at + 100))
run "what is before can't be" unreadable $((at + 99))
run "nor what is behind" unreadable $((at + 101))
is "$(bad)" $(((256 - 1) * 4096)) "the rest of it is bad"
run "a lost one still fails" unreadable $((second * 256))
run "all others are what they were" others
rc 0 "once more: it is not lost" ctl renew tank all --dry-run
like "$OUT" "would give $(($(wc -w <<<"$gone") - 1)) lost" "says so"
ctl deactivate tank
run "active again, without more ado" ctl activate tank
run "what was written" block $((at + 100))
run "what was not" unreadable $((at + 99))
is "$(bad)" $(((256 - 1) * 4096)) "as before"
run "all others are what they were" others

# --- by many at once: one of them counts ---------------------------------------------------

uuid=$(dmsetup table tank | cut -d' ' -f4)
for i in {1..8}; do
	nlabuse 16 "pool_uuid=$uuid" "segment=$second" dst_member=$((i % 2 * 3)) >"/run/by.$i" 2>&1 &
done
wait
is "$(cat /run/by.* | grep -cx ok)" 1 "of eight at once one gives it a place"
like "$(sort /run/by.* | grep -vx ok | sort -u)" "EALREADY|EBUSY" "the others are told"
at=$((second * 256))
write $at 1
ctl deactivate tank
run "active again" ctl activate tank
run "that is where it is" block $at
run "and no more" unreadable $((at + 1))
at=$((first * 256))

# --- all, with zeros ------------------------------------------------------------------------

run "somebody has the volume" dmsetup create user --table "0 2048 linear $vol 0"
rc 6 "no zeros then" ctl renew tank all --zero
like "$OUT" "it is in use, so it can't be filled with zeros; nothing was done" "says why"
dm_remove user
rc 0 "zeros" ctl renew tank all --zero
is "$(lost)" 0 "nothing is lost any more"
zero=0
for i in $gone; do
	[[ " $first $second " == *" $i "* ]] || cmp -s <(dd if=$vol bs=1M skip="$i" count=1 iflag=direct status=none) <(head -c 1M /dev/zero) || zero=$((zero + 1))
done
is $zero 0 "they are full of zeros"
is "$(bad)" $(((256 - 1) * 2 * 4096)) "but for these two, which keep their holes"
rc 0 "nothing to do" ctl renew tank all
like "$OUT" "no segment is lost" "says so"

# --- the member leaves, a disk takes its place --------------------------------------------------

rc 0 "the member leaves" ctl member remove 2
is "$(ctl status --json | jq '.pools[0].members | length')" 3 "it is none any more"
run "a write of the whole segment" write $at 256
write $((second * 256)) 256
is "$(bad)" 0 "heals it"
# what has failed once is said until the next activation
ctl deactivate tank
run "activated anew" ctl activate tank
is "$(ctl status | sed -n 's/^ state: //p')" healthy "the pool is healthy"
rc 0 "the disk is taken anew" ctl member add --reuse "${d[2]}"
rc 0 "and used" ctl migrate "$first" --to "${d[2]}" --wait
gone=${gone/#$first /}
run "all others are what they were" others
ctl deactivate tank
rc 0 "what is on the disks makes sense" ctl check "${d[@]}"

# --- several copies ---------------------------------------------------------------------------

for disk in "${d[@]}"; do dd if=/dev/zero of="$disk" bs=1M count=40 oflag=direct status=none; done
run "two copies" ctl create --replicas 2 --segment-size 1M --chunk-size 64K --size 24M tank "${d[@]}"
fill 24
ctl deactivate tank
run "two members are gone" ctl activate --degraded -d "${d[0]}" -d "${d[1]}" tank
gone=$(ctl segments -r -n -o SEGMENT,STATE | mawk '$2 == "lost" { printf "%s ", $1 }')
n=$(wc -w <<<"$gone")
is "$(lost)" "$n" "$n segments had both copies there"
[ "$n" -gt 0 ]
ok $? "there are some"
run "all others are what they were" others
read -r first second _ <<<"$gone"
at=$((first * 256))
rc 0 "all" ctl renew tank all
is "$(lost)" 0 "nothing is lost any more"
run "they can't be read" unreadable $at
run "a write" write $((at + 7)) 2
run "is read" block $((at + 8))
run "and no more" unreadable $((at + 9))
is "$(bad)" $(((256 * n - 2) * 4096)) "the rest is bad"
rc 0 "the copies are made" ctl rebuild tank
is "$(ctl segments -r -n -o COPIES | sort -u | tr -d ' ')" 2/2 "two of each"
run "what was written" block $((at + 8))
run "what was not" unreadable $((at + 9))
run "all others are what they were" others
rc 0 "a member leaves" ctl member remove 2
rc 0 "the other one, too" ctl member remove 3
ctl deactivate tank
run "active again" ctl activate tank
run "what was written" block $((at + 8))
run "what was not" unreadable $((at + 9))
write $at 256 && write $((second * 256)) 256
run "a segment is written" block $((at + 9))
gone=" $gone "
gone=${gone/ $first / }
gone=${gone/ $second / }
run "all others are what they were" others
ctl deactivate tank
rc 0 "what is on the disks makes sense" ctl check "${d[@]:0:2}"
done_testing
