#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The way of a plain bio has no locked instruction and writes to no memory that processors share,
# in the code that the compiler has made of it for the supported kernels; see hotpath-code. And
# what is put in there is found.
. "$(dirname "$0")/lib.sh"
finding='^.'

# code KERNEL SOURCE: map.o, disassembled
code() {
	local out=build/static/hotpath-$1${2:+-$3}
	scripts/module-build "$1" ${2:+-s "$2"} -o "$out" -f kernel/map.o >"$out.log" 2>&1 ||
		{ tail "$out.log"; return 1; }
	objdump -dr --no-show-raw-insn "$out/kernel/map.o"
}
look() { code "$@" >"$work/code" || { cat "$work/code"; return 1; }; tests/static/hotpath-code "$work/code"; }
mkdir -p build/static
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

inputs=(kernel/map.c kernel/*.h tests/static/hotpath-code)
for kernel in 6.1 6.12; do
	silent_once "no locked instruction, no shared write, $kernel" "${inputs[@]}" -- look $kernel
done

# with NAME AFTER STATEMENT PATTERN: silent if the checker complains, with the statement put in
with() {
	local name=$1 after=$2 statement=$3 pattern=$4
	rm -rf "$work/source"
	mkdir -p "$work/source"
	cp -a kernel uapi Kbuild "$work/source/"
	awk -v after="$after" -v statement="$statement" '
		{ print }
		index($0, after) && !done { print statement; done = 1 }' kernel/map.c >"$work/source/kernel/map.c"
	look 6.12 "$work/source" "$name" >"$work/said"
	rm -rf "build/static/hotpath-6.12-$name"
	grep -q "$pattern" "$work/said" || { echo "not found; it said:"; cat "$work/said"; }
}
found() { silent_once "found: $1" "${inputs[@]}" -- with "$@"; }
begin='	bio->bi_private = ads_plain(' end='	this_cpu_dec(pool->lanes.inflight->n[ads_plain_slot('
found atomic-in-map "$begin" '	atomic_long_inc(&pool->members[0].errors[0]);' 'ads_map: is locked'
found write-in-map "$begin" '	pool->event_seq++;' 'ads_map: writes'
found barrier-in-map "$begin" '	smp_mb();' 'ads_map: .*lock'
found call-in-map "$begin" '	ads_bio(bio)->start_ns = 0;' 'ads_map: calls'
found atomic-in-end "$end" '	atomic_long_inc(&pool->members[0].errors[0]);' 'ads_end_io: is locked'
found write-in-end "$end" '	WRITE_ONCE(pool->max_active, 1);' 'ads_end_io: writes'
done_testing
