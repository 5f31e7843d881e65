# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The durability harness in tests whose nodes are namespaces.
#
#   crash_nodes [-p A|B|C] [-v VOLUMES] [-m MB] NODE...
#                          up and connected; the first becomes primary
#   crash_disk=COMMAND     (before that) prints the disk of NODE VOLUME
#   crash_metadata=WHERE   (before that) start, end; otherwise none
#   crash_log_size=SIZE    (before that) bounds what a backup may lag behind
#   write_on NODE [OPTION...]  crash-writer on its volumes, in the background
#   stop_writer            let it end by itself
#   begin_anew NODE PEER   a history and zeroes, which both have (with lib/outage.sh)
#   cut_off NODE           drop all its links; take down what is acknowledged
#   take_over OLD NEW      promote NEW, which has lost OLD
#   judge NODE [OPTION...] crash-check on its volumes, or with --disks on the
#                          disks below them
#   rejoin OLD NEW         OLD comes back as a backup and is made equal
#   volatile_disks NODE... (as make_disks) their disks have a cache that a power
#                          cut loses; /tmp/NODE.disk is what is durable
#   cut_image NODE         what would be left of that disk now: an image
#   loop_disks NODE...     disks that can zero and discard: a file each, too
#
# A random seed is told at the start; CRASH_SEED repeats it.

crash_blocks=2048
crash_volumes=1
crash_mb=16
crash_protocol=C
crash_log_size=
: "${crash_metadata:=none}"
crash_epoch=0
crash_history=()
crash_nodes=()
RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"

crash_minor() { echo $(((${node_number[$1]} - 1) * crash_volumes + $2)); }
crash_ram() { echo "/dev/ram$(crash_minor "$1" "$2")"; }
crash_disk=crash_ram

crash_config() {
	local node v
	echo 'cluster "test" { key-file = "/etc/rblk/cluster.key" }'
	for node in "$@"; do
		echo "node \"$node\" { id = $((${node_number[$node]} - 1))  address = \"10.0.0.${node_number[$node]}:7790\" }"
	done
	echo 'resource "r0" {'
	echo "    protocol = $crash_protocol"
	[ -z "$crash_log_size" ] || echo "    log-size = $crash_log_size"
	for ((v = 0; v < crash_volumes; v++)); do
		echo "    volume $v { }"
	done
	for node in "$@"; do
		echo "    on \"$node\" {"
		for ((v = 0; v < crash_volumes; v++)); do
			echo "        volume $v { minor = $(crash_minor "$node" "$v")  disk = \"$($crash_disk "$node" "$v")\"  metadata = $crash_metadata }"
		done
		echo "    }"
	done
	echo '}'
}

crash_nodes() {
	local node
	while :; do
		case $1 in
		-p) crash_protocol=$2 ;;
		-v) crash_volumes=$2 ;;
		-m) crash_mb=$2 ;;
		*) break ;;
		esac
		shift 2
	done
	crash_nodes=("$@")
	nodes "$@"
	ram_disks $(($# * crash_volumes)) "$crash_mb"
	! declare -F make_disks >/dev/null || make_disks
	rblk_load
	crash_config "$@" | install_config_commands | bash
	start_daemon "$@"
	[ "$crash_metadata" = none ] || rblk_metadata=$crash_metadata create_metadata "$@"
	for node in "$@"; do
		on "$node" rblk up r0
	done
	connected "$@"
	promote_first "$1"
}

# volumes OPTION NODE: OPTION and path of each volume, a line each
volumes() {
	local v
	for ((v = 0; v < crash_volumes; v++)); do
		printf '%s\n' "$1" "/dev/rblk$(crash_minor "$2" "$v")"
	done
}

disks() {
	local v
	for ((v = 0; v < crash_volumes; v++)); do
		printf '%s\n' "$1" "$($crash_disk "$2" "$v")"
	done
}

write_on() {
	local node=$1 first=1
	local -a args
	shift
	crash_epoch=$((crash_epoch + 1))
	[ ${#crash_history[@]} = 0 ] || first=$(crash-check next-seq "${crash_history[@]}")
	mapfile -t args < <(volumes --dev "$node")
	rm -f /tmp/crash-now
	crash-writer "${args[@]}" --out /tmp/crash-now --blocks "$crash_blocks" \
		--seed "$RANDOM" --epoch "$crash_epoch" --first-seq "$first" \
		--node "${node_number[$node]}" "$@" >/tmp/crash-writer.log 2>&1 &
	crash_writer=$!
}

written() { [ "$(stat -c %s /tmp/crash-now 2>/dev/null || echo 0)" -ge "$1" ]; }

keep_history() {
	cp /tmp/crash-now "/tmp/crash-$crash_epoch"
	crash_history+=("/tmp/crash-$crash_epoch")
}

stop_writer() {
	local rc=0
	kill -TERM "$crash_writer" 2>/dev/null || true
	wait "$crash_writer" || rc=$?
	[ $rc = 0 ] || fail "the writer ended with $rc: $(cat /tmp/crash-writer.log)"
	keep_history
}

# What was lost before does not come back, and what is lost from now on finds zeroes:
# a peer of protocol A as well, which is not waited for otherwise.
begin_anew() {
	local path
	crash_history=()
	crash_epoch=0
	for path in $(volumes '' "$1"); do
		blkdiscard -z -l $((crash_blocks * 4096)) "$path"
	done
	for path in $(volumes '' "$1"); do sync "$path"; done
	eventually 20 all_is_durable "$1" "$2"
}

# A moment nobody chose, in which the writer writes.
some_moment() {
	eventually 20 written 100000
	sleep "0.$((RANDOM % 900 + 100))"
}

# From here on nothing that is acknowledged can have reached a peer: a primary
# that waits for one acknowledges nothing until it gives the link up.
cut_off() {
	local peer
	for peer in "${crash_nodes[@]}"; do
		[ "$peer" = "$1" ] || cut "$1" "$peer"
	done
	keep_history
	kill -0 "$crash_writer" || fail "the writer ended: $(cat /tmp/crash-writer.log)"
}

take_over() {
	local node=$2
	on "$node" rblk disconnect r0
	on "$node" rblk promote r0
	on "$1" rblk down --force r0
	wait "$crash_writer" || true
}

judge() {
	local node=$1 rc=0
	local -a images
	shift
	if [ "${1-}" = --disks ]; then
		shift
		mapfile -t images < <(disks --image "$node")
	else
		mapfile -t images < <(volumes --image "$node")
	fi
	crash-check image "${crash_history[@]}" "${images[@]}" "$@" || rc=$?
	[ $rc = 0 ] || fail "crash-check said $rc of $node"
}

# nbdkit on a socket, the kernel's nbd driver as the disk. Nodes in the order of
# their numbers.
volatile_disks() {
	local node n=0
	modprobe nbd nbds_max=$#
	for node in "$@"; do
		truncate -s "${crash_mb}M" "/tmp/$node.disk"
		nbdkit -U "/tmp/$node.nbd" -P "/tmp/$node.pid" \
			"$top/build/vm/bin/volatile-disk.so" "file=/tmp/$node.disk" \
			"seed=$RANDOM" "log=/tmp/$node.cuts"
		nbd-client -unix "/tmp/$node.nbd" "/dev/nbd$n"
		[ "$(cat "/sys/block/nbd$n/queue/fua")" = 1 ] ||
			fail "/dev/nbd$n knows no FUA"
		n=$((n + 1))
	done
}

volatile_disk() { echo "/dev/nbd$((${node_number[$1]} - 1))"; }

loop_disks() {
	local node
	modprobe loop max_loop=$#
	for node in "$@"; do
		truncate -s "${crash_mb}M" "/tmp/$node.disk"
		losetup -f "/tmp/$node.disk"
	done
}

loop_disk() { echo "/dev/loop$((${node_number[$1]} - 1))"; }

cut_image() {
	rm -f "/tmp/$1.disk.cut"
	kill -USR1 "$(cat "/tmp/$1.pid")"
	eventually 20 test -e "/tmp/$1.disk.cut"
	echo "/tmp/$1.disk.cut"
}

rejoin() {
	local peer v
	for peer in "${crash_nodes[@]}"; do
		[ "$peer" = "$1" ] || mend "$1" "$peer"
	done
	on "$1" rblk up r0
	on "$2" rblk connect r0
	connected "$2"
	on "$2" rblk resync --full --force r0 "$1"
	on "$2" rblk wait --for uptodate --timeout "$(patient 60)" r0
}
