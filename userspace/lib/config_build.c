// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_build.c - parsed sections to a struct rblk_config
 */
#include "config_build.h"

#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS	6000
#define ZERO_DETECT_DEFAULT	false

static void build_cluster(const struct rblk_builder *b, cfg_t *top)
{
	struct rblk_config *c = b->config;
	cfg_t *sec;

	if (cfg_size(top, "cluster") == 0) {
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       rblk_parse_section_pos(b->parse, top),
			       "there is no cluster section (such as: cluster \"demo\" { key-file = \"/etc/rblk/cluster.key\" })");
		return;
	}
	sec = cfg_getnsec(top, "cluster", 0);
	c->cluster_pos = *rblk_parse_section_pos(b->parse, sec);
	rblk_build_name(b, sec, c->cluster);
	if (cfg_size(top, "cluster") > 1) {
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       rblk_parse_section_pos(b->parse,
					cfg_getnsec(top, "cluster", 1)),
			       "a second cluster; one file describes one");
		rblk_diags_add(&c->diags, RBLK_DIAG_NOTE, &c->cluster_pos,
			       "the first is here");
	}
	if (!rblk_build_value(sec, "key-file")) {
		rblk_build_fail_missing(b, sec, "key-file", "\"/etc/rblk/cluster.key\"");
		return;
	}
	c->key_file_pos = *rblk_parse_value_pos(b->parse, sec, "key-file", 0);
	c->key_file = rblk_xstrdup(rblk_build_value(sec, "key-file"));
	if (c->key_file[0] != '/')
		rblk_build_fail(b, sec, "key-file", "an absolute path");
}

static void build_net(const struct rblk_builder *b, cfg_t *top)
{
	static const uint32_t range[2] = { 500, 10 * 60 * 1000 };

	b->config->timeout_ms = DEFAULT_TIMEOUT_MS;
	rblk_build_duration(b, cfg_getsec(top, "net"), "timeout", range,
			    "500ms to 10min, a number with ms, s or min, such as 6s",
			    &b->config->timeout_ms);
}

static void build_node(const struct rblk_builder *b, cfg_t *sec)
{
	struct rblk_config *c = b->config;
	struct rblk_config_node *n;
	uint64_t id = 0;

	if (c->nodes_n == RBLK_MAX_NODES) {
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       rblk_parse_section_pos(b->parse, sec),
			       "too many nodes (allowed: %d)", RBLK_MAX_NODES);
		return;
	}
	n = &c->nodes[c->nodes_n++];
	n->pos = *rblk_parse_section_pos(b->parse, sec);
	rblk_build_name(b, sec, n->name);
	if (!rblk_build_value(sec, "id"))
		rblk_build_fail_missing(b, sec, "id", "0");
	else if (!rblk_text_parse_number(rblk_build_value(sec, "id"),
					 RBLK_MAX_NODES - 1, &id))
		rblk_build_fail(b, sec, "id", "0 to 15");
	n->id = id;
	n->id_pos = *rblk_parse_value_pos(b->parse, sec, "id", 0);
	n->address_pos = *rblk_parse_value_pos(b->parse, sec, "address", 0);
	if (rblk_build_value(sec, "address"))
		rblk_build_address(b, sec, "address", &n->address, &n->addr);
	else
		rblk_build_fail_missing(b, sec, "address",
					"\"10.0.0.1:7790\"");
	rblk_build_node_cluster(b, sec, n);
}

static char take_protocol(const struct rblk_builder *b, cfg_t *sec,
			  char fallback)
{
	const char *text = rblk_build_value(sec, "protocol");

	if (!text)
		return fallback;
	if (strlen(text) == 1 && strchr("ABC", text[0]))
		return text[0];
	rblk_build_fail(b, sec, "protocol", "A, B, C");
	return fallback;
}

static bool take_block(const char *text, uint32_t *bytes)
{
	uint64_t value;

	if (!rblk_text_parse_size(text, &value) || value < 512 ||
	    value > 4096 || (value & (value - 1)))
		return false;
	*bytes = value;
	return true;
}

#define NR_LAYOUTS	(RBLK_METADATA_APART + 1)

/* NR_LAYOUTS: neither a word nor a path. */
static unsigned int take_metadata(const char *text)
{
	if (strcmp(text, "start") == 0)
		return RBLK_METADATA_START;
	if (strcmp(text, "end") == 0)
		return RBLK_METADATA_END;
	if (strcmp(text, "none") == 0)
		return RBLK_METADATA_NONE;
	return text[0] == '/' && strlen(text) < RBLK_DISK_SIZE ?
	       RBLK_METADATA_APART : NR_LAYOUTS;
}

/* A volume section may serve many nodes: its mistakes are reported here, once. */
static void check_place(const struct rblk_builder *b, cfg_t *sec)
{
	const char *minor = rblk_build_value(sec, "minor");
	const char *disk = rblk_build_value(sec, "disk");
	const char *block = rblk_build_value(sec, "block-size");
	const char *metadata = rblk_build_value(sec, "metadata");
	uint64_t value;
	uint32_t size;

	if (metadata && take_metadata(metadata) == NR_LAYOUTS)
		rblk_build_fail(b, sec, "metadata",
			   "start, end, none, or the absolute path of a device for the metadata alone, below 256 bytes");
	if (minor && !rblk_text_parse_number(minor, RBLK_MAX_MINOR, &value))
		rblk_build_fail(b, sec, "minor", "0 to 1048575");
	if (block && !take_block(block, &size))
		rblk_build_fail(b, sec, "block-size", "512B, 1KiB, 2KiB, 4KiB");
	if (disk && (disk[0] != '/' || strlen(disk) >= RBLK_DISK_SIZE))
		rblk_build_fail(b, sec, "disk",
			   "the absolute path of a block device, below 256 bytes");
}

static void build_place(const struct rblk_builder *b, cfg_t *sec,
			struct rblk_config_place *place)
{
	const char *minor = rblk_build_value(sec, "minor");
	const char *disk = rblk_build_value(sec, "disk");
	const char *metadata = rblk_build_value(sec, "metadata");
	uint64_t value = 0;

	if (metadata) {
		place->metadata = take_metadata(metadata);
		free(place->metadata_disk);
		place->metadata_disk = place->metadata == RBLK_METADATA_APART ?
				       rblk_xstrdup(metadata) : NULL;
		place->metadata_pos = *rblk_parse_value_pos(b->parse, sec,
							    "metadata", 0);
	}
	if (minor) {
		rblk_text_parse_number(minor, RBLK_MAX_MINOR, &value);
		place->minor = value;
		place->has_minor = true;
		place->minor_pos = *rblk_parse_value_pos(b->parse, sec,
							 "minor", 0);
	}
	if (rblk_build_value(sec, "block-size"))
		take_block(rblk_build_value(sec, "block-size"), &place->block_bytes);
	if (disk) {
		free(place->disk);
		place->disk = rblk_xstrdup(disk);
		place->disk_pos = *rblk_parse_value_pos(b->parse, sec,
							"disk", 0);
	}
}

static struct rblk_config_volume *
find_or_add_volume(struct rblk_config_resource *r, uint8_t id,
		   const struct rblk_pos *pos)
{
	size_t i = 0, n;

	while (i < r->volumes_n && r->volumes[i].id < id)
		i++;
	if (i < r->volumes_n && r->volumes[i].id == id)
		return &r->volumes[i];
	r->volumes = rblk_xrealloc(r->volumes,
				   (r->volumes_n + 1) * sizeof(*r->volumes));
	memmove(&r->volumes[i + 1], &r->volumes[i],
		(r->volumes_n - i) * sizeof(*r->volumes));
	r->volumes_n++;
	r->volumes[i] = (struct rblk_config_volume){ .id = id, .pos = *pos };
	for (n = 0; n < RBLK_MAX_NODES; n++)
		r->volumes[i].on[n].metadata = RBLK_METADATA_START;
	return &r->volumes[i];
}

/* The volumes in @sec, for the nodes in @nodes. */
static void build_volumes(const struct rblk_builder *b, cfg_t *sec,
			  struct rblk_config_resource *r, uint16_t nodes)
{
	struct rblk_config_volume *v;
	unsigned int i, n;
	uint64_t id;

	for (i = 0; i < cfg_size(sec, "volume"); i++) {
		cfg_t *vsec = cfg_getnsec(sec, "volume", i);
		const struct rblk_pos *pos = rblk_parse_section_pos(b->parse,
								    vsec);

		if (!rblk_text_parse_number(vsec->title, RBLK_MAX_VOLUMES - 1,
					    &id)) {
			rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
				       "bad volume number \"%s\" (allowed: 0 to 63)",
				       vsec->title);
			continue;
		}
		check_place(b, vsec);
		v = find_or_add_volume(r, id, pos);
		for (n = 0; n < RBLK_MAX_NODES; n++)
			if (nodes & (1U << n))
				build_place(b, vsec, &v->on[n]);
	}
}

static void build_members(const struct rblk_builder *b, cfg_t *sec,
			  struct rblk_config_resource *r)
{
	unsigned int i, n = cfg_size(sec, "nodes");

	for (i = 0; i < n; i++) {
		const struct rblk_pos *pos = rblk_parse_value_pos(b->parse, sec,
								  "nodes", i);
		const struct rblk_config_node *node;

		node = rblk_build_node_called(b, cfg_getnstr(sec, "nodes", i),
					      pos);
		if (node && node->witness)
			rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
				       "node \"%s\" is a witness: it holds no data, and votes without being listed",
				       node->name);
		else if (node)
			r->members |= 1U << node->id;
	}
	for (i = 0; n == 0 && i < b->config->nodes_n; i++)
		if (!b->config->nodes[i].witness)
			r->members |= 1U << b->config->nodes[i].id;
}

static void build_on(const struct rblk_builder *b, cfg_t *sec,
		     struct rblk_config_resource *r)
{
	const struct rblk_pos *pos = rblk_parse_section_pos(b->parse, sec);
	const struct rblk_config_node *node =
		rblk_build_node_called(b, sec->title, pos);

	if (!node)
		return;
	if (node->witness) {
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
			       "node \"%s\" is a witness: it holds no data, so it has no volumes and no 'on'",
			       node->name);
		return;
	}
	if (!(r->members & (1U << node->id))) {
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
			       "node \"%s\" is not among the nodes of resource \"%s\"",
			       node->name, r->name);
		return;
	}
	r->protocol[node->id] = take_protocol(b, sec, r->protocol[node->id]);
	if (rblk_build_yes(b, sec, "read-from-backup",
		      r->read_from_backup & (1U << node->id)))
		r->read_from_backup |= 1U << node->id;
	else
		r->read_from_backup &= ~(1U << node->id);
	build_volumes(b, sec, r, 1U << node->id);
}

static void build_resource(const struct rblk_builder *b, cfg_t *sec)
{
	struct rblk_config *c = b->config;
	struct rblk_config_resource *r;
	const char *text;
	uint64_t value;
	unsigned int i;

	c->resources = rblk_xrealloc(c->resources, (c->resources_n + 1) *
						   sizeof(*c->resources));
	r = &c->resources[c->resources_n++];
	*r = (struct rblk_config_resource){
		.pos = *rblk_parse_section_pos(b->parse, sec),
		.acks_pos = *rblk_parse_value_pos(b->parse, sec, "acks", 0),
	};
	rblk_build_name(b, sec, r->name);
	build_members(b, sec, r);
	memset(r->protocol, take_protocol(b, sec, 'C'), sizeof(r->protocol));
	text = rblk_build_value(sec, "acks");
	if (text && strcmp(text, "all") != 0) {
		if (!rblk_text_parse_number(text, RBLK_MAX_NODES - 1, &value) ||
		    value == 0)
			rblk_build_fail(b, sec, "acks", "all, or 1 to 15");
		else
			r->acks = value;
	}
	text = rblk_build_value(sec, "log-size");
	if (text) {
		if (!rblk_text_parse_size(text, &value) ||
		    value < RBLK_LOG_BYTES_MIN || value > RBLK_LOG_BYTES_MAX)
			rblk_build_fail(b, sec, "log-size",
				   "1MiB to 64GiB, a number with B, KiB, MiB or GiB, such as 64MiB");
		else
			r->log_bytes = value;
	}
	r->data_crc = rblk_build_yes(b, sec, "data-crc", false);
	r->zero_detect = rblk_build_yes(b, sec, "zero-detect",
					ZERO_DETECT_DEFAULT);
	text = rblk_build_value(sec, "on-disk-error");
	if (text && strcmp(text, "detach") != 0) {
		if (strcmp(text, "pass") != 0)
			rblk_build_fail(b, sec, "on-disk-error", "detach, pass");
		r->pass_disk_errors = true;
	}
	text = rblk_build_value(sec, "disk-timeout");
	if (text && strcmp(text, "off") != 0) {
		if (!rblk_text_parse_duration(text, &value) ||
		    value < RBLK_DISK_TIMEOUT_MS_MIN ||
		    value > RBLK_DISK_TIMEOUT_MS_MAX)
			rblk_build_fail(b, sec, "disk-timeout",
				   "off, or 1s to 3600s, a number with ms or s, such as 10s");
		else
			r->disk_timeout_ms = value;
	}
	if (rblk_build_yes(b, sec, "read-from-backup", false))
		r->read_from_backup = 0xffff;
	build_volumes(b, sec, r, r->members);
	rblk_build_failover(b, sec, r);
	for (i = 0; i < cfg_size(sec, "on"); i++)
		build_on(b, cfg_getnsec(sec, "on", i), r);
}

void rblk_config_build(struct rblk_config *config, const struct rblk_parse *p)
{
	struct rblk_builder b = { .config = config, .parse = p };
	cfg_t *top = p->cfg;
	unsigned int i;

	build_cluster(&b, top);
	build_net(&b, top);
	rblk_build_heartbeat(&b, top);
	rblk_build_etcd(&b, top);
	for (i = 0; i < cfg_size(top, "node"); i++)
		build_node(&b, cfg_getnsec(top, "node", i));
	/* with wrong nodes, what resources say of them would be wrong as well */
	if (config->diags.errors)
		return;
	for (i = 0; i < cfg_size(top, "resource"); i++)
		build_resource(&b, cfg_getnsec(top, "resource", i));
}
