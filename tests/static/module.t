#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module builds for every supported kernel without a warning: gcc with W=1, sparse with
# endianness checks, clang.
. "$(dirname "$0")/lib.sh"

# build NAME KERNEL MAKE-ARGUMENT...: from nothing, as a warning appears only when a file is compiled
build() {
	local out=build/static/$1-$2
	rm -rf "$out"
	scripts/module-build "$2" -o "$out" "${@:3}"
}
for kernel in 6.1 6.12; do
	silent "gcc W=1 and sparse, $kernel" build gcc $kernel W=1 C=2 CF=-D__CHECK_ENDIAN__
	# Debian's headers were made by gcc; clang 14 says so once, and rejects some of gcc's options
	# quietly.  LLVM=-14 names the tools by Debian's version suffix.
	finding='(kernel|uapi)/.*([Ww]arning|[Ee]rror):' \
		silent "clang W=1, $kernel" build clang $kernel W=1 LLVM=-14
done
done_testing
