# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 900
#
# After flushes of the primary's disk and of the backup's, what a disk without its
# cache would hold at that moment is sound: rblk's metadata, ext4 once its journal is
# replayed, each file that was synced, and all that was acknowledged as flushed.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_disk=dm_disk
crash_metadata=start
disk_sects=32768
data_at=1048576	# bytes
# with a cache that it admits to: without, nobody would flush
make_disks() {
	local node
	volatile_disks alpha bravo
	udev
	modprobe -a dm-log-writes loop
	for node in alpha bravo; do
		dmsetup create "disk-$node" --table "0 $disk_sects log-writes $(volatile_disk $node) $(crash_ram $node 0)"
		[ "$(cat "/sys/block/$(basename "$(realpath "/dev/mapper/disk-$node")")/queue/write_cache")" = "write back" ] ||
			fail "the disk of $node says that it has no cache"
	done
}

crash_nodes -m 64 alpha bravo

# ---- a load: files that are synced one by one, and one that is written over

dir=/mnt/log
mkdir -p $dir /mnt/replayed
mkfs.ext4 -q -b 4096 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 /dev/rblk0
mount /dev/rblk0 $dir
dd if=/dev/zero of=$dir/data bs=64k count=8 conv=fsync status=none
sync -f $dir/data

# From here on each crash has to leave these files, and what was acknowledged.
promise() {
	local node acks
	acks=$(stat -c %s /tmp/record 2>/dev/null || echo 0)
	for node in alpha bravo; do
		dmsetup message "disk-$node" 0 mark "promised:$acks:$1" </dev/null
	done
}

promise 0
# no FUA: the log has a FUA write before an older one to the same block that is flushed later
crash-writer --dev $dir/data --out /tmp/record --blocks 128 --depth 4 --max-blocks 4 \
	--mix 60,10,30,0,0 --count 200 --seed "$RANDOM" >/tmp/crash-writer.log 2>&1 &
writer=$!
for ((i = 1; i <= 8; i++)); do
	echo "this is file $i" >$dir/new
	sync $dir/new
	mv $dir/new "$dir/file.$i"
	sync $dir
	promise $i
done
wait $writer || fail "$(cat /tmp/crash-writer.log)"
umount $dir
for node in alpha bravo; do on $node rblk down r0; done
for node in alpha bravo; do
	eventually 10 dmsetup remove disk-$node
	blockdev --flushbufs "$(crash_ram $node 0)"
done

# ---- each flush of each disk

# "ENTRIES ACKS FILES" a line: so much of the log, and what was promised by then. All
# of them, or as many as $RBLK_CUTS says, spread over the log.
points() {
	replay-log list "$1" | awk -v max="${RBLK_CUTS:-100}" -v seed="$RANDOM" '
		split($3, mark, ":") == 3 && mark[1] == "promised" { acks = mark[2]; files = mark[3] }
		files != "" && ($2 == "flush" || $2 == "fua") { point[n++] = $1 + 1 " " acks " " files }
		END {
			srand(seed)
			step = n > max ? n / max : 1
			for (i = rand() * step; i < n; i += step)
				print point[int(i)]
		}'
}

# judge_point ACKS FILES: /tmp/copy, a disk
judge_point() {
	local i line
	rblk md examine /tmp/copy >/tmp/verdict 2>&1 || return
	mount -o loop,offset=$data_at /tmp/copy /mnt/replayed >/tmp/verdict 2>&1 || return
	echo "files that were synced are not there" >/tmp/verdict
	for ((i = 1; i <= $2; i++)); do
		read -r line <"/mnt/replayed/file.$i" || return
		[ "$line" = "this is file $i" ] || return
	done
	crash-check image /tmp/record --image /mnt/replayed/data --cache-lost \
		--acks-until "$1" >/tmp/verdict 2>&1 || return
	umount /mnt/replayed || return
	e2fsck -fn "/tmp/copy?offset=$data_at" >/tmp/verdict 2>&1
}

for node in alpha bravo; do
	log=$(crash_ram $node 0)
	done=0
	nr=0
	rm -f /tmp/image
	truncate -s $((disk_sects * 512)) /tmp/image
	points "$log" >/tmp/points
	while read -r entries acks files; do
		replay-log apply "$log" /tmp/image $done "$entries"
		done=$entries
		nr=$((nr + 1))
		cp /tmp/image /tmp/copy
		judge_point "$acks" "$files" || {
			cat /tmp/verdict
			fail "$node: after $entries entries of the log, $acks bytes of acknowledgments and $files files"
		}
	done </tmp/points
	say "$node: $nr moments after a flush, a sound disk at each"
	[ $nr -ge "${RBLK_CUTS:-40}" ] || fail "$node flushed only $nr times: the load is none"
done
