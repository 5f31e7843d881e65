# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# rblkd dies and is started again, on each node, while an application writes. Within the
# lease nobody notices: no request fails, and nothing is promoted anywhere else.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
failover_namespaces 2s 10
mkfs.ext4 -q /dev/rblk0
mkdir -p /mnt/data
mount /dev/rblk0 /mnt/data
ackwriter write /mnt/data/records /tmp/acks &
writer=$!
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge; kill $writer 2>/dev/null || true' EXIT

acknowledged() { wc -l </tmp/acks; }
goes_on() { [ "$(acknowledged)" -gt "$1" ]; }
generation() { on alpha rblk status --json r0 | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p' | head -n 1; }
: >/tmp/acks
eventually 20 goes_on 50

before=$(generation)
for node in alpha bravo judge alpha; do
	kill_daemon $node
	number=$(acknowledged)
	start_daemon $node
	eventually 20 votes $node
	leads alpha 30
	eventually 20 goes_on $((number + 50))
	kill -0 $writer || fail "a request of the application failed"
	say "rblkd of $node started again, $((number + 50)) records are acknowledged"
	eventually 30 in_sync alpha alpha bravo
done
failed=$(dmesg | grep 'I/O error' || true)
[ -z "$failed" ] || fail "a request of the filesystem failed: $failed"
kill $writer
wait $writer || true
ackwriter check /mnt/data/records "$(acknowledged)"
umount /mnt/data

# whoever was promoted, it was alpha
for node in bravo judge; do
	! asked $node history | grep '"kind":' || fail "$node was promoted"
	expect '"primary":"alpha"' asked $node failover
done
say "generation $before before, $(generation) now"
on alpha rblk demote r0
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
