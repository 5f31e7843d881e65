# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words that both kinds of test share.

say() { echo "-- $*"; }

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

skip() {
	echo "skipped: $*"
	exit 77
}

# patient SECONDS: more of them on a kernel that checks everything, and RBLK_VM_PATIENCE
# times as many where that is set
patient() {
	case ${KVER:-$(uname -r)} in
	*debug*) echo $(($1 * 4 * ${RBLK_VM_PATIENCE:-1})) ;;
	*) echo $(($1 * ${RBLK_VM_PATIENCE:-1})) ;;
	esac
}

# expect WORDS COMMAND...: its output must contain WORDS
expect() {
	local words=$1 output rc=0
	shift
	output=$("$@" 2>&1) || rc=$?
	[[ $output == *"$words"* ]] ||
		fail "no \"$words\" in the output of: $* (exit $rc)"$'\n'"$output"
}

# refused CODE WORDS COMMAND...: it must exit with CODE and say WORDS
refused() {
	local code=$1 words=$2 output rc=0
	shift 2
	output=$("$@" 2>&1) || rc=$?
	[ "$rc" = "$code" ] ||
		fail "exit $rc instead of $code from: $*"$'\n'"$output"
	[[ $output == *"$words"* ]] ||
		fail "no \"$words\" in the refusal of: $*"$'\n'"$output"
}

# eventually SECONDS COMMAND...: it must succeed within that time. Not with "expect", which
# ends the test when it fails once.
eventually() {
	local end=$((SECONDS + $(patient "$1")))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "never came true: $*"
		sleep 0.1
	done
}

# Read a kernel log; print and succeed when it holds a complaint.
kernel_complaints() {
	grep -E -A 25 \
		-e 'BUG:|BUG at|WARNING:|Oops|general protection fault|kernel panic' \
		-e 'KASAN|KFENCE: |UBSAN|KCSAN|ODEBUG|refcount_t|DEBUG_LOCKS_WARN' \
		-e 'possible (circular|recursive|irq)|inconsistent lock state|suspicious RCU|lock held when|held lock freed' \
		-e 'blocked for more than|soft lockup|hard LOCKUP|rcu.*detected( expedited)? stall|rcu.*self-detected stall' \
		-e 'sleeping function called|scheduling while atomic|list_(add|del) corruption' \
		-e 'Poison overwritten|Redzone|Object already free|Objects remaining|cache .* still has objects' \
		-e 'kmemleak: [0-9]+ new|unreferenced object|workqueue lockup|INFO: task|trace_kfree_skb|leaked reference'
}
