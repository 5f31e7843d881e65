# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# timeout: 400
# kernels: newest
# long: yes
#
# A resync is paused, and interrupted by each kind of fault. It goes on where
# it was, is level in the end, and the replicas are equal.

. "$top/tests/vm/lib/outage.sh"

say() { echo "-- $(date +%T) $*"; }
lacks() { peer_number alpha bravo lacks_bytes; }
lacks_less_than() { [ "$(lacks)" -lt "$1" ]; }
state_is() { [ "$(on alpha rblk status --json r0 | tr -d ' ,' | sed -n "s/^\"$1\":\"\\?\\([^\"]*\\)\"\\?\$/\\1/p" | tail -n 1)" = "$2" ]; }
is_down() { ! state_is connection connected; }
touch_blocks() {
	fio --name="$1" --filename=/dev/rblk0 --direct=1 --rw=randwrite --bs=64k \
		--randseed=7 --size=56m --ioengine=libaio --iodepth=4 --output="/tmp/fio-$1"
}

# bravo misses more than the log keeps for it, and is sent them at 24 Mbit/s
begin() {
	netem alpha bravo
	on alpha rblk disconnect r0 bravo
	touch_blocks "$1"
	touched=$(lacks)
	was=$(peer_number alpha bravo sent_bytes)
	netem alpha bravo rate 24mbit
	on alpha rblk connect r0 bravo
	eventually 20 state_is replication resync
	eventually 60 lacks_less_than $((touched - (7 << 20)))
}

# @1: may be sent beyond what was touched
finish() {
	local moved
	netem alpha bravo
	on alpha rblk connect r0 bravo
	connected alpha
	level alpha
	[ "$(data_of bravo)" = consistent ]
	[ "$(lacks)" = 0 ] || fail "something is lacking still"
	moved=$(($(peer_number alpha bravo sent_bytes) - was))
	[ "$moved" -le $((touched + $1)) ] ||
		fail "$moved bytes moved for $touched that were touched: it starts over"
	identical /dev/ram0 /dev/ram1
}

rblk_metadata=start
two_nodes 64
promote_first alpha

say "paused, over a lost link"
begin paused
on alpha rblk resync --pause r0 bravo
sleep 2
left=$(lacks)
state_is resync_paused true
on alpha rblk status r0 | grep -F paused
sleep 3
[ "$(lacks)" = "$left" ] || fail "a paused resync goes on"
[ "$left" -gt 0 ] || fail "it was over before the pause"
echo "a write goes through" | dd of=/dev/rblk0 oflag=direct conv=sync bs=4k status=none
on alpha rblk disconnect r0 bravo
on alpha rblk connect r0 bravo
eventually 20 state_is replication resync
sleep 2
[ "$(lacks)" -ge "$left" ] || fail "it forgot the pause with the link"
refused 1 "only the primary" on bravo rblk resync --pause r0 alpha
on alpha rblk resync --resume r0
finish $((12 << 20))

for kind in cut half-open daemon down-there; do
	say "$kind"
	begin "$kind"
	case $kind in
	cut)
		cut alpha bravo
		eventually 60 is_down
		;;
	half-open)
		cut bravo alpha one-way
		eventually 60 is_down
		;;
	daemon)
		for pid in $(ip netns pids bravo); do
			[ "$(cat "/proc/$pid/comm")" != rblkd ] || kill -9 "$pid"
		done
		on alpha rblk disconnect r0 bravo
		start_daemon bravo
		on bravo rblk up r0
		;;
	down-there)
		on bravo rblk down r0
		on bravo rblk up r0
		;;
	esac
	finish $((12 << 20))
done
