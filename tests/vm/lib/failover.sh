# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for tests in which a resource fails over by itself: alpha and bravo hold the
# data, judge is the witness.
#
#   failover_config INTERVAL MISSES DISK MINOR DISK MINOR   on standard output
#   failover_namespaces INTERVAL MISSES [MB]   three namespaces, r0 up, alpha primary
#   failover_machines INTERVAL MISSES          the same with machines
#   serves NODE                                it is primary and has a lease
#   leads NODE SECONDS                         wait for that
#   in_sync NODE NODE...                       these are, says the first one's register
#   asked NODE VERB                            what its daemon answers to that
#   kill_daemon NODE                           its rblkd dies (namespaces only)
#   etcd_namespaces MB WORDS    alpha, bravo and the machine of an etcd; r0 is not up; WORDS of its section
#   start_etcd, stop_etcd SIGNAL   it keeps $etcd_dir/data; its log is $etcd_dir/log
#   failover_tell NODE...                      what their daemons say and said
#   last_stamp FILE, first_stamp_after FILE NS of stamper's lines: when it ended

failover_config() {
	cat <<-END
		cluster "test" { key-file = "/etc/rblk/cluster.key" }
		heartbeat { interval = $1  misses = $2 }
		node "alpha" { id = 0  address = "10.0.0.1:7790" }
		node "bravo" { id = 1  address = "10.0.0.2:7790" }
		node "judge" { id = 2  address = "10.0.0.3:7790"  witness = yes }
		resource "r0" {
		    failover = auto
		    volume 0 { }
		    on "alpha" { volume 0 { minor = $4  disk = "$3"  metadata = start } }
		    on "bravo" { volume 0 { minor = $6  disk = "$5"  metadata = start } }
		}
	END
}

failover_up() {
	local node
	start_daemon alpha bravo judge
	for node in alpha bravo judge; do
		on "$node" rblk create --force r0
	done
	for node in alpha bravo judge; do
		on "$node" rblk up r0
	done
	connected alpha bravo
	eventually 20 votes alpha
	eventually 20 votes bravo
	eventually 20 votes judge
	promote_first alpha
}

failover_namespaces() {
	nodes alpha bravo judge
	ram_disks 2 "${3:-32}"
	rblk_load
	failover_config "$1" "$2" /dev/ram0 0 /dev/ram1 1 | install_config_commands | bash
	failover_up
}

# What a machine has in its root is gone with its power: the state of the daemon is
# on a disk of its own.
failover_mounts='mkdir -p /persist /var/lib/rblk /etc/rblk/instance.d
mount /dev/vdb /persist
mkdir -p /persist/state /persist/instance
mount --bind /persist/state /var/lib/rblk
mount --bind /persist/instance /etc/rblk/instance.d'

failover_machines() {
	local node config
	guest --disk 64M --disk 32M alpha bravo judge
	config=$(failover_config "$1" "$2" /dev/vda 0 /dev/vda 0 | install_config_commands)
	# shellcheck disable=SC2016 # the guest expands it
	failover_install="$failover_mounts"$'\n'"$config"'
		. $RBLK_TOP/tests/vm/lib/common.sh
		. $RBLK_TOP/tests/vm/lib/rblk.sh
		rblk_load'
	for node in alpha bravo judge; do
		on "$node" mkfs.ext4 -q /dev/vdb
		on "$node" "$failover_install"
	done
	failover_up
}

# A machine that lost its power comes back.
failover_restart() {
	restart "$1"
	on "$1" "$failover_install"
	start_daemon "$1"
	on "$1" rblk up r0
}

# of the daemon, as it answers
asked() { on "$1" "ask \${RBLK_RUN_DIR:-/run/rblk} $2 r0"; }
votes() { asked "$1" failover | grep '"mute":null'; }
serves() { asked "$1" failover | grep '"leads":true' | grep -v '"lease_left_ms":0'; }
leads() { eventually "$2" serves "$1"; }

in_sync() {
	local from=$1 list
	shift
	list=$(printf '"%s",' "$@")
	asked "$from" failover | tr -d ' ' | grep "\"in_sync\":\[${list%,}\]"
}

etcd_namespaces() {
	nodes alpha bravo etcd
	ram_disks 2 "$1"
	rblk_load
	install_config_commands <<-END | bash
		cluster "test" { key-file = "/etc/rblk/cluster.key" }
		heartbeat { interval = 1s  misses = 5 }
		etcd { endpoints = { "http://10.0.0.3:2379" } }
		node "alpha" { id = 0  address = "10.0.0.1:7790" }
		node "bravo" { id = 1  address = "10.0.0.2:7790" }
		resource "r0" {
		    $2
		    volume 0 { }
		    on "alpha" { volume 0 { minor = 0  disk = "/dev/ram0"  metadata = start } }
		    on "bravo" { volume 0 { minor = 1  disk = "/dev/ram1"  metadata = start } }
		}
	END
	etcd_dir=$(mktemp -d)
}

start_etcd() {
	(on etcd "echo \$\$ >$etcd_dir/pid; exec etcd --data-dir $etcd_dir/data --listen-client-urls http://10.0.0.3:2379 \
		--advertise-client-urls http://10.0.0.3:2379 --log-level error >>$etcd_dir/log 2>&1" || true) &
	eventually 60 on alpha "bash -c '</dev/tcp/10.0.0.3/2379'"
}

# stop_etcd SIGNAL
stop_etcd() {
	local pid
	pid=$(cat "$etcd_dir/pid")
	kill "$1" "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
}

kill_daemon() {
	local pid
	for pid in $(pidof rblkd); do
		tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "RBLK_NODE=$1" || continue
		kill -9 "$pid"
		while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
	done
}

failover_tell() {
	local node
	for node in "$@"; do
		echo "---- $node"
		asked "$node" failover || true
		asked "$node" history || true
		on "$node" "rblk status r0; grep -v heartbeats /tmp/rblkd-$node.log | tail -n 40" || true
	done
}

# several may write to one file
last_stamp() { tail -n 9 "$1" | awk '{ print $3 }' | sort -n | tail -n 1; }
first_stamp_after() { awk -v t="$2" '$3 > t { print $3; exit }' "$1"; }
