// SPDX-License-Identifier: GPL-2.0
/*
 * ondisk.c - the metadata of a volume, as blocks and as native values.
 */
#include "ondisk.h"

#define MAGIC		"rblkmeta"
#define CRC_AT		60

/* At the start of every block. */
struct rblk_disk_head {
	u8 magic[8];
	__le16 version;
	__le16 kind;
	__le32 reserved;
	__le64 serial;
	__le64 place;
	u8 member[RBLK_UUID_SIZE];
	u8 reserved2[12];
	__le32 crc;
} __packed;

enum kind {
	KIND_SUPER = 1,
	KIND_POSITION,
	KIND_TRANSACTION,
	KIND_INDEX,
	KIND_MAP,
};

struct rblk_disk_term {
	__le64 gen;
	__le64 first_seq;
} __packed;

struct rblk_disk_slot {
	u8 node;
	u8 state;
	u8 reserved[6];
} __packed;

struct rblk_disk_seen {
	__le64 gen;
	__le64 serial;
} __packed;

#define FLAG_CLEAN	(1U << 0)
#define FLAG_LED	(1U << 1)
#define FLAGS_ALL	(FLAG_CLEAN | FLAG_LED)

struct rblk_disk_super {
	struct rblk_disk_head head;
	u8 set[RBLK_UUID_SIZE];
	u8 name[RBLK_NAME_SIZE];
	u8 node_id;
	u8 volume;
	u8 layout;
	u8 data;
	u8 in_sync;
	u8 bit_shift;
	u8 extent_shift;
	u8 reserved;
	__le32 flags;
	__le32 nr_terms;
	__le64 promised;
	__le64 seq;
	__le64 disk_bytes;
	__le64 meta_bytes;
	__le64 data_at;
	__le64 data_bytes;
	__le64 ring_at;
	__le64 bitmap_at;
	__le64 slot_bytes;
	__le32 ring_blocks;
	__le32 reserved2;
	__le64 created_s;
	struct rblk_disk_slot slot[RBLK_ONDISK_SLOTS];
	struct rblk_disk_term term[RBLK_LINEAGE_MAX];
	struct rblk_disk_seen seen;
	__le64 since_s[RBLK_LINEAGE_MAX];
	u8 rest[2944];
} __packed;

struct rblk_disk_position {
	struct rblk_disk_head head;
	__le64 base;
	__le64 seq;
	struct rblk_disk_seen seen;
	u8 rest[4000];
} __packed;

struct rblk_disk_update {
	__le16 slot;
	__le16 reserved;
	__le32 extent;
} __packed;

struct rblk_disk_transaction {
	struct rblk_disk_head head;
	__le16 nr_slots;
	__le16 context_first;
	__le16 nr_updates;
	__le16 nr_context;
	struct rblk_disk_update update[RBLK_ONDISK_UPDATES];
	__le32 context[RBLK_ONDISK_CONTEXT];
	__le64 gen;
	__le64 past_base[RBLK_MAX_NODES];	/* one above it; 0: none */
	struct rblk_disk_seen past[RBLK_ONDISK_PAST];
	u8 rest[48];
} __packed;

struct rblk_disk_bits {
	struct rblk_disk_head head;
	u8 bits[RBLK_ONDISK_BODY];
} __packed;

static_assert(sizeof(struct rblk_disk_head) == 64);
static_assert(offsetof(struct rblk_disk_head, crc) == CRC_AT);
static_assert(sizeof(struct rblk_disk_super) == RBLK_ONDISK_BLOCK);
static_assert(sizeof(struct rblk_disk_position) == RBLK_ONDISK_BLOCK);
static_assert(sizeof(struct rblk_disk_transaction) == RBLK_ONDISK_BLOCK);
static_assert(sizeof(struct rblk_disk_bits) == RBLK_ONDISK_BLOCK);
static_assert(offsetof(struct rblk_disk_super, set) == 64);
static_assert(offsetof(struct rblk_disk_super, node_id) == 144);
static_assert(offsetof(struct rblk_disk_super, flags) == 152);
static_assert(offsetof(struct rblk_disk_super, slot) == 248);
static_assert(offsetof(struct rblk_disk_super, term) == 368);
static_assert(offsetof(struct rblk_disk_super, seen) == 880);
static_assert(offsetof(struct rblk_disk_super, since_s) == 896);

static const char * const errors[__RBLK_ONDISK_END] = {
	[RBLK_ONDISK_OK] = "good",
	[RBLK_ONDISK_ABSENT] = "no rblk metadata",
	[RBLK_ONDISK_VERSION_UNKNOWN] = "rblk metadata of a version that this one does not know",
	[RBLK_ONDISK_DAMAGED] = "damaged rblk metadata: its checksum differs",
	[RBLK_ONDISK_MISPLACED] = "rblk metadata of another place: the disk was resized",
	[RBLK_ONDISK_FOREIGN] = "a block of other rblk metadata",
	[RBLK_ONDISK_INVALID] = "impossible rblk metadata",
	[RBLK_ONDISK_CLASH] = "two superblocks that contradict each other",
	[RBLK_ONDISK_TOO_SMALL] = "too small for rblk metadata and data",
};

const char *rblk_ondisk_strerror(enum rblk_ondisk_error err)
{
	return err < __RBLK_ONDISK_END ? errors[err] : "?";
}

/* ---- geometry */

static u64 div_up(u64 value, u64 by_shift)
{
	return (value >> by_shift) + !!(value & ((1ULL << by_shift) - 1));
}

static u64 align_down(u64 value, u64 align)
{
	return value & ~(align - 1);
}

static u64 blocks_for(u64 bits)
{
	return div_u64(bits + RBLK_ONDISK_BODY_BITS - 1,
		       RBLK_ONDISK_BODY_BITS);
}

/*
 * Bitmaps are made for all of the disk, so that a volume may be smaller at
 * first and grow later without moving anything.
 */
u64 rblk_ondisk_map_blocks(const struct rblk_geometry *geo)
{
	return blocks_for(div_up(geo->disk_bytes, geo->bit_shift));
}

u64 rblk_ondisk_index_blocks(const struct rblk_geometry *geo)
{
	return blocks_for(rblk_ondisk_map_blocks(geo));
}

u64 rblk_ondisk_head_at(u8 layout, u64 bytes)
{
	if (bytes < RBLK_ONDISK_HEAD_BYTES || bytes > RBLK_ONDISK_BYTES_MAX)
		return U64_MAX;
	if (layout != RBLK_METADATA_END)
		return 0;
	return align_down(bytes, RBLK_ONDISK_BLOCK) - RBLK_ONDISK_HEAD_BYTES;
}

u8 rblk_ondisk_extent_shift(u64 bytes)
{
	u8 shift = RBLK_ONDISK_EXTENT_SHIFT;

	while (shift < RBLK_ONDISK_EXTENT_SHIFT_BIG &&
	       (bytes - 1) >> shift >= RBLK_ONDISK_ACTIVE_MAX)
		shift++;
	return shift;
}

static bool may_lay_out(const struct rblk_geometry *geo)
{
	if (geo->layout != RBLK_METADATA_START &&
	    geo->layout != RBLK_METADATA_END &&
	    geo->layout != RBLK_METADATA_APART)
		return false;
	if (geo->layout != RBLK_METADATA_APART &&
	    geo->meta_bytes != geo->disk_bytes)
		return false;
	return geo->bit_shift >= RBLK_ONDISK_BIT_SHIFT_MIN &&
	       geo->bit_shift <= RBLK_ONDISK_BIT_SHIFT_MAX &&
	       geo->extent_shift >= RBLK_ONDISK_EXTENT_SHIFT_MIN &&
	       geo->extent_shift <= RBLK_ONDISK_EXTENT_SHIFT_MAX &&
	       geo->ring_blocks >= RBLK_ONDISK_RING_MIN &&
	       geo->ring_blocks <= RBLK_ONDISK_RING_MAX &&
	       geo->disk_bytes <= RBLK_ONDISK_BYTES_MAX &&
	       geo->meta_bytes <= RBLK_ONDISK_BYTES_MAX &&
	       geo->disk_bytes >> geo->extent_shift < RBLK_ONDISK_NO_EXTENT &&
	       !(geo->data_bytes & (RBLK_ONDISK_BLOCK - 1));
}

enum rblk_ondisk_error rblk_ondisk_lay_out(struct rblk_geometry *geo)
{
	u64 ring, area, room;

	if (!may_lay_out(geo))
		return RBLK_ONDISK_INVALID;
	geo->slot_bytes = (rblk_ondisk_map_blocks(geo) +
			   rblk_ondisk_index_blocks(geo)) * RBLK_ONDISK_BLOCK;
	ring = (u64)geo->ring_blocks * RBLK_ONDISK_BLOCK;
	area = RBLK_ONDISK_HEAD_BYTES + ring +
	       RBLK_ONDISK_SLOTS * geo->slot_bytes;
	if (area + RBLK_ONDISK_ALIGN > geo->meta_bytes &&
	    geo->layout != RBLK_METADATA_APART)
		return RBLK_ONDISK_TOO_SMALL;
	if (area > geo->meta_bytes)
		return RBLK_ONDISK_TOO_SMALL;

	geo->head_at = rblk_ondisk_head_at(geo->layout, geo->meta_bytes);
	geo->ring_at = geo->head_at + RBLK_ONDISK_HEAD_BYTES;
	geo->data_at = 0;
	room = geo->disk_bytes;
	if (geo->layout == RBLK_METADATA_START) {
		geo->data_at = align_down(area + RBLK_ONDISK_ALIGN - 1,
					  RBLK_ONDISK_ALIGN);
		room -= min(room, geo->data_at);
	} else if (geo->layout == RBLK_METADATA_END) {
		/* The superblocks come last: only their place must be known. */
		geo->ring_at = geo->head_at - ring;
	}
	geo->bitmap_at = geo->ring_at + ring;
	if (geo->layout == RBLK_METADATA_END) {
		geo->bitmap_at = geo->ring_at -
				 RBLK_ONDISK_SLOTS * geo->slot_bytes;
		room = geo->bitmap_at;
	}
	room = align_down(room, RBLK_ONDISK_BLOCK);
	if (!geo->data_bytes)
		geo->data_bytes = room;
	if (!room || geo->data_bytes > room)
		return RBLK_ONDISK_TOO_SMALL;
	return RBLK_ONDISK_OK;
}

/* ---- heads */

static u32 block_crc(const void *block)
{
	u32 crc = crc32c(~0U, block, CRC_AT);

	return ~crc32c(crc, block + sizeof(struct rblk_disk_head),
		       RBLK_ONDISK_BODY);
}

/* Last: the body is complete. */
static void put_head(void *block, enum kind kind, u64 serial, u64 place,
		     const u8 *member)
{
	struct rblk_disk_head *head = block;

	memset(head, 0, sizeof(*head));
	memcpy(head->magic, MAGIC, sizeof(head->magic));
	head->version = cpu_to_le16(RBLK_ONDISK_VERSION);
	head->kind = cpu_to_le16(kind);
	head->serial = cpu_to_le64(serial);
	head->place = cpu_to_le64(place);
	memcpy(head->member, member, sizeof(head->member));
	head->crc = cpu_to_le32(block_crc(block));
}

static bool is_zero(const void *bytes, size_t size)
{
	const u8 *byte = bytes;

	while (size--)
		if (*byte++)
			return false;
	return true;
}

static enum rblk_ondisk_error get_head(const void *block, enum kind kind,
				       u64 place, const u8 *member)
{
	const struct rblk_disk_head *head = block;

	if (memcmp(head->magic, MAGIC, sizeof(head->magic)))
		return RBLK_ONDISK_ABSENT;
	/* Another version may keep its checksum elsewhere. */
	if (le16_to_cpu(head->version) != RBLK_ONDISK_VERSION)
		return RBLK_ONDISK_VERSION_UNKNOWN;
	if (le32_to_cpu(head->crc) != block_crc(block))
		return RBLK_ONDISK_DAMAGED;
	if (le16_to_cpu(head->kind) != kind ||
	    (member && memcmp(head->member, member, sizeof(head->member))))
		return RBLK_ONDISK_FOREIGN;
	if (le64_to_cpu(head->place) != place)
		return RBLK_ONDISK_MISPLACED;
	if (head->reserved || !is_zero(head->reserved2, sizeof(head->reserved2)))
		return RBLK_ONDISK_INVALID;
	return RBLK_ONDISK_OK;
}

/* ---- what a backup saw of a primary's activity log */

static struct rblk_disk_seen put_seen(const struct rblk_seen *seen)
{
	return (struct rblk_disk_seen) {
		.gen = cpu_to_le64(seen->gen),
		.serial = cpu_to_le64(seen->serial),
	};
}

static bool get_seen(const struct rblk_disk_seen *disk, struct rblk_seen *seen)
{
	seen->gen = le64_to_cpu(disk->gen);
	seen->serial = le64_to_cpu(disk->serial);
	return seen->gen || !seen->serial;
}

/* ---- superblocks */

static void put_record(struct rblk_disk_super *disk,
		       const struct rblk_record *record)
{
	const struct rblk_lineage *lineage = &record->lineage;
	u32 i;

	disk->data = record->data;
	disk->in_sync = record->in_sync;
	disk->flags = cpu_to_le32((record->clean ? FLAG_CLEAN : 0) |
				  (record->led ? FLAG_LED : 0));
	disk->promised = cpu_to_le64(record->promised);
	disk->nr_terms = cpu_to_le32(lineage->nr_terms);
	disk->seq = cpu_to_le64(lineage->seq);
	for (i = 0; i < lineage->nr_terms; i++) {
		disk->term[i].gen = cpu_to_le64(lineage->term[i].gen);
		disk->term[i].first_seq =
			cpu_to_le64(lineage->term[i].first_seq);
		disk->since_s[i] = cpu_to_le64(lineage->term[i].since_s);
	}
}

static void put_geometry(struct rblk_disk_super *disk,
			 const struct rblk_geometry *geo)
{
	disk->layout = geo->layout;
	disk->bit_shift = geo->bit_shift;
	disk->extent_shift = geo->extent_shift;
	disk->ring_blocks = cpu_to_le32(geo->ring_blocks);
	disk->disk_bytes = cpu_to_le64(geo->disk_bytes);
	disk->meta_bytes = cpu_to_le64(geo->meta_bytes);
	disk->data_at = cpu_to_le64(geo->data_at);
	disk->data_bytes = cpu_to_le64(geo->data_bytes);
	disk->ring_at = cpu_to_le64(geo->ring_at);
	disk->bitmap_at = cpu_to_le64(geo->bitmap_at);
	disk->slot_bytes = cpu_to_le64(geo->slot_bytes);
}

void rblk_ondisk_put_super(void *block, const struct rblk_ondisk_super *super,
			   unsigned int copy)
{
	struct rblk_disk_super *disk = block;
	u32 i;

	memset(disk, 0, sizeof(*disk));
	memcpy(disk->set, super->set, sizeof(disk->set));
	memcpy(disk->name, super->name,
	       strnlen(super->name, sizeof(disk->name) - 1));
	disk->node_id = super->node_id;
	disk->volume = super->volume;
	disk->created_s = cpu_to_le64(super->created_s);
	put_geometry(disk, &super->geo);
	put_record(disk, &super->record);
	disk->seen = put_seen(&super->seen);
	for (i = 0; i < RBLK_ONDISK_SLOTS; i++) {
		disk->slot[i].node = super->slot[i].node;
		disk->slot[i].state = super->slot[i].state;
	}
	put_head(block, KIND_SUPER, super->record.serial,
		 rblk_ondisk_super_at(super->geo.head_at, copy),
		 super->member);
}

static bool get_name(const struct rblk_disk_super *disk, char *name)
{
	size_t length = strnlen((const char *)disk->name, RBLK_NAME_SIZE);
	size_t i;

	if (!length || length == RBLK_NAME_SIZE ||
	    !is_zero(disk->name + length, RBLK_NAME_SIZE - length))
		return false;
	for (i = 0; i < length; i++) {
		u8 c = disk->name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '_' &&
		    (!i || (c != '.' && c != '-')))
			return false;
	}
	memcpy(name, disk->name, RBLK_NAME_SIZE);
	return true;
}

/*
 * The position may be below the last terms: the history is written when it is
 * agreed on, the position as what it names arrives.
 */
static bool is_valid_history(const struct rblk_lineage *lineage)
{
	struct rblk_lineage whole = *lineage;

	if (whole.nr_terms)
		whole.seq = max(whole.seq,
				whole.term[whole.nr_terms - 1].first_seq - 1);
	return rblk_lineage_is_valid(&whole);
}

static bool get_record(const struct rblk_disk_super *disk,
		       struct rblk_record *record)
{
	struct rblk_lineage *lineage = &record->lineage;
	u32 flags = le32_to_cpu(disk->flags);
	u32 i;

	record->serial = le64_to_cpu(disk->head.serial);
	record->promised = le64_to_cpu(disk->promised);
	record->data = disk->data;
	record->in_sync = disk->in_sync;
	record->clean = flags & FLAG_CLEAN;
	record->led = flags & FLAG_LED;
	lineage->nr_terms = le32_to_cpu(disk->nr_terms);
	lineage->seq = le64_to_cpu(disk->seq);
	if (flags & ~FLAGS_ALL || lineage->nr_terms > RBLK_LINEAGE_MAX ||
	    record->data > RBLK_DATA_INCONSISTENT ||
	    record->in_sync >= __RBLK_IN_SYNC_END || !record->serial)
		return false;
	for (i = 0; i < lineage->nr_terms; i++) {
		lineage->term[i].gen = le64_to_cpu(disk->term[i].gen);
		lineage->term[i].first_seq =
			le64_to_cpu(disk->term[i].first_seq);
		lineage->term[i].since_s = le64_to_cpu(disk->since_s[i]);
	}
	if (!is_zero(&disk->term[i], (RBLK_LINEAGE_MAX - i) *
		     sizeof(disk->term[0])) ||
	    !is_zero(&disk->since_s[i], (RBLK_LINEAGE_MAX - i) *
		     sizeof(disk->since_s[0])))
		return false;
	/* A history goes with data, and is never above the promise. */
	if (!is_valid_history(lineage) ||
	    (record->data == RBLK_DATA_CONSISTENT && !i) ||
	    (record->data == RBLK_DATA_NEW && i))
		return false;
	return !i || lineage->term[i - 1].gen <= record->promised;
}

/* What is stored must be what the first seven values lead to. */
static bool get_geometry(const struct rblk_disk_super *disk,
			 struct rblk_geometry *geo)
{
	geo->layout = disk->layout;
	geo->bit_shift = disk->bit_shift;
	geo->extent_shift = disk->extent_shift;
	geo->ring_blocks = le32_to_cpu(disk->ring_blocks);
	geo->disk_bytes = le64_to_cpu(disk->disk_bytes);
	geo->meta_bytes = le64_to_cpu(disk->meta_bytes);
	geo->data_bytes = le64_to_cpu(disk->data_bytes);
	if (!geo->data_bytes || rblk_ondisk_lay_out(geo))
		return false;
	return geo->data_at == le64_to_cpu(disk->data_at) &&
	       geo->ring_at == le64_to_cpu(disk->ring_at) &&
	       geo->bitmap_at == le64_to_cpu(disk->bitmap_at) &&
	       geo->slot_bytes == le64_to_cpu(disk->slot_bytes);
}

static bool get_slots(const struct rblk_disk_super *disk,
		      struct rblk_slot *slot)
{
	u16 seen = 0;
	u32 i;

	for (i = 0; i < RBLK_ONDISK_SLOTS; i++) {
		slot[i].node = disk->slot[i].node;
		slot[i].state = disk->slot[i].state;
		if (slot[i].state >= __RBLK_SLOT_END ||
		    slot[i].node >= RBLK_MAX_NODES ||
		    !is_zero(disk->slot[i].reserved,
			     sizeof(disk->slot[i].reserved)))
			return false;
		if (slot[i].state == RBLK_SLOT_FREE) {
			if (slot[i].node)
				return false;
			continue;
		}
		if (slot[i].node == disk->node_id ||
		    seen & 1U << slot[i].node)
			return false;
		seen |= 1U << slot[i].node;
	}
	return true;
}

enum rblk_ondisk_error rblk_ondisk_get_super(const void *block, u64 place,
					     struct rblk_ondisk_super *super)
{
	const struct rblk_disk_super *disk = block;
	enum rblk_ondisk_error err = get_head(block, KIND_SUPER, place, NULL);

	if (err)
		return err;
	memset(super, 0, sizeof(*super));
	memcpy(super->set, disk->set, sizeof(super->set));
	memcpy(super->member, disk->head.member, sizeof(super->member));
	super->node_id = disk->node_id;
	super->volume = disk->volume;
	super->created_s = le64_to_cpu(disk->created_s);
	if (super->node_id >= RBLK_MAX_NODES ||
	    super->volume >= RBLK_MAX_VOLUMES || disk->reserved ||
	    disk->reserved2 || !is_zero(disk->rest, sizeof(disk->rest)) ||
	    !get_name(disk, super->name) ||
	    !get_geometry(disk, &super->geo) ||
	    !get_record(disk, &super->record) ||
	    !get_slots(disk, super->slot) ||
	    !get_seen(&disk->seen, &super->seen))
		return RBLK_ONDISK_INVALID;
	if (place != rblk_ondisk_super_at(super->geo.head_at, 0) &&
	    place != rblk_ondisk_super_at(super->geo.head_at, 1))
		return RBLK_ONDISK_MISPLACED;
	return RBLK_ONDISK_OK;
}

/* What a change of the record never changes. */
static bool same_disk(const struct rblk_ondisk_super *a,
		      const struct rblk_ondisk_super *b)
{
	return !memcmp(a->member, b->member, sizeof(a->member)) &&
	       !memcmp(a->set, b->set, sizeof(a->set)) &&
	       a->node_id == b->node_id && a->volume == b->volume &&
	       a->geo.head_at == b->geo.head_at;
}

static bool same_record(const struct rblk_record *a,
			const struct rblk_record *b)
{
	u32 i;

	if (a->promised != b->promised || a->data != b->data ||
	    a->in_sync != b->in_sync || a->clean != b->clean ||
	    a->led != b->led || a->lineage.seq != b->lineage.seq ||
	    a->lineage.nr_terms != b->lineage.nr_terms)
		return false;
	for (i = 0; i < a->lineage.nr_terms; i++)
		if (a->lineage.term[i].gen != b->lineage.term[i].gen ||
		    a->lineage.term[i].first_seq !=
		    b->lineage.term[i].first_seq ||
		    a->lineage.term[i].since_s != b->lineage.term[i].since_s)
			return false;
	return true;
}

enum rblk_ondisk_error
rblk_ondisk_pick_super(const enum rblk_ondisk_error err[2],
		       const struct rblk_ondisk_super *super[2],
		       unsigned int *pick)
{
	u64 serial[2];

	/* Another version's word may be newer than anything said here. */
	if (err[0] == RBLK_ONDISK_VERSION_UNKNOWN ||
	    err[1] == RBLK_ONDISK_VERSION_UNKNOWN)
		return RBLK_ONDISK_VERSION_UNKNOWN;
	if (err[0] && err[1])
		return err[0] != RBLK_ONDISK_ABSENT ? err[0] : err[1];
	if (err[0] || err[1]) {
		*pick = err[0] ? 1 : 0;
		return RBLK_ONDISK_OK;
	}
	serial[0] = super[0]->record.serial;
	serial[1] = super[1]->record.serial;
	if (!same_disk(super[0], super[1]) ||
	    (serial[0] == serial[1] &&
	     (!same_record(&super[0]->record, &super[1]->record) ||
	      super[0]->seen.gen != super[1]->seen.gen ||
	      super[0]->seen.serial != super[1]->seen.serial)))
		return RBLK_ONDISK_CLASH;
	*pick = serial[1] > serial[0];
	return RBLK_ONDISK_OK;
}

/* ---- positions */

void rblk_ondisk_put_position(void *block, u64 place,
			      const u8 member[RBLK_UUID_SIZE],
			      const struct rblk_position *position)
{
	struct rblk_disk_position *disk = block;

	memset(disk, 0, sizeof(*disk));
	disk->base = cpu_to_le64(position->base);
	disk->seq = cpu_to_le64(position->seq);
	disk->seen = put_seen(&position->seen);
	put_head(block, KIND_POSITION, position->serial, place, member);
}

enum rblk_ondisk_error
rblk_ondisk_get_position(const void *block, u64 place,
			 const u8 member[RBLK_UUID_SIZE],
			 struct rblk_position *position)
{
	const struct rblk_disk_position *disk = block;
	enum rblk_ondisk_error err;

	err = get_head(block, KIND_POSITION, place, member);
	if (err)
		return err;
	position->serial = le64_to_cpu(disk->head.serial);
	position->base = le64_to_cpu(disk->base);
	position->seq = le64_to_cpu(disk->seq);
	if (!position->serial || position->seq == U64_MAX ||
	    !get_seen(&disk->seen, &position->seen) ||
	    !is_zero(disk->rest, sizeof(disk->rest)))
		return RBLK_ONDISK_INVALID;
	return RBLK_ONDISK_OK;
}

/* ---- the activity log */

void rblk_ondisk_put_transaction(void *block, u64 place,
				 const u8 member[RBLK_UUID_SIZE],
				 const struct rblk_transaction *tx)
{
	struct rblk_disk_transaction *disk = block;
	u32 i;

	memset(disk, 0, sizeof(*disk));
	disk->nr_slots = cpu_to_le16(tx->nr_slots);
	disk->context_first = cpu_to_le16(tx->context_first);
	disk->nr_updates = cpu_to_le16(tx->nr_updates);
	disk->nr_context = cpu_to_le16(tx->nr_context);
	for (i = 0; i < tx->nr_updates; i++) {
		disk->update[i].slot = cpu_to_le16(tx->update[i].slot);
		disk->update[i].extent = cpu_to_le32(tx->update[i].extent);
	}
	for (i = 0; i < tx->nr_context; i++)
		disk->context[i] = cpu_to_le32(tx->context[i]);
	disk->gen = cpu_to_le64(tx->gen);
	for (i = 0; i < RBLK_MAX_NODES; i++)
		disk->past_base[i] = cpu_to_le64(tx->base[i] + 1);
	for (i = 0; i < RBLK_ONDISK_PAST; i++)
		disk->past[i] = put_seen(&tx->past[i]);
	put_head(block, KIND_TRANSACTION, tx->serial, place, member);
}

static bool is_valid_transaction(const struct rblk_disk_transaction *disk,
				 const struct rblk_transaction *tx)
{
	if (!tx->serial || !tx->nr_slots ||
	    tx->nr_slots > RBLK_ONDISK_ACTIVE_MAX ||
	    tx->nr_updates > RBLK_ONDISK_UPDATES ||
	    tx->nr_context > RBLK_ONDISK_CONTEXT ||
	    tx->context_first + tx->nr_context > tx->nr_slots)
		return false;
	return is_zero(disk->rest, sizeof(disk->rest)) &&
	       is_zero(&disk->update[tx->nr_updates],
		       (RBLK_ONDISK_UPDATES - tx->nr_updates) *
		       sizeof(disk->update[0])) &&
	       is_zero(&disk->context[tx->nr_context],
		       (RBLK_ONDISK_CONTEXT - tx->nr_context) *
		       sizeof(disk->context[0]));
}

enum rblk_ondisk_error
rblk_ondisk_get_transaction(const void *block, u64 place,
			    const u8 member[RBLK_UUID_SIZE],
			    struct rblk_transaction *tx)
{
	const struct rblk_disk_transaction *disk = block;
	enum rblk_ondisk_error err;
	u32 i;

	err = get_head(block, KIND_TRANSACTION, place, member);
	if (err)
		return err;
	memset(tx, 0, sizeof(*tx));
	tx->serial = le64_to_cpu(disk->head.serial);
	tx->nr_slots = le16_to_cpu(disk->nr_slots);
	tx->context_first = le16_to_cpu(disk->context_first);
	tx->nr_updates = le16_to_cpu(disk->nr_updates);
	tx->nr_context = le16_to_cpu(disk->nr_context);
	if (!is_valid_transaction(disk, tx))
		return RBLK_ONDISK_INVALID;
	for (i = 0; i < tx->nr_updates; i++) {
		tx->update[i].slot = le16_to_cpu(disk->update[i].slot);
		tx->update[i].extent = le32_to_cpu(disk->update[i].extent);
		if (disk->update[i].reserved ||
		    tx->update[i].slot >= tx->nr_slots)
			return RBLK_ONDISK_INVALID;
	}
	for (i = 0; i < tx->nr_context; i++)
		tx->context[i] = le32_to_cpu(disk->context[i]);
	tx->gen = le64_to_cpu(disk->gen);
	for (i = 0; i < RBLK_MAX_NODES; i++)
		tx->base[i] = le64_to_cpu(disk->past_base[i]) - 1;
	for (i = 0; i < RBLK_ONDISK_PAST; i++)
		if (!get_seen(&disk->past[i], &tx->past[i]))
			return RBLK_ONDISK_INVALID;
	return RBLK_ONDISK_OK;
}

/* ---- bitmaps */

static enum kind kind_of_bits(enum rblk_bits_kind kind)
{
	return kind == RBLK_BITS_INDEX ? KIND_INDEX : KIND_MAP;
}

void rblk_ondisk_put_bits(void *block, u64 place,
			  const u8 member[RBLK_UUID_SIZE],
			  enum rblk_bits_kind kind, const void *bits)
{
	struct rblk_disk_bits *disk = block;

	memcpy(disk->bits, bits, sizeof(disk->bits));
	put_head(block, kind_of_bits(kind), 0, place, member);
}

enum rblk_ondisk_error
rblk_ondisk_get_bits(const void *block, u64 place,
		     const u8 member[RBLK_UUID_SIZE],
		     enum rblk_bits_kind kind, void *bits)
{
	const struct rblk_disk_bits *disk = block;
	enum rblk_ondisk_error err;

	err = get_head(block, kind_of_bits(kind), place, member);
	if (err)
		return err;
	if (disk->head.serial)
		return RBLK_ONDISK_INVALID;
	memcpy(bits, disk->bits, sizeof(disk->bits));
	return RBLK_ONDISK_OK;
}
