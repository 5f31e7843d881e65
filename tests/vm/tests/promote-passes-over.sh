# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# A promotion with an in-sync set asks only the nodes in it: neither a primary that
# does not answer any more nor another silent peer refuses or delays it.

three_nodes 8
promote_first alpha
write() { dd if=/dev/urandom of="$(device "$1")" bs=4k count=1 oflag=direct status=none; }
mandate() {
	local node=$1
	shift
	on "$node" "$top/build/vm/bin/mandate" "$@"
}
gen() { on "$1" rblk status --json r0 | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p'; }
first() { on "$1" rblk status --json r0 | sed -n 's/.*"first_write_ns": *\([0-9]*\).*/\1/p'; }
[ "$(first alpha)" = 0 ] || fail "no write was reported in this term"
write alpha
[ "$(first alpha)" -gt 0 ] || fail "the first write is not known"
on alpha rblk wait --for uptodate --timeout "$(patient 30)" r0

next=$(($(gen bravo) + 16))
refused 1 "another node is primary" mandate bravo promote r0 $next in-sync=3
# both links are up for bravo, and nobody is there
cut bravo alpha
cut bravo charlie
ms=$(mandate bravo promote r0 $((next + 16)) in-sync=2 leased=1 lease=600000)
say "promoted after $ms ms"
[ "$ms" -lt "$(patient 4)000" ] || fail "it waited for those who were passed over"
write bravo
expect "leased  in sync bravo" on bravo rblk status r0
[ "$(first bravo)" -gt 0 ] || fail "the first write is not known"
mend bravo alpha
mend bravo charlie
for n in alpha bravo charlie; do on $n rblk down --force r0; done
