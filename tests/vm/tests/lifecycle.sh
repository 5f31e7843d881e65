# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# timeout: 400
#
# Up, promote, write, demote, down, unload, twenty times, with somebody writing:
# nothing leaks, hangs or is left behind.

nodes alpha bravo
ram_disks 2 16
rblk_config alpha /dev/ram0 0 bravo /dev/ram1 1 | install_config_commands | bash
rblk_load
start_daemon alpha bravo

for round in $(seq "${rounds:-20}"); do
	on alpha rblk up r0
	on bravo rblk up r0
	connected alpha
	promote_first alpha
	dd if=/dev/urandom of="$(device alpha)" bs=16k count=200 oflag=direct \
		status=none 2>/dev/null &
	writer=$!
	case $((round % 4)) in
	0) on alpha rblk down --force r0 ;;
	1) on bravo rblk down --force r0 ;;
	2) on alpha rblk disconnect r0 ;;
	3) on alpha rblk demote --force r0 ;;
	esac
	wait $writer || true
	on alpha rblk down --force --all
	on bravo rblk down --force --all
	if [ $((round % 5)) = 0 ]; then
		pkill -x rblkd
		rmmod rblk
		rblk_load
		start_daemon alpha bravo
	fi
done
