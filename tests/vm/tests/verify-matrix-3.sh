# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 240
#
# With 3 backups, at each protocol and number of acks, what is written is what is
# read, and in the end all disks hold the same bytes.

. "$top/tests/vm/lib/matrix.sh"

verify_matrix 3
