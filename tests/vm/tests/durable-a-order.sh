# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 240
#
# Protocol A over a slow link: what the backup has of a lost primary is a state
# that the primary could have had. How much is missing is told.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"

crash_nodes -p A alpha bravo
netem alpha bravo delay 10ms 3ms
old=alpha
new=bravo
for round in 1 2; do
	say "round $round: $old vanishes"
	write_on "$old" --depth 32
	some_moment
	cut_off "$old"
	take_over "$old" "$new"
	judge "$new" --policy A
	rejoin "$old" "$new"
	identical /dev/ram0 /dev/ram1
	begin_anew "$new" "$old"
	read -r old new <<<"$new $old"
done
