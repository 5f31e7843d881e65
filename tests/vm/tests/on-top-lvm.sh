# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 180
#
# A partition table on rblk, a physical volume of LVM in one of its partitions, a
# filesystem in a logical volume: after a change of roles all of it is there on
# the other node. The device's counters count.

two_nodes 64
promote_first alpha
udev

# The same volume shows on the disks below, and on both nodes: say which is meant.
lvm_on() {
	local device=$1 verb=$2
	shift 2
	"$verb" --config "devices { use_devicesfile=0 filter=[ \"a|^/dev/$device\$|\", \"r|.*|\" ] }
		global { event_activation=0 }" "$@"
}

echo 'size=8M
type=8e' | sfdisk -q --wipe never /dev/rblk0
udevadm settle -t 30
eventually 10 test -b /dev/rblk0p2
lvm_on rblk0p2 pvcreate -q /dev/rblk0p2
lvm_on rblk0p2 vgcreate -q vg0 /dev/rblk0p2
lvm_on rblk0p2 lvcreate -q -W n -n data -L 24M vg0
mkfs.ext4 -q /dev/vg0/data
mkdir -p /mnt/data
mount /dev/vg0/data /mnt/data
cp -r /usr/share/perl5/Debconf /mnt/data/tree
(cd /mnt/data && find . -type f -exec md5sum {} + | sort -k 2) >/tmp/before
umount /mnt/data

# reads, sectors read, writes, sectors written (Documentation/block/stat.rst)
read -r _ _ was_read _ _ _ was_written _ </sys/block/rblk0/stat
dd if=/dev/zero of=/dev/rblk0p1 bs=64k count=64 oflag=direct status=none
dd if=/dev/rblk0p1 of=/dev/null bs=64k count=32 iflag=direct status=none
read -r _ _ now_read _ _ _ now_written _ </sys/block/rblk0/stat
between() { [ "$1" -ge "$2" ] && [ "$1" -lt "$3" ]; }
between $((now_written - was_written)) 8192 9000 ||
	fail "$((now_written - was_written)) sectors are said to be written, not 8192"
between $((now_read - was_read)) 4096 5000 ||
	fail "$((now_read - was_read)) sectors are said to be read, not 4096"
expect "67108864" lsblk -bdno SIZE /dev/rblk0
expect "part" lsblk -no TYPE /dev/rblk0
expect rblk0 iostat -d -p rblk0

lvm_on rblk0p2 vgchange -q -an vg0
on alpha rblk demote r0
identical /dev/ram0 /dev/ram1

on bravo rblk promote r0
udevadm settle -t 30
eventually 10 test -b /dev/rblk1p2
lvm_on rblk1p2 vgchange -q -ay vg0
mount /dev/vg0/data /mnt/data
(cd /mnt/data && find . -type f -exec md5sum {} + | sort -k 2) >/tmp/after
umount /mnt/data
[ "$(wc -l </tmp/before)" -gt 10 ] || fail "nothing was compared"
cmp /tmp/before /tmp/after
lvm_on rblk1p2 vgchange -q -an vg0
