#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Evacuations that don't go well: sectors that can't be read, a destination that can't be written,
# and too little room.
# kernels: 6.1
# kernels-long: 6.1 6.12
# timeout: 300
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

load_module
members 3 48
for disk in "${MEMBERS[@]}"; do smart "$disk"; done
# many errors are no reason to empty a member here
configure 'plan { retries = 2 } patrol { enable = no } errors { count = 1000 }'
run "create" adshardctl create --size 40M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
agent
scored() { [ "$(score "$1")" = "$2" ]; }
# it may be over before anybody looks
leaves() { [[ $(state "$1") =~ ^drain(ing|ed)$ ]]; }
run "all is well" wait_for 60 scored "${MEMBERS[0]}" 7

# --- sectors that can't be read -----------------------------------------------------------
# where the third segment of member 0 lies: data begin at 1 MiB or later
segment=$(adshardctl segments -r -n --member 0 -o SEGMENT | sed -n 3p | tr -d ' ')
sector=$(dmsetup message tank 0 locate "$segment" | awk '{print $3}')
total=$(on 0)
member_bad 0 "$((sector + 104))" "$((sector + 111))"
smart "${MEMBERS[0]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 leaves 0
run "and ends with errors" wait_for 120 is_job drained-with-errors
is "$(state 0)" drained "but it ends: the member is drained"
is "$(job segments_total)" "$total" "of all segments"
is "$(job segments_done)" "$total" "none is left"
is "$(job note)" "4 KiB in 1 range could not be read" "the job says what is lost"
is "$(job bad_bytes)" 4096 "in numbers, too"
run "the log says which segment" grep -q "segment $segment: 4 KiB of it could not be read" /tmp/log
like "$(ask '{"cmd":"status"}')" "4 KiB in 1 range could not be read when they were moved" "a warning"
is "$(adshardctl segments --bad -r -n -o SEGMENT,LENGTH | xargs)" "$segment 4096" "adshardctl names the range"
member_good 0 "$((sector + 104))" "$((sector + 111))"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
forgotten() { [ "$(job bad_bytes)" = 0 ]; }
run "written, it is bad no more" wait_for 30 forgotten
agent_end
smart "${MEMBERS[0]}"
run "back online" adshardctl member 0 online

# --- a destination that can't be written ----------------------------------------------------
# something to evacuate again, from what will be the destination with the most room
run "some move back" adshardctl migrate "$(adshardctl segments -r -n --member 2 -o SEGMENT | head -n 6 | tr -d ' ' | paste -sd,)" --to 0 --wait
rm -r /var/lib/adshard
agent
run "all is well" wait_for 60 scored "${MEMBERS[0]}" 7
total=$(on 0) before=$(on 2)
member_bad 2 8192 98303
smart "${MEMBERS[0]}" "197 8" "187 3"
run "an evacuation begins" wait_for 60 leaves 0
run "and ends well" wait_for 120 is_state 0 drained
is "$(on 2)" "$before" "nothing went to the bad one"
run "which the log says" grep -q "${MEMBERS[2]}.* could not be moved to it: " /tmp/log
member_good 2 8192 98303

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
run "an evacuation begins" wait_for 60 leaves 0
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
