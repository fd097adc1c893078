#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# reboot.t KERNEL: deactivate, reboot, activate: the same map, the same data. Then a reset in the
# middle of migrations: every segment is whole on its source or on its destination.
# A host test boots guests itself, on disks that are kept.
# kernels: 6.12
# kernels-long: 6.1 6.12
set -eu -o pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
kernel=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
disks=()
for i in 0 1 2 3; do disks+=(--virtio "$work/r$i:48M"); done

n=0
point() { # STATUS NAME [FILE with what it printed]
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else
		echo "not ok $n - $2"
		[ $# -lt 3 ] || sed 's/^/# /' "$3"
	fi
}
# boot NAME WANTED-STATUS: runs $work/NAME in a guest; what it printed is in $work/NAME.out
boot() {
	local status=0
	"$top/scripts/guest" -k "$kernel" -t 120 "${disks[@]}" "$work/$1" "$top/tests/guest/lib.sh" \
		>"$work/$1.out" 2>&1 || status=$?
	[ $status = "$2" ] && status=0
	point $status "boot: $1" "$work/$1.out"
}
line() { sed -n "s/^$2: //p" "$work/$1.out"; }

cat >"$work/common" <<'GUEST'
. /t/lib.sh
trap - EXIT
load_module
devs=()
for i in 0 1 2 3; do devs+=("$(disk r$i)"); done
map() { adshardctl segments -n -r -o SEGMENT,MEMBER | md5sum; }
sum() { dd if=/dev/mapper/vault bs=1M iflag=direct status=none | md5sum; }
GUEST

{ cat "$work/common"; cat <<'GUEST'; } >"$work/first"
set -e
adshardctl create vault "${devs[@]}" --segment-size 1M --size 100M
dd if=/dev/urandom of=/dev/mapper/vault bs=1M count=100 oflag=direct,dsync status=none
adshardctl migrate 0-9 --to 3 --wait >/dev/null || [ $? = 0 ]
echo "map: $(map)"
echo "sum: $(sum)"
adshardctl deactivate vault
GUEST
{ cat "$work/common"; cat <<'GUEST'; } >"$work/second"
set -e
adshardctl activate --all
echo "map: $(map)"
echo "sum: $(sum)"
# and now in the middle of it all, without a warning
adshardctl throttle --rate 2M
adshardctl migrate 20-38 --to 0 >/dev/null || true
sleep 2
adshardctl status vault
echo "before the reset"
echo b >/proc/sysrq-trigger
sleep 60
GUEST
{ cat "$work/common"; cat <<'GUEST'; } >"$work/third"
set -e
adshardctl activate vault
echo "sum: $(sum)"
adshardctl status vault
adshardctl migrate 20-38 --to 0 --wait >/dev/null || [ $? = 0 ]
echo "sum2: $(sum)"
adshardctl deactivate vault
GUEST

boot first 0
boot second 71
[ "$(line first map)" = "$(line second map)" ] && [ -n "$(line first map)" ]
point $? "the same map"
[ "$(line first sum)" = "$(line second sum)" ] && [ -n "$(line first sum)" ]
point $? "the same data"
grep -q "before the reset" "$work/second.out"
point $? "it was reset amid migrations" "$work/second.out"
boot third 0
[ "$(line third sum)" = "$(line first sum)" ]
point $? "the data is whole after the reset"
[ "$(line third sum2)" = "$(line first sum)" ]
point $? "and after the moves were made again"
echo "1..$n"
