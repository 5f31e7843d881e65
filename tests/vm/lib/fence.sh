# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Machines that switch each other off, with the agent fence_switch, or fence_ipmilan and
# ipmitool_switch: the host is their power switch.
#
#   power_switch NODE...     each of them can use it, until its machine ends
#   switch_fails, switch_works     it does not do what it is asked for, or does
#   switched                 a line for each request: "NODE off|status NAME ANSWER"
#   is_on NODE               its machine exists, if only stopped
#   fence_install            commands that make the agents ready in a guest

# shellcheck disable=SC2016 # the guest expands it
fence_install='install -m 755 $RBLK_TOP/tests/vm/{fence,ipmitool}_switch /usr/local/sbin'

is_on() { grep -qsF "$vm_dir" "/proc/$(cat "$vm_dir/$1/pid")/cmdline"; }
switch_fails() { touch "$vm_dir/switch-fails"; }
switch_works() { rm "$vm_dir/switch-fails"; }
switched() { cat "$vm_dir/switched"; }

# answer_switch ACTION NAME: do it, and print the answer
answer_switch() {
	if [ -e "$vm_dir/switch-fails" ]; then
		echo failed
		return
	fi
	if [ "$1" = off ] && is_on "$2"; then
		kill -9 "$(cat "$vm_dir/$2/pid")"
		while is_on "$2"; do sleep 0.02; done
	fi
	if is_on "$2"; then echo on; else echo off; fi
}

power_switch() {
	local node
	touch "$vm_dir/switched"
	for node in "$@"; do
		while read -r action name; do
			answer=$(answer_switch "$action" "$name")
			echo "$node $action $name $answer" >>"$vm_dir/switched"
			echo "$answer" >"$vm_dir/$node/power.in"
		done <"$vm_dir/$node/power.out" &
	done
}
