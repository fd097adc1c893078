#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Command lines and the exit codes that they must have on a machine without the module: 2 where
# the line is wrong, 3 where it is right and the module would be asked next.
. "$(dirname "$0")/lib.sh"
ctl=$PWD/build/agent/bin/adshardctl
needs "$ctl"
if [ -d /sys/module/dm_adshard ]; then echo "1..0 # SKIP the module is loaded"; exit; fi
export ADSHARD_SOCKET=/nonexistent

lines "$ctl" one <<'LINES'
3|plan
3|plan --all --json
3|plan --what-if fail=sdb --what-if add=ssd:2T --what-if score=sdb:90
3|plan --approve
2|plan --approve --what-if fail=0
2|plan --what-if
2|plan --what-if fail
2|plan --what-if add=ssd
2|plan --what-if add=ssd:much
2|plan --what-if score=sdb
2|plan --what-if score=sdb:101
2|plan --what-if nothing=1
2|plan now
3|policy
3|policy show
3|policy show pace
3|policy --json
3|policy set mode=advise
3|policy set mode=
2|policy set
2|policy set mode
2|policy set =5
2|policy --pool tank
3|pin
3|pin 5 --class ssd
3|pin 5-7 --member 1
3|pin 5 --location here
3|pin 5 --stay --json
2|pin 5
2|pin 7-5 --stay
2|pin x --stay
2|pin --stay
2|pin 5 6 --stay
2|pin 5 --stay --class ssd
3|unpin 1
3|unpin --all
2|unpin
2|unpin x
2|unpin 1 --all
4|replay /nonexistent
0|replay /dev/null
0|replay /dev/null --json
2|replay
2|replay a b
3|jobs
3|jobs --all --json
2|jobs now
0|jobs --help
3|jobs -o help
3|job cancel 1
3|job pause 1 --json
3|job priority 1 100
3|job priority 1 auto
2|job
2|job cancel
2|job stop 1
2|job cancel x
2|job cancel 1 2
2|job priority 1
2|job priority 1 101
2|job priority 1 high
2|job priority 1 5 6
2|job --pool tank cancel 1
0|--help
0|-h
0|help
0|--version
0|-V
2|nosuch
2|--nosuch
3|
3|--json
3|--json=1
2|--json=2
3|status
3|status tank
2|status tank two
0|status --help
3|status --check
3|status -x
2|status --check=1
3|status -o +UUID,-SIZE
3|status -Onbr
3|status --color never
2|status --color sometimes
3|status -p tank
2|status -p
2|create
2|create tank
2|create --size nothing tank /dev/null
2|create --size 0 tank /dev/null
2|create --size 5000 tank /dev/null
2|create --segment-size 3M tank /dev/null
2|create --segment-size 512K tank /dev/null
2|create --segment-size 32G tank /dev/null
2|create --chunk-size 2M tank /dev/null
2|create --chunk-size 32K tank /dev/null
2|create --reserve 100% tank /dev/null
2|create --reserve lots tank /dev/null
2|create a/b /dev/null
2|create a:b /dev/null
2|create .. /dev/null
2|create 0123456789012345678901234567890123456789012345678901234567890123 /dev/null
4|create tank /dev/null
4|create tank /nonexistent
4|create --wipe --dry-run --segment-size 16M --chunk-size 64K --reserve 20% tank /dev/null
2|create --pool x tank /dev/null
0|scan /dev/null
0|scan --help
2|scan --nosuch
2|activate a b
2|activate --all tank
2|deactivate a b
2|deactivate --all tank
3|segments
3|segments --member sdb --hot 5
3|segments --range 3
3|segments -R 3-9
2|segments --range 9-3
2|segments --range x
2|segments --hot x
2|segments 5
3|segments --bad
3|segments -BF -m sdb -R 3-9
3|segments --bad --files --json
2|segments --files
2|segments --bad --hot 5
2|locate
2|locate 1 2
3|locate 5G
3|locate @5
2|locate @x
2|locate @16777216
3|locate --reverse 5G
3|locate -v 5G+64K @3 0
3|locate --reverse --bad
3|locate --reverse --bad --json
2|locate --reverse
2|locate --bad
2|locate --reverse --bad 5G
2|locate --reverse 5G+
2|locate --reverse 5G+0
2|locate --reverse x
2|locate --reverse @x
2|locate --reverse -5
2|migrate
2|migrate 5
2|migrate --to 3
2|migrate x --to 3
2|migrate 7-5 --to 3
2|migrate 16777216 --to 3
3|migrate 5 --to 3 --from 2
3|migrate 5 --to 3 --same-domain
2|create --replicas 0 tank /dev/null
2|create --replicas 5 tank /dev/null
2|create --replicas two tank /dev/null
4|create --replicas 2 tank /dev/null /dev/zero
3|segments --short
2|segments --short --bad
2|replicas
2|replicas 5
2|replicas all
2|replicas tank all
3|replicas all 2
3|replicas tank all 2
3|replicas tank 3,5-7 4
3|replicas --cancel all
3|replicas --cancel tank 5
2|replicas --cancel
2|replicas tank all 5
2|replicas tank all 0
2|replicas tank 7-5 2
2|replicas --pool tank tank all 2
2|replicas all 2 --detach --dry-run
3|rebuild
3|rebuild tank
3|rebuild tank 3,5-7
3|rebuild all --dry-run --json
2|rebuild tank x
2|rebuild --wait --detach
3|renew all
3|renew tank 3,5-7 --to 1 --dry-run --json
3|renew tank all --zero
2|renew
2|renew tank
2|renew tank x
2|migrate 5,, 6- --to 3
3|migrate 5,7-12 9 --to 3
3|migrate 5 --to /dev/sdb --wait --priority 7 --progress=plain
2|migrate 5 --to 3 --priority -1
2|migrate 5 --to 3 --progress=loud
3|migrate 5 --to 3 -N
2|evacuate
3|evacuate 1
3|evacuate 1 2 sdb
3|evacuate --wait 1
2|evacuate --wait --detach 1
2|evacuate --cancel --dry-run 1
2|abort
2|abort --all 5
2|abort --member 1 --all
2|abort x
3|abort 5
3|abort 5-9
3|abort --member sdb
3|abort --all
3|pause
2|pause now
3|resume
2|resume now
3|explain 1
3|explain job:3 --at 1700000000 --window 2d
2|explain
2|explain 1 2
2|explain 1 --at yesterday
2|explain 1 --window long
3|risk
3|risk /dev/sda --json
2|risk 1 2
3|forecast
3|forecast tank --all --json
3|forecast -p tank
2|forecast tank two
2|forecast -p tank two
3|history 1
3|history 1 --what load --days 3
2|history
2|history 1 --what nothing
2|history 1 --days many
2|history 1 --export loads
2|history --export loads --json
2|history --export nothing
2|history --export loads --import x
3|throttle
3|throttle 1 --rate 10M --source-rate 5M --destination-jobs 3
2|throttle 1 --jobs 3
2|throttle --jobs 0
3|throttle --slow 500ms --jobs 1
3|throttle 1 --floor 10M --latency 20ms
2|throttle --latency fast
2|throttle --floor -1
2|throttle 1 --slow 5s
2|throttle --slow soon
2|throttle --source-jobs 0
2|throttle --rate fast
2|throttle 1 2
2|member
2|member 1
2|member 1 drained
2|member 1 happy
3|member 1 online
3|member sdb draining
3|member 1 failed
3|events
3|events --follow --json --since 5
2|events --since x
2|events now
2|wait
2|wait forever
2|wait idle 1
2|wait drained
2|wait drained 1 2
2|wait idle --timeout x
3|wait idle
3|wait drained sdb --timeout 5m
7|wait active --timeout 0
0|wait gone
2|probe
2|probe a b
4|probe /nonexistent
2|check tank two
4|check /nonexistent
4|check /dev/null
0|check --help
2|check --nosuch
2|dump
2|dump --block x /dev/null
2|dump --block 1 a b
4|dump /nonexistent
4|dump /dev/null
2|repair
2|repair --member x /dev/null
2|repair --member 1024 /dev/null
2|repair --force /dev/null
2|repair --json /nonexistent
2|repair --from x --member 1
2|repair --from x --backup y
4|repair /nonexistent
4|repair --from /nonexistent
5|repair --from /dev/null
0|__complete verbs
0|__complete options migrate
0|__complete pools
0|__complete members
LINES

# every verb has a man page section, and every option a word in it
for verb in $("$ctl" __complete verbs); do
	"$ctl" "$verb" --help >/dev/null
	ok $? "$verb --help"
	grep -qE "^([a-z]+, )*$verb( |,|\$)" Documentation/man/adshardctl.8.rst
	ok $? "$verb is in the man page"
	for option in $("$ctl" __complete options "$verb"); do
		grep -qF -- "${option%=}" Documentation/man/adshardctl.8.rst
		ok $? "$verb $option is in the man page"
	done
done

# the shell's completion
complete() {
	PATH=$(dirname "$ctl"):$PATH bash -c '
		compopt() { :; }
		. scripts/completion/adshardctl
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_adshardctl
		echo "${COMPREPLY[*]}"' - "$@"
}
[ "$(complete adshardctl ev)" = "evacuate events" ]
ok $? "completes verbs"
[ "$(complete adshardctl migrate 5 --dr)" = "--dry-run" ]
ok $? "completes options"
[ "$(complete adshardctl locate --rev)" = "--reverse" ] && [ "$(complete adshardctl segments --bad --fi)" = "--files" ]
ok $? "completes those of bad ranges"
[ "$(complete adshardctl member sdb dr)" = "draining" ]
ok $? "completes states"
[ "$(complete adshardctl evacuate 1 --progress = js)" = "json" ]
ok $? "completes values"

# JSON on every failure too
for line in "status" "segments" "migrate 1 --to 2"; do
	# shellcheck disable=SC2086 # words
	"$ctl" $line --json 2>/dev/null | python3 -c 'import json, sys
d = json.load(sys.stdin)
sys.exit(d["error"]["exit_code"] != 3 or next(iter(d)) != "schema")'
	ok $? "$line --json without the module"
done
# a full disk
"$ctl" --help >/dev/full 2>/dev/null
[ $? = 1 ]
ok $? "output that can't be written is an error"
# nobody
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	out=$(setpriv --reuid 65534 --clear-groups "$ctl" activate 2>&1)
	[ $? = 3 ] && [ "$(wc -l <<<"$out")" = 1 ]
	ok $? "activate without root: $out"
fi
done_testing
