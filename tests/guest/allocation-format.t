#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every allocation of the format of a new pool, and of an activation, fails once; see allocation.t.
# kernels: um
# timeout: 2400
# kmemleak: module
# not-on: debug,kcsan hours; um has the same checks, and no second processor is needed here
# long: yes
. /t/lib.sh

load_module
members 2 32
table="0 65536 adshard - 2 ${MEMBERS[*]} 2 segment_size 2048"
blank="for m in ${MEMBERS[*]}; do blkdiscard -z -l 1M \$m; done"

dmsetup create vol --notable
run "load" failnth -a "dmsetup clear vol" load vol 65536 adshard "${table#* * * }"
dm_remove vol

again="dmsetup create vol --notable && dmsetup load vol --table '$table'"
run "format and activate" failnth -b "$blank; $again" -a "dmsetup remove vol" resume vol

eval "$blank"
dm_create vol "$table"
pool=$(dmsetup table vol | cut -d' ' -f4)
dm_remove vol
active="0 65536 adshard $pool 2 ${MEMBERS[*]}"
again="dmsetup create vol --notable && dmsetup load vol --table '$active'"
run "activate" failnth -b "$again" -a "dmsetup remove vol" resume vol
done_testing
