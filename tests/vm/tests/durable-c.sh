# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Protocol C: a primary vanishes at some moment while it is written to. Its
# backup has every write that was acknowledged, in order, and nothing else.

. "$top/tests/crash/lib.sh"

crash_nodes -p C alpha bravo
old=alpha
new=bravo
for round in 1 2 3; do
	say "round $round: $old vanishes"
	write_on "$old"
	some_moment
	cut_off "$old"
	take_over "$old" "$new"
	judge "$new"
	rejoin "$old" "$new"
	identical /dev/ram0 /dev/ram1
	read -r old new <<<"$new $old"
done
