# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# A short outage is caught up from the log: what was written meanwhile is all
# that moves, in order, and the backup holds a state of the primary at every
# moment.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/outage.sh"

crash_blocks=1024
crash_log_size=256MiB
crash_nodes -m 8 alpha bravo
watch_data bravo

say "nobody writes but we"
on alpha rblk disconnect r0 bravo
was=$(peer_number alpha bravo sent_bytes)
for i in {1..20}; do
	dd if=/dev/urandom of=/dev/rblk0 bs=16k count=1 seek=$((i * 7)) oflag=direct status=none
done
expect "behind" on alpha rblk status r0
on alpha rblk connect r0 bravo
level alpha
moved=$(($(peer_number alpha bravo sent_bytes) - was))
[ "$moved" -ge $((20 * 16384)) ] || fail "$moved bytes moved: fewer than were missed"
[ "$moved" -le $((20 * 16384 + 40000)) ] || fail "$moved bytes moved: more than were missed"
[ "$(peer_number alpha bravo lacks_bytes)" = 0 ] || fail "something is lacking still"
identical /dev/ram0 /dev/ram1

say "a chain is written while the link goes and comes"
blkdiscard -z /dev/rblk0
write_on alpha --dependent --depth 1
crash-check watch --blocks $crash_blocks --seconds 8 --image /dev/ram1 >/tmp/watch 2>&1 &
watcher=$!
for i in 1 2 3; do
	eventually 20 written $((i * 20000))
	on alpha rblk disconnect r0 bravo
	on alpha rblk connect r0 bravo
	level alpha
done
wait $watcher || fail "the backup was in a state that the primary never had: $(cat /tmp/watch)"
stop_writer
never_inconsistent bravo
identical /dev/ram0 /dev/ram1
