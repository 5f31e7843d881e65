# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# A resync is interrupted again and again, while the application writes: it goes
# on where it was, and the backup stays inconsistent until the end.

. "$top/tests/vm/lib/outage.sh"

say() { echo "-- $(date +%T) $*"; }
lacks() { peer_number alpha bravo lacks_bytes; }
lacks_less_than() { [ "$(lacks)" -lt "$1" ]; }
is_resyncing() { [ "$(on alpha rblk status --json r0 | tr -d ' ,' | sed -n 's/^"replication":"\(.*\)"$/\1/p')" = resync ]; }
touch_blocks() {
	fio --name="$1" --filename=/dev/rblk0 --direct=1 --rw=randwrite --bs=64k \
		--size="$2" --ioengine=libaio --iodepth=4 --output="/tmp/fio-$1"
}

two_nodes 64
promote_first alpha
on alpha rblk disconnect r0 bravo
touch_blocks away 56m
touched=$(lacks)
was=$(peer_number alpha bravo sent_bytes)
# slow enough to look at it while it runs
netem alpha bravo rate $((20 / $(patient 1)))mbit

say "cut as soon as it begins"
on alpha rblk connect r0 bravo
eventually 20 is_resyncing
on alpha rblk disconnect r0 bravo
[ "$(data_of bravo)" = inconsistent ]

say "cut in the middle, twice, with writes before, during and after"
for i in 1 2; do
	touch_blocks "before-$i" 1m
	on alpha rblk connect r0 bravo
	eventually 20 is_resyncing
	touch_blocks "during-$i" 2m &
	eventually 60 lacks_less_than $((touched - i * (8 << 20)))
	on alpha rblk disconnect r0 bravo
	wait $!
	[ "$(lacks)" -gt 0 ] || fail "the resync was through before it was cut"
	[ "$(data_of bravo)" = inconsistent ]
	refused 1 inconsistent on bravo rblk promote r0
done

say "and to the end"
netem alpha bravo
on alpha rblk connect r0 bravo
level alpha
[ "$(data_of bravo)" = consistent ]
[ "$(lacks)" = 0 ] || fail "something is lacking still"
moved=$(($(peer_number alpha bravo sent_bytes) - was))
say "$moved bytes moved for $touched that were touched"
# what was touched, the writes, and for each cut what was not confirmed; to start over
# each time is 24 MiB more
[ "$moved" -le $((touched + (6 << 20) + 3 * (6 << 20))) ] ||
	fail "it starts over"
identical /dev/ram0 /dev/ram1
