# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 600
#
# Three nodes with the data, acks = 1: a write is on the primary and on whichever backup
# is faster. The way to bravo is slow. When the primary is cut off, bravo, which would go
# first, lacks records that were acknowledged; charlie has them, and is promoted.

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"
all="alpha bravo charlie"

nodes alpha bravo charlie
ram_disks 3 32
rblk_load
install_config_commands <<-END | bash
	cluster "test" { key-file = "/etc/rblk/cluster.key" }
	heartbeat { interval = 500ms  misses = 10 }
	node "alpha" { id = 0  address = "10.0.0.1:7790" }
	node "bravo" { id = 1  address = "10.0.0.2:7790" }
	node "charlie" { id = 2  address = "10.0.0.3:7790" }
	resource "r0" {
	    acks = 1
	    failover = auto
	    volume 0 { }
	    on "alpha" { volume 0 { minor = 0  disk = "/dev/ram0"  metadata = start } }
	    on "bravo" { volume 0 { minor = 1  disk = "/dev/ram1"  metadata = start } }
	    on "charlie" { volume 0 { minor = 2  disk = "/dev/ram2"  metadata = start } }
	}
END
writer=
trap 'rc=$?; [ $rc = 0 ] || failover_tell $all; [ -z "$writer" ] || kill $writer 2>/dev/null || true' EXIT

# shellcheck disable=SC2086 # words
start_daemon $all
for node in $all; do on $node rblk create --force r0; done
for node in $all; do on $node rblk up r0; done
# shellcheck disable=SC2086 # words
connected $all
for node in $all; do eventually 20 votes $node; done
promote_first alpha
leads alpha 20
counts_acks() { asked "$1" failover | grep '"acks":1'; }
eventually 30 counts_acks alpha
eventually 30 in_sync alpha alpha bravo charlie
expect 'acks 1, all on alpha' on alpha rblk status r0

seq_of() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n 's/^"seq":\([0-9]*\)$/\1/p' | head -n 1; }
acknowledged() { wc -l </tmp/acks; }
goes_on() { [ "$(acknowledged)" -gt "$1" ]; }
is_behind() { [ $(($(seq_of charlie) - $(seq_of "$1"))) -gt 50 ]; }

: >/tmp/acks
netem alpha bravo rate 200kbit
ackwriter write /dev/rblk0 /tmp/acks 2>/tmp/writer &
writer=$!
eventually 60 goes_on 50
eventually 60 is_behind bravo
cut alpha charlie
cut alpha bravo

# Nobody was missed yet, and what was on its way to bravo has arrived, or will not.
sleep 1
is_behind bravo || fail "bravo was not behind: this shows nothing"
at=$(seq_of bravo)
leads charlie 60
last=$(acknowledged)
say "$last records acknowledged; charlie leads at $(seq_of charlie), bravo was at $at"
ackwriter check /dev/rblk2 "$last"
expect '"primary":"charlie"' asked bravo failover
! asked bravo history | grep '"kind":"failover"' || fail "bravo was promoted"

# alpha gives up what nobody acknowledged, bravo gets what it lacks
netem alpha bravo
mend alpha charlie
eventually 120 in_sync charlie alpha bravo charlie
eventually 30 counts_acks charlie
[ "$(acknowledged)" = "$last" ] || fail "alpha acknowledged a record when charlie led"
kill $writer 2>/dev/null || true
wait $writer || true
writer=

# a primary that hands over brings the next one level first
on bravo rblk promote r0
leads bravo 30
ackwriter check /dev/rblk1 "$last"
eventually 60 in_sync bravo alpha bravo charlie
on bravo rblk demote r0
for node in $all; do on $node rblk down r0; done
rblk_metadata=start identical /dev/ram0 /dev/ram1
rblk_metadata=start identical /dev/ram1 /dev/ram2
