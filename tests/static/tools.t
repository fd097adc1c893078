#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tools build with gcc and clang without a warning.
. "$(dirname "$0")/lib.sh"

# its Makefile asks for the warnings, and for -Werror
build() {
	rm -rf "build/static/tools-$1"
	make -C agent CC="$1" O="../build/static/tools-$1" CFLAGS="-O2 -g $2"
}
silent "gcc" build gcc ""
# it has not all of gcc's warnings, not even to switch them off
silent "clang" build clang -Wno-unknown-warning-option
done_testing
