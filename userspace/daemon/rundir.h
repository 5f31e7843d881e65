/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rundir.h - what the daemon keeps in its run directory
 *
 *   rblkd.lock    held while it runs: one daemon per directory
 *   control.sock  (control.c)
 *   off/RES.ID    the administrator disconnected peer ID of RES
 */
#ifndef RBLK_RUNDIR_H
#define RBLK_RUNDIR_H

#include <rblk.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Create the directory if needed and lock it; false with @why. */
bool rblk_rundir_open(const char *dir, char *why, size_t size);
bool rblk_rundir_create(const char *dir, char *why, size_t size);

bool rblk_rundir_is_off(const char *dir, const char *resource, uint8_t peer);
void rblk_rundir_mark_off(const char *dir, const char *resource, uint8_t peer,
			  bool off);

#endif
