# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 300
#
# A writer that closed left dirty pages to somebody who goes on reading, and the
# disk hangs: a demotion gives up after a minute, and has changed nothing.

case $(uname -r) in
6.1.*) ;;
*) skip "newer kernels do not tell that the writer is the one who closed" ;;
esac
nodes alpha bravo
ram_disks 2 16
udev
dmsetup create disk0 --table "0 32768 linear /dev/ram0 0"
trap 'dmsetup resume disk0' EXIT
rblk_load
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/ram1 1 |
	sed 's/protocol = C/&\n    read-from-backup = yes/' | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
a=$(device alpha)

exec 3<"$a"
dmsetup suspend --nolockfs --noflush disk0
dd if=/dev/urandom of="$a" bs=64k count=4 conv=notrunc status=none
refused 6 "does not get to its disk" on alpha timeout "$(patient 200)" rblk demote r0
expect primary on alpha rblk status r0
forgive_kernel_log # it says which task hangs
dmsetup resume disk0
exec 3<&- # what was written back counts for the opener who is left
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
trap - EXIT
dmsetup remove disk0
