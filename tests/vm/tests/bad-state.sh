# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# What cannot be done is refused with one message that names the thing, an exit
# code by kind, and nothing has changed.

nodes alpha bravo
ram_disks 2 16
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash

# no daemon, no module
refused 8 "rblkd" on alpha rblk up r0
refused 7 "module" on alpha timeout 10 rblkd
rblk_load
start_daemon alpha bravo

refused 4 "r9" on alpha rblk up r9
refused 4 "r9" on alpha rblk promote r9

# a second daemon of the same node
refused 1 "" on alpha timeout 10 rblkd

# the disk: absent, in use
good=$(cat /etc/rblk/rblk.conf)
echo "${good/ram0/nothing}" >/etc/rblk/rblk.conf
refused 4 "/dev/nothing" on alpha rblk up r0
echo "$good" >/etc/rblk/rblk.conf
mkfs.ext4 -q /dev/ram0
mkdir /mnt/data
mount /dev/ram0 /mnt/data
refused 1 "/dev/ram0" on alpha rblk up r0
umount /mnt/data
[ ! -e /dev/rblk0 ] || fail "a refused resource left a device"

# and now it works
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
refused 1 "" on alpha rblk promote r0
