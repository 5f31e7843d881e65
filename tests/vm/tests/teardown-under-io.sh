# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kmemleak: yes
# timeout: 180
#
# "rblk down --force" ends whatever is going on, and the module unloads.

two_nodes
promote_first alpha
for _ in 1 2 3; do
	fio --name=w --filename="$(device alpha)" --rw=randrw --bs=4k --direct=1 \
		--ioengine=libaio --iodepth=16 --time_based --runtime=60 --size=16m \
		>/tmp/fio.log 2>&1 &
done
sleep 3
start=$SECONDS
on alpha rblk down --force r0
[ $((SECONDS - start)) -lt "$(patient 20)" ] || fail "down --force took $((SECONDS - start)) s"
wait || true
on bravo rblk down r0
# nothing of it is under way any more
rmmod rblk
pkill -x rblkd
