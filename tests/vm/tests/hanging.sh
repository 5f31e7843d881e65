# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Forced commands end while a peer or a disk hangs; what "down --force" leaves
# behind it says, and that goes when the disk answers.

nodes alpha bravo
ram_disks 2 16
udev
for n in 0 1; do dmsetup create disk$n --table "0 32768 linear /dev/ram$n 0"; done
hang() { dmsetup suspend --nolockfs --noflush "disk$1"; }
go_on() { dmsetup resume "disk$1"; }
trap 'go_on 0; go_on 1' EXIT
rblk_load
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/mapper/disk1 1 | install_config_commands | bash
start_daemon alpha bravo
up() { on alpha rblk up r0; on bravo rblk up r0; connected alpha bravo; }
a=$(device alpha)
write() { dd if=/dev/urandom of="$a" bs=4k count=1 oflag=direct status=none; }
in_flight() { on alpha rblk status --json r0 | grep '"in_flight_ops": 1'; }
# within SECONDS NODE COMMAND...: a bound, not a speed
within() {
	local limit node=$2
	limit=$(patient "$1")
	shift 2
	on "$node" timeout "$limit" "$@" || {
		[ $? != 124 ] || fail "no end within $limit s: $*"
		return 1
	}
}
up
promote_first alpha

say "a peer that hangs: demote --force gives it up"
hang 1
write &
writer=$!
eventually 20 in_flight
within 60 alpha rblk demote --force r0
wait $writer || true
expect backup on alpha rblk status r0
go_on 1
on alpha rblk down r0
on bravo rblk down r0
up

say "a link that is cut: suspend waits for its end, resume goes on"
on alpha rblk promote r0 || on alpha rblk promote --assume-clean r0
cut alpha bravo
write &
writer=$!
eventually 20 in_flight
within 90 alpha rblk suspend r0
write &
held=$!
is_held() { on alpha rblk status --json r0 | grep '"held_by": "suspended"'; }
eventually 20 is_held
on alpha rblk resume r0
wait $writer $held
mend alpha bravo

say "a disk that hangs: down --force ends, and says what is left"
hang 0
write 2>/dev/null &
writer=$!
eventually 20 in_flight
rc=0
within 120 alpha rblk down --force r0 >/tmp/out 2>&1 || rc=$?
cat /tmp/out
[ $rc = 1 ] || fail "exit $rc"
expect "taken down, but no end in 10 s, as when a disk hangs: it stays claimed" cat /tmp/out
expect "r0  not up" on alpha rblk status
refused 1 "minor is used" on alpha rblk up r0
! rmmod rblk 2>/dev/null || fail "unloaded below a request"
go_on 0
is_gone() { ! kill -0 $writer && [ ! -e /sys/block/rblk0 ]; }
eventually 30 is_gone

say "a backup's disk that hangs"
on alpha rblk up r0
connected alpha bravo
on alpha rblk promote --assume-clean r0
behind() { on alpha rblk resync --full --force r0 bravo; }
behind || true
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
hang 1
write &
writer=$!
eventually 20 in_flight
rc=0
within 120 bravo rblk down --force r0 >/tmp/out 2>&1 || rc=$?
[ $rc = 1 ] || fail "exit $rc: $(cat /tmp/out)"
wait $writer
go_on 1
bravo_is_gone() { [ ! -e /sys/block/rblk1 ]; }
eventually 30 bravo_is_gone
on alpha rblk down --force r0
trap - EXIT
for n in 0 1; do dmsetup remove disk$n; done
