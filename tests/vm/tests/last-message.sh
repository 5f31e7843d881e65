# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 400
#
# The link ends just before a message of each kind arrives, in either direction,
# while an application writes: it comes back by itself, the peer becomes level,
# nothing is lost and the replicas are equal.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"

crash_nodes=(alpha bravo)
crash_log_size=1MiB
crash_blocks=512
nodes alpha bravo
ram_disks 2 16
rblk_load
crash_config alpha bravo | install_config_commands | bash

# alpha, who calls, reaches bravo through somebody who drops messages
mkdir -p /etc/rblk/alpha
sed 's|10.0.0.2:7790|10.0.0.1:7799|' /etc/rblk/rblk.conf >/etc/rblk/alpha/rblk.conf
on alpha "$RBLK_TOP/build/vm/bin/mitm 10.0.0.1 7799 10.0.0.2 7790 /tmp/order >/tmp/mitm.log 2>&1 &
	echo \$! >/tmp/mitm.pid"
alpha() { RBLK_CONFIG=/etc/rblk/alpha/rblk.conf on alpha "$@"; }
alpha "rblkd >/tmp/rblkd-alpha.log 2>&1 &"
start_daemon bravo
eventually 20 alpha "rblk status --json | grep '\"daemon_running\": true'"
alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
level alpha

said() { /bin/grep -a "$1" /tmp/mitm.log; }
# drop TYPE SIDE: 0 is what alpha sends
drop() {
	: >/tmp/mitm.log
	echo "$1 $2 $((1 + RANDOM % $3))" >/tmp/order
	kill -USR2 "$(cat /tmp/mitm.pid)"
	eventually 10 said ready
}
again() {
	alpha rblk disconnect r0 bravo
	alpha rblk connect r0 bravo
}
# more than the log keeps, while bravo is away
miss() {
	alpha rblk disconnect r0 bravo
	dd if=/dev/urandom of=/dev/rblk0 bs=256k count=16 seek=16 oflag=direct status=none
	alpha rblk connect r0 bravo
}
# a node without a history, which may hold anything
compare() {
	on bravo rblk down r0
	on bravo rblk up r0
	connected alpha
	alpha rblk resync --full r0 bravo
}
provoke() {
	case $1 in
	nothing) ;;
	again) again ;;
	miss) miss ;;
	compare) compare ;;
	bye) alpha rblk disconnect r0 bravo ;;
	esac
}

while read -r name type side nth by; do
	say "$name from $([ "$side" = 0 ] && echo alpha || echo bravo)"
	write_on alpha --mix 60,10,20,10,0 --max-blocks 4 --depth 8
	eventually 30 written 5000
	level alpha
	drop "$type" "$side" "$nth"
	provoke "$by"
	eventually 30 said dropped
	alpha rblk connect r0 bravo
	connected alpha
	level alpha
	stop_writer
	[ "$(data_of bravo)" = consistent ] || fail "bravo is $(data_of bravo)"
	judge bravo --disks
	identical /dev/ram0 /dev/ram1
done <<-END
	HELLO 1 0 1 again
	HELLO 1 1 1 again
	OP 2 0 40 nothing
	ACK 3 1 40 nothing
	STATE 4 0 1 miss
	STATE 4 1 1 miss
	RESYNC 5 0 8 miss
	RESYNC_ACK 6 1 8 miss
	DIGEST 8 0 8 compare
	DIFF 9 1 8 compare
	BYE 7 0 1 bye
END
kill "$(cat /tmp/mitm.pid)"
