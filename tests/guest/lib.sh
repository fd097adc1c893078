# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh: what a guest test starts with.  A test is a bash script NAME.t, run inside a guest
# by tests/run ("make check T=NAME K=6.12"), that prints TAP:
#
#     #!/bin/bash
#     # SPDX-License-Identifier: GPL-2.0-or-later
#     # What this test is about.
#     # kernels: 6.1 6.12 um            which kernels to run it on [6.1 6.12 um]
#     # kernels-long: 6.1 6.12 um       the same for make check-long and for K=, if they differ
#     # timeout: 180                  seconds, against hangs: generous, machines may be busy [180]
#     # memory: 1024                  MiB [1024]
#     # cpus: 2                       [2; um has one]
#     # disks: nvme:a:256M virtio:b:64M slot:c:64M  QEMU's disks; "disk a" is the node   [none]
#     # files: tests/guest/x.sh         copied to /t
#     # append: foo.bar=1               kernel command line
#     # icount: yes                     one processor, and instructions in place of time
#     # hook: tests/guest/x.hook        answers "host WORD..." on the host's side
#     # long: yes                       only in make check-long
#     # not-on: debug,kcsan WHY         not in make check-debug, for which it needs no header
#     # complaints: wanted              the kernel must complain, of what was done on purpose
#     # module: tests/guest/x           another module to build: a folder with a Kbuild; in /t
#     # kmemleak: no                    do not look for leaks at the end, or
#     # kmemleak: module                only for those with the module in their trace
#     . /t/lib.sh
#
#     load_module
#     members 3 64                      # three zeroed memory disks of 64 MiB: ${MEMBERS[0]}...
#     run "creates the volume" dm_create vol "0 131072 adshard - ${MEMBERS[*]}"
#     is "$(blockdev --getsz /dev/mapper/vol)" 131072 "size"
#     done_testing
#
# TAP:      ok CONDITION-STATUS NAME | run NAME COMMAND... | fails NAME COMMAND... |
#           rc STATUS NAME COMMAND... (what it said is in $OUT) |
#           is GOT WANTED NAME | like GOT REGEX NAME | diag TEXT | skip NAME WHY |
#           plan N (rather use done_testing, at the end) | bail TEXT
# disks:    members N MIB [block size [options]], member_cut, member_bad; see there
# module:   load_module, unload_module
# tools:    ctl is adshardctl
# dm:       dm_create NAME TABLE, dm_reload NAME TABLE, dm_remove NAME, dm_status NAME
# kernel:   klog_mark, klog (its messages since), wait_for SECONDS COMMAND..., patience SECONDS
# host:     host WORD... prints the hook's answer
# JSON:     json STATUS VERB ARGUMENT... | valid SCHEMA FILE NAME: adshardctl's documents are as their
#           schemas say (both with "# hook: tests/guest/ctl-json.hook")
# Everything that a test leaves is removed when it exits; the end of the guest does the rest.

# No "set -e": a test goes on after a failure and counts it.
set -u

TAP_COUNT=0 TAP_FAILED=0 TAP_PLAN=

ok() {
	local status=$1
	shift
	TAP_COUNT=$((TAP_COUNT + 1))
	if [ "$status" = 0 ]; then
		echo "ok $TAP_COUNT - $*"
	else
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_COUNT - $*"
	fi
	return "$status"
}
diag() { sed 's/^/# /' <<<"$*"; }
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	echo "ok $TAP_COUNT - $1 # SKIP ${2:-}"
}
# bail TEXT: ends the test, from a command substitution too
bail() {
	echo "Bail out! $*" >"$ADS_TTY"
	kill $$
	exit 1
}
run() {
	local name=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	ok $status "$name" || { diag "$*: status $status"; diag "$out"; return $status; }
}
fails() {
	local name=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	[ $status -ne 0 ]
	ok $? "$name" || { diag "$*: succeeded, and should not"; diag "$out"; return 1; }
}
is() {
	[ "$1" = "$2" ]
	ok $? "$3" || { diag "got:    $1"; diag "wanted: $2"; return 1; }
}
like() {
	[[ $1 =~ $2 ]]
	ok $? "$3" || { diag "got:        $1"; diag "to match:   $2"; return 1; }
}
rc() {
	local want=$1 name=$2 status=0
	shift 2
	OUT=$("$@" 2>&1) || status=$?
	is $status "$want" "$name" || diag "$OUT"
}
plan() { TAP_PLAN=$1; echo "1..$1"; }
done_testing() {
	[ -n "$TAP_PLAN" ] || plan $TAP_COUNT
	[ $TAP_FAILED = 0 ] && [ "$TAP_PLAN" = $TAP_COUNT ]
	exit
}

# --- disks ---------------------------------------------------------------------------

MEMBERS=()
NULLB=/sys/kernel/config/nullb

# members N MIB [BLOCK-SIZE [ATTRIBUTE=VALUE...]]: makes N zeroed disks in memory and appends
# their nodes to MEMBERS.  Attributes are null_blk's: cache_size=8 (MiB of volatile write cache,
# lost by member_cut), discard=1, completion_nsec=..., irqmode=2 (the last two: a slow disk).
members() {
	local count=$1 size=$2 lbs=${3:-512} i dir pair
	shift 2
	[ $# -eq 0 ] || shift
	[ -d /sys/module/null_blk ] || modprobe null_blk nr_devices=0 || bail "no null_blk"
	[ -d $NULLB ] || mount -t configfs config /sys/kernel/config
	for ((i = 0; i < count; i++)); do
		dir=$NULLB/member${#MEMBERS[@]}
		mkdir $dir || bail "cannot make $dir"
		echo "$size" >$dir/size
		echo "$lbs" >$dir/blocksize
		echo 1 >$dir/memory_backed
		# complete in the caller's context, unless an attribute says otherwise
		echo 0 >$dir/irqmode
		for pair in "$@"; do echo "${pair#*=}" >"$dir/${pair%%=*}" || bail "null_blk: $pair"; done
		echo 1 >$dir/power || bail "cannot start $dir"
		MEMBERS+=("/dev/${dir##*/}")
		[ -b "/dev/${dir##*/}" ] || bail "no node for $dir"
	done
}
# member_cut I: cuts the power of member I: its volatile cache is gone.  What uses it must be
# removed before member_power I.
member_cut() { echo 0 >$NULLB/member"$1"/power; }
member_power() { echo 1 >$NULLB/member"$1"/power; }
# member_bad I FIRST LAST / member_good I FIRST LAST: sectors that cannot be read or written
# In pieces: Linux 6.1 sorts a range of more than 512 sectors wrongly, and then ignores it.
member_bad() { badblocks + "$@"; }
member_good() { badblocks - "$@"; }
badblocks() {
	local from to
	for ((from = $3; from <= $4; from += 512)); do
		to=$((from + 511 < $4 ? from + 511 : $4))
		echo "$1$from-$to" >$NULLB/member"$2"/badblocks
	done
}

# disk NAME: the device node of a disk of the "# disks:" line
disk() {
	local entry index=0 kind name='' serial node letters=abcdefghijklmnop
	for entry in $ADS_DISKS; do
		IFS=: read -r kind name serial <<<"$entry"
		if [ "$name" = "$1" ]; then break; fi
		index=$((index + 1)) name=
	done
	[ -n "$name" ] || bail "no disk $1"
	if [ "$ADS_KERNEL" = um ]; then
		# user-mode disks have no serial numbers, only an order
		node=/dev/ubd${letters:index:1}
	else
		[ "$kind" != virtio ] || modprobe -a virtio_pci virtio_blk
		for node in /sys/block/*/serial /sys/block/*/device/serial; do
			[ -e "$node" ] && [ "$(tr -d ' \n' <"$node")" = "$serial" ] && break
		done
		node=/dev/$(cut -d/ -f4 <<<"$node")
	fi
	[ -b "$node" ] || bail "no node of disk $1"
	echo "$node"
}

# --- module and device mapper --------------------------------------------------------

load_module() {
	local depends
	[ -n "${ADS_MODULE:-}" ] || bail "the module was not built"
	depends=$(modinfo -F depends "$ADS_MODULE" | tr , ' ')
	# shellcheck disable=SC2086 # a list
	modprobe -a dm-mod $depends || bail "cannot load what the module needs: $depends"
	insmod "$ADS_MODULE" "$@" || bail "cannot load the module"
}
unload_module() { rmmod dm_adshard; }

ctl() { adshardctl "$@"; }

dm_create() { dmsetup create "$1" --table "$2"; }
dm_reload() { dmsetup reload "$1" --table "$2" && dmsetup resume "$1"; }
dm_remove() { dmsetup remove --retry "$@"; }
dm_status() { dmsetup status "$1"; }

# --- kernel and host -----------------------------------------------------------------

KLOG_MARK=0
klog_mark() { KLOG_MARK=$(dmesg | wc -l); }
klog() { dmesg | tail -n +$((KLOG_MARK + 1)); }

# patience SECONDS: how long to wait for what takes that long on a machine that has nothing else to
# do: four times (and on the slowest kernels sixteen times) as long. It costs time in a failure only.
patience() {
	case $ADS_KERNEL in
	debug | kcsan) echo $((16 * $1)) ;;
	*) echo $((4 * $1)) ;;
	esac
}
# wait_for SECONDS COMMAND...: until the command succeeds, with patience
wait_for() {
	local end turn=0 pauses=(0.05 0.05 0.1 0.2 0.3)
	end=$((SECONDS + $(patience "$1")))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		# in an emulated guest it is the asking that takes the processor
		sleep "${pauses[turn]}"
		[ $turn = 4 ] || turn=$((turn + 1))
	done
}

# host WORD...: has the test's hook on the host do something; prints its answer
host() {
	local answer
	echo "@host $*" >"$ADS_TTY"
	read -r answer <"$ADS_TTY"
	echo "$answer"
}

valid() { is "$(host schema "$1" "$(gzip -9 <"$2" | base64 -w0)")" ok "$3" || diag "$(cat "$2")"; }
json() {
	local want=$1 verb=$2 status=0
	shift 2
	adshardctl "$verb" --json "$@" >/tmp/json 2>/tmp/stderr || status=$?
	is $status "$want" "$verb $*" || diag "$(cat /tmp/stderr)"
	valid "adshardctl.$verb" /tmp/json "$verb $*: its JSON"
}

cleanup() {
	local dir mount
	# a test that ends early is in the middle of something: say where it stopped
	[ -n "$TAP_PLAN" ] || diag "the test ended before done_testing"
	findmnt -rno TARGET,SOURCE | awk '$2 ~ "^/dev/(mapper|member)" {print $1}' | tac |
		while read -r mount; do umount -l "$mount"; done
	[ ! -c /dev/mapper/control ] || dmsetup remove_all --retry >/dev/null 2>&1 || true
	# a trace of a leak names the module only as long as that is there
	[ ! -d /sys/module/dm_adshard ] || [ "${ADS_KMEMLEAK:-}" = module ] || rmmod dm_adshard
	for dir in $NULLB/member*; do
		[ ! -d "$dir" ] || { echo 0 >"$dir/power"; rmdir "$dir"; }
	done
}
trap cleanup EXIT
