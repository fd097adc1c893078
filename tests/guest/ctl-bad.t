#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk with sectors that can't be read is emptied all the same: what is lost is said, by file,
# fails when it is read, there and nowhere else, and is good again once it is written.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 400
# hook: tests/guest/ctl-json.hook
. /t/lib.sh

state() { ctl status -r -n -o MEMBER,STATE | sed -n "s/^ *$1 //p"; }
field() { ctl status | sed -n "s/^ *$1: //p" | head -n 1; }
# blocks of 4096 bytes of a file that can't be read; all others must be as they were
unreadable() {
	local list errors
	dd if="$1" of=/tmp/read bs=4096 conv=noerror,sync iflag=direct status=noxfer 2>/tmp/stderr
	# a medium error is EIO or, past the page cache, ENODATA
	errors=$(grep -cE "Input/output error|No data available" /tmp/stderr)
	# for a block with an error dd writes zeroes
	list=$(cmp -l /tmp/read /tmp/good/"${1##*/}" | awk '{ print int(($1 - 1) / 4096) }' | uniq)
	[ "$errors" = "$(grep -c . <<<"$list")" ] || echo "$errors errors:"
	echo "$list"
}
# "FILE FILE-OFFSET" of everything that is bad, in pieces of 4096 bytes, sorted
bad_files() {
	local file at length
	ctl segments --bad --files -r -n -o FILE,FILE-OFFSET,LENGTH | while read -r file at length; do
		[ "$at" != - ] || { echo "none $length"; continue; }
		while [ "$length" -gt 0 ]; do
			echo "$file $((at / 4096 * 4096))"
			at=$((at + 4096)) length=$((length - 4096))
		done
	done | sort -u
}

load_module
members 4 48
# with room for a later move, too
run "create" ctl create --size 80M --segment-size 2M --chunk-size 64K tank "${MEMBERS[@]}"
rc 0 "nothing is bad" ctl segments --bad
like "$OUT" "everything that was moved could be read" "says so"
mkfs.ext4 -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 /dev/mapper/tank
mount /dev/mapper/tank /mnt
mkdir /mnt/dir /mnt/dir/sub
for ((i = 0; i < 60; i++)); do
	dd if=/dev/urandom of="/mnt/dir/f$i" bs=64K count=4 status=none
done
sync
cp -r /mnt/dir /tmp/good

# --- three blocks of two files, one that no file has ---------------------------------
# files that lie on member 1, in one piece
mapfile -t segments < <(ctl segments -r -n --member 1 -o SEGMENT | tr -d ' ')
mapfile -t on_one < <(ctl locate --reverse "${segments[@]/#/@}" -r -n -o FILE-OFFSET,LENGTH,FILE |
	sed -n 's:^ *0 262144 /mnt/dir/::p')
[ ${#on_one[@]} -ge 3 ] || bail "only ${#on_one[@]} files on member 1"
one=${on_one[0]} two=${on_one[1]} gone=${on_one[2]}
position() { ctl locate -r -n -o POSITION "/mnt/dir/$1" | tr -d ' '; }
at_one=$(position "$one") at_two=$(position "$two") at_gone=$(position "$gone")
block() { member_bad 1 $((($1 + $2 * 4096) / 512)) $((($1 + $2 * 4096) / 512 + 7)); }
ln /mnt/dir/"$two" /mnt/dir/sub/second-name
rm /mnt/dir/"$gone"
sync
block "$at_one" 5
block "$at_two" 0
block "$at_two" 40
block "$at_gone" 7
echo 3 >/proc/sys/vm/drop_caches

# --- the evacuation ------------------------------------------------------------------
status=0
ctl evacuate 1 --wait --json >/tmp/json 2>/tmp/stderr || status=$?
is $status 11 "evacuate: exit code 11" || diag "$(cat /tmp/stderr)"
valid adshardctl.evacuate /tmp/json "evacuate: its JSON"
like "$(tr -d ' \n' </tmp/json)" '"segments_failed":0.*"bad_bytes":16384' "with how much"
is "$(state 1)" drained "the member is drained"
rc 11 "evacuate again" ctl evacuate 1
like "$OUT" "drained with errors: 16 KiB in [1-4] ranges? could not be read.*may be pulled" "says it in words"
rc 11 "wait drained" ctl wait drained 1
like "$OUT" "drained with errors: 16 KiB" "says so, too"
is "$(field state)" bad-ranges "status: the state"
like "$(field why)" "16 KiB in [1-4] ranges? could not be read when they were moved \(from ${MEMBERS[1]}\)" "status: why"
rc 1 "status --check" ctl status --check
like "$OUT" "^WARN tank: bad-ranges: 16 KiB" "in one line"
ctl status --json >/tmp/json
valid adshardctl.status /tmp/json "status: its JSON"
like "$(tr -d ' \n' </tmp/json)" '"bad_bytes":16384.*"bad_from":\[\{"member":1,' "with who"

# --- which files ---------------------------------------------------------------------
expected() {
	printf '%s\n' "/mnt/dir/$one 20480" "$second 0" "$second 163840" "none 4096" | sort
}
rc 0 "segments --bad" ctl segments --bad
is "$(ctl segments --bad -r -n -o FROM | sort -u | tr -d ' ')" "${MEMBERS[1]}" "from whom"
rc 0 "segments --bad --files" ctl segments --bad --files
like "$OUT" "no file \(free space or metadata\)" "names what is no file's"
diag "$OUT"
# of two names of a file one is said
second=/mnt/dir/$two
[[ $OUT != *second-name* ]] || second=/mnt/dir/sub/second-name
is "$(bad_files)" "$(expected)" "exactly the files and places that are bad"
ctl segments --bad --files --json >/tmp/json
valid adshardctl.segments /tmp/json "segments --bad --files: its JSON"
rc 0 "of the member" ctl segments --bad --member 1
like "$OUT" "${MEMBERS[1]}" "all of them"
rc 0 "of another member" ctl segments --bad --member 2
like "$OUT" "everything that was moved could be read" "none"
is "$(ctl locate --reverse --bad -r -n -o FILE | grep -c "^$second\$")" 2 "locate --reverse --bad"
read -r offset segment < <(ctl locate -r -n -o OFFSET,SEGMENT /mnt/dir/"$one")
is "$(ctl locate --reverse $((offset + 4096))+8K -r -n -o FILE,FILE-OFFSET,LENGTH)" "/mnt/dir/$one 4096 8192" "locate --reverse OFFSET+LENGTH"
run "locate --reverse @SEGMENT" grep -q "/mnt/dir/$one" <(ctl locate --reverse "@$segment")
ctl locate --reverse "@$segment" 0+64K --json >/tmp/json
valid adshardctl.locate /tmp/json "locate --reverse: its JSON"
rc 4 "locate --reverse behind the end" ctl locate --reverse 10T

# --- reads fail, there and nowhere else ----------------------------------------------
echo 3 >/proc/sys/vm/drop_caches
check_reads() {
	is "$(unreadable /mnt/dir/"$one")" "5" "$1: one block of one file"
	is "$(unreadable /mnt/dir/"$two")" "0
40" "$1: two of another"
}
check_reads "moved"
fails "cat fails" eval "cat /mnt/dir/$one >/dev/null"
like "$(cat /mnt/dir/"$one" 2>&1 >/dev/null | tr -d '\0')" "Input/output error" "with EIO"
(cd /tmp/good && md5sum f*) | grep -vE " ($one|$two|$gone)\$" >/tmp/sums
others() { (cd /mnt/dir && md5sum --quiet -c /tmp/sums); }
run "all others are whole" others

# --- a later move, and a new activation ----------------------------------------------
mapfile -t segments < <(ctl segments --bad -r -n -o SEGMENT | tr -d ' ' | sort -u)
# what was unreadable before was not read by this one
rc 0 "moved again" ctl migrate "${segments[@]}" --to 0 --wait
echo 3 >/proc/sys/vm/drop_caches
check_reads "moved again"
is "$(bad_files)" "$(expected)" "the same is bad"
umount /mnt
rc 4 "not mounted: --files" ctl segments --bad --files
like "$OUT" "no file system directly on /dev/mapper/tank is mounted: it holds ext4" "says why no files"
like "$OUT" "${MEMBERS[1]}" "and the list all the same"
dmsetup create top --table "0 $(blockdev --getsz /dev/mapper/tank) linear /dev/mapper/tank 0"
rc 4 "something in between" ctl locate --reverse --bad
like "$OUT" "is in use by dm-[0-9]+ \(top\)" "is named"
dm_remove top
rc 0 "deactivate" ctl deactivate tank
rc 0 "check" ctl check tank
like "$OUT" "16 KiB in [1-4] ranges? could not be read" "names them"
ctl check --json tank >/tmp/json
valid adshardctl.check /tmp/json "check: its JSON"
run "dump" grep -q "bad range [0-9]*: segment " <(ctl dump "${MEMBERS[0]}")
ctl dump --json "${MEMBERS[0]}" >/tmp/json
valid adshardctl.dump /tmp/json "dump: its JSON"
rc 0 "activate" ctl activate tank
mount /dev/mapper/tank /mnt
check_reads "activated again"
is "$(bad_files)" "$(expected)" "and the same is bad"
is "$(field state)" bad-ranges "which the state says"

# --- healed --------------------------------------------------------------------------
dd if=/tmp/good/"$one" of=/mnt/dir/"$one" bs=64K conv=notrunc oflag=direct status=none
is "$(unreadable /mnt/dir/"$one")" "" "written: it can be read"
run "and is what was written" cmp /tmp/good/"$one" /mnt/dir/"$one"
is "$(ctl status --json | tr -d ' \n' | sed 's/.*"bad_bytes":\([0-9]*\),"bad_ranges_free".*/\1/')" 12288 "that much less is bad"
dd if=/tmp/good/"$two" of=/mnt/dir/"$two" bs=4096 skip=40 seek=40 count=1 conv=notrunc oflag=direct status=none
is "$(unreadable /mnt/dir/"$two")" "0" "a part of it"
dd if=/tmp/good/"$two" of=/mnt/dir/"$two" bs=4096 count=1 conv=notrunc oflag=direct status=none
run "and the rest" cmp /tmp/good/"$two" /mnt/dir/"$two"
# the one in free space, directly: ext4 keeps some of it back, so that filling it may not reach there
umount /mnt
at=$(ctl segments --bad -r -n -o OFFSET | tr -d ' ')
dd if=/dev/zero of=/dev/mapper/tank bs=4096 seek=$((at / 4096)) count=1 oflag=direct status=none
rc 0 "free space was written" ctl segments --bad
like "$OUT" "everything that was moved could be read, or has been written since" "nothing is bad"
rc 0 "deactivate" ctl deactivate tank
rc 0 "check" ctl check tank
run "names none" eval '[[ $OUT != *"could not be read"* ]]'
rc 0 "activate" ctl activate tank
is "$(field state)" healthy "healthy again"
rc 0 "wait drained" ctl wait drained 1
mount /dev/mapper/tank /mnt
run "the file" cmp /tmp/good/"$one" /mnt/dir/"$one"
run "the other" cmp /tmp/good/"$two" /mnt/dir/"$two"
run "all others are whole" others
umount /mnt
done_testing
