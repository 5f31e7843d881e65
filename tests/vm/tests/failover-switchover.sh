# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 400
#
# "rblk promote" on the backup, ten times back and forth, while an application writes to
# whichever node is primary: nothing that was acknowledged is lost.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
failover_namespaces 1s 5

# A record is a sector that says its number; it goes where somebody takes it.
write_records() {
	local n device
	for ((n = 1; n < 40000; n++)); do
		printf '%-512d' $n >/tmp/record
		device=0
		until dd if=/tmp/record of=/dev/rblk$device seek=$n oflag=direct conv=notrunc; do
			device=$((1 - device))
		done 2>/dev/null
		echo $n >>/tmp/acks
	done
}
: >/tmp/acks
write_records &
writer=$!
trap 'rc=$?; [ $rc = 0 ] || failover_tell alpha bravo judge; kill $writer 2>/dev/null || true' EXIT

acknowledged() { wc -l </tmp/acks; }
goes_on() { [ "$(acknowledged)" -gt "$1" ]; }
eventually 20 goes_on 20

recorded() { asked "$1" history | grep -qF "$2"; }

node=alpha
for _ in {1..10}; do
	before=$node
	if [ $node = alpha ]; then node=bravo; else node=alpha; fi
	eventually 30 in_sync $node alpha bravo
	number=$(acknowledged)
	# refused while the device is open, and it is, every now and then
	eventually 60 on $node rblk promote r0
	leads $node 10
	eventually 30 goes_on $((number + 20))
	# it is recorded where it led to; what led to the other stays recorded there
	eventually 10 recorded $node "\"from\":\"$before\",\"to\":\"$node\""
	recorded $before "\"to\":\"$before\"" || fail "$before has no record of its promotion"
	say "$node took over, at record $number or later"
done
kill $writer
wait $writer || true

# none was a failover
for node in alpha bravo; do
	expect '"kind":"switchover"' asked $node history
done
last=$(acknowledged)
dd if=/dev/rblk0 bs=512 skip=1 count="$last" iflag=direct status=none |
	/bin/grep -ao '[0-9][0-9]*' >/tmp/found
seq "$last" | cmp - /tmp/found || fail "of $last records that were acknowledged some are not there"
for node in alpha bravo; do on $node rblk demote r0 || true; done
for node in alpha bravo; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
