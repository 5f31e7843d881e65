// SPDX-License-Identifier: GPL-2.0
/*
 * volume.c - one block device on one backing device.
 */
#include <linux/idr.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/pagemap.h>
#include <linux/slab.h>

#include "peer.h"
#include "resource.h"
#include "volume.h"
#include "repl/active.h"
#include "repl/admit.h"
#include "repl/disk.h"
#include "repl/read.h"
#include "repl/refill.h"

#define DRAIN_NOTE	(30 * HZ)	/* between remarks while nothing ends */

/* Minors in use, over all namespaces: device names are global. */
static DEFINE_IDA(minors);

/* May @volume be read now? Racy as any look at a role: a promotion settles it. */
static bool is_readable(const struct rblk_volume *volume)
{
	const struct rblk_resource *res = volume->res;

	return READ_ONCE(res->log.gate.primary) ||
	       (READ_ONCE(res->read_from_backup) &&
		READ_ONCE(res->data) == RBLK_DATA_CONSISTENT &&
		rblk_disk_is_good(volume));
}

/* An opener for reading writes all the same: a file system was remounted. */
static void note_writer(struct rblk_volume *volume)
{
	unsigned long irq;

	spin_lock_irqsave(&volume->res->log.lock, irq);
	if (!volume->writers)
		WRITE_ONCE(volume->writers, 1);
	spin_unlock_irqrestore(&volume->res->log.lock, irq);
}

/* While its disk is being changed nothing comes in: it is submitted again. */
static bool park(struct rblk_volume *volume, struct bio *bio)
{
	unsigned long irq;
	bool parking;

	spin_lock_irqsave(&volume->res->log.lock, irq);
	parking = volume->parking;
	if (parking)
		bio_list_add(&volume->parked, bio);
	spin_unlock_irqrestore(&volume->res->log.lock, irq);
	return parking;
}

/* Return: false when it was parked, or failed. */
static bool enter(struct rblk_volume *volume, struct bio *bio)
{
	while (!percpu_ref_tryget_live(&volume->io)) {
		if (park(volume, bio))
			return false;
		/* It is being removed, or has its new disk since. */
		if (percpu_ref_is_dying(&volume->io)) {
			bio_io_error(bio);
			return false;
		}
	}
	return true;
}

static void volume_submit_bio(struct bio *bio)
{
	struct rblk_volume *volume = bio->bi_bdev->bd_disk->private_data;

	bio = bio_split_to_limits(bio);
	if (!bio)
		return;
	if (!enter(volume, bio))
		return;
	if (op_is_write(bio_op(bio))) {
		if (unlikely(!READ_ONCE(volume->writers)) && bio_sectors(bio))
			note_writer(volume);
		rblk_admit_submit(volume, bio);
	} else if (likely(is_readable(volume))) {
		rblk_read_submit(volume, bio);
	} else {
		bio_io_error(bio);
		percpu_ref_put(&volume->io);
	}
}

/*
 * Runs under the disk's open_mutex, which deleting the disk takes as well:
 * so it must not take the configuration lock.
 */
static int open_disk(struct gendisk *disk, bool writes)
{
	struct rblk_volume *volume = disk->private_data;
	struct rblk_resource *res = volume->res;
	int err = 0;

	spin_lock_irq(&res->log.lock);
	if (res->log.gate.dead)
		err = -ENXIO;
	else if (writes && (!res->log.gate.primary || res->log.gate.draining))
		err = -EMEDIUMTYPE;
	else if (!is_readable(volume))
		err = -EMEDIUMTYPE;
	else
		volume->openers++;
	if (!err && writes)
		volume->writers++;
	spin_unlock_irq(&res->log.lock);
	return err;
}

static void explain_refusal(struct gendisk *disk)
{
	struct rblk_volume *volume = disk->private_data;

	pr_notice_ratelimited("%s/%u: %s is not writable on a backup; run 'rblk promote %s' first\n",
			      volume->res->name, volume->id, disk->disk_name,
			      volume->res->name);
}

static void volume_release(RBLK_RELEASE_ARGS)
{
	struct rblk_volume *volume = disk->private_data;
	struct rblk_resource *res = volume->res;

	spin_lock_irq(&res->log.lock);
	volume->openers--;
	if (RBLK_RELEASED_WRITER && volume->writers)
		volume->writers--;
	/* Who closed may have been a writer or not: at most these are left. */
	volume->writers = min(volume->writers, volume->openers);
	if (!volume->writers)
		wake_up_all(&res->settled);
	spin_unlock_irq(&res->log.lock);
}

static int volume_open(RBLK_OPEN_ARGS)
{
	bool writes = mode & BLK_OPEN_WRITE;
	int err = open_disk(RBLK_OPENED_DISK, writes);

	if (err == -EMEDIUMTYPE && writes)
		explain_refusal(RBLK_OPENED_DISK);
	return err;
}

static void free_volume(struct rblk_volume *volume)
{
	percpu_ref_exit(&volume->io);
	free_percpu(volume->stats);
	kfree(volume);
}

/* The last opener is gone, maybe long after the volume was destroyed. */
static void volume_free_disk(struct gendisk *disk)
{
	struct rblk_volume *volume = disk->private_data;
	struct rblk_resource *res = volume->res;

	free_volume(volume);
	res->put(res);
}

static const struct block_device_operations volume_fops = {
	.owner = THIS_MODULE,
	.submit_bio = volume_submit_bio,
	.open = volume_open,
	.release = volume_release,
	.free_disk = volume_free_disk,
};

static ssize_t resource_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct rblk_volume *volume = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%s\n", volume->res->name);
}
static DEVICE_ATTR_RO(resource);

static ssize_t volume_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct rblk_volume *volume = dev_to_disk(dev)->private_data;

	return sysfs_emit(buf, "%u\n", volume->id);
}
static DEVICE_ATTR_RO(volume);

static ssize_t role_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	struct rblk_volume *volume = dev_to_disk(dev)->private_data;
	bool primary = READ_ONCE(volume->res->log.gate.primary);

	return sysfs_emit(buf, "%s\n", primary ? "primary" : "backup");
}
static DEVICE_ATTR_RO(role);

static struct attribute *volume_attrs[] = {
	&dev_attr_resource.attr,
	&dev_attr_volume.attr,
	&dev_attr_role.attr,
	NULL,
};

static const struct attribute_group volume_group = {
	.name = "rblk",
	.attrs = volume_attrs,
};

static const struct attribute_group *volume_groups[] = {
	&volume_group,
	NULL,
};

static void io_release(struct percpu_ref *ref)
{
	struct rblk_volume *volume = container_of(ref, struct rblk_volume, io);

	complete(&volume->io_drained);
}

static void write_back_work(struct work_struct *work)
{
	struct rblk_volume *volume = container_of(work, struct rblk_volume,
						  write_back_work);
	u32 wanted = READ_ONCE(volume->write_backs);
	struct gendisk *disk = volume->disk;
	struct block_device *bdev;
	unsigned long part;

	mutex_lock(&disk->open_mutex); /* keeps the partitions */
	xa_for_each(&disk->part_tbl, part, bdev)
		sync_blockdev(bdev);
	mutex_unlock(&disk->open_mutex);
	WRITE_ONCE(volume->written_back, wanted);
	wake_up_all(&volume->res->settled);
}

/* The disk below a volume failed: tell, and let no disk say otherwise. */
static void disk_work(struct work_struct *work)
{
	struct rblk_volume *volume = container_of(work, struct rblk_volume,
						  disk_work);
	struct rblk_resource *res = volume->res;
	char reason[RBLK_REASON_SIZE];

	spin_lock_irq(&res->log.lock);
	strscpy(reason, volume->disk_reason, sizeof(reason));
	spin_unlock_irq(&res->log.lock);
	pr_err("%s: %s\n", res->name, reason);
	res->notify->volume(volume, reason);
	rblk_keep_save(res, false);
}

static struct rblk_volume *alloc_volume(void)
{
	struct rblk_volume *volume = kzalloc(sizeof(*volume), GFP_KERNEL);

	if (!volume)
		return NULL;
	volume->stats = alloc_percpu(struct rblk_volume_stats);
	if (!volume->stats)
		goto err_free;
	if (percpu_ref_init(&volume->io, io_release, PERCPU_REF_ALLOW_REINIT,
			    GFP_KERNEL))
		goto err_free_stats;
	init_completion(&volume->io_drained);
	INIT_WORK(&volume->write_back_work, write_back_work);
	INIT_WORK(&volume->disk_work, disk_work);
	bio_list_init(&volume->parked);
	INIT_LIST_HEAD(&volume->bounces);
	rblk_refill_init(&volume->refill);
	rblk_extents_init(&volume->extents);
	return volume;

err_free_stats:
	free_percpu(volume->stats);
err_free:
	kfree(volume);
	return NULL;
}

/* From success on, volume_free_disk() frees the volume. */
static int alloc_disk_of(struct rblk_volume *volume)
{
	struct gendisk *disk;

	disk = rblk_compat_alloc_disk(volume->backing.bdev, RBLK_MAX_IO_SECTS,
				      volume->block_bytes);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	/*
	 * No major of our own: the disk gets one of the kernel's extended
	 * numbers, which LVM and others know as a disk.
	 */
	disk->fops = &volume_fops;
	disk->private_data = volume;
	snprintf(disk->disk_name, sizeof(disk->disk_name), "rblk%u",
		 volume->minor);
	set_capacity(disk, volume->backing.size_sects);
	kref_get(&volume->res->ref);
	volume->disk = disk;
	return 0;
}

/* Whole blocks of the size that all nodes show. */
static int fit_blocks(struct rblk_volume *volume, u32 block_bytes,
		      struct netlink_ext_ack *extack)
{
	struct rblk_backing *backing = &volume->backing;
	u32 least = bdev_logical_block_size(backing->bdev);

	if (bdev_is_zoned(backing->bdev)) {
		NL_SET_ERR_MSG(extack, "a zoned device cannot be replicated");
		return -EINVAL;
	}
	volume->block_bytes = block_bytes ?: least;
	if (volume->block_bytes < least || !is_power_of_2(volume->block_bytes)) {
		NL_SET_ERR_MSG(extack, "block-size is below the disk's, or no power of two");
		return -EINVAL;
	}
	backing->size_sects = round_down(backing->size_sects,
					 volume->block_bytes >> SECTOR_SHIFT);
	if (!backing->size_sects) {
		NL_SET_ERR_MSG(extack, "backing device is smaller than one block");
		return -ENXIO;
	}
	return 0;
}

/* A node remembers all of a resource or nothing of it. */
static bool suits_the_others(struct rblk_resource *res, u8 metadata)
{
	bool none = metadata == RBLK_METADATA_NONE;
	int i;

	for (i = 0; i < RBLK_MAX_VOLUMES; i++)
		if (res->volume[i] && !res->volume[i]->super != none)
			return false;
	return true;
}

static int open_metadata(struct rblk_volume *volume,
			 const struct rblk_volume_config *config, void *holder,
			 struct netlink_ext_ack *extack)
{
	struct rblk_resource *res = volume->res;
	struct rblk_super_want want = {
		.layout = config->metadata,
		.path = config->metadata_path,
		.set = res->uuid,
		.node_id = res->node_id,
		.volume = volume->id,
	};
	struct rblk_super *super;

	volume->metadata = config->metadata;
	if (config->metadata == RBLK_METADATA_NONE)
		return 0;
	if (config->metadata_path)
		strscpy(volume->metadata_path, config->metadata_path,
			sizeof(volume->metadata_path));
	super = rblk_super_open(&volume->backing, &want, holder, res->wq,
				extack);
	if (IS_ERR(super))
		return PTR_ERR(super);
	volume->super = super;
	volume->seen = super->disk.seen;
	return 0;
}

int rblk_volume_open_disk(struct rblk_volume *volume,
			  const struct rblk_volume_config *config, void *holder,
			  struct netlink_ext_ack *extack)
{
	int err;

	err = rblk_backing_open(&volume->backing, config->path, holder, extack);
	if (err)
		return err;
	err = open_metadata(volume, config, holder, extack);
	if (!err)
		err = fit_blocks(volume, config->block_bytes, extack);
	if (!err)
		err = rblk_active_open(volume);
	if (err)
		rblk_volume_close_disk(volume);
	return err;
}

void rblk_volume_close_disk(struct rblk_volume *volume)
{
	rblk_active_close(volume);
	rblk_super_close(volume->super);
	volume->super = NULL;
	rblk_backing_close(&volume->backing);
}

/* What its volumes say together is what the resource is. */
static void adopt_metadata(struct rblk_resource *res)
{
	if (!rblk_keep_is_on(res))
		return;
	rblk_keep_load(res);
	rblk_applier_restart(&res->applier, res->lineage.seq,
			     rblk_volumes_volatile(res->volume));
}

static int check_config(struct rblk_resource *res,
			const struct rblk_volume_config *config,
			struct netlink_ext_ack *extack)
{
	if (res->volume[config->id]) {
		NL_SET_ERR_MSG(extack, "a volume with this id exists already");
		return -EEXIST;
	}
	if (!suits_the_others(res, config->metadata)) {
		NL_SET_ERR_MSG(extack, "all volumes of a resource have metadata, or none has");
		return -EINVAL;
	}
	return 0;
}

int rblk_volume_create(struct rblk_resource *res,
		       const struct rblk_volume_config *config,
		       struct netlink_ext_ack *extack)
{
	u32 minor = config->minor;
	struct rblk_volume *volume;
	u8 id = config->id;
	int err;

	lockdep_assert_held(&res->conf);
	err = check_config(res, config, extack);
	if (err)
		return err;
	err = ida_alloc_range(&minors, minor, minor, GFP_KERNEL);
	if (err < 0) {
		if (err != -ENOSPC)
			return err;
		NL_SET_ERR_MSG(extack, "the minor is used by a volume, or by one being removed");
		return -EBUSY;
	}
	err = -ENOMEM;
	volume = alloc_volume();
	if (!volume)
		goto err_free_minor;
	volume->res = res;
	volume->id = id;
	volume->minor = minor;
	err = rblk_volume_open_disk(volume, config, volume, extack);
	if (err)
		goto err_free_volume;
	err = rblk_peer_add_volume(res, id, volume->backing.size_sects);
	if (err)
		goto err_close;
	err = alloc_disk_of(volume);
	if (err)
		goto err_remove;
	WRITE_ONCE(res->volume[id], volume);
	err = device_add_disk(NULL, volume->disk, volume_groups);
	if (err)
		goto err_put_disk;
	/* For lsblk; without it nothing else suffers. */
	volume->linked = !bd_link_disk_holder(volume->backing.bdev,
					      volume->disk);
	adopt_metadata(res);
	return 0;

err_put_disk:
	NL_SET_ERR_MSG(extack, "the disk could not be registered");
	WRITE_ONCE(res->volume[id], NULL);
	synchronize_rcu();
	put_disk(volume->disk); /* calls free_disk only for a disk once added */
	res->put(res);
err_remove:
	rblk_peer_remove_volume(res, id);
err_close:
	rblk_volume_close_disk(volume);
err_free_volume:
	free_volume(volume);
err_free_minor:
	ida_free(&minors, minor);
	return err;
}

void rblk_volume_drain(struct rblk_volume *volume)
{
	percpu_ref_kill(&volume->io);
	/* The gate lets nothing in; the backing device has to answer. */
	while (!wait_for_completion_timeout(&volume->io_drained, DRAIN_NOTE))
		pr_notice("%s/%u: %s does not answer: requests to it are what is left\n",
			  volume->res->name, volume->id, volume->backing.path);
}

void rblk_volume_destroy(struct rblk_volume *volume)
{
	struct rblk_resource *res = volume->res;

	lockdep_assert_held(&res->conf);
	cancel_work_sync(&res->keep.work);
	if (!percpu_ref_is_dying(&volume->io))
		rblk_volume_drain(volume);
	flush_work(&volume->write_back_work); /* what is left of it fails */
	cancel_work_sync(&volume->disk_work);
	rblk_refill_stop(&volume->refill);
	if (volume->linked)
		bd_unlink_disk_holder(volume->backing.bdev, volume->disk);
	del_gendisk(volume->disk);
	mutex_lock(&res->keep.mutex);
	WRITE_ONCE(res->volume[volume->id], NULL);
	mutex_unlock(&res->keep.mutex);
	synchronize_rcu(); /* status reads volumes under RCU */
	rblk_peer_remove_volume(res, volume->id);
	rblk_volume_close_disk(volume);
	ida_free(&minors, volume->minor);
	put_disk(volume->disk);
}

void rblk_volume_forget_pages(struct rblk_volume *volume)
{
	struct gendisk *disk = volume->disk;
	struct block_device *bdev;
	unsigned long part;

	lockdep_assert_held(&volume->res->conf);
	mutex_lock(&disk->open_mutex); /* keeps the partitions */
	xa_for_each(&disk->part_tbl, part, bdev)
		if (invalidate_inode_pages2(rblk_bdev_mapping(bdev)))
			pr_warn("%s: pages of %pg stay cached\n",
				volume->res->name, bdev);
	mutex_unlock(&disk->open_mutex);
}

void rblk_volume_write_back(struct rblk_volume *volume)
{
	lockdep_assert_held(&volume->res->conf);
	WRITE_ONCE(volume->write_backs, volume->write_backs + 1);
	queue_work(system_unbound_wq, &volume->write_back_work);
}

bool rblk_volume_is_written_back(const struct rblk_volume *volume)
{
	return READ_ONCE(volume->written_back) == READ_ONCE(volume->write_backs);
}

void rblk_volume_sum_stats(const struct rblk_volume *volume,
			   struct rblk_volume_stats *sum)
{
	int cpu;

	memset(sum, 0, sizeof(*sum));
	for_each_possible_cpu(cpu) {
		struct rblk_volume_stats *stats;

		stats = per_cpu_ptr(volume->stats, cpu);
		sum->read_ops += stats->read_ops;
		sum->read_bytes += stats->read_bytes;
		sum->write_ops += stats->write_ops;
		sum->write_bytes += stats->write_bytes;
		sum->flush_ops += stats->flush_ops;
		sum->errors += stats->errors;
	}
}
