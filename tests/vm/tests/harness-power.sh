# SPDX-License-Identifier: GPL-2.0-or-later
# mode: guests
# long: yes
# kernels: newest
#
# A machine without power is gone at once; what it recorded outside is not,
# and its disk is there when it comes back. It can ask for the host's time.

guest --mem 512 --disk 16M alpha

on alpha 'echo kept | dd of=/dev/vda bs=512 conv=sync,fsync status=none'
on alpha 'for i in $(seq 100000); do echo $i; done >/dev/record' >/dev/null 2>&1 &
until [ "$(records alpha | wc -l)" -gt 50 ]; do sleep 0.05; done
power_cut alpha

refused 255 "" on alpha true
[ "$(records alpha | head -n 50)" = "$(seq 50)" ] || fail "records are missing"
restart alpha
expect kept on alpha 'head -c 5 /dev/vda'

before=$("$top/build/vm/bin/host" now)
then=$(on alpha 'exec 3<>/dev/clock; printf "?" >&3; head -c 8 <&3 | od -An -tu8')
after=$("$top/build/vm/bin/host" now)
say "$before, $then, $after"
[ "$before" -lt "$then" ] || fail "the answer is older than the question"
[ "$then" -lt "$after" ] || fail "the answer is of the future"
