# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 180
#
# A link that is cut while nothing is written comes back by itself, and
# replicates again.

two_nodes
promote_first alpha
write() { dd if=/dev/urandom of="$(device alpha)" bs=64k count=8 seek="$1" oflag=direct conv=fsync status=none; }
not_connected() { ! on alpha rblk status --check r0; }
write 0
cut alpha bravo
eventually 60 not_connected
mend alpha bravo
connected alpha bravo
write 100
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
