# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# With data-crc a bit that flips on the way ends the link with that reason and
# reaches no disk; without, it would not be noticed.

nodes alpha bravo
ram_disks 2 32
rblk_load
# alpha reaches bravo through somebody who damages what passes
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
on alpha "$RBLK_TOP/build/vm/bin/mitm 10.0.0.1 7799 10.0.0.2 7790 >>/tmp/mitm.log &
	echo \$! >/tmp/mitm.pid"
mkdir -p /etc/rblk/alpha
sed 's|10.0.0.2:7790|10.0.0.1:7799|' /etc/rblk/rblk.conf >/etc/rblk/alpha/rblk.conf
alpha() { RBLK_CONFIG=/etc/rblk/alpha/rblk.conf on alpha "$@"; }
alpha "rblkd >/tmp/rblkd-alpha.log 2>&1 &"
start_daemon bravo
eventually 20 alpha "rblk status --json | grep '\"daemon_running\": true'"
alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
alpha rblk promote --assume-clean r0

a=$(device alpha)
write() { dd if=/dev/urandom of="$a" bs=256k count=1 seek="$1" oflag=direct status=none; }
damage() { : >/tmp/mitm.log; kill -USR1 "$(cat /tmp/mitm.pid)"; }
damaged() { /bin/grep -a damaged /tmp/mitm.log; }
same() { cmp -n $((256 * 1024)) -i $((256 * 1024 * $1)) /dev/ram0 /dev/ram1; }

damage
write 0
damaged
blockdev --flushbufs /dev/ram0
blockdev --flushbufs /dev/ram1
same 0 2>/dev/null && fail "nothing was damaged: this test could not fail"

sed -i 's/protocol = C/&\n    data-crc = yes/' /etc/rblk/alpha/rblk.conf
alpha rblk adjust r0
write 0
# with no daemon at work the link stays down: alpha would send it once more
pkill -STOP -x rblkd
damage
write 1
damaged
ended() { dmesg | grep "damaged data: its checksum differs"; }
eventually 20 ended
# the damaged bytes reached no disk: what was written there reads as before
blockdev --flushbufs /dev/ram1
cmp -n $((256 * 1024)) -i $((256 * 1024)):0 /dev/ram1 /dev/zero

pkill -CONT -x rblkd
connected alpha bravo
# what it missed comes by itself, and is checked as well
alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
write 2
kill "$(cat /tmp/mitm.pid)"
alpha rblk demote r0
alpha rblk down --force r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
