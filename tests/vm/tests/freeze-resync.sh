# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# long: yes
# timeout: 600
#
# In the middle of a resync a machine stands still, a moment or longer than its peer
# waits, the backup or the primary: the resync is completed, a backup that is half
# overwritten is not promoted, and the replicas are equal.

# shellcheck disable=SC2034 # for lib/rblk.sh
rblk_metadata=start
. "$top/tests/vm/lib/outage.sh"

guest --disk 24M alpha bravo
rblk_machines alpha bravo
for node in alpha bravo; do
	# so that little is enough for a resync
	on $node "sed -i 's/protocol = C/&\n    log-size = 1MiB/' /etc/rblk/rblk.conf"
	on $node rblk adjust r0
done
on alpha rblk promote --assume-clean r0
level alpha

word() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n "s/^\"$2\":\"\([a-z]*\)\"\$/\1/p" | tail -n 1; }
is_copying() { [ "$(word alpha replication)" = resync ]; }
is_connected() { [ "$(word "$1" connection)" = connected ]; }
is_down() { ! is_connected "$1"; }
copied_some() { [ "$(peer_number alpha bravo resync_done_bytes)" -ge $((1 << 20)) ]; }

# bravo misses 12 MiB, is sent them at 2 Mbit/s, and has some of it
begin() {
	on alpha rblk disconnect r0 bravo
	on alpha dd if=/dev/urandom of=/dev/rblk0 bs=256k count=48 seek=4 oflag=direct status=none
	touched=$(peer_number alpha bravo lacks_bytes)
	was=$(peer_number alpha bravo sent_bytes)
	on alpha tc qdisc replace dev bravo root netem limit 100000 rate 2mbit
	on alpha rblk connect r0 bravo
	eventually 30 is_copying
	eventually 60 copied_some
	is_copying || fail "the resync was over before anything happened"
}

finish() {
	local moved
	on alpha tc qdisc del dev bravo root
	on alpha rblk connect r0 bravo
	connected alpha
	level alpha
	[ "$(data_of bravo)" = consistent ] || fail "bravo is $(data_of bravo)"
	moved=$(($(peer_number alpha bravo sent_bytes) - was))
	# twice no more than what had not been confirmed
	[ "$moved" -le $((touched + (8 << 20))) ] ||
		fail "$moved bytes moved for $touched that were touched"
	on alpha sync /dev/rblk0
	cmp -i 1048576 "$vm_dir/alpha/disk0" "$vm_dir/bravo/disk0" || fail "the replicas differ"
}

say "bravo, for a moment"
begin
freeze bravo
sleep 2
thaw bravo
finish

say "bravo, for longer than alpha waits"
begin
freeze bravo
eventually 90 is_down alpha
on alpha dd if=/dev/urandom of=/dev/rblk0 bs=4k count=4 seek=100 oflag=direct status=none
thaw bravo
finish

say "alpha, for longer than bravo waits"
begin
freeze alpha
eventually 90 is_down bravo
[ "$(data_of bravo)" = inconsistent ] || fail "bravo is $(data_of bravo) in the middle of it"
refused 1 inconsistent on bravo rblk promote r0
thaw alpha
finish
