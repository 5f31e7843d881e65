// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_check.c - what no single value shows: duplicates, gaps, counts
 */
#include "config_build.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static void fail_twice(struct rblk_config *c, const struct rblk_pos *second,
		       const struct rblk_pos *first, const char *what)
{
	rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, second, "%s", what);
	rblk_diags_add(&c->diags, RBLK_DIAG_NOTE, first, "first used here");
}

static bool same_address(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The addresses of a node, one or two. */
struct address {
	const struct sockaddr_storage *addr;
	const char *text;
	const struct rblk_pos *pos;
};

static int addresses(const struct rblk_config_node *n, struct address a[2])
{
	a[0] = (struct address){ &n->addr, n->address, &n->address_pos };
	a[1] = (struct address){ &n->addr2, n->address2, &n->address2_pos };
	return n->address2 ? 2 : 1;
}

/* @m comes before @n, or is it. */
static void compare_addresses(struct rblk_config *c,
			      const struct rblk_config_node *n,
			      const struct rblk_config_node *m)
{
	struct address a[2], b[2];
	int an = addresses(n, a), bn = addresses(m, b);
	char text[256];
	int i, j;

	for (i = 0; i < an; i++)
		for (j = 0; j < (m == n ? i : bn); j++)
			if (same_address(a[i].addr, b[j].addr))
				fail_twice(c, a[i].pos, b[j].pos,
					   rblk_text_format(text, sizeof(text),
						"address %.80s of \"%s\" is also that of \"%s\"",
						a[i].text, n->name, m->name));
}

static void check_nodes(struct rblk_config *c)
{
	char text[256];
	size_t i, j;

	if (c->nodes_n == 0)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &c->cluster_pos,
			       "there is no node (such as: node \"alpha\" { id = 0  address = \"10.0.0.1:7790\" })");
	for (i = 0; i < c->nodes_n; i++) {
		const struct rblk_config_node *n = &c->nodes[i];

		for (j = 0; j < i; j++) {
			const struct rblk_config_node *m = &c->nodes[j];

			if (n->id == m->id)
				fail_twice(c, &n->id_pos, &m->id_pos,
					   rblk_text_format(text, sizeof(text),
						"node id %u of \"%s\" is also that of \"%s\"",
						n->id, n->name, m->name));
			compare_addresses(c, n, m);
		}
		compare_addresses(c, n, n);
	}
}

/* A node that no resource uses is a slip, or an addition not yet finished. */
static void check_nodes_used(struct rblk_config *c)
{
	uint16_t used = 0;
	size_t i;

	for (i = 0; i < c->resources_n; i++)
		used |= c->resources[i].members | c->resources[i].witnesses;
	if (c->resources_n == 0) {
		rblk_diags_add(&c->diags, RBLK_DIAG_WARNING, &c->cluster_pos,
			       "there is no resource");
		return;
	}
	for (i = 0; i < c->nodes_n; i++)
		if (!(used & (1U << c->nodes[i].id)))
			rblk_diags_add(&c->diags, RBLK_DIAG_WARNING,
				       &c->nodes[i].pos, c->nodes[i].witness ?
				       "witness \"%s\" is of no use: no resource is voted on (failover = auto, arbiter = builtin)" :
				       "node \"%s\" is in no resource",
				       c->nodes[i].name);
}

static void check_volume_complete(struct rblk_config *c,
				  const struct rblk_config_resource *r,
				  const struct rblk_config_volume *v)
{
	size_t i;

	for (i = 0; i < c->nodes_n; i++) {
		const struct rblk_config_node *n = &c->nodes[i];
		const struct rblk_config_place *p = &v->on[n->id];

		if (!(r->members & (1U << n->id)))
			continue;
		if (!p->disk)
			rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &v->pos,
				       "volume %u of \"%s\" has no disk on node \"%s\"",
				       v->id, r->name, n->name);
		if (!p->has_minor)
			rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &v->pos,
				       "volume %u of \"%s\" has no minor on node \"%s\"",
				       v->id, r->name, n->name);
	}
}

static void check_resource(struct rblk_config *c,
			   const struct rblk_config_resource *r)
{
	unsigned int peers = __builtin_popcount(r->members);
	size_t i;

	if (r->volumes_n == 0)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->pos,
			       "resource \"%s\" has no volume (such as: volume 0 { minor = 0  disk = \"/dev/vdb\" })",
			       r->name);
	if (peers > 0 && r->acks > peers - 1)
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR, &r->acks_pos,
			       "acks = %u needs that many peers; resource \"%s\" has %u",
			       r->acks, r->name, peers - 1);
	for (i = 0; i < r->volumes_n; i++)
		check_volume_complete(c, r, &r->volumes[i]);
}

/* One volume on one node, to be compared with all others of that node. */
struct use {
	const struct rblk_config_resource *resource;
	const struct rblk_config_volume *volume;
	const struct rblk_config_place *place;
};

static bool next_use(const struct rblk_config *c, unsigned int node,
		     size_t *ri, size_t *vi, struct use *use)
{
	for (; *ri < c->resources_n; (*ri)++, *vi = 0) {
		const struct rblk_config_resource *r = &c->resources[*ri];

		if (!(r->members & (1U << node)) || *vi >= r->volumes_n)
			continue;
		*use = (struct use){ r, &r->volumes[*vi],
				     &r->volumes[*vi].on[node] };
		(*vi)++;
		return true;
	}
	return false;
}

static void compare_uses(struct rblk_config *c,
			 const struct rblk_config_node *n,
			 const struct use *a, const struct use *b)
{
	char text[512];

	if (a->place->has_minor && b->place->has_minor &&
	    a->place->minor == b->place->minor)
		fail_twice(c, &b->place->minor_pos, &a->place->minor_pos,
			   rblk_text_format(text, sizeof(text),
				"minor %u on node \"%s\" is used by volume %u of \"%s\" and volume %u of \"%s\"",
				a->place->minor, n->name, a->volume->id,
				a->resource->name, b->volume->id,
				b->resource->name));
	if (a->place->disk && b->place->disk &&
	    strcmp(a->place->disk, b->place->disk) == 0)
		fail_twice(c, &b->place->disk_pos, &a->place->disk_pos,
			   rblk_text_format(text, sizeof(text),
				"disk %.256s on node \"%s\" is used by volume %u of \"%s\" and volume %u of \"%s\"",
				a->place->disk, n->name, a->volume->id,
				a->resource->name, b->volume->id,
				b->resource->name));
}

/* Each device serves one purpose. */
static void compare_metadata(struct rblk_config *c,
			     const struct rblk_config_node *n,
			     const struct use *a, const struct use *b)
{
	char text[512];

	if (!a->place->metadata_disk)
		return;
	if (b->place->disk &&
	    strcmp(a->place->metadata_disk, b->place->disk) == 0)
		fail_twice(c, &a->place->metadata_pos, &b->place->disk_pos,
			   rblk_text_format(text, sizeof(text),
				"metadata device %.256s of volume %u of \"%s\" on node \"%s\" is the disk of volume %u of \"%s\"",
				a->place->metadata_disk, a->volume->id,
				a->resource->name, n->name, b->volume->id,
				b->resource->name));
	else if (a->volume != b->volume && b->place->metadata_disk &&
		 strcmp(a->place->metadata_disk, b->place->metadata_disk) == 0)
		fail_twice(c, &b->place->metadata_pos, &a->place->metadata_pos,
			   rblk_text_format(text, sizeof(text),
				"metadata device %.256s on node \"%s\" is used by volume %u of \"%s\" and volume %u of \"%s\"",
				a->place->metadata_disk, n->name,
				a->volume->id, a->resource->name,
				b->volume->id, b->resource->name));
}

/* A node remembers all of a resource or nothing of it. */
static void compare_memory(struct rblk_config *c,
			   const struct rblk_config_node *n,
			   const struct use *a, const struct use *b)
{
	char text[256];

	if (a->resource == b->resource &&
	    (a->place->metadata == RBLK_METADATA_NONE) !=
	    (b->place->metadata == RBLK_METADATA_NONE))
		rblk_diags_add(&c->diags, RBLK_DIAG_ERROR,
			       a->place->metadata == RBLK_METADATA_NONE ?
			       &a->place->metadata_pos : &b->place->metadata_pos,
			       "%s", rblk_text_format(text, sizeof(text),
				"on node \"%s\" some volumes of \"%s\" have metadata and others have not: all need it, or none",
				n->name, a->resource->name));
}

/* A clash in shared defaults is the same on every node: report the first. */
static void check_uses(struct rblk_config *c)
{
	size_t i;

	for (i = 0; i < c->nodes_n; i++) {
		size_t errors = c->diags.errors;
		size_t ri = 0, vi = 0;
		struct use a, b;

		while (next_use(c, c->nodes[i].id, &ri, &vi, &a)) {
			size_t rj = ri, vj = vi;

			compare_metadata(c, &c->nodes[i], &a, &a);
			while (next_use(c, c->nodes[i].id, &rj, &vj, &b)) {
				compare_uses(c, &c->nodes[i], &a, &b);
				compare_metadata(c, &c->nodes[i], &a, &b);
				if (b.place->metadata_disk && a.place->disk &&
				    !strcmp(b.place->metadata_disk,
					    a.place->disk))
					compare_metadata(c, &c->nodes[i], &b,
							 &a);
				compare_memory(c, &c->nodes[i], &a, &b);
			}
		}
		if (c->diags.errors != errors)
			break;
	}
}

void rblk_config_check(struct rblk_config *config)
{
	size_t i;

	check_nodes(config);
	for (i = 0; i < config->resources_n; i++)
		check_resource(config, &config->resources[i]);
	check_uses(config);
	rblk_config_check_failover(config);
	check_nodes_used(config);
}
