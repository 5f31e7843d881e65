// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exitcode.c - errno to exit code
 */
#include "exitcode.h"

#include <errno.h>

enum rblk_exit rblk_exit_from_errno(int err)
{
	switch (err) {
	case 0:
		return RBLK_EXIT_OK;
	case EPERM:
	case EACCES:
		return RBLK_EXIT_NOT_PERMITTED;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return RBLK_EXIT_NOT_FOUND;
	case ETIMEDOUT:
		return RBLK_EXIT_TIMEOUT;
	case EPROTO:
		return RBLK_EXIT_NO_MODULE;
	default:
		return RBLK_EXIT_REFUSED;
	}
}

enum rblk_exit rblk_exit_from_refusal(int err, int is_said)
{
	enum rblk_exit code = rblk_exit_from_errno(err);

	return code == RBLK_EXIT_NOT_PERMITTED && is_said ?
	       RBLK_EXIT_REFUSED : code;
}
