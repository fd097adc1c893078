#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Command lines of adshard-train, their exit codes, and that what is wrong is said in one line.
. "$(dirname "$0")/lib.sh"
train=$PWD/build/agent/bin/adshard-train
needs "$train"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit
printf 'serial_number,model,date,failure,smart_5_raw\nA,M,2020-01-01,0,0\nA,M,2020-01-40,0,0\n' >few.csv
printf 'nothing,here\n1,2\n' >other.csv
gzip -kc few.csv | head -c 60 >cut.csv.gz
head -c 200 /dev/urandom >bad.model
printf 'host,disk,day,tput_kib,lat\n1,1,2020-01-01,1,1\n' >cluster_Z.csv
printf 'volume,ts,block_req_count\nv,1,1\n' >short.csv
mkdir empty folder
gzip -c few.csv >folder/a.csv.gz
cp few.csv folder/b.csv
echo nonsense >folder/README

lines "$train" <<'LINES'
0|--help|
0|--version|
2||
2|nosuch --data few.csv|is no verb
2|train --data few.csv|--out FILE is missing
2|train --out x|--data FILE is missing
2|train --data few.csv --out x --until yesterday|is no date
2|train --data few.csv --out x --history 1|30 to 36500
2|evaluate --data few.csv|--from and --to
2|evaluate --data few.csv --from 2020-01-02 --to 2020-01-01|in this order
2|evaluate --data few.csv --from 2020-01-02 --to 2020-02-01 --train-until 2020-01-05|would know
2|evaluate --data few.csv --failslow --load|not both
2|train --data few.csv --out x more|not expected
2|train --data few.csv --out x --rollback|for retrain
2|retrain --data few.csv|--out FILE is missing
2|retrain --data few.csv --out x --keep -1|0 to 100
2|evaluate --data few.csv --from 2020-01-01 --to 2020-02-01 --leave-family-out --model x|no --model
2|show|which model
1|train --data few.csv --out x|only 0 drives failed
1|train --data few.csv --out x|few.csv:3: date is no date; skipped
1|train --data few.csv --out x|1 of 2 lines\|1 of 3 lines
1|train --data nosuch.csv --out x|nosuch.csv: No such file
1|train --data empty --out x|empty: has no files
1|train --data folder --out x|only 0 drives failed
1|retrain --data few.csv --out x|days of history, 90 are needed
1|retrain --data few.csv --out x --base bad.model|is no model
1|retrain --rollback --out x|x.1: No such file
1|evaluate --data few.csv --from 2020-01-01 --to 2020-02-01 --leave-family-out|none to leave out
1|train --data other.csv --out x|has no columns serial_number
1|train --data cut.csv.gz --out x|is damaged after line
1|show bad.model|bad.model: is no model
1|show nosuch.model|nosuch.model: No such file
1|evaluate --data few.csv --from 2020-01-01 --to 2020-02-01 --model bad.model|is no model
1|evaluate --failslow --data cluster_Z.csv|slow_drive_info.csv: No such file
1|evaluate --failslow --data few.csv|has not all of the columns
1|evaluate --load --data short.csv|none of the 1 volumes has 3 days
1|evaluate --load --data few.csv|has not both of the columns
LINES
[ ! -e x ]
ok $? "no model was left behind"

# what may be otherwise in a table of loads: no names, the time of the epoch, gaps, other orders
awk 'BEGIN { print "more,io_request_size_sum,ts,block_req_count"
	for (i = 0; i < 400; i++)
		printf "x,%s,%.0f,%d\n", i % 50 ? 4096 * i : "", 1.6e15 + 1.8e9 * i, 100 + 50 * sin(i / 7.6) }' >loads.csv
"$train" evaluate --load --data loads.csv >load 2>&1
awk '$2 == "load.volumes" && $3 == 1 { n++ } $2 ~ /load.mase(_bytes)?.3h/ && $3 < 5 { n++ } END { exit n != 3 }' load
ok $? "loads in another form" || sed 's/^/# /' load
# and of slow disks: a folder, a name that is written otherwise
mkdir slow
awk 'BEGIN { print "latency,throughput,disk_id,host_name,timestamp"
	for (day = 0; day < 4; day++) for (d = 0; d < 6; d++) for (i = 0; i < 60; i++) {
		t = 1000 + 37 * (i * 7 + d) % 5000
		printf "%.3f,%d,disk%d,host_7,%d\n", (10 + t / 100) * (d == 3 ? 1.6 : 1), t, d, 1600000000 + 86400 * day + 15 * i
	} }' | xz >slow/Cluster-Z.csv.xz
printf 'disk_id,cluster,host_name\ndisk3,cluster_Z,host_7\n' >slow/slow_drive_info.csv
"$train" evaluate --failslow --data slow >found 2>&1
awk '$2 ~ /failslow.(found|precision|recall)/ && $3 == 1 { n++ } $2 == "failslow.median_day" && $3 == 3 { n++ }
	END { exit n != 4 }' found
ok $? "slow disks in another form" || sed 's/^/# /' found

# figures of data that is not in the repository
if [ -z "${ADSHARD_DATA:-}" ] || [ ! -d "${ADSHARD_DATA:-}" ]; then
	echo "ok $((count += 1)) - real data # SKIP ADSHARD_DATA names no folder"
else
	"$train" evaluate --load --data "$ADSHARD_DATA/cloudphysics_30min/cloudphysics_30min.csv.gz" >load 2>&1
	awk '$2 == "load.mase.30min" { exit !($3 < 0.88) }' load
	ok $? "forecasts of real loads" || sed 's/^/# /' load
	slow=()
	for file in "$ADSHARD_DATA"/perseus_failslow/cluster_*.csv.xz; do slow+=(--data "$file"); done
	"$train" evaluate --failslow "${slow[@]}" >slow.out 2>&1
	awk '$2 == "failslow.recall" || $2 == "failslow.precision" { n++; bad += $3 < 0.98 }
		END { exit !(n == 2 && !bad) }' slow.out
	ok $? "real slow disks" || sed 's/^/# /' slow.out
fi
done_testing
