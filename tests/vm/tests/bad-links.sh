# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# mode: ns
# kernels: newest
# long: yes
# timeout: 1500
#
# At each stage of a resync and in normal streaming the link loses packets, delays
# them, or passes none in one direction: a resync is completed, over that link or
# after it was given up and mended, nothing is lost and the replicas are equal.

. "$top/tests/vm/lib/outage.sh"
. "$top/tests/crash/lib.sh"
. "$top/tests/crash/links.sh"

link_nodes
for stage in handshake digests data last streaming; do
	for fault in lossy delayed out back half-open; do
		bad_link $stage $fault
	done
done
kill "$(cat /tmp/mitm.pid)"
