# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
#
# While a connected peer is primary nobody else becomes it.

two_nodes
promote_first alpha
refused 1 "another node is primary" on bravo rblk promote r0
expect backup on bravo rblk status r0
expect primary on alpha rblk status r0
dd if=/dev/zero of="$(device alpha)" bs=4k count=1 oflag=direct status=none
! dd if=/dev/zero of="$(device bravo)" bs=4k count=1 oflag=direct status=none 2>/tmp/err ||
	fail "a backup accepted a write"
