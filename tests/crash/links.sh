# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bad links, from a moment that is known to the message on. Sourced after
# tests/crash/lib.sh and tests/vm/lib/outage.sh.
#
#   link_nodes              alpha and bravo; what they say goes through a third
#                           namespace, relay, where mitm reads along
#   bad_link STAGE FAULT    an application writes; at STAGE the link becomes bad; it
#                           comes to its end, or is given up, and mended; then bravo is
#                           level, nothing is lost, and the replicas are equal
#
# Stages: handshake, digests, data, last (the confirmation of the end), streaming.
# Faults: lossy and delayed, which a link endures; out and back, when nothing from
# alpha arrives any more, or nothing from bravo; half-open, when bravo goes away as
# well, and nobody tells alpha.

rblk_metadata=start
crash_metadata=start
crash_nodes=(alpha bravo)
crash_log_size=1MiB
crash_blocks=512

alpha() { RBLK_CONFIG=/etc/rblk/alpha/rblk.conf on alpha "$@"; }
said() { grep -a "$1" /tmp/mitm.log; }
connection() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n 's/^"connection":"\([a-z]*\)"$/\1/p'; }
is_down() { [ "$(connection "$1")" = down ]; }

link_nodes() {
	nodes alpha bravo relay
	ram_disks 2 10
	rblk_load
	# given up soon: a cut costs that much time
	{
		crash_config alpha bravo
		echo 'net { timeout = 3s }'
	} | install_config_commands | bash
	on relay "$RBLK_TOP/build/vm/bin/mitm 10.0.0.3 7799 10.0.0.2 7790 /tmp/order >/tmp/mitm.log 2>&1 &
		echo \$! >/tmp/mitm.pid"
	mkdir -p /etc/rblk/alpha
	sed 's|10.0.0.2:7790|10.0.0.3:7799|' /etc/rblk/rblk.conf >/etc/rblk/alpha/rblk.conf
	alpha "rblkd >/tmp/rblkd-alpha.log 2>&1 &"
	start_daemon bravo
	eventually 20 alpha "rblk status --json | grep '\"daemon_running\": true'"
	create_metadata alpha bravo
	alpha rblk up r0
	on bravo rblk up r0
	connected alpha bravo
	promote_first alpha
	level alpha
}

hold_at() {
	: >/tmp/mitm.log
	case $1 in
	handshake) echo "1 1 1 0 hold" ;;	# HELLO of bravo
	digests) echo "8 0 3 0 hold" ;;		# DIGEST
	data) echo "5 0 8 0 hold" ;;		# RESYNC
	last) echo "6 1 1 64 hold" ;;		# RESYNC_ACK, LAST
	streaming) echo "2 0 40 0 hold" ;;	# OP
	esac >/tmp/order
	kill -USR2 "$(cat /tmp/mitm.pid)"
	eventually 10 said ready
}

# more than the log keeps, while bravo is away
miss() {
	alpha rblk disconnect r0 bravo
	dd if=/dev/urandom of=/dev/rblk0 bs=256k count=12 seek=16 oflag=direct status=none
	alpha rblk connect r0 bravo
}

# a disk of which nothing is known
forget() {
	on bravo rblk down r0
	create_metadata bravo
	on bravo rblk up r0
	connected alpha
	alpha rblk resync --full --force r0 bravo
}

reach() {
	case $1 in
	handshake)
		alpha rblk disconnect r0 bravo
		alpha rblk connect r0 bravo
		;;
	digests) forget ;;
	data | last) miss ;;
	streaming) ;;
	esac
	eventually 30 said held
}

spoil() {
	case $1 in
	lossy)
		netem alpha relay loss 5%
		netem relay bravo loss 5%
		;;
	delayed) # 50 ms in all
		netem alpha relay delay 25ms
		netem relay bravo delay 25ms
		;;
	out)
		cut alpha relay one-way
		cut relay bravo one-way
		;;
	back | half-open)
		cut bravo relay one-way
		cut relay alpha one-way
		;;
	esac
}

# Both find out by themselves; what is half overwritten is not taken for whole.
give_up() {
	[ "$2" != half-open ] || on bravo rblk down --force r0
	eventually 30 is_down alpha
	[ "$2" != half-open ] || return 0
	eventually 30 is_down bravo
	case $1 in
	digests | data)
		[ "$(data_of bravo)" = inconsistent ] || fail "bravo is $(data_of bravo) in the middle of it"
		refused 1 inconsistent on bravo rblk promote r0
		;;
	esac
}

mend_link() {
	netem alpha relay
	netem relay bravo
}

bad_link() {
	local stage=$1 fault=$2
	say "$stage, $fault, at $SECONDS s"
	write_on alpha --mix 60,10,20,10,0 --max-blocks 4 --depth 4
	eventually 30 written 5000
	level alpha
	hold_at "$stage"
	reach "$stage"
	spoil "$fault"
	kill -USR1 "$(cat /tmp/mitm.pid)"
	case $fault in
	lossy | delayed)
		connected alpha
		level alpha
		mend_link
		;;
	*)
		give_up "$stage" "$fault"
		mend_link
		[ "$fault" != half-open ] || on bravo rblk up r0
		alpha rblk connect r0 bravo
		connected alpha
		level alpha
		;;
	esac
	stop_writer
	[ "$(data_of bravo)" = consistent ] || fail "bravo is $(data_of bravo)"
	judge bravo --disks --offset 1048576
	identical /dev/ram0 /dev/ram1
}
