# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# module: faults
# timeout: 240
#
# A backup that starts writes before what they depend on, by its own mistake or
# by its primary's: the watch on its disk notices.

. "$top/tests/crash/lib.sh"
. "$top/tests/crash/mutation.sh"

crash_blocks=128
regions=16

# Neighbouring regions of bravo's disk differ by up to 15 ms.
make_disks() {
	local i sectors=$((crash_blocks * 8 / regions))
	modprobe dm-delay
	udev
	{
		for ((i = 0; i < regions; i++)); do
			echo "$((i * sectors)) $sectors delay /dev/ram1 $((i * sectors)) $((i * 7 % regions))"
		done
		sectors=$((crash_blocks * 8))
		echo "$sectors $((crash_mb * 2048 - sectors)) linear /dev/ram1 $sectors"
	} | dmsetup create slow
}

disk_of() {
	case $1 in
	alpha) echo /dev/ram0 ;;
	bravo) echo /dev/mapper/slow ;;
	esac
}
crash_disk=disk_of
crash_log_size=1MiB

watch_bravo() { crash-check watch --blocks $crash_blocks --seconds "$1" --image /dev/ram1; }

crash_nodes -p A alpha bravo
for mistake in "" NO_DEP_SENT NO_DEP_KEPT; do
	say "${mistake:-no mistake}"
	fresh alpha
	eventually 30 crash-check same /dev/ram0 /dev/ram1
	# shellcheck disable=SC2086 # none, or one
	mistakes $mistake
	write_on alpha --dependent --depth 24
	eventually 20 written 20000
	if [ "$mistake" ]; then
		caught order watch_bravo 60
	else
		watch_bravo 4
	fi
	stop_writer
done
for node in alpha bravo; do
	on $node rblk down --force r0
done
dmsetup remove slow
