#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Foresight: a disk that takes longer than its peers is found by their latencies and is emptied;
# forecasts of load; what adshardctl risk and history say of it; the history as CSV.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 900
# long: yes
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
# hook: tests/guest/ctl-json.hook
. /t/lib.sh
. /t/daemon-lib.sh

valid() { is "$(host schema "$1" "$(gzip -9 <"$2" | base64 -w0)")" ok "$3" || diag "$(cat "$2")"; }
# json VERB ARGUMENT...: and the host validates it
json() {
	adshardctl "$1" --json "${@:2}" >/tmp/json 2>/tmp/stderr || diag "$(cat /tmp/stderr)"
	valid "adshardctl.$1" /tmp/json "$*: its JSON"
}

load_module
members 5 24
# the first one answers later than the others
slow=${MEMBERS[0]}
echo "0 $(blockdev --getsz "$slow") delay $slow 0 4" | dmsetup create late
MEMBERS[0]=/dev/mapper/late
name() { local n; n=$(readlink -f "$1"); echo "${n##*/}"; }
for disk in "${MEMBERS[@]}"; do smart "$(name "$disk")"; done
# days of a minute, steps of five seconds; nothing is begun yet
short='slow { day = 1m } forecast { step = 5s season = 1m near = 5s middle = 15s far = 50s } patrol { enable = no }'
configure "mode = off $short"
run "create" adshardctl create --size 40M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
fio --name=load --filename=/dev/mapper/tank --rw=randread --bs=4k --direct=1 --thread --rate_iops=150 \
	--time_based --runtime=600 >/tmp/fio 2>&1 &
load=$!
agent
has() { adshardctl risk 0 --json | jq -e "$1" >/tmp/got 2>&1; }
run "a score" wait_for 90 has '.members[0].score == 7' || { diag "$(adshardctl risk 0 2>&1 | head -20)"; diag "$(adshardctl status 2>&1 | head -30)"; diag "$(tail -20 /tmp/log)"; }
run "a forecast of bytes" wait_for 120 has '.members[0].forecast.bytes_per_second | length == 3'
run "in order" has '.members[0].forecast.bytes_per_second | all(.low <= .value and .value <= .high)'
run "compared with its peers" wait_for 90 has '.members[0].slow.today_peers > 1.5'
run "which are as fast as each other" \
	test "$(adshardctl risk 1 --json | jq '.members[0].slow.today_peers < 1.5')" = true
run "that is a warning" wait_for 30 has '.members[0].early_warnings | any(.type == "fail-slow")'
run "and no more: it is one day" has '.members[0].score < 50 and .members[0].slow.verdict == "no"'
kill $load
wait $load
json risk
json risk 0
json history 0
json explain 0
like "$(adshardctl explain 0)" 'most likely a disk that has become slow' "explain names the cause"
like "$(adshardctl risk 0)" 'slower today than the other disks of its model' "risk explains it"
like "$(adshardctl risk)" ' fail-slow ' "and lists it"
like "$(adshardctl history 0 --what load)" '^bytes per second' "history as a chart"
like "$(adshardctl history 0 --what counters)" 'pending sectors \(197\) +0 ' "and as counters"
counted=$(adshardctl risk 0 --json | jq '.members[0] | ([.factors[].counted] | add) == .score')
is "$counted" true "every point is accounted for"
uuid=$(adshardctl risk 0 --json | jq -r '.members[0].uuid')
agent_end
ok $? "the agent ends"

# --- days that are over, out of a file ------------------------------------------------------
today=$(($(date +%s) / 60))
{
	echo member,seconds,day,peers,self
	for i in 4 3 2 1; do echo "$uuid,60,$((today - i)),1.9,"; done
} >/tmp/slow.csv
is "$(adshardctl history --import /tmp/slow.csv)" "4 rows of slow" "import"
adshardctl history --export slow >/tmp/back.csv
run "export gives it back" grep -qx "$uuid,60,$((today - 1)),1.9\(000*[0-9]*\)\?," /tmp/back.csv
like "$(adshardctl history --export days)" '^model,serial,.*Made Up,SERIAL-' "days"
configure "$short"
agent
run "the verdict" wait_for 60 has '.members[0].slow.verdict == "peers"'
like "$(adshardctl history --import /tmp/slow.csv 2>&1)" 'another adshardd runs' "no import beside an agent"
leaves() { [[ $(state 0) =~ ^drain(ing|ed)$ ]]; }
run "on days, not on one, it is emptied" wait_for 60 leaves
run "to its end" wait_for 90 is_state 0 drained
run "by its latency" logged 'score 8[0-9] \(fail-slow\): slower than the other disks of its model'
agent_end
ok $? "ends"
show_log
done_testing
