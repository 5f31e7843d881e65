# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 240
#
# The durability harness on DRBD 8.4, protocol C, in the same kernel: it must
# find nothing there either. Not one of the tests of rblk:
#
#   tests/vm/run tests/crash/on-drbd.sh

. "$top/tests/crash/lib.sh"

setup=/lib/drbd/drbdsetup-84
crash_nodes=(alpha bravo)
node_number=([alpha]=1 [bravo]=2)

# One kernel has one DRBD, so both nodes are minors of it, joined by loopback.
# volumes OPTION NODE
volumes() { printf '%s\n' "$1" "/dev/drbd$((${node_number[$2]} - 1))"; }

node_up() {
	local name=$1 minor=$((${node_number[$1]} - 1)) peer=$((2 - ${node_number[$1]}))
	drbdmeta --force $minor v08 /dev/ram$minor internal create-md >/dev/null 2>&1
	$setup new-resource "$name"
	$setup new-minor "$name" $minor 0
	$setup attach $minor /dev/ram$minor /dev/ram$minor internal
	$setup connect "$name" "127.0.0.1:$((7000 + minor))" "127.0.0.1:$((7000 + peer))" \
		--protocol=C --ping-timeout=5 --timeout=20 --ping-int=2
}

is() { [[ $($setup "$1" "$2") == "$3" ]]; }

ram_disks 2 "$crash_mb"
modprobe drbd
for round in 1 2 3; do
	say "round $round"
	for node in alpha bravo; do
		node_up $node
	done
	eventually 30 is cstate 0 Connected
	$setup new-current-uuid 0 --clear-bitmap=yes
	$setup primary 0
	blkdiscard -z -l $((crash_blocks * 4096)) /dev/drbd0
	crash_history=()
	crash_epoch=0
	write_on alpha
	some_moment
	tc qdisc add dev lo root netem loss 100%
	keep_history
	$setup disconnect 127.0.0.1:7001 127.0.0.1:7000 --force=yes
	crash-check image "${crash_history[@]}" --image /dev/ram1
	tc qdisc del dev lo root
	stop_writer
	$setup secondary 0
	for node in alpha bravo; do
		$setup down $node
	done
	dd if=/dev/zero of=/dev/ram0 bs=64k status=none || true
	dd if=/dev/zero of=/dev/ram1 bs=64k status=none || true
done
rmmod drbd
