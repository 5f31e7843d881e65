# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
#
# A full copy asks before it sends: what is the same on both sides does not
# move, what is zero stays thin, and what differs is written over.

. "$top/tests/vm/lib/outage.sh"

size=$((48 << 20))
copy_in_full() {
	local was
	on bravo rblk up r0
	connected alpha
	was=$(peer_number alpha bravo sent_bytes)
	on alpha rblk resync --full r0 bravo
	level alpha
	moved=$(($(peer_number alpha bravo sent_bytes) - was))
	echo "$moved bytes moved of $size"
}

two_nodes 48
on bravo rblk down r0
promote_first alpha
dd if=/dev/urandom of=/dev/rblk0 bs=1M count=32 oflag=direct status=none

say "bravo has the same, but for three blocks"
dd if=/dev/ram0 of=/dev/ram1 bs=1M status=none
for at in 3 1000 11000; do
	dd if=/dev/urandom of=/dev/ram1 bs=4k count=1 seek=$at oflag=direct status=none
done
blockdev --flushbufs /dev/ram1
copy_in_full
[ "$moved" -ge $((2 * 16384)) ] || fail "$moved bytes moved: what differs was not sent"
[ "$moved" -le $((size / 100)) ] || fail "$moved bytes moved: more than one percent"
identical /dev/ram0 /dev/ram1

say "the same, interrupted: what is left is compared as well"
on bravo rblk down r0
on bravo rblk up r0
connected alpha
was=$(peer_number alpha bravo sent_bytes)
# slow enough to interrupt it
netem alpha bravo rate $((200 / $(patient 1)))kbit
on alpha rblk resync --full r0 bravo
on alpha rblk disconnect r0 bravo
[ "$(peer_number alpha bravo lacks_bytes)" -ge $((size / 2)) ] || fail "it was over before"
netem alpha bravo
on alpha rblk connect r0 bravo
level alpha
moved=$(($(peer_number alpha bravo sent_bytes) - was))
[ "$moved" -le $((size / 100)) ] || fail "$moved bytes moved: more than one percent"
identical /dev/ram0 /dev/ram1

say "bravo has nothing, and half of alpha is zero"
on bravo rblk down r0
dd if=/dev/urandom of=/dev/ram1 bs=1M oflag=direct status=none || true
blkdiscard -z -o 0 -l $((24 << 20)) /dev/rblk0
copy_in_full
[ "$moved" -le $(((8 << 20) + size / 50)) ] || fail "$moved bytes moved: zeroes were sent"
identical /dev/ram0 /dev/ram1
