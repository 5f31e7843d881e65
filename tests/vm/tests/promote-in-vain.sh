# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# A backup that is cut off is promoted, writes nothing, and is a backup again: the
# primary, of which it did not hear, has a lower generation. It goes on, in use all
# the time, takes a higher one and is followed by all. Not so where the promotion was
# not the backup's own: whom it promised to follow may have written something.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
three_nodes 16
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek="$2" oflag=direct status=none; }
apart() {
	local node
	for node in "$@"; do on "$node" rblk disconnect r0; done
}
together() {
	local node
	for node in "$@"; do on "$node" rblk connect r0; done
}
in_vain() {
	on "$1" rblk promote r0
	on "$1" rblk demote r0
	[ "$(promised "$1")" -gt "$(promised alpha)" ] || fail "$1 promised nothing higher"
}
promote_first alpha
put alpha 0
level alpha

say "the one that was promoted in vain comes back, to the other backup first"
exec 7<>"$(device alpha)"
apart bravo
in_vain bravo
put alpha 8
on charlie rblk disconnect r0 alpha
together bravo
eventually 20 grep "r0 bravo: connected" /tmp/rblkd-charlie.log
on charlie rblk connect r0 alpha
level alpha
[ "$(promised alpha)" -ge "$(promised bravo)" ] || fail "alpha's disk does not know its generation"
put alpha 16
level alpha
! grep "demote" /tmp/rblkd-*.log || fail "somebody was asked to demote"
dmesg | grep "r0: goes on as generation"

say "the other one followed it: it promised somebody else"
apart alpha
on bravo rblk promote r0
eventually 20 eval '[ "$(promised charlie)" = "$(promised bravo)" ]'
on bravo rblk disconnect r0
on charlie rblk disconnect r0 bravo
on alpha rblk connect r0 charlie
refuses() { on charlie rblk status r0 | grep "promised to follow a higher generation"; }
eventually 20 refuses

say "until that one says that nothing came of it"
on bravo rblk demote r0
together alpha bravo charlie
level alpha
put alpha 24
level alpha
exec 7>&-
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"
identical "$(disk alpha)" "$(disk charlie)"
