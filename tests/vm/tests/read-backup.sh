# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# long: yes
# timeout: 180
#
# With read-from-backup a backup is read, but not written; its readers stay
# through a promotion and see what was written since.

two_nodes 32
promote_first alpha
a=$(device alpha) b=$(device bravo)
pattern() { head -c 65536 /dev/zero | tr '\0' "$1"; }
put() { pattern "$1" | dd of="$a" bs=64k oflag=direct iflag=fullblock status=none; }
holds() { pattern "$1" | cmp -n 65536 - "$2"; }
direct() { dd if="$b" bs=64k count=1 iflag=direct status=none | cmp - <(pattern "$1"); }

put x
no_medium() { ! dd if="$b" of=/dev/null bs=4k count=1 status=none; }
eventually 5 no_medium

sed -i 's/protocol = C/&\n    read-from-backup = yes/' /etc/rblk/rblk.conf
on bravo rblk adjust r0
on alpha rblk adjust r0
direct x
put y
direct y
# one line that says what to type; the open is refused
dmesg --clear
(exec 3<>"$b") 2>/dev/null && fail "a backup was opened for writing"
expect "rblk promote r0" dmesg
[ "$(dmesg | grep -c 'rblk promote r0')" = 1 ] || fail "more than one line"
forgive_kernel_log

# a reader keeps what it read in the page cache until the role changes
exec 3<"$b"
holds y "$b"
put z
direct z
# who only reads does not keep alpha primary; who may write does
exec 4<"$a"
exec 5<>"$a"
refused 1 "open" on alpha rblk demote r0
exec 5<&-
case $(uname -r) in
6.1.*) ;;
*) exec 4<&- ;; # newer kernels do not tell which of both was closed
esac
on alpha rblk demote r0
exec 4<&-
on bravo rblk promote r0
# not opened again: that would drop pages, too
head -c 65536 <&3 | cmp - <(pattern z) || fail "a stale page survived the promotion"
pattern w | dd of="$b" bs=64k iflag=fullblock conv=fsync,notrunc status=none
exec 3<&-

# the other way round: alpha has a reader now, its content is bravo's
cmp -n 65536 "$a" <(pattern w)
on bravo rblk demote r0

# a writer that closed leaves no dirty page behind to be lost
on bravo rblk promote r0
exec 3<"$b"
pattern v | dd of="$b" bs=64k iflag=fullblock conv=notrunc status=none
case $(uname -r) in
6.1.*) on bravo rblk demote r0; exec 3<&- ;;
*) exec 3<&-; on bravo rblk demote r0 ;;
esac
on alpha rblk down r0
on bravo rblk down r0
cmp -n 65536 /dev/ram0 <(pattern v)
identical /dev/ram0 /dev/ram1
