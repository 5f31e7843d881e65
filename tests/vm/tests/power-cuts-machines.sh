# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# kernels: newest
# long: yes
# timeout: 1800
#
# power-cuts with machines: they are killed while one writes, and their disks lose
# what was not flushed. What was acknowledged before a flush is on each disk that
# was cut, what was acknowledged on the one that was not.

# shellcheck disable=SC2034 # for lib/guest.sh
vm_volatile=yes
rblk_metadata=start
RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"
first=alpha
second=bravo

guest --disk 8M alpha bravo
rblk_machines alpha bravo
on alpha rblk promote --assume-clean r0
rblk_metadata=none	# written already
config=$(rblk_metadata=start rblk_config alpha /dev/vda 0 bravo /dev/vda 0 | install_config_commands)

judged() {
	"$top/build/vm/bin/crash-check" "$@" >"$vm_dir/verdict" 2>&1 || {
		cat "$vm_dir/verdict"
		fail "crash-check $*"
	}
}
history() { echo "$vm_dir/$first/record"; }
judge_dead() { judged image "$(history)" --image "$vm_dir/$1/disk0" --offset 1048576 --died --cache-lost; }
recorded() { [ "$(stat -c %s "$(history)")" -ge "$1" ]; }
swap() { read -r first second <<<"$second $first"; }

back() {
	local node
	for node in "$@"; do
		vm_start "$node"
	done
	for node in "$@"; do
		vm_wait_up "$node"
		on "$node" "$config"
		# shellcheck disable=SC2016 # the guest expands it
		on "$node" '. $RBLK_TOP/tests/vm/lib/common.sh
			. $RBLK_TOP/tests/vm/lib/rblk.sh
			rblk_load'
		start_daemon "$node"
		on "$node" rblk up r0
	done
}

level_or_full() {
	connected "$first"
	on "$first" rblk wait --for uptodate --timeout 5 r0 ||
		on "$first" rblk resync --full --force r0 "$second" || say "level since"
	on "$first" rblk wait --for uptodate --timeout 120 r0
}

load() {
	on "$first" "blkdiscard -z -l 2097152 /dev/rblk0; sync /dev/rblk0"
	: >"$(history)"
	on "$first" crash-writer --dev /dev/rblk0 --out /dev/record --blocks 512 \
		--max-blocks 4 --mix 60,10,20,10,0 --seed "$RANDOM" >"$vm_dir/writer.log" 2>&1 &
	writer=$!
	eventually 60 recorded 20000
	sleep "0.$((RANDOM % 900 + 100))"
}

cut_of() {
	load
	case $1 in
	primary)
		power_cut "$first"
		wait $writer || true
		judge_dead "$first"
		on "$second" rblk disconnect r0
		on "$second" rblk promote r0
		# now all that it has is in the file
		on "$second" sync /dev/rblk0
		judged image "$(history)" --image "$vm_dir/$second/disk0" --offset 1048576
		swap
		back "$second"
		on "$first" rblk connect r0
		;;
	backup)
		# promises are what had been acknowledged before
		acks=$(stat -c %s "$(history)")
		power_cut "$second"
		cp "$(history)" "$vm_dir/then"
		sleep 1
		on "$first" pkill -TERM crash-writer
		wait $writer || fail "$(cat "$vm_dir/writer.log")"
		judged image "$vm_dir/then" --image "$vm_dir/$second/disk0" --offset 1048576 \
			--died --cache-lost --acks-until "$acks"
		back "$second"
		;;
	both)
		power_cut "$first" "$second"
		wait $writer || true
		judge_dead "$first"
		judge_dead "$second"
		((RANDOM % 2)) || swap
		back "$first" "$second"
		connected "$first"
		on "$first" rblk promote r0
		;;
	esac
	level_or_full
	on "$first" sync /dev/rblk0
	judged same --offset 1048576 "$vm_dir/alpha/disk0" "$vm_dir/bravo/disk0"
}

n=0
while [ $n -lt "${RBLK_CUTS:-12}" ]; do
	for kind in primary backup both; do
		n=$((n + 1))
		say "cut $n at $SECONDS s: $kind, $first is primary"
		cut_of $kind
	done
done
say "$n power cuts, nothing lost"
