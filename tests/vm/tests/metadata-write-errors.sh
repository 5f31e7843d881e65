# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# long: yes
# kernels: newest
# timeout: 180
#
# What cannot be written into the metadata does not happen: no promotion, no
# following of a primary.

rblk_metadata=start
nodes alpha bravo
ram_disks 2 16
modprobe dm-mod
udev
sectors=$(blockdev --getsz /dev/ram0)
good() { echo "0 $sectors linear /dev/ram$1 0"; }
# the superblocks' area fails, the data does not
bad() { printf '0 2048 error\n2048 %d linear /dev/ram%d 2048\n' $((sectors - 2048)) "$1"; }
become() { "$2" "$1" | change_table "disk$1"; }
for n in 0 1; do good $n | dmsetup create "disk$n"; done
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/mapper/disk1 1 | install_config_commands | bash
rblk_load
start_daemon alpha bravo
create_metadata alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo

say "no promotion"
become 0 bad
refused 1 "metadata failed" on alpha rblk promote --assume-clean r0
expect backup on alpha rblk status r0
become 0 good
promote_first alpha
on alpha rblk wait --for uptodate --timeout 20 r0

say "nobody follows who cannot say so"
on bravo rblk disconnect r0
become 1 bad
on bravo rblk connect r0
refusal() { on alpha rblk status r0 | grep -q "metadata failed"; }
eventually 20 refusal
become 1 good
on bravo rblk connect r0
connected bravo
on alpha rblk wait --for uptodate --timeout 20 r0

say "a demotion happens, but is not a clean end"
become 0 bad
on alpha rblk demote r0
on alpha rblk down r0
become 0 good
on alpha rblk up r0
expect unclean on alpha rblk status r0
on alpha rblk down r0
on bravo rblk down r0
dmsetup remove disk0
dmsetup remove disk1
