#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Legs come and go while the volume is written to.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 900
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
pool 4 16 8

# --- a leg comes -----------------------------------------------------------------------------
a=$(leg 0 0) b=$(free_for 0)
run "a leg for a plain segment" replicate 0 "$b"
run "it is filled" wait_for 10 idle
is "$(legs 0)" "$a $b " "and there"
run "settled" settle
run "the legs are the same" equal 0
run "so is the volume" same
run "a write" put a1 0 100 64
keep a1
run "settled" settle
run "reaches both" equal 0
fails "a leg that is there doesn't come again" replicate 0 "$b"
c=$(free_for 0)
run "a third" replicate 0 "$c"
run "is filled" wait_for 10 idle
d=$(free_for 0)
run "a fourth" replicate 0 "$d"
run "is filled" wait_for 10 idle
is "$(legs 0 | wc -w)" 4 "four legs"
run "settled" settle
run "all the same" equal 0
run "a write" put a2 0 10 4
keep a2
run "flushed" flush
power_cut
run "activated after a power cut" activate
is "$(legs 0 | wc -w)" 4 "four legs"
run "nothing is lost" same
run "what may differ is made equal" wait_for 60 certain
run "settled" settle
run "they are all the same" equal 0

# --- and go ------------------------------------------------------------------------------------
for m in $(legs 0); do
	[ "$(legs 0 | wc -w)" -gt 1 ] || break
	run "the leg on $m goes" drop 0 "$m"
	run "what is read is the same" constant 0
done
fails "the last one doesn't" drop 0 "$(leg 0 0)"
is "$(stale) $(short)" "0 0" "it is a plain segment again"
run "deactivated" deactivate
run "activated" activate
run "the volume is the same" same

# --- while it is being written --------------------------------------------------------------------
a=$(leg 1 0) b=$(free_for 1)
gate "d$b" writes
run "a leg comes" replicate 1 "$b"
run "its first chunk is being copied" wait_for 10 held "d$b" writes
begin_put b1 1 32 8
begin_put b2 1 900 8
gate "d$b" open
run "a write meanwhile" result b1
run "and another one" result b2
keep b1
keep b2
run "it is filled" wait_for 10 idle
run "settled" settle
run "the legs are the same" equal 1
run "as is the volume" same

run "deactivated" deactivate
done_testing
