#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# With the real smartctl: an NVMe disk that calls itself unreliable, one that is too hot, and one
# that makes itself read-only.
# kernels: 6.12
# kernels-long: 6.1 6.12
# timeout: 400
# files: tests/guest/daemon-lib.sh
# hook: tests/guest/daemon-nvme.hook
# disks: nvme:a:64M nvme:b:64M nvme:c:64M nvme:d:64M
. /t/lib.sh
. /t/daemon-lib.sh

modprobe nvme
present() { [ "$(grep -l . /sys/block/nvme*/device/serial | wc -l)" = 4 ]; }
run "the disks are there" wait_for 20 present
load_module
for name in a b c d; do MEMBERS+=("$(disk $name)"); done
run "create" adshardctl create --size 64M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(md5sum </dev/mapper/tank)
configure "smart { command = \"$(type -P smartctl)\" interval = 3s timeout = 20s }"
agent
scored() { [ "$(score "$1")" = "$2" ]; }
run "a healthy disk" wait_for 60 scored "${MEMBERS[0]}" 0
like "$(ask '{"cmd":"risk","member":0}')" '"model":"QEMU NVMe Ctrl","serial":"a"' "is identified"
run "all of them" wait_for 30 scored "${MEMBERS[3]}" 0

host b 2 >/dev/null
run "too hot" wait_for 30 scored "${MEMBERS[1]}" 60
host c 4 >/dev/null
run "unreliable" wait_for 30 scored "${MEMBERS[2]}" 85
run "which at its second reading is a reason to go" wait_for 30 is_state 2 draining
run "it is emptied" wait_for 90 is_state 2 drained
run "with all that it had" wait_for 10 logged 'job 1: drained: 8 of 8 segments'
is "$(sed -n 's/.*: segment [0-9]* to member 1$/&/p' /tmp/log)" "" "nothing went to the hot one"
host d 8 >/dev/null
run "read-only" wait_for 30 scored "${MEMBERS[3]}" 95
run "is urgent" wait_for 30 is_state 3 draining
run "it is emptied" wait_for 90 is_state 3 drained
is "$(md5sum </dev/mapper/tank)" "$sum" "the data is whole"
agent_end
ok $? "the agent ends"
run "what happened is in the history" grep -q "made itself read-only" /var/lib/adshard/history.db
show_log
done_testing
