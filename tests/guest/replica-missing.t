#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk without metadata is missing at activation, and others have all that was on it: nothing is out of
# reach, and what is written meanwhile makes its legs stale, but those of other segments not.
# kernels: 6.1
# kernels-long: 6.1 6.12 um
# timeout: 600
# memory: 1536
# files: tests/guest/hazard-lib.sh tests/guest/replica-lib.sh
. /t/replica-lib.sh

# write SEG: new data there, in the model too
nr=0
write() {
	nr=$((nr + 1))
	put "x$nr" "$1" 64 64 && keep "x$nr" && flush
}
lost() { word 19; }

# table ARGS: another one for the live volume
table() { dmsetup reload vol --table "0 $((POOL_SEGMENTS * 2048)) adshard $UUID $*" && dmsetup suspend vol && dmsetup resume vol; }

load_module
REPLICAS=2 pool 9 12 9
for s in {0..8}; do has $s 8 && break; done
a=$(legs $s | tr ' ' '\n' | grep -vx 8 | head -n 1)
run "deactivated" deactivate
run "without the ninth disk" activate 0 1 2 3 4 5 6 7
[ "$(lost)" = 0 ] && [ "$(stale)" -gt 0 ]
ok $? "its legs don't count"
run "all is there" same
run "and is written" write $s
power_cut
run "activated with all" activate
is "$(stale)" 1 "one leg has missed something"
run "what is read is what was written" constant $s
run "deactivated" deactivate
run "again without it" activate 0 1 2 3 4 5 6 7
run "the other one is written" write $s
run "it comes back, while the pool is active" table "9 ${ALL[*]/#//dev/mapper/w}"
run "all that it has is recorded as stale" wait_for 10 replicate $s 8
for t in {0..8}; do has $t 8 && replicate $t 8; done 2>/dev/null
run "and is filled again" wait_for 60 idle
is "$(stale)" 0 "no leg is stale"
fails "its places are taken" replicate $s 8
run "settled" settle
run "the legs are the same" equal $s
run "as is the volume" same
run "the other leg goes" drop $s "$a"
run "and nothing with it" same
run "deactivated" deactivate
done_testing
