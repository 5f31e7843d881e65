# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A test fails by its kernel log, by a failing command, by what it leaves.

verdict() { "$top/tests/vm/lib/ns-test" "$top/tests/vm/fixtures/$1.sh"; }

refused 1 "in the kernel log" verdict warns
refused 1 "FAILED at" verdict command-fails
refused 77 "skipped: nothing to do" verdict skips
verdict passes
! pgrep -f 'sleep 3141' || fail "a process survived its test"
[ ! -e /run/netns/left ] || fail "a namespace survived its test"
