# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 240
#
# Empty flushes, single sectors, 4 MiB in one call, hundreds of odd pieces, parts
# of pages, FUA, zeroing and discards: read back as written, and the same on
# each disk, where data is sent as it lies and where it is copied first.

. "$top/tests/vm/lib/many.sh"

seed=${ODD_SEED:-$(($(date +%s%N) / 1000 % 32768))}
say "ODD_SEED=$seed"
nodes alpha bravo charlie
many_resource direct C all alpha bravo
many_resource copied A all alpha bravo
many_resource mixed C 1 alpha bravo charlie
many_up 16
for name in "${many_names[@]}"; do
	expect "with discards" oddwriter "$(many_device $name)" "$seed" 150
done
many_identical
