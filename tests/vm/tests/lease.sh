# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# A primary that needs a lease completes neither reads nor writes without one,
# whether it has run out before they came or before they ended.

nodes alpha bravo
ram_disks 2 16
udev
dmsetup create disk0 --table "0 32768 linear /dev/ram0 0"
rblk_load
rblk_config alpha /dev/mapper/disk0 0 bravo /dev/ram1 1 | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
a=$(device alpha)
write() { dd if=/dev/urandom of="$a" bs=4k count=1 oflag=direct status=none; }
read_one() { dd if="$a" of=/dev/null bs=4k count=1 skip=8 iflag=direct status=none; }
mandate() { on alpha "$top/build/vm/bin/mandate" "$@"; }
next_gen() { echo $(($(on "$1" rblk status --json r0 | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p') + 16)); }
held() {
	on alpha rblk status --json r0 | tr -d ' \n' |
		grep "\"held_requests\":$1,\"held_by\":\"lease\""
}
no_held() { on alpha rblk status --json r0 | grep '"held_requests": 0'; }
begin_both() {
	write 2>/dev/null &
	writer=$!
	read_one 2>/dev/null &
	reader=$!
}
still() {
	sleep 0.5
	kill -0 $writer || fail "a write ended without a lease"
	kill -0 $reader || fail "a read ended without a lease"
}
both_end() { wait $writer && wait $reader; }
both_fail() {
	! wait $writer || fail "a write was acknowledged without a lease"
	! wait $reader || fail "a read was answered without a lease"
}
events=$(mktemp)
on alpha "rblk events >$events 2>&1 &"
eventually 10 test -s "$events"
told() { grep -c "no lease" "$events" || true; }

refused 1 "this is a backup" on bravo "$top/build/vm/bin/mandate" set r0 lease=1000

say "with a lease"
mandate set r0 leased=1 lease=600000
begin_both
both_end
expect "leased" on alpha rblk status r0

say "it runs out: nobody is told before a request meets that"
mandate set r0 lease=300
sleep 1
[ "$(told)" = 0 ] || fail "an idle resource was told of"
begin_both
eventually 10 held 2
still
expect "the lease has run out" cat /sys/kernel/debug/rblk/*-r0/in_flight
eventually 10 grep "no lease" "$events"
mandate set r0 lease=600000
both_end
eventually 10 no_held
[ "$(told)" = 1 ] || fail "told $(told) times"

say "it is taken back while requests are with the disk"
dmsetup suspend --nolockfs --noflush disk0
begin_both
sleep 0.5
mandate set r0 lease=0
dmsetup resume disk0
eventually 10 held 2
still
mandate set r0 lease=600000
both_end

say "the same, and they fail"
mandate set r0 lease-error=1
dmsetup suspend --nolockfs --noflush disk0
begin_both
sleep 0.5
mandate set r0 lease=0
dmsetup resume disk0
both_fail
begin_both
both_fail
mandate set r0 lease-error=0

say "no lease is needed any more"
begin_both
eventually 10 held 2
mandate set r0 leased=0
both_end
mandate set r0 leased=1

say "a demotion by force ends what waits, with an error"
begin_both
eventually 10 held 2
on alpha timeout "$(patient 20)" "$top/build/vm/bin/mandate" demote r0 force
both_fail
expect backup on alpha rblk status r0

say "so does down --force"
connected alpha bravo
mandate promote r0 "$(next_gen alpha)" lease=600000
begin_both
both_end
mandate set r0 lease=0
begin_both
eventually 10 held 2
on alpha timeout "$(patient 20)" rblk down --force r0
both_fail
on bravo rblk down r0
dmsetup remove disk0
