#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The trained model in the agent: there is none, the one that is installed, a damaged one.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 600
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl agent/train/smart.model
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 3 32
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
cp /t/smart.model /tmp/model
model='score { model = "/tmp/other" } patrol { enable = no } mode = off'
configure "$model"
run "create" adshardctl create --size 20M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
agent
healthy() { [ "$(score "${MEMBERS[0]}")" = 7 ]; }
risk() { ask '{"cmd":"risk","member":0}'; }
told() { risk | grep -q 'trained model'; }
wait_for 60 healthy
ok $? "scores come without a model"
logged 'model: /tmp/other is not there: rules judge disks alone'
ok $? "that there is none is said"

configure "${model/other/model}"
like "$(ask '{"cmd":"reload"}')" 'adshardd.reload' "reload"
wait_for 30 logged 'model: /tmp/model: [0-9]+ trees of what was known'
ok $? "the model that is installed is taken"
smart "${MEMBERS[0]}" "197 8"
wait_for 60 told
ok $? "it has something to say of pending sectors" || diag "$(risk)"
like "$(risk)" 'in 7 days, [0-9.]* in 30, [0-9]* in 90' "how likely it is"
[ "$(score "${MEMBERS[1]}")" = 7 ]
ok $? "and nothing of a healthy disk"

printf x | dd of=/tmp/model bs=1 seek=5000 conv=notrunc status=none
ask '{"cmd":"reload"}' >/dev/null
wait_for 30 logged 'model: /tmp/model: is damaged: its checksum is wrong; the one in use stays'
ok $? "a damaged file is named and not used"
wait_for 60 told
ok $? "the one before goes on"
agent_end
agent
wait_for 30 logged 'is damaged: its checksum is wrong; rules judge disks alone'
ok $? "after a start the rules are alone"
smart "${MEMBERS[0]}" "197 24" "187 3"
bad() { [ "$(score "${MEMBERS[0]}")" -gt 70 ]; }
wait_for 60 bad
ok $? "and judge" || diag "$(risk)"
agent_end
ok $? "ends"
show_log
done_testing
