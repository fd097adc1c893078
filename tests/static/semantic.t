#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel's semantic patches (coccinelle) over the module.
. "$(dirname "$0")/lib.sh"

source=$(scripts/kernel-source) || exit

# "make coccicheck" stops at the patches that want OCaml, so run the others by hand; one that
# does not come to an end is given up.
patches() {
	find "$source/scripts/coccinelle" -name '*.cocci' | sort |
		xargs grep -LE '^@ *(initialize|script|finalize):ocaml' |
		xargs grep -lE 'virtual report' |
		xargs -P "$(nproc)" -I {} timeout 60 spatch -D report --no-show-diff --very-quiet --no-includes \
			--include-headers --dir kernel --cocci-file {} 2>/dev/null | sort -u |
		grep -vf <(grep -v '^#' tests/static/semantic.known)
	return 0
}
finding=.
silent_once "semantic patches" "$source" tests/static/semantic.known kernel/*.[ch] -- patches
done_testing
