# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh: what a test of command lines begins with; it then is at the top of the tree.
#
#     . "$(dirname "$0")/lib.sh"
#     needs FILE...           without one of them nothing is tested
#     ok STATUS NAME
#     lines PROGRAM [one]     WANTED-STATUS|ARGUMENTS|PATTERN of what it says on stderr on each line of
#                             the standard input, blank ones and # apart; one: an error is one line
#     done_testing
set -u
cd "$(dirname "$0")/../.." || exit

count=0 failed=0

needs() {
	local file
	for file in "$@"; do
		[ -x "$file" ] || { echo "1..0 # SKIP ${file##*/} is not built"; exit; }
	done
}

ok() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else
		echo "not ok $count - $2"
		failed=$((failed + 1))
	fi
	return "$1"
}

lines() {
	local want line text out got
	while IFS='|' read -r want line text; do
		case $want in '' | '#'*) continue ;; esac
		# shellcheck disable=SC2086 # words
		out=$("$1" $line 2>&1 >/dev/null </dev/null)
		got=$?
		[ $got = "$want" ]
		ok $? "$want: ${1##*/} $line" || echo "# got $got: $out"
		if [ "$want" != 0 ] && [ "${2:-}" = one ]; then
			[ "$(wc -l <<<"$out")" = 1 ] && [ -n "$out" ]
			ok $? "one line: ${1##*/} $line" || echo "# $out"
		fi
		[ -z "$text" ] || { grep -q -e "$text" <<<"$out"
			ok $? "says $text: ${1##*/} $line" || echo "# $out"; }
	done
}

done_testing() {
	echo "1..$count"
	[ $failed = 0 ]
	exit
}
