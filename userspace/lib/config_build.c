// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_build.c - parsed sections to a struct rblk_config
 */
#include "config_build.h"

#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_TIMEOUT_MS	6000
#define ZERO_DETECT_DEFAULT	false
#define MIN_TIMEOUT_MS		500
#define MAX_TIMEOUT_MS		(10 * 60 * 1000)
#define NAME_RULE \
	"1 to 63 of A-Z a-z 0-9 . _ -, not starting with '.' or '-'"

struct builder {
	struct rblk_config *config;
	const struct rblk_parse *parse;
};

static const char *value_of(cfg_t *sec, const char *name)
{
	return cfg_size(sec, name) ? cfg_getstr(sec, name) : NULL;
}

static void fail_value(const struct builder *b, cfg_t *sec, const char *name,
		       const char *allowed)
{
	rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
		       rblk_parse_value_pos(b->parse, sec, name, 0),
		       "bad %s \"%s\" (allowed: %s)", name, value_of(sec, name),
		       allowed);
}

static void fail_missing(const struct builder *b, cfg_t *sec, const char *name,
			 const char *example)
{
	rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
		       rblk_parse_section_pos(b->parse, sec),
		       "%s lacks '%s' (such as: %s = %s)",
		       rblk_parse_section_name(sec), name, name, example);
}

static bool take_name(const struct builder *b, cfg_t *sec,
		      char name[RBLK_NAME_SIZE])
{
	if (!rblk_text_name_is_valid(sec->title)) {
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       rblk_parse_section_pos(b->parse, sec),
			       "bad %s name \"%s\" (allowed: " NAME_RULE ")",
			       sec->name, sec->title);
		return false;
	}
	rblk_text_copy(name, RBLK_NAME_SIZE, sec->title);
	return true;
}

static void build_cluster(const struct builder *b, cfg_t *top)
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
	take_name(b, sec, c->cluster);
	if (cfg_size(top, "cluster") > 1) {
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       rblk_parse_section_pos(b->parse,
					cfg_getnsec(top, "cluster", 1)),
			       "a second cluster; one file describes one");
		rblk_diags_add(&c->diags, RBLK_DIAG_NOTE, &c->cluster_pos,
			       "the first is here");
	}
	if (!value_of(sec, "key-file")) {
		fail_missing(b, sec, "key-file", "\"/etc/rblk/cluster.key\"");
		return;
	}
	c->key_file_pos = *rblk_parse_value_pos(b->parse, sec, "key-file", 0);
	c->key_file = rblk_xstrdup(value_of(sec, "key-file"));
	if (c->key_file[0] != '/')
		fail_value(b, sec, "key-file", "an absolute path");
}

static void build_net(const struct builder *b, cfg_t *top)
{
	cfg_t *sec = cfg_getsec(top, "net");
	const char *text = value_of(sec, "timeout");
	uint64_t ms;

	b->config->timeout_ms = DEFAULT_TIMEOUT_MS;
	if (!text)
		return;
	if (!rblk_text_parse_duration(text, &ms) || ms < MIN_TIMEOUT_MS ||
	    ms > MAX_TIMEOUT_MS)
		fail_value(b, sec, "timeout",
			   "500ms to 10min, a number with ms, s or min, such as 6s");
	else
		b->config->timeout_ms = ms;
}

/* "10.0.0.1", "10.0.0.1:7790", "[fd00::1]", "[fd00::1]:7790" */
static bool parse_address(const char *text, struct sockaddr_storage *addr)
{
	struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	uint64_t port = RBLK_DEFAULT_PORT;
	char host[128], service[8];
	struct in_addr dotted;
	const char *rest;
	bool v6 = text[0] == '[';
	size_t len;

	len = strcspn(text += v6, v6 ? "]" : ":");
	if (len == 0 || len >= sizeof(host))
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	rest = text + len;
	if (v6 && *rest++ != ']')
		return false;
	if (*rest && (*rest != ':' ||
		      !rblk_text_parse_number(rest + 1, 65535, &port)))
		return false;
	rblk_text_format(service, sizeof(service), "%u", (unsigned int)port);
	hints.ai_family = v6 ? AF_INET6 : AF_INET;
	if (port == 0 || getaddrinfo(host, service, &hints, &found) != 0)
		return false;
	memcpy(addr, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (v6)
		return true;
	/* getaddrinfo also takes "10.1"; we do not */
	return inet_pton(AF_INET, host, &dotted) == 1;
}

static void build_node(const struct builder *b, cfg_t *sec)
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
	take_name(b, sec, n->name);
	if (!value_of(sec, "id"))
		fail_missing(b, sec, "id", "0");
	else if (!rblk_text_parse_number(value_of(sec, "id"),
					 RBLK_MAX_NODES - 1, &id))
		fail_value(b, sec, "id", "0 to 15");
	n->id = id;
	n->id_pos = *rblk_parse_value_pos(b->parse, sec, "id", 0);
	n->address_pos = *rblk_parse_value_pos(b->parse, sec, "address", 0);
	if (!value_of(sec, "address")) {
		fail_missing(b, sec, "address", "\"10.0.0.1:7790\"");
		return;
	}
	n->address = rblk_xstrdup(value_of(sec, "address"));
	if (!parse_address(n->address, &n->addr))
		fail_value(b, sec, "address",
			   "a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\"");
}

static char take_protocol(const struct builder *b, cfg_t *sec, char fallback)
{
	const char *text = value_of(sec, "protocol");

	if (!text)
		return fallback;
	if (strlen(text) == 1 && strchr("ABC", text[0]))
		return text[0];
	fail_value(b, sec, "protocol", "A, B, C");
	return fallback;
}

static bool take_bool(const struct builder *b, cfg_t *sec, const char *name,
		      bool fallback)
{
	const char *text = value_of(sec, name);

	if (!text)
		return fallback;
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
		return text[0] == 'y';
	fail_value(b, sec, name, "yes, no");
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
static void check_place(const struct builder *b, cfg_t *sec)
{
	const char *minor = value_of(sec, "minor");
	const char *disk = value_of(sec, "disk");
	const char *block = value_of(sec, "block-size");
	const char *metadata = value_of(sec, "metadata");
	uint64_t value;
	uint32_t size;

	if (metadata && take_metadata(metadata) == NR_LAYOUTS)
		fail_value(b, sec, "metadata",
			   "start, end, none, or the absolute path of a device for the metadata alone, below 256 bytes");
	if (minor && !rblk_text_parse_number(minor, RBLK_MAX_MINOR, &value))
		fail_value(b, sec, "minor", "0 to 1048575");
	if (block && !take_block(block, &size))
		fail_value(b, sec, "block-size", "512B, 1KiB, 2KiB, 4KiB");
	if (disk && (disk[0] != '/' || strlen(disk) >= RBLK_DISK_SIZE))
		fail_value(b, sec, "disk",
			   "the absolute path of a block device, below 256 bytes");
}

static void build_place(const struct builder *b, cfg_t *sec,
			struct rblk_config_place *place)
{
	const char *minor = value_of(sec, "minor");
	const char *disk = value_of(sec, "disk");
	const char *metadata = value_of(sec, "metadata");
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
	if (value_of(sec, "block-size"))
		take_block(value_of(sec, "block-size"), &place->block_bytes);
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
static void build_volumes(const struct builder *b, cfg_t *sec,
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

static const struct rblk_config_node *
take_node(const struct builder *b, const char *name, const struct rblk_pos *pos)
{
	const struct rblk_config_node *n = rblk_config_node(b->config, name);
	char *all;

	if (n)
		return n;
	all = rblk_config_node_list(b->config);
	rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
		       "unknown node \"%s\" (defined: %s)", name, all);
	free(all);
	return NULL;
}

static void build_members(const struct builder *b, cfg_t *sec,
			  struct rblk_config_resource *r)
{
	unsigned int i, n = cfg_size(sec, "nodes");

	for (i = 0; i < n; i++) {
		const struct rblk_config_node *node;

		node = take_node(b, cfg_getnstr(sec, "nodes", i),
				 rblk_parse_value_pos(b->parse, sec, "nodes", i));
		if (node)
			r->members |= 1U << node->id;
	}
	for (i = 0; n == 0 && i < b->config->nodes_n; i++)
		r->members |= 1U << b->config->nodes[i].id;
}

static void build_on(const struct builder *b, cfg_t *sec,
		     struct rblk_config_resource *r)
{
	const struct rblk_pos *pos = rblk_parse_section_pos(b->parse, sec);
	const struct rblk_config_node *node = take_node(b, sec->title, pos);

	if (!node)
		return;
	if (!(r->members & (1U << node->id))) {
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
			       "node \"%s\" is not among the nodes of resource \"%s\"",
			       node->name, r->name);
		return;
	}
	r->protocol[node->id] = take_protocol(b, sec, r->protocol[node->id]);
	if (take_bool(b, sec, "read-from-backup",
		      r->read_from_backup & (1U << node->id)))
		r->read_from_backup |= 1U << node->id;
	else
		r->read_from_backup &= ~(1U << node->id);
	build_volumes(b, sec, r, 1U << node->id);
}

static void build_resource(const struct builder *b, cfg_t *sec)
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
	take_name(b, sec, r->name);
	build_members(b, sec, r);
	memset(r->protocol, take_protocol(b, sec, 'C'), sizeof(r->protocol));
	text = value_of(sec, "acks");
	if (text && strcmp(text, "all") != 0) {
		if (!rblk_text_parse_number(text, RBLK_MAX_NODES - 1, &value) ||
		    value == 0)
			fail_value(b, sec, "acks", "all, or 1 to 15");
		else
			r->acks = value;
	}
	text = value_of(sec, "log-size");
	if (text) {
		if (!rblk_text_parse_size(text, &value) ||
		    value < RBLK_LOG_BYTES_MIN || value > RBLK_LOG_BYTES_MAX)
			fail_value(b, sec, "log-size",
				   "1MiB to 64GiB, a number with B, KiB, MiB or GiB, such as 64MiB");
		else
			r->log_bytes = value;
	}
	r->data_crc = take_bool(b, sec, "data-crc", false);
	r->zero_detect = take_bool(b, sec, "zero-detect", ZERO_DETECT_DEFAULT);
	text = value_of(sec, "on-disk-error");
	if (text && strcmp(text, "detach") != 0) {
		if (strcmp(text, "pass") != 0)
			fail_value(b, sec, "on-disk-error", "detach, pass");
		r->pass_disk_errors = true;
	}
	text = value_of(sec, "disk-timeout");
	if (text && strcmp(text, "off") != 0) {
		if (!rblk_text_parse_duration(text, &value) ||
		    value < RBLK_DISK_TIMEOUT_MS_MIN ||
		    value > RBLK_DISK_TIMEOUT_MS_MAX)
			fail_value(b, sec, "disk-timeout",
				   "off, or 1s to 3600s, a number with ms or s, such as 10s");
		else
			r->disk_timeout_ms = value;
	}
	if (take_bool(b, sec, "read-from-backup", false))
		r->read_from_backup = 0xffff;
	build_volumes(b, sec, r, r->members);
	for (i = 0; i < cfg_size(sec, "on"); i++)
		build_on(b, cfg_getnsec(sec, "on", i), r);
}

void rblk_config_build(struct rblk_config *config, const struct rblk_parse *p)
{
	struct builder b = { .config = config, .parse = p };
	cfg_t *top = p->cfg;
	unsigned int i;

	build_cluster(&b, top);
	build_net(&b, top);
	for (i = 0; i < cfg_size(top, "node"); i++)
		build_node(&b, cfg_getnsec(top, "node", i));
	/* with wrong nodes, what resources say of them would be wrong as well */
	if (config->diags.errors)
		return;
	for (i = 0; i < cfg_size(top, "resource"); i++)
		build_resource(&b, cfg_getnsec(top, "resource", i));
}
