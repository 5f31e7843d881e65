/* SPDX-License-Identifier: GPL-2.0 */
/*
 * chunk.h - a piece of a resync, until it may be sent.
 */
#ifndef RBLK_REPL_CHUNK_H
#define RBLK_REPL_CHUNK_H

#include "resync.h"

/** rblk_chunk_init - the module's pool; Return: 0 or -ENOMEM */
int rblk_chunk_init(void);

/** rblk_chunk_exit - give the pool back */
void rblk_chunk_exit(void);

/**
 * rblk_chunk_go_on - let the resync's work look what there is to do
 * @peer: whose resync is active; any context
 */
void rblk_chunk_go_on(struct rblk_peer *peer);

/**
 * rblk_chunk_alloc - a new chunk
 * @peer: to whom
 * @volume: of which
 * @sector: first
 * @nr_sects: length, up to RBLK_RESYNC_CHUNK_SECTS
 *
 * Never waits: a chunk's memory comes back when it is acknowledged, and the
 * thread that would wait here may be the only one to read that. A resync has
 * time; a write may need the memory.
 *
 * Return: the chunk or NULL.
 */
struct rblk_resync_chunk *rblk_chunk_alloc(struct rblk_peer *peer,
					   struct rblk_volume *volume,
					   u64 sector, u32 nr_sects);

/**
 * rblk_chunk_start - lock its range and read it, as soon as that is free
 * @chunk: counted in flight
 *
 * It comes back in one of the resync's lists: ready, digesting or retry.
 */
void rblk_chunk_start(struct rblk_resync_chunk *chunk);

/**
 * rblk_chunk_send_digests - send a chunk's digests instead of its data
 * @chunk: read; in no list
 */
void rblk_chunk_send_digests(struct rblk_resync_chunk *chunk);

/**
 * rblk_chunk_free_all - free chunks; they are not in flight any more
 * @peer: theirs
 * @chunks: a list of them that nobody else sees
 */
void rblk_chunk_free_all(struct rblk_peer *peer, struct list_head *chunks);

#endif /* RBLK_REPL_CHUNK_H */
