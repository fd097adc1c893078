#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The planner as the operator meets it: pins move data and are kept, nothing moves unasked in mode
# advise, settings are checked and outlive the agent, decisions can be made again, and what the
# operator moves or calls off is left alone.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 900
# hook: tests/guest/ctl-json.hook
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

where() { adshardctl segments -r -n -R "$1" -o MEMBER | sort -u | tr -d '\n '; }
is_at() { [ "$(where "$1")" = "$2" ]; }
planned() { adshardctl plan --json | jq -r "$1"; }
is_planned() { planned '.actions_total' 2>/dev/null | grep -q '^[0-9]'; }

load_module
members 4 48
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
for i in 0 1 2; do adshardctl member set $i --class hdd >/dev/null; done
adshardctl member set 3 --class ssd >/dev/null
json 3 plan
json 3 policy
json 3 pin
# a reading may take long on a slow machine
configure 'score { stale = 30 }'
run "the configuration is valid" adshardd --check-config
agent

# --- settings -----------------------------------------------------------------------------
json 0 policy
run "the mode" adshardctl policy set mode=advise
like "$(adshardctl policy show mode -r -n -o VALUE,FROM)" '^advise operator$' "is the operator's now"
like "$(adshardctl policy show tier.enable -r -n -o VALUE,DEFAULT,FROM)" '^no yes file$' "a setting of the file"
json 0 policy set pace.quiet_from=01:00 pace.quiet_to=02:00
json 5 policy set score.drain=101
json 5 policy set score.watch=90
json 4 policy set nonsense=1
is "$(adshardctl policy show score.drain -r -n -o VALUE)" 70 "what is refused changes nothing"
run "back to the file's" adshardctl policy set pace.quiet_from= pace.quiet_to=
like "$(ask -u 1000 '{"cmd":"policy-set","set":{"mode":"auto"}}')" '"code":1}' "only root sets"
like "$(ask -u 1000 '{"cmd":"policy"}')" '"name":"score.drain"' "everyone may look"

# --- a pin, in mode advise: planned, and not done ----------------------------------------------
run "the segments are known" wait_for 30 is_planned
json 0 plan
[ "$(where 0)" != 3 ] || adshardctl migrate 0 --to 0 --wait >/dev/null
json 0 pin 0-3 --class ssd
json 4 pin 900 --stay
json 5 pin 5 --class tape
json 4 pin 5 --member /dev/nosuch
json 0 pin
wants() { [ "$(planned '[.actions[] | select(.cause == "pin")] | length')" -gt 0 ]; }
run "it is planned" wait_for 30 wants
like "$(planned .nothing_begins)" "mode is advise" "and said why it does not begin"
like "$(adshardctl plan)" 'plan: [0-9]+ to do.*hold: .*advise.*pinned elsewhere' "in words"
sleep 4
fails "nothing has moved" is_at 0-3 3
is "$(adshardctl status --json | jq '.pools[0].migrations_done')" \
	"$(adshardctl status --json | jq '.pools[0].migrations_done')" "no moves"

# --- what if -----------------------------------------------------------------------------------
json 0 plan --what-if fail=1
like "$(adshardctl plan --what-if fail=1)" 'lost: [0-9]+ segments have no other copy' "a failure is told in segments"
json 0 plan --what-if score=1:95
rescue='[.actions[] | select(.cause == "rescue" and .from == 1)] | length'
is "$(adshardctl plan --what-if score=1:95 --json | jq "$rescue")" "$(on 1)" "a score of 95: all of it is to be saved"
json 0 plan --what-if add=ssd:1G --what-if score=1:95
json 4 plan --what-if fail=/dev/nosuch
json 5 plan --what-if add=ssd:4K
is "$(state 1)" online "it was only supposed"

# --- approved -------------------------------------------------------------------------------------
json 0 plan --approve
run "what was approved moves" wait_for 60 is_at 0-3 3
done_all() { adshardctl jobs --all --json | jq -e '.jobs[] | select(.kind == "pin" and .state == "done")' >/dev/null; }
run "its job ends" wait_for 30 done_all
json 0 jobs --all
json 0 status
json 0 forecast
json 4 forecast nosuch
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- the agent is killed; what was set is still there ----------------------------------------------
agent_kill
agent
like "$(adshardctl policy show mode -r -n -o VALUE,FROM)" '^advise operator$' "the mode after a crash"
is "$(adshardctl pin -r -n -o PIN,FIRST,LAST,TO,WHICH | tr -s ' ' | sed 's/^ //')" "1 0 3 class ssd" "and the pin"

# --- mode auto: by itself; what the operator moves or aborts is his ---------------------------------
run "the segments are known again" wait_for 30 is_planned
run "to another class" adshardctl unpin 1
# slow enough that it is still under way when the agent has seen the destination twice
adshardctl throttle --rate 64K >/dev/null
run "mode auto" adshardctl policy set mode=auto pace.rest=1h
other=$(where 4)
to=$(((other + 1) % 3))
adshardctl migrate 4 --to $to >/dev/null
adshardctl pin 4-7 --class ssd >/dev/null
moving() { adshardctl jobs --json | jq -e '.jobs[] | select(.kind == "pin" and .state == "moving" and .segments_total > 0)' >/dev/null; }
run "a job begins by itself" wait_for 30 moving
is "$(adshardctl status --json | jq -r '.pools[0].migrations[] | select(.segment == 4) | .destination')" $to "what the operator moves goes where he wants it"
json 0 jobs

# --- a destination that turns bad while data is on its way to it --------------------------------------
smart "${MEMBERS[3]}" "197 8" "187 3"
# by the planner, or by the kernel as the evacuation begins: who sees it first
run "what was on its way there is called back" wait_for 60 logged 'called back from member 3, which turned bad|: migration-aborted'
adshardctl throttle --rate 0 >/dev/null
run "and what was there leaves" wait_for 90 is_state 3 drained
like "$(adshardctl plan)" "can't: .*pinned" "what is pinned to it finds no place, which is said"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- called off ---------------------------------------------------------------------------------------
adshardctl throttle --rate 256K >/dev/null
adshardctl pin 8-15 --member 0 >/dev/null
run "another job" wait_for 30 moving
id=$(adshardctl jobs --json | jq '[.jobs[] | select(.kind == "pin") | .id] | max')
json 0 job cancel "$id"
adshardctl throttle --rate 0 >/dev/null
run "called off" adshardctl wait idle --timeout "$(patience 20)"
before=$(adshardctl segments -r -n -R 8-15 -o SEGMENT,MEMBER)
sleep 4
is "$(adshardctl segments -r -n -R 8-15 -o SEGMENT,MEMBER)" "$before" "it is not begun again"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"

# --- decisions ------------------------------------------------------------------------------------
agent_end
ok $? "the agent ends"
json 0 replay /var/lib/adshard/decisions.log
like "$(adshardctl replay /var/lib/adshard/decisions.log | tail -n 1)" '^[1-9][0-9]* decided the same, 0 otherwise' "decisions come out the same again"
sed 's/"decided":{"id":[0-9]*/"decided":{"id":1/' /var/lib/adshard/decisions.log >/tmp/other.log
json 8 replay /tmp/other.log
echo broken >/var/lib/adshard/settings.json
agent
like "$(adshardctl policy 2>&1 >/dev/null)" "nothing that can wait is moved" "settings that are damaged stop what can wait"
agent_end
show_log
done_testing
