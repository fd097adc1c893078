#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every allocation of a table load, a format, an activation and of the questions asked of a
# running volume fails once.  Each must be answered with ENOMEM or made do without; KASAN,
# lockdep and kmemleak say whether what was undone was undone well.
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

eval "$blank"
dm_create vol "$table"
pool=$(dmsetup table vol | cut -d' ' -f4)
dm_remove vol

active="0 65536 adshard $pool 2 ${MEMBERS[*]}"
again="dmsetup create vol --notable && dmsetup load vol --table '$active'"
run "activate" failnth -b "$again" -a "dmsetup remove vol" resume vol

dm_create vol "$active"
for action in "status vol" "table vol" "suspend vol" "resume vol"; do
	# shellcheck disable=SC2086 # words
	run "$action" failnth $action
done
dmsetup resume vol
run "still reads" dd if=/dev/mapper/vol of=/dev/null bs=1M iflag=direct
done_testing
