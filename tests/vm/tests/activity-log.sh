# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# A primary that crashed knows where it may differ: only there it compares with its
# peer, and afterwards they are identical. So does one that was taken down and comes
# back know what its peer missed.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 128
promote_first alpha
level alpha
mib=$((1 << 20))
# random writes to MIB at OFFSET, not flushed
scatter() {
	fio --name=scatter --filename="$(device alpha)" --direct=1 --rw=randwrite --bs=4k \
		--offset="$1m" --size="$2m" --ioengine=libaio --iodepth=16 \
		--allow_file_create=0 --output=/tmp/fio-scatter
}
lacks() { peer_number alpha bravo lacks_bytes; }
between() {
	if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		fail "$4: $1 bytes, not $2 to $3"
	fi
}
data_at=$(rblk md examine "$(disk alpha)" | awk '$1 == "data-at" { print $2 }')
# lose OFFSET MIB: what a volatile cache had of it is gone
lose() {
	dd if=/dev/urandom of="$(disk alpha)" bs=4k seek=$(((data_at + $1 * mib) / 4096)) \
		count=$(($2 * mib / 4096)) oflag=direct conv=notrunc status=none
}
# What it says of itself is put back as it was: a forced end is a clean one.
crash() {
	dd if="$(disk alpha)" of=/tmp/metadata bs=4k count=$((data_at / 4096)) iflag=direct status=none
	on alpha rblk down --force r0
	dd if=/tmp/metadata of="$(disk alpha)" bs=4k oflag=direct conv=notrunc status=none
}
back() {
	on bravo rblk disconnect r0
	on alpha rblk up r0
	[ "$(data_of alpha)" = "${1:-unclean}" ] || fail "alpha's data is $(data_of alpha)"
	on alpha rblk promote r0
}
meet() {
	on bravo rblk connect r0
	level alpha
	[ "$(lacks)" = 0 ] || fail "$(lacks) bytes are lacking still"
}

say "a crash: what was written may differ, and nothing else"
scatter 17 6
crash
lose 17 6
back
between "$(lacks)" $((6 * mib)) $((8 * mib)) "after a crash may differ"
was=$(peer_number alpha bravo sent_bytes)
meet
between $(($(peer_number alpha bravo sent_bytes) - was)) $((5 * mib)) $((7 * mib)) "were copied"
data() { dd if="$1" bs=1M skip="$2" count=100 iflag=direct status=none; }
cmp <(data "$(device alpha)" 0) <(data "$(disk bravo)" $((data_at / mib))) ||
	fail "the replicas differ"

say "and again, while that is not flushed yet"
scatter 40 4
crash
lose 40 4
back
between "$(lacks)" $((4 * mib)) $((16 * mib)) "after a second crash may differ"
meet

say "a crash while the peer is away"
on alpha rblk disconnect r0 bravo
scatter 60 4
crash
back
between "$(lacks)" $((4 * mib)) $((24 * mib)) "after a crash alone may differ"
meet

say "a clean end: what the peer missed is known afterwards, and no more"
on alpha rblk disconnect r0 bravo
scatter 80 4
on alpha rblk demote r0
on alpha rblk down r0
back consistent
between "$(lacks)" $((4 * mib)) $((4 * mib)) "after a clean end may differ"
meet

say "another one was primary: what was known before does not count"
on alpha rblk demote r0
on bravo rblk promote r0
on bravo rblk wait --for uptodate --timeout "$(patient 20)" r0
dd if=/dev/urandom of="$(device bravo)" bs=1M count=4 seek=100 oflag=direct conv=fsync status=none
on bravo rblk demote r0
on alpha rblk promote r0
level alpha
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
