/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probe.h - what else a device holds, as libblkid sees it
 */
#ifndef RBLK_PROBE_H
#define RBLK_PROBE_H

#include <stdbool.h>
#include <stdint.h>

struct rblk_probe {
	char type[64];		/* "ext4", "LVM2_member", "gpt"; "": nothing known */
	char label[64];
	uint64_t used_bytes;	/* from the start; 0: nobody knows */
};

/* 0, or a negative errno. */
int rblk_probe_fd(int fd, struct rblk_probe *probe);

/* Make every signature that libblkid knows unreadable; 0 or a negative errno. */
int rblk_probe_wipe(int fd);

#endif
