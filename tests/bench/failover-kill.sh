# shellcheck shell=bash disable=SC2154,SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of scripts/bench-failover whose nodes are machines: the primary's is
# killed, and the time until the first write that the other one acknowledged is
# taken on the host. Then it boots again, follows, and the next round kills the other.
#
#   kill_part       prints, for each round,
#     sample,FIGURE,MS
#     steps,FIGURE,MS,MS,MS,MS    from the failure being detected to: decided,
#                                 chosen, promoted, the first write

# shellcheck source=tests/vm/lib/failover.sh
. "$top/tests/vm/lib/failover.sh"

kill_limit_s=60
kill_tool=$top/build/bench/takeover

both_in_sync() { in_sync "$1" alpha bravo; }

last_record() { asked "$1" history | tr -d ' ' | tr '{' '\n' | tail -n 1; }
knows_first_write() { last_record "$1" | grep '"first_write_ms":[0-9]'; }

# of the last record of NODE's history
steps_of() {
	last_record "$1" | awk -v RS=, -F: '
	{ gsub(/[^a-z_:0-9]/, ""); at[$1] = $2 }
	END {
		printf "%d,%d,%d,%d", at["decided_ms"] - at["detected_ms"],
			at["chosen_ms"] - at["detected_ms"],
			at["promoted_ms"] - at["detected_ms"],
			at["first_write_ms"] - at["detected_ms"]
	}'
}

who_leads() {
	local node
	for node in alpha bravo; do
		! serves "$node" >/dev/null || { echo "$node"; return; }
	done
	return 1
}

ready() { both_in_sync "$(who_leads)"; }

record_size() { stat -c %s "$vm_dir/$1/record"; }

# kill_round FIGURE: whoever leads is killed. False: another led before that.
kill_round() {
	local from to=alpha ms before
	eventually 120 ready
	from=$(who_leads)
	[ "$from" != alpha ] || to=bravo
	before=$(record_size "$to")
	on "$from" "cp $top/build/vm/bin/stamper /tmp; /tmp/stamper /dev/rblk0 /tmp/stamps >/dev/null 2>&1 &"
	on "$to" "cp $kill_tool /tmp; /tmp/takeover await /dev/rblk0 /dev/record >/dev/null 2>&1 &"
	sleep 2
	if [ "$(record_size "$to")" != "$before" ]; then
		echo "   $1: $to took over before the kill" >&2
		return 1
	fi
	ms=$("$kill_tool" kill "${vm_pid[$from]}" "$vm_dir/$to/record" $kill_limit_s) ||
		fail "$to did not write"
	wait "${vm_pid[$from]}" 2>/dev/null || true
	echo "sample,$1,$ms"
	# the daemon asks the module now and then when that was
	sleep 1
	eventually 30 knows_first_write "$to"
	echo "steps,$1,$(steps_of "$to")"
	echo "   $1: $ms ms" >&2
	failover_restart "$from" >&2
}

# kill_rounds FIGURE INTERVAL MISSES
kill_rounds() {
	local done=0
	wanted "${1%-ms}" || return 0
	echo "== $1" >&2
	rm -rf "$vm_dir"/*/disk*
	vm_disks=()
	vm_smp=1
	failover_machines "$2" "$3" >&2
	while [ "$done" -lt "$rounds" ]; do
		! kill_round "$1" || done=$((done + 1))
	done
	guests_verdict >&2
	power_cut alpha bravo judge
}

kill_part() {
	kill_rounds kill-tuned-ms 100ms 3
	kill_rounds kill-default-ms 1s 5
}
