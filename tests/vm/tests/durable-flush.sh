# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# timeout: 300
#
# A site loses its power, and every disk what was not flushed: what was
# acknowledged before a flush, and each FUA write, is on both nodes' disks.

# shellcheck disable=SC2034 # for lib/guest.sh
vm_volatile=yes vm_disks=(16M)
RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"

recorded() { [ "$(stat -c %s "$vm_dir/alpha/record")" -ge "$1" ]; }
all_lost_something() {
	local node
	for node in alpha bravo; do
		cat "$vm_dir/$node/cuts"
		grep -q '[1-9][0-9]* lost' "$vm_dir/$node/cuts" || return 1
	done
}

for try in 1 2 3; do
	guest alpha bravo
	rblk_machines alpha bravo
	on alpha rblk promote --assume-clean r0
	expect "write back" on alpha cat /sys/block/rblk0/queue/write_cache
	on alpha crash-writer --dev /dev/rblk0 --out /dev/record --blocks 1024 \
		--max-blocks 4 --mix 85,10,3,2,0 --seed $RANDOM >"$vm_dir/writer.log" 2>&1 &
	writer=$!
	eventually 90 recorded 150000
	power_cut alpha bravo
	wait $writer || true
	! all_lost_something || break
	# a disk that lost nothing proves nothing
	[ $try -lt 3 ] || fail "three times a disk had just been flushed"
	rm "$vm_dir"/{alpha,bravo}/{disk0,cuts} "$vm_dir/alpha/record"
done
for node in alpha bravo; do
	"$top/build/vm/bin/crash-check" image "$vm_dir/alpha/record" --image "$vm_dir/$node/disk0" \
		--died --cache-lost
done
