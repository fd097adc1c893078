#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent is killed in the middle of an evacuation and started again: the job goes on, with and
# without a history; one that the operator began is adopted; one that is cancelled stays so.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 400
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

moved() { [ "$(job segments_done)" -ge "$1" ]; }
emptier() { [ "$(on "$1")" -lt "$2" ]; }

load_module
members 4 48
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
configure 'throttle { source_rate = 1M }'
agent
sleep 6
total=$(on 1)
smart "${MEMBERS[1]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 is_state 1 draining
run "and comes along" wait_for 60 moved 1

# --- killed -------------------------------------------------------------------------------
agent_kill
is "$(state 1)" draining "killed: the kernel remembers"
left=$(on 1)
run "and finishes what is queued" wait_for 60 emptier 1 "$left"
agent
run "started again: goes on" wait_for 60 logged 'job 1 goes on: [0-9]+ segments left'
is "$(job id)" 1 "it is the same job"
is "$(job segments_total)" "$total" "with its size"
agent_kill
adshardctl throttle --rate 0 >/dev/null 2>&1
configure 'throttle { source_rate = 100M }'
rm -r /var/lib/adshard
agent
run "killed again, without a history: it is adopted" wait_for 60 logged 'is draining: emptying it \(job 1\)'
run "and finished" wait_for 60 is_state 1 drained
run "which the job says" wait_for 30 is_job drained
is "$(md5sum </dev/mapper/tank)" "$sum" "the data is whole"

# --- the operator's, cancelled ----------------------------------------------------------------
smart "${MEMBERS[1]}"
configure 'throttle { source_rate = 1M }'
like "$(ask '{"cmd":"reload"}')" 'adshardd.reload' "reload"
adshardctl member 2 draining >/dev/null 2>&1 || adshardctl evacuate 2 --detach >/dev/null
run "the operator's draining member is adopted" wait_for 60 logged 'member2.*is draining: emptying it \(job 2\)'
run "and comes along" wait_for 60 moved 1
like "$(ask '{"cmd":"cancel","job":2}')" '"job":2' "cancel"
run "it is online again" wait_for 60 is_state 2 online
run "the job is cancelled" wait_for 30 is_job cancelled
sleep 3
left=$(on 2)
is "$(adshardctl segments -r -n --member 2 -o SEGMENT | wc -l)" "$left" "nothing moves any more"
like "$(ask '{"cmd":"cancel","job":2}')" '"error":"job 2 has ended' "cancel again"
smart "${MEMBERS[2]}" "197 8" "187 3"
run "a cancelled one is left alone" wait_for 60 logged 'should be evacuated .* but an evacuation was cancelled: on hold'
is "$(state 2)" online "it stays online"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data is whole"
agent_end
ok $? "the agent ends"
show_log
done_testing
