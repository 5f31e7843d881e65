# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# The disk of a backup goes back to an earlier moment of a resync. Its position is
# what it was, as nothing was written: it is found out all the same, and compared.

. "$top/tests/vm/lib/outage.sh"

say() { echo "-- $(date +%T) $*"; }
lacks_less_than() { [ "$(peer_number alpha bravo lacks_bytes)" -lt "$1" ]; }
position() { rblk md examine "$(disk bravo)" | awk '$1 == "position" { print $2 }'; }
slowly() { netem alpha bravo rate $((16 / $(patient 1)))mbit; }
is_named() { dmesg | grep "set back to an earlier moment of a resync"; }
stop() {
	on bravo rblk down --force r0
	blockdev --flushbufs "$(disk bravo)"
	rblk md examine "$(disk bravo)" | grep -E "^data +inconsistent" ||
		fail "the resync was through before it was stopped"
}

rblk_metadata=start
two_nodes 48
promote_first alpha
on alpha rblk disconnect r0 bravo
fio --name=all --filename=/dev/rblk0 --direct=1 --rw=write --bs=256k --size=40m \
	--ioengine=libaio --iodepth=4 --output=/tmp/fio-all
forgive_kernel_log
slowly

say "a first part of it"
on alpha rblk connect r0 bravo
eventually 60 lacks_less_than $((35 << 20))
stop
image=$(mktemp)
dd if="$(disk bravo)" of="$image" bs=1M status=none
was=$(position)

say "a second part, then back to the first"
on bravo rblk up r0
connected alpha
eventually 60 lacks_less_than $((27 << 20))
stop
[ "$(position)" = "$was" ] || fail "the position moved from $was to $(position): nothing to see here"
dd if="$image" of="$(disk bravo)" bs=1M conv=fsync status=none
netem alpha bravo
on bravo rblk up r0
connected alpha
eventually 10 is_named
level alpha
identical /dev/ram0 /dev/ram1

say "a crash in the middle is not taken for that"
on alpha rblk disconnect r0 bravo
fio --name=again --filename=/dev/rblk0 --direct=1 --rw=write --bs=256k --size=40m \
	--ioengine=libaio --iodepth=4 --output=/tmp/fio-again
dmesg -C
slowly
on alpha rblk connect r0 bravo
eventually 60 lacks_less_than $((35 << 20))
stop
netem alpha bravo
on bravo rblk up r0
level alpha
! dmesg | grep "set back" || fail "that was a crash"
identical /dev/ram0 /dev/ram1
