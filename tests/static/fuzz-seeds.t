#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The inputs that each fuzz target begins with, and those that once crashed it, once through it.
. "$(dirname "$0")/lib.sh"

finding='fuzz\.[a-z-]*\.crashes [^0]|ERROR|must hold|runtime error'
silent "seeds" tests/fuzz/run -i

# the control has a fault of each kind; all of them must be seen
faults() {
	local seeds fault status
	seeds=$(mktemp -d)
	FUZZ_FAULTS=1 FUZZ_SEEDS=$seeds build/fuzz/bin/control
	echo none >"$seeds/none"
	build/fuzz/bin/control "$seeds/none" >/dev/null 2>&1 || echo "ERROR: what is no fault is taken for one"
	for fault in a u d l m h; do
		build/fuzz/bin/control -timeout=2 -artifact_prefix="$seeds/" "$seeds/$fault" >/dev/null 2>&1 &&
			echo "ERROR: fault $fault is not seen"
	done
	rm -rf "$seeds"
}
silent "faults are seen" faults
done_testing
