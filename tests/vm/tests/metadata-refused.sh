# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# A disk that is not the one it should be, or whose metadata is damaged, is
# refused by name, and nothing happens to it. One good superblock is enough.

rblk_metadata=start
nodes alpha bravo
ram_disks 3 32
modprobe loop
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
rblk_load
start_daemon alpha bravo

refused_up() { refused "$1" "$2" on alpha rblk up r0; }
put() { dd of=/dev/ram0 bs=4096 seek="$1" count=1 conv=fsync status=none; }
spoil() { head -c 4096 /dev/urandom | put "$1"; }
image() { blockdev --flushbufs /dev/ram0; dd if=/dev/ram0 of="/tmp/$1" bs=1M count=1 status=none; }
restore() { dd if="/tmp/$1" of=/dev/ram0 bs=1M conv=fsync status=none; }

say "none, and what create finds"
refused_up 1 "run 'rblk create'"
refused 1 "nobody is there" on alpha rblk create r0 </dev/null
mkfs.ext4 -q -L precious /dev/ram0
expect 'ext4 "precious": IT WILL BE LOST' on alpha rblk create --force r0
! blkid -p /dev/ram0 || fail "a signature is left"
on bravo rblk create --force r0
on alpha rblk up r0
refused 1 "in use" on alpha rblk create --force r0
refused 1 "in use" on alpha rblk md wipe --force /dev/ram0
expect "data         new" rblk md examine /dev/ram0
promote_first alpha
on alpha rblk down r0
image good

say "a clone of another node's, another resource's, another volume's"
dd if=/dev/ram1 of=/dev/ram0 bs=1M count=1 conv=fsync status=none
refused_up 1 "another node"
sed -i 's/"r0"/"r1"/' /etc/rblk/rblk.conf
on alpha rblk create --force r1
sed -i 's/"r1"/"r0"/' /etc/rblk/rblk.conf
refused_up 1 "another resource"
restore good
sed -i 's/volume 0/volume 5/' /etc/rblk/rblk.conf
refused_up 1 "another volume"
sed -i 's/volume 5/volume 0/; s/metadata = start/metadata = end/' /etc/rblk/rblk.conf
refused_up 1 "run 'rblk create'"
sed -i 's/metadata = end/metadata = start/' /etc/rblk/rblk.conf

say "damage: one copy, the other, both"
restore good
spoil 0
on alpha rblk up r0
on alpha rblk promote r0
on alpha rblk down r0
expect "copy 0       good" rblk md examine /dev/ram0
spoil 16
on alpha rblk up r0
on alpha rblk down r0
spoil 0
spoil 16
refused 4 "no rblk metadata" rblk md examine /dev/ram0
restore good
printf 'x' | dd of=/dev/ram0 bs=1 seek=100 conv=notrunc,fsync status=none
printf 'x' | dd of=/dev/ram0 bs=1 seek=65636 conv=notrunc,fsync status=none
refused_up 1 "damaged"
refused 1 "damaged" rblk md examine /dev/ram0
restore good
printf '\002' | dd of=/dev/ram0 bs=1 seek=8 conv=notrunc,fsync status=none
refused_up 1 "another version"

say "a smaller disk"
restore good
dd if=/dev/ram0 of=/tmp/image bs=1M status=none
truncate -s 31M /tmp/image
loop=$(losetup -f --show /tmp/image)
sed -i "s|/dev/ram0|$loop|" /etc/rblk/rblk.conf
refused_up 1 "smaller than it was"
losetup -d "$loop"
sed -i "s|$loop|/dev/ram0|" /etc/rblk/rblk.conf

say "dump, wipe, restore"
rblk md dump /dev/ram0 >/tmp/dump
rblk md wipe --force /dev/ram0
refused_up 1 "run 'rblk create'"
rblk md restore /dev/ram0 </tmp/dump
on alpha rblk up r0
expect inconsistent on alpha rblk status r0
refused 1 "inconsistent" on alpha rblk promote r0
on alpha rblk promote --force r0
