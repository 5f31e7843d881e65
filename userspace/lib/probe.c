// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * probe.c - what else a device holds, as libblkid sees it
 */
#include "probe.h"

#include "text.h"

#include <blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static blkid_probe open_probe(int fd)
{
	blkid_probe pr = blkid_new_probe();

	if (pr && blkid_probe_set_device(pr, fd, 0, 0) == 0) {
		blkid_probe_enable_superblocks(pr, 1);
		blkid_probe_enable_partitions(pr, 1);
		return pr;
	}
	blkid_free_probe(pr);
	return NULL;
}

/*
 * The libblkid of Debian 12 does not tell sizes, and newer ones leave out what
 * the filesystem takes for itself. So its superblock is asked.
 */
struct size_field {
	const char *type;
	unsigned int count_at;		/* blocks, or bytes */
	unsigned int count_bytes;
	unsigned int high_at;		/* the upper half, or 0 */
	unsigned int shift_at;		/* log2 of the block, 10 being added; or 0 */
	unsigned int block_at;		/* the block's size; or 0 */
	bool is_big_endian;
};

static const struct size_field sizes[] = {
	{ "ext2", 1024 + 4, 4, 0, 1024 + 24, 0, false },
	{ "ext3", 1024 + 4, 4, 0, 1024 + 24, 0, false },
	{ "ext4", 1024 + 4, 4, 1024 + 0x150, 1024 + 24, 0, false },
	{ "xfs", 8, 8, 0, 0, 4, true },
	{ "btrfs", 65536 + 201 + 8, 8, 0, 0, 0, false },
};

static bool get_number(int fd, const struct size_field *f, unsigned int at,
		       unsigned int bytes, uint64_t *value)
{
	unsigned char raw[8];
	unsigned int i;

	if (pread(fd, raw, bytes, at) != (ssize_t)bytes)
		return false;
	*value = 0;
	for (i = 0; i < bytes; i++)
		*value = *value << 8 |
			 raw[f->is_big_endian ? i : bytes - 1 - i];
	return true;
}

/* 0 when nobody knows. */
static uint64_t size_of(int fd, const struct size_field *f)
{
	uint64_t count, high = 0, shift, block = 1, bytes;

	if (!get_number(fd, f, f->count_at, f->count_bytes, &count))
		return 0;
	if (f->high_at && !get_number(fd, f, f->high_at, 4, &high))
		return 0;
	if (f->block_at && !get_number(fd, f, f->block_at, 4, &block))
		return 0;
	if (f->shift_at) {
		if (!get_number(fd, f, f->shift_at, 4, &shift) || shift > 6)
			return 0;
		block = 1024ULL << shift;
	}
	return __builtin_mul_overflow(count | high << 32, block, &bytes) ?
	       0 : bytes;
}

static uint64_t used_bytes(int fd, const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (strcmp(sizes[i].type, type) == 0)
			return size_of(fd, &sizes[i]);
	return 0;
}

/* "" or a value, with nothing in it that a terminal must not see. */
static bool text_of(blkid_probe pr, const char *name, char *to, size_t size)
{
	const char *text;

	to[0] = '\0';
	if (blkid_probe_lookup_value(pr, name, &text, NULL))
		return false;
	rblk_text_copy(to, size, text);
	rblk_text_sanitize(to);
	return true;
}

int rblk_probe_fd(int fd, struct rblk_probe *probe)
{
	blkid_probe pr = open_probe(fd);
	int rc;

	*probe = (struct rblk_probe){ .used_bytes = 0 };
	if (!pr)
		return -ENOMEM;
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_LABEL);
	rc = blkid_do_safeprobe(pr);
	if (rc == 0) {
		if (!text_of(pr, "TYPE", probe->type, sizeof(probe->type)))
			text_of(pr, "PTTYPE", probe->type,
				sizeof(probe->type));
		text_of(pr, "LABEL", probe->label, sizeof(probe->label));
		probe->used_bytes = used_bytes(fd, probe->type);
	} else if (rc == -2) {
		rblk_text_copy(probe->type, sizeof(probe->type),
			       "several things at once");
	}
	blkid_free_probe(pr);
	return rc == -1 ? -EIO : 0;
}

int rblk_probe_wipe(int fd)
{
	blkid_probe pr = open_probe(fd);
	int rc;

	if (!pr)
		return -ENOMEM;
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_MAGIC);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_MAGIC);
	while ((rc = blkid_do_probe(pr)) == 0)
		if (blkid_do_wipe(pr, 0) < 0) {
			rc = -1;
			break;
		}
	blkid_free_probe(pr);
	return rc < 0 ? -EIO : 0;
}
