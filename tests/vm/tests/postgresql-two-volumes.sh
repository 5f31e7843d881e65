# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# kernels: newest
# timeout: 400
#
# PostgreSQL has its data on one volume and its log on another. Its machine loses
# power under load: on the backup it recovers, and has every transaction that a
# client was told is committed.

# shellcheck source=tests/vm/lib/postgresql.sh
. "$vm/lib/postgresql.sh"

bin=$(pg_bin)
archive=$(pg_archive)
guest --disk 160M --disk 64M alpha bravo

config='cluster "test" { key-file = "/etc/rblk/cluster.key" }
node "alpha" { id = 0  address = "10.0.0.1:7790" }
node "bravo" { id = 1  address = "10.0.0.2:7790" }
resource "r0" {
    volume 0 { minor = 0  disk = "/dev/vda"  metadata = none }
    volume 1 { minor = 1  disk = "/dev/vdb"  metadata = none }
    on "alpha" { }
    on "bravo" { }
}'
for node in alpha bravo; do
	on $node "$(install_config_commands <<<"$config")"
	on $node '. $RBLK_TOP/tests/vm/lib/common.sh; . $RBLK_TOP/tests/vm/lib/rblk.sh; rblk_load'
done
start_daemon alpha bravo
for node in alpha bravo; do
	on $node rblk up r0
done
connected alpha bravo
on alpha rblk promote --assume-clean r0

start_postgres() {
	on "$1" "mkdir -p /mnt/data /mnt/wal &&
		mount /dev/rblk0 /mnt/data && mount /dev/rblk1 /mnt/wal"
	[ -z "${2-}" ] || on "$1" "tar -C /mnt/data -xf $2 &&
		mv /mnt/data/pg/pg_wal /mnt/wal/pg_wal &&
		ln -s /mnt/wal/pg_wal /mnt/data/pg/pg_wal &&
		chown -R postgres: /mnt/data/pg /mnt/wal/pg_wal && sync"
	on "$1" "runuser -u postgres -- $bin/pg_ctl -D /mnt/data/pg -l /tmp/postgres.log \
		-w -t 120 start" || { on "$1" cat /tmp/postgres.log; fail "PostgreSQL does not start on $1"; }
}
on alpha 'mkfs.ext4 -q /dev/rblk0 && mkfs.ext4 -q /dev/rblk1'
start_postgres alpha "$archive"

# The number of each transaction leaves the machine once it is committed.
on alpha "$bin/pgbench -h /tmp -U postgres -n -c 2 -T 1000 postgres" >/dev/null 2>&1 &
load=$!
on alpha 'for client in 1 2 3; do
	seq -f "INSERT INTO committed VALUES (${client}0%06g) RETURNING id;" 1 900000 |
		stdbuf -oL '"$bin"'/psql -X -qAt -h /tmp -U postgres postgres &
done | cat >/dev/record' >/dev/null 2>&1 &
clients=$!
enough() { [ "$(records alpha | wc -l)" -ge 400 ]; }
eventually 120 enough
power_cut alpha
wait $load $clients || true
# the last line may be in pieces
records alpha | sed -n '/^[0-9]\{8\}$/p' | sort >"$vm_dir/promised"

eventually 60 on bravo rblk promote r0
start_postgres bravo
on bravo "$bin/psql -X -qAt -h /tmp -U postgres -c 'SELECT id FROM committed' postgres" |
	sort >"$vm_dir/found"
say "$(wc -l <"$vm_dir/promised") promised, $(wc -l <"$vm_dir/found") found"
lost=$(comm -23 "$vm_dir/promised" "$vm_dir/found" | head -n 5)
[ -z "$lost" ] || fail "committed, and not there: $lost"
on bravo "$bin/pg_amcheck -h /tmp -U postgres --heapallindexed postgres"
on bravo "runuser -u postgres -- $bin/pg_ctl -D /mnt/data/pg -m fast -w stop"
expect "Bad checksums:  0" on bravo "$bin/pg_checksums --check -D /mnt/data/pg"
