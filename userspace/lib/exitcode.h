/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * exitcode.h - what exit codes mean; also the "code" of control answers
 */
#ifndef RBLK_EXITCODE_H
#define RBLK_EXITCODE_H

enum rblk_exit {
	RBLK_EXIT_OK = 0,
	RBLK_EXIT_REFUSED = 1,		/* the state does not allow it */
	RBLK_EXIT_USAGE = 2,
	RBLK_EXIT_CONFIG = 3,
	RBLK_EXIT_NOT_FOUND = 4,
	RBLK_EXIT_NOT_PERMITTED = 5,
	RBLK_EXIT_TIMEOUT = 6,
	RBLK_EXIT_NO_MODULE = 7,	/* or of another version */
	RBLK_EXIT_NO_DAEMON = 8,
};

/* The code for a positive errno from the kernel. */
enum rblk_exit rblk_exit_from_errno(int err);

/*
 * The same when the module gave a reason (@is_said): whoever lacks the
 * privilege is turned away before the module could say anything.
 */
enum rblk_exit rblk_exit_from_refusal(int err, int is_said);

#endif
