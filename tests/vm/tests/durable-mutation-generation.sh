# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# module: faults
# timeout: 180
#
# A deposed primary goes on sending to a backup that follows its successor: it
# is refused, and where it is not, the replicas differ.

. "$top/tests/crash/lib.sh"
. "$top/tests/crash/mutation.sh"

crash_blocks=64

# depose OLD NEW MISTAKE...: OLD, cut off from NEW only, does not know that NEW
# was promoted; charlie is connected to both.
depose() {
	local old=$1 new=$2
	shift 2
	write_on "$old" --count 200
	wait "$crash_writer"
	keep_history
	on "$new" rblk disconnect r0 "$old"
	mistakes "$@"
	on "$new" rblk promote r0
	eventually 30 follows charlie "$new"
	write_on "$old" --count 200
	wait "$crash_writer" || true
}

follows() { on "$1" rblk status r0 | grep "^ *$2 *connected *primary"; }

crash_nodes -p C alpha bravo charlie

say "no mistake"
depose alpha bravo
eventually 20 eval 'on charlie rblk status r0 | grep "^ *alpha  *down"'
crash-check same /dev/ram1 /dev/ram2
on alpha rblk down --force r0
rejoin alpha bravo
crash-check same /dev/ram0 /dev/ram1

say OLD_GENERATION
depose bravo alpha OLD_GENERATION
caught differs crash-check same /dev/ram0 /dev/ram2
