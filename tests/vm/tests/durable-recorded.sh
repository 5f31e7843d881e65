# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# What a backup made durable it has not always recorded: its position is written with
# a flush after 16 MiB. When its power fails in between, what was flushed is there, the
# primary still knows what else may not be, and who is promoted without it has all.
# Putting back an image of a disk in use is a power cut.

. "$top/tests/vm/lib/outage.sh"

say() { echo "-- $(date +%T) $*"; }
# 512 KiB, in one extent of the activity log: that does not go on
fresh() { dd if=/dev/urandom of=/tmp/new bs=64k count=8 status=none; }
put() { dd if=/tmp/new of="$(device alpha)" bs=64k oflag=direct "$@" status=none; }
recorded() { rblk md examine "$(disk bravo)" | awk '$1 == "position" { print $2 }'; }
undurable() { peer_number alpha bravo undurable_bytes; }
nothing_undurable() { [ "$(undurable)" = 0 ]; }
image() { blockdev --flushbufs "$(disk bravo)"; dd if="$(disk bravo)" of=/tmp/image bs=1M status=none; }
power_cut_bravo() {
	on bravo rblk down --force r0
	dd if=/tmp/image of="$(disk bravo)" bs=1M conv=fsync status=none
	on bravo rblk up r0
}
not_set_back() { ! dmesg | grep "set back" || fail "that was a power cut"; }

rblk_metadata=start
two_nodes 16
promote_first alpha
level alpha
fresh
put conv=fsync
eventually 10 all_is_durable alpha bravo

say "a flush without a record: all is durable, and the primary remembers it"
was=$(recorded)
fresh
put conv=fsync
eventually 10 all_is_durable alpha bravo
[ "$(recorded)" = "$was" ] || fail "the position moved from $was to $(recorded) for 512 KiB"
[ "$(undurable)" -ge $((512 << 10)) ] || fail "the primary has forgotten all but $(undurable) bytes"

say "the backup's power fails"
image
power_cut_bravo
connected alpha
level alpha
not_set_back
identical /dev/ram0 /dev/ram1

say "after 16 MiB there is a record, and nothing to remember"
was=$(recorded)
for _ in {1..32}; do put; done
put conv=fsync
eventually 10 all_is_durable alpha bravo
[ "$(recorded)" -gt "$was" ] || fail "the position is still $was"
eventually 10 nothing_undurable

say "both lose power after a flush without a record: the backup alone has it"
fresh
put conv=fsync
eventually 10 all_is_durable alpha bravo
image
on alpha rblk down --force r0
power_cut_bravo
expect unclean on bravo rblk status r0
on bravo rblk promote r0
cmp -n $((512 << 10)) /tmp/new "$(device bravo)" || fail "what was flushed is not there"
on alpha rblk up r0
connected bravo
on bravo rblk resync --full --force r0 alpha
level bravo
not_set_back
identical /dev/ram0 /dev/ram1
