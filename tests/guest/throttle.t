#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits that follow the load: copying slows down to its floor as long as the users' I/O takes
# longer than the bound, and is back at its ceiling when it doesn't. What counts is what the kernel
# says of its own rate, and which of them sets it.
# Checked by tests/mutations/throttle-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# timeout: 600
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
now() { adshardctl throttle -n -r --bytes -o "$1" "$2" | sed 's,\\x20,,g; s, ,,g'; }
rate_is() { [ "$(now SOURCE-NOW "$1")" = "$2" ]; }
refused() { # NAME REGEX OPTION...
	local out
	out=$(adshardctl throttle "${@:3}" 2>&1)
	like "$?: $out" "$2" "$1"
}

is "$(now SOURCE-NOW,DEST-NOW,FLOOR,LATENCY 0)" "----" "no limits"
run "a ceiling" adshardctl throttle --rate 8M
is "$(now SOURCE-NOW 0)" 8388608 "is what copying may reach"
refused "a floor above the ceiling" "member 0: a floor of 9437184 is above its limit of 8388608" --floor 9M
refused "a ceiling below the floor" "a floor of 4194304 is above its limit of 1048576" --floor 4M --rate 1M
is "$(now SOURCE-RATE,FLOOR 0)" "8388608-" "is refused, and changes nothing"
run "a floor and a bound" adshardctl throttle --floor 2M --latency 20ms
is "$(now SOURCE-RATE,FLOOR,LATENCY 0)" "8388608209715220ms" "are set"
like "$(adshardctl status)" "limits: each member: copying 8 MiB/s from it and to it, less while I/O of users takes over 20 ms, but not below 2 MiB/s" \
	"status says so"
run "without load the rate rises to the ceiling" wait_for 30 rate_is 0 8388608
is "$(now LATENCY-NOW 0)" "-" "as there is no I/O of users"

# a disk that takes 100 ms for each read of a user, who has eight of them in flight
a=$(on 0)
gate d0 stop
dmsetup reload d0 --table "0 $((MEMBER_SECTORS - DATA)) delay ${MEMBERS[0]} $DATA 100 ${MEMBERS[0]} $DATA 0"
dmsetup resume d0
load() {
	while [ -e /tmp/load ]; do
		dd if=$DEV of=/dev/null bs=4K count=16 skip=$((a * 256 + $1 * 16)) iflag=direct status=none
	done
}
touch /tmp/load
for ((i = 0; i < 8; i++)); do load $i & done
run "with it the rate falls to the floor" wait_for 60 rate_is 0 "2097152(floor)"
like "$(now LATENCY-NOW 0)" "^[0-9]{3,}(\.[0-9]+)?ms$" "the latency is why"
run "on this disk, not on others" rate_is 1 8388608
# whatever the load: it goes on
b=$a
while [ "$b" = "$a" ] || ! at "$b" 0; do b=$((b + 1)); done
start $b 1
run "a move is made at the floor" wait_for 120 at $b 1
run "it is still at the floor" rate_is 0 "2097152(floor)"
is "$(adshardctl throttle --json 0 | grep -o '"source_rate_by": *"[a-z]*"' | cut -d'"' -f4)" floor "as in JSON"
rm /tmp/load
wait %2 %3 %4 %5 %6 %7 %8 %9 2>/dev/null
run "without the load it rises again" wait_for 60 rate_is 0 8388608
run "the bound can be taken away" adshardctl throttle --latency 0 --floor 0 --rate 0
is "$(now SOURCE-NOW,DEST-NOW,FLOOR,LATENCY 0)" "----" "and all limits"
fails "status has nothing to say of them" eval 'adshardctl status | grep -q "limits:"'
gate d0 open
run "all data is as it was" same
done_testing
