// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config.c - load a configuration, look things up in it, read the key
 */
#include "config.h"

#include "config_build.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rblk_config *finish(struct rblk_config *config,
				  struct rblk_parse *p, bool scanned)
{
	if (scanned && rblk_parse_run(p)) {
		if (config->diags.errors == 0)
			rblk_config_build(config, p);
		if (config->diags.errors == 0)
			rblk_config_check(config);
	}
	rblk_parse_free(p);
	return config;
}

struct rblk_config *rblk_config_load(const char *path)
{
	struct rblk_config *config = rblk_xcalloc(1, sizeof(*config));
	struct rblk_parse p = { .config = config };

	return finish(config, &p,
		      rblk_config_scan_file(config, &p.tokens, path));
}

struct rblk_config *rblk_config_parse(const char *name, const char *text,
				      size_t len)
{
	struct rblk_config *config = rblk_xcalloc(1, sizeof(*config));
	struct rblk_parse p = { .config = config };

	return finish(config, &p,
		      rblk_config_scan_text(config, &p.tokens, name, text,
					    len));
}

static void free_resource(struct rblk_config_resource *r)
{
	size_t i, n;

	for (i = 0; i < r->volumes_n; i++)
		for (n = 0; n < RBLK_MAX_NODES; n++) {
			free(r->volumes[i].on[n].disk);
			free(r->volumes[i].on[n].metadata_disk);
		}
	free(r->volumes);
}

void rblk_config_free_fences(struct rblk_config_node *n)
{
	size_t i, j;

	for (i = 0; i < n->fences_n; i++) {
		struct rblk_config_fence *f = &n->fences[i];

		for (j = 0; j < f->options_n; j++)
			free(f->options[j]);
		free(f->options);
		free(f->options_file);
		free(f->agent);
	}
	free(n->fences);
}

static char *copy(const char *text)
{
	return text ? rblk_xstrdup(text) : NULL;
}

void rblk_config_copy_fences(struct rblk_config_node *to,
			     const struct rblk_config_node *from)
{
	size_t i, j;

	*to = (struct rblk_config_node){
		.id = from->id, .fence_delay_ms = from->fence_delay_ms,
		.fences_n = from->fences_n,
	};
	rblk_text_copy(to->name, sizeof(to->name), from->name);
	to->fences = rblk_xcalloc(from->fences_n + 1, sizeof(*to->fences));
	for (i = 0; i < from->fences_n; i++) {
		const struct rblk_config_fence *f = &from->fences[i];
		struct rblk_config_fence *t = &to->fences[i];

		*t = *f;
		t->agent = copy(f->agent);
		t->options_file = copy(f->options_file);
		t->options = rblk_xcalloc(f->options_n + 1,
					  sizeof(*t->options));
		for (j = 0; j < f->options_n; j++)
			t->options[j] = copy(f->options[j]);
	}
}

static void free_node(struct rblk_config_node *n)
{
	rblk_config_free_fences(n);
	free(n->watchdog);
	free(n->address2);
	free(n->address);
}

void rblk_config_free(struct rblk_config *config)
{
	size_t i;

	if (!config)
		return;
	for (i = 0; i < config->resources_n; i++)
		free_resource(&config->resources[i]);
	for (i = 0; i < config->nodes_n; i++)
		free_node(&config->nodes[i]);
	for (i = 0; i < config->files_n; i++)
		free(config->files[i]);
	rblk_config_free_etcd(&config->etcd);
	rblk_diags_free(&config->diags);
	free(config->resources);
	free(config->files);
	free(config->key_file);
	free(config);
}

const struct rblk_config_node *
rblk_config_node(const struct rblk_config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->nodes_n; i++)
		if (strcmp(config->nodes[i].name, name) == 0)
			return &config->nodes[i];
	return NULL;
}

const struct rblk_config_node *
rblk_config_node_by_id(const struct rblk_config *config, unsigned int id)
{
	size_t i;

	for (i = 0; i < config->nodes_n; i++)
		if (config->nodes[i].id == id)
			return &config->nodes[i];
	return NULL;
}

bool rblk_config_holds_data(const struct rblk_config *config,
			    const struct rblk_config_node *node)
{
	size_t i;

	for (i = 0; i < config->resources_n; i++)
		if (config->resources[i].members & (1U << node->id))
			return true;
	return false;
}

const struct rblk_config_resource *
rblk_config_resource(const struct rblk_config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->resources_n; i++)
		if (strcmp(config->resources[i].name, name) == 0)
			return &config->resources[i];
	return NULL;
}

char *rblk_config_node_list(const struct rblk_config *config)
{
	char *all = rblk_xstrdup(config->nodes_n ? "" : "none");
	size_t i;

	for (i = 0; i < config->nodes_n; i++) {
		char *more = rblk_xasprintf("%s%s%s", all, i ? ", " : "",
					    config->nodes[i].name);

		free(all);
		all = more;
	}
	return all;
}

static size_t read_key_fd(int fd, const char *path,
			  unsigned char key[RBLK_MAX_KEY_BYTES], char *why,
			  size_t why_size)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		rblk_text_format(why, why_size, "key file %s is not a file",
				 path);
		return 0;
	}
	if (st.st_mode & 0177) {
		rblk_text_format(why, why_size,
				 "key file %s has mode %04o: others could read it; run 'chmod 0600 %s'",
				 path, st.st_mode & 07777, path);
		return 0;
	}
	if (st.st_size < RBLK_MIN_KEY_BYTES || st.st_size > RBLK_MAX_KEY_BYTES) {
		rblk_text_format(why, why_size,
				 "key file %s has %lld bytes (allowed: %d to %d); create one with 'openssl rand -hex 32'",
				 path, (long long)st.st_size,
				 RBLK_MIN_KEY_BYTES, RBLK_MAX_KEY_BYTES);
		return 0;
	}
	n = read(fd, key, RBLK_MAX_KEY_BYTES);
	if (n != st.st_size) {
		rblk_text_format(why, why_size, "cannot read key file %s", path);
		return 0;
	}
	return n;
}

size_t rblk_config_read_key(const char *path,
			    unsigned char key[RBLK_MAX_KEY_BYTES],
			    char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len;

	if (fd < 0) {
		rblk_text_format(why, why_size, "cannot read key file %s: %s",
				 path, strerror(errno));
		return 0;
	}
	len = read_key_fd(fd, path, key, why, why_size);
	close(fd);
	return len;
}
