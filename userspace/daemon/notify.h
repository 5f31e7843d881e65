/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify.h - tell the service manager; nothing when there is none
 */
#ifndef RBLK_NOTIFY_H
#define RBLK_NOTIFY_H

/* "READY=1", "STOPPING=1", "STATUS=…" */
void rblk_notify(const char *state);

#endif
