# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# long: yes
# kernels: newest
# module: faults
#
# Memory runs short while a peer is away: what is kept for it gives way to what
# is written now, and is copied from the disk later. A resync waits until there
# is memory again; writes do not.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/mutation.sh"

# more of them, and more pages, than are reserved
many_writes() {
	fio --name="$1" --filename=/dev/rblk0 --direct=1 --rw=write --bs="$2" --size=8m \
		--offset="$3" --ioengine=libaio --iodepth=4 --output="/tmp/fio-$1"
}

lacks() { peer_number alpha bravo lacks_bytes; }

two_nodes 64
promote_first alpha

say "kept, as there is memory"
on alpha rblk disconnect r0 bravo
many_writes kept 64k 0
[ "$(lacks)" = 0 ] || fail "$(lacks) bytes are lacking: nothing was kept"

say "there is none"
mistakes NO_MEMORY
many_writes large 64k 16m
[ "$(lacks)" -ge $((16 << 20)) ] || fail "$(lacks) bytes are lacking: what was kept did not give way"
many_writes small 4k 32m

say "none while it comes back"
on alpha rblk connect r0 bravo
connected alpha
many_writes again 64k 48m
[ "$(lacks)" -gt 0 ] || fail "nothing is lacking: the resync had memory"

say "and then there is"
mistakes
level alpha
[ "$(lacks)" = 0 ] || fail "something is lacking still"
identical /dev/ram0 /dev/ram1
