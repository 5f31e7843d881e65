# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# long: yes
# kernels: newest
# timeout: 300
#
# A transaction of the activity log cannot be written: writes that need it fail, at
# once and on all nodes; those to active extents go on; later everything goes on.

rblk_metadata=start
nodes alpha bravo
ram_disks 2 64
modprobe dm-mod
udev
sectors=$(blockdev --getsz /dev/ram0)
good() { echo "0 $sectors linear /dev/ram0 0"; }
# the ring fails: 64 blocks behind the superblocks' 128 KiB
bad() { printf '0 256 linear /dev/ram0 0\n256 512 error\n768 %d linear /dev/ram0 768\n' $((sectors - 768)); }
become() { "$1" | change_table disk0; }
good | dmsetup create disk0
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/ram1 1 | install_config_commands | bash
rblk_load
start_daemon alpha bravo
create_metadata alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
on alpha rblk wait --for uptodate --timeout 20 r0
write() { dd if=/dev/urandom of=/dev/rblk0 bs=64k count=2 seek="$1" oflag=direct status=none; }

write 0
say "cold writes fail, hot ones do not"
become bad
! timeout 20 dd if=/dev/urandom of=/dev/rblk0 bs=64k count=2 seek=200 oflag=direct status=none ||
	fail "a write to an extent that the disk does not call active succeeded"
write 2
! timeout 20 dd if=/dev/urandom of=/dev/rblk0 bs=64k count=2 seek=200 oflag=direct status=none ||
	fail "a write to an extent that the disk does not call active succeeded"
dmesg | grep -q "activity log cannot be written" || fail "nothing was said"

say "and go on when it can be written again"
become good
write 200
write 400
on alpha rblk wait --for uptodate --timeout 20 r0
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
forgive_kernel_log
dmsetup remove disk0
identical /dev/ram0 /dev/ram1
