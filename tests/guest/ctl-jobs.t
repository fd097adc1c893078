#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent's jobs as the operator sees and steers them: paused, resumed, put first, cancelled, and
# still so after a restart.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 300
# hook: tests/guest/ctl-json.hook
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

moves() { grep -c ': segment [0-9]* to member ' /tmp/log; }

load_module
members 4 48
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
json 3 jobs
configure 'throttle { source_rate = 2M }'
agent
json 0 jobs
is "$(adshardctl jobs)" "nothing is being done" "at first there is nothing"
json 4 job cancel 1

# --- one evacuation, paused -----------------------------------------------------------------
adshardctl throttle --rate 512K >/dev/null
smart "${MEMBERS[1]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 is_state 1 draining
begun() { [ "$(moves)" -gt 0 ]; }
run "and moves something" wait_for 30 begun
id=$(job id)
json 0 jobs
json 0 job pause "$id"
like "$(adshardctl jobs -r -n -o JOB,KIND,STATE,WHY)" "^ *$id evacuate paused .*paused.*by.*the.*operator" "paused"
adshardctl throttle --rate 0 >/dev/null
run "what the kernel has comes to its end" adshardctl wait idle --timeout "$(patience 20)"
before=$(moves)
sleep 3
is "$(moves)" "$before" "nothing more is begun"
is "$(state 1)" draining "the member is still draining"
run "a lower priority" adshardctl job priority "$id" 7
like "$(adshardctl jobs -r -n -o PRIO | head -n 1)" '^ *7\*$' "is told"
like "$(ask -u 1000 '{"cmd":"job","job":'"$id"',"action":"resume"}')" '"code":1}' "only root resumes"

# --- what the operator decides outlives the agent ---------------------------------------------
agent_end
agent
still() { adshardctl jobs -r -n -o JOB,STATE,PRIO | grep -q "^ *$id paused 7\*$"; }
run "still paused after a restart, with its priority" wait_for 30 still
is "$(state 1)" draining "and not emptied"
# a paused one makes room for another
smart "${MEMBERS[2]}" "197 8" "187 3"
run "another disk fails: it is emptied" wait_for 60 is_state 2 drained
run "resume" adshardctl job resume "$id"
run "it goes on" wait_for 60 is_state 1 drained
json 0 jobs --all
json 5 job pause "$id"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- by hand, and cancelled ---------------------------------------------------------------
adshardctl throttle --rate 256K >/dev/null
adshardctl migrate 0-5 --to 3 >/dev/null
hand() { adshardctl jobs -r -n -o JOB,KIND,STATE | grep -q '^- migrate moving$'; }
run "what was begun by hand is listed" wait_for 20 hand
json 0 jobs
adshardctl throttle --rate 0 >/dev/null
agent_end
ok $? "the agent ends"
show_log
done_testing
