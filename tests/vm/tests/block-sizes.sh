# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 240
#
# Disks that differ in block size, discard granularity, longest request and
# cache replicate each other; only the logical block size has to be agreed on.

nodes alpha bravo
modprobe -a loop sd_mod
modprobe scsi_debug dev_size_mb=32 sector_size=512 physblk_exp=3 lbpu=1 lbpws=1 lbprz=1 \
	unmap_granularity=64 opt_blks=64 opt_xferlen_exp=6 delay=0
scsi_disk() { grep -l scsi_debug /sys/class/block/sd*/device/model; }
eventually 20 scsi_disk
scsi=$(scsi_disk)
scsi=/dev/$(basename "${scsi%/device/model}")
eventually 20 blockdev --getsize64 "$scsi"
bytes=$(blockdev --getsize64 "$scsi")
truncate -s "$bytes" /tmp/big.img /tmp/small.img
big=$(losetup --find --show --sector-size 4096 /tmp/big.img)
small=$(losetup --find --show /tmp/small.img)
rblk_load

# between DISK DISK [SED-SCRIPT]: alpha on the one, bravo on the other
between() {
	rblk_config alpha "$1" 0 bravo "$2" 1 | sed "${3-}" | install_config_commands | bash
	pgrep -x rblkd >/dev/null || start_daemon alpha bravo
	for n in alpha bravo; do on $n rblk up r0; done
}
down() { for n in alpha bravo; do on $n rblk down --force r0; done; }
mix() {
	fio --name=mix --filename="$(device alpha)" --direct=1 --ioengine=libaio \
		--rw=randtrimwrite --bs="$1" --iodepth=8 --size=8m --randrepeat=0 --fsync=64
	dd if=/dev/urandom of="$(device alpha)" bs=4M count=2 seek=3 oflag=direct status=none
	blkdiscard --offset $((20 << 20)) --length $((3 << 20)) "$(device alpha)"
}

say "512 and 4096: refused, with what to do"
between "$small" "$big"
says() { on alpha rblk status r0 | grep "blocks of 512 bytes.*set block-size = 4096B"; }
eventually 30 says
down

say "512 and 4096, both shown as 4096"
between "$small" "$big" 's/volume 0 { minor = 0/volume 0 { block-size = 4KiB minor = 0/; s/volume 0 { minor = 1/volume 0 { block-size = 4KiB minor = 1/'
connected alpha bravo
promote_first alpha
[ "$(blockdev --getss "$(device alpha)")" = 4096 ] || fail "not shown"
dd if=/dev/zero of="$(device alpha)" bs=512 count=1 oflag=direct status=none 2>/dev/null &&
	fail "half a block was written"
mix 4k
on alpha rblk demote r0
down
identical "$small" "$big"

say "a smaller block than the disk's: refused"
rblk_config alpha "$big" 0 bravo "$small" 1 | sed 's/{ minor = 0/{ block-size = 512B minor = 0/' |
	install_config_commands | bash
refused 1 "below the disk's" on alpha rblk up r0

say "no granularity to speak of, and 32 KiB on 4 KiB physical with a cache"
between "$small" "$scsi"
connected alpha bravo
promote_first alpha
mix 4k
on alpha rblk demote r0
on bravo rblk promote r0
dd if=/dev/urandom of="$(device bravo)" bs=512 count=9 seek=77 oflag=direct conv=fsync status=none
blkdiscard --offset $((24 << 20)) --length $((1 << 20)) "$(device bravo)"
# the loop device of alpha cannot keep what it zeroes: it is written
blkdiscard --zeroout --offset $((28 << 20)) --length $((1 << 20)) "$(device bravo)"
on bravo rblk demote r0
down
identical "$small" "$scsi"
losetup -d "$small" "$big"
pkill -x rblkd
eventually 10 rmmod rblk
eventually 10 rmmod scsi_debug
