# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# verify_matrix BACKUPS: a resource for each protocol and number of acks; random
# writes of all sizes at depths from 1 to 64, verified, with flushes; then writes
# and discards that overlap; then all disks are the same.

# shellcheck source=tests/vm/lib/many.sh
. "$top/tests/vm/lib/many.sh"

matrix_job() {
	printf '[%s]\nfilename=%s\niodepth=%s\n' "$1" "$(many_device "$2")" "$3"
}

matrix_fio() {
	local name i=0
	local -a depths=(1 2 4 8 16 32 64)
	cat <<-END
		[global]
		ioengine=libaio
		direct=1
		thread=1
		bsrange=512-64k
		randrepeat=0
		group_reporting=1
	END
	for name in "${many_names[@]}"; do
		matrix_job "verify-$name" "$name" "${depths[i % 7]}"
		cat <<-END
			rw=randwrite
			bs_unaligned=0
			blockalign=512
			size=2m
			fsync=16
			verify=crc32c
			verify_fatal=1
			do_verify=1
		END
		matrix_job "trim-$name" "$name" "${depths[(i + 3) % 7]}"
		cat <<-END
			rw=randtrimwrite
			blockalign=512
			offset=2m
			size=2m
			io_size=3m
			norandommap=1
			fdatasync=32
		END
		i=$((i + 1))
	done
}

verify_matrix() {
	local protocol acks nodes=(alpha bravo charlie delta)
	nodes=("${nodes[@]:0:$(($1 + 1))}")
	nodes "${nodes[@]}"
	for protocol in A B C; do
		for acks in all 1 2; do
			[ $acks = 2 ] && [ "$1" -lt 2 ] && continue
			many_resource "$protocol$acks" $protocol $acks "${nodes[@]}"
		done
	done
	many_up 4
	matrix_fio >/tmp/matrix.fio
	fio --minimal /tmp/matrix.fio >/tmp/matrix.out || {
		cat /tmp/matrix.out
		fail "fio ended with an error"
	}
	many_identical
}
