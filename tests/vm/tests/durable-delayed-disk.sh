# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# A backup whose disk completes out of order, some regions much later than
# others: at no moment is there a write without what it was based on.

. "$top/tests/crash/lib.sh"

crash_blocks=128
regions=16

# Neighbouring regions differ by up to 15 ms.
delays() {
	local i sectors=$((crash_blocks * 8 / regions))
	for ((i = 0; i < regions; i++)); do
		echo "$((i * sectors)) $sectors delay /dev/ram1 $((i * sectors)) $((i * 7 % regions))"
	done
	sectors=$((crash_blocks * 8))
	echo "$sectors $(($(blockdev --getsz /dev/ram1) - sectors)) linear /dev/ram1 $sectors"
}

make_disks() {
	modprobe dm-delay
	udev
	delays | dmsetup create slow
}

disk_of() {
	case $1 in
	alpha) echo /dev/ram0 ;;
	bravo) echo /dev/mapper/slow ;;
	esac
}
crash_disk=disk_of
# What such a disk has received it must apply before it can be promoted.
crash_log_size=1MiB

crash_nodes -p "${PROTOCOL:-A}" alpha bravo
write_on alpha --dependent --depth 24
crash-check watch --blocks $crash_blocks --seconds 8 --image /dev/ram1
cut_off alpha
take_over alpha bravo
judge bravo --policy A


say "the same disks, a mix of operations, and time to catch up"
rejoin alpha bravo
on bravo rblk demote r0
on alpha rblk promote r0
crash_history=()
crash_epoch=0
blkdiscard -z /dev/rblk0
write_on alpha --depth 32 --count 600
wait "$crash_writer"
keep_history
judge alpha
eventually 60 crash-check same /dev/ram0 /dev/ram1
judge bravo --disks
on bravo rblk down r0
dmsetup remove slow
