#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# power-cuts.t KERNEL: a few of the power cuts of tests/crash/cuts and reboots, with their negative
# controls. "make crash" has many.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# long: yes
set -eu -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
kernel=$1

n=0
point() { # NAME COMMAND...: its output is shown
	local name=$1 status=0
	shift
	n=$((n + 1))
	"$@" 2>&1 | sed 's/^/# /' || status=$?
	[ $status = 0 ] && echo "ok $n - $name" || echo "not ok $n - $name"
}
point "cuts: nothing lost, the controls are noticed" "$top/tests/crash/cuts" -k "$kernel" -n 20
[ "$kernel" = um ] ||
	point "reboots: nothing lost, the controls are noticed" "$top/tests/crash/reboots" -k "$kernel" -n 3
echo "1..$n"
