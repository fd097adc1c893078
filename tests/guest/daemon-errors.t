#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Evacuations that can't be completed: a segment that can't be read, and too little room.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 300
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 3 48
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
configure 'plan { retries = 2 } patrol { enable = no }'
run "create" adshardctl create --size 40M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
agent
scored() { [ "$(score "$1")" = "$2" ]; }
run "all is well" wait_for 60 scored "${MEMBERS[0]}" 7

# --- a segment that can't be read ---------------------------------------------------------
# where the third segment of member 0 lies: data begin at 1 MiB or later
segment=$(adshardctl segments -r -n --member 0 -o SEGMENT | sed -n 3p | tr -d ' ')
sector=$(dmsetup message tank 0 locate "$segment" | awk '{print $3}')
total=$(on 0)
member_bad 0 "$((sector + 100))" "$((sector + 107))"
smart "${MEMBERS[0]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 is_state 0 draining
run "and ends with errors" wait_for 120 is_job drained-with-errors
is "$(job segments_total)" "$total" "of all segments"
is "$(job segments_done)" $((total - 1)) "one is left"
like "$(job note)" "can't be moved: $segment " "the job names it"
is "$(adshardctl segments -r -n --member 0 -o SEGMENT | tr -d ' ')" "$segment" "it is where it was"
is "$(state 0)" draining "the member is still draining"
is "$(grep -c "segment $segment: not moved" /tmp/log)" 2 "it was tried twice"
is "$(sed -n "s/.*: segment $segment to member //p" /tmp/log | sort | tr '\n' ' ')" "1 2 " "at different places"
sleep 3
is "$(grep -c "segment $segment: not moved" /tmp/log)" 2 "and no more"
member_good 0 "$((sector + 100))" "$((sector + 107))"
agent_end
agent
run "a new start tries again" wait_for 60 is_state 0 drained
run "which the job says" wait_for 10 is_job drained

# --- too little room ------------------------------------------------------------------------
smart "${MEMBERS[0]}"
agent_end
run "deactivate" adshardctl deactivate tank
for disk in "${MEMBERS[@]}"; do blkdiscard -zf "$disk" 2>/dev/null || dd if=/dev/zero of="$disk" bs=1M status=none 2>/dev/null; done
rm -r /var/lib/adshard
run "create a fuller one" adshardctl create --wipe --reserve 0 --size 128M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
total=$(on 0)
agent
run "all is well" wait_for 60 scored "${MEMBERS[0]}" 7
smart "${MEMBERS[0]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 is_state 0 draining
short() { [[ $(job note) =~ ^no\ room\ for\ ([0-9]+)\ of\ ([0-9]+)\  ]] && [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]; }
run "what fits is moved, and the job says what does not" wait_for 60 short
short
left=${BASH_REMATCH[1]}
is "$(on 0)" "$left" "that many are left"
[ "$left" -gt 0 ] && [ "$left" -lt "$total" ]
ok $? "some of them"
is "$(job segments_done)" $((total - left)) "and the others done"
is "$(job state)" draining "it is not over"
like "$(ask '{"cmd":"cancel","job":'"$(job id)"'}')" adshardd.cancel "cancel"
run "takes data again" wait_for 20 is_state 0 online
agent_end
ok $? "the agent ends"
show_log
done_testing
