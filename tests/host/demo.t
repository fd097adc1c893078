#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.t KERNEL: "make demo" ends with PASS.
# long: yes
# not-on: debug,kcsan what it shows are tests of their own
# kernels: 6.1 6.12
out=$(mktemp)
trap 'rm -f "$out"' EXIT
status=0
# other guests run at the same time
"$(dirname "$0")/../../scripts/demo" -k "$1" -t 560 >"$out" 2>&1 || status=$?
echo 1..1
sed -n '/^Verdict/,$s/^/# /p' "$out"
[ $status = 0 ] || { echo "not ok 1 - the demo"; sed 's/^/# /' "$out"; exit 1; }
echo "ok 1 - the demo"
