#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk that takes requests and never answers: neither the agent nor the evacuation of another
# disk by its successor is stopped by it, and a killed agent that can't end is passed by.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 400
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

says() { ask '{"cmd":"status"}' | grep -qE "$1"; }
dying() { ! grep -q '^State:.*(running\|sleeping)' "/proc/$1/status"; }

load_module
members 4 48
dm_create lame "0 $(blockdev --getsz "${MEMBERS[3]}") linear ${MEMBERS[3]} 0"
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]:0:3}" /dev/mapper/lame
lame=$(readlink -f /dev/mapper/lame)
[ -b "$lame" ] || lame=/dev/dm-0
for disk in "${MEMBERS[@]}" "$lame" lame; do smart "$disk"; done
configure 'patrol { hung = 2s }'
agent
run "all is well" wait_for 30 says '"device":"/dev/member0"[^}]*"score":7'

# --- it stops answering --------------------------------------------------------------------
run "the disk hangs" dmsetup suspend --nolockfs --noflush lame
run "the patrol notices" wait_for 60 logged 'patrol: no answer for [0-9]+ s'
run "and says so" wait_for 10 says '"hung_since":[0-9]+'
explained() { ask '{"cmd":"risk","member":3}' | grep -q '"factor":"patrol read"'; }
run "it counts against the disk" wait_for 10 explained
run "the agent answers" ask '{"cmd":"jobs"}'
others() { [ "$(grep -c member2 /tmp/smart/calls)" -gt "$1" ]; }
run "other disks are looked at" wait_for 30 others "$(grep -c member2 /tmp/smart/calls)"

# --- a request of the agent that waits for the disk ---------------------------------------------
smart "${MEMBERS[1]}" "197 8" "187 3"
run "another disk goes bad" wait_for 30 says '"device":"/dev/member1"[^}]*"score":89'
sleep 2
run "the agent answers" ask '{"cmd":"status"}'
run "and says what it waits for" wait_for 60 logged 'kernel: has not answered a member state'
run "still answers" ask '{"cmd":"status"}'

# --- killed ------------------------------------------------------------------------------------------
kill -9 $AGENT
wait_for 10 dying $AGENT
old=$AGENT
agent
run "a successor starts" wait_for 10 ask '{"cmd":"version"}'
run "the disk is back" dmsetup resume lame
wait $old 2>/dev/null
run "the bad disk is emptied" wait_for 90 is_state 1 drained
ended() { [ ! -e "/proc/$old/status" ]; }
run "the killed one has ended" wait_for 20 ended
agent_end
ok $? "the agent ends"
adshardctl deactivate tank
show_log
done_testing
