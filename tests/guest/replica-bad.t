#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several legs, and disks that can't read all of theirs: what one leg can't return is copied from
# another; what none can is a bad range of the new leg only, and a write heals it.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 300
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

bads() { word 17; }
# block N of 4 KiB of a segment
block() { dd if=$DEV bs=4K skip=$(($1 * 256 + $2)) count=1 iflag=direct status=none; }
same_block() { cmp <(block "$1" "$2") <(dd if=/tmp/model bs=4K skip=$(($1 * 256 + $2)) count=1 status=none); }
# bad MEMBER SEG BLOCK, good ...: a block of 4 KiB of its leg
bad() { member_bad "$1" $(($(place "$2" "$1") + $3 * 8)) $(($(place "$2" "$1") + $3 * 8 + 7)); }

load_module
REPLICAS=2 pool 4 16 6
uuid=$UUID
# migrate SEG FROM TO
migrate() { nlabuse migrate "pool_uuid=$uuid" "segment=$1" "src_member=$2" "dst_member=$3" >/dev/null; }

# --- one leg can't return all --------------------------------------------------------------------
a=$(leg 1 0) b=$(leg 1 1) c=$(free_for 1)
bad "$a" 1 20
run "the leg that can't read a block moves" migrate 1 "$a" "$c"
run "done" wait_for 20 idle
run "the legs are where they should be" has 1 "$c"
is "$(bads)" 0 "the block came from the other one"
run "settled" settle
run "the legs are the same" equal 1
run "as is the volume" same

# --- none can ---------------------------------------------------------------------------------------
a=$(leg 2 0) b=$(leg 2 1) c=$(free_for 2)
at=$(place 2 "$b")
bad "$a" 2 30
bad "$b" 2 30
bad "$b" 2 40
run "a block that neither can read" migrate 2 "$a" "$c"
run "done" wait_for 30 idle
is "$(bads)" 1 "is bad"
fails "and can't be read" block 2 30
run "one that the new leg has can be" same_block 2 40
run "as all around it" same_block 2 31
# its disk gets it back: what is not known to be bad is asked for
member_good "$b" $((at + 240)) $((at + 247))
run "it is read where it is not bad" same_block 2 30
run "always" eval 'for i in {1..20}; do same_block 2 30 || exit; done'
member_good "$b" $((at + 320)) $((at + 327))
run "deactivated" deactivate
run "activated" activate
is "$(bads)" 1 "that is kept"
run "it is read where it is not bad" same_block 2 30
run "a write" put w1 2 120 4
keep w1
is "$(bads)" 0 "heals it"
run "settled" settle
run "the legs are the same" equal 2
run "as is the volume" same
run "deactivated" deactivate
done_testing
