# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 300
#
# Every netlink command with every attribute wrong in every way is refused with
# a word, and has changed nothing. The same from several processes at once,
# while a listener of the events never reads and the module is unloaded.

ram_disks 2 16
rblk_load
netlink abuse /dev/ram0 $((RANDOM + 1))

netlink deaf 60 &
netlink storm /dev/ram0 10 &
netlink storm /dev/ram0 10 &
storm=$!
netlink storm /dev/ram1 10 &
for _ in 1 2 3; do
	sleep 2
	eventually 30 rmmod rblk
	rblk_load
done
wait $storm
