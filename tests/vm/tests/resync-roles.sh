# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 400
#
# In the middle of a resync from alpha to charlie the primary changes, in order or
# because alpha died, or charlie dies: the third node cannot be promoted until
# whoever is primary then has brought it level, and all replicas are equal.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
nodes alpha bravo charlie
ram_disks 3 24
rblk_load
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 charlie /dev/ram2 2 |
	sed 's/protocol = C/&\n    log-size = 1MiB/' | install_config_commands | bash
start_daemon alpha bravo charlie
create_metadata alpha bravo charlie
for node in alpha bravo charlie; do on $node rblk up r0; done
connected alpha bravo charlie
promote_first alpha
level alpha

put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count="$3" seek="$2" oflag=direct status=none; }
is_copying() { [ "$(replication_of alpha charlie)" = resync ]; }

# charlie misses much, and is sent it slowly
begin() {
	on alpha rblk disconnect r0 charlie
	put alpha "$1" 96
	netem alpha charlie rate 6mbit
	on alpha rblk connect r0 charlie
	eventually 20 is_copying
	sleep "0.$((RANDOM % 900 + 100))"
	is_copying || fail "the resync was over before anything happened"
}

# a file's blocks of the data of all three
equal() {
	on "$1" sync "$(device "$1")"
	identical /dev/ram0 /dev/ram1
	identical /dev/ram0 /dev/ram2
}

# end LEADER: from here on it is primary; the others become level
end() {
	local leader=$1 node
	netem alpha charlie
	for node in alpha bravo charlie; do
		[ $node = "$leader" ] || on "$leader" rblk connect r0 "$node"
	done
	connected "$leader"
	for node in alpha bravo charlie; do
		[ $node = "$leader" ] || bring_level "$leader" "$node"
	done
	put "$leader" 300 4
	equal "$leader"
}

# By itself, or where the documents say so, by hand: a primary that died.
bring_level() {
	local i
	for i in {1..200}; do
		case $(replication_of "$1" "$2") in
		uptodate) return ;;
		resync | catchup) ;;
		*) [ $((i % 20)) != 0 ] || on "$1" rblk resync --full --force r0 "$2" ;;
		esac
		sleep 0.1
	done
	fail "$2 is $(replication_of "$1" "$2")"
}

say "alpha hands over to bravo"
begin 0
on alpha rblk demote r0
refused 1 inconsistent on charlie rblk promote r0
on bravo rblk promote r0
end bravo

say "and takes it back, while bravo copies"
on bravo rblk demote r0
on alpha rblk promote r0
end alpha

say "alpha dies, bravo takes over"
begin 64
cut alpha bravo
cut alpha charlie
on bravo rblk disconnect r0 alpha
refused 1 inconsistent on charlie rblk promote r0
on bravo rblk promote --force r0
dd if=/dev/ram0 of=/tmp/meta bs=1M count=1 iflag=direct status=none
on alpha rblk down --force r0
dd if=/tmp/meta of=/dev/ram0 bs=1M oflag=direct conv=notrunc status=none
mend alpha bravo
mend alpha charlie
on alpha rblk up r0
on charlie rblk connect r0
end bravo

say "charlie dies and comes back"
on bravo rblk demote r0
on alpha rblk promote r0
end alpha
begin 128
cut alpha charlie
cut bravo charlie
dd if=/dev/ram2 of=/tmp/meta bs=1M count=1 iflag=direct status=none
on charlie rblk down --force r0
dd if=/tmp/meta of=/dev/ram2 bs=1M oflag=direct conv=notrunc status=none
put alpha 200 16
mend alpha charlie
mend bravo charlie
on charlie rblk up r0
refused 1 inconsistent on charlie rblk promote r0
end alpha

say "charlie dies, and comes back to another primary"
begin 160
cut alpha charlie
cut bravo charlie
on charlie rblk down --force r0
on alpha rblk demote r0
on bravo rblk promote r0
put bravo 220 16
mend alpha charlie
mend bravo charlie
on charlie rblk up r0
end bravo
for node in alpha bravo charlie; do on $node rblk down --force r0; done
