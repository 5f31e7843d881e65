# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# timeout: 240
#
# Of the allocations that must not wait, in the module, the network and the block
# layer, every tenth fails: writes go on, no link ends, and the replicas are equal,
# with protocol C and with A, which copies. Needs fault injection (debug kernel).

. "$top/tests/crash/lib.sh"

debug=/sys/kernel/debug
[ -e $debug/failslab ] || skip "no fault injection in this kernel"

# inject NAME PROBABILITY
inject() {
	echo 0 >$debug/$1/verbose
	echo 0 >$debug/$1/space
	echo -1 >$debug/$1/times
	echo "$2" >$debug/$1/probability
}
trap 'inject failslab 0; inject fail_page_alloc 0' EXIT

# injected NAME COMMAND...: none of its links ends
injected() {
	local name=$1
	shift
	inject "$name" 10
	write_on alpha "$@"
	eventually 60 written 100000
	stop_writer
	inject "$name" 0
	eventually 30 crash-check same /dev/ram0 /dev/ram1
	! dmesg | grep "link( up -> " || fail "a link ended"
}

crash_nodes -p C alpha bravo
echo Y >$debug/failslab/ignore-gfp-wait
echo Y >$debug/fail_page_alloc/ignore-gfp-wait
echo 0 >$debug/fail_page_alloc/min-order
for protocol in C A; do
	sed -i "s/protocol = ./protocol = $protocol/" /etc/rblk/rblk.conf
	on alpha rblk adjust r0
	on bravo rblk adjust r0
	for name in failslab fail_page_alloc; do
		say "$protocol $name"
		injected $name
		injected $name --max-blocks 1 --depth 64
		judge alpha
		judge bravo --disks
	done
done
