# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
#
# One write alone waits for a disk that hangs, below the primary and then below the
# backup: disk-timeout gives it up, and it is acknowledged by who has it.

nodes alpha bravo
ram_disks 2 16
udev
for n in 0 1; do dmsetup create disk$n --table "0 32768 linear /dev/ram$n 0"; done
hang() { dmsetup suspend --nolockfs --noflush "disk$1" </dev/null; }
go_on() { dmsetup resume "disk$1" </dev/null; }
trap 'go_on 0; go_on 1' EXIT
rblk_load
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/mapper/disk1 1 |
	sed 's/^    protocol = .*/&\n    disk-timeout = 1s/' | install_config_commands | bash
start_daemon alpha bravo
a=$(device alpha)
status() { on "$1" rblk status r0 || true; }
failed() { status "$1" | grep failed; }

# the disk of NODE, number N, hangs in a write
hangs_below() {
	local node=$1 n=$2 other=$((1 - $2))
	say "below $node"
	on alpha rblk up r0
	on bravo rblk up r0
	connected alpha bravo
	promote_first alpha
	# so that the activity of the area is nothing new
	dd if=/dev/urandom of="$a" bs=4k count=1 oflag=direct status=none
	hang "$n"
	head -c 4096 /dev/urandom >/tmp/block
	timeout "$(patient 15)" dd if=/tmp/block of="$a" bs=4k count=1 oflag=direct status=none ||
		fail "a write still waits for the disk"
	eventually 5 failed "$node"
	blockdev --flushbufs "/dev/ram$other"
	cmp -n 4096 /tmp/block "/dev/ram$other" || fail "a write was acknowledged that nobody has"
	go_on "$n"
	on alpha rblk down --force r0
	on bravo rblk down --force r0
}

hangs_below alpha 0
hangs_below bravo 1
trap - EXIT
for n in 0 1; do eventually 10 dmsetup remove disk$n; done
