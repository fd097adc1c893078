# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# daemon-lib.sh: for the tests of the agent, after lib.sh.
#
#     smart DISK LINE...      what the made-up smartctl says from now on (see daemon-smartctl)
#     configure TEXT          more configuration, over short intervals; nothing moves but what is emptied
#     agent [OPTION...]       starts adshardd; its messages go to /tmp/log; $AGENT is its process
#     agent_end, agent_kill
#     ask [-u UID] REQUEST    over the socket
#     score DISK, state MEMBER, on MEMBER (how many segments)
#     job FIELD               of the newest one

SOCKET=/run/adshard/control
AGENT=

smart() {
	local disk=${1##*/}
	shift
	mkdir -p /tmp/smart
	printf '%s\n' "$@" >"/tmp/smart/$disk.new"
	mv "/tmp/smart/$disk.new" "/tmp/smart/$disk"
}
configure() {
	mkdir -p /etc/adshard/adshardd.conf.d
	cat >/etc/adshard/adshardd.conf <<'END'
poll { interval = 1s }
smart {
	command = "/t/daemon-smartctl"
	interval = 2s
	timeout = 8s
}
heat { interval = 1s half_life = 10s }
patrol { rate = 1M block = 64K }
plan { window = 2 backoff = 1s backoff_max = 2s }
balance { enable = no }
tier { enable = no }
replicate { enable = no }
END
	[ -z "${1:-}" ] || echo "$1" >/etc/adshard/adshardd.conf.d/test.conf
}
ask() {
	local user=()
	if [ "$1" = -u ]; then user=(-u "$2"); shift 2; fi
	daemonask "${user[@]}" $SOCKET "$1"
}
agent() {
	adshardd --debug "$@" 2>>/tmp/log &
	AGENT=$!
	wait_for 30 ask '{"cmd":"version"}' || diag "the agent does not answer"
}
agent_end() { kill $AGENT && wait $AGENT; }
agent_kill() {
	kill -9 $AGENT
	wait $AGENT 2>/dev/null
}
score() { ask '{"cmd":"status"}' | sed "s/.*\"device\":\"${1//\//\\/}\"//; s/^[^}]*\"score\":\([^,]*\),.*/\1/"; }
job() { ask '{"cmd":"jobs"}' | sed 's/.*"jobs":\[{\([^}]*\)}.*/\1/' | tr ',' '\n' | sed -n "s/^\"$1\":\"\?\([^\"]*\)\"\?$/\1/p"; }
state() { adshardctl status -r -n -o MEMBER,STATE | sed -n "s/^ *$1 //p"; }
on() { adshardctl status -r -n -o MEMBER,SEGMENTS | sed -n "s/^ *$1 //p"; }
is_state() { [ "$(state "$1")" = "$2" ]; }
is_job() { [ "$(job state)" = "$1" ]; }
logged() { grep -qE "$1" /tmp/log; }
show_log() { [ $TAP_FAILED = 0 ] || diag "$(tail -n 60 /tmp/log)"; }
