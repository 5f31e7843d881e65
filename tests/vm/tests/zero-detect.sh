# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# With zero-detect what is written as zeroes is none on the backup: a thin
# disk stays thin, and reads the same.

nodes alpha bravo
modprobe loop
truncate -s 32M /tmp/alpha.img /tmp/bravo.img
la=$(losetup --find --show --direct-io=off /tmp/alpha.img)
lb=$(losetup --find --show --direct-io=off /tmp/bravo.img)
rblk_load
rblk_config alpha "$la" 0 bravo "$lb" 1 |
	sed 's/protocol = C/&\n    zero-detect = yes/' | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
a=$(device alpha)
allocated_kib() { sync "$1"; echo $(($(stat -c %b "$1") / 2)); }

dd if=/dev/urandom of="$a" bs=1M count=4 oflag=direct conv=fsync status=none
dd if=/dev/zero of="$a" bs=1M count=16 seek=8 oflag=direct status=none
dd if=/dev/zero of="$a" bs=4k count=64 seek=128 oflag=direct conv=fsync status=none
# one byte that is not zero, at the very end of a long write
{ head -c $((1048576 - 1)) /dev/zero; printf x; } >/tmp/nearly
dd if=/tmp/nearly of="$a" bs=1M count=1 seek=6 oflag=direct conv=fsync status=none
here=$(allocated_kib /tmp/alpha.img)
there=$(allocated_kib /tmp/bravo.img)
say "allocated: $here KiB on the primary, $there KiB on the backup"
[ "$here" -ge $((20 << 10)) ] || fail "the primary is thin: nothing was shown"
[ "$there" -lt $((6 << 10)) ] || fail "zeroes take room on the backup"

# off again: they travel as they are
sed -i 's/zero-detect = yes/zero-detect = no/' /etc/rblk/rblk.conf
on alpha rblk adjust r0
dd if=/dev/zero of="$a" bs=1M count=8 seek=16 oflag=direct conv=fsync status=none
more=$(($(allocated_kib /tmp/bravo.img) - there))
[ "$more" -ge $((8 << 10)) ] || fail "they did not: $more KiB more on the backup"

on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical "$la" "$lb"
losetup -d "$la" "$lb"
