# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many small resources in one ns test, each with its own nodes and settings.
#
#   many_resource NAME PROTOCOL ACKS NODE...   volume 0; the first is primary
#   many_up MB           loop disks of that size, all up, connected, promoted
#   many_device NAME     the primary's device
#   many_disk NAME NODE  the file below it
#   many_identical       wait until all disks of each resource are the same

many_names=()
many_text=()
many_files=()
many_loops=()
declare -A many_nodes=() many_device=()

many_resource() {
	local name=$1 protocol=$2 acks=$3 node minor
	shift 3
	many_names+=("$name")
	many_nodes[$name]=$*
	many_device[$name]=/dev/rblk${#many_files[@]}
	many_text+=("resource \"$name\" {" "    protocol = $protocol" "    acks = $acks"
		"    nodes = { $(printf '%s, ' "$@" | sed 's/, $//') }" "    volume 0 { }")
	for node in "$@"; do
		minor=${#many_files[@]}
		many_files+=("/tmp/many-$name-$node")
		many_loops+=("/dev/loop$minor")
		many_text+=("    on \"$node\" { volume 0 { minor = $minor  disk = \"/dev/loop$minor\"  metadata = none } }")
	done
	many_text+=("}")
}

many_config() {
	local node
	echo 'cluster "test" { key-file = "/etc/rblk/cluster.key" }'
	for node in "${!node_number[@]}"; do
		echo "node \"$node\" { id = $((${node_number[$node]} - 1))  address = \"10.0.0.${node_number[$node]}:7790\" }"
	done
	printf '%s\n' "${many_text[@]}"
}

# at the same time: commands take longer to start than to run
many_each() {
	local name pid
	local -a pids=()
	for name in "${many_names[@]}"; do
		"$@" "$name" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

many_connect() { connected_to "$1" "${many_nodes[$1]%% *}"; }
connected_to() { on "$2" rblk wait --for connected --timeout "$(patient 60)" "$1"; }
many_promote() { on "${many_nodes[$1]%% *}" rblk promote --assume-clean "$1"; }

many_up() {
	local i node
	modprobe loop max_loop=0
	truncate -s "$1M" "${many_files[@]}"
	for i in "${!many_files[@]}"; do
		losetup "${many_loops[i]}" "${many_files[i]}"
	done
	rblk_load
	many_config | install_config_commands | bash
	start_daemon "${!node_number[@]}"
	for node in "${!node_number[@]}"; do
		on "$node" rblk up --all >/dev/null
	done
	many_each many_connect >/dev/null
	many_each many_promote >/dev/null
}

many_device() { echo "${many_device[$1]}"; }
many_disk() { echo "/tmp/many-$1-$2"; }

many_same() {
	local first='' node
	for node in ${many_nodes[$1]}; do
		if [ -z "$first" ]; then
			first=$(many_disk "$1" "$node")
		else
			cmp "$first" "$(many_disk "$1" "$node")" || return
		fi
	done
}

many_identical() {
	local name
	for name in "${many_names[@]}"; do
		sync "${many_device[$name]}"
		eventually 30 many_same "$name"
	done
}
