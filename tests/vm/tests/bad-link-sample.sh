# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
#
# A few cases of bad-links.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/links.sh"

link_nodes
bad_link data lossy
bad_link last back
kill "$(cat /tmp/mitm.pid)"
