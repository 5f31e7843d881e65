# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# The disk of a node is not the one that it was: an old snapshot, a clone of
# another node's, a new one, one of another volume, resource or cluster. Each is
# recognised, and named in one message that says what it is.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
two_nodes 16
# At each 64th an extent begins that was not active yet: its flush is recorded.
put() { dd if=/dev/urandom of="$(device alpha)" bs=64k count=8 seek="$1" oflag=direct conv=fsync status=none; }
image() { blockdev --flushbufs "$(disk "$1")"; dd if="$(disk "$1")" of="/tmp/image-$2" bs=1M status=none; }
set_back() {
	on "$1" rblk down --force r0
	dd if="/tmp/image-$2" of="$(disk "$1")" bs=1M conv=fsync status=none
}
is_named() { dmesg | grep "r0 bravo: its disk was set back: it is at seq $1, "; }
position() { rblk md examine "$(disk "$1")" | awk '$1 == "position" { print $2 }'; }
refused_up() { refused 1 "$1" on bravo rblk up r0; }

promote_first alpha
level alpha
put 0
image bravo old
put 64
put 128
was=$(position bravo)

say "a snapshot of a backup, from when it was in use"
set_back bravo old
back=$(position bravo)
[ "$back" -lt "$was" ] || fail "the image is at $back, not below $was"
on bravo rblk up r0
connected alpha
eventually 10 is_named "$back"
level alpha
identical /dev/ram0 /dev/ram1

say "one in which it was clean, and after the log has forgotten"
on bravo rblk down r0
image bravo clean
on bravo rblk up r0
level alpha
put 192
on alpha rblk disconnect r0 bravo
fio --name=much --filename="$(device alpha)" --direct=1 --rw=write --bs=256k --size=14m \
	--loops=4 --ioengine=libaio --iodepth=4 --output=/tmp/fio-much
forgive_kernel_log
set_back bravo clean
back=$(position bravo)
netem alpha bravo rate 16mbit
on bravo rblk up r0
on alpha rblk connect r0 bravo
connected alpha
eventually 10 is_named "$back"
expect "its disk was set back: it is at seq $back" on alpha rblk status r0
netem alpha bravo
level alpha
! on alpha rblk status r0 | grep "set back" || fail "it still says so"
identical /dev/ram0 /dev/ram1

say "no crash is taken for that"
forgive_kernel_log
put 16
image bravo now
set_back bravo now
on bravo rblk up r0
level alpha
! dmesg | grep "set back" || fail "that was a power cut"
identical /dev/ram0 /dev/ram1

say "the disk of another node"
image alpha clone
set_back bravo clone
refused_up "volume 0 (/dev/ram1): metadata of another node: a clone, or a moved disk? (it is of resource r0, volume 0, node 0, metadata = start)"

say "of another resource, volume, cluster"
sed -i 's/"r0"/"r1"/' /etc/rblk/rblk.conf
on bravo rblk create --force r1
sed -i 's/"r1"/"r0"/' /etc/rblk/rblk.conf
refused_up "metadata of another resource or cluster (it is of resource r1, volume 0, node 1, metadata = start)"
sed -i 's/volume 0/volume 7/' /etc/rblk/rblk.conf
on bravo rblk create --force r0
sed -i 's/volume 7/volume 0/' /etc/rblk/rblk.conf
refused_up "metadata of another volume of this resource (it is of resource r0, volume 7, node 1, metadata = start)"
sed -i 's/cluster "test"/cluster "other"/' /etc/rblk/rblk.conf
on bravo rblk create --force r0
sed -i 's/cluster "other"/cluster "test"/' /etc/rblk/rblk.conf
refused_up "metadata of another resource or cluster (it is of resource r0, volume 0, node 1, metadata = start)"

say "a new one"
dd if=/dev/zero of=/dev/ram1 bs=1M count=1 conv=fsync status=none
refused_up "volume 0 (/dev/ram1): no rblk metadata there: run 'rblk create'"
on bravo rblk create --force r0
on bravo rblk up r0
connected alpha
expect "bravo is behind (the peer has no complete data: it needs a resync): 'rblk resync --full r0 bravo'" on alpha rblk status r0
on alpha rblk resync --full r0 bravo
level alpha
identical /dev/ram0 /dev/ram1
