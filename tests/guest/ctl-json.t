#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The JSON of every verb is what its schema says, and events are complete.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 240
# hook: tests/guest/ctl-json.hook
. /t/lib.sh

load_module
json 0 status
json 4 segments
members 4 48
json 0 create --dry-run --segment-size 2M tank "${MEMBERS[@]}"
json 0 create --segment-size 2M tank "${MEMBERS[@]}"
json 6 create --segment-size 2M tank "${MEMBERS[@]}"
adshardctl events --follow --json --pool tank >/tmp/events &
events=$!
adshardctl events --follow >/tmp/events.txt &
plain=$!
dd if=/dev/urandom of=/dev/mapper/tank bs=1M count=20 oflag=direct status=none
json 0 segments --hot 5
json 0 locate @3
mkfs.ext4 -q /dev/mapper/tank
mount /dev/mapper/tank /mnt
dd if=/dev/zero of=/mnt/file bs=1M count=5 status=none
json 0 locate /mnt/file
json 0 locate --reverse @0 40M+64K
json 0 segments --bad
json 0 segments --bad --files
json 6 deactivate
umount /mnt
json 4 locate --reverse @0
json 0 throttle
adshardctl throttle --rate 1M >/dev/null
json 0 migrate 0-2 --to 3
json 0 status
json 0 events
json 0 abort --all
json 0 wait idle --timeout "$(patience 15)"
adshardctl throttle --rate 0 >/dev/null
json 0 migrate 0-2 --to 3 --dry-run
json 0 migrate 0-2 --to 3 --wait
json 4 migrate 999 --to 3
json 0 evacuate 1 --dry-run
json 0 evacuate 1
json 5 evacuate 0
json 0 member 1 online
json 0 pause
adshardctl evacuate 2 --detach >/dev/null
json 0 status
adshardctl evacuate 2 --cancel >/dev/null
json 0 resume
json 0 wait idle --timeout "$(patience 15)"
adshardctl evacuate 1 --progress=json >/tmp/progress
grep progress /tmp/progress >/tmp/progress.json
valid adshardctl.progress /tmp/progress.json "progress"
json 0 probe "${MEMBERS[0]}"
json 0 status
adshardctl member 1 online >/dev/null
json 0 replicas 0-2 2 --dry-run
json 0 replicas 0-2 2
json 0 replicas 0-2 1
json 5 replicas all 4
json 4 replicas 999 2
json 0 rebuild --dry-run
json 0 rebuild
json 0 renew all
json 5 renew 1
json 0 segments --short
json 0 status

# --- events --------------------------------------------------------------------------
seq=$(adshardctl events --json --pool tank | sed -n 's/.*snapshot-end.*"seq":\([0-9]*\).*/\1/p')
is "$(adshardctl events --json --since "$seq")" "" "--since the last: nothing"
like "$(adshardctl events --json --since $((seq - 3)) | head -n 1)" '"event":"gap".*"lost":3' "--since an old one: a gap"
adshardctl deactivate >/dev/null
sleep 1
kill -INT $events $plain
wait $events
is $? 0 "events --follow ends well"
wait $plain
valid adshardctl.events /tmp/events "events"
# numbers without a gap from the snapshot on
seqs=$(sed -n 's/.*"seq":\([0-9]*\),"time_ns.*/\1/p' /tmp/events)
first=$(head -n 1 <<<"$seqs")
is "$(tr '\n' ' ' <<<"$seqs")" "$(seq -s ' ' "$first" $((first + $(wc -l <<<"$seqs") - 1))) " "no event is missing"
like "$(tail -n 1 /tmp/events)" '"event":"pool-gone"' "the last one"
is "$(grep -c '"event":"migration-done"' /tmp/events)" "$(grep -c ' migration-done ' /tmp/events.txt)" "text and JSON have the same"
run "with their counters" grep -q '"event":"migration-done".*"bytes_copied":2097152.*"mismatches":0' /tmp/events
json 0 scan
json 0 activate
json 0 activate
json 0 deactivate
json 4 deactivate
json 0 check
json 0 dump --segments "${MEMBERS[0]}"
json 4 activate nosuch
done_testing
