#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Legs that are being filled when the power goes, stale ones that are filled again, and legs that are
# made equal after a power cut: what was flushed is there at any time.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 900
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
pool 4 16 8

# --- a power cut before the record ---------------------------------------------------------------
a=$(leg 2 0) b=$(free_for 2)
gates writes j0 j1 j2 j3
run "a leg comes" replicate 2 "$b"
run "up to its record" wait_for 10 commit_begun
begin_put c1 2 0 8
run "a write is not kept up" result c1
keep c1
begin_flush c2
power_cut
run "activated after a power cut" activate
is "$(legs 2)" "$a " "the leg is not there"
# the flush may have waited for the record
cmp -s /tmp/put.c1 <(dd if=$DEV bs=8K skip=$((2 * 128)) count=1 iflag=direct status=none) ||
	dd if=/tmp/put.c1 of=$DEV bs=8K seek=$((2 * 128)) oflag=direct conv=notrunc status=none
run "nothing else is lost" same

# --- moves of a leg --------------------------------------------------------------------------------
run "a second leg for another segment" replicate 1 "$(free_for 1)"
run "is filled" wait_for 20 idle
b=$(leg 1 1) a=$(leg 1 0) c=$(free_for 1)
fails "a move must say which leg" start 1 "$c"
run "a segment with one leg moves" start 2 "$(free_for 2)"
run "done" wait_for 10 idle
run "the volume is the same" same

# --- a stale leg is filled again --------------------------------------------------------------------
gate "d$b" errors
run "a write that a leg misses" put d1 1 200 64
keep d1
is "$(stale)" 1 "makes it stale"
gate "d$b" open
run "it is filled again" replicate 1 "$b"
begin_put d2 1 300 8
run "while there is a write" result d2
keep d2
run "done" wait_for 20 idle
is "$(stale) $(short)" "0 0" "no leg is stale"
run "settled" settle
run "the legs are the same" equal 1
run "as is the volume" same
# what the disk has failed may have cost other segments something: that is told once
flush 2>/dev/null
run "flushed" flush
power_cut
run "activated after a power cut" activate
run "nothing is lost" same
run "the doubt goes" wait_for 60 certain

# --- the doubt goes by itself --------------------------------------------------------------------
a=$(leg 1 0) b=$(leg 1 1)
run "a write sets the intent" put e1 1 0 8
keep e1
run "flushed" flush
run "blank blocks" forget "$b" $(($(place 1 "$b") + 64)) 64
begin_put e2 1 32 64
run "one that is not flushed" result e2
run "of which one disk has all" sync "${MEMBERS[a]}"
power_cut
run "activated after a power cut" activate
dd if=$DEV of=/tmp/model bs=1M skip=1 seek=1 count=1 conv=notrunc iflag=direct status=none
run "the legs are made equal" wait_for 60 certain
run "settled" settle
run "they are" equal 1
run "as the first was" same

run "deactivated" deactivate
done_testing
