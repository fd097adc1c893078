#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# checkpatch over the kernel code.
. "$(dirname "$0")/lib.sh"

source=$(scripts/kernel-source) || exit
finding=.
checkpatch() {
	local ignore=FILE_PATH_CHANGES		# is about MAINTAINERS, which an out-of-tree module has not
	case $1 in
	# #if LINUX_VERSION_CODE >= KERNEL_VERSION(...) is what it is for; text.t sees that it is alone
	*/compat.h) ignore+=,LINUX_VERSION_CODE,CONSTANT_COMPARISON ;;
	# user space has neither __packed nor BIT()
	uapi/*) ignore+=,PREFER_DEFINED_ATTRIBUTE_MACRO,BIT_MACRO ;;
	esac
	perl "$source/scripts/checkpatch.pl" --no-tree --strict --quiet --no-summary --terse --show-types \
		--ignore $ignore -f "$1"
}
for file in kernel/*.[ch] uapi/linux/*.h tests/bench/*/*.c; do
	[ ! -e "$file" ] || silent_once "$file" "$source" "$file" -- checkpatch "$file"
done
done_testing
