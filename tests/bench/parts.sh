# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The parts of tests/bench/guest that are not a table of round trips: the
# activity log, the price of metadata, resyncs, memory. Each prints lines
#   figure,NAME,VALUE

wide_mb=131072		# thin: what is written is dropped
al_mb=$((1237 * 4))	# that DRBD's activity log covers, unless told otherwise
wide=$((16 * al_mb))m
log_us=3000		# a durable write of a disk that has a volatile cache
scatter_mb=1280		# thin, and keeps what is written
wire=200mbit		# of a resync; slower than what two processors can copy

figure() { echo "figure,$1,$2"; }
wanted() { [[ part-$1 =~ $only ]]; }

# thin_disk N KEY=VALUE...: /dev/nullbN with that configuration
thin_disk() {
	local dir=/sys/kernel/config/nullb/nullb$1 pair
	mkdir "$dir"
	shift
	for pair in "$@"; do
		echo "${pair#*=}" >"$dir/${pair%%=*}"
	done
	echo 1 >"$dir/power"
}

parts_disks() {
	local n
	local -a timed=(irqmode=2 "completion_nsec=$((disk_us * 1000))")
	# the data of rblk's two nodes, of DRBD's two, and their metadata
	for n in 9 10 11 12; do
		thin_disk $n size=$wide_mb memory_backed=0 "${timed[@]}"
	done
	for n in 13 14 15 16; do
		thin_disk $n size="$disk_mb" memory_backed=1 irqmode=2 \
			completion_nsec=$((log_us * 1000))
	done
	# with a volatile cache, so that flushes reach them
	for n in 17 18 19 20 21; do
		thin_disk $n size="$disk_mb" memory_backed=1 cache_size=4
	done
	for n in 22 23; do
		thin_disk $n size=$scatter_mb memory_backed=1
	done
	device[raw-cached]=/dev/nullb17
}

# As rblk_resources of guest, with where each node's metadata is
parts_resources() {
	cat <<-END
		C-wide C nullb9 nullb10 "/dev/nullb13" "/dev/nullb14"
		C-cached C nullb18 nullb19 start start
		C-scatter C nullb22 nullb23 none none
	END
}

# As drbd_resources of guest
parts_drbd() {
	cat <<-END
		C-wide nullb11 nullb12 /dev/nullb15 /dev/nullb16 1237
		C-cached nullb20 nullb21 internal internal 1237
	END
}

# ---- small helpers

peer_value() {	# RESOURCE KEY: of bravo, in alpha's status
	on alpha rblk status --json "$1" | tr -d ' \n' | grep -o '"peers":.*' |
		tr '{' '\n' | sed -n "/\"node\":\"bravo\"/s/.*\"$2\":\([0-9]*\).*/\1/p"
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# quick_fio OPTION...: one job; its results in /tmp/fio/out
quick_fio() {
	LD_LIBRARY_PATH=/tmp/fio /tmp/fio/fio --name=part --direct=1 --thread \
		--randrepeat=0 --invalidate=0 --disk_util=0 --allow_file_create=0 \
		--output-format=terse --terse-version=3 "$@" </dev/null >/tmp/fio/out
}

# ---- writes that need the activity log

# Every extent of the area is written once: from then on both logs are full.
fill_wide() {
	local target
	wanted wide || return 0
	for target in rblk-C drbd-C; do
		quick_fio --filename="${device[$target-wide]}" --rw=write:4092k \
			--bs=4k --size="$wide" --ioengine=libaio --iodepth=32
		tell "filled the activity log of $target: $(awk -F';' '{ print int($47 / 4) }' /tmp/fio/out) writes"
	done
}

# ---- what metadata adds to a write on a hot set

stat_of() {	# DISK: sectors written, flushes
	awk '{ print $7, $16 }' "/sys/block/$1/stat"
}

metadata_part() {
	local target one two writes=2048 every=16 peers at
	wanted metadata || return 0
	for target in raw rblk-C drbd-C; do
		case $target in
		raw) one=nullb17 two=nullb17 ;;
		rblk-C) one=nullb18 two=nullb19 ;;
		drbd-C) one=nullb20 two=nullb21 ;;
		esac
		quick_fio --filename="${device[$target-cached]}" --rw=write --bs=64k \
			--size=16m --ioengine=psync --end_fsync=1
		settle
		read -r -a at < <(stat_of $one)
		read -r -a peers < <(stat_of $two)
		quick_fio --filename="${device[$target-cached]}" --rw=randwrite --bs=4k \
			--size=16m --ioengine=psync --number_ios=$writes --fdatasync=$every
		settle
		# per write of the application, in writes and in flushes
		stat_of $one | awk -v s="${at[0]}" -v f="${at[1]}" -v t="$target" -v n=$writes -v e=$every \
			'{ printf "figure,written-%s,%.4f\nfigure,flushes-%s,%.4f\n", t, ($1 - s) / 8 / n, t, ($2 - f) * e / n }'
		[ $two = $one ] || stat_of $two |
			awk -v s="${peers[0]}" -v f="${peers[1]}" -v t="$target" -v n=$writes -v e=$every \
			'{ printf "figure,written-%s-backup,%.4f\nfigure,flushes-%s-backup,%.4f\n", t, ($1 - s) / 8 / n, t, ($2 - f) * e / n }'
	done
}

# ---- resyncs

# Bravo misses a tenth of the volume, in pieces of 64 KiB at random.
miss_a_tenth() {
	on alpha rblk disconnect C-scatter bravo >&2
	quick_fio --filename="${device[rblk-C-scatter]}" --rw=randwrite --bs=64k \
		--size=${scatter_mb}m --io_size=$((scatter_mb / 10))m --ioengine=libaio --iodepth=8
	on alpha rblk resync --pause C-scatter >&2
	on alpha rblk connect C-scatter >&2
	on alpha rblk wait --for connected --timeout 30 C-scatter >&2
}

is_copying() { on alpha rblk status C-scatter | grep -q resync; }

# p99_of FILE: of writes, microseconds
app_p99() {
	quick_fio --filename="${device[rblk-C-scatter]}" --rw=randwrite --bs=4k \
		--size=${scatter_mb}m --ioengine=psync --runtime="$1" --time_based
	awk -F';' '{ for (i = 59; i < 79; i++) { split($i, p, "%="); if (p[1] + 0 == 99) print p[2] } }' /tmp/fio/out
}

resync_part() {
	local rate disk lacks begin alone
	wanted resync || return 0
	netem alpha bravo rate $wire
	quick_fio --filename=/dev/nullb22 --rw=randread --bs=64k --size=${scatter_mb}m \
		--ioengine=libaio --iodepth=8 --runtime=1 --time_based
	disk=$(awk -F';' '{ printf "%.1f", $6 * 1.024 / $9 }' /tmp/fio/out)
	rate=$(on alpha "$limit" stream 10.0.0.2 7900 2 1048576)
	figure disk-64k-read-MB/s "$disk"
	figure wire-MB/s "$rate"

	miss_a_tenth
	lacks=$(peer_value C-scatter lacks_bytes)
	begin=$(now_ms)
	on alpha rblk resync --resume C-scatter >&2
	on alpha rblk wait --for uptodate --timeout 120 C-scatter >&2
	figure resync-MB/s "$(awk -v b="$lacks" -v ms=$(($(now_ms) - begin)) 'BEGIN { printf "%.1f", b / 1000 / ms }')"

	settle
	alone=$(app_p99 4)
	miss_a_tenth
	on alpha rblk resync --resume C-scatter >&2
	sleep 1
	figure app-p99-us-alone "$alone"
	figure app-p99-us-beside-resync "$(app_p99 4)"
	is_copying || tell "the resync had ended before the application did"
	on alpha rblk wait --for uptodate --timeout 120 C-scatter >&2
	netem alpha bravo
}

# All of it is compared, nothing differs.
checksum_part() {
	local was begin
	wanted checksum || return 0
	quick_fio --filename="${device[rblk-C]}" --rw=write --bs=1m --size="$size" --ioengine=psync
	on bravo rblk down C >&2
	on bravo rblk create --force C >&2 # so nothing is known of its data
	on bravo rblk up C >&2
	on alpha rblk wait --for connected --timeout 30 C >&2
	was=$(peer_value C sent_bytes)
	begin=$(now_ms)
	on alpha rblk resync --full C bravo >&2
	on alpha rblk wait --for uptodate --timeout 120 C >&2
	figure checksum-resync-sent-bytes $(($(peer_value C sent_bytes) - was))
	figure checksum-resync-of-bytes $((disk_mb << 20))
	figure checksum-resync-ms $(($(now_ms) - begin))
}

# ---- memory for what a peer lacks, scaled to 1 TiB

mib_per_tib() { awk -v b="$(peer_value C-wide memory_bytes)" -v mb=$wide_mb 'BEGIN { printf "%.4f", b / mb }'; }

memory_part() {
	wanted memory || return 0
	sync "${device[rblk-C-wide]}"
	settle
	figure memory-MiB-per-TiB-clean "$(mib_per_tib)"
	on alpha rblk disconnect C-wide bravo >&2
	# a block in every 2 GiB: no page of bits is spared
	quick_fio --filename="${device[rblk-C-wide]}" --rw=write:2097148k --bs=4k --number_ios=$((wide_mb / 2048)) \
		--size=${wide_mb}m --ioengine=psync
	# until the log has forgotten them
	quick_fio --filename="${device[rblk-C-wide]}" --rw=write --bs=1m --size=64m \
		--ioengine=libaio --iodepth=4
	figure memory-MiB-per-TiB-dirty "$(mib_per_tib)"
	on alpha rblk connect C-wide >&2
	on alpha rblk wait --for uptodate --timeout 60 C-wide >&2
}
