# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 180
#
# An outage that the log does not bridge: the blocks that were touched are
# copied, and no others, also while the application goes on writing. Meanwhile
# the backup says that it is inconsistent, and afterwards that it is not.

. "$top/tests/vm/lib/outage.sh"

two_nodes 64
promote_first alpha
watch_data bravo

say "a quarter of the disk is touched"
on alpha rblk disconnect r0 bravo
fio --name=away --filename=/dev/rblk0 --direct=1 --rw=randwrite --bs=4k --size=16m \
	--offset=8m --io_size=48m --ioengine=libaio --iodepth=16 --output=/tmp/fio-away
lacks=$(peer_number alpha bravo lacks_bytes)
[ "$lacks" -gt 0 ] || fail "nothing is said to be lacking"
[ "$lacks" -le $((16 << 20)) ] || fail "$lacks bytes are lacking: more than were touched"
was=$(peer_number alpha bravo sent_bytes)
on alpha rblk connect r0 bravo
level alpha
moved=$(($(peer_number alpha bravo sent_bytes) - was))
[ "$moved" -le $(((16 << 20) + (1 << 18))) ] || fail "$moved bytes moved: more than were touched"
[ "$(peer_number alpha bravo lacks_bytes)" = 0 ] || fail "something is lacking still"
grep -q inconsistent /tmp/events-bravo || fail "the backup never said that it was inconsistent"
[ "$(data_of bravo)" = consistent ]
identical /dev/ram0 /dev/ram1

say "and while the application writes"
on alpha rblk disconnect r0 bravo
fio --name=away --filename=/dev/rblk0 --direct=1 --rw=randwrite --bs=4k --size=24m \
	--io_size=48m --ioengine=libaio --iodepth=16 --output=/tmp/fio-away
fio --name=during --filename=/dev/rblk0 --direct=1 --rw=randrw --bsrange=512-64k --size=32m \
	--time_based --runtime=6 --ioengine=libaio --iodepth=8 --output=/tmp/fio-during &
fio=$!
on alpha rblk connect r0 bravo
level alpha
wait $fio
[ "$(peer_number alpha bravo lacks_bytes)" = 0 ] || fail "something is lacking still"
identical /dev/ram0 /dev/ram1
