#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Hazard 1: the copy begins while a write that was mapped before it is still on its way to the
# source. It would arrive after its chunk was read, be on the old place only, and be lost.
# Checked by tests/mutations/01-*.patch.
# kernels: um
# kernels-long: 6.1 6.12 um debug
# files: tests/guest/hazard-lib.sh
. /t/hazard-lib.sh

load_module
pool 3 16 24
a=$(on 0)

gate d0 writes
begin_put w "$a" 256 4
run "a write is on its way to the source" wait_for 5 held d0 writes
start "$a" 1
sleep 2
is "$(word 11) $(word 12)" "0 0" "nothing is read before it has arrived"
gate d0 open
run "the write ends well" result w
keep w
run "the segment moves" wait_for 20 at "$a" 1
run "the move ends" wait_for 20 idle
run "the write is where the segment is" contents w "$a" 256
run "all else is as it was" same
run "removes" deactivate
done_testing
