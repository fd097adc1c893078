#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# power-cuts.t KERNEL: some of the power cuts of tests/crash/cuts under KASAN and lockdep, with their
# negative controls. crash.t has those of the other kernels.
# kernels: um
# long: yes
set -u -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)

out=$("$top/tests/crash/cuts" -k "$1" -n 40 2>&1)
status=$?
sed 's/^/# /' <<<"$out"
if [ $status = 0 ]; then echo "ok 1 - nothing lost"; else echo "not ok 1 - nothing lost"; fi
trials=$(awk '$1 == "cuts.trials" {print $2}' <<<"$out")
if [ "$trials" = 40 ]; then echo "ok 2 - all tried"; else echo "not ok 2 - all tried"; fi
echo 1..2
