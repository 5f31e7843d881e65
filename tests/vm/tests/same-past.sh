# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A node goes back to a snapshot of all that it keeps, and is promoted once more, while
# its peer, which followed it in between, is away: two histories that were begun by the
# same node from the same place, and are as long. They are never taken for one.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 16
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek="$2" oflag=direct conv=fsync status=none; }
promote_first alpha
level alpha
put alpha 0
on alpha rblk demote r0
on alpha rblk down r0
cp -a /var/lib/rblk-alpha /tmp/kept
blockdev --flushbufs /dev/ram0
dd if=/dev/ram0 of=/tmp/image bs=1M status=none

on alpha rblk up r0
connected alpha
on alpha rblk promote r0
put alpha 16
level alpha
on bravo rblk down r0
on alpha rblk demote r0
on alpha rblk down r0

say "back to the past, and on from there"
for pid in $(ip netns pids alpha); do kill "$pid"; done
eventually 10 eval '[ -z "$(ip netns pids alpha)" ]'
rm -rf /var/lib/rblk-alpha
cp -a /tmp/kept /var/lib/rblk-alpha
dd if=/tmp/image of=/dev/ram0 bs=1M conv=fsync status=none
start_daemon alpha
on alpha rblk up r0
on alpha rblk promote r0
put alpha 16
on bravo rblk up r0
# Which of the two generations is the higher one, chance decides: bravo may refuse it.
told_apart() {
	on alpha rblk status r0 | grep -E "diverged|promised to follow a higher generation"
}
eventually 30 told_apart
rblk md examine /dev/ram0 | grep generation
rblk md examine /dev/ram1 | grep generation
! on alpha rblk wait --for uptodate --timeout 3 r0 || {
	cmp -s -i 1048576 /dev/ram0 /dev/ram1 || fail "two histories are called one, and the replicas differ"
}
told_apart
