# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 300
#
# A disk is replaced under load, first below the backup and then below the
# primary: the application sees nothing, all that was acknowledged is on the new
# disk, and no other disk than the right one is taken.

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
still_writes() {
	kill -0 "$crash_writer" || fail "the application saw it: $(cat /tmp/crash-writer.log)"
}
goes_on() {
	local was
	was=$(stat -c %s /tmp/crash-now)
	eventually 20 written $((was + 20000))
	still_writes
}

crash_nodes -m 8 alpha bravo
refused 1 "detach it first" on bravo rblk attach r0
refused 4 "no volume '3'" on bravo rblk detach r0 3

say "below the backup, while the primary goes on"
write_on alpha --mix 40,50,5,3,2
some_moment
disk_is bravo dead
eventually 20 says bravo "failed"
on bravo rblk detach r0
expect "detached" on bravo rblk status r0
refused 1 "detached already" on bravo rblk detach r0
goes_on
blank bravo
refused 1 "no rblk metadata there" on bravo rblk attach r0
on bravo rblk create --force --size 4MiB r0 >/dev/null
refused 1 "less room" on bravo rblk attach r0
dd if="$(crash_ram alpha 0)" of="$(crash_ram bravo 0)" bs=1M iflag=direct oflag=direct status=none
refused 1 "metadata of another node" on bravo rblk attach r0
expect "detached" on bravo rblk status r0
new_disk bravo
on bravo rblk attach r0
refused 1 "detach it first" on bravo rblk attach r0
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
goes_on

say "below the primary, under its application"
on alpha rblk detach r0
goes_on
new_disk alpha
on alpha rblk attach r0
eventually 60 says alpha "rblk0 .*ok"
goes_on
stop_writer
judge alpha
judge alpha --disks
judge bravo --disks
# also where nobody ever wrote: both new disks held noise there
blockdev --flushbufs "$(crash_ram alpha 0)"
blockdev --flushbufs "$(crash_ram bravo 0)"
cmp -n "$(blockdev --getsize64 /dev/rblk0)" "$(crash_ram alpha 0)" "$(crash_ram bravo 0)" ||
	fail "a new disk is not like the other"

remove_dm_disks
