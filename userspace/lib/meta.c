// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * meta.c - the metadata on a device or in a file
 */
#include "meta.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZERO_BYTES	(64U << 10)

static int fail(struct rblk_meta_dev *dev, int err, const char *what,
		char *why, size_t size)
{
	snprintf(why, size, "%s: %s", dev->path, what);
	rblk_meta_close(dev);
	return -err;
}

int rblk_meta_open(struct rblk_meta_dev *dev, const char *path, bool write,
		   char *why, size_t why_size)
{
	int flags = O_CLOEXEC | (write ? O_RDWR : O_RDONLY);
	struct stat st;
	int err;

	*dev = (struct rblk_meta_dev){ .fd = -1, .path = path };
	if (stat(path, &st) < 0)
		return fail(dev, errno, strerror(errno), why, why_size);
	dev->is_block = S_ISBLK(st.st_mode);
	if (!dev->is_block && !S_ISREG(st.st_mode))
		return fail(dev, ENOTBLK,
			    "is neither a block device nor a file", why,
			    why_size);
	if (write && dev->is_block)
		flags |= O_EXCL;
	dev->fd = open(path, flags);
	err = errno;
	if (dev->fd < 0)
		return fail(dev, err, err == EBUSY ?
			    "is in use: unmount it, or take its resource down" :
			    strerror(err), why, why_size);
	dev->bytes = st.st_size;
	if (dev->is_block && ioctl(dev->fd, BLKGETSIZE64, &dev->bytes) < 0)
		return fail(dev, errno, strerror(errno), why, why_size);
	/* the module writes past the page cache, which may hold older blocks */
	posix_fadvise(dev->fd, 0, 0, POSIX_FADV_DONTNEED);
	return 0;
}

void rblk_meta_close(struct rblk_meta_dev *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
}

int rblk_meta_read(const struct rblk_meta_dev *dev, uint64_t at, void *buf,
		   size_t bytes)
{
	char *to = buf;
	ssize_t n;

	while (bytes) {
		n = pread(dev->fd, to, bytes, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		to += n;
		at += n;
		bytes -= n;
	}
	return 0;
}

int rblk_meta_write(const struct rblk_meta_dev *dev, uint64_t at,
		    const void *buf, size_t bytes)
{
	const char *from = buf;
	ssize_t n;

	while (bytes) {
		n = pwrite(dev->fd, from, bytes, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		from += n;
		at += n;
		bytes -= n;
	}
	return 0;
}

int rblk_meta_zero(const struct rblk_meta_dev *dev, uint64_t at,
		   uint64_t bytes)
{
	static const char zeroes[ZERO_BYTES];
	int rc = 0;

	while (bytes && rc == 0) {
		size_t some = bytes < ZERO_BYTES ? bytes : ZERO_BYTES;

		rc = rblk_meta_write(dev, at, zeroes, some);
		at += some;
		bytes -= some;
	}
	return rc;
}

int rblk_meta_sync(const struct rblk_meta_dev *dev)
{
	return fsync(dev->fd) < 0 ? -errno : 0;
}

static int read_positions(const struct rblk_meta_dev *dev,
			  struct rblk_meta_found *found)
{
	const struct rblk_ondisk_super *super = rblk_meta_super(found);
	uint8_t block[RBLK_ONDISK_BLOCK];
	unsigned int i;

	found->seq = super->record.lineage.seq;
	for (i = 0; i < 2; i++) {
		struct rblk_position *p = &found->position[i];
		uint64_t at = rblk_ondisk_position_at(found->head_at, i);
		int rc = rblk_meta_read(dev, at, block, sizeof(block));

		if (rc < 0)
			return rc;
		found->position_err[i] =
			rblk_ondisk_get_position(block, at, super->member, p);
		if (!found->position_err[i] &&
		    p->base == super->record.serial && p->seq > found->seq)
			found->seq = p->seq;
	}
	return 0;
}

static int read_copies(const struct rblk_meta_dev *dev, uint64_t head_at,
		       struct rblk_meta_found *found)
{
	const struct rblk_ondisk_super *super[2] = {
		&found->super[0], &found->super[1],
	};
	uint8_t block[RBLK_ONDISK_BLOCK];
	unsigned int i;
	int rc;

	memset(found, 0, sizeof(*found));
	found->head_at = head_at;
	for (i = 0; i < 2; i++) {
		uint64_t at = rblk_ondisk_super_at(head_at, i);

		rc = rblk_meta_read(dev, at, block, sizeof(block));
		if (rc < 0)
			return rc;
		found->err[i] = rblk_ondisk_get_super(block, at,
						      &found->super[i]);
	}
	found->verdict = rblk_ondisk_pick_super(found->err, super,
						&found->pick);
	return found->verdict ? 0 : read_positions(dev, found);
}

int rblk_meta_find(const struct rblk_meta_dev *dev,
		   struct rblk_meta_found *found)
{
	uint64_t end = rblk_ondisk_head_at(RBLK_METADATA_END, dev->bytes);
	int rc;

	memset(found, 0, sizeof(*found));
	found->verdict = RBLK_ONDISK_ABSENT;
	if (end == UINT64_MAX)
		return 0;
	rc = read_copies(dev, 0, found);
	if (rc < 0 || found->verdict != RBLK_ONDISK_ABSENT || end == 0)
		return rc;
	return read_copies(dev, end, found);
}

int rblk_meta_wipe(const struct rblk_meta_dev *dev, uint64_t head_at)
{
	int rc = rblk_meta_zero(dev, head_at, RBLK_ONDISK_HEAD_BYTES);

	return rc ? rc : rblk_meta_sync(dev);
}

/* Nothing in any bitmap: the rest of it need not be looked at. */
static int zero_indexes(const struct rblk_meta_dev *dev,
			const struct rblk_geometry *geo)
{
	uint64_t bytes = rblk_ondisk_index_blocks(geo) * RBLK_ONDISK_BLOCK;
	unsigned int i;
	int rc = 0;

	for (i = 0; i < RBLK_ONDISK_SLOTS && rc == 0; i++)
		rc = rblk_meta_zero(dev, geo->bitmap_at + i * geo->slot_bytes,
				    bytes);
	return rc;
}

int rblk_meta_create(const struct rblk_meta_dev *dev,
		     const struct rblk_ondisk_super *super)
{
	const struct rblk_geometry *geo = &super->geo;
	uint8_t block[RBLK_ONDISK_BLOCK];
	unsigned int i;
	int rc;

	rc = rblk_meta_wipe(dev, geo->head_at);
	if (rc == 0)
		rc = rblk_meta_zero(dev, geo->ring_at,
				    (uint64_t)geo->ring_blocks *
				    RBLK_ONDISK_BLOCK);
	if (rc == 0)
		rc = zero_indexes(dev, geo);
	for (i = 0; i < 2 && rc == 0; i++) {
		rblk_ondisk_put_super(block, super, i);
		rc = rblk_meta_write(dev, rblk_ondisk_super_at(geo->head_at, i),
				     block, sizeof(block));
		if (rc == 0)
			rc = rblk_meta_sync(dev);
	}
	return rc;
}

void rblk_meta_new_member(uint8_t member[RBLK_UUID_SIZE])
{
	if (getrandom(member, RBLK_UUID_SIZE, 0) != RBLK_UUID_SIZE)
		abort();
}
