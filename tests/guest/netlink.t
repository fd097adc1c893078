#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The netlink family: what a request may say, what is refused and why, dumps, events; and the
# messages of the target.
# kernels: um
# kernels-long: 6.1 6.12 um
# timeout: 400
. /t/lib.sh

load_module
members 3 160
# 300 segments of 1 MiB
run "a pool" dm_create vol "0 614400 adshard - 3 ${MEMBERS[*]} 4 segment_size 2048 name abused"
uuid=$(dmsetup table vol | cut -d' ' -f4)
pool=pool_uuid=$uuid

# The last line: "ok" or the error
answer() { nlabuse "$@" 2>&1 | tail -n 1; }
# How many objects
count() { nlabuse -c "$@" 2>&1 | head -n 1; }
# refused ERROR REQUEST...
refused() {
	local wanted=$1
	shift
	# it has no way to say why a dump can't begin
	[[ $ADS_KERNEL != 6.1 || " $* " != *" -d "* ]] || wanted=${wanted%%:*}
	like "$(answer "$@")" "^$wanted" "refused: $*"
}
# accepted REQUEST...
accepted() { is "$(answer "$@")" ok "accepted: $*"; }
# field NAME REQUEST...: its value in the first object that has it
field() {
	local name=$1
	shift
	nlabuse "$@" | sed -nE "s/.* $name=(\"[^\"]*\"|[^ ]*).*/\1/p" | head -n 1
}

# --- what there is

like "$(nlabuse get_pool "$pool")" "pool_name=\"abused\" .* pool_state=1 suspended=0 paused=0 " "a pool"
is "$(field nr_segments get_pool "$pool")" 300 "its segments"
is "$(field chunk_size get_pool "$pool")" 65536 "its chunks"
is "$(count -d get_pool)" 1 "a dump of pools"
is "$(count -d get_member "$pool")" 3 "a dump of members"
is "$(count -d get_member)" 3 "of all pools"
like "$(nlabuse -d get_member)" "member=2 .* write_hist=[0-9a-f]*\.\.\.\(256\)" "a member"
is "$(count -d get_segment "$pool")" 300 "a dump of segments"
is "$(count -d get_segment "$pool" segment=290)" 10 "from one on"
is "$(count -d get_segment "$pool" segment=290 count=4)" 4 "some of them"
is "$(count -d get_segment "$pool" segment=298 count=4294967295)" 2 "no more than there are"
sum=0
for i in 0 1 2; do sum=$((sum + $(count -d get_segment "$pool" member=$i))); done
is $sum 300 "each is on one member"
out=$(nlabuse get_segment "$pool" segment=299)
like "$out" "index=299 state=0 reads=[0-9]* writes=[0-9]*( last=[0-9]*)? leg: member=[0-2] chunk=[0-9]* state=1 wanted=1 intent=0
ok" "one segment"
is "$(count -d get_migration)" 0 "no migration"
# A small buffer: many messages. Pieces of it, each from the last one received.
is "$(nlabuse -d -b 4096 get_segment "$pool" | grep -c index=)" 300 "a dump in many messages"
is "$(nlabuse -d -b 4096 get_segment "$pool" | grep -c ^get_segment)" \
	"$(nlabuse -d -b 4096 get_segment "$pool" | grep -c ' generation=')" "each with the generation"
last=0 rounds=0
: >/tmp/pieces
while [ $last -lt 299 ] && [ $rounds -lt 30 ]; do
	nlabuse -d -b 4096 -s 1 get_segment "$pool" segment=$last | grep -o 'index=[0-9]*' >/tmp/piece
	cat /tmp/piece >>/tmp/pieces
	last=$(tail -n 1 /tmp/piece | cut -d= -f2) rounds=$((rounds + 1))
done
is "$(sort -u /tmp/pieces | wc -l)" 300 "a dump that breaks off is resumed ($rounds rounds)"

# --- what a request may not say

none=00000000-0000-0000-0000-000000000000
for cmd in get_pool get_segment get_migration migrate abort throttle set_member; do
	refused "ENOENT: no active pool" $cmd pool_uuid=$none
	refused "EINVAL: the request names no pool" $cmd
	refused "(EINVAL|ERANGE)" $cmd pool_uuid=hex:0011
	refused "(EINVAL|ERANGE)" $cmd "pool_uuid=hex:${uuid}00"
	refused "(EINVAL|ERANGE)" $cmd pool_uuid
	refused "EINVAL" $cmd "pool_uuid=nest:$uuid"
	refused "EINVAL: Unknown attribute" $cmd "$pool" 200=u32:1
	refused "EINVAL: Unknown attribute" $cmd "$pool" 0=u32:1
	refused "EINVAL" $cmd "$pool" pad
	refused "EINVAL" $cmd "$pool" text=str:hello
	refused "EINVAL" $cmd "$pool" generation=1
	refused "EINVAL" $cmd "$pool" pool_name=len:3
	refused "EINVAL" $cmd "$pool" pool_name=len:60000
	refused "EINVAL" -T 17 $cmd "$pool"
	refused "EINVAL" -T 30 $cmd "$pool"
	refused "EINVAL" -r 1 $cmd "$pool"
	refused "EINVAL" -f 0x104 $cmd "$pool"
done
for cmd in get_member 0 9 10 200; do refused EOPNOTSUPP $cmd "$pool"; done
for cmd in migrate abort throttle set_member event; do refused EOPNOTSUPP -d $cmd "$pool"; done
for cmd in get_pool get_member get_segment get_migration; do
	refused "ENOENT: no active pool" -d $cmd pool_uuid=$none
	refused "EINVAL: Unknown attribute" -d $cmd "$pool" 200=u32:1
	refused "(EINVAL|ERANGE)" -d $cmd pool_uuid=hex:0011
done

for type in u8 u16 u64 nest hex; do
	refused "(EINVAL|ERANGE)" migrate "$pool" segment=$type:01 dst_member=1
	refused "(EINVAL|ERANGE)" -d get_segment "$pool" segment=$type:01
done
refused "EINVAL: the request names no segment" get_segment "$pool"
refused "EINVAL: COUNT and MEMBER" get_segment "$pool" segment=1 count=2
refused "ENOENT: no segment 300" get_segment "$pool" segment=300
refused "EINVAL: the request names no pool" -d get_segment
refused "ENOENT: no segment 300" -d get_segment "$pool" segment=300
refused "ENOENT: no segment 4294967295" -d get_segment "$pool" segment=4294967295
refused "ENOENT: no member 3" -d get_segment "$pool" member=3
refused ERANGE -d get_segment "$pool" count=0
refused "EINVAL: a dump of migrations" -d get_migration "$pool" segment=1
refused "ENOENT: segment 7 is not migrating" get_migration "$pool" segment=7

# segment 0 and where it is not
from=$(field member get_segment "$pool" segment=0)
to=$(((from + 1) % 3))
refused "EINVAL: the request names no destination" migrate "$pool" segment=0
refused "EINVAL: the request names no segment" migrate "$pool" dst_member=1
for number in 300 65536 4294967295; do
	refused "ENOENT: no segment $number" migrate "$pool" segment=$number dst_member=0
	refused "ENOENT: no segment $number" abort "$pool" segment=$number
	refused "ENOENT: no member $number" migrate "$pool" segment=0 dst_member=$number
	refused "ENOENT: no member $number" abort "$pool" member=$number
	refused "ENOENT: no member $number" throttle "$pool" member=$number src_bps=1
	refused "ENOENT: no member $number" set_member "$pool" member=$number member_state=1
done
refused EALREADY migrate "$pool" segment=0 dst_member="$from"
refused "ENOENT: segment 0 is not migrating" abort "$pool" segment=0
refused "EINVAL: either" abort "$pool" segment=0 member=0
accepted abort "$pool"
accepted abort "$pool" member=1

before=$(nlabuse -d get_member; nlabuse get_pool "$pool")
refused "EINVAL: the request changes no limit" throttle "$pool"
refused "EINVAL: the request changes no limit" throttle "$pool" member=1
refused "EINVAL: MAX_ACTIVE, PAUSED and SLOW_NS" throttle "$pool" member=1 src_bps=5 paused=1
refused "EINVAL: MAX_ACTIVE, PAUSED and SLOW_NS" throttle "$pool" member=1 slow_ns=5
refused "EINVAL: MAX_ACTIVE, PAUSED and SLOW_NS" throttle "$pool" member=1 src_bps=5 max_active=1
refused ERANGE throttle "$pool" src_bps=5 src_active_max=0
refused ERANGE throttle "$pool" src_bps=5 dst_active_max=0
refused ERANGE throttle "$pool" src_bps=5 max_active=0
refused ERANGE throttle "$pool" src_bps=5 paused=2
refused "(EINVAL|ERANGE)" throttle "$pool" src_bps=u32:5
is "$(nlabuse -d get_member; nlabuse get_pool "$pool")" "$before" "and none of it has changed anything"

refused "EINVAL: the request names no member" set_member "$pool" member_state=1
refused "EINVAL: the request names no state" set_member "$pool" member=0
refused ERANGE set_member "$pool" member=0 member_state=0
refused ERANGE set_member "$pool" member=0 member_state=5
refused "EINVAL: a draining member" set_member "$pool" member=0 member_state=3
refused "ENOTEMPTY: member 0 holds" set_member "$pool" member=0 member_state=4

# --- who may ask

for who in -p -o -u; do
	if ! nlabuse $who get_pool "$pool" >/dev/null 2>&1; then
		skip "refused: $who" "this kernel has no such thing"
		continue
	fi
	refused "EPERM: needs CAP_SYS_ADMIN" $who get_pool "$pool"
	refused "EPERM: needs CAP_SYS_ADMIN" $who throttle "$pool" paused=1
	refused "EPERM: needs CAP_SYS_ADMIN" $who -d get_pool
	refused "EPERM: needs CAP_SYS_ADMIN" $who -d get_segment "$pool"
	[ $who = -o ] || refused EPERM $who listen 1 1
done
if nlabuse -n get_pool "$pool" >/dev/null 2>&1; then
	refused ENOENT -n get_pool "$pool"
else
	skip "refused: in another network namespace" "this kernel has none"
fi

# --- migrations and their events

idle() { [ "$(count -d get_migration)" = 0 ]; }
# until it is killed
nlabuse listen 10000 36000 >/tmp/events &
listener=$!
wait_for 5 grep -q listening /tmp/events
first=$(field event_seq get_pool "$pool")

accepted throttle "$pool" member="$from" src_bps=1 src_active_max=1
is "$(nlabuse -d get_member | grep " member=$from " | grep -o ' src_bps=[0-9]*')" " src_bps=1" "a limit"
accepted migrate "$pool" segment=0 dst_member=$to cookie=0x1122334455667788
refused EBUSY migrate "$pool" segment=0 dst_member=$to
like "$(nlabuse get_segment "$pool" segment=0)" \
	"state=2 .*leg: member=$from .*state=1 leg: member=$to chunk=[0-9]* state=2" "two legs"
like "$(nlabuse get_migration "$pool" segment=0)" \
	"src_member=$from dst_member=$to step=[12] priority=0 cookie=1234605616436508552 chunks=16 " "a migration"
accepted migrate "$pool" segment=3 dst_member=$to priority=1
like "$(nlabuse get_segment "$pool" segment=3)" "state=1 .*leg: member=$from chunk=[0-9]* state=1 wanted=1 intent=0
" "one in the queue has one leg"
like "$(nlabuse get_migration "$pool" segment=3)" "step=0 priority=1 .* age_ns=0" "and no age"
is "$(count -d get_migration)" 2 "a dump of migrations"
is "$(nlabuse -d get_segment "$pool" member=$to | grep -c 'state=2 .*state=2 wanted=1 intent=0$')" 1 "by the destination"
accepted abort "$pool" member=$to
wait_for 10 idle
is "$(count -d get_migration)" 0 "both are aborted, at one byte a second"
accepted throttle "$pool" src_bps=0 dst_bps=0 src_active_max=2 dst_active_max=2
accepted migrate "$pool" segment=0 dst_member=$to
wait_for 20 idle
like "$(nlabuse get_segment "$pool" segment=0)" "state=0 .*leg: member=$to chunk=[0-9]* state=1 wanted=1 intent=0
" "a segment has moved"

accepted throttle "$pool" paused=1
for i in 10 11 12 13 14; do
	on=$(field member get_segment "$pool" segment=$i)
	accepted migrate "$pool" segment=$i dst_member=$(((on + 1) % 3)) priority=$i
done
is "$(field nr_queued get_pool "$pool")" 5 "paused: none starts"
accepted throttle "$pool" paused=0 max_active=1
wait_for 20 idle
is "$(field nr_done get_pool "$pool")" 6 "and then all end"
sleep 0.2
is "$(grep -o ' event_seq=[0-9]*' /tmp/events | cut -d= -f2)" \
	"$(seq $((first + 1)) "$(field event_seq get_pool "$pool")")" "events are numbered without gaps"
is "$(grep ' event=6' /tmp/events | grep -o ' segment=1[0-4]' | tr -d '\n')" \
	" segment=14 segment=13 segment=12 segment=11 segment=10" "by priority"
like "$(grep ' event=9' /tmp/events)" "segment=0 kind=[0-9]* src_member=$from dst_member=$to cookie=1234605616436508552" \
	"an event of an abort"
like "$(grep ' event=7' /tmp/events)" "segment=0 .* bytes_copied=1048576 chunks_verified=16 chunks_recopied=0" \
	"an event of a migration"

# --- dumps and changes

is "$(nlabuse -d -c -b 4096 -x true get_segment "$pool")" "300
ok" "a dump in peace"
accepted throttle "$pool" paused=1
on=$(field member get_segment "$pool" segment=20)
out=$(nlabuse -d -c -b 4096 -x "nlabuse migrate $pool segment=20 dst_member=$(((on + 1) % 3)) >/dev/null" \
	get_segment "$pool")
is "$out" "300
interrupted
ok" "a dump and a change"
out=$(nlabuse -d -c -b 4096 -x "dmsetup suspend vol" get_segment "$pool")
is "$out" "300
ok" "a dump and a suspend"
is "$(field suspended get_pool "$pool")" 1 "suspended"
is "$(count -d get_member "$pool")" 3 "members of a suspended pool"
refused "EBUSY: the pool is suspended" migrate "$pool" segment=30 dst_member=0
refused "EBUSY: the pool is suspended" throttle "$pool" paused=1
refused "EBUSY" set_member "$pool" member=0 member_state=2
fails "a message to a suspended pool" dmsetup message vol 0 pause
run "resume" dmsetup resume vol
accepted abort "$pool" segment=20
is "$(nlabuse -d -c -b 4096 -s 2 get_segment "$pool" | tail -n 1)" closed "a dump that is given up"

# --- errors of a member

sector=$(dmsetup message vol 0 locate 40 | cut -d' ' -f3)
bad=$(dmsetup message vol 0 locate 40 | cut -d' ' -f1)
start=$(wc -l </tmp/events)
member_bad "$bad" "$sector" $((sector + 7))
for i in 1 2 3 4 5 6 7 8; do
	dd if=/dev/mapper/vol of=/dev/null bs=4k count=1 skip=$((40 * 256)) iflag=direct status=none 2>/dev/null
done
sleep 2.5
errors=$(tail -n +$((start + 1)) /tmp/events | grep ' event=5')
total=$(nlabuse -d get_member | grep " member=$bad " | grep -o ' read_errors=[0-9]*' | cut -d= -f2)
like "$(head -n 1 <<<"$errors")" "text=\"[1-8] read errors, 0 write errors on member$bad\".* member=$bad " \
	"an event of the first error"
like "$(tail -n 1 <<<"$errors")" "text=\"$total read errors" "and one of the last"
[ "$(wc -l <<<"$errors")" -le 4 ]
ok $? "but not of each ($(wc -l <<<"$errors") for $total)"
member_good "$bad" "$sector" $((sector + 7))

# --- messages

msg() { dmsetup message vol 0 "$@"; }
run "pause" msg pause
is "$(field paused get_pool "$pool")" 1 "paused"
on=$(field member get_segment "$pool" segment=50)
run "migrate" msg migrate 50 $(((on + 1) % 3))
is "$(count -d get_migration)" 1 "a queued one"
fails "migrate it again" msg migrate 50 $(((on + 1) % 3))
run "abort" msg abort 50
run "abort all" msg abort all
run "throttle" msg throttle 1000000
is "$(nlabuse -d get_member | grep -c ' src_bps=1000000 dst_bps=1000000 ')" 3 "throttled"
run "no throttle" msg throttle 0
run "resume" msg resume
is "$(field paused get_pool "$pool")" 0 "resumed"
like "$(msg locate 50)" "^$on member$on [0-9]+$" "locate"
run "member draining" msg member 1 draining
is "$(nlabuse -d get_member | grep ' member=1 ' | grep -o 'member_state=[0-9]*')" member_state=2 "draining"
refused EPERM migrate "$pool" segment=0 dst_member=1
run "member online" msg member 1 online
for wrong in "" "nonsense" "migrate" "migrate 1" "migrate 1 2 3" "migrate x 1" "migrate 300 1" "migrate 1 3" \
	"migrate 4294967295 1" "migrate 4294967297 1" "migrate -1 1" "abort" "abort 300" "abort 4294967295" \
	"throttle" "throttle x" "pause 1" "member 1" "member 1 drained" "member 3 online" "member 1 failed" \
	"locate" "locate 300" "locate 1 2"; do
	# shellcheck disable=SC2086 # words
	fails "message: $wrong" msg $wrong
done

# --- the end of a pool

members 1 32
run "another pool" dm_create small "0 16384 adshard - 1 ${MEMBERS[3]} 2 segment_size 2048"
is "$(count -d get_pool) $(count -d get_member)" "2 4" "dumps of two pools"
run "it goes" dm_remove small
is "$(count -d get_pool) $(count -d get_member)" "1 3" "dumps of one pool"
like "$(tail -n 1 /tmp/events)" " event=2" "an event says so"

# all at once, while it goes
again() { while [ -e /tmp/go ]; do "$@" >/dev/null 2>&1; done; }
random() { while [ -e /tmp/go ]; do nlabuse migrate "$pool" segment=$((RANDOM % 300)) dst_member=$((RANDOM % 3)); done >/dev/null; }
touch /tmp/go
jobs=()
again nlabuse -d -b 4096 get_segment "$pool" member=1 & jobs+=($!)
again nlabuse -d -s 1 get_segment "$pool" & jobs+=($!)
again nlabuse -d get_member & jobs+=($!)
again nlabuse -d get_migration & jobs+=($!)
again nlabuse abort "$pool" member=2 & jobs+=($!)
again nlabuse throttle "$pool" paused=0 src_bps=50000000 & jobs+=($!)
again nlabuse throttle "$pool" paused=1 & jobs+=($!)
random & jobs+=($!)
sleep 4
run "suspend under fire" dmsetup suspend vol
run "resume under fire" dmsetup resume vol
sleep 1
nlabuse throttle "$pool" paused=0 src_bps=0 >/dev/null
out=$(nlabuse -d -c -b 4096 -x "dmsetup remove --retry vol" get_segment "$pool")
rm /tmp/go
wait "${jobs[@]}"
like "$out" "ENOENT: the pool has been deactivated" "a dump of a pool that goes"
refused "ENOENT: no active pool" get_pool "$pool"
is "$(count -d get_pool)" 0 "no pool is left"
kill $listener
wait $listener 2>/dev/null
run "unload" unload_module
done_testing
