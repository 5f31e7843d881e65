# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Power cuts of nodes that are namespaces, many in little time. Sourced after
# tests/crash/lib.sh and tests/vm/lib/outage.sh.
#
# What a cut is: no packet leaves the node any more; its application stands still;
# its disk loses what was not flushed and fails every request, so that nothing the
# kernel does from then on leaves a trace; the resource is thrown away, now and
# then with the daemon and what that kept.
#
#   cut_nodes [-v VOLUMES]  alpha and bravo, alpha is primary
#   power_off NODE...       at the same moment
#   power_off_after N NODE  its disk (one of them) dies in the write after N more, which
#                           is torn
#   power_on NODE...        and up
#   judge_dead NODE         what was flushed is on the disk of the dead node
#   judge_live NODE [OPTION...]
#   equal                   the replicas are
#   one_cut KIND            a round: load, cut, judge, return, compare
#
# $first is primary when a round begins, $second its backup.

first=alpha
second=bravo
crash_blocks=512
crash_metadata=start
crash_disk=cut_disk
crash_log_size=1MiB	# so that little is enough for a resync
cut_offset=1048576	# where the data begins
cut_writer=		# of this round, while it writes
cut_dead=		# who is

# units NODE...: their disks by name; /tmp/NAME.disk is what is durable
units() {
	local node v
	for node in "$@"; do
		for ((v = 0; v < crash_volumes; v++)); do echo "$node.$v"; done
	done
}
cut_disk() { echo "/dev/nbd$(crash_minor "$1" "$2")"; }
volume() { echo "/dev/rblk$(crash_minor "$1" "${2:-0}")"; }

make_disks() {
	# shellcheck disable=SC2046 # words
	volatile_disks $(units alpha bravo)
}

cut_nodes() {
	crash_nodes -m 8 "$@" alpha bravo
	level alpha
}

# Not in a subshell: that has a sequence of its own.
one_in() { ((RANDOM % $1 == 0)); }
nap() {
	local ms=$((RANDOM % $1))
	sleep "0.$(printf %03d $ms)"
}
number() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n "s/^\"$2\":\([0-9]*\)\$/\1/p" | head -n 1; }
word() { on "$1" rblk status --json r0 | tr -d ' ,' | sed -n "s/^\"$2\":\"\([a-z]*\)\"\$/\1/p" | "${3:-head}" -n 1; }
role() { word "$1" role; }
replication() { word "$1" replication tail; }

# ---- cuts

is_dead() { [ -e "/tmp/$1.disk.dead" ]; }
is_alive() { ! is_dead "$1"; }
works() {
	local unit
	for unit in $(units "$1"); do is_alive "$unit" || return; done
}
soon() { until "$@"; do sleep 0.02; done; }

stop_application() {
	kill -STOP "$crash_writer"
	# shellcheck disable=SC2317 # called by soon
	has_stopped() { ! grep -q '^State:.*[RSD] (' "/proc/$crash_writer/status"; }
	soon has_stopped
}

kill_daemon() {
	local pid
	for pid in $(ip netns pids "$1"); do
		[ "$(cat "/proc/$pid/comm")" != rblkd ] || kill -9 "$pid"
	done
}

throw_away() {
	local node=$1
	if one_in 4; then
		kill_daemon "$node"
		one_in 2 || rm -rf "/var/lib/rblk-$node"/*
		on "$node" rblk down --force r0
		start_daemon "$node"
	else
		on "$node" rblk down --force r0
	fi
}

# What was acknowledged before the disks are told counts.
power_off() {
	local node unit
	cut alpha bravo
	if [ -n "$cut_writer" ] && [[ " $* " == *" $cut_writer "* ]]; then
		stop_application
	fi
	cut_acks=$(stat -c %s /tmp/crash-now 2>/dev/null || echo 0)
	for unit in $(units "$@"); do kill -RTMIN "$(cat "/tmp/$unit.pid")"; done
	for unit in $(units "$@"); do soon is_dead "$unit"; done
	cut_dead=$*
	if [ -n "$cut_writer" ]; then
		# all that was issued before the disk was dead
		cp /tmp/crash-now /tmp/crash-then
		if [[ " $* " == *" $cut_writer "* ]]; then
			kill -9 "$crash_writer"
			cut_writer=
			for node in "$@"; do throw_away "$node"; done
			wait "$crash_writer" || true
			keep_history
			return
		fi
	fi
	for node in "$@"; do throw_away "$node"; done
}

power_off_after() {
	local unit=$2.$((RANDOM % crash_volumes))
	echo "$1" >"/tmp/$unit.disk.after"
	kill -RTMIN "$(cat "/tmp/$unit.pid")"
	# shellcheck disable=SC2317 # called by soon
	is_told() { [ ! -e "/tmp/$1.disk.after" ]; }
	soon is_told "$unit"
}

power_on() {
	local node unit
	for unit in $(units "$@"); do
		kill -RTMIN+1 "$(cat "/tmp/$unit.pid")"
		soon is_alive "$unit"
		blockdev --flushbufs "$(cut_disk "${unit%.*}" "${unit#*.}")"
	done
	for node in "$@"; do on "$node" rblk up r0; done
	cut_dead=
}

# ---- judgements

judged() {
	local rc=0
	crash-check "$@" >/tmp/verdict 2>&1 || rc=$?
	[ $rc = 0 ] || {
		cat /tmp/verdict
		fail "crash-check said $rc: $*"
	}
}

judge_dead() {
	local -a histories=("${crash_history[@]}") images=()
	local unit
	[ -z "$cut_writer" ] || histories+=(/tmp/crash-then --acks-until "$cut_acks")
	for unit in $(units "$1"); do images+=(--image "/tmp/$unit.disk"); done
	judged image "${histories[@]}" "${images[@]}" --offset $cut_offset --died --cache-lost
}

judge_live() {
	local node=$1
	local -a images
	shift
	mapfile -t images < <(volumes --image "$node")
	judged image "${crash_history[@]}" "${images[@]}" "$@"
}

equal() {
	local v
	for ((v = 0; v < crash_volumes; v++)); do
		judged same --offset $cut_offset "$(cut_disk alpha $v)" "$(cut_disk bravo $v)"
	done
}

# at_most NUMBER LIMIT WHAT
at_most() { [ "$1" -le "$2" ] || fail "$1 bytes $3, accounted for are $2"; }

# ---- how it goes on

load() {
	write_on "$first" --mix 60,10,20,10,0 --max-blocks 4 --depth 8
	cut_writer=$first
	eventually 60 written 20000
	nap 500
}

unload() {
	[ -n "$cut_writer" ] || return 0
	stop_writer
	cut_writer=
}

meet() {
	mend alpha bravo
	on "$first" rblk connect r0
	on "$second" rblk connect r0
	connected "$first"
}

# The other one is made level: by itself, or by who knows that it may be.
level_or_full() {
	local idle=0 end=$((SECONDS + $(patient 60)))
	while :; do
		case $(replication "$first") in
		uptodate) return ;;
		resync | catchup) idle=0 ;;
		*) idle=$((idle + 1)) ;;
		esac
		[ $idle != 6 ] || on "$first" rblk resync --full --force r0 "$second" ||
			say "level since"
		[ $SECONDS -lt $end ] || fail "never level: $(on "$first" rblk status r0)"
		sleep 0.1
	done
}

swap() { read -r first second <<<"$second $first"; }

# Whoever is primary stays it, else $first, else the other one.
lead() {
	[ "$(role "$second")" != primary ] || swap
	[ "$(role "$first")" != primary ] || return 0
	on "$first" rblk promote r0 && return
	say "$first cannot be promoted"
	swap
	on "$first" rblk promote r0
}

# The primary that died is promoted again, with the other one still away.
return_as_primary() {
	local extents=0 lacks unit nr
	for unit in $(units "$first"); do
		nr=$(rblk md examine "/tmp/$unit.disk" | sed -n 's/^active  *\([0-9]*\) extents.*/\1/p')
		extents=$((extents + ${nr:?}))
	done
	power_on "$first"
	[ "$(data_of "$first")" = unclean ] || fail "$first is $(data_of "$first") after a power cut as primary"
	on "$first" rblk promote r0
	lacks=$(peer_number "$first" "$second" lacks_bytes)
	at_most "$lacks" $((extents << 22)) "may differ"
	judge_live "$first" --died --cache-lost
}

# ---- kinds of cuts

cut_primary() {
	power_off "$first"
	judge_dead "$first"
	on "$second" rblk disconnect r0
	on "$second" rblk promote r0
	swap
	judge_live "$first"
	if one_in 2; then
		write_on "$first" --mix 60,10,20,10,0 --max-blocks 4 --count 200
		cut_writer=$first
		wait "$crash_writer"
		unload
	fi
	power_on "$second"
	meet
	level_or_full
}

cut_primary_returns() {
	local was
	power_off "$first"
	judge_dead "$first"
	return_as_primary
	was=$(peer_number "$first" "$second" lacks_bytes)
	meet
	level "$first"
	at_most "$(peer_number "$first" "$second" sent_bytes)" $((was + (1 << 20))) "were sent"
}

cut_backup() {
	local was accounted
	power_off "$second"
	judge_dead "$second"
	# its machine answers again: who it is connected to notices
	mend alpha bravo
	nap 900
	unload
	was=$(peer_number "$first" "$second" sent_bytes)
	# what it never had, and what it had and had not flushed
	accounted=$(($(peer_number "$first" "$second" lacks_bytes) +
		$(peer_number "$first" "$second" undurable_bytes) +
		$(number "$first" log_used_bytes)))
	power_on "$second"
	meet
	level "$first"
	at_most $(($(peer_number "$first" "$second" sent_bytes) - was)) \
		$((accounted * 9 / 8 + (1 << 19))) "were sent"
	judge_live "$first"
}

cut_both() {
	power_off "$first" "$second"
	judge_dead "$first"
	judge_dead "$second"
	if one_in 2; then
		return_as_primary
		power_on "$second"
	else
		swap
		power_on "$first" "$second"
		on "$first" rblk promote r0
		judge_live "$first" --died --cache-lost
	fi
	meet
	level_or_full
}

# away_and_back: the backup misses more than the log keeps, and is sent it slowly
away_and_back() {
	unload
	on "$first" rblk disconnect r0 "$second"
	dd if=/dev/urandom of="$(volume "$first")" bs=256k count=8 seek=16 oflag=direct status=none
	load
	unload
	netem alpha bravo rate 4mbit
	on "$first" rblk connect r0 "$second"
	# shellcheck disable=SC2317 # called by soon
	is_copying() { [ "$(replication "$first")" = resync ]; }
	eventually 20 is_copying
	one_in 2 || {
		write_on "$first" --mix 60,10,20,10,0 --max-blocks 4 --depth 4
		cut_writer=$first
	}
	nap 999
}

# All may have been copied before the power was cut, or as soon as the node is back:
# then it is refused because there is a primary.
half_copied_is_refused() {
	case $(data_of "$second") in
	inconsistent) refused 1 "" on "$second" rblk promote r0 ;;
	*) say "the resync was over before" ;;
	esac
}

cut_resync() {
	away_and_back
	case $1 in
	primary)
		power_off "$first"
		link_netem=()
		judge_dead "$first"
		half_copied_is_refused
		return_as_primary
		;;
	backup)
		power_off "$second"
		link_netem=()
		mend alpha bravo
		unload
		power_on "$second"
		half_copied_is_refused
		judge_live "$first"
		;;
	both)
		power_off "$first" "$second"
		link_netem=()
		judge_dead "$first"
		return_as_primary
		power_on "$second"
		;;
	esac
	meet
	level_or_full
	judge_live "$first" --died --cache-lost
}

# A promotion of the backup, in the middle of which somebody dies.
cut_promote() {
	local promotion
	unload
	on "$first" rblk demote r0
	on "$second" rblk promote r0 >/tmp/promotion 2>&1 &
	promotion=$!
	nap 400
	case $1 in
	primary) power_off "$second" ;;
	backup) power_off "$first" ;;
	both) power_off "$first" "$second" ;;
	esac
	wait $promotion || true
	recover
}

# cut_metadata NODE N: its disk dies in the write after N, which is one to the metadata,
# or one of the few that make it change; then the node dies.
cut_metadata() {
	local node=$1
	unload
	power_off_after "$2" "$node"
	change_metadata "$node" >/tmp/changes 2>&1
	power_off "$node"
	recover
}

change_metadata() {
	local i a=$first b=$second
	for i in 1 2 3; do
		works "$1" || return 0
		dd if=/dev/urandom of="$(volume "$a")" bs=4k count=2 seek=$((1100 + i)) oflag=direct conv=fsync status=none || true
		on "$a" rblk demote r0 || true
		works "$1" || return 0
		on "$b" rblk promote r0 || true
		read -r a b <<<"$b $a"
	done
}

recover() {
	local dead=$cut_dead
	# shellcheck disable=SC2086 # none, one or two
	power_on $dead
	mend alpha bravo
	lead
	meet
	level_or_full
	judge_live "$first" --died --cache-lost
}

one_cut() {
	begin_anew "$first" "$second"
	load
	case $1 in
	primary) cut_primary ;;
	primary-returns) cut_primary_returns ;;
	backup) cut_backup ;;
	both) cut_both ;;
	resync-*) cut_resync "${1#*-}" ;;
	promote-*) cut_promote "${1#*-}" ;;
	metadata-primary) cut_metadata "$first" $((RANDOM % 14)) ;;
	metadata-backup) cut_metadata "$second" $((RANDOM % 14)) ;;
	esac
	unload
	equal
}

cut_kinds=(primary primary-returns backup both resync-primary resync-backup
	resync-both promote-primary promote-backup promote-both metadata-primary metadata-backup)

# cuts N: of all kinds in turn, in an order of their own each time
cuts() {
	local i n=0 k kind
	local -a kinds
	while [ $n -lt "$1" ]; do
		kinds=("${cut_kinds[@]}")
		for ((i = ${#kinds[@]}; i > 0 && n < $1; i--)); do
			k=$((RANDOM % i))
			kind=${kinds[k]}
			kinds[k]=${kinds[i - 1]}
			n=$((n + 1))
			say "cut $n at $SECONDS s: $kind, $first is primary"
			one_cut "$kind"
		done
	done
	say "$n power cuts, nothing lost: $(grep -c 'power cut' /tmp/*.cuts | tr '\n' ' ')"
}
