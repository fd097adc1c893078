#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sectors of a source that can't be read: the move is made, exactly they return errors, also after
# the next activation and the next move, and a write that has ended makes them good for ever.
# A disk that answers nothing any more is another thing: its segments stay where they are.
# Checked by tests/mutations/bad-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# timeout: 400
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24

scan() { badscan $DEV /tmp/model $(($1 * 2048)) 2048; }
# spoil SEG FIRST COUNT: sectors of a segment can't be read from the disk it is on
spoil() {
	local at
	at=$(($(sector "$1") + $2))
	member_bad "$(where "$1")" $at $((at + $3 - 1))
}
cure() { # MEMBER: of all of it
	local first count list
	mapfile -t list <$NULLB/member"$1"/badblocks
	for first in "${list[@]}"; do
		count=${first#* } first=${first% *}
		member_good "$1" "$first" $((first + count - 1))
	done
	[ -z "$(cat $NULLB/member"$1"/badblocks)" ] || bail "cannot make member $1 good"
}
bad_words() { dm_status vol | awk '{ print $20, $21 }'; }
move() { # SEG MEMBER
	start "$1" "$2" && wait_for 60 idle
}

a=$(on 0)
base=$((a * 2048))
is "$(bad_words)" "0 0" "nothing is bad"
spoil "$a" 3 1
spoil "$a" 130 4
spoil "$a" 1023 2		# across two chunks
spoil "$a" 1500 1
spoil "$a" 2047 1
want="unreadable $((base + 3)) 1
unreadable $((base + 130)) 4
unreadable $((base + 1023)) 2
unreadable $((base + 1500)) 1
unreadable $((base + 2047)) 1"
is "$(scan "$a")" "$want" "the disk can't read some sectors"
run "a move" move "$a" 1
is "$(where "$a") $(word 8) $(word 9) $(word 13)" "1 1 0 0" "is made, without a mismatch"
is "$(scan "$a")" "$want" "exactly these are unreadable, all others are right"
is "$(bad_words)" "5 9" "which the status says"
deactivate
run "activates" activate
is "$(bad_words)" "5 9" "it knows them"
is "$(scan "$a")" "$want" "and returns none of them"
power_cut
run "activates after a power cut" activate
is "$(scan "$a")" "$want" "they are still unreadable"
run "moves on" move "$a" 2
is "$(where "$a") $(word 9)" "2 0" "to the third member"
is "$(scan "$a")" "$want" "and so are they"
cure 0
run "moves back" move "$a" 0
is "$(scan "$a")" "$want" "to a disk that could read them by now"
is "$(bad_words)" "5 9" "with no more of them than before"

# healing
run "a write of some of them, among others" put heal "$a" 64 4
keep heal
want="unreadable $((base + 3)) 1
unreadable $((base + 1023)) 2
unreadable $((base + 1500)) 1
unreadable $((base + 2047)) 1"
is "$(scan "$a")" "$want" "makes them good"
power_cut
run "activates after a power cut" activate
is "$(scan "$a")" "$want" "they stay so: nothing was flushed, but what had ended"
is "$(bad_words)" "4 5" "the status knows"
dd if=/dev/urandom of=/tmp/one bs=512 count=1 status=none
run "a write of one half of a range" dd if=/tmp/one of=$DEV bs=512 seek=$((base + 1024)) oflag=direct conv=notrunc status=none
dd if=/tmp/one of=/tmp/model bs=512 seek=$((base + 1024)) conv=notrunc status=none
want="unreadable $((base + 3)) 1
unreadable $((base + 1023)) 1
unreadable $((base + 1500)) 1
unreadable $((base + 2047)) 1"
is "$(scan "$a")" "$want" "leaves the other half"
run "zeroes" blkdiscard -f -z -o $(((base + 1500) * 512)) -l 512 $DEV
dd if=/dev/zero of=/tmp/model bs=512 seek=$((base + 1500)) count=1 conv=notrunc status=none
run "a discard" blkdiscard -f -o $(((base + 3) * 512)) -l 512 $DEV
dd if=$DEV of=/tmp/model bs=512 skip=$((base + 3)) seek=$((base + 3)) count=1 iflag=direct conv=notrunc status=none
ok $? "what was discarded can be read"
is "$(scan "$a")" "unreadable $((base + 1023)) 1
unreadable $((base + 2047)) 1" "both heal"

# a write over a range while the segment moves, in each of its phases
gate d1 reads			# reads back nothing: copying stops
start "$a" 1
run "copying is under way" wait_for 20 held d1 reads
run "a write of the last but one" dd if=/tmp/one of=$DEV bs=512 seek=$((base + 1023)) oflag=direct conv=notrunc status=none
dd if=/tmp/one of=/tmp/model bs=512 seek=$((base + 1023)) conv=notrunc status=none
gate d1 open
run "the move is made" wait_for 60 idle
is "$(where "$a")" 1 "the segment is there"
is "$(scan "$a")" "unreadable $((base + 2047)) 1" "with what was written"
gates writes j0 j1 j2
start "$a" 2
run "a record of the move is on its way" wait_for 20 commit_begun
begin_put late "$a" 1020 4
sleep 1
fails "a write over the last one waits until it is out of the record" ended late
gates open j0 j1 j2
run "it ends" result late
keep late
run "the move is made" wait_for 60 idle
is "$(scan "$a") $(bad_words)" " 0 0" "all is good"
power_cut
run "activates after a power cut" activate
is "$(where "$a"): $(scan "$a") $(bad_words)" "2:  0 0" "and stays so"

# found at the end of a move that comes to nothing: none of it stays
b=$(on 1)
base=$((b * 2048))
spoil "$b" 700 3
gates writes j0 j1 j2
start "$b" 0
run "a record of it is on its way" wait_for 60 commit_begun
power_cut
run "activates after a power cut" activate
is "$(where "$b") $(bad_words)" "1 0 0" "where it was, with nothing called bad"
cure 1
is "$(scan "$b")" "" "and all of it can be read again"
spoil "$b" 700 3
gate d0 errors
start "$b" 0
run "a move to a disk that takes nothing" wait_for 60 idle
gate d0 open
is "$(where "$b") $(bad_words)" "1 0 0" "fails, and calls nothing bad"
cure 1
run "a move" move "$b" 0
is "$(where "$b"): $(scan "$b")" "0: " "of all of it"

# not the medium, but the disk
c=$(on 1)
gate w1 stop
run "the disk goes" dmsetup reload w1 --table "0 $MEMBER_SECTORS error"
dmsetup resume w1
failed=$(word 9)
run "a move from it" move "$c" 0
is "$(where "$c") $(word 9) $(bad_words)" "1 $((failed + 1)) 0 0" "fails, and calls nothing bad"
done_testing
