// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c - which mistakes to make; empty but in a build for tests.
 */
#include <linux/moduleparam.h>

#include "fault.h"

#ifdef RBLK_FAULTS
unsigned int rblk_faults;
module_param_named(faults, rblk_faults, uint, 0644);
MODULE_PARM_DESC(faults, "mistakes to make on purpose, a bit each");
#endif
