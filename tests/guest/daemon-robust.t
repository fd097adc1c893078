#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong around the agent: a smartctl that hangs, talks nonsense or is missing, a sleeping
# disk, a swapped one, no module, the module reloaded, a pool deactivated, a disk that does not answer, a
# bad configuration, a damaged history, clients that hang.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 400
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

scored() { [ "$(score "$1")" = "$2" ]; }
status() { ask '{"cmd":"status"}'; }
says() { status | grep -qE "$1"; }

# --- nothing there yet ---------------------------------------------------------------------
configure
sed -i 's/timeout = 8s/timeout = 5s/' /etc/adshard/adshardd.conf
mkdir -p /var/lib/adshard
echo "not a database, but long enough to be taken for a damaged one $RANDOM" >/var/lib/adshard/history.db
for disk in member0 member1 member2 member3; do smart $disk; done
smart member1 hang
smart member2 nonsense
smart member3 asleep
agent
run "a damaged history is set aside" wait_for 10 logged 'history.*set aside'
run "without the module: says so" wait_for 10 says '"warnings":\["kernel: .*not loaded'
fails "a second agent does not start" adshardd
load_module
members 4 48
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
run "the module comes: members are found" wait_for 60 says '"device":"/dev/member3"'

# --- smartctl ----------------------------------------------------------------------------------
run "one that hangs: the others have scores" wait_for 60 scored "${MEMBERS[0]}" 7
run "it is killed" wait_for 60 says 'did not answer within 5 s'
is "$(score "${MEMBERS[1]}")" null "and has no score"
like "$(status)" '"device":"/dev/member2"[^}]*"smart_age":null' "nonsense is no score"
like "$(status)" '"device":"/dev/member3"[^}]*"asleep":true' "a sleeping disk sleeps"
fails "no more than one hangs" eval '[ "$(pgrep -f "daemon-smartctl.*member1" | wc -l)" -gt 2 ]'
smart "${MEMBERS[1]}"
smart "${MEMBERS[2]}" "serial OTHER"
smart "${MEMBERS[3]}"
run "all is well again" wait_for 60 scored "${MEMBERS[1]}" 7
run "everywhere" wait_for 60 scored "${MEMBERS[3]}" 7
smart "${MEMBERS[2]}" "serial ANOTHER" "197 50"
run "another drive is another drive" wait_for 60 logged 'member2.*is another drive now: Made Up ANOTHER, was Made Up OTHER'
run "16 pending sectors at first sight" wait_for 10 scored "${MEMBERS[2]}" 81
smart "${MEMBERS[2]}" "serial OTHER"
run "and the old one is what it was" wait_for 60 scored "${MEMBERS[2]}" 7

smart "${MEMBERS[0]}" "serial TWIN"
smart "${MEMBERS[1]}" "serial TWIN" "5 100"
run "two drives with one serial number" wait_for 60 scored "${MEMBERS[1]}" 31
sleep 6
is "$(grep -c 'member[01].*is another drive now: Made Up TWIN' /tmp/log)" 2 "are two drives"
is "$(score "${MEMBERS[0]}")" 7 "and do not mix"
smart "${MEMBERS[0]}"
smart "${MEMBERS[1]}"
run "as before" wait_for 60 scored "${MEMBERS[1]}" 7

# --- all rise together ---------------------------------------------------------------------------
# (where the agent is fast and this script is slow, the drive at 81 has been evacuated)
states() { for i in 0 1 2 3; do state $i; done; }
run "nothing moves" adshardctl wait idle --timeout "$(patience 60)"
before=$(states)
for disk in "${MEMBERS[@]:0:2}"; do smart "$disk" "197 8" "187 3"; done
smart "${MEMBERS[2]}" "serial OTHER" "197 8" "187 3"
run "three of four go bad at once: a warning" wait_for 60 says 'went bad together with many others'
sleep 3
is "$(states)" "$before" "and no evacuation"
for disk in "${MEMBERS[@]:0:3}"; do smart "$disk" "serial NEW-$disk"; done
run "gone" wait_for 60 scored "${MEMBERS[0]}" 7

# --- clients, signals, configuration -----------------------------------------------------------------
sleep 1000 | busybox nc local:$SOCKET 2>/dev/null &
run "it answers" ask '{"cmd":"jobs"}'
echo 'smart { intervall = 5s }' >/etc/adshard/adshardd.conf.d/bad.conf
kill -HUP $AGENT
run "a bad configuration is refused by name and line" wait_for 10 logged \
	"bad.conf:1: no such option 'intervall'; keeping the one in use"
fails "and by --check-config" adshardd --check-config
rm /etc/adshard/adshardd.conf.d/bad.conf
kill -HUP $AGENT
run "a good one is taken" wait_for 10 logged 'config: loaded again'
like "$(adshardd --once 2>/dev/null)" '"device":"/dev/member0"' "--once works beside it"

# --- the pool and the module go and come ----------------------------------------------------------------
run "deactivate" adshardctl deactivate tank
run "the pool is gone" wait_for 60 says '"members":\[\]'
unload_module
run "the module is gone" wait_for 60 says '"warnings":\["kernel: .*not loaded'
load_module
run "activate" adshardctl activate tank
run "all is back" wait_for 60 scored "${MEMBERS[3]}" 7
unload_quickly() { adshardctl deactivate tank && unload_module && insmod "$ADS_MODULE" && adshardctl activate tank; }
run "at once" unload_quickly
run "it is found" wait_for 60 says '"device":"/dev/member3"'
sleep 2
adshardctl member 3 draining >/dev/null 2>&1 || adshardctl evacuate 3 --detach >/dev/null
run "and events arrive" wait_for 30 is_state 3 drained

# --- bad sectors ------------------------------------------------------------------------------------------
member_bad 0 0 90000
run "the patrol finds what can't be read" wait_for 30 logged 'member0: patrol: [0-9]+ bytes at [0-9]+ can.t be read'
high() { [ "$(score "${MEMBERS[0]}")" -gt 70 ]; }
run "which counts" wait_for 60 high
like "$(ask '{"cmd":"risk","member":"/dev/member0"}')" '"mode":"errors"' "as failed I/O"
member_good 0 0 90000

kill -0 $AGENT
ok $? "it lives"
agent_end
ok $? "and ends"
show_log
done_testing
