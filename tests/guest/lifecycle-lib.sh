# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lifecycle-lib.sh: what tests need that take disks away.

# amid_migration WHO COMMAND: runs COMMAND for the member that is the source, or the destination,
# or for both, of a migration that is under way, while the volume "vol" is written to.  Leaves
# the members in $victims.
amid_migration() {
	local who=$1 command=$2 torture migration src dst i state
	torture vol 1000000000 3 "${SEED:-1}" 0 errors >/tmp/torture.out 2>&1 &
	torture=$!
	dmsetup message vol 0 throttle 200000
	filling() { migration=$(nlabuse -d get_migration | grep -m 1 ' step=[23] '); [ -n "$migration" ]; }
	wait_for 20 filling
	filling
	ok $? "$who: a migration is under way"
	src=$(sed 's/.* src_member=\([0-9]*\) .*/\1/' <<<"$migration")
	dst=$(sed 's/.* dst_member=\([0-9]*\) .*/\1/' <<<"$migration")
	case $who in
	source) victims=$src ;;
	destination) victims=$dst ;;
	both) victims="$src $dst" ;;
	esac
	for i in $victims; do $command "$i"; done
	sleep 1
	dmsetup message vol 0 throttle 0
	sleep 2
	kill $torture
	wait $torture
	ok $? "$who: what can be read is right, and all migrations end"
	diag "$(cat /tmp/torture.out)"
	like "$(cat /tmp/torture.out)" "errors [1-9]" "$who: errors are told"
	state=$(dm_status vol | cut -d' ' -f4)
	like "$state" "^(degraded|readonly|stuck)$" "$who: the pool says so: $state"
	for i in $victims; do
		like "$(nlabuse -d get_member | grep " member=$i ")" "(read|write|meta)_errors=[1-9]" \
			"$who: errors of member $i are counted"
	done
}
