# shellcheck shell=bash disable=SC2154,SC2120,SC2119
# SPDX-License-Identifier: GPL-2.0-or-later
#
# rblk on the nodes of a test. Uses only "on", so the nodes may be machines or
# namespaces.
#
# Volumes have no metadata, unless $rblk_metadata says where it is to be.
#
#   rblk_load                     load the module into this kernel (in a guest)
#   rblk_config [-p A|B|C] NODE DISK MINOR ...
#                                 a configuration with one resource, r0
#   start_daemon NODE...          rblkd, until it answers
#   connected NODE...             each of them sees its peers
#   two_nodes [MIB], three_nodes MIB
#                                 alpha and bravo, and charlie, each with a RAM
#                                 disk, up and connected (ns only)
#   rblk_machines NODE...         the same on machines that have a disk
#   promote_first NODE            the first promotion of a new resource
#   device NODE                   its /dev/rblkN (ns only)
#   identical DISK DISK           the same bytes

rblk_load() {
	local ko d
	ko=$RBLK_TOP/build/${rblk_build-}$(uname -r)/rblk.ko
	[ -e "$ko" ] || fail "$ko is not built"
	for d in $(modinfo -F depends "$ko" | tr , ' '); do
		modprobe "$d"
	done
	insmod "$ko" "$@"
}

rblk_config() {
	local protocol=C id=0 hosts='' places=''
	if [ "$1" = -p ]; then
		protocol=$2
		shift 2
	fi
	while [ $# -ge 3 ]; do
		hosts+="node \"$1\" { id = $id  address = \"10.0.0.$((id + 1)):7790\" }"$'\n'
		places+="    on \"$1\" { volume 0 { minor = $3  disk = \"$2\"  metadata = ${rblk_metadata:-none} } }"$'\n'
		id=$((id + 1))
		shift 3
	done
	cat <<-END
		cluster "test" { key-file = "/etc/rblk/cluster.key" }
		$hosts
		resource "r0" {
		    protocol = $protocol
		    volume 0 { }
		$places}
	END
}

# The shell commands that put a configuration, read from stdin, where a node
# looks for it, and a key beside it.
install_config_commands() {
	echo "mkdir -p /etc/rblk"
	echo "cat >/etc/rblk/rblk.conf <<'END'"
	cat
	echo "END"
	echo "(umask 077; echo 'a key that only a test would use, of course' >/etc/rblk/cluster.key)"
}

daemon_runs() { on "$1" rblk status --json | grep '"daemon_running": true'; }

start_daemon() {
	local node
	for node in "$@"; do
		on "$node" "rblkd >/tmp/rblkd-$node.log 2>&1 &"
	done
	for node in "$@"; do
		eventually 20 daemon_runs "$node"
	done
}

connected() {
	local node
	for node in "$@"; do
		on "$node" rblk wait --for connected --timeout "$(patient 30)" r0
	done
}

create_metadata() {
	local node
	[ "${rblk_metadata:-none}" != none ] || return 0
	for node in "$@"; do
		on "$node" rblk create --force r0
	done
}

promote_first() { on "$1" rblk promote --assume-clean r0; }

device() { echo "/dev/rblk$((${node_number[$1]} - 1))"; }
disk() { echo "/dev/ram$((${node_number[$1]} - 1))"; }

two_nodes() { nodes_with_disks "${1:-32}" alpha bravo; }
three_nodes() { nodes_with_disks "$1" alpha bravo charlie; }

nodes_with_disks() {
	local mib=$1 node
	local -a places=()
	shift
	nodes "$@"
	ram_disks $# "$mib"
	rblk_load
	for node in "$@"; do
		places+=("$node" "$(disk "$node")" $((${node_number[$node]} - 1)))
	done
	rblk_config "${places[@]}" | install_config_commands | bash
	start_daemon "$@"
	create_metadata "$@"
	for node in "$@"; do on "$node" rblk up r0; done
	connected "$@"
}

rblk_machines() {
	local node config
	local -a places=()
	for node in "$@"; do
		places+=("$node" /dev/vda 0)
	done
	config=$(rblk_config "${places[@]}" | install_config_commands)
	for node in "$@"; do
		on "$node" "$config"
		# shellcheck disable=SC2016 # the guest expands it
		on "$node" '. $RBLK_TOP/tests/vm/lib/common.sh
			. $RBLK_TOP/tests/vm/lib/rblk.sh
			rblk_load'
	done
	start_daemon "$@"
	create_metadata "$@"
	for node in "$@"; do
		on "$node" rblk up r0
	done
	connected "$@"
}

# Around the page cache: what the disks hold. Where metadata is at the start,
# the data begins at 1 MiB.
identical() {
	local skip=0
	[ "${rblk_metadata:-none}" != start ] || skip=1048576
	blockdev --flushbufs "$1"
	blockdev --flushbufs "$2"
	cmp -i "$skip" "$1" "$2" || fail "$1 and $2 differ"
}
