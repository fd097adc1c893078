#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What can be told from the text alone: licences, kernel versions, spelling, shell.
. "$(dirname "$0")/lib.sh"

finding=.
mapfile -t files < <(git ls-files)

# Everything that can hold a comment says its licence in line 1, or 2 after #!
unlicensed() {
	local file
	for file in "${files[@]}"; do
		case $file in
		*.c | *.h | *.sh | *.py | *.t | *.config | Makefile | */Makefile | Kbuild | scripts/* | .ci/*)
			case $file in *.patch | *.json | *.md | *.rst) continue ;; esac
			[ ! -s "$file" ] || head -n 2 "$file" | grep -q SPDX-License-Identifier: || echo "$file"
			;;
		esac
	done
}
silent "every file says its licence" unlicensed

# One place that knows what differs between kernels
versions() {
	grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION' kernel/*.[ch] | grep -v '^kernel/compat\.h:' || true
}
silent "only compat.h looks at the kernel's version" versions

spelling() {
	printf '%s\0' "${files[@]}" | grep -zvE '\.(svg|json|patch|csv)$' |
		xargs -0 codespell --ignore-words tests/static/words
}
silent "spelling" spelling

shell() {
	local file
	for file in "${files[@]}"; do
		[ -f "$file" ] || continue
		if head -n 1 "$file" | grep -qE '^#!.*sh$|^# shellcheck shell='; then printf '%s\0' "$file"; fi
	# SC2034, unused variables: it cannot follow the sourced libraries, which use them
	done | xargs -0 shellcheck --format=gcc --severity=warning --exclude=SC2034
}
silent "shell scripts" shell
done_testing
