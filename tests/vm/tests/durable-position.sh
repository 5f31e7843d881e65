# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
#
# What a backup calls durable: of two volumes, one on a disk with a volatile
# cache, the other without, neither speaks for the other.

config() {
	cat <<-END
		cluster "test" { key-file = "/etc/rblk/cluster.key" }
		node "alpha" { id = 0  address = "10.0.0.1:7790" }
		node "bravo" { id = 1  address = "10.0.0.2:7790" }
		resource "r0" {
		    volume 0 { }
		    volume 1 { }
		    on "alpha" {
		        volume 0 { minor = 0  disk = "/dev/ram0"  metadata = none }
		        volume 1 { minor = 1  disk = "/dev/ram1"  metadata = none }
		    }
		    on "bravo" {
		        volume 0 { minor = 2  disk = "/dev/ram2"  metadata = none }
		        volume 1 { minor = 3  disk = "$1"  metadata = none }
		    }
		}
	END
}

# the peer's positions as alpha knows them
position() { on alpha rblk status --json r0 | tr -d ' ,' | sed -n "s/^\"$1_seq\"://p" | tail -n 1; }
applied_is() { [ "$(position applied)" = "$1" ]; }
durable_is() { [ "$(position durable)" = "$1" ]; }
write() { dd if=/dev/urandom of="$1" bs=4k count=1 oflag=direct status=none; }

nodes alpha bravo
ram_disks 3 8
modprobe loop
truncate -s 8M /tmp/volatile
volatile=$(losetup --show -f --direct-io=off /tmp/volatile)
[ "$(cat "/sys/block/${volatile##*/}/queue/write_cache")" = "write back" ]
rblk_load
config "$volatile" | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha

write /dev/rblk0
eventually 10 durable_is 1
write /dev/rblk1
write /dev/rblk0
eventually 10 applied_is 3
durable_is 1 || fail "durable is $(position durable): a write is in a volatile cache"
# a flush of the other volume proves nothing
sync /dev/rblk0
write /dev/rblk0
eventually 10 applied_is 5
durable_is 1 || fail "durable is $(position durable) after a flush of the other volume"
sync /dev/rblk1
eventually 10 durable_is 6
on alpha rblk down r0
on bravo rblk down r0
losetup -d "$volatile"
rm /tmp/volatile
