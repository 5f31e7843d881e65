# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# A node that ended without notice knows what it has at least. Only the primary
# that sent it all may take that for everything; nobody else calls it equal.
# Taking an image of a disk in use and putting it back is a power cut, or a
# snapshot that was restored.

rblk_metadata=start
two_nodes 16
promote_first alpha
write() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek="$2" oflag=direct conv=fsync status=none; }
unflushed() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek="$2" oflag=direct status=none; }
uptodate() { on "$1" rblk wait --for uptodate --timeout "$(patient "${2:-20}")" r0; }
image() { blockdev --flushbufs "$(disk "$1")"; dd if="$(disk "$1")" of="/tmp/$1" bs=1M status=none; }
# power_cut NODE: it is as when the image was taken
power_cut() {
	on "$1" rblk down --force r0
	dd if="/tmp/$1" of="$(disk "$1")" bs=1M conv=fsync status=none
	on "$1" rblk up r0
}
position() { rblk md examine "$(disk "$1")" | awk '$1 == "position" { print $2 }'; }
level() {
	uptodate "$1" 3 || {
		expect "$3" on "$1" rblk status r0
		on "$1" rblk resync --full r0 "$2"
		uptodate "$1"
	}
}

say "a backup, after a flush: its position is on its disk"
write alpha 0
[ "$(position bravo)" -ge 8 ] || fail "the flush left no position: $(position bravo)"
image bravo
power_cut bravo
connected alpha
uptodate alpha

say "a backup, which had more than it says"
write alpha 20
unflushed alpha 40
image bravo
power_cut bravo
connected alpha
level alpha bravo "missed writes"

say "another primary does not know what it had"
unflushed alpha 60
image bravo
on bravo rblk down r0
on alpha rblk demote r0
on alpha rblk promote r0
dd if=/tmp/bravo of=/dev/ram1 bs=1M conv=fsync status=none
on bravo rblk up r0
expect unclean on bravo rblk status r0
connected alpha
level alpha bravo "ended without notice"

say "a primary is never the same as anyone"
write alpha 80
image alpha
on alpha rblk disconnect r0
on bravo rblk promote r0
power_cut alpha
expect unclean on alpha rblk status r0
on bravo rblk connect r0
on alpha rblk connect r0
connected bravo
! on bravo rblk wait --for uptodate --timeout 3 r0 ||
	fail "a primary that crashed is called up to date"
expect "ended without notice" on bravo rblk status r0
on bravo rblk resync --full r0 alpha
uptodate bravo
on bravo rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1

say "the whole cluster: nobody is the same as the one that is promoted"
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
on alpha rblk promote r0
write alpha 0
image alpha
image bravo
on bravo rblk down r0
power_cut alpha
dd if=/tmp/bravo of=/dev/ram1 bs=1M conv=fsync status=none
on bravo rblk up r0
connected alpha bravo
on alpha rblk promote r0
! on alpha rblk wait --for uptodate --timeout 3 r0 ||
	fail "called up to date after both crashed"
on alpha rblk resync --full r0 bravo
uptodate alpha
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
