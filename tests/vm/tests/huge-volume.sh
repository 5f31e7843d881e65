# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 240
#
# 64 TiB that are mostly holes: creating, attaching and bringing a peer level
# take what was written, in time, in memory and on the disk, not what there is
# room for.

. "$top/tests/vm/lib/outage.sh"

rblk_metadata=start
tib=$((1 << 40))
mkdir -p /mnt/huge
mount -t tmpfs -o size=100% huge /mnt/huge
modprobe loop
declare -A backing=()
nodes alpha bravo
for node in alpha bravo; do
	truncate -s 64T "/mnt/huge/$node"
	backing[$node]=$(losetup --find --show "/mnt/huge/$node")
done
rblk_load
rblk_config alpha "${backing[alpha]}" 0 bravo "${backing[bravo]}" 1 | install_config_commands | bash
start_daemon alpha bravo

available_mb() { awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo; }
stored_mb() { du -m "/mnt/huge/$1" | awk '{ print $1 }'; }
put() { dd if=/dev/urandom of=/dev/rblk0 bs=64k count=1 oflag=direct,seek_bytes seek="$1" status=none; }
data_at() { rblk md examine "${backing[$1]}" | awk '$1 == "data-at" { print $2 }'; }
get() {
	dd if="${backing[$1]}" bs=64k count=1 iflag=direct,skip_bytes \
		skip="$(($(data_at "$1") + $2))" status=none | sha256sum
}
write_far() {
	local offset
	for offset in "$@"; do
		put "$offset"
		places+=("$offset")
	done
}
places=()

say "created and attached"
before=$(available_mb)
for node in alpha bravo; do
	on $node timeout 60 rblk create --force r0
	on $node timeout 60 rblk up r0
done
connected alpha bravo
took=$((before - $(available_mb)))
for node in alpha bravo; do
	[ "$(stored_mb $node)" -le 2 ] || fail "creating wrote $(stored_mb $node) MiB on $node"
done
promote_first alpha
write_far 0 $((3 * tib + 4096)) $((63 * tib))

say "a peer that was away gets what was written, wherever that is"
on alpha rblk disconnect r0 bravo
write_far $((tib / 2)) $((17 * tib)) $((40 * tib + 1048576)) $((63 * tib + 65536))
# more than the log keeps
far() {
	fio --name=far --filename="$(device "$1")" --direct=1 --rw=randwrite --bs=64k \
		--size=60t --io_size=80m --randseed=7 --verify=crc32c --ioengine=libaio \
		--iodepth=16 --norandommap --output=/tmp/far "${@:2}" || { cat /tmp/far; false; }
}
far alpha --do_verify=0
[ "$(peer_number alpha bravo lacks_bytes)" -le $((100 << 20)) ] ||
	fail "$(peer_number alpha bravo lacks_bytes) bytes are lacking"
on alpha rblk connect r0 bravo
level alpha
on alpha rblk demote r0
for offset in "${places[@]}"; do
	[ "$(get alpha "$offset")" = "$(get bravo "$offset")" ] || fail "they differ at $offset"
done
on bravo rblk promote r0
far bravo --verify_only
on bravo rblk demote r0

say "attached again"
for node in alpha bravo; do
	on $node rblk down r0
	on $node timeout 60 rblk up r0
done
connected alpha bravo
held=$((before - $(available_mb) - $(stored_mb alpha) - $(stored_mb bravo)))
say "$took MiB of memory for two new nodes, $held MiB for two with a past"
[[ $took -le 64 && $held -le 96 ]] || fail "that is not in proportion to what was written"
for node in alpha bravo; do
	on $node rblk down r0
	losetup --detach "${backing[$node]}"
done
umount /mnt/huge
