# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# timeout: 400
#
# The machine of the primary loses power in mid-write: the other has every
# record that was acknowledged.

guest --disk 64M alpha bravo
rblk_machines alpha bravo
on alpha rblk promote --assume-clean r0
on alpha 'mkfs.ext4 -q /dev/rblk0 && mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on alpha 'ackwriter write /mnt/data/records /dev/record' >/dev/null 2>&1 &
writer=$!
until [ "$(records alpha | wc -l)" -ge 100 ]; do sleep 0.1; done
power_cut alpha
wait $writer || true

# once it has noticed
eventually 60 on bravo rblk promote r0
on bravo 'mkdir /mnt/data && mount /dev/rblk0 /mnt/data'
on bravo ackwriter check /mnt/data/records "$(records alpha | wc -l)"
