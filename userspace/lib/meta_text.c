// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * meta_text.c - metadata for people, and as JSON that can be restored
 */
#include "meta.h"

#include "ident.h"
#include "kmsg.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const in_sync_names[] = { "unknown", "yes", "no" };
static const char *const slot_names[] = { "free", "clean", "bits", "full" };

const char *rblk_meta_layout_name(unsigned int layout)
{
	static const char *const names[] = { "none", "start", "end", "apart" };

	return layout < ARRAY_SIZE(names) ? names[layout] : "?";
}

static void show_bytes(FILE *to, const char *name, u64 bytes)
{
	char text[32];

	fprintf(to, "%-12s %llu (%s)\n", name, bytes,
		rblk_text_bytes(text, sizeof(text), bytes));
}

static void show_uuid(FILE *to, const char *name, const uint8_t *uuid)
{
	char hex[2 * RBLK_UUID_SIZE + 1];

	rblk_ident_hex(uuid, RBLK_UUID_SIZE, hex);
	fprintf(to, "%-12s %s\n", name, hex);
}

static void show_record(const struct rblk_meta_found *found, FILE *to)
{
	const struct rblk_record *r = &rblk_meta_super(found)->record;
	const struct rblk_lineage *l = &r->lineage;
	char when[32];
	uint32_t i;

	fprintf(to, "%-12s %llu\n", "serial", r->serial);
	fprintf(to, "%-12s %llu\n", "promised", r->promised);
	fprintf(to, "%-12s %s%s\n", "data", rblk_kmsg_data(r->data),
		r->data != RBLK_DATA_CONSISTENT ? "" : r->clean ?
		", clean" : r->led ?
		", not clean: was primary, or is" :
		", not clean: may hold more than the position says");
	fprintf(to, "%-12s %s\n", "in-sync", in_sync_names[r->in_sync]);
	fprintf(to, "%-12s %llu\n", "position", (u64)found->seq);
	for (i = 0; i < l->nr_terms; i++)
		fprintf(to, "%-12s generation %llu from %llu%s%s\n",
			i ? "" : "lineage", l->term[i].gen,
			l->term[i].first_seq, l->term[i].since_s ? ", " : "",
			rblk_text_time(when, sizeof(when), l->term[i].since_s));
}

static void show_slots(const struct rblk_ondisk_super *s, FILE *to)
{
	unsigned int i;

	for (i = 0; i < RBLK_ONDISK_SLOTS; i++)
		if (s->slot[i].state != RBLK_SLOT_FREE)
			fprintf(to, "bitmap %-5u node %u, %s\n", i,
				s->slot[i].node, slot_names[s->slot[i].state]);
}

void rblk_meta_show(const struct rblk_meta_found *found, FILE *to)
{
	const struct rblk_ondisk_super *s = rblk_meta_super(found);
	const struct rblk_geometry *g = &s->geo;
	char when[32];
	unsigned int i;

	fprintf(to, "%-12s %s\n", "resource", s->name);
	fprintf(to, "%-12s %u\n", "volume", s->volume);
	fprintf(to, "%-12s %u\n", "node", s->node_id);
	show_uuid(to, "set", s->set);
	show_uuid(to, "member", s->member);
	fprintf(to, "%-12s %s\n", "created",
		rblk_text_time(when, sizeof(when), s->created_s));
	fprintf(to, "%-12s %s\n", "layout", rblk_meta_layout_name(g->layout));
	show_bytes(to, "size", g->data_bytes);
	show_bytes(to, "data-at", g->data_at);
	show_bytes(to, "head-at", g->head_at);
	show_bytes(to, "ring-at", g->ring_at);
	show_bytes(to, "bitmap-at", g->bitmap_at);
	show_bytes(to, "bit", 1ULL << g->bit_shift);
	show_bytes(to, "extent", 1ULL << g->extent_shift);
	show_record(found, to);
	show_slots(s, to);
	for (i = 0; i < 2; i++)
		fprintf(to, "copy %u       %s%s\n", i,
			rblk_ondisk_strerror(found->err[i]),
			found->err[i] ? "" : i == found->pick ? ", holds" : "");
}

int rblk_meta_tell_whose(const char *path, char *buf, size_t size)
{
	const struct rblk_ondisk_super *s;
	struct rblk_meta_found found;
	struct rblk_meta_dev dev;
	char why[256];
	int rc = rblk_meta_open(&dev, path, false, why, sizeof(why));

	if (rc < 0)
		return rc;
	rc = rblk_meta_find(&dev, &found);
	rblk_meta_close(&dev);
	if (rc < 0 || found.verdict != RBLK_ONDISK_OK)
		return rc < 0 ? rc : -ENOENT;
	s = rblk_meta_super(&found);
	snprintf(buf, size, "it is of resource %s, volume %u, node %u, metadata = %s",
		 s->name, s->volume, s->node_id,
		 rblk_meta_layout_name(s->geo.layout));
	return 0;
}

/* ---- JSON */

static json_t *hex_json(const uint8_t *uuid)
{
	char hex[2 * RBLK_UUID_SIZE + 1];

	rblk_ident_hex(uuid, RBLK_UUID_SIZE, hex);
	return json_string(hex);
}

static json_t *record_json(const struct rblk_record *r)
{
	json_t *terms = json_array();
	uint32_t i;

	for (i = 0; i < r->lineage.nr_terms; i++)
		json_array_append_new(terms, json_pack("{s:I,s:I,s:I}",
			"generation", (json_int_t)r->lineage.term[i].gen,
			"first_seq",
			(json_int_t)r->lineage.term[i].first_seq,
			"since_s", (json_int_t)r->lineage.term[i].since_s));
	return json_pack("{s:I,s:I,s:i,s:i,s:b,s:b,s:I,s:o}",
			 "serial", (json_int_t)r->serial,
			 "promised", (json_int_t)r->promised,
			 "data", r->data, "in_sync", r->in_sync,
			 "clean", r->clean, "led", r->led,
			 "seq", (json_int_t)r->lineage.seq, "terms", terms);
}

json_t *rblk_meta_to_json(const struct rblk_ondisk_super *s)
{
	const struct rblk_geometry *g = &s->geo;
	json_t *geo;

	geo = json_pack("{s:s,s:i,s:i,s:I,s:I,s:I,s:I}",
			"layout", rblk_meta_layout_name(g->layout),
			"bit_shift", g->bit_shift,
			"extent_shift", g->extent_shift,
			"ring_blocks", (json_int_t)g->ring_blocks,
			"disk_bytes", (json_int_t)g->disk_bytes,
			"meta_bytes", (json_int_t)g->meta_bytes,
			"data_bytes", (json_int_t)g->data_bytes);
	return json_pack("{s:s,s:s,s:o,s:o,s:i,s:i,s:I,s:o,s:o}",
			 "schema", "rblk.md/1", "resource", s->name,
			 "set", hex_json(s->set), "member", hex_json(s->member),
			 "node", s->node_id, "volume", s->volume,
			 "created_s", (json_int_t)s->created_s,
			 "geometry", geo, "record", record_json(&s->record));
}

static bool get_hex(const json_t *top, const char *key, uint8_t *uuid)
{
	const char *hex = json_string_value(json_object_get(top, key));
	unsigned int i, byte;

	if (!hex || strlen(hex) != 2 * RBLK_UUID_SIZE ||
	    strspn(hex, "0123456789abcdef") != 2 * RBLK_UUID_SIZE)
		return false;
	for (i = 0; i < RBLK_UUID_SIZE; i++) {
		sscanf(hex + 2 * i, "%2x", &byte);
		uuid[i] = byte;
	}
	return true;
}

/* A whole number of @key, 0 to @max. */
static bool get_number(const json_t *top, const char *key, u64 max,
		       u64 *value)
{
	const json_t *number = json_object_get(top, key);

	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return false;
	*value = json_integer_value(number);
	return *value <= max;
}

static const char *get_geometry(const json_t *top, struct rblk_geometry *g)
{
	const char *layout = json_string_value(json_object_get(top, "layout"));
	u64 bit, extent, ring;
	unsigned int i;

	for (i = RBLK_METADATA_START; layout && i <= RBLK_METADATA_APART; i++)
		if (strcmp(layout, rblk_meta_layout_name(i)) == 0)
			g->layout = i;
	if (!g->layout)
		return "geometry: layout";
	if (!get_number(top, "bit_shift", 63, &bit) ||
	    !get_number(top, "extent_shift", 63, &extent) ||
	    !get_number(top, "ring_blocks", UINT32_MAX, &ring) ||
	    !get_number(top, "disk_bytes", INT64_MAX, &g->disk_bytes) ||
	    !get_number(top, "meta_bytes", INT64_MAX, &g->meta_bytes) ||
	    !get_number(top, "data_bytes", INT64_MAX, &g->data_bytes))
		return "geometry";
	g->bit_shift = bit;
	g->extent_shift = extent;
	g->ring_blocks = ring;
	return rblk_ondisk_lay_out(g) ? "geometry: it does not fit" : NULL;
}

static const char *get_record(const json_t *top, struct rblk_record *r)
{
	const json_t *terms = json_object_get(top, "terms");
	u64 data, in_sync;
	size_t i;

	if (!get_number(top, "serial", INT64_MAX, &r->serial) ||
	    !get_number(top, "promised", INT64_MAX, &r->promised) ||
	    !get_number(top, "data", 255, &data) ||
	    !get_number(top, "in_sync", 255, &in_sync) ||
	    !get_number(top, "seq", INT64_MAX, &r->lineage.seq) ||
	    json_array_size(terms) > RBLK_LINEAGE_MAX)
		return "record";
	r->data = data;
	r->in_sync = in_sync;
	r->clean = json_is_true(json_object_get(top, "clean"));
	r->led = json_is_true(json_object_get(top, "led"));
	r->lineage.nr_terms = json_array_size(terms);
	for (i = 0; i < r->lineage.nr_terms; i++) {
		const json_t *term = json_array_get(terms, i);

		if (!get_number(term, "generation", INT64_MAX,
				&r->lineage.term[i].gen) ||
		    !get_number(term, "first_seq", INT64_MAX,
				&r->lineage.term[i].first_seq) ||
		    (json_object_get(term, "since_s") &&
		     !get_number(term, "since_s", INT64_MAX,
				 &r->lineage.term[i].since_s)))
			return "record: terms";
	}
	return NULL;
}

const char *rblk_meta_from_json(const json_t *top,
				struct rblk_ondisk_super *super)
{
	const char *schema = json_string_value(json_object_get(top, "schema"));
	const char *name = json_string_value(json_object_get(top, "resource"));
	uint8_t block[RBLK_ONDISK_BLOCK];
	struct rblk_ondisk_super again;
	u64 node, volume;
	const char *wrong;

	memset(super, 0, sizeof(*super));
	if (!schema || strcmp(schema, "rblk.md/1") != 0)
		return "schema: not rblk.md/1";
	if (!name || !rblk_text_name_is_valid(name))
		return "resource";
	rblk_text_copy(super->name, sizeof(super->name), name);
	if (!get_hex(top, "set", super->set))
		return "set";
	if (!get_hex(top, "member", super->member))
		return "member";
	if (!get_number(top, "node", RBLK_MAX_NODES - 1, &node) ||
	    !get_number(top, "volume", RBLK_MAX_VOLUMES - 1, &volume) ||
	    !get_number(top, "created_s", INT64_MAX, &super->created_s))
		return "node, volume or created_s";
	super->node_id = node;
	super->volume = volume;
	wrong = get_geometry(json_object_get(top, "geometry"), &super->geo);
	if (!wrong)
		wrong = get_record(json_object_get(top, "record"),
				   &super->record);
	if (wrong)
		return wrong;
	/* the module's own judgement is the last word */
	rblk_ondisk_put_super(block, super, 0);
	return rblk_ondisk_get_super(block, super->geo.head_at, &again) ?
	       "values that contradict each other" : NULL;
}
