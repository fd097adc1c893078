#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What finds mistakes in the other tests finds mistakes made on purpose: a module makes one for
# each instrument (tests/guest/mistakes), and the kernel's report of it must name the module.
# kernels: um
# kernels-long: um debug kcsan
# timeout: 240
# long: yes
# append: kasan_multi_shot
# kmemleak: module
# complaints: wanted
# module: tests/guest/mistakes
. /t/lib.sh

# noticed NAME REGEX: makes a mistake; the kernel's log must have the report, or, if there is a
# third word, what that command prints
noticed() {
	local name=$1 wanted=$2 out
	shift 2
	# not klog: long reports go round the kernel's buffer
	dmesg -C
	run "$name: is made" insmod /t/dm_adshard_mistakes.ko make="$name" || return
	out=$(dmesg)
	[ $# = 0 ] || out=$("$@")
	like "$out" "$wanted" "$name: is noticed"
	rmmod dm_adshard_mistakes
}
# while the module is there: afterwards the trace has no names
leaks() {
	sleep 5.2
	{ echo scan && echo scan; } >/sys/kernel/debug/kmemleak
	cat /sys/kernel/debug/kmemleak
}
m=dm_adshard_mistakes
if [ "$ADS_KERNEL" = kcsan ]; then
	noticed race "BUG: KCSAN: data-race in racer .*$m"
else
	# in this order: a report of one of them switches lockdep off
	noticed no_rcu_lock "WARNING: suspicious RCU usage.*$m"
	noticed lock_order "WARNING: possible circular locking dependency detected.*$m"
	noticed sleep_in_atomic "BUG: sleeping function called from invalid context.*$m"
	noticed free_active_timer "ODEBUG: init active.*$m"
	noticed shift "UBSAN: shift-out-of-bounds in .*mistakes.c"
	noticed use_after_free "BUG: KASAN: slab-use-after-free in use_after_free.*$m"
	noticed out_of_bounds "BUG: KASAN: slab-out-of-bounds in out_of_bounds.*$m"
	noticed leak "unreferenced object .*\(size 2048\).*leak\+.*$m" leaks
fi
done_testing
