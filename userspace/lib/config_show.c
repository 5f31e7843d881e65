// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_show.c - a checked configuration in canonical form
 */
#include "config.h"

#include "kmsg.h"
#include "text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* "start", or the device. */
static const char *metadata_text(const struct rblk_config_place *p)
{
	static const char *const words[] = {
		[RBLK_METADATA_NONE] = "none", [RBLK_METADATA_START] = "start",
		[RBLK_METADATA_END] = "end",
	};

	return p->metadata == RBLK_METADATA_APART ? p->metadata_disk :
						    words[p->metadata];
}

static bool has_member(const struct rblk_config_resource *r,
		       const struct rblk_config_node *n)
{
	return r->members & (1U << n->id);
}

static const char *yes_no(bool value)
{
	return value ? "yes" : "no";
}

static void show_place(unsigned int id, const struct rblk_config_place *p,
		       FILE *to)
{
	fprintf(to, "\t\tvolume %u { minor = %u  disk = \"%s\"  metadata = \"%s\"",
		id, p->minor, p->disk, metadata_text(p));
	if (p->block_bytes)
		fprintf(to, "  block-size = %uB", p->block_bytes);
	fputs(" }\n", to);
}

static void show_resource(const struct rblk_config *c,
			  const struct rblk_config_resource *r, FILE *to)
{
	const char *separator = "";
	char text[32];
	size_t i, v;

	fprintf(to, "\nresource \"%s\" {\t# %s:%d\n\tnodes = { ", r->name,
		r->pos.file, r->pos.line);
	for (i = 0; i < c->nodes_n; i++) {
		if (!has_member(r, &c->nodes[i]))
			continue;
		fprintf(to, "%s\"%s\"", separator, c->nodes[i].name);
		separator = ", ";
	}
	if (r->acks)
		fprintf(to, " }\n\tacks = %u\n", r->acks);
	else
		fprintf(to, " }\n\tacks = all\n");
	if (r->log_bytes)
		fprintf(to, "\tlog-size = %s\n",
			rblk_text_config_size(text, sizeof(text),
					      r->log_bytes));
	fprintf(to, "\tdata-crc = %s\n\tzero-detect = %s\n\ton-disk-error = %s\n",
		yes_no(r->data_crc), yes_no(r->zero_detect),
		rblk_kmsg_on_disk_error(r->pass_disk_errors));
	if (r->disk_timeout_ms)
		fprintf(to, "\tdisk-timeout = %ums\n", r->disk_timeout_ms);
	for (i = 0; i < c->nodes_n; i++) {
		const struct rblk_config_node *n = &c->nodes[i];

		if (!has_member(r, n))
			continue;
		fprintf(to, "\ton \"%s\" {\n\t\tprotocol = %c\n\t\tread-from-backup = %s\n",
			n->name, r->protocol[n->id],
			yes_no(r->read_from_backup & (1U << n->id)));
		for (v = 0; v < r->volumes_n; v++)
			show_place(r->volumes[v].id, &r->volumes[v].on[n->id],
				   to);
		fputs("\t}\n", to);
	}
	fputs("}\n", to);
}

void rblk_config_show(const struct rblk_config *c, FILE *to)
{
	size_t i;

	fprintf(to, "cluster \"%s\" { key-file = \"%s\" }\n", c->cluster,
		c->key_file);
	fprintf(to, "net { timeout = %ums }\n\n", c->timeout_ms);
	for (i = 0; i < c->nodes_n; i++)
		fprintf(to, "node \"%s\" { id = %u  address = \"%s\" }\n",
			c->nodes[i].name, c->nodes[i].id, c->nodes[i].address);
	for (i = 0; i < c->resources_n; i++)
		show_resource(c, &c->resources[i], to);
}

static json_t *volume_json(const struct rblk_config_volume *v,
			   const struct rblk_config_node *n)
{
	const struct rblk_config_place *p = &v->on[n->id];

	return json_pack("{s:i,s:i,s:s,s:o,s:s}", "volume", v->id, "minor",
			 (int)p->minor, "disk", p->disk, "block_size_bytes",
			 p->block_bytes ? json_integer(p->block_bytes) :
					  json_null(),
			 "metadata", metadata_text(p));
}

static json_t *resource_json(const struct rblk_config *c,
			     const struct rblk_config_resource *r)
{
	json_t *nodes = json_array();
	size_t i, v;

	for (i = 0; i < c->nodes_n; i++) {
		const struct rblk_config_node *n = &c->nodes[i];
		char protocol[2] = { r->protocol[n->id], '\0' };
		json_t *volumes;

		if (!has_member(r, n))
			continue;
		volumes = json_array();
		for (v = 0; v < r->volumes_n; v++)
			json_array_append_new(volumes,
					      volume_json(&r->volumes[v], n));
		json_array_append_new(nodes,
			json_pack("{s:s,s:s,s:b,s:o}", "node", n->name,
				  "protocol", protocol, "read_from_backup",
				  !!(r->read_from_backup & (1U << n->id)),
				  "volumes", volumes));
	}
	return json_pack("{s:s,s:b,s:b,s:s,s:o,s:o,s:o,s:o}", "name", r->name,
			 "data_crc", r->data_crc, "zero_detect",
			 r->zero_detect, "on_disk_error",
			 rblk_kmsg_on_disk_error(r->pass_disk_errors),
			 "disk_timeout_ms", r->disk_timeout_ms ?
			 json_integer(r->disk_timeout_ms) : json_null(), "acks",
			 r->acks ? json_integer(r->acks) : json_string("all"),
			 "log_size_bytes", r->log_bytes ?
			 json_integer((json_int_t)r->log_bytes) : json_null(),
			 "nodes", nodes);
}

char *rblk_config_show_json(const struct rblk_config *c)
{
	json_t *nodes = json_array(), *resources = json_array();
	json_t *top;
	char *text;
	size_t i;

	for (i = 0; i < c->nodes_n; i++)
		json_array_append_new(nodes,
			json_pack("{s:s,s:i,s:s}", "name", c->nodes[i].name,
				  "id", c->nodes[i].id, "address",
				  c->nodes[i].address));
	for (i = 0; i < c->resources_n; i++)
		json_array_append_new(resources,
				      resource_json(c, &c->resources[i]));
	top = json_pack("{s:s,s:s,s:s,s:i,s:o,s:o}", "schema",
			"rblk.config/1", "cluster", c->cluster, "key_file",
			c->key_file, "timeout_ms", (int)c->timeout_ms,
			"nodes", nodes, "resources", resources);
	text = json_dumps(top, JSON_INDENT(2));
	json_decref(top);
	return text;
}
