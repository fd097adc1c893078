#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Members come and go while the agent runs: who joins is watched, limited and used, and answers
# for itself though it has the number of one that left; jobs of those that left come to an end.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 400
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 5 48
d=("${MEMBERS[@]}")
run "create" adshardctl create --size 24M --segment-size 2M --chunk-size 64K tank "${d[@]:0:3}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${d[@]}"; do smart "$disk"; done
export JOURNAL_STREAM=1
configure 'throttle { source_rate = 8M destination_rate = 6M }'
agent
score_is() { [ "$(score "$1")" = "$2" ]; }
limits() { adshardctl throttle -r -n -b -o SOURCE-RATE,DEST-RATE "$1" | tail -n 1; }
limited() { [ "$(limits "$1")" = "8388608 6291456" ]; }
index() { adshardctl status --json | jq ".pools[0].members[] | select(.device == \"$1\") | .member"; }
run "the disks are known" wait_for 60 score_is "${d[0]}" 7
run "and limited" wait_for 20 limited 0

# --- one comes

adshardctl throttle --source-rate 20M 1 >/dev/null
run "a disk is added" adshardctl member add "${d[3]}"
is "$(index "${d[3]}")" 3 "the fourth"
run "it is scored" wait_for 60 score_is "${d[3]}" 7
run "the configured limits are its" wait_for 20 limited 3
is "$(limits 1)" "20971520 6291456" "what was set by hand since stays"

# --- it turns bad, is emptied, and leaves

run "it holds data" adshardctl migrate "$(adshardctl segments -r -n --member 0 -o SEGMENT | head -n 1)" --to 3 --wait
smart "${d[3]}" "197 8" "187 3"
run "the agent empties it" wait_for 60 is_state 3 drained
run "the job ends" wait_for 10 is_job drained
run "it is removed" adshardctl member remove "${d[3]}"
run "the agent knows" wait_for 20 logged "${d[3]##*/}.*: is gone"
is "$(score "${d[3]}" | grep -x '[0-9]*')" "" "nothing is said of it any more"

# --- another one gets its number

run "another disk is added" adshardctl member add "${d[4]}"
is "$(index "${d[4]}")" 3 "its number was free"
run "it is scored for itself" wait_for 60 score_is "${d[4]}" 7
run "and limited" wait_for 20 limited 3
sleep 5
is "$(state 3)" online "it stays"
is "$(ask '{"cmd":"jobs"}' | grep -o '"kind"' | wc -l)" 1 "nobody wants to empty it"

# --- the next one is emptied onto it, too

smart "${d[0]}" "197 8" "187 3"
run "a disk goes bad" wait_for 60 is_state 0 drained
fails "the new one has been used" [ "$(on 3)" = 0 ]
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- one leaves while the agent is away

adshardctl throttle --rate 64K >/dev/null
smart "${d[1]}" "197 8" "187 3"
run "another one goes bad" wait_for 60 is_state 1 draining
agent_kill
adshardctl throttle --rate 0 >/dev/null
run "the agent killed, it is emptied by hand" adshardctl evacuate 1
run "and removed" adshardctl member remove "${d[1]}"
run "so is the first" adshardctl member remove "${d[0]}"
agent
run "its job is over" wait_for 20 is_job drained
like "$(job note)" "has left the pool" "as it is not there"
is "$(job segments_done)" "$(job segments_total)" "nothing of it is left"

# --- the volume grows

run "the volume grows" adshardctl resize +4M
dd if=/dev/urandom of=/dev/mapper/tank bs=1M seek=24 oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
smart "${d[2]}" "197 8" "187 3"
run "the agent empties a disk with what is new" wait_for 60 is_state 2 drained
is "$(on 3)" 14 "all of it is on the last one"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data is whole"
is "$(sed -n 's/^<3>//p' /tmp/log)" "" "no errors are told"
agent_end
ok $? "the agent ends"
show_log
done_testing
