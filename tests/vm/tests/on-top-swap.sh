# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# timeout: 300
#
# A machine that is short of memory swaps to rblk: memory is freed by sending it
# to the backup, so nothing on that way may wait for memory to be freed.

guest --mem 320 --disk 128M alpha bravo
rblk_machines alpha bravo
on alpha rblk promote --assume-clean r0
on alpha 'mkswap -q /dev/rblk0 && swapon /dev/rblk0'
on alpha 'echo 0 >/proc/sys/vm/page-cluster'
free_mb() { on alpha awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }

# most of the memory can go nowhere: what is left is soon full
free=$(free_mb)
on alpha "hog hold $((free - 56)) >/tmp/held 2>&1 &"
eventually 30 on alpha grep -q held /tmp/held
left=$(free_mb)
say "$left of $free MiB are left, $((left + 24)) are to be used"
expect " 0 wrong" on alpha hog check $((left + 24))
written=$(on alpha awk '{ print $7 }' /sys/block/rblk0/stat)
say "$((written / 2048)) MiB were swapped out"
[ "$written" -ge $((16 * 2048)) ] || fail "only $written sectors were swapped out"
expect connected on alpha rblk status r0
on alpha 'kill $(pidof hog)'
on alpha swapoff /dev/rblk0
for node in alpha bravo; do
	on $node rblk down r0
	on $node blockdev --flushbufs /dev/vda
done
cmp "$vm_dir/alpha/disk0" "$vm_dir/bravo/disk0"
