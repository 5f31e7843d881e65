# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# kernels: newest
# timeout: 180
#
# A backing device fails, below the backup and then below the primary: within
# seconds the status names it, nothing is called equal that is not, and a device
# that comes back is not taken for what it was.

nodes alpha bravo
ram_disks 2 16
udev
size=$(blockdev --getsz /dev/ram0)
good() { echo "0 $size linear /dev/ram$1 0"; }
for n in 0 1; do
	dmsetup create "disk$n" --table "$(good $n)"
done
becomes() { change_table "disk$1" --noflush <<<"$2"; }
rblk_load
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/mapper/disk1 1 |
	install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
put() { dd if=/dev/urandom of="$(device alpha)" bs=64k count=16 oflag=direct status=none; }
put
says() { { on "$1" rblk status r0 || true; } | grep -i "$2" >/dev/null; }

# below the backup: the primary goes on, the backup knows that it is out of date
becomes 1 "0 $size flakey /dev/ram1 0 0 60 1 error_writes"
put
eventually 20 says bravo failed
put
! on alpha rblk status r0 | grep -i "bravo.*up.to.date" || fail "a failed backup is called equal"
refused 1 "failed" on bravo rblk promote --force r0
becomes 1 "$(good 1)"
put
! on bravo rblk promote --force r0 || fail "a device that came back was taken for good"
! on alpha rblk status r0 | grep -i "bravo.*up.to.date" || fail "a failed backup is called equal"
on bravo rblk down --force r0

# below the primary: the application is told, and so is the status
becomes 0 "0 $size error"
! put 2>/dev/null || fail "a write that went nowhere was acknowledged"
eventually 20 says alpha failed
becomes 0 "$(good 0)"
on alpha rblk demote r0
refused 1 "failed" on alpha rblk promote --force r0
# its disk lacks what it says it has: no peer may take it for equal
expect inconsistent on alpha rblk status r0
on alpha rblk down --force r0
pkill -x rblkd
dmsetup remove disk0
dmsetup remove disk1
