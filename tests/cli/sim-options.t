#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# adshard-sim: command lines and scenarios that are wrong are named; the same seed gives the same
# figures; in none of the project's scenarios is a pool worse off with the planner than without.
. "$(dirname "$0")/lib.sh"
sim=$PWD/build/agent/bin/adshard-sim scenarios=$PWD/agent/sim/scenarios
needs "$sim"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit
small() { printf 'class hdd latency 8 mibs 200 iops 150\nmembers 4 class hdd size 64G\n%b\n' "$2" >"$1.sim"; }
small good 'length 3h\nload 0 100% flat mibs 10'
small word 'colour blue'
small class 'members 2 class tape size 1T'
small number 'fill many'
small event 'at 1h fail 9'
small time 'at soon fail 1'
small policy 'policy score.drain 99'
small more 'length 1d 2d'
small traces 'load 0 100% trace mibs 10'
small share 'load 50% 20% flat mibs 10'
echo 'length 1d' >empty.sim
printf 'volume,ts\nv,1\n' >short.csv

lines "$sim" <<'LINES'
0|--help|
0|--version|
0|good.sim|
0|good.sim --strategy greedy --seed 7|
0|bench --members 20 --segments 500|
2||which scenario
2|good.sim --strategy lucky|none called lucky
2|good.sim --seed x|is not between
2|good.sim --smart x.csv|needs --model
2|good.sim --pools 3|go with --smart
2|good.sim --from yesterday|is no date
2|bench --members 5000|is not between
2|bench more|takes no more
2|good.sim --nosuch|
1|nosuch.sim|nosuch.sim: No such file
1|word.sim|word.sim:3: there is no such line
1|class.sim|class.sim:3: there is no such class
1|number.sim|number.sim:3: what should be a number
1|time.sim|time.sim:3: a time like
1|event.sim|about member or link 9
1|policy.sim|policy.sim:3: score.drain
1|more.sim|more.sim:3: there is more
1|share.sim|share.sim:3: load: two shares
1|traces.sim|wants recorded loads
1|empty.sim|there must be a class
1|good.sim --load nosuch|nosuch: No such file
1|traces.sim --load short.csv|has not both of the columns
1|good.sim --smart short.csv --model short.csv --from 2015-01-01 --to 2015-02-01|short.csv
LINES

figure() { awk -v n="sim.$1" '$1 == "figure" && $2 == n { print $3 }' out; }
# at_most A B: numbers
at_most() { awk -v a="${1:-x}" -v b="${2:-x}" 'BEGIN { exit !(a != "x" && b != "x" && a + 0 <= b + 0) }'; }

"$sim" "$scenarios/slow-death.sim" >one && "$sim" "$scenarios/slow-death.sim" >two
cmp -s one two
ok $? "the same scenario gives the same figures"
"$sim" "$scenarios/slow-death.sim" --seed 2 >two
! cmp -s one two
ok $? "another seed gives others"

"$sim" bench >out
awk '$2 == "plan.seconds" { exit !($3 < 1) }' out
ok $? "a thousand members and a million segments are planned within a second" || cat out

# fleet and traces need records
for s in bad-batch bulk-import fail-slow flapping full-pool hot-shift link-lost slow-death sudden-death \
	two-failing; do
	"$sim" "$scenarios/$s.sim" --strategy adshard >out && "$sim" "$scenarios/$s.sim" --strategy react >>out
	ok $? "$s runs"
	at_most "$(figure $s.adshard.at_risk)" "$(figure $s.react.at_risk)"
	ok $? "$s: no more data at risk than without a planner"
	# one step of the histogram is what copying costs
	at_most "$(figure $s.adshard.p99_latency)" "$(figure $s.react.p99_latency | awk '{ print $1 * 1.08 }')"
	ok $? "$s: as fast as without a planner" || grep p99 out | sed 's/^/# /'
	[ "$(figure $s.adshard.needless)" = 0 ]
	ok $? "$s: nothing is emptied for nothing"
	case $s in
	bad-batch | slow-death | two-failing)
		[ "$(figure $s.adshard.drained_in_time)" = 1 ]
		ok $? "$s: every failing disk is empty before it fails"
		at_most "$(figure $s.adshard.bytes_ratio)" 1.2
		ok $? "$s: without moving more than is needed"
		;;
	hot-shift)
		"$sim" "$scenarios/$s.sim" --strategy greedy >>out
		at_most "$(figure $s.adshard.peak_load)" "$(figure $s.greedy.peak_load)" &&
			at_most "$(figure $s.adshard.moved_load)" "$(figure $s.greedy.moved_load)"
		ok $? "$s: lower peaks and fewer bytes than who looks only at now"
		;;
	full-pool)
		"$sim" "$scenarios/$s.sim" --strategy greedy >>out
		at_most "$(figure $s.adshard.lost_accesses)" "$(figure $s.greedy.lost_accesses)"
		ok $? "$s: what is lost is worth least"
		;;
	esac
done
done_testing
