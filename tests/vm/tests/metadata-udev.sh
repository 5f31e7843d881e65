# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# The file system inside a member is not offered under its UUID or label, not
# even with metadata at the end, where blkid finds it; the volume is. The link
# to the partition that holds the member stays. After md wipe the disk is just a
# disk again.

modprobe loop
mkdir -p /run/udev/rules.d
for rules in 59-rblk-member 65-rblk; do
	sed "s|@SBINDIR@|$(dirname "$(command -v rblk)")|" \
		"$top/userspace/udev/$rules.rules" >/run/udev/rules.d/$rules.rules
done
udev

uuid=1b2c3d4e-0001-4a5b-8c6d-aabbccddeeff
truncate -s 64M /tmp/member
sfdisk -q /tmp/member <<<'label: gpt
size=48M, uuid=5E0F2C6A-0002-4A5B-8C6D-AABBCCDDEEFF'
loop=$(losetup -f -P --show /tmp/member)
eventually 10 test -b "${loop}p1"
mkfs.ext4 -q -b 4096 -L precious -U $uuid "${loop}p1" 10000
look() { udevadm trigger --action=change "${loop}p1"; udevadm settle -t 20; }
points_to() { [ "$(readlink -f "/dev/disk/$1")" = "$2" ] || fail "$1 leads to $(readlink -f "/dev/disk/$1"), not to $2"; }
has_no() { [ ! -e "/dev/disk/$1" ] || fail "$1 leads to $(readlink -f "/dev/disk/$1")"; }
property() { udevadm info -q property "${loop}p1"; }

look
points_to by-uuid/$uuid "${loop}p1"
points_to by-label/precious "${loop}p1"

say "a member is hidden, the partition is not"
rblk_metadata=end
nodes alpha bravo
rblk_load
rblk_config alpha "${loop}p1" 0 bravo /dev/ram1 1 | install_config_commands | bash
on alpha rblk create --adopt --force r0
look
has_no by-uuid/$uuid
has_no by-label/precious
points_to by-partuuid/5e0f2c6a-0002-4a5b-8c6d-aabbccddeeff "${loop}p1"
expect "ID_FS_TYPE=rblk_member" property
expect "ID_RBLK_RESOURCE=r0" property
expect "UDISKS_IGNORE=1" property
! property | grep -E "$uuid|precious" || fail "the file system is named"

say "its volume is the one that is found, while it is primary"
start_daemon alpha
on alpha rblk up r0
promote_first alpha
udevadm settle -t 20
points_to by-uuid/$uuid /dev/rblk0
[ "$(readlink -f /dev/rblk/by-resource/r0/0)" = /dev/rblk0 ] ||
	fail "no link by resource"
mkdir -p /mnt/data
mount UUID=$uuid /mnt/data
expect /dev/rblk0 findmnt -no SOURCE /mnt/data
umount /mnt/data
look
points_to by-uuid/$uuid /dev/rblk0
on alpha rblk down r0
udevadm settle -t 20
has_no by-uuid/$uuid

say "without metadata it is a disk like any other"
rblk md wipe --force "${loop}p1"
look
points_to by-uuid/$uuid "${loop}p1"
! property | grep -i rblk || fail "it still counts as a member"
