// SPDX-License-Identifier: GPL-2.0
/*
 * pages.c - pages for bios of our own.
 *
 * First without waiting and without the reserve; when memory is short, one bio
 * at a time takes what it lacks from the reserve, so that two of them never hold
 * half of it each. Copies and what is applied have a reserve each: a receiver
 * that waits for the one does not wait for acknowledgments that it would have to
 * read to get the other.
 */
#include <linux/mempool.h>
#include <linux/mutex.h>

#include "pages.h"
#include "pressure.h"
#include "../fault.h"

#define RESERVE_PAGES	256	/* the longest request */

static struct reserve {
	mempool_t pages;
	struct mutex lock; /* one bio at a time waits for this reserve */
} reserves[] = {
	[RBLK_PAGES_COPY] = {
		.lock = __MUTEX_INITIALIZER(reserves[RBLK_PAGES_COPY].lock),
	},
	[RBLK_PAGES_APPLY] = {
		.lock = __MUTEX_INITIALIZER(reserves[RBLK_PAGES_APPLY].lock),
	},
};

void rblk_pages_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(reserves); i++)
		mempool_exit(&reserves[i].pages);
}

static void *alloc_one(gfp_t gfp, void *unused)
{
	return rblk_fault(RBLK_FAULT_NO_MEMORY) ? NULL : alloc_page(gfp);
}

static void free_one(void *page, void *unused)
{
	__free_page(page);
}

int rblk_pages_init(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(reserves) && !err; i++)
		err = mempool_init(&reserves[i].pages, RESERVE_PAGES, alloc_one,
				   free_one, NULL);
	if (err)
		rblk_pages_exit();
	return err;
}

/* Return: the bio has @bytes; taken from @reserve, when there is one, at need. */
static bool add_up_to(struct bio *bio, unsigned int bytes,
		      struct reserve *reserve)
{
	while (bio->bi_iter.bi_size < bytes) {
		unsigned int len = min_t(unsigned int, PAGE_SIZE,
					 bytes - bio->bi_iter.bi_size);
		struct page *page = reserve ?
			mempool_alloc(&reserve->pages, GFP_NOIO) :
			alloc_one(GFP_NOWAIT | __GFP_NOWARN, NULL);

		if (!page)
			return false;
		__bio_add_page(bio, page, len, 0);
	}
	return true;
}

void rblk_pages_free(struct bio *bio)
{
	mempool_t *pages = &reserves[RBLK_PAGES_APPLY].pages;
	struct bvec_iter_all iter;
	struct bio_vec *bv;

	/* First to those whose pages come back without anybody's help. */
	bio_for_each_segment_all(bv, bio, iter) {
		if (READ_ONCE(pages->curr_nr) >= pages->min_nr)
			pages = &reserves[RBLK_PAGES_COPY].pages;
		mempool_free(bv->bv_page, pages);
	}
}

void rblk_pages_fill(struct bio *bio, unsigned int bytes,
		     enum rblk_pages_for what_for)
{
	struct reserve *reserve = &reserves[what_for];

	if (add_up_to(bio, bytes, NULL))
		return;
	rblk_pressure_begin();
	mutex_lock(&reserve->lock);
	add_up_to(bio, bytes, reserve);
	mutex_unlock(&reserve->lock);
	rblk_pressure_end();
}

bool rblk_pages_try(struct bio *bio, unsigned int bytes)
{
	if (add_up_to(bio, bytes, NULL))
		return true;
	rblk_pages_free(bio);
	bio->bi_vcnt = 0;
	bio->bi_iter.bi_size = 0;
	return false;
}
