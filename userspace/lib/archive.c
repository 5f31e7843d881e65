// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * archive.c - the divergence archive: what a node held before its branch was
 * given up
 */
#include "archive.h"

#include "crc32c.h"
#include "text.h"

#include <endian.h>
#include <string.h>

#define SECTOR		512U

static const char magic[8] = "rblkfork";

struct disk_volume {
	uint8_t id;
	uint8_t zero[7];
	uint64_t bytes;
} __attribute__((packed));

struct disk_head {
	char magic[8];
	uint16_t version;
	uint16_t volumes;
	uint32_t crc;
	uint8_t set[RBLK_UUID_SIZE];
	char resource[RBLK_NAME_SIZE];
	char node[RBLK_NAME_SIZE];
	char winner[RBLK_NAME_SIZE];
	uint8_t node_id;
	uint8_t winner_id;
	uint8_t zero[6];
	uint64_t saved_s;
	uint64_t fork_seq;
	uint64_t fork_generation;
	uint64_t seq;
	uint64_t generation;
	uint8_t zero2[240];
	struct disk_volume volume[RBLK_MAX_VOLUMES];
	uint8_t zero3[RBLK_ARCHIVE_HEAD_BYTES - 1536];
} __attribute__((packed));

enum { KIND_DATA = 1, KIND_END = 2 };

struct disk_record {
	uint8_t kind;
	uint8_t volume;
	uint16_t zero;
	uint32_t bytes;
	uint64_t offset;	/* KIND_END: bytes of data in the archive */
	uint64_t number;
	uint32_t data_crc;
	uint32_t crc;
} __attribute__((packed));

_Static_assert(sizeof(struct disk_head) == RBLK_ARCHIVE_HEAD_BYTES, "head");
_Static_assert(offsetof(struct disk_head, volume) == 512, "volumes");
_Static_assert(sizeof(struct disk_record) == RBLK_ARCHIVE_RECORD_BYTES,
	       "record");

const char *rblk_archive_strerror(enum rblk_archive_error error)
{
	static const char *const texts[] = {
		[RBLK_ARCHIVE_OK] = "good",
		[RBLK_ARCHIVE_NONE] = "no divergence archive",
		[RBLK_ARCHIVE_NEWER] =
			"an archive of another version: use a newer rblk",
		[RBLK_ARCHIVE_DAMAGED] = "damaged: a checksum differs",
		[RBLK_ARCHIVE_IMPOSSIBLE] = "its content contradicts itself",
		[RBLK_ARCHIVE_SHORT] = "not whole: it ends too early",
		[RBLK_ARCHIVE_LONGER] = "something follows its end",
	};

	return texts[error];
}

/* Of the head, without its own checksum. */
static uint32_t head_crc(const struct disk_head *d)
{
	const uint8_t *bytes = (const uint8_t *)d;
	size_t at = offsetof(struct disk_head, crc);
	uint32_t crc = rblk_crc32c(~0U, bytes, at);

	at += sizeof(d->crc);
	return ~rblk_crc32c(crc, bytes + at, sizeof(*d) - at);
}

/* A record of another archive has the checksum of another head in it. */
static uint32_t record_crc(uint32_t seed, const struct disk_record *d)
{
	return ~rblk_crc32c(seed, d, offsetof(struct disk_record, crc));
}

static void begin(struct rblk_archive *a, uint32_t crc)
{
	a->seed = ~crc;
	a->records = 0;
	a->bytes = 0;
	a->at = 0;
	a->next = 0;
}

/* ---- writing */

void rblk_archive_put_head(struct rblk_archive *a, void *buf)
{
	const struct rblk_archive_head *h = &a->head;
	struct disk_head *d = buf;
	unsigned int i;
	uint32_t crc;

	memset(d, 0, sizeof(*d));
	memcpy(d->magic, magic, sizeof(magic));
	d->version = htole16(RBLK_ARCHIVE_VERSION);
	d->volumes = htole16(h->volumes_n);
	memcpy(d->set, h->set, sizeof(d->set));
	rblk_text_copy(d->resource, sizeof(d->resource), h->resource);
	rblk_text_copy(d->node, sizeof(d->node), h->node);
	rblk_text_copy(d->winner, sizeof(d->winner), h->winner);
	d->node_id = h->node_id;
	d->winner_id = h->winner_id;
	d->saved_s = htole64(h->saved_s);
	d->fork_seq = htole64(h->fork_seq);
	d->fork_generation = htole64(h->fork_generation);
	d->seq = htole64(h->seq);
	d->generation = htole64(h->generation);
	for (i = 0; i < h->volumes_n; i++) {
		d->volume[i].id = h->volumes[i].id;
		d->volume[i].bytes = htole64(h->volumes[i].bytes);
	}
	crc = head_crc(d);
	d->crc = htole32(crc);
	begin(a, crc);
}

static void put_record(struct rblk_archive *a, struct disk_record *d)
{
	d->number = htole64(a->records++);
	d->crc = htole32(record_crc(a->seed, d));
}

void rblk_archive_put_data(struct rblk_archive *a, void *buf, uint8_t volume,
			   uint64_t offset, const void *data, uint32_t bytes)
{
	struct disk_record *d = buf;

	*d = (struct disk_record){
		.kind = KIND_DATA,
		.volume = volume,
		.bytes = htole32(bytes),
		.offset = htole64(offset),
		.data_crc = htole32(~rblk_crc32c(~0U, data, bytes)),
	};
	put_record(a, d);
	a->bytes += bytes;
}

void rblk_archive_put_end(struct rblk_archive *a, void *buf)
{
	struct disk_record *d = buf;

	*d = (struct disk_record){
		.kind = KIND_END, .offset = htole64(a->bytes),
	};
	put_record(a, d);
}

static bool is_zero(const uint8_t *data, uint32_t bytes)
{
	return !bytes || (!data[0] && !memcmp(data, data + 1, bytes - 1));
}

static uint32_t block_at(uint32_t at, uint32_t size)
{
	return size - at < RBLK_ARCHIVE_BLOCK ? size - at : RBLK_ARCHIVE_BLOCK;
}

bool rblk_archive_next_run(const uint8_t *data, uint32_t size, uint32_t *at,
			   uint32_t *bytes)
{
	uint32_t end;

	while (*at < size && is_zero(data + *at, block_at(*at, size)))
		*at += block_at(*at, size);
	end = *at;
	while (end < size && !is_zero(data + end, block_at(end, size)))
		end += block_at(end, size);
	*bytes = end - *at;
	return *bytes;
}

/* ---- reading */

/* A name of ours, its end and zeroes behind it. */
static bool get_name(const char from[RBLK_NAME_SIZE], char to[RBLK_NAME_SIZE])
{
	size_t len = strnlen(from, RBLK_NAME_SIZE);

	if (len == RBLK_NAME_SIZE ||
	    !is_zero((const uint8_t *)from + len, RBLK_NAME_SIZE - len))
		return false;
	memcpy(to, from, RBLK_NAME_SIZE);
	return rblk_text_name_is_valid(to);
}

static bool get_volumes(const struct disk_head *d, struct rblk_archive_head *h)
{
	unsigned int i, n = le16toh(d->volumes);

	if (n < 1 || n > RBLK_MAX_VOLUMES ||
	    !is_zero((const uint8_t *)&d->volume[n],
		     (RBLK_MAX_VOLUMES - n) * sizeof(d->volume[0])))
		return false;
	h->volumes_n = n;
	for (i = 0; i < n; i++) {
		struct rblk_archive_volume *v = &h->volumes[i];

		v->id = d->volume[i].id;
		v->bytes = le64toh(d->volume[i].bytes);
		if (v->id >= RBLK_MAX_VOLUMES || !v->bytes ||
		    v->bytes % SECTOR || v->bytes > INT64_MAX ||
		    (i && v->id <= h->volumes[i - 1].id) ||
		    !is_zero(d->volume[i].zero, sizeof(d->volume[i].zero)))
			return false;
	}
	return true;
}

enum rblk_archive_error rblk_archive_get_head(struct rblk_archive *a,
					      const void *buf)
{
	struct rblk_archive_head *h = &a->head;
	const struct disk_head *d = buf;

	memset(a, 0, sizeof(*a));
	if (memcmp(d->magic, magic, sizeof(magic)) != 0)
		return RBLK_ARCHIVE_NONE;
	if (le16toh(d->version) != RBLK_ARCHIVE_VERSION)
		return RBLK_ARCHIVE_NEWER;
	if (le32toh(d->crc) != head_crc(d))
		return RBLK_ARCHIVE_DAMAGED;
	if (!get_name(d->resource, h->resource) || !get_name(d->node, h->node) ||
	    !get_name(d->winner, h->winner) || d->node_id >= RBLK_MAX_NODES ||
	    d->winner_id >= RBLK_MAX_NODES || d->node_id == d->winner_id ||
	    !is_zero(d->zero, sizeof(d->zero)) ||
	    !is_zero(d->zero2, sizeof(d->zero2)) ||
	    !is_zero(d->zero3, sizeof(d->zero3)) || !get_volumes(d, h))
		return RBLK_ARCHIVE_IMPOSSIBLE;
	memcpy(h->set, d->set, sizeof(h->set));
	h->node_id = d->node_id;
	h->winner_id = d->winner_id;
	h->saved_s = le64toh(d->saved_s);
	h->fork_seq = le64toh(d->fork_seq);
	h->fork_generation = le64toh(d->fork_generation);
	h->seq = le64toh(d->seq);
	h->generation = le64toh(d->generation);
	begin(a, le32toh(d->crc));
	return RBLK_ARCHIVE_OK;
}

/* Inside its volume, behind what came before. */
static bool follows(struct rblk_archive *a,
		    const struct rblk_archive_record *r)
{
	const struct rblk_archive_head *h = &a->head;
	unsigned int at = a->at;
	uint64_t next = a->next;

	while (at < h->volumes_n && h->volumes[at].id != r->volume) {
		at++;
		next = 0;
	}
	if (at == h->volumes_n || !r->bytes || r->bytes % SECTOR ||
	    r->bytes > RBLK_ARCHIVE_DATA_MAX || r->offset % SECTOR ||
	    r->offset < next || r->offset >= h->volumes[at].bytes ||
	    r->bytes > h->volumes[at].bytes - r->offset)
		return false;
	a->at = at;
	a->next = r->offset + r->bytes;
	return true;
}

enum rblk_archive_error
rblk_archive_get_record(struct rblk_archive *a, const void *buf,
			struct rblk_archive_record *r)
{
	const struct disk_record *d = buf;

	if (le32toh(d->crc) != record_crc(a->seed, d))
		return RBLK_ARCHIVE_DAMAGED;
	*r = (struct rblk_archive_record){
		.is_end = d->kind == KIND_END,
		.volume = d->volume,
		.bytes = le32toh(d->bytes),
		.offset = le64toh(d->offset),
		.data_crc = le32toh(d->data_crc),
	};
	if (le64toh(d->number) != a->records || d->zero ||
	    (d->kind != KIND_DATA && d->kind != KIND_END))
		return RBLK_ARCHIVE_IMPOSSIBLE;
	if (r->is_end ? d->volume || d->bytes || d->data_crc ||
			r->offset != a->bytes : !follows(a, r))
		return RBLK_ARCHIVE_IMPOSSIBLE;
	a->records++;
	a->bytes += r->bytes;
	return RBLK_ARCHIVE_OK;
}

bool rblk_archive_is_good(const struct rblk_archive_record *r,
			  const void *data)
{
	return r->data_crc == (uint32_t)~rblk_crc32c(~0U, data, r->bytes);
}
