# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 300
#
# A primary without a disk is written to and read by way of two backups. The
# link to the one that answers its reads goes under load, and the other takes
# over: the application sees nothing of either.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_blocks=1024
crash_disk=dm_disk
make_disks() { dm_disks; }

crash_nodes -m 8 alpha bravo charlie
write_on alpha --mix 40,50,5,3,2
some_moment
disk_is alpha dead
eventually 20 says alpha "failed"
sleep 1
cut alpha bravo
eventually 30 says alpha "bravo.*down"
was=$(stat -c %s /tmp/crash-now)
eventually 20 written $((was + 50000))
kill -0 "$crash_writer" || fail "the application saw it: $(cat /tmp/crash-writer.log)"
stop_writer
judge alpha
judge charlie --disks
remove_dm_disks
