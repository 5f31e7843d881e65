# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
#
# What the durability harness calls wrong is wrong: on a bare RAM disk, whose
# sectors are not atomic, it finds nothing, however much reads and writes meet.

ram_disks 1 16
for seed in 1 2 3 4; do
	crash-writer --dev /dev/ram0 --out "/tmp/records.$seed" --seed "$seed" \
		--blocks 4 --max-blocks 2 --depth 8 --mix 10,60,0,0,30 --seconds 2
done
