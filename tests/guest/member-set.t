#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is known of a member: set, shown, kept over a crash; spares take what is sent to them by name.
# kernels: um
# kernels-long: 6.1 6.12 um
. /t/lib.sh

load_module
members 3 40
run "a pool" adshardctl create --segment-size 1M --size 40M tank "${MEMBERS[@]}"
field() { adshardctl status --json | jq -r ".pools[0].members[$1].$2"; }

is "$(field 1 class)/$(field 1 domain)/$(field 1 spare)" unknown/null/false "nothing is known at first"
run "everything at once" adshardctl member set 1 --class hdd --domain rack-1 --location 0:2:7 \
	--cost 3 --weight 4 --spare=yes
known() { echo "$(field 1 class) $(field 1 domain) $(field 1 location) $(field 1 cost) $(field 1 weight) $(field 1 spare)"; }
is "$(known)" "hdd rack-1 0:2:7 3 4 true" "shown"
is "$(field 0 domain)/$(field 2 domain)" null/null "of that member only"
like "$(adshardctl status -o +CLASS,DOMAIN,LOCATION)" "member1 spare .*hdd +rack-1 +0:2:7" "in the table too"
seq=$(adshardctl status --json | jq ".pools[0].record_sequence")
run "the same again" adshardctl member set 1 --class hdd
is "$(adshardctl status --json | jq ".pools[0].record_sequence")" "$seq" "writes no record"

# --- refused, and nothing changed

fails "no such class" adshardctl member set 1 --class tape
fails "a label too long" adshardctl member set 1 --domain 12345678901234567890123456789012
fails "a label with a blank" adshardctl member set 1 --cost 9 --location "a b"
fails "nothing to set" adshardctl member set 1
fails "an attribute where it makes no sense" adshardctl member online 1 --cost 1
fails "no such member" adshardctl member set 7 --cost 1
out=$(adshardctl member fail 0 2>&1)
is $? 5 "a member with data can't be declared failed"
like "$out" "only copy of 1[0-9] segments" "and why, with a number"
is "$(known)" "hdd rack-1 0:2:7 3 4 true" "all is as it was"

# --- spares

like "$(adshardctl evacuate 0 --dry-run)" "member2: 1[0-9] segments" "an evacuation goes to the others"
fails "not to a spare" grep -q member1 <(adshardctl evacuate 0 --dry-run)
segment=$(adshardctl segments --member 0 --json | jq ".segments[0].segment")
run "by name it takes one" adshardctl migrate "$segment" --to 1 --wait

# --- over a crash, and a checkpoint

adshardctl deactivate tank
run "active again" adshardctl activate tank
is "$(known)" "hdd rack-1 0:2:7 3 4 true" "still known"
run "taken away" adshardctl member set 1 --domain "" --class unknown
is "$(field 1 domain)/$(field 1 class)" null/unknown "not known any more"
run "online" adshardctl member online 1
is "$(field 1 spare)" false "is a spare no more"
adshardctl deactivate tank
run "what is on disk makes sense" adshardctl check "${MEMBERS[@]}"
done_testing
