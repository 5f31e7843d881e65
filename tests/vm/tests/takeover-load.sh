# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 600
#
# The primary vanishes under load, again and again, and any of the two backups takes over: one whose
# link was slower than the other's, or faster. What is copied to the other one, or taken back
# from it, is little, and the replicas are equal afterwards.

. "$top/tests/vm/lib/outage.sh"

RANDOM=${CRASH_SEED:=$(($(date +%s%N) / 1000 % 32768))}
say "CRASH_SEED=$CRASH_SEED"
three_nodes 32
promote_first alpha
level alpha

load() {
	fio --name=load --filename="$(device "$1")" --direct=1 --rw=randwrite --bsrange=4k-32k --size=32m \
		--norandommap --ioengine=libaio --iodepth=16 --fsync=40 --time_based --runtime=1000 \
		--randrepeat=0 --refill_buffers --output=/tmp/fio >/dev/null 2>&1 &
	loader=$!
}
loader=
trap '[ -z "$loader" ] || kill -9 $loader 2>/dev/null || true' EXIT
says() { on $next rblk status r0 | grep "$other" | grep -q "$1"; }

primary=alpha
behind=0 ahead=0
for round in {1..10}; do
	case $primary in
	alpha) others="bravo charlie" ;;
	bravo) others="charlie alpha" ;;
	charlie) others="alpha bravo" ;;
	esac
	((RANDOM % 2)) || others="${others#* } ${others% *}"
	read -r next other <<<"$others"
	# one of the two gets everything later
	slow=$next
	((RANDOM % 2)) || slow=$other
	netem $primary $slow delay 8ms
	load $primary
	sleep "1.$((RANDOM % 10))"
	cut $primary $next
	cut $primary $other
	on $next rblk promote --force r0
	eventually 20 says "diverged\|resync\|up to date"
	was=behind
	if says diverged; then
		was=ahead
		on $other rblk connect --discard-mine r0 $next
	fi
	declare $was=$((${!was} + 1))
	eventually 60 says "up to date"
	identical "$(disk $next)" "$(disk $other)"
	say "round $round: $next took over from $primary, $other was $was"
	on $primary rblk down --force r0
	wait $loader || true
	loader=
	netem $primary $slow
	mend $primary $next
	mend $primary $other
	on $primary rblk up r0
	connected alpha bravo charlie
	on $next rblk resync --full --force r0 $primary
	level $next
	identical "$(disk $next)" "$(disk $primary)"
	primary=$next
done
say "$ahead had more than who took over, $behind less or the same"
