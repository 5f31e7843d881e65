# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# A primary crashed, and another node was promoted. When it returns it tells where it
# may differ: only there, and where the new primary wrote, the two are compared. So it
# is for one whose branch is given up.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 128
promote_first alpha
level alpha
mib=$((1 << 20))
write() { # NODE MIB COUNT
	dd if=/dev/urandom of="$(device "$1")" bs=1M seek="$2" count="$3" oflag=direct conv=notrunc status=none
}
between() {
	if [ "${1:-0}" -lt "$2" ] || [ "${1:-0}" -gt "$3" ]; then
		fail "$4: ${1:-0} bytes, not $2 to $3"
	fi
}
same() {
	cmp <(dd if="$(disk alpha)" bs=1M skip=1 iflag=direct status=none) \
		<(dd if="$(disk bravo)" bs=1M skip=1 iflag=direct status=none) ||
		fail "the replicas differ"
}
total() { peer_number bravo alpha resync_total_bytes; }
is_total() { [ -n "$(total)" ]; }

say "alpha crashes and loses what its disk had not made durable"
write alpha 5 2
dd if="$(disk alpha)" of=/tmp/metadata bs=1M count=1 iflag=direct status=none
on alpha rblk down --force r0
dd if=/tmp/metadata of="$(disk alpha)" bs=1M oflag=direct conv=notrunc status=none
dd if=/dev/urandom of="$(disk alpha)" bs=1M seek=6 count=2 oflag=direct conv=notrunc status=none
on bravo rblk promote r0
write bravo 60 2

say "it returns: nothing is overwritten before somebody says so, and then little is compared"
on alpha rblk up r0
connected bravo
expect behind on bravo rblk status r0
on bravo rblk resync --pause r0
eventually 10 on bravo rblk resync r0 alpha
eventually 10 is_total
between "$(total)" $((6 * mib)) $((24 * mib)) "are compared"
on bravo rblk resync --resume r0
level bravo
[ "$(peer_number bravo alpha lacks_bytes)" = 0 ] || fail "something is lacking still"
same

say "of a node whose log says nothing it is not known where it differs"
on alpha rblk down r0
dd if=/dev/zero of="$(disk alpha)" bs=4k seek=32 count=64 oflag=direct conv=notrunc status=none
on bravo rblk demote r0
on bravo rblk down r0
on bravo rblk up r0
on alpha rblk up r0
connected alpha
on alpha rblk promote r0
on alpha rblk wait --for uptodate --timeout "$(patient 20)" r0
write alpha 30 1
dd if="$(disk alpha)" of=/tmp/metadata bs=1M count=1 iflag=direct status=none
on alpha rblk down --force r0
dd if=/tmp/metadata of="$(disk alpha)" bs=1M oflag=direct conv=notrunc status=none
dd if=/dev/zero of="$(disk alpha)" bs=4k seek=32 count=64 oflag=direct conv=notrunc status=none
on bravo rblk promote r0
write bravo 70 1
on alpha rblk up r0
connected bravo
refused 1 "not known where the peer differs" on bravo rblk resync r0 alpha
on bravo rblk resync --full r0 alpha
level bravo
same

say "a disk that was set back does not tell all"
on bravo rblk demote r0
on alpha rblk promote r0
on alpha rblk wait --for uptodate --timeout "$(patient 20)" r0
dd if="$(disk alpha)" of=/tmp/image bs=1M iflag=direct status=none
write alpha 90 2
on alpha rblk down --force r0
dd if=/tmp/image of="$(disk alpha)" bs=1M oflag=direct conv=notrunc status=none
on bravo rblk promote r0
write bravo 75 1
on alpha rblk up r0
connected bravo
refused 1 "not known where the peer differs" on bravo rblk resync r0 alpha
dmesg | grep -q "a disk of alpha was set back" || fail "nobody said that a disk was set back"
on bravo rblk resync --full r0 alpha
level bravo
same

say "a branch is given up: what both wrote of their own is compared"
on bravo rblk demote r0
on alpha rblk promote r0
on alpha rblk wait --for uptodate --timeout "$(patient 20)" r0
on alpha rblk disconnect r0 bravo
write alpha 40 2
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk promote r0
write bravo 80 2
on bravo rblk resync --pause r0
on alpha rblk up r0
connected bravo
expect diverged on bravo rblk status r0 || true
on alpha rblk connect --discard-mine r0
eventually 10 is_total
between "$(total)" $((4 * mib)) $((24 * mib)) "are compared after a fork"
on bravo rblk resync --resume r0
level bravo
same
on bravo rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
