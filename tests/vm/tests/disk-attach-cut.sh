# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# kernels: newest
# long: yes
# timeout: 300
#
# A new disk gets its blocks, and the link, the role or the power goes in the
# middle: it ends with all of them, and counts for nothing before.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_blocks=1024
crash_disk=dm_disk
crash_metadata=end
make_disks() { dm_disks; }

# what was on it is gone, as with a new one
blank() {
	disk_is "$1" good
	dd if=/dev/urandom of="$(crash_ram "$1" 0)" bs=1M oflag=direct status=none 2>/dev/null || true
}
new_disk() {
	blank "$1"
	on "$1" rblk create --force --volume 0 r0 >/dev/null
}

crash_nodes -m 8 alpha bravo
say "its last copy is not given away"
on alpha rblk disconnect r0 bravo
refused 1 "last copy" on alpha rblk detach r0
write_on alpha --mix 40,50,5,3,2
some_moment
stop_writer
judge alpha
on alpha rblk connect r0 bravo
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0

say "the link goes in the middle, and comes back"
on alpha rblk detach r0
new_disk alpha
netem alpha bravo delay 40ms
on alpha rblk attach r0
expect "filling" on alpha rblk status r0
refused 1 "detach it first" on alpha rblk attach r0
sleep 1
on alpha rblk disconnect r0 bravo
expect "filling" on alpha rblk status r0
! dd if=/dev/rblk0 of=/dev/null bs=4k count=1 iflag=direct status=none 2>/dev/null ||
	fail "a disk that is not full was read"
netem alpha bravo
on alpha rblk connect r0 bravo
eventually 60 says alpha "rblk0 .*ok"
judge alpha
judge alpha --disks

say "a demotion in the middle: the next primary copies"
on alpha rblk detach r0
new_disk alpha
netem alpha bravo delay 40ms
on alpha rblk attach r0
expect "filling" on alpha rblk status r0
on alpha rblk demote r0
netem alpha bravo
on bravo rblk promote r0
on bravo rblk wait --for uptodate --timeout "$(patient 60)" r0
judge alpha --disks
judge bravo

say "power goes in the middle: nobody takes it for whole"
on bravo rblk detach r0
new_disk bravo
netem alpha bravo delay 40ms
on bravo rblk attach r0
expect "filling" on bravo rblk status r0
on bravo rblk down --force r0
netem alpha bravo
on bravo rblk up r0
expect "inconsistent" on bravo rblk status r0
on alpha rblk promote r0
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
judge bravo --disks
remove_dm_disks
