# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 240
# module: faults
#
# An application rewrites its buffers while they are being written. Where a
# write may be reported before all have it, replicas are served from a copy and
# are the same. Where it may not, stable pages do that for whoever writes through
# the page cache (Documentation/write-path.rst says what O_DIRECT gets).

. "$top/tests/vm/lib/many.sh"
. "$top/tests/crash/mutation.sh"

nodes alpha bravo charlie
many_resource async A all alpha bravo
many_resource semi C 1 alpha bravo charlie
many_resource sync C all alpha bravo
many_up 16

say "O_DIRECT, copied"
for name in async semi; do
	rewriter direct "$(many_device $name)" 100
done

say "a mapping of the device"
rewriter mmap "$(many_device sync)" 20
many_identical

say "a mapping of a file"
mkfs.ext4 -q "$(many_device sync)"
mkdir -p /mnt/data
mount "$(many_device sync)" /mnt/data
truncate -s 2M /mnt/data/file
rewriter mmap /mnt/data/file 20
umount /mnt/data
many_identical

say "without the copy they differ"
mistakes NO_COPY
on alpha rblk disconnect async
on alpha rblk connect async
connected_to async alpha
has_all() { on alpha rblk status async | grep -q 'lag 0$'; }
differ() {
	rewriter direct "$(many_device async)" 100
	eventually 20 has_all
	! many_same async
}
eventually 60 differ
