# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machines, seen from the host. Sourced by the runner, by the demonstration
# and by every test with "# mode: guests".
#
#   guest [--disk SIZE]... [--mem MB] NAME...    boot them, joined pairwise
#   on NAME COMMAND [ARG...]                     run it there; one word is a
#                                                shell command line
#   power_cut NAME...                            kill the machines
#   restart NAME                                 boot it again, same disks
#   cut_link A B / mend_link A B                 the link between two machines
#   freeze NAME / thaw NAME                      stop and continue its processors
#   vm_kmemleak=yes          (before "guest") look for leaks, on the debug kernel
#   vm_counted=yes           (before "guest") one processor, which executes an
#                            instruction per nanosecond of its time
#   records NAME                                 what it wrote to /dev/record
#
# Disks appear in the guest as /dev/vda, /dev/vdb ... in the order given. What
# a guest writes to /dev/record is in a file of the host at once: it survives
# the guest. Who writes a byte to /dev/clock reads the host's time since boot from
# there, eight bytes of nanoseconds: one clock for all of them.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
vm=$top/tests/vm
# shellcheck source=tests/vm/lib/image.sh
. "$vm/lib/image.sh"
# shellcheck source=tests/vm/lib/common.sh
. "$vm/lib/common.sh"

: "${KVER:?the kernel to boot}"
# heap checks that a stock kernel can do, on the heap that a module uses
vm_checks="slub_debug=FZPU,kmalloc-*,rblk*,bio* page_poison=1"
# The debug kernel's KASAN sees more. Where no test asks for kmemleak it is off: with
# it every program that a test starts takes 1.7 times as long.
vm_debug_checks="kfence.sample_interval=0"
# a frozen or crowded host is not the guest's fault: be patient
vm_append="console=ttyS0 panic=-1 oops=panic loglevel=5 mitigations=off \
tsc=reliable random.trust_cpu=on log_buf_len=4M watchdog_thresh=60 \
rcupdate.rcu_cpu_stall_timeout=150 no_timer_check sysctl.kernel.hung_task_timeout_secs=60 \
kfence.sample_interval=10"

vm_dir=$(mktemp -d "${TMPDIR:-/tmp}/rblk-vm.XXXXXX")
vm_nodes=()
vm_disks=()
vm_mem=1024
vm_boot_s=$(patient 100)
vm_smp=2
vm_kmemleak=
vm_counted=
declare -gA vm_pid=()

vm_cleanup() {
	local f pid
	for f in "$vm_dir"/*/pid "$vm_dir"/*/clock.pid "$vm_dir"/*/disk*.pid; do
		[ -e "$f" ] || continue
		pid=$(cat "$f")
		grep -qsF "$vm_dir" "/proc/$pid/cmdline" && kill -9 "$pid"
	done 2>/dev/null
	wait 2>/dev/null
	# RBLK_VM_KEEP names a directory for the consoles
	if [ -n "${RBLK_VM_KEEP-}" ]; then
		mkdir -p "$RBLK_VM_KEEP"
		for f in "$vm_dir"/*/console; do
			[ -e "$f" ] || continue
			pid=${f%/console}
			cp "$f" "$RBLK_VM_KEEP/${pid##*/}.console"
		done
	fi
	rm -rf "$vm_dir"
}
trap vm_cleanup EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

vm_number() {
	local i
	for i in "${!vm_nodes[@]}"; do
		[ "${vm_nodes[i]}" != "$1" ] || { echo $((i + 1)); return; }
	done
	return 1
}

# With vm_volatile=yes each disk has a write cache that a power cut empties;
# the file beside it, vm_dir/NAME/diskN, holds what is durable.
# volatile_disk NAME N: start one, print its address
volatile_disk() {
	local dir=$vm_dir/$1 socket=$vm_dir/$1/disk$2.nbd
	rm -f "$socket" "$dir/disk$2.pid"
	nbdkit -U "$socket" -P "$dir/disk$2.pid" "$top/build/vm/bin/volatile-disk.so" \
		"file=$dir/disk$2" "seed=$RANDOM" "log=$vm_dir/$1/cuts" >>"$dir/qemu.log" 2>&1
	echo "nbd:unix:$socket"
}

# Start QEMU for one guest; it comes up in the background.
vm_start() {
	local name=$1 dir=$vm_dir/$1 me n peer i f
	local checks=$vm_checks accel=$accel smp=$vm_smp
	local -a args=()
	if [ -n "$image_modules" ]; then
		checks=$vm_debug_checks
		[ -n "$vm_kmemleak" ] || checks+=" kmemleak=off"
	elif [ -n "${RBLK_VM_FAST-}" ]; then
		checks=
	fi
	mkdir -p "$dir"
	rm -f "$dir"/*.busy "$dir"/qmp
	me=$(vm_number "$name")

	for peer in "${vm_nodes[@]}"; do
		[ "$peer" != "$name" ] || continue
		n=$(vm_number "$peer")
		rm -f "$vm_dir/net-$me-$n"
		args+=(-netdev "dgram,id=to-$peer,local.type=unix,local.path=$vm_dir/net-$me-$n,remote.type=unix,remote.path=$vm_dir/net-$n-$me"
			-device "virtio-net-pci,netdev=to-$peer,id=link-$peer,romfile=,mac=$(printf '52:54:00:00:%02x:%02x' "$me" "$n")")
	done
	for i in "${!vm_disks[@]}"; do
		f=$dir/disk$i
		[ -e "$f" ] || truncate -s "${vm_disks[i]}" "$f"
		[ -z "${vm_volatile-}" ] || f=$(volatile_disk "$name" "$i")
		args+=(-drive "if=none,id=disk$i,file=$f,format=raw,cache=writeback,discard=unmap"
			-device "virtio-blk-pci,drive=disk$i,serial=disk$i")
	done
	for i in 0 1 2 3 4 5 6 7; do
		for f in in out; do
			rm -f "$dir/cmd$i.$f"
			mkfifo "$dir/cmd$i.$f"
		done
		args+=(-chardev "pipe,id=cmd$i,path=$dir/cmd$i"
			-device "virtserialport,chardev=cmd$i,name=rblk.cmd$i")
	done
	args+=(-chardev "file,id=record,path=$dir/record,append=on"
		-device "virtserialport,chardev=record,name=rblk.record")
	for i in clock power; do
		for f in in out; do
			rm -f "$dir/$i.$f"
			mkfifo "$dir/$i.$f"
		done
		args+=(-chardev "pipe,id=$i,path=$dir/$i"
			-device "virtserialport,chardev=$i,name=rblk.$i")
	done
	"$top/build/vm/bin/host" clock "$dir" >>"$dir/qemu.log" 2>&1 </dev/null &
	echo $! >"$dir/clock.pid"

	if [ -n "$vm_counted" ]; then
		accel="-accel tcg -icount shift=0 -cpu max"
		smp=1
	fi
	# shellcheck disable=SC2086 # accel is several words
	qemu-system-x86_64 $accel -M q35 -smp "$smp" -m "$vm_mem" -nodefaults \
		-display none -no-reboot \
		-kernel "$image_kernel" -initrd "$image_initramfs" \
		-append "$vm_append $checks rblk.top=$top rblk.node=$name rblk.nodes=$(IFS=,; echo "${vm_nodes[*]}")${image_modules:+ rblk.modules=$image_modules}" \
		-virtfs "local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap" \
		-device virtio-rng-pci -device virtio-serial-pci,max_ports=16 \
		-chardev "file,id=console,path=$dir/console,append=on" -serial chardev:console \
		-qmp "unix:$dir/qmp,server=on,wait=off" \
		"${args[@]}" </dev/null >>"$dir/qemu.log" 2>&1 &
	vm_pid[$name]=$!
	echo $! >"$dir/pid"
	[ -z "${RBLK_VM_VERBOSE-}" ] || vm_stream "$name"
}

# Show a guest's console for as long as it lives.
vm_stream() {
	touch "$vm_dir/$1/console"
	tail -n 0 -f --pid="${vm_pid[$1]}" "$vm_dir/$1/console" |
		sed -u "s/^/[$1] /" >&2 &
}

# The command channel is there before the guest is: the first command waits.
vm_answers() {
	timeout "$vm_boot_s" "$top/build/vm/bin/host" run "$vm_dir/$1" "${vm_pid[$1]}" true
}

# The emulator now and then loses a kernel before anything of ours is in it.
vm_wait_up() {
	vm_answers "$1" && return
	tail -n 30 "$vm_dir/$1/console" "$vm_dir/$1/qemu.log" >&2
	say "guest $1 did not come up: once more"
	power_cut "$1" || true
	vm_start "$1"
	vm_answers "$1" || {
		tail -n 30 "$vm_dir/$1/console" "$vm_dir/$1/qemu.log" >&2
		fail "guest $1 did not come up"
	}
}

guest() {
	local name
	while :; do
		case ${1-} in
		--disk) vm_disks+=("$2"); shift 2 ;;
		--mem) vm_mem=$2; shift 2 ;;
		*) break ;;
		esac
	done
	make -s -C "$vm"
	image "$KVER"
	choose_accel "$KVER"
	vm_nodes=("$@")
	for name in "$@"; do
		vm_start "$name"
	done
	for name in "$@"; do
		vm_wait_up "$name"
	done
}

restart() {
	vm_start "$1"
	vm_wait_up "$1"
}

on() {
	local name=$1 command=$2
	shift
	[ $# = 1 ] || printf -v command '%q ' "$@"
	"$top/build/vm/bin/host" run "$vm_dir/$name" "${vm_pid[$name]}" "$command"
}

power_cut() {
	local name f pid
	for name in "$@"; do
		kill -9 "${vm_pid[$name]}"
	done
	for name in "$@"; do
		wait "${vm_pid[$name]}" 2>/dev/null || true
		for f in "$vm_dir/$name"/disk*.pid; do
			[ -e "$f" ] || continue
			pid=$(cat "$f")
			kill -USR2 "$pid"
			while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
		done
	done
}

vm_qmp() { "$top/build/vm/bin/host" qmp "$vm_dir/$1/qmp" "$2"; }

vm_link() {
	vm_qmp "$1" "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"to-$2\",\"up\":$3}}"
	vm_qmp "$2" "{\"execute\":\"set_link\",\"arguments\":{\"name\":\"to-$1\",\"up\":$3}}"
}

cut_link() { vm_link "$1" "$2" false; }
mend_link() { vm_link "$1" "$2" true; }
freeze() { vm_qmp "$1" '{"execute":"stop"}'; }
thaw() { vm_qmp "$1" '{"execute":"cont"}'; }
records() { cat "$vm_dir/$1/record"; }

# Every machine that still runs must have a clean kernel log.
guests_verdict() {
	local name rc=0
	for name in "${vm_nodes[@]}"; do
		kill -0 "${vm_pid[$name]}" 2>/dev/null || continue
		on "$name" dmesg | kernel_complaints && {
			echo "^ kernel log of $name"
			rc=1
		}
	done
	return $rc
}
