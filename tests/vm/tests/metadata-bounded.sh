# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# With metadata, who comes back is brought level with what it missed and no more,
# whatever way it went. Zeroing stays within the data: a RAM disk cannot
# zero by itself, so zeroes are written, and the metadata lies before them.

rblk_metadata=start
. "$top/tests/vm/lib/outage.sh"

two_nodes 48
promote_first alpha
# write SEEK NUMBER: 64 KiB each
write() { dd if=/dev/urandom of=/dev/rblk0 bs=64k count="$2" seek="$1" oflag=direct conv=fsync status=none; }
sent() { peer_number alpha bravo sent_bytes; }
# moved WAS MOST WHAT
moved() {
	local bytes=$(($(sent) - $1))
	echo "$3: $bytes bytes moved"
	[ "$bytes" -le "$2" ] || fail "$3: $bytes bytes moved, more than $2"
}

say "zeroes do not reach the metadata of either node"
write 0 64
blkdiscard -z -o 0 -l $((2 << 20)) /dev/rblk0
expect "copy 0       good, holds" rblk md examine /dev/ram0
expect "copy 0       good, holds" rblk md examine /dev/ram1
identical /dev/ram0 /dev/ram1

say "a backup that was taken down"
on bravo rblk down r0
write 100 16
was=$(sent)
on bravo rblk up r0
level alpha
moved "$was" $((18 * 65536)) "missed 1 MiB"
identical /dev/ram0 /dev/ram1

say "a backup that lost power, and holds more than it says"
write 200 4
dd if=/dev/urandom of=/dev/rblk0 bs=64k count=16 seek=220 oflag=direct status=none
blockdev --flushbufs /dev/ram1
dd if=/dev/ram1 of=/tmp/bravo bs=1M status=none
on bravo rblk down --force r0
dd if=/tmp/bravo of=/dev/ram1 bs=1M conv=fsync status=none
expect "not clean: may hold more" rblk md examine /dev/ram1
write 300 4
was=$(sent)
on bravo rblk up r0
level alpha
[ "$(data_of bravo)" = consistent ] || fail "bravo is $(data_of bravo)"
moved "$was" $((5 * 65536)) "256 KiB, and nothing of what was not flushed and is there"
identical /dev/ram0 /dev/ram1

say "both, after an orderly end: nothing"
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
was=$(sent)
on alpha rblk promote r0
level alpha
moved "$was" 4096 "nothing missed"

say "a primary that lost power is promoted again: what is the same is not sent"
write 0 300
dd if=/dev/ram0 of=/tmp/alpha bs=1M status=none
on alpha rblk down --force r0
dd if=/tmp/alpha of=/dev/ram0 bs=1M conv=fsync status=none
on alpha rblk up r0
expect unclean on alpha rblk status r0
on alpha rblk promote r0
level alpha
[ "$(sent)" -le $((48 << 20 >> 5)) ] || fail "$(sent) bytes moved"
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
