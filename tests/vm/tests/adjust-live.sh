# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# "rblk adjust" changes protocol, acks, log-size and the checksums while I/O
# runs; a write in flight completes by what is then set; what is fixed is
# refused by name.

two_nodes 32
promote_first alpha
conf=/etc/rblk/rblk.conf
write() { dd if=/dev/urandom of="$(device alpha)" bs=4k count=1 seek=1 oflag=direct status=none; }
peer_line() { on alpha rblk status r0 | grep bravo; }
adjust() { sed -i "$1" $conf; on alpha rblk adjust r0; }

fio --name=w --filename="$(device alpha)" --rw=randwrite --bs=4k --direct=1 \
	--ioengine=libaio --iodepth=8 --time_based --runtime=600 --size=16m --offset=16m \
	--fsync=16 >/tmp/fio.log 2>&1 &
fio=$!
for protocol in A B C; do
	sed -i "s/protocol = ./protocol = $protocol/" $conf
	refused 1 "run 'rblk adjust r0'" on alpha rblk up r0
	on alpha rblk adjust r0
	expect "protocol $protocol" peer_line
done
adjust 's/protocol = ./&\n    log-size = 1MiB\n    data-crc = yes\n    acks = 1/'
on alpha rblk status --json r0 >/tmp/status
expect '"log_bytes": 1048576' cat /tmp/status
expect '"data_crc": true' cat /tmp/status
expect '"acks": 1' cat /tmp/status
expect "as configured" on alpha rblk adjust r0
sed -i 's/acks = 1/acks = all/' $conf
expect "would change: acks 1 -> all" on alpha rblk adjust --dry-run r0
expect '"acks": 1' on alpha rblk status --json r0
on alpha rblk adjust r0
kill -0 $fio || fail "the writer has ended: $(cat /tmp/fio.log)"
kill $fio
wait $fio || true

# a longer patience with links, for what follows
sed -i '1i net { timeout = 60s }' $conf
for n in alpha bravo; do on $n rblk adjust r0; done
on alpha rblk disconnect r0
on alpha rblk connect r0
connected alpha bravo

# a write that waits for the peer's answer completes once none is needed
cut alpha bravo
write &
writer=$!
in_flight() { on alpha rblk status --json r0 | grep '"in_flight_ops": 1'; }
eventually 20 in_flight
adjust 's/protocol = ./protocol = A/'
wait $writer
expect connected peer_line
# and one that waits for nobody is waited for, once that is asked for
write
mend alpha bravo
adjust 's/protocol = ./protocol = C/'
write
expect connected peer_line

# what is fixed is named, and nothing changes
sed -i 's/protocol = ./protocol = B/; s/minor = 0/minor = 7/' $conf
refused 1 "volume 0 is minor 0, configured 7" on alpha rblk adjust r0
expect "protocol C" peer_line
refused 3 "bad data-crc" on alpha "sed -i 's/data-crc = yes/data-crc = 2/' $conf; rblk adjust r0"

on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
