# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 180
#
# The backup vanishes under writes: the primary goes on, and says so.

two_nodes
promote_first alpha
fio --name=w --filename="$(device alpha)" --rw=randwrite --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=8 --time_based --runtime=15 --size=16m >/tmp/fio.log 2>&1 &
writer=$!
sleep 3
# so that some writes wait for the peer at any moment
netem alpha bravo delay 100ms
on bravo rblk down --force r0
sleep 1
kill -0 $writer || fail "the writer did not survive its peer: $(cat /tmp/fio.log)"
expect primary on alpha rblk status r0
refused 1 "" on alpha rblk status --check r0
wait $writer || fail "the writer failed: $(cat /tmp/fio.log)"
dd if=/dev/zero of="$(device alpha)" bs=4k count=16 oflag=direct conv=fsync status=none
