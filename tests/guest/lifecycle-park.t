#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A suspend, and a removal, amid a copy whose I/O takes its time: neither is over before that I/O is,
# nothing more of the segment is copied, and no disk sees a request of a suspended volume. Who
# suspends is about to do something to the disks; who removes frees the memory that they read into.
# No user's I/O is under way: for that, device-mapper would wait by itself.
# Checked by tests/mutations/park*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# timeout: 400
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

CHUNKS=262144	# four jobs have begun one each
begin() {
	rm -f /tmp/ended.command
	{
		"$@" 2>/tmp/error.command
		echo $? >/tmp/ended.command
	} &
}
seen() { # reads and writes of all members, and their bytes
	local i
	for i in "${ALL[@]}"; do
		cat "/sys/block/dm-$(dmsetup info -c --noheadings -o minor "w$i" | tr -d ' ')/stat"
	done | mawk '{ print $1, $3, $5, $7 }'
}
# waits WHAT GATE KIND COMMAND...: COMMAND amid the copying of a segment from member 0 to 1, of
# which the gate holds one kind of I/O
waits() {
	local what=$1 gate=$2 kind=$3
	shift 3
	before=$(word 11) done=$(word 8)
	gate "$gate" "$kind"
	start "$segment" 1
	run "$what: four chunks are on their way" wait_for 20 held "$gate" "$kind" 4
	begin "$@"
	sleep 1
	fails "$what: not over before they are" ended command || give_up "$what"
	gate "$gate" open
	run "$what: and then it is" result command
}
# suspended WHAT NR: so many of the four were copied to their end
suspended() {
	local what=$1 nr=$2 stat
	stat=$(seen)
	is "$(word 11)" $((before + nr)) "$what: these chunks were copied, and no other"
	sleep 1
	is "$(seen)" "$stat" "$what: no disk is asked for anything while it is suspended"
	is "$(word 6) $(word 8)" "1 $done" "$what: the segment is still on its way"
}

load_module
pool 3 24 24
for how in '' --noflush; do
	segment=$(on 0)
	# shellcheck disable=SC2086 # no word, or one
	waits "suspend${how:+ $how} amid reads" d0 reads dmsetup suspend $how vol
	suspended "suspend${how:+ $how} amid reads" 0	# no write waits for them
	dmsetup resume vol
	run "the segment moves" wait_for 20 at "$segment" 1

	segment=$(on 0)
	# shellcheck disable=SC2086 # no word, or one
	waits "suspend${how:+ $how} amid writes" d1 writes dmsetup suspend $how vol
	suspended "suspend${how:+ $how} amid writes" $CHUNKS
	dmsetup resume vol
	run "the segment moves" wait_for 20 at "$segment" 1
done

# amid a commit: the records are before the journals
segment=$(on 0)
gates writes j0 j1 j2
start "$segment" 1
run "a record is on its way" wait_for 20 commit_begun
begin dmsetup suspend vol
sleep 1
fails "suspend amid a commit: not over before that is" ended command || give_up "commit"
gates open j0 j1 j2
run "suspend amid a commit: and then it is" result command
stat=$(seen)
sleep 1
is "$(seen)" "$stat" "suspend amid a commit: no disk is asked for anything while it is suspended"
dmsetup resume vol
run "the segment has moved" wait_for 20 at "$segment" 1
run "all ends" wait_for 20 idle

segment=$(on 0)
waits "removal" d0 reads dm_remove vol
run "activates" activate
is "$(where "$segment")" 0 "the segment is where it was"
run "nothing goes on" idle
run "the data is what it was" same
deactivate
run "unloads" unload_module
done_testing
