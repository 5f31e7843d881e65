# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 180
#
# Two backups are away at different times: each gets what it lacks, and no more.

. "$top/tests/vm/lib/outage.sh"

touch_blocks() {
	fio --name="$1" --filename=/dev/rblk0 --direct=1 --rw=write --bs=64k --offset="$2" \
		--size="$3" --ioengine=libaio --iodepth=4 --output="/tmp/fio-$1"
}

three_nodes 128
promote_first alpha

on alpha rblk disconnect r0 bravo
touch_blocks one 0 40m
on alpha rblk disconnect r0 charlie
touch_blocks two 64m 4m

bravo=$(peer_number alpha bravo sent_bytes)
charlie=$(peer_number alpha charlie sent_bytes)
on alpha rblk connect r0 bravo
on alpha rblk connect r0 charlie
touch_blocks three 80m 4m
level alpha
bravo=$(($(peer_number alpha bravo sent_bytes) - bravo))
charlie=$(($(peer_number alpha charlie sent_bytes) - charlie))
[ "$bravo" -ge $((44 << 20)) ] || fail "$bravo bytes went to bravo: fewer than it lacked"
[ "$bravo" -le $((50 << 20)) ] || fail "$bravo bytes went to bravo: more than it lacked"
[ "$charlie" -ge $((4 << 20)) ] || fail "$charlie bytes went to charlie: fewer than it lacked"
[ "$charlie" -le $((10 << 20)) ] || fail "$charlie bytes went to charlie: more than it lacked"
identical /dev/ram0 /dev/ram1
identical /dev/ram0 /dev/ram2
