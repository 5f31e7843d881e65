# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A primary whose device is in use stays primary, unless forced.

two_nodes
promote_first alpha
mkfs.ext4 -q "$(device alpha)"
mkdir /mnt/data
mount "$(device alpha)" /mnt/data
refused 1 "" on alpha rblk demote r0
expect primary on alpha rblk status r0
refused 1 "" on alpha rblk down r0
echo still here >/mnt/data/note
sync
umount /mnt/data
on alpha rblk demote r0
expect backup on alpha rblk status r0
