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

/* In quotes, as the scanner reads it. */
static void show_string(const char *text, FILE *to)
{
	fputc('"', to);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', to);
		fputc(*text, to);
	}
	fputc('"', to);
}

static void show_duration(const char *name, uint64_t ms, FILE *to)
{
	char text[32];

	fprintf(to, "%s = %s", name,
		rblk_text_config_duration(text, sizeof(text), ms));
}

static const char *suspend_or_error(bool error)
{
	return error ? "error" : "suspend";
}

static const char *promotion_text(const struct rblk_config_failover *f)
{
	static const char *const words[] = {
		[RBLK_CONFIG_MOST_UP_TO_DATE] = "most-up-to-date",
		[RBLK_CONFIG_SUCCESSOR] = "successor",
		[RBLK_CONFIG_ELECTION] = "election",
	};

	return words[f->promotion];
}

static const char *arbiter_text(const struct rblk_config_failover *f)
{
	static const char *const words[] = {
		[RBLK_CONFIG_BUILTIN] = "builtin", [RBLK_CONFIG_ETCD] = "etcd",
		[RBLK_CONFIG_EXTERNAL] = "external",
	};

	return words[f->arbiter];
}

static void show_failover(const struct rblk_config *c,
			  const struct rblk_config_failover *f, FILE *to)
{
	size_t i;

	fprintf(to, "\tfailover = %s\n", f->automatic ? "auto" : "manual");
	if (!f->automatic)
		return;
	if (f->arbiter == RBLK_CONFIG_EXTERNAL) {
		fputs("\tarbiter = external\n", to);
		return;
	}
	fprintf(to, "\tarbiter = %s\n\t", arbiter_text(f));
	show_duration("lease", f->lease_ms, to);
	show_duration("\n\tlease-margin", f->margin_ms, to);
	fprintf(to, "\n\ton-lease-expiry = %s\n",
		suspend_or_error(f->lease_error));
	if (f->min_in_sync)
		fprintf(to, "\tmin-in-sync = %u\n\tbelow-min-in-sync = %s\n",
			f->min_in_sync, suspend_or_error(f->min_in_sync_error));
	fprintf(to, "\tpromotion = %s\n", promotion_text(f));
	for (i = 0; i < f->successors_n; i++)
		fprintf(to, "%s\"%s\"", i ? ", " : "\tsuccessor = { ",
			rblk_config_node_by_id(c, f->successors[i])->name);
	if (i)
		fputs(" }\n", to);
}

static void show_place(unsigned int id, const struct rblk_config_place *p,
		       FILE *to)
{
	fprintf(to, "\t\tvolume %u { minor = %u  disk = ", id, p->minor);
	show_string(p->disk, to);
	fputs("  metadata = ", to);
	show_string(metadata_text(p), to);
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
	show_failover(c, &r->failover, to);
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

/* Never what is in the options file. */
static void show_fence(const struct rblk_config_fence *f, FILE *to)
{
	size_t i;

	fprintf(to, "\tfence \"%s\" {\n\t\tlevel = %u\n\t\tagent = ", f->name,
		f->level);
	show_string(f->agent ? f->agent : "manual", to);
	for (i = 0; i < f->options_n; i++) {
		fputs(i ? ", " : "\n\t\toptions = { ", to);
		show_string(f->options[i], to);
	}
	if (i)
		fputs(" }", to);
	if (f->options_file) {
		fputs("\n\t\toptions-file = ", to);
		show_string(f->options_file, to);
	}
	if (f->agent) {
		show_duration("\n\t\ttimeout", f->timeout_ms, to);
		fprintf(to, "\n\t\tretries = %u", f->retries);
	}
	fputs("\n\t}\n", to);
}

static void show_node(const struct rblk_config_node *n, FILE *to)
{
	size_t i;

	fprintf(to, "node \"%s\" { id = %u  address = \"%s\"", n->name, n->id,
		n->address);
	if (n->address2)
		fprintf(to, "  address-2 = \"%s\"", n->address2);
	if (n->witness)
		fputs("  witness = yes", to);
	if (n->fence_delay_ms)
		show_duration("  fence-delay", n->fence_delay_ms, to);
	if (n->watchdog) {
		fputs("  watchdog = ", to);
		show_string(n->watchdog, to);
	}
	fputs(n->fences_n ? "\n" : " }\n", to);
	for (i = 0; i < n->fences_n; i++)
		show_fence(&n->fences[i], to);
	if (i)
		fputs("}\n", to);
}

static void show_file(const char *name, const char *path, FILE *to)
{
	if (!path)
		return;
	fprintf(to, "  %s = ", name);
	show_string(path, to);
}

static void show_etcd(const struct rblk_config_etcd *etcd, FILE *to)
{
	size_t i;

	for (i = 0; i < etcd->endpoints_n; i++) {
		fputs(i ? ", " : "etcd { endpoints = { ", to);
		show_string(etcd->endpoints[i], to);
	}
	fputs(" }", to);
	show_file("ca-file", etcd->ca_file, to);
	show_file("cert-file", etcd->cert_file, to);
	show_file("key-file", etcd->key_file, to);
	fputs(" }\n", to);
}

void rblk_config_show(const struct rblk_config *c, FILE *to)
{
	size_t i;

	fprintf(to, "cluster \"%s\" { key-file = ", c->cluster);
	show_string(c->key_file, to);
	fprintf(to, " }\nnet { timeout = %ums }\n", c->timeout_ms);
	show_duration("heartbeat { interval", c->beat_ms, to);
	fprintf(to, "  misses = %u }\n", c->beat_misses);
	if (c->etcd.endpoints_n)
		show_etcd(&c->etcd, to);
	fputc('\n', to);
	for (i = 0; i < c->nodes_n; i++)
		show_node(&c->nodes[i], to);
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

static json_t *names_json(const struct rblk_config *c, uint16_t nodes)
{
	json_t *names = json_array();
	size_t i;

	for (i = 0; i < c->nodes_n; i++)
		if (nodes & (1U << c->nodes[i].id))
			json_array_append_new(names,
					      json_string(c->nodes[i].name));
	return names;
}

/* null: by hand. */
static json_t *failover_json(const struct rblk_config *c,
			     const struct rblk_config_resource *r)
{
	const struct rblk_config_failover *f = &r->failover;
	json_t *successors;
	size_t i;

	if (!f->automatic)
		return json_null();
	if (f->arbiter == RBLK_CONFIG_EXTERNAL)
		return json_pack("{s:s}", "arbiter", "external");
	successors = json_array();
	for (i = 0; i < f->successors_n; i++)
		json_array_append_new(successors, json_string(
			rblk_config_node_by_id(c, f->successors[i])->name));
	return json_pack("{s:s,s:o,s:i,s:i,s:s,s:o,s:s,s:s,s:o}",
			 "arbiter", arbiter_text(f),
			 "witnesses", names_json(c, r->witnesses),
			 "lease_ms", (int)f->lease_ms,
			 "lease_margin_ms", (int)f->margin_ms,
			 "on_lease_expiry", suspend_or_error(f->lease_error),
			 "min_in_sync", f->min_in_sync ?
			 json_integer(f->min_in_sync) : json_null(),
			 "below_min_in_sync",
			 suspend_or_error(f->min_in_sync_error),
			 "promotion", promotion_text(f),
			 "successors", successors);
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
	return json_pack("{s:s,s:o,s:b,s:b,s:s,s:o,s:o,s:o,s:o}", "name",
			 r->name, "failover", failover_json(c, r),
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

static json_t *fence_json(const struct rblk_config_fence *f)
{
	json_t *options = json_array();
	size_t i;

	for (i = 0; i < f->options_n; i++)
		json_array_append_new(options, json_string(f->options[i]));
	return json_pack("{s:s,s:i,s:s,s:o,s:o,s:i,s:i}", "name", f->name,
			 "level", f->level,
			 "agent", f->agent ? f->agent : "manual",
			 "options", options,
			 "options_file", f->options_file ?
			 json_string(f->options_file) : json_null(),
			 "timeout_ms", (int)f->timeout_ms,
			 "retries", f->retries);
}

static json_t *node_json(const struct rblk_config_node *n)
{
	json_t *fences = json_array();
	size_t i;

	for (i = 0; i < n->fences_n; i++)
		json_array_append_new(fences, fence_json(&n->fences[i]));
	return json_pack("{s:s,s:i,s:s,s:o,s:b,s:s?,s:i,s:o}", "name", n->name,
			 "id", n->id, "address", n->address,
			 "address_2", n->address2 ? json_string(n->address2) :
						    json_null(),
			 "witness", n->witness, "watchdog", n->watchdog,
			 "fence_delay_ms", (int)n->fence_delay_ms,
			 "fences", fences);
}

/* null: there is none. */
static json_t *etcd_json(const struct rblk_config_etcd *etcd)
{
	json_t *endpoints;
	size_t i;

	if (!etcd->endpoints_n)
		return json_null();
	endpoints = json_array();
	for (i = 0; i < etcd->endpoints_n; i++)
		json_array_append_new(endpoints, json_string(etcd->endpoints[i]));
	return json_pack("{s:o,s:s?,s:s?,s:s?}", "endpoints", endpoints, "ca_file",
			 etcd->ca_file, "cert_file", etcd->cert_file, "key_file",
			 etcd->key_file);
}

char *rblk_config_show_json(const struct rblk_config *c)
{
	json_t *nodes = json_array(), *resources = json_array();
	json_t *top;
	char *text;
	size_t i;

	for (i = 0; i < c->nodes_n; i++)
		json_array_append_new(nodes, node_json(&c->nodes[i]));
	for (i = 0; i < c->resources_n; i++)
		json_array_append_new(resources,
				      resource_json(c, &c->resources[i]));
	top = json_pack("{s:s,s:s,s:s,s:i,s:i,s:i,s:o,s:o,s:o}", "schema",
			"rblk.config/1", "cluster", c->cluster, "key_file",
			c->key_file, "timeout_ms", (int)c->timeout_ms,
			"heartbeat_ms", (int)c->beat_ms,
			"heartbeat_misses", c->beat_misses,
			"etcd", etcd_json(&c->etcd),
			"nodes", nodes, "resources", resources);
	text = json_dumps(top, JSON_INDENT(2));
	json_decref(top);
	return text;
}
