#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a plain 4 KiB bio costs more than dm-linear, in instructions: see tests/bench/hotpath. That
# is the same on every machine, and no time.
# kernels: 6.12
# kernels-long: 6.1 6.12
# not-on: debug,kcsan checks cost more than what is measured
# module: tests/bench/biocost
# files: tests/bench/hotpath.guest
# icount: yes
# timeout: 600
. /t/lib.sh

LIMIT=1.04
ADS_QUICK=yes bash /t/hotpath.guest >/tmp/costs || bail "$(tail -n 3 /tmp/costs)"
# cost DEVICE OPERATION
cost() { awk -v device="$1" -v op="$2" '$1 == "cost" && $2 == device && $3 == op { print $4 }' /tmp/costs; }
holds() { awk "BEGIN { exit !($1) }"; }
for op in read write; do
	linear=$(cost linear $op) memory=$(cost linear_memory $op)
	on=$(cost adshard_memory $op) off=$(cost adshard_memory_off $op)
	diag "$op: linear $linear; adshard costs $(awk "BEGIN { print $on - $memory, $off - $memory }") more, without telemetry"
	run "$op: at most $LIMIT of linear" holds "$linear + $on - $memory <= $LIMIT * $linear"
	run "$op: the telemetry can be switched off" holds "$off < $on"
	# or it would not be adshard that was measured
	run "$op: and is not for nothing" holds "$off > $memory"
done
done_testing
