#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From end to end: a load that comes with the hour and is all on one disk, another disk that turns
# slow, a third that turns bad. The agent relieves the first and the second, empties the third, and
# the files are what they should be. Prints the 99th percentile of the readers' waiting in each phase.
# kernels: 6.12
# long: yes
# timeout: 900
# disks: virtio:a:128M virtio:b:128M virtio:c:128M virtio:d:128M
# hook: tests/guest/daemon-balance.hook
# files: tests/guest/daemon-lib.sh tests/guest/daemon-smartctl
. /t/lib.sh
. /t/daemon-lib.sh

IOPS=200
names=(a b c d)
for name in "${names[@]}"; do
	MEMBERS+=("$(disk $name)")
	smart "${MEMBERS[-1]}"
done
load_module
run "create" adshardctl create --size 256M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
# files that know what is in them, on the first three quarters; the readers' segments are behind them
run "a file system" mkfs.ext4 -q /dev/mapper/tank 192M
mount /dev/mapper/tank /mnt
mkdir /mnt/files
mapfile -t hot < <(adshardctl segments -r -n -R 96-127 -o SEGMENT,MEMBER | awk '$2 == 0 { print $1 }' | head -n 8)
[ ${#hot[@]} -ge 4 ]
ok $? "several segments of the readers are on the first disk (${hot[*]})"
sum=$(dd if=/dev/mapper/tank bs=1M skip=192 iflag=direct status=none | md5sum)
for name in "${names[@]}"; do host $name $IOPS >/dev/null; done
on_first() { # how many of the hot ones are on this member
	local i n=0
	for i in "${hot[@]}"; do
		[ "$(adshardctl segments -r -n -R "$i" -o MEMBER | tr -d ' ')" != "$1" ] || n=$((n + 1))
	done
	echo $n
}

# one after the other: a few seconds of reading, as long as the clock says so
args=(--filename=/dev/mapper/tank --direct=1 --rw=randread --bs=4k --time_based --runtime=4
	--rate_iops=$((240 / ${#hot[@]})) --group_reporting --output-format=json)
for i in "${hot[@]}"; do args+=(--name="s$i" --offset=$((i * 2))M --size=2M); done
echo night >/tmp/phase
readers() {
	while [ ! -e /tmp/stop ]; do
		if [ "$(</tmp/phase)" = night ]; then sleep 0.5; continue; fi
		phase=$(</tmp/phase)
		fio "${args[@]}" 2>/dev/null |
			jq -r --arg phase "$phase" '"\($phase) \(.jobs[0].read.clat_ns.percentile["99.000000"] / 1e6 | floor)"' >>/tmp/p99
	done
}
readers &
READERS=$!
stampwriter write /mnt/files /tmp/ledger /tmp/stamps &
WRITER=$!
trap 'touch /tmp/stop; kill $WRITER 2>/dev/null; wait; umount -l /mnt; cleanup' EXIT
# of a phase, in milliseconds: the worst figure of one in which it gets better, else the last
p99() {
	awk -v p="$1" '$1 == p { last = $2; if ($2 > worst) worst = $2 }
		END { print last == "" ? "-" : (p == "day" || p == "slow") ? worst : last }' /tmp/p99
}
figures() { [ "$(grep -c "^$1 " /tmp/p99)" -ge "$2" ]; }
phase() {
	echo "$1" >/tmp/phase
	wait_for 60 figures "$1" 2 || diag "no figures of $1"
}

configure 'score { stale = 30 }
balance { enable = yes high = 60 }
pace { rest = 20s }'
agent
sleep 8
is "$(adshardctl jobs --all --json | jq '.jobs | length')" 0 "at night nothing is done"

# --- the day begins: all of its load is on one disk ----------------------------------------
phase day
relieved() { [ "$(on_first 0)" -le $((${#hot[@]} - 2)) ]; }
run "the busy disk is relieved" wait_for 90 relieved
like "$(adshardctl jobs --all --json | jq -r '.jobs[-1] | .kind')" '^balance$' "by balancing"
run "it comes to rest" adshardctl wait idle --timeout "$(patience 60)"
phase relieved

# --- one turns slow --------------------------------------------------------------------------
most=$(for i in 0 1 2 3; do echo "$(on_first $i) $i"; done | sort -rn | awk 'NR == 1 { print $2 }')
gone() { grep '(balance)' /tmp/log | grep -c "from member $most "; }
before=$(gone)
host "${names[most]}" 30 >/dev/null
phase slow
left() { [ "$(gone)" -gt "$before" ]; }
run "segments leave the slow disk" wait_for 120 left
is "$(state "$most")" online "it is relieved, not emptied"
run "it comes to rest again" adshardctl wait idle --timeout "$(patience 90)"
phase around-slow

# --- another turns bad -----------------------------------------------------------------------
bad=$(((most + 1) % 4))
smart "${MEMBERS[bad]}" "197 8" "187 3"
echo evacuating >/tmp/phase
run "the bad one is emptied" wait_for 240 is_state $bad drained
phase emptied
first=$(grep -n '(balance)' /tmp/log | head -n 1 | cut -d: -f1)
last=$(grep -n 'evacuation begins' /tmp/log | head -n 1 | cut -d: -f1)
[ "${first:-0}" -lt "${last:-0}" ]
ok $? "first balance, then evacuation"
is "$(on $bad)" 0 "nothing is left on it"

# --- all is as it was -------------------------------------------------------------------------
touch /tmp/stop
kill $WRITER
wait $WRITER
is $? 0 "the writer has read back what it wrote"
wait $READERS
is "$(dd if=/dev/mapper/tank bs=1M skip=192 iflag=direct status=none | md5sum)" "$sum" "what was only read"
echo 3 >/proc/sys/vm/drop_caches
run "every file" stampwriter verify /mnt/files /tmp/ledger
agent_end
run "decisions come out the same again" adshardctl replay /var/lib/adshard/decisions.log
for name in day relieved slow around-slow evacuating emptied; do
	diag "figure: e2e.p99_ms.$name $(p99 $name)"
done
[ "$(p99 relieved)" -lt "$(p99 day)" ]
ok $? "readers wait less when it is relieved ($(p99 day) ms, then $(p99 relieved) ms)"
show_log
umount /mnt
done_testing
