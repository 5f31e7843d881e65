# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# Two nodes begin to copy to a third one, one after the other, and each is interrupted;
# then the first one, which does not know of the second, goes on. What the second
# one wrote in between, where the first was done already, does not stay.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
three_nodes 64
# begin_copy NODE RATE
begin_copy() {
	netem "$1" charlie rate "$2"
	on "$1" rblk connect r0 charlie
	on charlie rblk connect r0 "$1"
	eventually 20 is_copying "$1"
}
is_copying() { [ "$(replication_of "$1" charlie)" = resync ]; }
# that its first blocks are on charlie's disk
bravo_knows() {
	local lacks
	lacks=$(peer_number bravo charlie lacks_bytes)
	[ "$lacks" -gt 0 ] && [ "$lacks" -le $((36 << 20)) ]
}
promote_first alpha
level alpha
on charlie rblk disconnect r0
dd if=/dev/urandom of="$(device alpha)" bs=1M count=40 oflag=direct status=none

say "bravo copies to charlie"
on alpha rblk disconnect r0
on bravo rblk promote r0
begin_copy bravo 32mbit
eventually 60 bravo_knows
on bravo rblk disconnect r0 charlie
on bravo rblk demote r0
expect inconsistent data_of charlie

say "alpha does, and writes where bravo was done"
on alpha rblk demote r0
on alpha rblk connect r0 bravo
on bravo rblk connect r0 alpha
eventually 20 eval '[ "$(on bravo rblk status --json r0 | grep -c "\"connection\": \"connected\"")" = 1 ]'
on alpha rblk disconnect r0
on alpha rblk promote r0
begin_copy alpha 4mbit
blockdev --flushbufs "$(disk charlie)"
dd if="$(disk charlie)" of=/tmp/metadata bs=1M count=1 iflag=direct status=none
dd if=/dev/urandom of="$(device alpha)" bs=64k count=4 oflag=direct status=none
has_it() {
	blockdev --flushbufs "$(disk alpha)" "$(disk charlie)"
	cmp -s -n 262144 -i 1048576 "$(disk alpha)" "$(disk charlie)"
}
eventually 60 has_it

say "charlie loses power at that moment, before its metadata says that it has it"
blockdev --flushbufs "$(disk charlie)"
dd if="$(disk charlie)" of=/tmp/image bs=1M iflag=direct status=none
dd if=/tmp/metadata of=/tmp/image bs=1M conv=notrunc status=none
on charlie rblk down --force r0
dd if=/tmp/image of="$(disk charlie)" bs=1M oflag=direct status=none
on alpha rblk disconnect r0
on charlie rblk up r0
expect inconsistent data_of charlie
rblk md examine /tmp/image | grep -E "position|generation"

say "bravo goes on"
netem bravo charlie
on bravo rblk promote r0
# each time by chance it is higher than the last one of alpha, or not
until [ "$(promised bravo)" -gt "$(promised alpha)" ]; do
	on bravo rblk demote r0
	on bravo rblk promote r0
done
on bravo rblk connect r0 charlie
on charlie rblk connect r0 bravo
is_level() { [ "$(replication_of bravo charlie)" = uptodate ]; }
eventually 90 is_level
identical "$(disk bravo)" "$(disk charlie)"
