#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# adshardctl activate with members that are drained, failed, stale, copied or elsewhere.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 240
. /t/lib.sh

copy() { dd if="$1" of="$2" bs=1M iflag=direct conv=fsync status=none; }

load_module
members 6 24
four=("${MEMBERS[@]:0:4}")
run "create" ctl create --segment-size 1M tank "${four[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M count=30 oflag=direct status=none
sum=$(md5sum </dev/mapper/tank)

# --- drained -------------------------------------------------------------------------
run "evacuate" ctl evacuate 1
ctl deactivate >/dev/null
rc 0 "without the drained member" ctl activate --device "${MEMBERS[0]}" --device "${MEMBERS[2]}" --device "${MEMBERS[3]}"
like "$OUT" "member 1 is missing \(drained\)" "says that it is missing"
like "$OUT" "active with 3 members" "and does without"
like "$(ctl status -r -n -o MEMBER,DEVICE,STATE)" "1 - drained" "status knows it"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
ctl deactivate >/dev/null
rc 0 "with it" ctl activate
ctl status >/tmp/status
ctl deactivate >/dev/null

# --- the name is taken ---------------------------------------------------------------
dmsetup create tank --table "0 8 zero"
rc 0 "another device has the name" ctl activate
like "$OUT" "taking adshard-" "takes another one"
rc 0 "deactivate by the pool's name" ctl deactivate --pool tank
dmsetup remove tank

# --- copies --------------------------------------------------------------------------
copy "${MEMBERS[2]}" "${MEMBERS[4]}"
rc 5 "a copy of a member" ctl activate
like "$OUT" "${MEMBERS[2]} is the same member as ${MEMBERS[4]}: one of them is a copy" "names both"
rc 0 "scan shows it" ctl scan
like "$OUT" "one of them is a copy" "too"
dd if=/dev/zero of="${MEMBERS[4]}" bs=64K count=1 oflag=direct status=none

# --- stale ---------------------------------------------------------------------------
copy "${MEMBERS[3]}" "${MEMBERS[5]}"
dd if=/dev/zero of="${MEMBERS[5]}" bs=4096 seek=1 count=1 oflag=direct status=none
dd if=/dev/zero of="${MEMBERS[5]}" bs=4096 seek=3 count=1 oflag=direct status=none
run "activate" ctl activate
# (a record that the copy misses)
run "a change" ctl member 1 online
run "and back" ctl evacuate 1
# (more of them than a power cut could have kept from it)
for _ in 1 2 3 4 5; do
	ctl member 1 online >/dev/null
	ctl member 1 draining >/dev/null
done
ctl deactivate >/dev/null
copy "${MEMBERS[3]}" /tmp/good
# the old metadata, under the superblocks that it never lost
dd if="${MEMBERS[5]}" of="${MEMBERS[3]}" bs=4096 skip=4 seek=4 iflag=direct oflag=direct status=none
rc 5 "a stale member" ctl activate
like "$OUT" "${MEMBERS[3]} is stale: its metadata ends at record" "names it"
rc 0 "scan" ctl scan
like "$OUT" "stale" "says so too"
dd if=/tmp/good of="${MEMBERS[3]}" bs=1M oflag=direct status=none
rc 0 "the right one again" ctl activate
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- failed --------------------------------------------------------------------------
rc 0 "a drained member may be failed" ctl member 1 failed
rc 1 "status --check" ctl status --check
like "$OUT" "WARN tank: degraded" "warns"
rc 5 "nothing to evacuate from it" ctl evacuate 1
ctl deactivate >/dev/null
rc 0 "activate" ctl activate
like "$OUT" "${MEMBERS[1]} has failed and is not used any more" "leaves it out"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- two pools -----------------------------------------------------------------------
rc 0 "a second pool" ctl create --segment-size 1M other "${MEMBERS[4]}" --wipe
rc 2 "which one?" ctl segments
like "$OUT" "--pool" "says how"
rc 0 "that one" ctl segments --pool other
rc 0 "status of both" ctl status
rc 2 "deactivate: which one?" ctl deactivate
rc 0 "both" ctl deactivate --all
rc 2 "activate: which one?" ctl activate
rc 0 "both again" ctl activate --all
rc 0 "one of them is gone" ctl deactivate other
rc 0 "wait" ctl wait gone other --timeout "$(patience 5)"
rc 0 "the other one is not" ctl wait active tank --timeout "$(patience 5)"
done_testing
