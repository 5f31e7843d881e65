# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A demotion waits until a peer of protocol A has applied everything: the next
# primary has it all, and whoever was primary can be it again.

nodes alpha bravo
ram_disks 2 16
rblk_load
rblk_config -p A alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha

netem alpha bravo rate 10mbit
dd if=/dev/urandom of="$(device alpha)" bs=64k count=32 oflag=direct status=none
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"
on bravo rblk promote r0
dd if=/dev/urandom of="$(device bravo)" bs=64k count=8 oflag=direct status=none
on bravo rblk demote r0
on alpha rblk promote r0
connected alpha bravo
dd if=/dev/urandom of="$(device alpha)" bs=64k count=8 oflag=direct status=none
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"
