# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Nodes that are network namespaces of one guest. Sourced by every test with
# "# mode: ns", which runs inside that guest.
#
#   nodes NAME...            make them; a veth link joins each two of them
#   on NODE COMMAND [ARG..]  run it there; one word is a shell command line
#   cut A B [one-way]        drop what A sends to B, and back
#   mend A B                 undo cut
#   netem A B ARGS...        delay, loss, rate ... of both directions
#   ram_disks COUNT MB       /dev/ram0 ...
#   udev                     start udevd, which dmsetup waits for
#   change_table DM [OPT..]  of a device of dmsetup, from the standard input;
#                            OPT as for its suspend
#   forgive_kernel_log       what was logged so far was meant to be
#
# The link of alpha that leads to bravo is called "bravo"; node number N has
# 10.0.0.N and fd00::N on all its links.

set -euE -o pipefail
trap 'echo "FAILED at ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND" >&2' ERR

top=${RBLK_TOP:?}
# shellcheck source=tests/vm/lib/common.sh
. "$top/tests/vm/lib/common.sh"
# shellcheck source=tests/vm/lib/rblk.sh
. "$top/tests/vm/lib/rblk.sh"

declare -A node_number=() link_netem=()

nodes() {
	local a b n=0
	for a in "$@"; do
		n=$((n + 1))
		node_number[$a]=$n
		ip netns add "$a"
		ip -n "$a" link set lo up
		mkdir -p "/run/rblk-$a" "/var/lib/rblk-$a"
	done
	for a in "$@"; do
		for b in "$@"; do
			if [ "${node_number[$a]}" -lt "${node_number[$b]}" ]; then
				ip link add "$b" netns "$a" type veth \
					peer name "$a" netns "$b"
				join "$a" "$b"
				join "$b" "$a"
			fi
		done
	done
}

# join A B: A's end of the link to B
join() {
	local me=${node_number[$1]} peer=${node_number[$2]}
	ip -n "$1" -batch - <<-END
		link set $2 up
		addr add 10.0.0.$me/32 dev $2
		addr add fd00::$me/128 dev $2 nodad
		route add 10.0.0.$peer/32 dev $2 src 10.0.0.$me
		route add fd00::$peer/128 dev $2
	END
}

# Not "ip netns exec": that has mounts of its own, gone when the command ends.
on() {
	local node=$1
	shift
	(
		export RBLK_NODE=$node RBLK_RUN_DIR=/run/rblk-$node \
			RBLK_INSTANCE_DIR=/run/rblk-instance-$node \
			RBLK_STATE_DIR=/var/lib/rblk-$node
		[ $# -gt 1 ] || set -- bash -c "$1"
		exec within "/run/netns/$node" "$@"
	)
}

# shape A B ARGS...: what leaves A for B
shape() {
	local a=$1 b=$2
	shift 2
	if [ $# -gt 0 ]; then
		tc -n "$a" qdisc replace dev "$b" root netem limit 100000 "$@"
	else
		tc -n "$a" qdisc del dev "$b" root 2>/dev/null || true
	fi
}

cut() {
	shape "$1" "$2" loss 100%
	[ "${3-}" = one-way ] || shape "$2" "$1" loss 100%
}

mend() {
	# shellcheck disable=SC2086 # the arguments of netem
	{
		shape "$1" "$2" ${link_netem[$1 $2]-}
		shape "$2" "$1" ${link_netem[$2 $1]-}
	}
}

netem() {
	local a=$1 b=$2
	shift 2
	link_netem[$a $b]=$*
	link_netem[$b $a]=$*
	mend "$a" "$b"
}

ram_disks() {
	modprobe brd rd_nr="$1" rd_size=$(($2 * 1024)) max_part=1
}

change_table() {
	local name=$1
	shift
	dmsetup suspend --nolockfs "$@" "$name" </dev/null
	dmsetup load "$name"
	dmsetup resume "$name" </dev/null
}

udev() {
	[ -e /run/udev/control ] || {
		/lib/systemd/systemd-udevd --daemon
		udevadm trigger --action=add --subsystem-match=block
		udevadm settle -t 20
	}
}

forgive_kernel_log() { dmesg --clear; }
