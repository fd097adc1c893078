# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hazard-lib.sh: what the tests hazard-*.t share: a pool whose members' parts can be stopped at
# will, so that the moment which loses data is reached every time, and not only when luck has it.
#
# Member I is a memory disk with a volatile cache, and on it
#     mI = [head] [jI: journal] [tables] [dI: data],  and on top of it  wI = mI, the pool's member
# Each of wI, jI, dI is a gate.  (A gate can't be changed while one below it holds what came
# through it.)
#
#   gate NAME open|reads|writes|flushes|stop|errors    lets everything through; holds one kind of I/O,
#           or all; fails writes and flushes.  What is held goes through when the gate changes.
#           Of a journal also: refuses|lies    fails the next records; says that they failed, and
#           has them on the medium all the same.  gates KIND NAME... does several.
#   held NAME reads|writes|flushes [N]    does it hold at least N [1]?
#
# The volume has segments of 1 MiB in 16 chunks of 64 KiB:
#
#   pool MEMBERS MEMBER-MIB SEGMENTS [ATTRIBUTE=VALUE...]    makes it, of MEMBERS if there are any,
#           and fills it with random data, flushed; with REPLICAS=N of N legs each
#   activate [MEMBER...] | deactivate     with all members, or with these in this order
#   power_cut                             what was not flushed is gone; then activate again
#   word N | where SEG | start SEG MEMBER | moving | idle | at SEG MEMBER
#   put NAME SEG KIB LENGTH [FLAG]        writes LENGTH KiB of new data in one go, with oflag=direct
#           and FLAG; begin_put does the same in the background; ended NAME: has it come back?
#           result NAME waits and returns its status.  keep NAME: the model has it from now on
#   flush                                 the user's; begin_flush NAME in the background, as above
#   settle                                the disks write out their caches of their own accord, so that
#           what has ended is not lost in a power cut.  (A flush by the user waits for commits.)
#   forget MEMBER SECTOR KIB              makes these blocks of a disk blank: what is written there next is in
#           its cache only until it is flushed.  (A block that is on the medium already is overwritten
#           at once by null_blk: a power cut would not lose it.)
#   forget_free MEMBER KIB LENGTH         the same at this place of each free slot
#   contents NAME SEG KIB                 does the volume hold there what "put NAME" wrote?
#   same                                  is the volume what the model says?
. /t/lib.sh

JOURNAL=128 TABLES=2048 DATA=6144 FOREVER=86400000
DEV=/dev/mapper/vol

gate() {
	local name=$1 i=${1#?} base from size kind=$2 table r=0 w=0 f=0
	base=${MEMBERS[i]}
	case $name in
	w*) base=/dev/mapper/m$i from=0 size=$MEMBER_SECTORS ;;
	j*) from=$JOURNAL size=$((TABLES - JOURNAL)) ;;
	d*) from=$DATA size=$((MEMBER_SECTORS - DATA)) ;;
	esac
	case $kind in
	reads) r=$FOREVER ;;
	writes) w=$FOREVER ;;
	flushes) f=$FOREVER ;;
	stop) dmsetup suspend --noflush --nolockfs "$name" || bail "gate $*"; return ;;
	refuses) bad_records "$name" "$base" 0 || bail "gate $*"; return ;;
	lies) bad_records "$name" "$base" 7 || bail "gate $*"; return ;;
	esac
	case $kind in
	open) table="linear $base $from" ;;
	errors) table="flakey $base $from 0 86400 1 error_writes" ;;
	*) table="delay $base $from $r $base $from $w $base $from $f" ;;
	esac
	if dmsetup info "$name" >/dev/null 2>&1; then
		dmsetup reload "$name" --table "0 $size $table" &&
			dmsetup suspend --noflush --nolockfs "$name" && dmsetup resume "$name"
	else
		dmsetup create "$name" --table "0 $size $table"
	fi || bail "gate $*"
}
# The last sector of a record is always zero and so is what was there before: a disk that takes all
# but this one has the whole record, and an error is what it says.
bad_records() { # NAME BASE GOOD-SECTORS
	local first=$((($(word 14) + 1) % 240)) k at
	[ $first -lt 220 ] || return
	{
		[ $first = 0 ] || echo "0 $((first * 8)) linear $2 $JOURNAL"
		for ((k = first; k < first + 8; k++)); do
			at=$((k * 8))
			[ "$3" = 0 ] || echo "$at $3 linear $2 $((JOURNAL + at))"
			echo "$((at + $3)) $((8 - $3)) error"
		done
		echo "$((k * 8)) $((1920 - k * 8)) linear $2 $((JOURNAL + k * 8))"
	} | dmsetup reload "$1" && dmsetup suspend --noflush --nolockfs "$1" && dmsetup resume "$1"
}
gates() {
	local kind=$1 name
	shift
	for name; do gate "$name" "$kind"; done
}
held() {
	local field
	case $2 in
	reads) field=4 ;;
	writes) field=5 ;;
	flushes) field=6 ;;
	esac
	[ "$(dmsetup status "$1" | cut -d' ' -f$field)" -ge "${3:-1}" ]
}

stack() {
	local i
	for i in "${!MEMBERS[@]}"; do
		gates open "j$i" "d$i"
		dmsetup create "m$i" <<-END || bail "cannot assemble member $i"
			0 $JOURNAL linear ${MEMBERS[i]} 0
			$JOURNAL $((TABLES - JOURNAL)) linear /dev/mapper/j$i 0
			$TABLES $((DATA - TABLES)) linear ${MEMBERS[i]} $TABLES
			$DATA $((MEMBER_SECTORS - DATA)) linear /dev/mapper/d$i 0
		END
		gate "w$i" open
	done
}

pool() {
	local i first args="4 segment_size 2048 chunk_size 128"
	[ -z "${REPLICAS:-}" ] || args="6 segment_size 2048 chunk_size 128 replicas $REPLICAS"
	MEMBER_SECTORS=$(($2 * 2048)) POOL_SEGMENTS=$3 ALL=()
	modprobe -a dm-flakey dm-delay || bail "no dm-flakey, dm-delay"
	[ ${#MEMBERS[@]} -gt 0 ] || members "$1" "$2" 512 cache_size=64 discard=1 "${@:4}"
	stack
	for ((i = 0; i < $1; i++)); do ALL+=("$i"); done
	dm_create vol "0 $(($3 * 2048)) adshard - $1 ${ALL[*]/#//dev/mapper/w} $args" ||
		bail "cannot make the pool"
	UUID=$(dmsetup table vol | cut -d' ' -f4)
	first=$(dmsetup message vol 0 locate 0 | cut -d' ' -f3)
	[ $((first - DATA)) -ge 0 ] && [ $(((first - DATA) % 2048)) -eq 0 ] || bail "data at $first?"
	dd if=/dev/urandom of=/tmp/model bs=1M count="$3" status=none
	dd if=/tmp/model of=$DEV bs=1M oflag=direct conv=notrunc,fsync status=none || bail "cannot fill the pool"
}
activate() {
	[ $# -gt 0 ] || set -- "${ALL[@]}"
	local list=("${@/#//dev/mapper/w}")
	dm_create vol "0 $((POOL_SEGMENTS * 2048)) adshard $UUID $# ${list[*]}"
}
deactivate() { dm_remove vol; }
power_cut() {
	local i part
	for i in "${!MEMBERS[@]}"; do member_cut "$i"; done
	# what the gates still hold comes too late, and fails
	for part in d j w; do
		for i in "${!MEMBERS[@]}"; do
			dmsetup wipe_table --force --noflush --nolockfs "$part$i" >/dev/null || bail "wipe_table $part$i"
		done
	done
	wait
	dm_remove vol
	for part in w m d j; do
		for i in "${!MEMBERS[@]}"; do dm_remove "$part$i"; done
	done
	for i in "${!MEMBERS[@]}"; do member_power "$i"; done
	stack
}

# 1: state, 6: active, 7: queued, 8: done, 9: failed, 10: aborted, 11: bytes copied, 12: chunks
# verified, 13: mismatches, 14: last record
word() { dm_status vol | cut -d' ' -f$((3 + $1)); }
where() { dmsetup message vol 0 locate "$1" | cut -d' ' -f1; }
sector() { dmsetup message vol 0 locate "$1" | cut -d' ' -f3; }
start() { dmsetup message vol 0 migrate "$1" "$2"; }
idle() { [ "$(word 6) $(word 7)" = "0 0" ]; }
at() { [ "$(where "$1")" = "$2" ]; }
# the lowest segment on a member
on() {
	local s
	for ((s = 0; s < POOL_SEGMENTS; s++)); do at $s "$1" && echo $s && return; done
	bail "no segment on member $1"
}

# in files, because "run" runs things in a shell of their own
begin_put() {
	local name=$1 at=$(($2 * 1024 + $3))
	dd if=/dev/urandom of="/tmp/put.$name" bs=1K count="$4" status=none
	echo $at >"/tmp/at.$name"
	rm -f "/tmp/ended.$name"
	{
		dd if="/tmp/put.$name" of=$DEV bs="${4}K" seek="${at}K" conv=notrunc \
			oflag="direct,seek_bytes${5:+,$5}" 2>"/tmp/error.$name"
		echo $? >"/tmp/ended.$name"
	} &
}
ended() { [ -s "/tmp/ended.$1" ]; }
result() { wait_for 30 ended "$1" && return "$(cat "/tmp/ended.$1")"; }
put() { begin_put "$@" && result "$1"; }
keep() { dd if="/tmp/put.$1" of=/tmp/model bs=1K seek="$(cat "/tmp/at.$1")" conv=notrunc status=none; }
flush() { sync $DEV; }
begin_flush() {
	rm -f "/tmp/ended.$1"
	{
		flush 2>"/tmp/error.$1"
		echo $? >"/tmp/ended.$1"
	} &
}
settle() {
	local disk
	for disk in "${MEMBERS[@]}"; do sync "$disk" || return; done
}
forget() { blkdiscard -f -o $(($2 * 512)) -l $(($3 * 1024)) "${MEMBERS[$1]}" 2>/dev/null; }
forget_free() {
	local s used='' place
	for ((s = 0; s < POOL_SEGMENTS; s++)); do
		! at $s "$1" || used+=" $(sector $s) "
	done
	for ((place = DATA; place + 2048 <= MEMBER_SECTORS; place += 2048)); do
		[[ $used == *" $place "* ]] || forget "$1" $((place + $2 * 2)) "$3"
	done
}
contents() {
	local length
	length=$(stat -c %s "/tmp/put.$1")
	cmp "/tmp/put.$1" <(dd if=$DEV bs="$length" count=1 skip=$(($2 * 1024 + $3))K iflag=direct,skip_bytes status=none)
}
same() { cmp /tmp/model <(dd if=$DEV bs=1M iflag=direct status=none); }
# count NAME: writes that a part has seen, whatever became of them
count() { mawk '{ print $5 }' "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "$1" | tr -d ' ')/stat"; }
more() { [ "$(count "$1")" -gt "$2" ]; }
# commit_begun: all journals are stopped with a record before them
commit_begun() {
	local i
	for i in "${ALL[@]}"; do held "j$i" writes || return; done
}
# a hang that was found must not become one of the cleaning up
give_up() {
	trap - EXIT
	diag "$*: given up"
	plan $TAP_COUNT
	exit 1
}
