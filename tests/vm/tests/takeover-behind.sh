# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Three nodes. The primary vanishes, one backup takes over, and the other one lacks the last
# writes. The new primary remembers where those were, also across an orderly change of
# primary: they are copied, what came shortly before is compared, as it may not be durable, and
# nothing else. Beyond what it remembers all is compared.
# If it is the other one that has more, that one remembers: when it gives these writes up, only
# their places are compared.

. "$top/tests/vm/lib/outage.sh"

mib=$((1 << 20))
three_nodes 48
promote_first alpha

# so many writes of 4 KiB at random places of the first 40 MiB
put() {
	fio --name=put --filename="$(device "$1")" --direct=1 --rw=randwrite --bs=4k --size=40m \
		--io_size=$((4096 * $2)) --norandommap --ioengine=libaio --iodepth=8 --randrepeat=0 --refill_buffers \
		--output=/tmp/fio
}
total() { peer_number "$1" "$2" resync_total_bytes; }
peer_is() { on "$1" rblk status r0 | grep "$2" | grep "$3"; }
has_total() { [ -n "$(total "$1" "$2")" ]; }

is_diverged() { on "$1" rblk status r0 | grep diverged; }
# take_over OLD NEW OTHER LEAST MOST [discard]: so many bytes are copied or compared
take_over() {
	local bytes sent
	sent=$(peer_number "$2" "$3" sent_bytes)
	cut "$1" "$2"
	cut "$1" "$3"
	# slow enough to be seen
	netem "$2" "$3" rate 1mbit
	on "$2" rblk promote --force r0
	on "$2" rblk resync --pause r0 "$3"
	if [ "${6-}" = discard ]; then
		eventually 20 is_diverged "$2"
		on "$3" rblk connect --discard-mine r0 "$2"
	fi
	eventually 20 has_total "$2" "$3"
	bytes=$(total "$2" "$3")
	netem "$2" "$3"
	on "$2" rblk resync --resume r0 "$3"
	eventually 60 peer_is "$2" "$3" "up to date"
	say "$bytes bytes were copied or compared"
	[ "$bytes" -ge "$4" ] || fail "$bytes bytes: fewer than $4"
	[ "$bytes" -le "$5" ] || fail "$bytes bytes: more than $5"
	sent=$(($(peer_number "$2" "$3" sent_bytes) - sent))
	say "$sent bytes were sent"
	[ "$sent" -le $((2 * mib)) ] || [ "$5" -gt $((40 * mib)) ] || fail "$sent bytes were sent"
	identical "$(disk "$2")" "$(disk "$3")"
}

put alpha 60
on alpha rblk demote r0
on bravo rblk promote r0
level bravo
say "alpha lacks the last 40 writes of bravo"
put bravo 60
on bravo rblk disconnect r0 alpha
put bravo 40
take_over bravo charlie alpha $((20 * 65536)) $((160 * 65536))

# who vanished comes back as one that knows nothing
come_back() { # NODE PRIMARY OTHER
	on "$1" rblk down --force r0
	mend "$1" "$2"
	mend "$1" "$3"
	on "$1" rblk up r0
	connected alpha bravo charlie
	on "$2" rblk resync --full --force r0 "$1"
	level "$2"
}
come_back bravo charlie alpha

say "alpha has 40 writes of charlie that bravo has not"
put charlie 60
on charlie rblk disconnect r0 bravo
put charlie 40
take_over charlie bravo alpha $((20 * 65536)) $((160 * 65536)) discard
come_back charlie bravo alpha
on bravo rblk demote r0
on charlie rblk promote r0
level charlie

say "alpha lacks more than bravo remembers"
on charlie rblk disconnect r0 alpha
put charlie 4200
take_over charlie bravo alpha $((42 * mib)) $((48 * mib))
