# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# kernels: newest
# timeout: 180
#
# Status and top tell how long writes take, stage by stage, and how far a backup is
# behind, in bytes, operations and time, with a link that takes its time.

two_nodes 32
promote_first alpha
a=$(device alpha)

# value KEY FILE: of its JSON, the first
value() { sed 's/[,{}]/\n/g' "$2" | sed -n "s/^ *\"$1\": *//p" | sed 1q; }
# is KEY OPERATOR NUMBER COMMAND...: so it says now, whole
is() {
	local key=$1 operator=$2 number=$3 have
	shift 3
	"$@" >/tmp/look || return 1
	have=$(value "$key" /tmp/look)
	test "${have%.*}" "$operator" "$number"
}
status() { on alpha rblk status --json r0; }
top() { on alpha rblk top --once --json --interval 1 r0; }
# p50 STAGE: of all writes so far, in us
p50() { tr -d '\n' </tmp/status | sed -n "s/.*\"$1\": *{[^}]*\"p50_us\": *\([0-9]*\).*/\1/p"; }

# a write of protocol C waits for the way; its disk does not
netem alpha bravo delay 100ms
for _ in 1 2 3 4 5; do
	dd if=/dev/zero of="$a" bs=4k count=1 oflag=direct status=none
done
status >/tmp/status
cat /tmp/status
for stage in received applied complete; do
	[ "$(p50 $stage)" -ge 100000 ] || fail "$stage within $(p50 $stage) us"
done
for stage in local sent; do
	[ "$(p50 $stage)" -lt "$(p50 complete)" ] || fail "$stage within $(p50 $stage) us"
done

# one of protocol A does not, and the backup falls behind by what is on the way
netem alpha bravo
sed -i 's/protocol = C/protocol = A/' /etc/rblk/rblk.conf
for n in alpha bravo; do on $n rblk adjust r0; done
while [ ! -e /tmp/enough ]; do
	dd if=/dev/zero of="$a" bs=4k count=16 oflag=direct status=none
done &
writer=$!
eventually 60 is write_ops_per_s -gt 0 top
on alpha rblk top -n 2 --interval 1 r0 >/tmp/top </dev/null
cat /tmp/top
[ "$(grep -c '^r0  primary  write' /tmp/top)" = 2 ] || fail "not two looks"
expect "p50/p99  local" cat /tmp/top
refused 2 "bad --interval '0'" on alpha rblk top --interval 0

netem alpha bravo delay 800ms
eventually 60 is lag_ms -ge 800 status
cp /tmp/look /tmp/status
[ "$(value lag_ops /tmp/status)" -ge 3 ] || fail "only $(value lag_ops /tmp/status) operations late"
[ "$(value lag_bytes /tmp/status)" -ge 12288 ] || fail "only $(value lag_bytes /tmp/status) bytes late"
eventually 60 is lag_ms -ge 800 top
netem alpha bravo
touch /tmp/enough
wait $writer
eventually 60 is lag_ops -eq 0 status
eventually 60 is lag_ms -eq 0 status
eventually 60 is lag_bytes -eq 0 status
