/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fault.h - mistakes on purpose.
 *
 * "make modules RBLK_FAULTS=1 KOUT=..." builds a module that makes those that
 * its parameter "faults" names, so that the tests can show that they notice.
 * Any other build knows nothing of them.
 */
#ifndef RBLK_FAULT_H
#define RBLK_FAULT_H

#include <linux/bits.h>
#include <linux/types.h>

/**
 * enum rblk_fault - a mistake; its bit in the parameter
 * @RBLK_FAULT_NO_WAIT: the primary waits for nobody, as with protocol A
 * @RBLK_FAULT_NO_DEP_SENT: the primary says that writes depend on nothing
 * @RBLK_FAULT_NO_DEP_KEPT: the backup starts writes as they arrive
 * @RBLK_FAULT_NO_HOLD: overlapping writes are in flight together
 * @RBLK_FAULT_LOSE_WRITE: the backup forgets each 64th write
 * @RBLK_FAULT_LOSE_ZEROES: the backup forgets to zero
 * @RBLK_FAULT_TEAR: the backup writes half of each 64th write
 * @RBLK_FAULT_MISPLACE: the backup writes each 64th write one block late
 * @RBLK_FAULT_NO_FLUSH: the backup does not flush
 * @RBLK_FAULT_NO_FUA: the backup's FUA writes are plain ones
 * @RBLK_FAULT_ACK_RECEIVED: the backup calls applied what it received
 * @RBLK_FAULT_OLD_GENERATION: a backup takes what a deposed primary sends
 * @RBLK_FAULT_NO_COPY: disk and peers each read a buffer that may change
 * @RBLK_FAULT_LOCAL_NO_FLUSH: the primary does not flush its own disk
 * @RBLK_FAULT_NO_MEMORY: no mistake: memory is so short that there is nothing but
 *	what is reserved
 */
enum rblk_fault {
	RBLK_FAULT_NO_WAIT,
	RBLK_FAULT_NO_DEP_SENT,
	RBLK_FAULT_NO_DEP_KEPT,
	RBLK_FAULT_NO_HOLD,
	RBLK_FAULT_LOSE_WRITE,
	RBLK_FAULT_LOSE_ZEROES,
	RBLK_FAULT_TEAR,
	RBLK_FAULT_MISPLACE,
	RBLK_FAULT_NO_FLUSH,
	RBLK_FAULT_NO_FUA,
	RBLK_FAULT_ACK_RECEIVED,
	RBLK_FAULT_OLD_GENERATION,
	RBLK_FAULT_NO_COPY,
	RBLK_FAULT_LOCAL_NO_FLUSH,
	RBLK_FAULT_NO_MEMORY,
};

#ifdef RBLK_FAULTS
extern unsigned int rblk_faults;

static inline bool rblk_fault(enum rblk_fault fault)
{
	return rblk_faults & BIT(fault);
}
#else
static inline bool rblk_fault(enum rblk_fault fault)
{
	return false;
}
#endif

/* A mistake that is made now and then. */
static inline bool rblk_fault_at(enum rblk_fault fault, u64 seq)
{
	return rblk_fault(fault) && seq % 64 == 63;
}

#endif /* RBLK_FAULT_H */
