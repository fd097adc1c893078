#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every fuzz target for a minute, or FUZZ_SECONDS.
# long: yes
. "$(dirname "$0")/lib.sh"

finding='fuzz\.[a-z-]*\.crashes [^0]|ERROR|must hold|runtime error'
# something that must be found, and is no seed
found() { ! tests/fuzz/run -s 60 control >/dev/null 2>&1 || echo "ERROR: the fault was not found"; }
silent "the control's fault is found" found
fuzzing() { tests/fuzz/run -s "${FUZZ_SECONDS:-60}" | tee build/fuzz/figures; }
silent "fuzzing" fuzzing
sed 's/^/# /' build/fuzz/figures
done_testing
