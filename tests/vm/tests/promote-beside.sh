# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# While a promotion waits for a disk that does not answer, its daemon brings up
# and connects another resource, and answers.

nodes alpha bravo
ram_disks 4 16
udev
dmsetup create slow --table "0 32768 linear /dev/ram1 0"
rblk_load
rblk_config -p A alpha /dev/ram0 0 bravo /dev/mapper/slow 1 >/tmp/conf
cat >>/tmp/conf <<-END

	resource "r1" {
	    volume 0 { }
	    on "alpha" { volume 0 { minor = 2  disk = "/dev/ram2"  metadata = none } }
	    on "bravo" { volume 0 { minor = 3  disk = "/dev/ram3"  metadata = none } }
	}
END
install_config_commands </tmp/conf | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha

# a backlog on bravo, of which alpha is no part any more
trap 'dmsetup resume slow' EXIT
dmsetup suspend --nolockfs --noflush slow
dd if=/dev/urandom of="$(device alpha)" bs=4k count=16 oflag=direct status=none
received() { on bravo rblk status --json r0 | grep '"connection": "connected"'; }
received
on alpha rblk disconnect r0
on bravo rblk promote r0 >/tmp/promote 2>&1 &
promote=$!
waits() { grep -l "promote" "/proc/$promote/cmdline" && [ ! -s /tmp/promote ]; }

on alpha rblk up r1
on bravo rblk up r1
for n in alpha bravo; do
	on $n rblk wait --for connected --timeout "$(patient 30)" r1
done
expect "backup" on bravo rblk status r0
on bravo rblk promote --assume-clean r1
expect "as configured" on bravo rblk adjust --dry-run r0
waits || fail "the promotion did not wait: $(cat /tmp/promote)"
dmsetup resume slow
wait $promote || fail "$(cat /tmp/promote)"
expect "primary" cat /tmp/promote
cmp -n 65536 /dev/ram0 "$(device bravo)"
for n in alpha bravo; do on $n rblk down --force --all; done
trap - EXIT
dmsetup remove slow
