# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# timeout: 300
#
# A site loses its power, and every disk what was not flushed: what was
# acknowledged before a flush, and each FUA write, is on both nodes' disks.

# shellcheck disable=SC2034 # for lib/guest.sh
vm_volatile=yes
RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"

guest --disk 16M alpha bravo
rblk_machines alpha bravo
on alpha rblk promote --assume-clean r0
expect "write back" on alpha cat /sys/block/rblk0/queue/write_cache
on alpha crash-writer --dev /dev/rblk0 --out /dev/record --blocks 1024 \
	--max-blocks 4 --mix 85,10,3,2,0 --seed $RANDOM >"$vm_dir/writer.log" 2>&1 &
writer=$!
recorded() { [ "$(stat -c %s "$vm_dir/alpha/record")" -ge "$1" ]; }
eventually 90 recorded 150000

power_cut alpha bravo
wait $writer || true
# a disk that lost nothing proves nothing: the moment was a bad one, try again
for node in alpha bravo; do
	cat "$vm_dir/$node/cuts"
	grep -q '[1-9][0-9]* lost' "$vm_dir/$node/cuts" || fail "the disk of $node lost nothing"
	"$top/build/vm/bin/crash-check" image "$vm_dir/alpha/record" --image "$vm_dir/$node/disk0" \
		--died --cache-lost
done
