# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# long: yes
# timeout: 600
#
# The machine of the primary loses power in mid-write. The other is promoted by
# itself, has every record that was acknowledged, and goes on; the dead one comes
# back, is copied to, and is in sync again.

# shellcheck source=tests/vm/lib/failover.sh
. "$vm/lib/failover.sh"
failover_machines 500ms 5
trap 'rc=$?; [ $rc = 0 ] || failover_tell bravo judge; vm_cleanup' EXIT
on alpha 'mkfs.ext4 -q /dev/rblk0 && mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha 'ackwriter write /mnt/data/records /dev/record' >/dev/null 2>&1 &
writer=$!
until [ "$(records alpha | wc -l)" -ge 50 ]; do sleep 0.1; done
# a host that is busy enough to delay heartbeats has bravo leave the in-sync set
eventually 20 in_sync alpha alpha bravo
power_cut alpha
wait $writer || true

leads bravo 30
on bravo 'mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on bravo ackwriter check /mnt/data/records "$(records alpha | wc -l)"
expect '"kind":"failover"' asked bravo history
expect '"from":"alpha"' asked bravo history
on bravo 'dd if=/dev/zero of=/mnt/data/more bs=64k count=20 oflag=direct conv=fsync status=none'
eventually 20 in_sync bravo bravo

failover_restart alpha
eventually 60 in_sync bravo alpha bravo
serves bravo
expect backup on alpha rblk status r0
on bravo 'umount /mnt/data'
# and by hand, without a stop in between
on alpha rblk promote r0
serves alpha
on alpha 'mkdir -p /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha ackwriter check /mnt/data/records "$(records alpha | wc -l)"
