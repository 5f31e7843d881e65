// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * arbiter_store.c - what a voter keeps, as bytes
 */
#include "arbiter_store.h"

#include "rblk_shim.h"

#define MAGIC	"rblkvote"
#define FORMAT		1
#define FORMAT_ACKS	2	/* of a record with acks */

struct disk_slot {
	u8 magic[8];
	__le16 format;
	u8 node;
	u8 primary;
	__le32 reserved;
	__le64 serial;
	u8 instance[RBLK_ARBITER_ID_BYTES];
	u8 resource[RBLK_ARBITER_ID_BYTES];
	__le64 promised;
	__le64 accepted;
	__le64 version;
	__le64 gen;
	__le64 term;
	__le16 insync;
	__le16 fenced;
	__le16 voters;
	__le16 voters_before;
	u8 idle;
	u8 acks;		/* format 2 */
	u8 holder;		/* format 2 */
	u8 rest[401];
	__le32 crc;
} __packed;

static_assert(sizeof(struct disk_slot) == RBLK_ARBITER_SLOT_BYTES);
static_assert(offsetof(struct disk_slot, instance) == 24);
static_assert(offsetof(struct disk_slot, promised) == 56);
static_assert(offsetof(struct disk_slot, crc) == 508);

static const char *const errors[__RBLK_ARBITER_SLOT_END] = {
	[RBLK_ARBITER_SLOT_OK] = "good",
	[RBLK_ARBITER_SLOT_ABSENT] = "missing, or cut short",
	[RBLK_ARBITER_SLOT_VERSION] = "of a format that this version does not know",
	[RBLK_ARBITER_SLOT_DAMAGED] = "damaged: its checksum differs",
	[RBLK_ARBITER_SLOT_FOREIGN] =
		"not this node's: restored, or copied from another node or resource",
	[RBLK_ARBITER_SLOT_INVALID] = "impossible",
};

const char *rblk_arbiter_slot_strerror(enum rblk_arbiter_slot err)
{
	return err < __RBLK_ARBITER_SLOT_END ? errors[err] : "?";
}

static u32 crc_of(const struct disk_slot *disk)
{
	return ~crc32c(~0U, disk, offsetof(struct disk_slot, crc));
}

void rblk_arbiter_slot_put(uint8_t *slot, const struct rblk_arbiter_owner *owner,
			   uint64_t serial, const struct rblk_arbiter_store *store)
{
	const struct rblk_arbiter_record *r = &store->record;
	struct disk_slot disk = {
		.format = cpu_to_le16(r->acks ? FORMAT_ACKS : FORMAT),
		.node = owner->node,
		.primary = r->primary,
		.serial = cpu_to_le64(serial),
		.promised = cpu_to_le64(store->promised),
		.accepted = cpu_to_le64(store->accepted),
		.version = cpu_to_le64(r->version),
		.gen = cpu_to_le64(r->gen),
		.term = cpu_to_le64(r->term),
		.insync = cpu_to_le16(r->insync),
		.fenced = cpu_to_le16(r->fenced),
		.voters = cpu_to_le16(r->voters),
		.voters_before = cpu_to_le16(r->voters_before),
		.idle = r->idle,
		.acks = r->acks,
		.holder = r->holder,
	};

	memcpy(disk.magic, MAGIC, sizeof(disk.magic));
	memcpy(disk.instance, owner->instance, sizeof(disk.instance));
	memcpy(disk.resource, owner->resource, sizeof(disk.resource));
	disk.crc = cpu_to_le32(crc_of(&disk));
	memcpy(slot, &disk, sizeof(disk));
}

static bool is_own(const struct disk_slot *disk,
		   const struct rblk_arbiter_owner *owner)
{
	return disk->node == owner->node &&
	       !memcmp(disk->resource, owner->resource, sizeof(disk->resource)) &&
	       (!memcmp(disk->instance, owner->instance,
			sizeof(disk->instance)) ||
		!memcmp(disk->instance, owner->instance_before,
			sizeof(disk->instance)));
}

static bool is_possible(const struct disk_slot *disk,
			const struct rblk_arbiter_store *store)
{
	size_t i;

	for (i = 0; i < sizeof(disk->rest); i++)
		if (disk->rest[i])
			return false;
	/* What the older format can say is said in it. */
	if (!disk->acks != (le16_to_cpu(disk->format) == FORMAT))
		return false;
	return !disk->reserved && disk->idle <= 1 && store->accepted <= store->promised &&
	       rblk_arbiter_record_is_valid(&store->record);
}

enum rblk_arbiter_slot
rblk_arbiter_slot_get(const uint8_t *slot, size_t bytes,
		      const struct rblk_arbiter_owner *owner, uint64_t *serial,
		      struct rblk_arbiter_store *store)
{
	struct rblk_arbiter_store found;
	struct disk_slot disk;

	if (bytes < sizeof(disk))
		return RBLK_ARBITER_SLOT_ABSENT;
	memcpy(&disk, slot, sizeof(disk));
	if (memcmp(disk.magic, MAGIC, sizeof(disk.magic)))
		return RBLK_ARBITER_SLOT_ABSENT;
	if (le32_to_cpu(disk.crc) != crc_of(&disk))
		return RBLK_ARBITER_SLOT_DAMAGED;
	if (le16_to_cpu(disk.format) != FORMAT && le16_to_cpu(disk.format) != FORMAT_ACKS)
		return RBLK_ARBITER_SLOT_VERSION;
	if (!is_own(&disk, owner))
		return RBLK_ARBITER_SLOT_FOREIGN;
	memset(&found, 0, sizeof(found));
	found.promised = le64_to_cpu(disk.promised);
	found.accepted = le64_to_cpu(disk.accepted);
	found.record.version = le64_to_cpu(disk.version);
	found.record.gen = le64_to_cpu(disk.gen);
	found.record.term = le64_to_cpu(disk.term);
	found.record.primary = disk.primary;
	found.record.insync = le16_to_cpu(disk.insync);
	found.record.fenced = le16_to_cpu(disk.fenced);
	found.record.voters = le16_to_cpu(disk.voters);
	found.record.voters_before = le16_to_cpu(disk.voters_before);
	found.record.idle = disk.idle;
	found.record.acks = disk.acks;
	found.record.holder = disk.holder;
	if (!is_possible(&disk, &found))
		return RBLK_ARBITER_SLOT_INVALID;
	*serial = le64_to_cpu(disk.serial);
	*store = found;
	return RBLK_ARBITER_SLOT_OK;
}

enum rblk_arbiter_slot
rblk_arbiter_store_get(const uint8_t *slots, size_t bytes,
		       const struct rblk_arbiter_owner *owner, uint64_t *serial,
		       struct rblk_arbiter_store *store)
{
	enum rblk_arbiter_slot err[2], worst = RBLK_ARBITER_SLOT_ABSENT;
	struct rblk_arbiter_store in[2];
	u64 serial_of[2];
	int i, newer = -1;

	for (i = 0; i < 2; i++) {
		size_t at = i * RBLK_ARBITER_SLOT_BYTES;

		err[i] = rblk_arbiter_slot_get(slots + min(at, bytes),
					       bytes - min(at, bytes), owner,
					       (uint64_t *)&serial_of[i], &in[i]);
		if (err[i] == RBLK_ARBITER_SLOT_OK && serial_of[i] % 2 != (u64)i)
			err[i] = RBLK_ARBITER_SLOT_INVALID;
		if (err[i] == RBLK_ARBITER_SLOT_VERSION ||
		    err[i] == RBLK_ARBITER_SLOT_FOREIGN ||
		    err[i] == RBLK_ARBITER_SLOT_INVALID)
			return err[i];
		if (err[i] == RBLK_ARBITER_SLOT_OK &&
		    (newer < 0 || serial_of[i] > serial_of[newer]))
			newer = i;
		worst = max(worst, err[i]);
	}
	if (newer < 0)
		return worst;
	*serial = serial_of[newer];
	*store = in[newer];
	return RBLK_ARBITER_SLOT_OK;
}
