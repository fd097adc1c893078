#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent sees that copies are stale or gone and makes them anew: a job of the pool, over restarts,
# unless the configuration forbids it.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 600
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

copies() { adshardctl segments -r -n -o COPIES | sort -u | tr -d ' ' | paste -sd' '; }
is_whole() { [ "$(copies)" = 2/2 ]; }
is_short() { [ "$(adshardctl segments --short -r -n | wc -l)" -gt 0 ]; }
write() { dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none; }

load_module
members 4 24
run "create" adshardctl create --replicas 2 --size 20M --segment-size 1M --chunk-size 64K tank "${MEMBERS[@]}"
write 2>/dev/null
for disk in "${MEMBERS[@]}"; do smart "$disk"; done

# --- not by itself, if it is told so ------------------------------------------------------
# the disk's errors are made up: it is not to be emptied because of them
calm='patrol { enable = no } errors { count = 100000 }'
configure "$calm rebuild { enable = no }"
agent
had=$(on 1)
member_bad 1 6144 49151
write 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
member_good 1 6144 49151
run "the log says which copies have missed a write" wait_for 30 logged "segment [0-9]+: its copy on member 1 has missed a write"
sleep 3
run "nothing is made" is_short
is "$(ask '{"cmd":"jobs"}' | grep -c rebuild)" 0 "and there is no job"
agent_end

# --- filled again ------------------------------------------------------------------------------
configure "$calm rebuild { delay = 1s }"
agent
run "every segment has its copies again" wait_for 60 is_whole
run "the job ends" wait_for 20 is_job rebuilt
is "$(job kind)" rebuild "a job of its own kind"
is "$(job member)" null "of no member"
is "$(job segments_done)" "$had" "with its figures"
is "$(on 1)" "$had" "where they were"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- over a restart, and shown ------------------------------------------------------------------
adshardctl throttle --rate 1M >/dev/null
member_bad 1 6144 49151
write 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
member_good 1 6144 49151
run "it begins" wait_for 30 is_job rebuilding
like "$(adshardctl status)" "job: rebuild in the pool, rebuilding: [0-9.]+%, [0-9]+ of [0-9]+ segments, .*because [0-9]+ segments are short of copies" "status shows it"
agent_kill
agent
run "a restart goes on with the same job" wait_for 30 logged "job 2 goes on: copies of segments"
adshardctl throttle --rate 0 >/dev/null
run "to its end" wait_for 60 is_job rebuilt
is "$(copies)" 2/2 "every segment has two copies"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- elsewhere, if the member is to be emptied; cancelled -------------------------------------------
member_bad 1 6144 49151
adshardctl throttle --rate 512K >/dev/null
write 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
run "it begins again" wait_for 30 is_job rebuilding
like "$(ask "{\"cmd\":\"cancel\",\"job\":$(job id)}")" adshardd.cancel "cancelled"
run "and ends" wait_for 20 is_job cancelled
adshardctl throttle --rate 0 >/dev/null
sleep 3
run "none is begun" is_short
is "$(job state)" cancelled "by the agent"
run "rebuild by hand, away from the disk" adshardctl member 1 draining
run "rebuild" adshardctl rebuild tank
is "$(copies)" 2/2 "every segment has two copies"
is "$(on 1)" 0 "none on it"
member_good 1 6144 49151
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
agent_end
ok $? "the agent ends"
show_log
done_testing
