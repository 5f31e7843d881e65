# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# kernels: newest
# timeout: 300
#
# Whichever allocation of a netlink command fails, it is refused and has changed
# nothing, or it succeeds all the same. Needs fault injection (debug kernel).

faults=/sys/kernel/debug/failslab
[ -e $faults ] || skip "no fault injection in this kernel"
ram_disks 1 16
rblk_load
echo N >$faults/ignore-gfp-wait
echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait
echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
echo 0 >$faults/verbose
echo 0 >/sys/kernel/debug/fail_page_alloc/verbose
netlink nth /dev/ram0
