/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctlproto.h - how the command talks to the daemon
 *
 * A unix stream socket in the run directory, one JSON object per line each
 * way. Readable and writable by its owner alone.
 */
#ifndef RBLK_CTLPROTO_H
#define RBLK_CTLPROTO_H

#include <jansson.h>
#include <stddef.h>

#define RBLK_CTL_SCHEMA		"rblk.control/1"
#define RBLK_CTL_SOCKET		"control.sock"
#define RBLK_CTL_MAX_REQUEST	4096
#define RBLK_CTL_MAX_ANSWER	(4 << 20)

#define RBLK_RUN_DIR		"/run/rblk"
#define RBLK_STATE_DIR		"/var/lib/rblk"

/* $RBLK_RUN_DIR or its default; likewise $RBLK_STATE_DIR. */
const char *rblk_ctl_run_dir(void);
const char *rblk_ctl_state_dir(void);

/* An answer; takes over @results, which may be NULL. */
json_t *rblk_ctl_answer(int code, const char *text, json_t *results);

/* Connected, or a negative errno: -ENOENT, -ECONNREFUSED: no daemon. */
int rblk_ctl_connect(const char *run_dir);

/* Send one request and wait for its answer; NULL with *why, a static string. */
json_t *rblk_ctl_call(int fd, const json_t *request, const char **why);

#endif
