# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 300
#
# A disk hangs under load, below the primary and then below the backup: the
# application goes on within the time that disk-timeout says, nothing that was
# acknowledged is lost, and the disk can be given back once it answers.

. "$top/tests/crash/lib.sh"
. "$top/tests/vm/lib/dm.sh"

crash_blocks=1024
crash_disk=dm_disk
crash_metadata=end
make_disks() { dm_disks; }

hang() { dmsetup suspend --nolockfs --noflush "disk-$1" </dev/null; }
answer() { dmsetup resume "disk-$1" </dev/null; }
goes_on() {
	local was
	was=$(stat -c %s /tmp/crash-now)
	eventually 20 written $((was + 20000))
	kill -0 "$crash_writer" || fail "the application saw it: $(cat /tmp/crash-writer.log)"
}
new_disk() {
	on "$1" rblk create --force --volume 0 r0 >/dev/null
	on "$1" rblk attach r0
}

crash_nodes -m 8 alpha bravo
sed -i 's/^    protocol = .*/&\n    disk-timeout = 2s/' /etc/rblk/rblk.conf
for node in alpha bravo; do
	expect "disk-timeout 0ms -> 2000ms" on "$node" rblk adjust r0
done

say "below the primary"
write_on alpha --mix 40,50,5,3,2
some_moment
dd if=/dev/rblk0 of=/dev/null bs=64k iflag=direct status=none &
reader=$!
hang alpha
eventually 20 says alpha "failed"
goes_on
wait $reader || fail "a read failed"
dd if=/dev/rblk0 of=/dev/null bs=64k iflag=direct status=none
stop_writer
judge alpha
judge bravo --disks
refused 6 "have not ended" on alpha rblk detach r0
answer alpha
eventually 20 on alpha rblk detach r0
new_disk alpha
eventually 60 says alpha "rblk0 .*ok"
judge alpha --disks

say "below the backup"
write_on alpha --mix 40,50,5,3,2
some_moment
hang bravo
eventually 20 says bravo "failed"
eventually 10 says alpha "did not answer"
goes_on
answer bravo
eventually 20 on bravo rblk detach r0
new_disk bravo
on alpha rblk wait --for uptodate --timeout "$(patient 60)" r0
stop_writer
judge bravo --disks

say "down ends, and says what is left"
hang alpha
dd if=/dev/urandom of=/dev/rblk0 bs=4k count=1 oflag=direct status=none
expect "failed" on alpha rblk status r0
before=$SECONDS
refused 1 "as when a disk hangs" on alpha rblk down --force r0
[ $((SECONDS - before)) -lt "$(patient 40)" ] || fail "down took $((SECONDS - before)) s"
answer alpha
remove_dm_disks
