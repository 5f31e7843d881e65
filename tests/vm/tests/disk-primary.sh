# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# The primary's disk fails under load: the application sees no error, reads
# what it wrote from the backup, and everything acknowledged is there.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_blocks=1024
crash_disk=dm_disk
make_disks() { dm_disks; }

# what becomes of a load that goes on after the disk of the primary is $1
survives() {
	say "protocol $crash_protocol: $1"
	write_on alpha --mix 40,50,5,3,2
	some_moment
	disk_is alpha "$1"
	eventually 20 says alpha "failed"
	sleep 1
	kill -0 "$crash_writer" || fail "the application saw it: $(cat /tmp/crash-writer.log)"
	stop_writer
	expect "primary" on alpha rblk status r0
	judge alpha
	judge bravo --disks
}

crash_nodes -m 8 alpha bravo
on alpha "rblk events --json >/tmp/events & echo \$! >/tmp/events.pid"
survives no-writes
eventually 5 grep "sector [0-9]* of the backing device /dev/mapper/disk-alpha failed" /tmp/events
kill "$(cat /tmp/events.pid)"
# what it lacks it does not forget, and it is not taken for what it was
disk_is alpha good
sleep 1
expect "failed" on alpha rblk status r0

say "the link goes as well: an error, at once"
on alpha rblk disconnect r0 bravo
! dd if=/dev/urandom of=/dev/rblk0 bs=4k count=1 oflag=direct status=none 2>/dev/null ||
	fail "a write that nobody stores was acknowledged"
! dd if=/dev/rblk0 of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null ||
	fail "a read was answered by a disk that lacks writes"

crash_protocol=A
crash_config alpha bravo | install_config_commands | bash
fresh_start alpha bravo
if disk_can no-reads; then
	survives no-reads
else
	say "this kernel cannot make reads fail"
fi

crash_protocol=B
crash_config alpha bravo | install_config_commands | bash
fresh_start alpha bravo
survives dead

say "what a disk took before it failed is stored nowhere"
crash_protocol=C
# longer than it takes: a lost peer would let the write complete, on the disk as it was
{
	echo 'net { timeout = 60s }'
	crash_config alpha bravo
} | install_config_commands | bash
fresh_start alpha bravo
cut alpha bravo
dd if=/dev/urandom of=/dev/rblk0 bs=4k count=1 oflag=direct status=none 2>/dev/null &
write=$!
sleep 1 # it is on the disk, and not at the peer
disk_is alpha dead
dd if=/dev/rblk0 of=/dev/null bs=4k count=1 skip=64 iflag=direct status=none 2>/dev/null &
read=$!
eventually 20 says alpha "failed"
on alpha rblk disconnect r0 bravo
! wait $write || fail "a write that only the failed disk has was acknowledged"
! wait $read || fail "a read was answered by nobody"
mend alpha bravo
remove_dm_disks
