# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 240
#
# Almost all memory is dirty pages of the replicated device, and the peer is
# slow: writing them back needs no memory that only writing them back would free.

ram_disks 2 96
# all their pages, now: later they would come from what little is left
dd if=/dev/zero of=/dev/ram0 bs=1M oflag=direct status=none 2>/dev/null || true
dd if=/dev/zero of=/dev/ram1 bs=1M oflag=direct status=none 2>/dev/null || true
two_nodes 96
promote_first alpha
netem alpha bravo delay 5ms rate 100mbit

# leave little: what is not taken here must do for pages, log, sockets and bios
free_kb() { awk '/^MemAvailable/ { print $2 }' /proc/meminfo; }
mkdir -p /mnt/hog
mount -t tmpfs -o size=100% hog /mnt/hog
dd if=/dev/zero of=/mnt/hog/all bs=1M count=$((($(free_kb) - 180 * 1024) / 1024)) status=none
say "$(free_kb) KiB are left"

sysctl -q vm.dirty_background_ratio=60 vm.dirty_ratio=80 kernel.hung_task_panic=1
for place in 0 32 64; do
	dd if=/dev/zero of="$(device alpha)" bs=1M count=32 seek=$place \
		conv=notrunc status=none &
done
# somebody else wants memory as well
dd if=/dev/urandom of=/mnt/hog/more bs=1M count=40 status=none 2>/dev/null || true
sync
wait
rm -f /mnt/hog/more
sysctl -q kernel.hung_task_panic=0 vm.dirty_background_ratio=10 vm.dirty_ratio=20
on alpha rblk demote r0
identical "$(disk alpha)" "$(disk bravo)"
