# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the scripts share: where the tree and the cache are, how to say things.
# Sourced by bash scripts, never run.

ADS_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
ADS_CACHE=${ADSHARD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/adshard}
mkdir -p "$ADS_CACHE"

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# quiet LOG COMMAND...: runs a long command with its output in LOG, shows the end of it if it fails
quiet() {
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; die "failed: $* (all of it in $log)"; }
}

# locked NAME COMMAND...: one at a time over all checkouts, because the cache is shared
locked() {
	local name=$1
	shift
	(
		flock 9
		"$@"
	) 9>"$ADS_CACHE/.lock-$name"
}
