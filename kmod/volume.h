/* SPDX-License-Identifier: GPL-2.0 */
/*
 * volume.h - one block device /dev/rblkN on one backing device.
 */
#ifndef RBLK_VOLUME_H
#define RBLK_VOLUME_H

#include <linux/blkdev.h>
#include <linux/percpu-refcount.h>
#include <linux/completion.h>

#include "core/extent.h"
#include "uapi/rblk.h"
#include "repl/refill.h"
#include "store/super.h"

struct rblk_active;
struct rblk_resource;
struct netlink_ext_ack;

#define RBLK_MAX_IO_SECTS	2048	/* one frame carries 1 MiB */

/** struct rblk_volume_stats - counted per CPU */
struct rblk_volume_stats {
	u64 read_ops;
	u64 read_bytes;
	u64 write_ops;
	u64 write_bytes;
	u64 flush_ops;
	u64 errors;
};

/**
 * struct rblk_volume - see above
 * @res: its resource, which outlives it
 * @id: 0..63 within the resource
 * @minor: N of /dev/rblkN
 * @block_bytes: the logical block size it shows; the same on all nodes
 * @disk: what the application sees
 * @backing: where the data is
 * @super: its metadata, or NULL
 * @active: its activity log, or NULL
 * @ring_serial: the last transaction of a disk that was given back; the log's lock
 * @recorded: the position that its metadata says; the applier's lock
 * @recorded_sects: the applier's @received_sects when a flush or a change of the record
 *	last wrote that; the applier's lock
 * @seen: of the primary's activity log of this volume; the applier's lock
 * @recorded_seen: the same, when a flush last wrote it; the applier's lock
 * @extents: ranges in flight; protected by the log's lock
 * @bounces: reads with the disk that have pages of their own; the log's lock
 * @applying: what is being applied to it; this and the next: the applier's lock
 * @applying_ns: when that began, or one of it ended, CLOCK_MONOTONIC
 * @io: one reference per application bio in our hands
 * @io_drained: @io was killed and is gone
 * @parking: its disk is being changed; this and the next: the log's lock
 * @parked: what the application submits meanwhile
 * @openers: times open; protected by the log's lock
 * @writers: how many of them may write, at most; the log's lock
 * @metadata: enum rblk_metadata
 * @metadata_path: of its own device, or ""
 * @linked: shown as holder of the backing device
 * @disk_state: enum rblk_disk; this and the next two: the log's lock
 * @away: its data is found at peers only: the backing device failed
 * @hung: it did not answer in time, and may still not; it is asked nothing
 * @disk_reason: what failed
 * @refill: copies a new disk full; it is FILLING
 * @disk_work: tells of it
 * @write_back_work: writes what its page cache holds
 * @write_backs: how often that was asked for; under the configuration lock
 * @written_back: which of these are done
 * @stats: per CPU
 */
struct rblk_volume {
	struct rblk_resource *res;
	u8 id;
	u32 minor;
	u32 block_bytes;
	struct gendisk *disk;
	struct rblk_backing backing;
	struct rblk_super *super;
	struct rblk_active *active;
	u64 ring_serial;
	u64 recorded;
	u64 recorded_sects;
	struct rblk_seen seen;
	struct rblk_seen recorded_seen;
	struct rblk_extents extents;
	struct list_head bounces;
	u32 applying;
	u64 applying_ns;
	struct percpu_ref io;
	struct completion io_drained;
	bool parking;
	struct bio_list parked;
	u32 openers;
	u32 writers;
	u8 metadata;
	char metadata_path[RBLK_DISK_SIZE];
	bool linked;
	u8 disk_state;
	bool away;
	bool hung;
	char disk_reason[RBLK_REASON_SIZE];
	struct rblk_refill refill;
	struct work_struct disk_work;
	struct work_struct write_back_work;
	u32 write_backs;
	u32 written_back;
	struct rblk_volume_stats __percpu *stats;
};

/**
 * struct rblk_volume_config - what VOLUME_NEW says
 * @id: free volume id
 * @minor: of the device
 * @path: of the backing device
 * @block_bytes: logical block size to show; 0: the backing device's
 * @metadata: enum rblk_metadata
 * @metadata_path: of the metadata's own device, for RBLK_METADATA_APART
 */
struct rblk_volume_config {
	u8 id;
	u32 minor;
	const char *path;
	u32 block_bytes;
	u8 metadata;
	const char *metadata_path;
};

/**
 * rblk_volume_create - claim a disk and show it as /dev/rblkN
 * @res: its resource; its configuration lock is held
 * @config: checked
 * @extack: gets the reason of a refusal
 *
 * With metadata the resource's data, lineage, position and promise become what
 * its volumes' metadata says.
 *
 * Return: 0; -EEXIST, -EBUSY, -EINVAL, -ENOMEM, or what opening the disk or
 * reading the metadata gave.
 */
int rblk_volume_create(struct rblk_resource *res,
		       const struct rblk_volume_config *config,
		       struct netlink_ext_ack *extack);

/**
 * rblk_volume_open_disk - claim a disk and read its metadata
 * @volume: its resource and id are set; or what is to become its disk
 * @config: checked
 * @holder: who claims the disk
 * @extack: gets the reason of a refusal
 *
 * Return: 0, or as rblk_volume_create(); then nothing is claimed.
 */
int rblk_volume_open_disk(struct rblk_volume *volume,
			  const struct rblk_volume_config *config, void *holder,
			  struct netlink_ext_ack *extack);

/**
 * rblk_volume_close_disk - give it back
 * @volume: nothing uses its disk; harmless when it has none
 */
void rblk_volume_close_disk(struct rblk_volume *volume);

/**
 * rblk_volume_drain - let no bio in any more and wait for those in flight
 * @volume: once, and nothing else is done with it than to destroy it. No bio in
 *	flight that cannot end: the gate is dead or the log idle
 *
 * Waits for the backing device, for as long as it takes.
 */
void rblk_volume_drain(struct rblk_volume *volume);

/**
 * rblk_volume_destroy - take the device away
 * @volume: its resource's configuration lock is held; drained or not
 *
 * Who still has the device open gets errors.
 */
void rblk_volume_destroy(struct rblk_volume *volume);

/**
 * rblk_volume_forget_pages - what was read as a backup is out of date
 * @volume: of a node that became primary; nothing is being applied
 *
 * Drops what its openers have in the page cache. Waits for reads in flight.
 */
void rblk_volume_forget_pages(struct rblk_volume *volume);

/**
 * rblk_volume_write_back - begin to write what its page cache holds
 * @volume: of a primary whose gate is open
 *
 * Nothing bounds the time that takes: the resource's @settled is woken. What
 * fails is logged by the kernel.
 */
void rblk_volume_write_back(struct rblk_volume *volume);

/**
 * rblk_volumes_volatile - which volumes' devices have a volatile cache
 * @volume: of a resource, by id
 *
 * Return: a bit mask of ids.
 */
static inline u64 rblk_volumes_volatile(struct rblk_volume *const *volume)
{
	u64 mask = 0;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (volume[i] && volume[i]->backing.volatile_cache)
			mask |= BIT_ULL(i);
	return mask;
}

/** rblk_volume_is_written_back - is all done that was begun so for @volume? */
bool rblk_volume_is_written_back(const struct rblk_volume *volume);

/** rblk_volume_sum_stats - add up over all CPUs into @sum */
void rblk_volume_sum_stats(const struct rblk_volume *volume,
			   struct rblk_volume_stats *sum);

#endif /* RBLK_VOLUME_H */
