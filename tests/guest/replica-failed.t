#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A member is declared failed: refused while it has a segment's only leg; legs with copies elsewhere go.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 900
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

load_module
pool 4 16 8

# --- a member that has failed ------------------------------------------------------------------------
fails "a member with a segment's only leg" dmsetup message vol 0 member "$(leg 3 0)" failed
for s in {0..7}; do
	[ "$(leg $s 0)" = 3 ] || continue
	dmsetup message vol 0 replicate $s 0 || dmsetup message vol 0 replicate $s 1
done 2>/dev/null
run "what is on member 3 has a second leg" wait_for 30 idle
run "it can be declared failed" dmsetup message vol 0 member 3 failed
for s in {0..7}; do legs $s; done >/tmp/legs
fails "nothing is on it any more" grep -w 3 /tmp/legs
run "the volume is the same" same
run "deactivated" deactivate
run "activated without it" activate 0 1 2
run "the volume is the same" same
run "deactivated" deactivate
done_testing
