#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Several processes activate and remove the same pool under different names, while others ask
# about it and try to unload the module: one wins at a time, and nobody else's table stays.
# Checked by taking a protection away: without the registry's refusal of another device, the
# guest does not live to the end.
# kernels: 6.1 6.12 um
# timeout: 240
# long: yes
. /t/lib.sh

load_module
members 3 12
dm_create vol "0 24576 adshard - 3 ${MEMBERS[*]} 2 segment_size 2048"
uuid=$(dmsetup table vol | cut -d' ' -f4)
dm_remove vol
touch /tmp/go
while [ -e /tmp/go ]; do nlabuse -d get_member; nlabuse -d get_segment "pool_uuid=$uuid"; done >/dev/null 2>&1 &
jobs=($!)
# a module that is on its way out takes no new table, which is no mistake
while [ -e /tmp/go ]; do
	if rmmod dm_adshard 2>/dev/null; then
		echo unloaded >>/tmp/unloads
		insmod "$ADS_MODULE"
	fi
	sleep 0.1
done &
jobs+=($!)
out=$(lifecycle race "${SECONDS_OF_RACE:-6}" "${SEED:-1}" "$uuid" 24576 "${MEMBERS[@]}" 2>&1)
ok $? "one wins at a time"
diag "$out"
rm /tmp/go
wait "${jobs[@]}"
diag "unloaded $(cat /tmp/unloads 2>/dev/null | wc -l) times"
run "activates after all that" dm_create vol "0 24576 adshard $uuid 3 ${MEMBERS[*]}"
fails "the module of an active volume can't be unloaded" unload_module
like "$(dm_status vol)" "adshard ok 12 " "the pool is well"
run "removes" dm_remove vol
dmsetup create vol --notable
run "a table that is only loaded" dmsetup load vol --table "0 24576 adshard $uuid 3 ${MEMBERS[*]}"
fails "keeps the module, too" unload_module
run "removes it" dm_remove vol
nlabuse listen 1000 100 >/tmp/events &
listener=$!
wait_for 5 grep -q listening /tmp/events
run "somebody who listens doesn't keep it" unload_module
kill $listener
wait $listener 2>/dev/null
done_testing
