#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Foresight: a disk that takes longer than its peers is found by their latencies and is emptied;
# forecasts of load; what adshardctl risk and history say of it; the history as CSV.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 1800
# long: yes
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
# hook: tests/guest/ctl-json.hook
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 4 24
# the first one answers later than the others
slow=${MEMBERS[0]}
echo "0 $(blockdev --getsz "$slow") delay $slow 0 4" | dmsetup create late
MEMBERS[0]=/dev/mapper/late
name() { local n; n=$(readlink -f "$1"); echo "${n##*/}"; }
for disk in "${MEMBERS[@]}"; do smart "$(name "$disk")"; done
# Days of four minutes and steps of five seconds; nothing is begun yet. One request in 16 is timed, and
# it takes four of them between two looks, and thirty such looks, to compare a disk: so there are
# five seconds to a look. A slow machine is always starved; the slow disk is slow all the same.
short='slow { day = 4m starved = 100 } forecast { step = 5s season = 1m near = 5s middle = 15s far = 50s }
patrol { enable = no } smart { interval = 20s timeout = 15s } poll { interval = 5s }'
configure "mode = off $short"
run "create" adshardctl create --size 32M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
fio --name=load --filename=/dev/mapper/tank --rw=randread --bs=4k --direct=1 --thread --rate_iops=160 \
	--time_based --runtime=1800 >/tmp/fio 2>&1 &
load=$!
agent
# asking costs more than all the rest
has() {
	sleep 4
	adshardctl risk 0 --json 2>/tmp/stderr >/tmp/risk && jq -e "$1" /tmp/risk >/tmp/got 2>&1
}
# what there is to see when a wait was in vain
seen() { diag "$(jq -c '.members[0] | {score, early_warnings, slow, forecast}' /tmp/risk 2>&1)" \
	"$(ask '{"cmd":"status"}' | jq -c .host)" "$(tail -n 20 /tmp/log)"; }
run "a score" wait_for 90 has '.members[0].score == 7' || seen
run "a forecast of bytes" wait_for 120 has '.members[0].forecast.bytes_per_second | length == 3'
run "in order" has '.members[0].forecast.bytes_per_second | all(.low <= .value and .value <= .high)'
run "compared with its peers" wait_for 180 has '.members[0].slow.today_peers > 1.5' || seen
run "which are as fast as each other" \
	test "$(adshardctl risk 1 --json | jq '.members[0].slow.today_peers < 1.5')" = true
run "that is a warning" wait_for 30 has '.members[0].early_warnings | any(.type == "fail-slow")'
# a day may end at any moment, and then it is of the past
explained() { adshardctl risk 0 | grep -q 'slower today than the other disks of its model'; }
run "risk explains it" wait_for 180 explained
listed() { adshardctl risk | grep -q ' fail-slow '; }
run "and lists it" wait_for 180 listed
run "and no more: it is one day" has '.members[0].score < 50 and .members[0].slow.verdict == "no"'
grouped() { adshardctl forecast --json | jq -e '.pools[0].groups[0].forecast.requests_per_second | length == 3'; }
run "a forecast of segments" wait_for 60 grouped
json 0 forecast
like "$(adshardctl forecast)" 'segments 0-0 .*\(' "in words"
kill $load
wait $load
json 0 risk
json 0 risk 0
json 0 history 0
json 0 explain 0
like "$(adshardctl explain 0)" 'most likely a disk that has become slow' "explain names the cause"
like "$(adshardctl history 0 --what load)" '^bytes per second' "history as a chart"
like "$(adshardctl history 0 --what counters)" 'pending sectors \(197\) +0 ' "and as counters"
counted=$(adshardctl risk 0 --json | jq '.members[0] | ([.factors[].counted] | add) == .score')
is "$counted" true "every point is accounted for"
uuid=$(adshardctl risk 0 --json | jq -r '.members[0].uuid')
agent_end
ok $? "the agent ends"

# --- days that are over, out of a file ------------------------------------------------------
today=$(($(date +%s) / 240))
# days HOW-LONG-AGO...: of a disk that is slow
days() {
	echo member,seconds,day,peers,self
	for i in "$@"; do echo "$uuid,240,$((today - i)),1.9,"; done
}
days 4 3 2 >/tmp/slow.csv
is "$(adshardctl history --import /tmp/slow.csv)" "3 rows of slow" "import"
adshardctl history --export slow >/tmp/back.csv
run "export gives it back" grep -qx "$uuid,240,$((today - 2)),1.9\(000*[0-9]*\)\?," /tmp/back.csv
like "$(adshardctl history --export days)" '^model,serial,.*Made Up,SERIAL-' "days"
configure "$short"
agent
run "the verdict" wait_for 60 has '.members[0].slow.verdict == "peers" and .members[0].score > 70' || seen
like "$(adshardctl history --import /tmp/slow.csv 2>&1)" 'another adshardd runs' "no import beside an agent"
sleep 12
run "it is one piece of evidence, however often it is looked at" has '.members[0].at_risk == false'
is "$(state 0)" online "and empties nothing"
agent_end
ok $? "ends"
days 1 >/tmp/slow.csv
is "$(adshardctl history --import /tmp/slow.csv)" "1 rows of slow" "another day of it"
agent
leaves() { [[ $(state 0) =~ ^drain(ing|ed)$ ]]; }
run "on days, not on one, it is emptied" wait_for 60 leaves || seen
run "to its end" wait_for 90 is_state 0 drained
run "by its latency" logged 'score 8[0-9] \(fail-slow\): slower than the other disks of its model'
agent_end
ok $? "ends"
show_log
done_testing
