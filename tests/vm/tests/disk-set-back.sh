# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 300
#
# The disk of a primary is copied while it works, and put back later: that looks like
# a crash at the moment of the copy. What its peer saw of the activity log since says
# otherwise, and then everything is compared, not only what the copy calls active.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 64
promote_first alpha
level alpha
write() { # MIB COUNT
	dd if=/dev/urandom of="$(device alpha)" bs=1M seek="$1" count="$2" oflag=direct conv=notrunc status=none
}
image() { dd if="$(disk alpha)" of=/tmp/image bs=1M iflag=direct status=none; }
put_back() {
	on alpha rblk down --force r0
	dd if=/tmp/image of="$(disk alpha)" bs=1M oflag=direct conv=notrunc status=none
	on alpha rblk up r0
	[ "$(data_of alpha)" = unclean ] || fail "alpha's data is $(data_of alpha)"
}
named() { dmesg | grep -c "disk was set back: bravo saw transaction" || true; }
# Bravo comes back, and was named so often
meet() {
	on bravo rblk connect r0
	level alpha
	[ "$(peer_number alpha bravo lacks_bytes)" = 0 ] || fail "something is lacking still"
	[ "$(named)" = "$1" ] || fail "the disk was said to be set back $(named) times, not $1"
	sync "$(device alpha)"
	cmp <(dd if="$(disk alpha)" bs=1M skip=1 iflag=direct status=none) \
		<(dd if="$(disk bravo)" bs=1M skip=1 iflag=direct status=none) ||
		fail "the replicas differ"
}

say "the primary goes on, or was demoted in order: no disk was set back"
write 40 2
on bravo rblk disconnect r0
write 44 1
meet 0
on alpha rblk demote r0
on bravo rblk disconnect r0
on bravo rblk connect r0
connected alpha
[ "$(named)" = 0 ] || fail "the disk was said to be set back"
on alpha rblk promote r0
level alpha

say "what was written since was active already: only that is compared"
write 5 2
image
write 5 2
on bravo rblk disconnect r0
put_back
on alpha rblk promote r0
lacks=$(peer_number alpha bravo lacks_bytes)
[ "$lacks" -le $((16 << 20)) ] || fail "$lacks bytes are to be compared"
meet 0

say "something else was written since, and bravo was down meanwhile"
image
write 30 4
on bravo rblk down r0
put_back
on alpha rblk promote r0
on bravo rblk up r0
meet 1

say "and the node crashed once more before bravo came"
image
write 50 4
on bravo rblk disconnect r0
put_back
on alpha rblk promote r0
write 20 1
image
put_back
on alpha rblk promote r0
meet 2

say "it was not promoted before bravo came"
image
write 10 2
put_back
connected alpha
on alpha rblk promote r0
level alpha
[ "$(named)" = 3 ] || fail "the disk was said to be set back $(named) times, not 3"
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
