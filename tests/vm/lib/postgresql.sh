# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A PostgreSQL cluster for guests, made once on the host: what initdb and
# "pgbench -i" do takes a minute in an emulated machine. Checksums are on; the
# table "committed" is for numbers that somebody was told are safe.
#
#   pg_bin          where its programs are
#   pg_archive      prints the path of an archive of the data directory "pg"

pg_bin() {
	local dir
	dir=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
	[ -n "$dir" ] || fail "PostgreSQL is not installed: run scripts/deps"
	echo "$dir"
}

# initdb refuses root
pg_as_user() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

pg_make() {
	local bin=$1 dir=$2/pg
	pg_as_user "$bin/initdb" -D "$dir" -U postgres -A trust -k -N -E UTF8 \
		--locale=C --wal-segsize=1
	pg_as_user tee -a "$dir/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '/tmp'
		shared_buffers = 16MB
		min_wal_size = 4MB
		max_wal_size = 8MB
		checkpoint_timeout = 30s
		max_connections = 20
	END
	pg_as_user "$bin/pg_ctl" -D "$dir" -o "-k $2" -l "$dir/../log" -w start
	pg_as_user "$bin/pgbench" -h "$2" -U postgres -i -s 1 -q postgres
	pg_as_user psql -X -h "$2" -U postgres -c "CREATE EXTENSION amcheck" \
		-c "CREATE TABLE committed (id bigint PRIMARY KEY)" postgres
	pg_as_user "$bin/pg_ctl" -D "$dir" -m fast -w stop
}

pg_archive() {
	local bin dir out
	bin=$(pg_bin)
	out=$top/build/vm/postgresql-$("$bin/postgres" --version | grep -o '[0-9.]*' | head -n 1).tar
	if [ ! -e "$out" ] || [ "$vm/lib/postgresql.sh" -nt "$out" ]; then
		dir=$(mktemp -d)
		[ "$(id -u)" != 0 ] || chown postgres "$dir"
		(cd "$dir" && pg_make "$bin" "$dir") >"$out.log" 2>&1 || {
			cat "$out.log" >&2
			fail "no PostgreSQL cluster could be made"
		}
		tar -C "$dir" -cf "$out.new" pg
		mv "$out.new" "$out"
		rm -rf "$dir"
	fi
	echo "$out"
}
