#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The tools build with clang without a warning, too. With gcc they were built before any test:
# their Makefile asks for the warnings, and for -Werror, so what is built already was found well.
. "$(dirname "$0")/lib.sh"

silent "gcc" make -C agent
# It has not all of gcc's warnings, not even to switch them off. Not optimized: its warnings don't
# depend on that.
silent "clang" make -C agent CC=clang O=../build/static/tools-clang \
	CFLAGS="-O0 -Wno-unknown-warning-option"
done_testing
