# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# Both nodes were primary apart and wrote: they refuse each other and say where they
# parted and how much each has of its own. One gives up its branch: both are the
# same again, only what differed was moved. Nobody else can be made to give up
# anything, and an interruption on the way ends in the same.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 64
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count="$3" seek="$2" oflag=direct status=none; }
discard() { on "$1" rblk connect --discard-mine r0; }
examine() { rblk md examine "$(disk "$1")"; }
apart() {
	on alpha rblk disconnect r0
	on bravo rblk disconnect r0
	on bravo rblk promote --force r0
}
parted() {
	on alpha rblk demote r0
	on alpha rblk connect r0
	on bravo rblk connect r0
	connected alpha bravo
	[ "$(data_of alpha)" = consistent ]
}

say "no fork: nothing to discard"
promote_first alpha
put alpha 0 64
level alpha
refused 1 "there is no fork" discard bravo
refused 1 "primary" discard alpha
[ "$(data_of bravo)" = consistent ]

say "both write, 32 and 48 blocks, 16 of them the same"
apart
put alpha 16 32
put bravo 32 48
on alpha rblk connect r0
on bravo rblk connect r0
# they try again every second, and status says nothing of a fork meanwhile
sees_both() {
	on "$1" rblk status r0 >"/tmp/status-$1"
	grep 'two primaries' "/tmp/status-$1"
}
for node in alpha bravo; do eventually 20 sees_both $node; done
grep "alpha has 32 operations of its own, bravo 48" /tmp/status-alpha
# since when, by their clocks, which are one here
wrote() {
	local day time
	read -r day time <<<"$(grep -o "$2 operations* of its own (primary since [^)]*\|$2 (primary since [^)]*" "/tmp/status-$1" |
		head -n 1 | sed 's/.*since //; s/ UTC//')"
	date -u -d "$day $time" +%s
}
grep "rblk connect --discard-mine r0" /tmp/status-alpha
for node in alpha bravo; do
	[ "$(wrote $node 32)" -le "$(wrote $node 48)" ] || fail "alpha was promoted first"
	[ $(($(date +%s) - $(wrote $node 48))) -le 100 ] || fail "bravo was promoted just now"
done
grep -q "of its own (primary since 20" /tmp/rblkd-alpha.log /tmp/rblkd-bravo.log ||
	fail "no daemon logs since when"
grep -q "after seq 64 " /tmp/rblkd-alpha.log /tmp/rblkd-bravo.log ||
	fail "no daemon logs where they parted"
refused 1 "is primary" discard alpha

say "the loser is a backup: still nothing is called equal"
parted
expect diverged on bravo rblk status r0
expect "alpha has 32 operations of its own" on alpha rblk status r0
expect "after seq 64 " on bravo rblk status r0
expect "'rblk connect --discard-mine r0 bravo' on alpha" on bravo rblk status r0
! on bravo rblk wait --for uptodate --timeout 2 r0 || fail "diverged data was called up to date"
refused 1 "primary" discard bravo

say "it gives up what only it has"
was=$(peer_number bravo alpha sent_bytes)
discard alpha
level bravo
moved=$(($(peer_number bravo alpha sent_bytes) - was))
[ "$moved" -ge $((64 * 65536)) ] || fail "$moved bytes moved: less than what differed"
[ "$moved" -le $((80 * 65536)) ] || fail "$moved bytes moved: much more than what differed"
[ "$(data_of alpha)" = consistent ]
identical /dev/ram0 /dev/ram1
refused 1 "there is no fork" discard alpha

say "again, and the link is lost at once"
on bravo rblk demote r0
on alpha rblk promote r0
level alpha
apart
put alpha 200 16
put bravo 300 16
parted
discard alpha
on bravo rblk disconnect r0
on alpha rblk down r0
expect inconsistent examine alpha
on alpha rblk up r0
refused 1 inconsistent on alpha rblk promote r0
on bravo rblk connect r0
connected alpha bravo
level bravo

say "the branch of the lower generation is to stay"
on bravo rblk demote r0
on alpha rblk promote r0
level alpha
apart
exec 7<>"$(device alpha)"	# which is not to be demoted for it
put alpha 400 8
put bravo 500 8
on alpha rblk connect r0
on bravo rblk connect r0
says_so() { on alpha rblk status r0 | grep "on the other node 'rblk demote r0', then 'rblk connect --discard-mine r0'"; }
eventually 20 says_so
on bravo rblk demote r0
connected alpha bravo
expect "bravo has 8 operations of its own" on bravo rblk status r0
expect diverged on alpha rblk status r0
discard bravo
exec 7>&-
level alpha
on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
identical /dev/ram0 /dev/ram1
history() { examine "$1" | grep "generation [0-9]* from"; }
[ "$(history alpha)" = "$(history bravo)" ] || fail "the histories differ"
! grep "protocol error" /tmp/rblkd-alpha.log /tmp/rblkd-bravo.log || fail "a frame of an earlier link came before HELLO"
