# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Disks that fail when they are told to, in "ns" tests that use the durability
# harness (tests/crash/lib.sh): device mapper on the nodes' RAM disks.
#
#   crash_disk=dm_disk, make_disks() { dm_disks; }     before crash_nodes
#   disk_is NODE good|no-writes|no-reads|dead   from now on
#   disk_can WHAT           this kernel knows that of disk_is (6.1 no no-reads)
#   fresh_start NODE...     all nodes down, their disks good and blank, all up
#                           again, the first is primary, with a new history
#   says NODE WORDS         its status has these words
#   remove_dm_disks

dm_disk() { echo "/dev/mapper/disk-$1"; }

dm_table() {
	local ram size
	ram=$(crash_ram "$1" 0)
	size=$(blockdev --getsz "$ram")
	case $2 in
	good) echo "0 $size linear $ram 0" ;;
	no-writes) echo "0 $size flakey $ram 0 0 60 1 error_writes" ;;
	no-reads) echo "0 $size flakey $ram 0 0 60 1 error_reads" ;;
	dead) echo "0 $size error" ;;
	esac
}

dm_disks() {
	local node
	udev
	for node in "${crash_nodes[@]}"; do
		dmsetup create "disk-$node" --table "$(dm_table "$node" good)"
	done
}

disk_is() {
	dmsetup suspend --noflush --nolockfs "disk-$1"
	dmsetup load "disk-$1" --table "$(dm_table "$1" "$2")"
	dmsetup resume "disk-$1"
}

disk_can() {
	dmsetup create disk-probe --notable
	local rc=0
	dmsetup load disk-probe --table "$(dm_table "${crash_nodes[0]}" "$1")" 2>/dev/null || rc=1
	dmsetup remove disk-probe
	return $rc
}

fresh_start() {
	local node
	for node in "$@"; do
		on "$node" rblk down --force r0
	done
	for node in "$@"; do
		disk_is "$node" good
		dd if=/dev/zero of="$(crash_ram "$node" 0)" bs=1M oflag=direct status=none 2>/dev/null || true
		on "$node" rblk up r0
	done
	connected "$@"
	promote_first "$1"
	crash_history=()
	crash_epoch=0
}

says() { { on "$1" rblk status r0 || true; } | grep -i "$2" >/dev/null; }

remove_dm_disks() {
	local node
	for node in "${crash_nodes[@]}"; do
		on "$node" rblk down --force r0
	done
	# shellcheck disable=SC2046 # pids
	kill $(pgrep -x rblkd)
	for node in "${crash_nodes[@]}"; do
		eventually 10 dmsetup remove "disk-$node"
	done
}
