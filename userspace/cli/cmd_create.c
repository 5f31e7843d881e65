// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_create.c - rblk create: write the metadata of this node's volumes
 */
#include "cli.h"

#include "ident.h"
#include "meta.h"
#include "probe.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Where programs look for what is on a device, at most. */
#define BEGINNING	(1024 * 1024)

/* One volume on its way to being created. */
struct work {
	const struct rblk_config_volume *volume;
	const struct rblk_config_place *place;
	struct rblk_meta_dev disk;
	struct rblk_meta_dev meta;	/* the same, unless it is apart */
	struct rblk_meta_found found;
	struct rblk_probe probe;
	struct rblk_ondisk_super super;
};

struct order {
	const struct rblk_config *config;
	const struct rblk_config_node *node;
	const struct rblk_config_resource *resource;
	bool adopt;
	bool force;
	uint64_t size;		/* 0: all there is */
	struct work *work;
	size_t n;
};

static bool is_apart(const struct work *w)
{
	return w->place->metadata == RBLK_METADATA_APART;
}

static const struct rblk_meta_dev *meta_dev(const struct work *w)
{
	return is_apart(w) ? &w->meta : &w->disk;
}

static int open_all(struct order *o)
{
	char why[512];
	size_t i;
	int rc;

	for (i = 0; i < o->n; i++) {
		struct work *w = &o->work[i];

		rc = rblk_meta_open(&w->disk, w->place->disk, true, why,
				    sizeof(why));
		if (rc == 0 && is_apart(w))
			rc = rblk_meta_open(&w->meta, w->place->metadata_disk,
					    true, why, sizeof(why));
		if (rc < 0)
			return rblk_cli_fail(rblk_exit_from_errno(-rc),
					     o->resource->name, "volume %u: %s",
					     w->volume->id, why);
		if (rblk_meta_find(meta_dev(w), &w->found) < 0 ||
		    rblk_probe_fd(w->disk.fd, &w->probe) < 0)
			return rblk_cli_fail(RBLK_EXIT_REFUSED,
					     o->resource->name,
					     "volume %u: cannot read %s",
					     w->volume->id, w->place->disk);
	}
	return 0;
}

static int plan_one(const struct order *o, struct work *w)
{
	struct rblk_ondisk_super *s = &w->super;
	enum rblk_ondisk_error err;
	char text[32];

	memcpy(s->name, o->resource->name, sizeof(s->name));
	rblk_ident_uuid(o->config->cluster, o->resource->name, s->set);
	rblk_meta_new_member(s->member);
	s->node_id = o->node->id;
	s->volume = w->volume->id;
	s->created_s = time(NULL);
	s->record.serial = 1;
	s->geo = (struct rblk_geometry){
		.layout = w->place->metadata,
		.bit_shift = RBLK_ONDISK_BIT_SHIFT,
		.extent_shift = rblk_ondisk_extent_shift(w->disk.bytes),
		.ring_blocks = RBLK_ONDISK_RING,
		.disk_bytes = w->disk.bytes,
		.meta_bytes = meta_dev(w)->bytes,
		.data_bytes = o->size,
	};
	err = rblk_ondisk_lay_out(&s->geo);
	if (err == RBLK_ONDISK_OK)
		return 0;
	return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
			     "volume %u: %s (%s) is %s%s", w->volume->id,
			     meta_dev(w)->path,
			     rblk_text_bytes(text, sizeof(text),
					     meta_dev(w)->bytes),
			     rblk_ondisk_strerror(err),
			     o->size ? " of this --size" : "");
}

/* Data is to stay where it is: is there room behind it? */
static int check_adoption(const struct order *o, const struct work *w)
{
	uint64_t room = w->super.geo.data_bytes;
	uint64_t used = w->probe.used_bytes;
	const char *disk = w->place->disk;
	char have[32], less[32];

	if (w->place->metadata == RBLK_METADATA_START)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "volume %u: metadata = start would overwrite what %s holds: write metadata = end (or a device of its own) into the configuration to adopt it",
				     w->volume->id, disk);
	if (used > room)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "volume %u: the %s on %s takes %llu bytes and leaves no room for metadata: shrink it by %llu bytes (%s) or more, to at most %llu bytes (%s)",
				     w->volume->id, w->probe.type, disk,
				     (unsigned long long)used,
				     (unsigned long long)(used - room),
				     rblk_text_bytes(less, sizeof(less),
						     used - room),
				     (unsigned long long)room,
				     rblk_text_bytes(have, sizeof(have), room));
	if (!used && !o->force && !is_apart(w))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "volume %u: %s%s on %s: nobody can tell whether its last %llu bytes are free; if they are, add --force",
				     w->volume->id,
				     *w->probe.type ? "there is " :
				     "nothing that is known",
				     w->probe.type, disk,
				     (unsigned long long)
				     (w->super.geo.disk_bytes - room));
	return 0;
}

static int plan_all(struct order *o)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < o->n && rc == 0; i++) {
		rc = plan_one(o, &o->work[i]);
		if (rc == 0 && o->adopt)
			rc = check_adoption(o, &o->work[i]);
	}
	return rc;
}

static void describe_found(const struct work *w)
{
	const struct rblk_ondisk_super *s = rblk_meta_super(&w->found);

	if (w->found.verdict == RBLK_ONDISK_OK)
		printf("    %s holds rblk metadata: resource %s, volume %u, node %u, data %s: it will be replaced\n",
		       meta_dev(w)->path, s->name, s->volume, s->node_id,
		       s->record.data == RBLK_DATA_NEW ? "new" :
		       "with a history");
	else if (w->found.verdict != RBLK_ONDISK_ABSENT)
		printf("    %s holds %s\n", meta_dev(w)->path,
		       rblk_ondisk_strerror(w->found.verdict));
}

static void describe(const struct order *o, const struct work *w)
{
	const char *layout = rblk_meta_layout_name(w->place->metadata);
	char text[32];

	printf("volume %u on %s: %s of data, metadata %s%s\n", w->volume->id,
	       w->place->disk,
	       rblk_text_bytes(text, sizeof(text), w->super.geo.data_bytes),
	       is_apart(w) ? "on " : "at the ",
	       is_apart(w) ? w->place->metadata_disk : layout);
	describe_found(w);
	if (!*w->probe.type)
		printf("    %s holds nothing that is known\n", w->place->disk);
	else
		printf("    %s holds: %s%s%s%s%s\n", w->place->disk,
		       w->probe.type, *w->probe.label ? " \"" : "",
		       w->probe.label, *w->probe.label ? "\"" : "",
		       o->adopt ? ": it stays" :
		       w->place->metadata == RBLK_METADATA_START ?
		       ": IT WILL BE LOST" :
		       ": it stays in place, but the end of it may be OVERWRITTEN");
}

static bool is_sure(void)
{
	char line[16];

	printf("Write this metadata? Type yes: ");
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) && strcmp(line, "yes\n") == 0;
}

static int write_one(const struct order *o, struct work *w)
{
	int rc = 0;

	/* what was found elsewhere on the device must not be found again */
	if (w->found.verdict != RBLK_ONDISK_ABSENT)
		rc = rblk_meta_wipe(meta_dev(w), w->found.head_at);
	if (rc == 0 && !o->adopt &&
	    w->place->metadata == RBLK_METADATA_START) {
		rc = rblk_probe_wipe(w->disk.fd);
		if (rc == 0)
			rc = rblk_meta_zero(&w->disk, 0,
					    w->super.geo.data_at < BEGINNING ?
					    w->super.geo.data_at : BEGINNING);
	}
	if (rc == 0)
		rc = rblk_meta_create(meta_dev(w), &w->super);
	if (rc < 0)
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "volume %u: writing %s failed: %s",
				     w->volume->id, meta_dev(w)->path,
				     strerror(-rc));
	printf("%s: volume %u: metadata written\n", o->resource->name,
	       w->volume->id);
	return 0;
}

static int create_all(struct order *o)
{
	size_t i;
	int rc = open_all(o);

	if (rc == 0)
		rc = plan_all(o);
	if (rc)
		return rc;
	for (i = 0; i < o->n; i++)
		describe(o, &o->work[i]);
	if (!o->force && !isatty(STDIN_FILENO))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "nothing written: nobody is there to be asked; scripts use --force");
	if (!o->force && !is_sure())
		return rblk_cli_fail(RBLK_EXIT_REFUSED, o->resource->name,
				     "nothing written");
	for (i = 0; i < o->n && rc == 0; i++)
		rc = write_one(o, &o->work[i]);
	return rc;
}

/* The volumes that have metadata on this node, or the one that was asked for. */
static int collect(struct order *o, const char *only)
{
	const struct rblk_config_resource *r = o->resource;
	uint64_t id = 0;
	size_t i;

	if (only && !rblk_text_parse_number(only, RBLK_MAX_VOLUMES - 1, &id))
		return rblk_cli_fail(RBLK_EXIT_USAGE, r->name,
				     "bad volume '%s' (allowed: 0 to 63)", only);
	o->work = calloc(r->volumes_n + 1, sizeof(*o->work));
	if (!o->work)
		return RBLK_EXIT_REFUSED;
	for (i = 0; i < r->volumes_n; i++) {
		const struct rblk_config_place *p =
			&r->volumes[i].on[o->node->id];

		if ((only && r->volumes[i].id != id) ||
		    p->metadata == RBLK_METADATA_NONE)
			continue;
		o->work[o->n].volume = &r->volumes[i];
		o->work[o->n].place = p;
		o->work[o->n].disk.fd = -1;
		o->work[o->n++].meta.fd = -1;
	}
	if (o->n)
		return 0;
	return rblk_cli_fail(RBLK_EXIT_NOT_FOUND, r->name, only ?
			     "no volume %s with metadata on this node" :
			     "no volume has metadata on this node", only);
}

static int find_names(struct rblk_cli *cli, struct order *o, const char *name)
{
	o->node = rblk_cli_node(cli, o->config);
	if (!o->node)
		return rblk_cli_fail(RBLK_EXIT_CONFIG, NULL,
				     "this node is not in %s; say who it is with --node",
				     cli->config_path);
	o->resource = rblk_config_resource(o->config, name);
	if (!o->resource)
		return rblk_cli_fail(RBLK_EXIT_NOT_FOUND, name,
				     "no such resource in the configuration");
	if (!((o->resource->members | o->resource->witnesses) &
	      (1U << o->node->id)))
		return rblk_cli_fail(RBLK_EXIT_REFUSED, name,
				     "is not configured on this node (%s)",
				     o->node->name);
	return 0;
}

int rblk_cmd_create(struct rblk_cli *cli, int argc, char **argv)
{
	const char *size = NULL, *volume = NULL;
	bool register_only = false;
	struct order o = { .n = 0 };
	const struct rblk_cli_option options[] = {
		{ "adopt", &o.adopt, NULL }, { "force", &o.force, NULL },
		{ "size", NULL, &size }, { "volume", NULL, &volume },
		{ "register", &register_only, NULL },
		{ NULL, NULL, NULL },
	};
	struct rblk_config *config;
	size_t i;
	int rc = rblk_cli_options("create", options, &argc, &argv);

	if (rc)
		return rc;
	if (argc != 1)
		return rblk_cli_usage("create");
	if (register_only && (o.adopt || size || volume))
		return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
				     "--register writes nothing to disks: it does not go with --adopt, --size or --volume");
	if (size && (!rblk_text_parse_size(size, &o.size) || o.size == 0 ||
		     o.size % RBLK_ONDISK_BLOCK))
		return rblk_cli_fail(RBLK_EXIT_USAGE, NULL,
				     "bad --size '%s' (allowed: a multiple of 4KiB with B, KiB, MiB or GiB, such as 30GiB)",
				     size);
	config = rblk_cli_config(cli);
	if (!config)
		return RBLK_EXIT_CONFIG;
	o.config = config;
	rc = find_names(cli, &o, argv[0]);
	if (rc == 0 && register_only && (!rblk_config_decides(o.resource) ||
	    o.resource->failover.arbiter != RBLK_CONFIG_ETCD))
		rc = rblk_cli_fail(RBLK_EXIT_REFUSED, o.resource->name,
				   "--register is for failover = auto with arbiter = etcd");
	if (rc == 0 && !register_only &&
	    o.resource->members & (1U << o.node->id)) {
		rc = collect(&o, volume);
		if (rc == 0)
			rc = create_all(&o);
	}
	if (rc == 0)
		rc = rblk_cli_create_register(config, o.resource, o.node,
					      register_only);
	for (i = 0; i < o.n; i++) {
		rblk_meta_close(&o.work[i].disk);
		rblk_meta_close(&o.work[i].meta);
	}
	free(o.work);
	rblk_config_free(config);
	return rc;
}
