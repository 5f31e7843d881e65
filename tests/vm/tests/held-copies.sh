# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# module: faults
#
# Memory is so short that there are only the reserved pages, and all of them are
# in writes that wait behind one that was not copied yet: those go first, and
# give it theirs.

. "$top/tests/crash/mutation.sh"

nodes alpha bravo
ram_disks 2 16
udev
dmsetup create disk0 --table "0 32768 linear /dev/ram0 0"
rblk_load
rblk_config -p A alpha /dev/mapper/disk0 0 bravo /dev/ram1 1 | install_config_commands | bash
start_daemon alpha bravo
on alpha rblk up r0
on bravo rblk up r0
connected alpha bravo
promote_first alpha
held() {
	local n
	n=$(on alpha rblk status --json r0 | sed -n 's/.*"held_requests": *\([0-9]*\).*/\1/p')
	[ "$n" -ge "$1" ]
}

mistakes NO_MEMORY # 64 writes, 256 pages
dmsetup suspend --nolockfs --noflush disk0
fio --name=copied --filename=/dev/rblk0 --direct=1 --rw=randwrite --norandommap --bs=16k \
	--size=16k --io_size=1008k --ioengine=libaio --iodepth=63 --output=/tmp/fio &
copied=$!
eventually 20 held 62
on alpha rblk suspend r0 &
suspended=$!
is_suspended() { on alpha rblk status r0 | grep suspended; }
eventually 20 is_suspended
dd if=/dev/urandom of=/dev/rblk0 bs=64k count=1 seek=16 oflag=direct status=none &
uncopied=$!
eventually 20 held 63
dmsetup resume disk0
wait $suspended
eventually 20 held 63
on alpha rblk resume r0
ended() { ! kill -0 $copied 2>/dev/null && ! kill -0 $uncopied 2>/dev/null; }
eventually 20 ended
wait $copied
wait $uncopied
mistakes
on alpha rblk demote r0
on alpha rblk down r0
on bravo rblk down r0
identical /dev/ram0 /dev/ram1
