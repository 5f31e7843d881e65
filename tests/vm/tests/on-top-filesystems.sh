# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# ext4, xfs and btrfs on rblk: what a backup's disk holds in the end is the same
# filesystem, and a sound one.

. "$top/tests/vm/lib/many.sh"

nodes alpha bravo
for fs in ext4 xfs btrfs; do
	many_resource $fs C all alpha bravo
done
many_up 160
# small for xfs: its own test suite asks for that in this way
export TEST_DIR=/mnt TEST_DEV=none QA_CHECK_FS=1

for fs in ext4 xfs btrfs; do
	say $fs
	dir=/mnt/$fs
	mkdir -p $dir
	mkfs.$fs -q "$(many_device $fs)"
	mount -o discard "$(many_device $fs)" $dir
	cp -r /usr/share/perl5/Debconf $dir/tree
	cp -r $dir/tree $dir/again
	dd if=/dev/urandom of=$dir/blob bs=64k count=64 conv=fsync status=none
	rm -r $dir/tree
	fallocate -p -o 64k -l 1M $dir/blob
	sync -f $dir/blob
	md5sum $dir/blob >/tmp/sum-$fs
	umount $dir
done
many_identical
e2fsck -fn "$(many_disk ext4 bravo)"
xfs_repair -n -f "$(many_disk xfs bravo)" >/dev/null 2>&1 || fail "xfs_repair found damage"
btrfs check -q "$(many_disk btrfs bravo)"

say "and the backup can be mounted, once promoted"
for fs in ext4 xfs btrfs; do
	on alpha rblk demote $fs
	on bravo rblk promote $fs
	read -r minor < <(on bravo rblk status $fs | sed -n 's/.*\/dev\/rblk\([0-9]*\) .*/\1/p')
	mount "/dev/rblk$minor" /mnt/$fs
	md5sum -c --quiet /tmp/sum-$fs
	umount /mnt/$fs
done
