# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# A node that was taken down in order comes back as what it was: nothing is
# copied when nothing was missed, and nobody says --assume-clean again.

rblk_metadata=start
two_nodes
write() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek="$2" oflag=direct conv=fsync status=none; }
uptodate() { on "$1" rblk wait --for uptodate --timeout "$(patient 20)" r0; }
examine() { rblk md examine "$(disk "$1")"; }
restart() {
	local node
	for node in "$@"; do on "$node" rblk down r0; done
	for node in "$@"; do on "$node" rblk up r0; done
	connected "$@"
}

expect "new" examine alpha
refused 1 "assume-clean" on alpha rblk promote r0
promote_first alpha
expect "not clean: was primary" examine alpha
write alpha 0

say "a backup"
expect "not clean: may hold more" examine bravo
restart bravo
uptodate alpha
write alpha 20
on bravo rblk down r0
expect "consistent, clean" examine bravo
on bravo rblk up r0
connected bravo
uptodate alpha

say "the primary, demoted"
on alpha rblk demote r0
expect "consistent, clean" examine alpha
restart alpha
on alpha rblk promote r0
uptodate alpha
write alpha 40

say "both, and all that the daemon kept is lost"
on alpha rblk demote r0
before=$(examine bravo | awk '$1 == "promised" { print $2 }')
rm -f /var/lib/rblk-*/*.state
restart alpha bravo
on bravo rblk promote r0
[ "$(examine bravo | awk '$1 == "promised" { print $2 }')" -gt "$before" ] ||
	fail "generation $before was used again"
uptodate bravo
write bravo 60
on bravo rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1

say "one misses writes while it is away"
on alpha rblk up r0
on alpha rblk promote r0
write alpha 80
on bravo rblk up r0
connected alpha
if ! on alpha rblk wait --for uptodate --timeout 3 r0; then
	expect "missed writes" on alpha rblk status r0
	on alpha rblk resync --full r0 bravo
fi
uptodate alpha
restart bravo
uptodate alpha
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
