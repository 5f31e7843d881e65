# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# module: faults
# timeout: 240
#
# A flush that does not reach the disk, on the backup or on the primary, or that
# is acknowledged too early: a disk that loses its cache brings it to light.

. "$top/tests/crash/lib.sh"
. "$top/tests/crash/mutation.sh"

crash_blocks=512
crash_disk=volatile_disk
make_disks() { volatile_disks alpha bravo; }

# judge_cuts MIX NODE...: what a power cut would leave at some moment
judge_cuts() {
	local mix=$1 node acks
	shift
	write_on alpha --mix "$mix" --max-blocks 4
	eventually 60 written 50000
	for node in "$@"; do
		# promises are what was acknowledged before the disk is asked
		acks=$(stat -c %s /tmp/crash-now)
		image=$(cut_image "$node")
		cp /tmp/crash-now /tmp/crash-then
		crash-check image /tmp/crash-then --acks-until "$acks" \
			--image "$image" --cache-lost || return
	done
}

crash_nodes -p C alpha bravo

say "no mistake"
fresh alpha
judge_cuts 70,10,10,10,0 bravo alpha
stop_writer

while read -r mistake node mix; do
	say "$mistake"
	fresh alpha
	mistakes "$mistake"
	caught flushed-but-lost judge_cuts "$mix" "$node"
	stop_writer
done <<-END
	NO_FLUSH bravo 70,10,20,0,0
	NO_FUA bravo 70,10,0,20,0
	LOCAL_NO_FLUSH alpha 70,10,10,10,0
END
# A disk that stands still: what is acknowledged now, it cannot have.
say ACK_RECEIVED
fresh alpha
mistakes ACK_RECEIVED
write_on alpha --mix 0,0,0,100,0 --depth 4
eventually 60 written 5000
kill -STOP "$(cat /tmp/bravo.pid)"
cp /tmp/bravo.disk /tmp/bravo.disk.cut
# more than what was on its way
eventually 60 written $(($(stat -c %s /tmp/crash-now) + 2000))
cp /tmp/crash-now /tmp/crash-then
caught flushed-but-lost crash-check image /tmp/crash-then \
	--image /tmp/bravo.disk.cut --cache-lost
kill -CONT "$(cat /tmp/bravo.pid)"
stop_writer
for node in alpha bravo; do
	on $node rblk down --force r0
done
