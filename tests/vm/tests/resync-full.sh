# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A node that joins late is behind; a full copy under load makes it equal, and
# it can take over.

two_nodes 32
on bravo rblk down r0
promote_first alpha
fio --name=before --filename="$(device alpha)" --direct=1 --rw=randwrite \
	--bs=16k --size=16m --ioengine=libaio --iodepth=8 --output=/tmp/fio-before
on bravo rblk up r0
connected alpha
on alpha rblk status >/tmp/status || true
cat /tmp/status
grep -q 'behind' /tmp/status || fail "a node without data is not said to be behind"

fio --name=during --filename="$(device alpha)" --direct=1 --rw=randwrite \
	--bsrange=512-64k --size=32m --io_size=8m --ioengine=libaio --iodepth=16 \
	--output=/tmp/fio-during &
on alpha rblk resync --full r0 bravo
! on bravo rblk promote r0 || fail "promoted while another node is primary"
wait $!
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
identical /dev/ram0 /dev/ram1

on alpha rblk demote r0
on bravo rblk promote r0
fio --name=after --filename="$(device bravo)" --direct=1 --rw=randwrite \
	--bs=4k --size=4m --ioengine=libaio --iodepth=4 --output=/tmp/fio-after
identical /dev/ram0 /dev/ram1
