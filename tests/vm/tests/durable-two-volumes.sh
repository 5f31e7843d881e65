# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Two volumes of one resource have one order: no backup has a write to one of
# them without what had completed before on the other.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"

crash_blocks=1024
crash_nodes -p A -v 2 -m 8 alpha bravo
netem alpha bravo delay 5ms 2ms

say "a chain across both, watched on the backup's disks"
write_on alpha --dependent --depth 32
mapfile -t images < <(disks --image bravo)
crash-check watch --blocks $crash_blocks --seconds 4 "${images[@]}"
cut_off alpha
take_over alpha bravo
judge bravo --policy A
rejoin alpha bravo
identical /dev/ram0 /dev/ram2
identical /dev/ram1 /dev/ram3

say "a mix on both"
begin_anew bravo alpha
write_on bravo
some_moment
cut_off bravo
take_over bravo alpha
judge alpha --policy A
