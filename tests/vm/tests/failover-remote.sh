# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# Two nodes by protocol C and a distant one by protocol A. Writes do not wait for the distant
# one, and it is not in sync. Asked to take over in order it has everything first, all that was
# still on its way to it; and it goes back. Without the primary it is refused.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
all="alpha bravo charlie"

nodes alpha bravo charlie
ram_disks 3 32
rblk_load
install_config_commands <<-END | bash
	cluster "test" { key-file = "/etc/rblk/cluster.key" }
	heartbeat { interval = 1s  misses = 5 }
	node "alpha" { id = 0  address = "10.0.0.1:7790" }
	node "bravo" { id = 1  address = "10.0.0.2:7790" }
	node "charlie" { id = 2  address = "10.0.0.3:7790" }
	resource "r0" {
	    failover = auto
	    volume 0 { }
	    on "alpha" { volume 0 { minor = 0  disk = "/dev/ram0"  metadata = start } }
	    on "bravo" { volume 0 { minor = 1  disk = "/dev/ram1"  metadata = start } }
	    on "charlie" { protocol = A  volume 0 { minor = 2  disk = "/dev/ram2"  metadata = start } }
	}
END
trap 'rc=$?; [ $rc = 0 ] || failover_tell $all' EXIT

# shellcheck disable=SC2086 # words
start_daemon $all
for node in $all; do on $node rblk create --force r0; done
for node in $all; do on $node rblk up r0; done
# shellcheck disable=SC2086 # words
connected $all
for node in $all; do eventually 20 votes $node; done
promote_first alpha
leads alpha 20
eventually 30 in_sync alpha alpha bravo

write() { dd if=/dev/urandom of="$1" bs=64k count=32 seek="$2" oflag=direct status=none; }
checksum() { dd if="$1" bs=64k count=160 iflag=direct status=none | sha256sum; }
lag_of() { on alpha rblk status --json r0 | tr -d ' ,' | sed -n 's/^"lag_bytes":\([0-9]*\)$/\1/p' | sort -n | tail -n 1; }

say "what was acknowledged is still on its way when charlie is asked to take over"
netem alpha charlie rate 8mbit delay 20ms
write /dev/rblk0 0
write /dev/rblk0 32
lag=$(lag_of)
[ "$lag" -gt 1000000 ] || fail "charlie is $lag bytes behind: this shows nothing"
sum=$(checksum /dev/rblk0)
on charlie rblk promote r0
leads charlie 10
[ "$(checksum /dev/rblk2)" = "$sum" ] || fail "charlie lacks what was acknowledged"
netem alpha charlie
eventually 30 in_sync charlie alpha bravo charlie
write /dev/rblk2 64
sum=$(checksum /dev/rblk2)

say "and back: charlie is waited for no more"
on alpha rblk promote r0
leads alpha 10
[ "$(checksum /dev/rblk0)" = "$sum" ] || fail "alpha lacks what was acknowledged"
eventually 30 in_sync alpha alpha bravo
expect '"kind":"switchover"' asked charlie history

say "without the primary it may lack something, and says so"
cut alpha charlie
cut bravo charlie
write /dev/rblk0 96
refused 1 "it may lack acknowledged writes" on charlie rblk promote r0
mend alpha charlie
mend bravo charlie
connected alpha charlie
on alpha rblk demote r0
for node in $all; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
rblk_metadata=start identical /dev/ram1 /dev/ram2
