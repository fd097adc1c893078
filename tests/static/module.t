#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module builds for every supported kernel without a warning: gcc with W=1, sparse with
# endianness checks, clang.
#
# What was built once stays: a file with a warning makes no object (-Werror, -Wsparse-error), so
# that make comes back to it, and compiles no file that was found well.
. "$(dirname "$0")/lib.sh"

# Once more from nothing if it fails: what a run that was killed has left is no finding.
build() {
	local out=build/static/$1-$2

	scripts/module-build "$2" -o "$out" "${@:3}" KCFLAGS=-Werror >/dev/null 2>&1 && return
	rm -rf "$out"
	scripts/module-build "$2" -o "$out" "${@:3}" KCFLAGS=-Werror
}
for kernel in 6.1 6.12; do
	silent "gcc W=1 and sparse, $kernel" build gcc $kernel W=1 C=1 \
		CF='-D__CHECK_ENDIAN__ -Wsparse-error'
done
# Debian's headers were made by gcc; clang 14 says so once, and rejects some of gcc's options
# quietly.  LLVM=-14 names the tools by Debian's version suffix.
finding='(kernel|uapi)/.*([Ww]arning|[Ee]rror):' \
	silent "clang W=1, 6.12" build clang 6.12 W=1 LLVM=-14
done_testing
