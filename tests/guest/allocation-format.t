#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every allocation of the format of a new pool fails once; see allocation.t.
# kernels: um
# timeout: 1200
# kmemleak: module
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
done_testing
