#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The agent sees a disk go bad and has it emptied, hottest segments first; the socket tells.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 300
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 4 48
run "create" adshardctl create --size 72M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
bad=${MEMBERS[1]}

configure 'throttle { source_rate = 8M }'
run "the configuration is valid" adshardd --check-config
agent
known() { [ "$(score "$bad")" = 7 ]; }
run "a healthy disk has a low score" wait_for 60 known
like "$(ask '{"cmd":"status"}')" '"name":"adshardd.status","version":1.*"members":\[\{"pool":"[-0-9a-f]{36}","member":0' "status"
like "$(ask -u 1000 '{"cmd":"version"}')" '"version":"' "everyone may ask"
like "$(ask -u 1000 '{"cmd":"reload"}')" '"code":1}' "but not command"
like "$(ask '{"cmd":"risk","member":"'"$bad"'"}')" '"modes":\[\{"mode":"media","score":7' "risk of one member"
is "$(grep -v -- "^--json -x -n standby,42 /dev/member[0-3]\$" /tmp/smart/calls)" "" "smartctl is asked not to wake a sleeping disk"

# what is hot: two segments of the disk that will fail
read -r first second < <(adshardctl segments -r -n --member 1 -o SEGMENT | tail -n 2 | tr '\n' ' ')
for ((i = 0; i < 60; i++)); do
	dd if=/dev/mapper/tank of=/dev/null bs=64K count=32 skip=$((second * 32)) iflag=direct status=none
	[ $((i % 2)) = 0 ] ||
		dd if=/dev/mapper/tank of=/dev/null bs=64K count=32 skip=$((first * 32)) iflag=direct status=none
done
sleep 2.5

# --- one scoring above 70 is not enough, two are -----------------------------------------
total=$(on 1)
smart "$bad" "197 8" "187 3"
run "it is drained by itself" wait_for 60 is_state 1 draining
like "$(score "$bad")" '^(8[6-9]|9[0-9])$' "its score is urgent"
like "$(ask '{"cmd":"risk","member":"'"$bad"'"}')" '"factor":"pending sectors \(197\)","value":"8, rose by 8 in 30 days","since":[0-9]+' "and has a reason"
like "$(ask '{"cmd":"jobs"}')" '"kind":"evacuate".*"member":1.*"state":"drain(ing|ed)","reason":"score [89][0-9]: pending sectors' "there is a job (and slow tools may see only its end)"
run "it is emptied" wait_for 60 is_state 1 drained
run "the job ends" wait_for 10 is_job drained
is "$(job segments_total)" "$total" "all its segments"
is "$(job segments_done)" "$total" "are done"
is "$(job bytes_done)" $((total * 2097152)) "in bytes too"
is "$(on 1)" 0 "nothing is left on it"
is "$(md5sum </dev/mapper/tank)" "$sum" "the data"
is "$(sed -n 's/.*: segment \([0-9]*\) to member .*/\1/p' /tmp/log | head -n 2 | sort | tr '\n' ' ')" \
	"$(printf '%s\n' "$first" "$second" | sort | tr '\n' ' ')" "the hottest went first"
is "$(sed -n 's/.*: segment \([0-9]*\) to member 1$/\1/p' /tmp/log)" "" "nothing went to the disk itself"

# --- a score between drain and urgent needs two readings ------------------------------------
smart "${MEMBERS[2]}" "5 200"
above() { [ "$(score "${MEMBERS[2]}")" -gt 70 ]; }
run "another disk" wait_for 60 above
run "is drained too" wait_for 60 is_state 2 draining
like "$(grep "is at risk" /tmp/log | tail -n 1)" "member2.*score 78" "at its second scoring"
run "is emptied" wait_for 60 is_state 2 drained
is "$(md5sum </dev/mapper/tank)" "$sum" "the data is whole"
agent_end
ok $? "the agent ends"
run "there is a history" test -s /var/lib/adshard/history.db
show_log
done_testing
