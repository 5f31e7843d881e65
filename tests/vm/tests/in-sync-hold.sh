# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# A write is reported only when each node of the in-sync set has it: one that is
# away is waited for until it has caught up, or is out of the set.

. "$top/tests/vm/lib/outage.sh"

two_nodes 16
promote_first alpha
a=$(device alpha)
write() { dd if=/dev/urandom of="$a" bs=16k count=1 seek="$1" oflag=direct conv=fsync status=none; }
held_by() { on alpha rblk status --json r0 | grep "\"held_by\": \"$1\""; }
mandate() { on alpha "$top/build/vm/bin/mandate" "$@"; }
away() { on alpha rblk disconnect r0 bravo; }
back() { on alpha rblk connect r0 bravo; }
begin_held() {
	write "$1" 2>/dev/null &
	writer=$!
	eventually 10 held_by "$2"
	sleep 0.5
	kill -0 $writer || fail "a write ended that had to wait"
}
held_until_back_with_nothing() {
	away
	begin_held 5 "in-sync set"
	on bravo rblk down r0
	on bravo rblk up r0
	back
	connected alpha bravo
}

say "refusals change nothing"
refused 1 "lacks this node" mandate set r0 in-sync=2
refused 1 "is no peer" mandate set r0 in-sync=9
refused 1 "this is a backup" on bravo "$top/build/vm/bin/mandate" set r0 in-sync=3
expect '"in_sync": null' on alpha rblk status --json r0

say "all are there"
mandate set r0 in-sync=3
refused 1 "take it out first" mandate del-peer r0 1
write 1
expect "in sync alpha bravo" on alpha rblk status r0

say "one is away, and out of the set"
away
begin_held 2 "in-sync set"
expect "a node of the in-sync set is away" cat /sys/kernel/debug/rblk/*-r0/in_flight
mandate set r0 in-sync=1
wait $writer
write 3
back
level alpha

say "one is away, and comes back"
mandate set r0 in-sync=3
away
begin_held 4 "in-sync set"
back
wait $writer
level alpha

say "it comes back with nothing: it is copied to, and not waited for meanwhile"
held_until_back_with_nothing
held_by "in-sync set" || fail "it was reported, and the other node has nothing"
on alpha rblk resync --full r0 bravo
wait $writer
level alpha
identical /dev/ram0 /dev/ram1

say "but where two nodes are needed a write does wait for the copy, which passes over it"
mandate set r0 in-sync=3 min=2
on alpha rblk resync --pause r0 bravo
held_until_back_with_nothing
on alpha rblk resync --full r0 bravo
eventually 10 held_by min-in-sync
expect "too few nodes are in sync" cat /sys/kernel/debug/rblk/*-r0/in_flight
kill -0 $writer || fail "a write ended on one node while the other was copied to"
on alpha rblk resync --resume r0 bravo
wait $writer
level alpha
identical /dev/ram0 /dev/ram1
mandate set r0 min=0

say "new writes need two nodes"
mandate set r0 in-sync=1 min=2
begin_held 6 "min-in-sync"
mandate set r0 in-sync=3
wait $writer
level alpha
mandate set r0 in-sync=1 min-error=1
! write 7 2>/dev/null || fail "written to too few nodes"
mandate set r0 in-sync=3 min=0
write 7

say "so it is with a node of the set to which protocol A leads"
sed -i 's/protocol = C/protocol = A/' /etc/rblk/rblk.conf
for node in alpha bravo; do on $node rblk adjust r0; done
write 8
away
begin_held 9 "in-sync set"
back
wait $writer
level alpha
mandate set r0 in-sync=1
away
write 10
back
level alpha
mandate set r0 in-sync=3
write 11

say "demote --force ends what waits, with an error"
away
begin_held 12 "in-sync set"
on alpha timeout "$(patient 20)" rblk demote --force r0
! wait $writer || fail "acknowledged without the node of the in-sync set"

back
on alpha rblk down r0
on bravo rblk down r0
