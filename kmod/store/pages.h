/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pages.h - pages for bios of our own, with reserves that guarantee progress
 * under memory pressure.
 */
#ifndef RBLK_STORE_PAGES_H
#define RBLK_STORE_PAGES_H

#include <linux/bio.h>

/** enum rblk_pages_for - what a reserve is for */
enum rblk_pages_for {
	RBLK_PAGES_COPY,
	RBLK_PAGES_APPLY,
};

/** rblk_pages_init - the module's reserve; Return: 0 or -ENOMEM */
int rblk_pages_init(void);

/** rblk_pages_exit - give the reserve back */
void rblk_pages_exit(void);

/**
 * rblk_pages_fill - add pages to an empty bio
 * @bio: with room for the pages
 * @bytes: at most 1 MiB
 * @what_for: whose reserve it may use
 *
 * Context: process; may wait until other bios give their pages back.
 */
void rblk_pages_fill(struct bio *bio, unsigned int bytes,
		     enum rblk_pages_for what_for);

/**
 * rblk_pages_try - the same without waiting, and without the reserve
 * @bio: with room for the pages
 * @bytes: at most 1 MiB
 *
 * Context: any. Return: false when there is not enough; then it has none.
 */
bool rblk_pages_try(struct bio *bio, unsigned int bytes);

/** rblk_pages_free - give back the pages of a bio; any context */
void rblk_pages_free(struct bio *bio);

#endif /* RBLK_STORE_PAGES_H */
