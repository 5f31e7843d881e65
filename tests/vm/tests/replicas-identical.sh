# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 180
#
# After random writes of many sizes, flushes between them, both disks hold the
# same bytes.

two_nodes 32
promote_first alpha
fio --name=mix --filename="$(device alpha)" --direct=1 --ioengine=libaio \
	--rw=randwrite --bsrange=512-128k --bs_unaligned=0 --blockalign=512 \
	--iodepth=16 --numjobs=2 --offset_increment=16m --size=16m --io_size=8m \
	--fsync=32 --randrepeat=0 --verify=crc32c --do_verify=1 --verify_fatal=1
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
