# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# replica-lib.sh: what the tests replica-*.t share, beside hazard-lib.sh.
#
#   legs SEG | leg SEG N      members that have a leg of it, the primary first; the N-th (from 0)
#   stale | short | doubt     how many there are, by the status line
#   replicate SEG MEMBER | drop SEG MEMBER | free_for SEG    a leg comes, goes; a member without one
#   certain                   nothing is in doubt, and no operation under way
#   raw MEMBER SEG KIB LENGTH    what is on the disk there, whatever the pool says
#   written PART              sectors that were written to a part, see hazard-lib.sh
#   equal SEG                 do all legs have the same on their disks?
#   constant SEG              do twenty reads return the same, and what the model says?
. /t/hazard-lib.sh

legs() { dmsetup message vol 0 locate "$1" | mawk '{ for (i = 1; i < NF; i += 3) printf "%s ", $i; print "" }'; }
leg() { legs "$1" | cut -d' ' -f$(($2 + 1)); }
place() { dmsetup message vol 0 locate "$1" | mawk -v m="$2" '{ for (i = 1; i < NF; i += 3) if ($i == m) print $(i + 2) }'; }
stale() { word 20; }
short() { word 21; }
doubt() { word 22; }
raw() {
	dd if="${MEMBERS[$1]}" bs=1K skip=$(($(place "$2" "$1") / 2 + $3)) count="$4" iflag=direct status=none
}
equal() {
	local m first=
	for m in $(legs "$1"); do
		raw "$m" "$1" 0 1024 >"/tmp/raw.$m"
		[ -n "$first" ] || first=$m
		cmp "/tmp/raw.$first" "/tmp/raw.$m" || return
	done
}
read_seg() { dd if=$DEV bs=64K skip="$(($1 * 16))" count=16 iflag=direct status=none; }
constant() {
	local i
	for i in {1..20}; do
		cmp <(dd if=/tmp/model bs=1M skip="$1" count=1 status=none) <(read_seg "$1") || return
	done
}
# as SEG: the same each time, whatever it is
steady() {
	local i
	read_seg "$1" >/tmp/steady
	for i in {1..20}; do cmp /tmp/steady <(read_seg "$1") || return; done
}
written() { mawk '{ print $7 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1" | tr -d ' ')/stat"; }
# others MEMBER: all but this one
others() {
	local m
	for m in "${ALL[@]}"; do [ "$m" = "$1" ] || echo "$m"; done
}
replicate() { dmsetup message vol 0 replicate "$1" "$2"; }
# one that went before may not be gone yet: the message doesn't wait
drop() {
	local i
	for i in {1..10}; do
		dmsetup message vol 0 drop "$1" "$2" && return
		sleep 0.2
	done
	return 1
}
has() { [[ " $(legs "$1")" == *" $2 "* ]]; }
certain() { [ "$(doubt)" = 0 ] && idle; }
# a member without a leg of it
free_for() {
	local m
	for m in 0 1 2 3; do has "$1" $m || { echo $m; return; }; done
}
