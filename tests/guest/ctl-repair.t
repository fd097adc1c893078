#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A pool that the kernel has made and used, damaged in each way: what check says, what repair
# makes of it, whether it activates with its data, and the way back. Every command of
# Documentation/recovery.rst is run here. (Checked with a repair that doesn't seal: it fails.)
# kernels: 6.12
# kernels-long: 6.1 6.12 um
# timeout: 600
# files: Documentation/recovery.rst
. /t/lib.sh

# doc WANTED COMMAND: a line of the guide, with our devices for its own
DONE=
doc() {
	local want=$1 line=$2
	DONE+="$line"$'\n'
	line=${line//\/dev\/sda/${MEMBERS[0]}} line=${line//\/dev\/sdb/${MEMBERS[1]}}
	line=${line//\/dev\/sdc/${MEMBERS[2]}} line=${line//\/dev\/sdd/${MEMBERS[3]}}
	line=${line//\/dev\/sde/${MEMBERS[4]}} line=${line//repair-tank-DATE.bak/repair-tank-*.bak}
	rc "$want" "$2" bash -c "${3:-} $line"
}
yes='echo yes |'
heads() { local m; for m in "${MEMBERS[@]:0:4}"; do head -c 3M "$m" | md5sum; done; }
zero() { dd if=/dev/zero of="${MEMBERS[$1]}" bs=4096 seek="$2" count="$3" oflag=direct status=none; }
rot() { dd if=/dev/urandom of="${MEMBERS[$1]}" bs=4096 seek="$2" count="$3" oflag=direct status=none; }
data() { md5sum </dev/mapper/tank; }
# comes_up: with its data; and goes again, some records later
comes_up() {
	doc 0 "adshardctl activate tank"
	is "$(data)" "$sum" "its data"
	adshardctl migrate 3 --to 0 --wait >/dev/null
	adshardctl migrate 3 --to 1 --wait >/dev/null
	doc 0 "adshardctl deactivate tank"
}
# mends WANTED REGEX: check says so; repaired, undone, repaired again
mends() {
	local before
	doc "$1" "adshardctl check tank"
	like "$OUT" "$2" "says so"
	before=$(heads)
	doc 0 "adshardctl repair tank --dry-run"
	like "$OUT" "would write" "shows what it would write"
	is "$(heads)" "$before" "and doesn't"
	rm -f /var/lib/adshard/*
	doc 0 "adshardctl repair tank" "$yes"
	rc 0 "check afterwards" adshardctl check tank
	doc 0 "adshardctl repair --from /var/lib/adshard/repair-tank-DATE.bak"
	is "$(heads)" "$before" "the way back: byte by byte"
	rc 0 "once more" adshardctl repair --yes --backup /tmp/bak-$((N += 1)) tank
	comes_up
}
N=0

load_module
members 5 10
four=("${MEMBERS[@]:0:4}")
run "create" adshardctl create --segment-size 1M --size 12M tank "${four[@]}"
dd if=/dev/urandom of=/dev/mapper/tank bs=1M oflag=direct status=none 2>/dev/null
sum=$(data)
for i in 0 1 2; do adshardctl migrate 0-5 --to $i --wait >/dev/null; done
rc 0 "check of an active pool" adshardctl check
like "$OUT" "verdict: .*active" "says so"
rc 6 "repair of an active pool" adshardctl repair --yes tank
like "$OUT" "is active: adshardctl deactivate tank" "refuses"
rc 6 "by devices, too" adshardctl repair --yes "${four[@]}"
doc 0 "adshardctl deactivate tank"
doc 0 "adshardctl scan"
doc 0 "adshardctl check tank"
like "$OUT" "would activate" "all is well"
rc 0 "repair of nothing" adshardctl repair tank
like "$OUT" "nothing to repair" "says so"
doc 0 "dd if=/dev/sda of=/root/sda.head bs=1M count=3"

# --- superblocks ---------------------------------------------------------------------
zero 1 1 1
mends 9 "copy 0 of its superblock is zero"
rot 1 1 3
mends 10 "say that it is member 1"
rot 1 0 16
rot 2 0 16
doc 10 "adshardctl check /dev/sda /dev/sdb /dev/sdc /dev/sdd"
rc 0 "two of them" adshardctl repair --yes "${four[@]}"
comes_up
# nothing is left of its metadata
rot 1 0 768
doc 10 "adshardctl check tank"
like "$OUT" "member 1 .* is missing" "says so"
rc 5 "it doesn't guess" adshardctl repair --yes "${four[@]}"
rc 5 "nor believe a wrong name" adshardctl repair --yes --member 0 "${four[@]}"
doc 0 "adshardctl repair --member 1 /dev/sda /dev/sdb /dev/sdc /dev/sdd" "$yes"
comes_up

# --- journal and tables --------------------------------------------------------------
rot 2 16 240
mends 9 "records in its journal are gone or damaged"
rot 3 256 1
mends 9 "table . is of no use: its header is not whole"
zero 0 16 736
mends 9 "table . is of no use"
# without a repair the kernel heals it, but for the table that the next checkpoint will write
rot 2 16 736
comes_up
rc 9 "check afterwards" adshardctl check tank
like "$OUT" "in step.*in step.*in step.*in step" "it has taken part since"
rc 0 "repair of the rest" adshardctl repair --yes --backup /tmp/rest tank

# --- sectors that can't be read ------------------------------------------------------
member_bad 1 2048 2063
rc 9 "check with bad sectors in a table" adshardctl check tank
like "$OUT" "its header is not whole" "says so"
rc 1 "repair while they can't be written" adshardctl repair --yes --backup /tmp/bad tank
like "$OUT" "can't be written.*may be repaired again" "says so"
member_good 1 2048 2063
rc 0 "go back: nothing could be read there" adshardctl repair --from /tmp/bad
rc 0 "once they can" adshardctl repair --yes --backup /tmp/bad2 tank
comes_up
end=$(adshardctl check tank | sed -n 's/.*record \([0-9]*\) of term.*/\1/p')
at=$(((16 + (end + 1) % 240) * 8))
for i in 0 1 2 3; do member_bad $i $at $((at + 7)); done
rc 10 "nobody can read where the next record would be" adshardctl check tank
like "$OUT" "there may be a record after $end" "says so"
rc 5 "the kernel says the same" adshardctl activate tank
rc 5 "and repair refuses" adshardctl repair --yes tank
for i in 0 1 2 3; do member_good $i $at $((at + 7)); done

# --- members that are missing, old or copied -----------------------------------------
rc 10 "without one" adshardctl check "${four[@]:1}"
like "$OUT" "member 0 .* is missing" "says which"
dd if="${MEMBERS[1]}" of="${MEMBERS[4]}" bs=1M iflag=direct oflag=direct status=none
doc 10 "adshardctl check tank"
like "$OUT" "one of them is a copy" "a copy"
doc 0 "dd if=/dev/zero of=/dev/sde bs=64K count=1 oflag=direct"
doc 0 "adshardctl check tank"
head -c 3M "${MEMBERS[1]}" >/tmp/old
adshardctl activate tank >/dev/null
for i in 0 2 3 0 2 3 0 1; do adshardctl migrate 5,6 --to $i --wait >/dev/null; done
data=$(data)
adshardctl deactivate tank
dd if=/tmp/old of="${MEMBERS[1]}" bs=1M oflag=direct status=none
doc 10 "adshardctl check tank"
like "$OUT" "is stale: the metadata of member 1" "an old copy"
rc 5 "repair refuses" adshardctl repair --yes tank
doc 0 "dd if=/dev/sdb of=/root/sdb.head bs=1M count=3"
doc 0 "dd if=/dev/zero of=/dev/sdb bs=4096 seek=16 count=752 oflag=direct"
doc 0 "adshardctl repair tank" "$yes"
doc 0 "adshardctl activate tank"
is "$(data)" "$data" "(here its data was not old)"
sum=$data

# --- two hosts -----------------------------------------------------------------------
doc 0 "adshardctl deactivate tank"
for i in 0 1 2 3; do head -c 3M "${MEMBERS[$i]}" >/tmp/fork$i; done
adshardctl activate tank >/dev/null
sleep 1.1
adshardctl deactivate tank
for i in 0 2; do
	head -c 3M "${MEMBERS[$i]}" >/tmp/side$i
done
for i in 0 1 2 3; do dd if=/tmp/fork$i of="${MEMBERS[$i]}" bs=1M oflag=direct status=none; done
adshardctl activate tank >/dev/null
adshardctl deactivate tank
for i in 0 2; do dd if=/tmp/side$i of="${MEMBERS[$i]}" bs=1M oflag=direct status=none; done
rc 9 "two histories of one term" adshardctl check tank
like "$OUT" "two members disagree about record" "says so"
like "$OUT" "Two members disagree" "and where to read on"
rc 5 "repair refuses" adshardctl repair --yes tank
doc 0 "adshardctl dump /dev/sda >/root/sda.txt"
doc 0 "adshardctl dump /dev/sdb >/root/sdb.txt"
doc 1 "diff /root/sda.txt /root/sdb.txt"
for i in 3 1; do zero $i 16 752; done
doc 9 "adshardctl check tank"
doc 0 "adshardctl repair tank" "$yes"
comes_up
doc 0 "adshardctl dump --segments /dev/sda /dev/sdb /dev/sdc /dev/sdd >/root/tank.txt"
run "has every segment" grep -q "segment 11: member" /root/tank.txt

# --- a disk that does not come back --------------------------------------------------
zero 3 0 768
doc 0 "adshardctl scan"
doc 0 "adshardctl activate --degraded --dry-run tank     # how many segments would be lost"
like "$OUT" "segments are lost" "says how many"
doc 0 "adshardctl activate --degraded tank"
doc 0 "adshardctl dump --segments /dev/sdb >where-it-was      # of any other member"
run "names the lost ones" grep -q "member 3" where-it-was
doc 0 "adshardctl renew tank all --dry-run"
like "$OUT" "would give" "says what it would do"
doc 0 "adshardctl renew tank all --zero"
doc 0 "adshardctl renew tank all"
like "$OUT" "no segment is lost" "says that all have a place"
doc 0 "adshardctl segments --bad --files"
doc 0 "adshardctl member remove 3"
zero 4 0 2560
doc 0 "adshardctl member add /dev/sde"
run "deactivated" adshardctl deactivate tank

# every command of the guide is one that was run here
missing=0
while read -r line; do
	grep -qxF -- "$line" <<<"$DONE" || { diag "not run: $line"; missing=1; }
done < <(sed -n 's/^    \(adshardctl\|dd\|diff\) /\1 /p' /t/recovery.rst)
is $missing 0 "every command of the guide has been run"
is "$(dmesg | grep -c 'WARNING\|BUG')" 0 "the kernel is content"
done_testing
