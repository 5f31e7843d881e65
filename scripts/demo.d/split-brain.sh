# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The chapter of the demonstration in which an admin decides, and errs: r1, with
# failover = manual, is primary on both machines, and written to.

split_brain_chapter() {
	local node line
	cat <<-END
	SPLIT BRAIN. Another device, whose primary is chosen by hand. The cable between alpha
	and bravo is cut, both are made primary, and both write. What bravo wrote is saved
	and given up. At the end both disks must be the same.

	END
	for node in alpha bravo; do
		on $node rblk create --force r1 >/dev/null
		on $node rblk up r1 >/dev/null
	done
	for node in alpha bravo; do
		on $node rblk wait --for connected --timeout 300 r1 >/dev/null
	done
	on bravo rblk promote --assume-clean r1 >/dev/null
	on bravo 'mkfs.ext4 -q /dev/rblk1 && mkdir -p /mnt/more && mount /dev/rblk1 /mnt/more'
	tell bravo "is primary, and has mounted it"

	cut_link alpha bravo
	tell host "CUT the cable between alpha and bravo"
	on alpha rblk promote --force r1 >/dev/null
	tell alpha "rblk promote --force r1: although bravo is primary, and alive"
	on alpha 'mkdir -p /mnt/more && mount /dev/rblk1 /mnt/more && echo "alpha was here" >/mnt/more/alpha && sync'
	on bravo 'echo "bravo was here" >/mnt/more/bravo && sync'
	tell host "both wrote to the same filesystem: a split brain"
	on bravo 'umount /mnt/more'
	mend_link alpha bravo
	tell host "MENDED the cable"
	eventually 30 on bravo "rblk status r1 | grep 'two primaries'"
	tell bravo "they refuse each other, and say why:"
	show bravo r1

	on bravo rblk demote r1 >/dev/null
	tell bravo "rblk demote r1: alpha's data is to stay"
	on bravo rblk connect --discard-mine --save /run/bravo.saved r1 >"$vm_dir/said" 2>&1 ||
		fail "$(cat "$vm_dir/said")"
	sed 's/^r1: //' "$vm_dir/said" | while read -r line; do tell bravo "$line"; done
	copied alpha bravo r1
	tell alpha "bravo is up to date"
	on bravo rblk divergence list /run/bravo.saved | indented
	on bravo 'rblk divergence export /run/bravo.saved /run/bravo.image >/dev/null'
	[ "$(on bravo 'debugfs -R "cat /bravo" /run/bravo.image 2>/dev/null')" = "bravo was here" ] ||
		fail "what bravo wrote is not in the archive"
	tell bravo "rblk divergence export: the image of its own branch has what it wrote"
	[ "$(on alpha cat /mnt/more/alpha)" = "alpha was here" ] || fail "alpha lost what it wrote"
	! on alpha test -e /mnt/more/bravo || fail "alpha has what bravo wrote"
	on alpha 'umount /mnt/more'
	for node in alpha bravo; do
		on $node rblk down r1 >/dev/null
	done
	the_same disk2
}
