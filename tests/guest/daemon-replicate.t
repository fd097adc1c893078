#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A member that is watched, but not yet to be emptied: its segments get a second leg, which are
# dropped when it is well again, also by an agent that was started anew meanwhile.
# kernels: 6.12
# timeout: 300
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 4 48
run "create" adshardctl create --size 48M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
# legs of the segments that the watched member had at first
mapfile -t mine < <(adshardctl segments -r -n --member 1 -o SEGMENT | tr -d ' ')
doubled() { adshardctl segments -r -n -o SEGMENT,COPIES | grep -c '2/1'; }
has_doubled() { [ "$(doubled)" -ge "$1" ]; }
job_of() { adshardctl jobs --all --json | jq -r "[.jobs[] | select(.kind == \"$1\") | .state] | last"; }
job_is() { [ "$(job_of "$1")" = "$2" ]; }

configure 'score { recover_time = 5s stale = 30 } replicate { enable = yes share = 100 free = 10 }'
run "the configuration is valid" adshardd --check-config
agent
scored() { [ "$(score "$1")" = "$2" ]; }
run "all is well" wait_for 60 scored "${MEMBERS[1]}" 7
sleep 3
is "$(doubled)" 0 "nothing is copied without a reason"

# --- watched -------------------------------------------------------------------------------
smart "${MEMBERS[1]}" "5 10" "188 5"
watched() { [ "$(score "${MEMBERS[1]}")" -gt 50 ] && [ "$(score "${MEMBERS[1]}")" -le 70 ]; }
run "two kinds of errors, but few" wait_for 60 watched
run "most of its segments get a second leg" wait_for 60 has_doubled $((${#mine[@]} / 2))
run "the job ends" wait_for 30 job_is replicate 'done'
n=$(doubled)
[ "$n" -le ${#mine[@]} ]
ok $? "and no others ($n of ${#mine[@]})"
is "$(state 1)" online "it stays in service"
is "$(on 1)" ${#mine[@]} "nothing has left it"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- over a restart -------------------------------------------------------------------------
sleep 3
agent_kill
agent
sleep 6
is "$(doubled)" "$n" "killed and started again, it does nothing twice, nor takes anything back"

# --- well again -----------------------------------------------------------------------------
smart "${MEMBERS[1]}" "serial ANOTHER"
single() { [ "$(doubled)" = 0 ]; }
run "another drive there, that is well: the second legs go" wait_for 90 single
run "as a job" wait_for 30 job_is recovered 'done'
is "$(adshardctl segments -r -n -o COPIES | tr -d ' ' | sort -u)" 1/1 "each segment has its leg"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
sleep 4
is "$(doubled)" 0 "and nothing comes back"
agent_end
ok $? "the agent ends"
run "decisions come out the same again" adshardctl replay /var/lib/adshard/decisions.log
show_log
done_testing
