# shellcheck shell=bash disable=SC2119
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 900
#
# The power is cut in the first, the second ... write while the roles change, on the
# primary and on the backup: that write is torn, what was not flushed is lost. One of
# the two can be promoted afterwards, nothing that was flushed is missing, and the
# replicas are equal.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/cuts.sh"

cut_nodes
for n in {0..15}; do
	for role in primary backup; do
		say "cut in write $n of the $role, at $SECONDS s"
		node=$first
		[ $role = primary ] || node=$second
		begin_anew "$first" "$second"
		load
		cut_metadata "$node" "$n"
		equal
	done
done
