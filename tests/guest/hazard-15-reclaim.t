#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 15: no forward progress. At every step of a migration, and for every kind of I/O that waits
# there, a suspend must come to its end once the disks answer; a write must do with no memory but
# the reserve. (A hang here counts as a failure: it ends in an assertion, not in the time limit.)
# Checked by tests/mutations/15-*.patch.  What chance finds, with the volume as swap: lifecycle-swap.t.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 300
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 24 24
echo 60 >/proc/sys/kernel/hung_task_timeout_secs 2>/dev/null
kinds=(--noflush --nolockfs '')
n=0
# suspends NAME COMMAND...: a suspend begins, the command lets the disks answer, the suspend ends
suspends() {
	local name=$1 pid
	shift
	# shellcheck disable=SC2086 # no word for the plain kind
	dmsetup suspend ${kinds[n++ % 3]} vol &
	pid=$!
	sleep 0.7
	"$@"
	wait_for 10 eval "! kill -0 $pid"
	ok $? "$name: a suspend ends" || give_up "$name"
	run "$name: and the resume" dmsetup resume vol
}
# moved NAME SEG MEMBER
moved() {
	wait_for 20 at "$2" "$3" && wait_for 20 idle
	ok $? "$1: the segment moves" || give_up "$1"
	run "$1: the data is whole" same
}
copied() { [ "$(word 11)" -gt "$1" ]; }

a=$(on 0)
gate d0 writes
begin_put x "$a" 100 4
wait_for 5 held d0 writes
start "$a" 1
suspends "draining for the first time" gate d0 open
run "the write ends well" result x
keep x
moved "draining for the first time" "$a" 1

a=$(on 0)
gate d1 writes
start "$a" 1
run "chunks are being copied" wait_for 20 held d1 writes 4
begin_put x "$a" 0 4
suspends "a write waits for a chunk" gate d1 open
run "the write ends well" result x
keep x
moved "a write waits for a chunk" "$a" 1

a=$(on 0)
before=$(word 11)
dmsetup message vol 0 throttle 1
start "$a" 1
run "one chunk is copied, the others wait for the limit" wait_for 20 copied "$before"
suspends "waiting for the limit" true
dmsetup message vol 0 throttle 0
moved "waiting for the limit" "$a" 1

a=$(on 0)
gate w1 flushes
start "$a" 1
run "the destination is being flushed" wait_for 20 held w1 flushes
suspends "flushing" gate w1 open
moved "flushing" "$a" 1

a=$(on 0)
gate w1 flushes
start "$a" 1
run "the destination is being flushed" wait_for 20 held w1 flushes
gate d0 reads
gate w1 open
run "the legs are being compared" wait_for 20 held d0 reads 4
suspends "comparing" gate d0 open
moved "comparing" "$a" 1

a=$(on 0)
gates writes j0 j1 j2
start "$a" 1
run "the record is on its way" wait_for 20 commit_begun
gate d0 writes
begin_put v "$a" 100 8
wait_for 5 held d0 writes
begin_put w "$a" 104 8
suspends "committing, with writes that overlap" eval 'gate d0 open; gates open j0 j1 j2'
run "the first write ends well" result v
run "the second write ends well" result w
keep v
keep w
moved "committing" "$a" 1

a=$(on 0)
gates writes j0 j1 j2
start "$a" 1
run "the record is on its way" wait_for 20 commit_begun
gate d1 errors
before=$(count d1)
begin_put x "$a" 256 4
run "a write misses the destination" wait_for 5 more d1 "$before"
gate d1 open
suspends "a write waits for the outcome" gates open j0 j1 j2
run "it ends well" result x
keep x
wait_for 20 idle
is "$(where "$a")" 0 "the move was taken back"
run "the data is whole" same

gates writes j0 j1 j2
start "$a" 1
run "the record is on its way" wait_for 20 commit_begun
gate d0 reads
dd if=$DEV of=/tmp/read bs=64K count=1 skip="${a}M" iflag=direct,skip_bytes status=none &
reader=$!
wait_for 5 held d0 reads
gates open j0 j1 j2
run "the word is changed" wait_for 20 at "$a" 1
suspends "draining for the second time" gate d0 open
wait $reader
ok $? "the read of the old place ends well"
moved "draining for the second time" "$a" 1

# more mirrored writes at once than the reserve of memory is for, and no other memory
fail=/sys/kernel/debug/failslab
[ -d /sys/kernel/debug/tracing ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null
if [ -d $fail ]; then
	a=$(on 0)
	gates writes j0 j1 j2
	start "$a" 1
	run "the record is on its way" wait_for 20 commit_begun
	gate d1 writes
	echo 0 >$fail/verbose
	# only bios, and only where there is no waiting for them
	for file in /sys/kernel/slab/bio-*/failslab; do echo 1 >"$file"; done 2>/dev/null
	echo 1 >$fail/cache-filter
	echo -1 >$fail/times
	echo 100 >$fail/probability
	fio --name=many --filename=$DEV --direct=1 --ioengine=libaio --iodepth=96 --rw=write --bs=4k \
		--offset=$((a * 1048576)) --size=512k --verify=crc32c --do_verify=0 >/tmp/fio 2>&1 &
	pid=$!
	wait_for 10 held d1 writes 32
	ok $? "as many writes are on their way as the reserve allows"
	sleep 1
	gate d1 open
	wait_for 20 eval "! kill -0 $pid"
	ok $? "they end" || give_up "writes with no memory"
	echo 0 >$fail/probability
	wait $pid
	ok $? "and end well" || diag "$(cat /tmp/fio)"
	gates open j0 j1 j2
	run "the segment moves" wait_for 20 at "$a" 1
	run "with what was written" fio --name=many --filename=$DEV --direct=1 --rw=write --bs=4k \
		--offset=$((a * 1048576)) --size=512k --verify=crc32c --verify_only
else
	skip "writes with no memory but the reserve" "this kernel has no failslab"
fi
deactivate
done_testing
