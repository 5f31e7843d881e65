# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# timeout: 180
#
# A primary falls silent, one of two backups takes over: the other one follows
# it at once, from where it is, though its link to the silent one still stands.

three_nodes 16
promote_first alpha
put() { dd if=/dev/urandom of="$(device "$1")" bs=64k count=8 seek=$2 oflag=direct status=none; }
put alpha 0

cut alpha bravo
cut alpha charlie
on bravo rblk promote --force r0
put bravo 8
dmesg | grep "r0 alpha: link( up -> down ) bravo is primary of a higher generation" ||
	fail "two primaries were followed"
! grep "r0 charlie: lost" /tmp/rblkd-bravo.log || fail "the other backup was lost on the way"
identical "$(disk bravo)" "$(disk charlie)"
