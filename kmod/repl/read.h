/* SPDX-License-Identifier: GPL-2.0 */
/*
 * read.h - reads go to the backing device.
 */
#ifndef RBLK_REPL_READ_H
#define RBLK_REPL_READ_H

struct bio;
struct rblk_volume;

/** rblk_read_init - the module's pool; Return: 0 or -ENOMEM */
int rblk_read_init(void);

/** rblk_read_exit - give the pool back */
void rblk_read_exit(void);

/**
 * rblk_read_submit - take an application's read
 * @volume: its volume, with a reference for the bio
 * @bio: already split to the disk's limits
 *
 * Context: process, as ->submit_bio.
 */
void rblk_read_submit(struct rblk_volume *volume, struct bio *bio);

#endif /* RBLK_REPL_READ_H */
