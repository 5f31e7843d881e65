# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
#
# Files written on the primary are, byte for byte, on the promoted backup.

two_nodes 64
promote_first alpha
mkfs.ext4 -q "$(device alpha)"
mkdir /mnt/data
mount "$(device alpha)" /mnt/data
dd if=/dev/urandom of=/mnt/data/blob bs=64k count=128 status=none
cp -r /usr/share/perl5/Debconf /mnt/data/tree
(cd /mnt/data && find . -type f -exec md5sum {} + | sort -k 2) >/tmp/before
umount /mnt/data
on alpha rblk demote r0

on bravo rblk promote r0
mount "$(device bravo)" /mnt/data
(cd /mnt/data && find . -type f -exec md5sum {} + | sort -k 2) >/tmp/after
umount /mnt/data
[ "$(wc -l </tmp/before)" -gt 10 ] || fail "nothing was compared"
cmp /tmp/before /tmp/after
on bravo rblk demote r0
identical /dev/ram0 /dev/ram1
