#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every allocation of a table load, a suspend and resume, the messages and the questions asked of
# a running volume fails once; allocation-format.t has format and activation, which take long.
# Each must be answered with ENOMEM or made do without; KASAN, lockdep and kmemleak say whether
# what was undone was undone well.
# kernels: um
# long: yes
# timeout: 900
# kmemleak: module
# not-on: debug,kcsan hours; um has the same checks, and no second processor is needed here
. /t/lib.sh

load_module
members 2 32
table="0 65536 adshard - 2 ${MEMBERS[*]} 2 segment_size 2048"
dm_create vol "$table"
pool=$(dmsetup table vol | cut -d' ' -f4)
dm_remove vol

dmsetup create vol --notable
active="0 65536 adshard $pool 2 ${MEMBERS[*]}"
run "load" failnth -a "dmsetup clear vol" load vol 65536 adshard "${active#* * * }"
dm_remove vol
dm_create vol "$active"
for action in status table suspend resume; do
	run "$action" failnth $action vol
done
dmsetup resume vol
# paused, so that what is queued can be taken back at once
dmsetup message vol 0 pause
for text in "throttle 0" "member 0 draining" "member 0 online" "migrate 0 1" "abort all" "locate 3"; do
	run "message $text" failnth -a "dmsetup message vol 0 abort all" message vol "$text"
done
run "still reads" dd if=/dev/mapper/vol of=/dev/null bs=1M iflag=direct
done_testing
