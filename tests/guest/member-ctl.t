#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# adshardctl member add, remove, replace and resize, under a file system that is written to; what is
# refused; what was interrupted goes on; stale members come back as new ones.
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 400
# memory: 768
. /t/lib.sh

load_module
members 3 96
members 3 64
d=("${MEMBERS[@]}")
run "a pool" adshardctl create --segment-size 4M --size 120M tank "${d[@]:0:3}"
mkfs.ext4 -q /dev/mapper/tank
mkdir -p /mnt/tank
mount /dev/mapper/tank /mnt/tank
mkdir /mnt/tank/files
stampwriter write /mnt/tank/files /run/ledger /run/log >/run/writer.out 2>&1 &
writer=$!
state() { adshardctl status --json | jq -r ".pools[0].members[] | select(.device == \"$1\") | .state"; }
nr_members() { adshardctl status --json | jq ".pools[0].members | length"; }
# exit STATUS COMMAND...: it ends with that
exits() {
	local wanted=$1 status=0
	shift
	out=$("$@" 2>&1) || status=$?
	is $status "$wanted" "status $wanted: $*" || diag "$out"
}

# --- add

exits 5 adshardctl member add "${d[0]}"
like "$out" "is member 0 of the pool already" "says what is wrong"
exits 2 adshardctl member add
exits 4 adshardctl member add /dev/nothing
mkfs.ext4 -q "${d[3]}"
exits 5 adshardctl member add "${d[3]}"
like "$out" "--wipe" "says how"
exits 0 adshardctl member add --wipe --dry-run "${d[3]}"
is "$(nr_members)" 3 "nothing was done"
exits 0 adshardctl member add --wipe --class ssd --domain shelf-2 "${d[3]}"
is "$(state "${d[3]}")" online "it is a member"
is "$(adshardctl status --json | jq -r ".pools[0].members[3] | .class + .domain")" ssdshelf-2 "and known"
exits 0 adshardctl member add --spare "${d[4]}"
is "$(adshardctl status --json | jq ".pools[0].members[4].spare")" true "a spare"

# --- replace, remove

exits 0 adshardctl member replace 1 "${d[5]}"
is "$(state "${d[1]}")" "" "the old one has left"
is "$(state "${d[5]}")" online "the new one has come"
run "the old one is blank" cmp -n 131072 "${d[1]}" /dev/zero
exits 0 adshardctl member remove "${d[3]}" --dry-run
is "$(state "${d[3]}")" online "nothing was done"
exits 0 adshardctl member remove "${d[3]}"
is "$(nr_members)" 4 "one less"
# interrupted: it is draining or drained, and the same command again goes on
adshardctl evacuate "${d[5]}" --detach >/dev/null
exits 0 adshardctl member remove "${d[5]}"
is "$(nr_members)" 3 "another one less"

# --- a stale one

exits 0 adshardctl member add "${d[1]}"
new=$(adshardctl status --json | jq -r ".pools[0].members[] | select(.device == \"${d[1]}\") | .member")
dd if="${d[1]}" of=/run/stale bs=128k count=1 status=none
exits 0 adshardctl member remove "${d[1]}"
dd if=/run/stale of="${d[1]}" bs=128k count=1 oflag=direct status=none
exits 5 adshardctl member add "${d[1]}"
like "$out" "was a member of this pool.*--reuse" "says what it was"
exits 0 adshardctl member add --reuse "${d[1]}"
is "$(state "${d[1]}")" online "it is a new member"
exits 0 adshardctl member add --wipe "${d[3]}"

# --- resize

exits 0 adshardctl resize +40M
is "$(blockdev --getsize64 /dev/mapper/tank)" $((160 << 20)) "longer"
exits 0 adshardctl resize 160M
exits 5 adshardctl resize 1T
like "$out" "need [0-9]+ more segments, [0-9]+ are free" "with numbers"
exits 5 adshardctl resize -40M
exits 0 adshardctl resize -40M --yes
exits 5 adshardctl resize -40M --yes
like "$out" "ext file system of 120 MiB .*resize2fs" "not through a file system"
exits 0 adshardctl resize +80M
exits 2 adshardctl resize 0

# --- all of it is there

kill -TERM $writer
wait $writer
is $? 0 "the writer met no error"
cat /run/writer.out
umount /mnt/tank
run "the file system is whole" e2fsck -fp /dev/mapper/tank
run "it grows" resize2fs /dev/mapper/tank
run "and shrinks" resize2fs /dev/mapper/tank 140M
exits 5 adshardctl resize 140M
exits 0 adshardctl resize 140M --yes
run "the file system is whole" e2fsck -fn /dev/mapper/tank
exits 0 adshardctl deactivate tank
exits 0 adshardctl activate tank
mount /dev/mapper/tank /mnt/tank
run "every file is what was written" stampwriter verify /mnt/tank/files /run/ledger
umount /mnt/tank
exits 0 adshardctl evacuate "${d[4]}"
exits 0 adshardctl member fail "${d[4]}"
exits 0 adshardctl member remove "${d[4]}"
exits 0 adshardctl check
adshardctl deactivate tank

# --- no room

exits 0 adshardctl create --wipe --segment-size 4M --reserve 0 --size 180M full "${d[0]}" "${d[1]}"
exits 5 adshardctl member remove "${d[1]}"
like "$out" "needs [0-9]+ slots, [0-9]+ free" "with numbers, if there is no room"
is "$(state "${d[1]}")" online "and before anything is done"
exits 5 adshardctl member replace "${d[1]}" "${d[5]}"
like "$out" "has room for 15 segments, and 2[0-9] have to go there" "likewise"
is "$(nr_members)" 2 "and before anything is done"
exits 5 adshardctl member fail "${d[1]}"
done_testing
