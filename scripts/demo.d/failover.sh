# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The chapter of the demonstration in which nobody helps: r0 fails over twice, from
# alpha, which loses power, to bravo, then from bravo, which is cut off, to alpha.

# shellcheck source=tests/vm/lib/postgresql.sh
. "$vm/lib/postgresql.sh"

# numbers NODE: of the transactions that were committed there, as told outside of it.
# A last line without an end does not count.
numbers() {
	local line
	records "$1" | while read -r line; do
		[[ ! $line =~ ^[0-9]+$ ]] || echo "$line"
	done
}

last_number() { numbers "$1" | tail -n 1; }
more_than() { [ "$(numbers "$1" | wc -l)" -gt "$2" ]; }

# told NODE WORD N: the node's database said WORD for the Nth time
told() { [ "$(records "$1" | grep -c "^$2")" -ge "$3" ]; }

# work NODE COUNT: its database commits that many transactions
work() {
	eventually 30 more_than "$1" $(($(numbers "$1" | wc -l) + $2))
	tell "$1" "transaction $(last_number "$1") is committed"
}

# takes_over NODE N LAST: it is promoted by itself, and PostgreSQL runs there, for the
# Nth time, with all transactions up to LAST
takes_over() {
	local count highest
	eventually 30 serves "$1"
	tell "$1" "is primary, by itself"
	eventually 30 told "$1" mounted "$2"
	tell "$1" "mounted, PostgreSQL starts"
	eventually 30 told "$1" found "$2"
	read -r _ count highest < <(records "$1" | grep '^found' | tail -n 1)
	tell "$1" "PostgreSQL runs: $count transactions, the highest number is $highest"
	if [ "$count" != "$highest" ] || [ "$highest" -lt "$3" ]; then
		fail "transactions up to $3 were committed, they are not all there"
	fi
	tell "$1" "nothing that was committed is missing"
	work "$1" 50
}

# level NODE PEER: PEER, which was away, is copied to until it is in sync
level() {
	local node=$1 peer=$2
	copied "$node" "$peer" r0
	eventually 30 in_sync "$node" alpha bravo
	tell "$node" "$peer is up to date, and in sync"
	show "$node" r0
}

start_database() {
	on "$1" "setsid $top/scripts/demo.d/database $bin >/dev/record &
		echo \$! >/run/database.pid"
}

# The last MiB of the device is not the filesystem's: there somebody reads.
start_reader() {
	on "$1" "stamper /dev/rblk0 /tmp/stamps 48000 r /dev/clock >/dev/null &
		echo \$! >/run/reader.pid"
}

stop_database() {
	on "$1" "kill \$(cat /run/database.pid)"
	eventually 30 told "$1" stopped "$2"
	on "$1" "kill \$(cat /run/reader.pid)"
}

begin() {
	local node
	for node in alpha bravo charlie; do
		on $node rblk create --force r0 >/dev/null
		on $node rblk up r0 >/dev/null
	done
	connected alpha bravo >/dev/null
	for node in alpha bravo charlie; do
		eventually 30 votes $node
	done
	tell host "rblk create r0, rblk up r0, on each"
	on alpha rblk promote --assume-clean r0 >/dev/null
	tell alpha "rblk promote --assume-clean r0: the disks are blank, so they are the same"
	on alpha "mkfs.ext4 -q /dev/rblk0 180M && mkdir -p /mnt/data && mount /dev/rblk0 /mnt/data &&
		tar -C /mnt/data -xf '$archive' && chown -R postgres: /mnt/data/pg && umount /mnt/data"
	tell alpha "ext4, and a PostgreSQL cluster on it"
	show alpha r0
	start_database alpha
	start_database bravo
	eventually 30 told alpha found 1
	tell alpha "PostgreSQL runs, because r0 is primary here; an application commits"
	work alpha 200
}

power_is_lost() {
	local last
	power_cut alpha
	last=$(last_number alpha)
	tell alpha "POWER CUT; the application was told that transactions up to $last are committed"
	takes_over bravo 1 "$last"
	on bravo rblk history r0 | indented

	restart alpha
	tell alpha "has power again"
	prepare alpha
	on alpha rblk up r0 >/dev/null
	tell alpha "rblk up r0: it was primary, and finds that bravo is"
	level bravo alpha
}

is_cut_off() {
	local last cut stopped begun node
	start_database alpha
	start_reader alpha
	start_reader bravo
	eventually 30 on bravo 'test -s /tmp/stamps'
	work bravo 50
	cut=$(now_ns)
	cut_link bravo alpha
	cut_link bravo charlie
	tell_at "$cut" bravo "CUT OFF from alpha and charlie; it is primary, and alive"
	eventually 30 serves alpha
	eventually 30 on alpha 'test -s /tmp/stamps'
	for node in alpha bravo; do
		on $node cat /tmp/stamps >"$vm_dir/$node.stamps"
	done
	last=$(last_number bravo)
	stopped=$(last_stamp "$vm_dir/bravo.stamps")
	begun=$(awk '{ print $2; exit }' "$vm_dir/alpha.stamps")
	[ "$stopped" -gt "$cut" ] || fail "bravo did not read under its lease"
	tell_at "$stopped" bravo "the last read that succeeded: its lease is over, reads and writes wait"
	tell_at "$begun" alpha "the first read begins: $(((begun - stopped) / 1000000)) ms later"
	[ "$stopped" -lt "$begun" ] || fail "bravo served after alpha had begun"
	tell bravo "in all, transactions up to $last were committed"
	takes_over alpha 2 "$last"
	show bravo r0
	mend_link bravo alpha
	mend_link bravo charlie
	tell host "MENDED the network"
	eventually 30 told bravo stopped 1
	tell bravo "is a backup again; what waited there failed, PostgreSQL was stopped"
	level alpha bravo
}

end() {
	local node twice
	work alpha 50
	stop_database alpha 1
	tell alpha "stopped PostgreSQL"
	twice=$({ numbers alpha; numbers bravo; } | sort | uniq -d | head -n 3)
	[ -z "$twice" ] || fail "committed twice: $twice"
	tell host "each of $(last_number alpha) transactions was committed once"
	on alpha rblk demote r0 >/dev/null
	for node in alpha bravo; do
		on $node rblk down r0 >/dev/null
	done
	tell host "rblk demote r0 on alpha, rblk down r0 on both"
	the_same disk0
}

failover_chapter() {
	cat <<-END
	FAILOVER. PostgreSQL runs on the replicated device, where that is primary. An
	application commits one transaction after the other; the number of each leaves the
	machine once it is committed. alpha loses power; bravo goes on, and must have all of
	them. alpha returns, and is brought level. Then bravo is cut off, alive: it must stop
	before alpha begins. At the end both disks must be the same.

	END
	bin=$(pg_bin)
	archive=$(pg_archive)
	begin
	power_is_lost
	is_cut_off
	end
}
