# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh: for the static checks, which are host scripts that print TAP.  Sourced; goes to the
# top of the tree.
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
checks=0

# silent NAME COMMAND...: the command must succeed without a warning, error or other finding,
# that is: without a line of output that matches $finding
finding='[Ww]arning:|[Ee]rror:|\*\*\*'
silent() {
	local name=$1 out status=0 found
	shift
	checks=$((checks + 1))
	out=$("$@" 2>&1) || status=$?
	found=$(grep -E "$finding" <<<"$out")
	if [ $status = 0 ] && [ -z "$found" ]; then
		echo "ok $checks - $name"
		return
	fi
	echo "not ok $checks - $name"
	tail -n 60 <<<"${found:-$out}" | sed 's/^/# /'
	[ $status = 0 ] || echo "# $*: status $status"
}
# silent_once NAME INPUT... -- COMMAND...: the same, but not again for inputs (words and files)
# with which it was silent before; the test itself is one of them.
silent_once() {
	local name=$1 input stamp said before=$checks
	shift
	stamp=$(
		cat "$0"
		while [ "$1" != -- ]; do
			input=$1
			shift
			if [ -f "$input" ]; then sha256sum "$input"; else echo "$input"; fi
		done
		echo "$@"
	)
	while [ "$1" != -- ]; do shift; done
	shift
	stamp=build/static/silent/$(sha256sum <<<"$stamp" | cut -c 1-40)
	if [ -e "$stamp" ]; then
		checks=$((checks + 1))
		echo "ok $checks - $name (as before)"
		return
	fi
	said=$(mktemp)
	silent "$name" "$@" >"$said"
	cat "$said"
	if grep -q "^ok $((before + 1)) " "$said"; then
		mkdir -p build/static/silent
		touch "$stamp"
	fi
	rm -f "$said"
}
done_testing() { echo "1..$checks"; }
