# shellcheck shell=bash disable=SC2154,SC2119,SC2120
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A module that makes mistakes, and checkers that must notice. For tests with
# "# module: faults"; sourced after lib.sh.
#
#   mistakes NAME...         the module makes these from now on (kmod/fault.h);
#                            without a name: none
#   caught RULE COMMAND...   crash-check reports a violation of that rule
#   fresh NODE               no mistakes, no history, volumes of zeroes

# shellcheck disable=SC2034 # which module rblk_load takes
rblk_build=faults/

mistakes() {
	local name bit mask=0
	for name in "$@"; do
		bit=$(sed -n '/^enum rblk_fault {/,/^}/s/^\tRBLK_FAULT_\(.*\),$/\1/p' \
			"$top/kmod/fault.h" | grep -nx "$name") ||
			fail "kmod/fault.h has no mistake $name"
		mask=$((mask | 1 << (${bit%%:*} - 1)))
	done
	echo $mask >/sys/module/rblk/parameters/faults
}

caught() {
	local rule=$1 rc=0
	shift
	"$@" >/tmp/verdict 2>&1 || rc=$?
	if [ $rc != 1 ] || ! grep -m 1 "^VIOLATION $rule: " /tmp/verdict; then
		cat /tmp/verdict
		fail "not reported as \"$rule\" (exit $rc): $*"
	fi
}

fresh() {
	local path
	mistakes
	crash_history=()
	crash_epoch=0
	for path in $(volumes '' "$1"); do
		blkdiscard -z -l $((crash_blocks * 4096)) "$path"
		sync "$path"
	done
}
