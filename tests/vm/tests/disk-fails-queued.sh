# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# The disk of a backup fails while operations wait for others that depend on it: they
# fail as well, so that its resource can be taken down, and the disk is free.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_disk=dm_disk
make_disks() { dm_disks; }
crash_nodes -p A alpha bravo
level alpha

modprobe dm-delay
size=$(blockdev --getsz /dev/ram1)
echo "0 $size delay /dev/ram1 0 1500" | change_table disk-bravo
# each depends on those before, and under protocol A all of them are sent at once
write_on alpha --dependent --count 24 --depth 1
wait "$crash_writer"
disk_is bravo dead
eventually 10 says bravo "failed"
start=$SECONDS
on bravo rblk down --force r0
[ $((SECONDS - start)) -lt 9 ] || fail "it took $((SECONDS - start)) s"
remove_dm_disks
