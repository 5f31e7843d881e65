# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# module: faults
# timeout: 240
#
# A backup that loses, tears or misplaces writes, a primary that waits for
# nobody or lets writes to one block race: the checkers notice each of them.

. "$top/tests/crash/lib.sh"
. "$top/tests/crash/mutation.sh"

# which can zero: a ram disk would be sent zeroes as data
crash_disk=loop_disk
make_disks() { loop_disks alpha bravo; }

crash_nodes -p C alpha bravo

run() {
	fresh alpha
	mistakes "$@"
	write_on alpha --count 1200 --mix 60,20,5,3,12
	wait "$crash_writer"
	keep_history
}

# Two writers that know nothing of each other, on the same blocks, until both
# stop in mid-write: who was last, both disks must agree.
race() {
	local i
	local -a writers=()
	for i in 1 2; do
		crash-writer --dev /dev/rblk0 --out "/tmp/race-$i" --blocks 64 \
			--max-blocks 8 --mix 1,0,0,0,0 --seed "$RANDOM" --node "$i" &
		writers+=($!)
	done
	for i in 1 2; do
		eventually 30 eval '[ $(stat -c %s /tmp/race-$i) -gt 50000 ]'
	done
	kill -TERM "${writers[@]}"
	wait "${writers[@]}"
	rm -f /tmp/race-*
	crash-check same /dev/loop0 /dev/loop1
}

races() {
	local _
	for _ in {1..20}; do
		race || return
	done
}

judge_bravo() { crash-check image "${crash_history[@]}" --image /dev/loop1; }

say "no mistake"
run
judge bravo --disks
fresh alpha
race

while read -r mistake rule; do
	say "$mistake"
	run "$mistake"
	caught "$rule" judge_bravo
done <<-END
	LOSE_WRITE lost
	LOSE_ZEROES lost
	TEAR torn
	MISPLACE foreign
END

say NO_HOLD
fresh alpha
crash-check same /dev/loop0 /dev/loop1
mistakes NO_HOLD
caught differs races

say NO_WAIT
fresh alpha
netem alpha bravo delay 20ms
mistakes NO_WAIT
on alpha rblk disconnect r0
on alpha rblk connect r0
connected alpha
write_on alpha
some_moment
cut_off alpha
on bravo rblk disconnect r0
caught lost judge_bravo
stop_writer
