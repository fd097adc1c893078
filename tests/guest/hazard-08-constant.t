#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 8: after a power cut the two places of a segment that was on its way differ. Reads must
# come from one of them, always the same, at every activation from then on, whatever else goes wrong.
# Checked by tests/mutations/08-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# long: yes
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

# constant SEG: thirty reads of its first 512 KiB give the model's
constant() {
	local i
	for ((i = 0; i < 30; i++)); do
		cmp <(dd if=$DEV bs=512K count=1 skip=$(($1 * 1024))K iflag=direct,skip_bytes status=none) /tmp/wanted || return
	done
}
# wanted SEG: that is what it is to be from now on
wanted() { dd if=/tmp/model bs=1M skip="$1" count=1 status=none | head -c 524288 >/tmp/wanted; }

# a part of the copy is under way
gate d1 writes
start "$a" 1
run "some chunks are on their way to the destination" wait_for 20 held d1 writes
run "a write" put x "$a" 260 4
run "it is flushed" flush
keep x
wanted "$a"
run "reads of a segment on its way are constant" constant "$a"
power_cut
run "activates after a power cut" activate
run "reads are constant" constant "$a"

# Power fails when the record is on member 2 alone, and a write on the destination alone.
gates writes j0 j1 j2
start "$a" 1
run "the record is on its way to all members" wait_for 20 commit_begun
record=$(word 14)
gate d0 writes
begin_put y "$a" 256 4 dsync
run "a write has not got to the source" wait_for 5 held d0 writes
gate j2 open
sleep 1
power_cut
run "activates after a power cut" activate
is "$(where "$a")" 1 "the record counts"
keep y
wanted "$a"
run "reads are constant" constant "$a"

# and now the only block that said so can't be read any more
power_cut
block=$((JOURNAL + record % 240 * 8))
member_bad 2 $block $((block + 7))
for order in "0 1 2" "2 1 0" "1 2 0"; do
	# shellcheck disable=SC2086 # a list
	run "activates, members $order" activate $order
	is "$(where "$a")" 1 "what was decided once stays, members $order"
	run "reads are constant, members $order" constant "$a"
	deactivate
done
activate
run "all data is whole" same
deactivate
done_testing
