# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh: what the parts of the benchmarks that run in a guest share. Sourced after
# tests/guest/lib.sh.
#
#   now                 seconds since the boot
#   calc EXPRESSION     arithmetic
#   limit MIB IOPS NAME...    so much for each of QEMU's disks; 0 0: anything
#   sample NAME VALUE UNIT    for figures, of which there may be several
#   lvm_do COMMAND...   of LVM, without udev and without a folder of its own, which knows of the
#                       devices in LVM_DEVICES only
#   one_disk DEV DEV MIB    a pool "tank" of MIB, all of it on the first, in segments of 16 MiB

now() { cut -d' ' -f1 /proc/uptime; }
calc() { awk "BEGIN { printf \"%.6g\", $1 }"; }
limit() {
	local disk
	for disk in "${@:3}"; do
		[ "$(host limit "$disk" "$1" "$2")" = '{}' ] || bail "no limit for $disk"
	done
}
sample() { echo "sample $1 $2 $3"; }
lvm_do() {
	local device filter=
	mkdir -p /run/lock/lvm /etc/lvm
	for device in "${LVM_DEVICES[@]}"; do filter+="\"a|^$device\$|\","; done
	lvm "$1" --config 'devices{obtain_device_list_from_udev=0 external_device_info_source="none"
		use_devicesfile=0 types=["nullb",16] filter=['"$filter"'"r|.*|"]} activation{udev_sync=0 udev_rules=0} global{use_lvmpolld=0
		event_activation=0} backup{backup=0 archive=0} log{silent=1}' "${@:2}" 2>&1
}
one_disk() {
	adshardctl create --segment-size 16M --size "$3M" tank "$1" "$2" >/tmp/said 2>&1 &&
		adshardctl evacuate --progress none 1 >/tmp/said 2>&1 &&
		adshardctl member 1 online >/tmp/said 2>&1 || bail "no pool: $(tail -n 1 /tmp/said)"
}
