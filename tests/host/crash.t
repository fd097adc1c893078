#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# crash.t KERNEL: a small share of the campaign of power cuts ("make crash"), of each kind.
# Each kind damages what it checks on purpose, and fails if it doesn't notice.
# kernels: 6.12
# kernels-long: 6.1 6.12
# long: yes
# not-on: debug,kcsan dozens of boots; power-cuts.t has a share of it
set -u -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$("$top/tests/crash/run" 600 7 "$1" 2>&1)
status=$?
sed 's/^/# /' <<<"$out"
point() {
	if [ "$2" = 0 ]; then echo "ok $1 - $3"; else echo "not ok $1 - $3"; fi
}
point 1 $status "the campaign found nothing"
awk '$1 == "crash.trials" { n = $2 } END { exit !(n >= 600) }' <<<"$out"
point 2 $? "and it looked"
echo 1..2
