// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_etcd.c - where the etcd is that keeps registers, and what that takes
 */
#include "config_build.h"

#include "curl.h"
#include "text.h"
#include "xalloc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ENDPOINTS	16

static size_t skip(const char *text, const char *more)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || (text[n] && strchr(more, text[n])))
		n++;
	return n;
}

/* A scheme, a host, perhaps a port, and nothing else. */
static bool is_endpoint(const char *text)
{
	uint64_t port;
	size_t n;

	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return false;
	text = strstr(text, "//") + 2;
	if (*text == '[') {
		n = 1 + skip(text + 1, ":.");
		if (n < 3 || text[n++] != ']')
			return false;
	} else {
		n = skip(text, ".-_");
	}
	if (n == 0 || n > 255 || !text[n])
		return n > 0 && n <= 255;
	return text[n] == ':' && rblk_text_parse_number(text + n + 1, 65535, &port) &&
	       port > 0;
}

static bool is_https(const char *endpoint)
{
	return strncmp(endpoint, "https", 5) == 0;
}

static bool is_local(const char *endpoint)
{
	const char *host = strstr(endpoint, "//") + 2;

	return strncmp(host, "127.", 4) == 0 || strncmp(host, "[::1]", 5) == 0 ||
	       strncmp(host, "localhost", 9) == 0;
}

static void build_endpoint(const struct rblk_builder *b, cfg_t *sec, unsigned int i)
{
	struct rblk_config_etcd *etcd = &b->config->etcd;
	const struct rblk_pos *pos = rblk_parse_value_pos(b->parse, sec, "endpoints",
							  i);
	const char *text = cfg_getnstr(sec, "endpoints", i);
	size_t j;

	if (!is_endpoint(text)) {
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
			       "bad endpoint \"%s\" (allowed: https:// or http://, a host, a port, such as \"https://10.0.0.5:2379\")",
			       text);
		return;
	}
	for (j = 0; j < etcd->endpoints_n; j++)
		if (strcmp(etcd->endpoints[j], text) == 0)
			rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, pos,
				       "endpoint \"%s\" is in the list twice", text);
	if (!is_https(text) && !is_local(text))
		rblk_diags_add(&b->config->diags, RBLK_DIAG_WARNING, pos,
			       "endpoint \"%s\" is neither encrypted nor authenticated: whoever is on that network can make two primaries; use https",
			       text);
	etcd->endpoints[etcd->endpoints_n++] = rblk_xstrdup(text);
}

static void build_file(const struct rblk_builder *b, cfg_t *sec, const char *name,
		       char **path, struct rblk_pos *pos)
{
	const char *text = rblk_build_value(sec, name);

	*pos = *rblk_parse_value_pos(b->parse, sec, name, 0);
	if (!text)
		return;
	*path = rblk_xstrdup(text);
	if (text[0] != '/')
		rblk_build_fail(b, sec, name, "an absolute path");
}

static void check_files(const struct rblk_builder *b)
{
	const struct rblk_config_etcd *etcd = &b->config->etcd;
	bool encrypted = false;
	size_t i;

	for (i = 0; i < etcd->endpoints_n; i++)
		encrypted |= is_https(etcd->endpoints[i]);
	if (!encrypted && (etcd->ca_file || etcd->cert_file || etcd->key_file))
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       etcd->ca_file ? &etcd->ca_file_pos :
			       etcd->cert_file ? &etcd->cert_file_pos :
			       &etcd->key_file_pos,
			       "files for TLS do nothing without an https endpoint");
	if (!etcd->cert_file != !etcd->key_file)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, etcd->cert_file ?
			       &etcd->cert_file_pos : &etcd->key_file_pos,
			       "cert-file and key-file go together: one is missing");
}

void rblk_build_etcd(const struct rblk_builder *b, cfg_t *top)
{
	struct rblk_config_etcd *etcd = &b->config->etcd;
	unsigned int i, n;
	cfg_t *sec;

	if (cfg_size(top, "etcd") == 0)
		return;
	sec = cfg_getnsec(top, "etcd", 0);
	etcd->pos = *rblk_parse_section_pos(b->parse, sec);
	n = cfg_size(sec, "endpoints");
	etcd->endpoints = rblk_xcalloc(n + 1, sizeof(*etcd->endpoints));
	if (n > MAX_ENDPOINTS)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       rblk_parse_value_pos(b->parse, sec, "endpoints", 0),
			       "%u endpoints (allowed: %d)", n, MAX_ENDPOINTS);
	for (i = 0; i < n && i < MAX_ENDPOINTS; i++)
		build_endpoint(b, sec, i);
	build_file(b, sec, "ca-file", &etcd->ca_file, &etcd->ca_file_pos);
	build_file(b, sec, "cert-file", &etcd->cert_file, &etcd->cert_file_pos);
	build_file(b, sec, "key-file", &etcd->key_file, &etcd->key_file_pos);
	if (n)
		check_files(b);
	else if (rblk_build_value(sec, "ca-file") || rblk_build_value(sec, "cert-file") ||
		 rblk_build_value(sec, "key-file"))
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR, &etcd->pos,
			       "etcd lacks 'endpoints' (such as: endpoints = { \"https://10.0.0.5:2379\" })");
}

/* The files must be there where rblkd runs; another machine cannot tell. */
static void check_file(struct rblk_config *c, const char *what, const char *path,
		       const struct rblk_pos *pos, bool secret,
		       enum rblk_severity severity)
{
	struct stat st;

	if (!path)
		return;
	if (stat(path, &st) < 0)
		rblk_diags_add(&c->diags, severity, pos, "%s %s: %s", what, path,
			       strerror(errno));
	else if (!S_ISREG(st.st_mode))
		rblk_diags_add(&c->diags, severity, pos, "%s %s is not a file", what,
			       path);
	else if (secret && st.st_mode & 0177)
		rblk_diags_add(&c->diags, severity, pos,
			       "%s %s has mode %04o: others could read it; run 'chmod 0600 %s'",
			       what, path, st.st_mode & 07777, path);
}

void rblk_config_check_etcd_files(struct rblk_config *c, enum rblk_severity severity)
{
	const struct rblk_config_etcd *etcd = &c->etcd;
	char why[512];

	if (!rblk_curl(why, sizeof(why)))
		rblk_diags_add(&c->diags, severity, &etcd->pos, "%s", why);
	check_file(c, "ca-file", etcd->ca_file, &etcd->ca_file_pos, false, severity);
	check_file(c, "cert-file", etcd->cert_file, &etcd->cert_file_pos, false,
		   severity);
	check_file(c, "key-file", etcd->key_file, &etcd->key_file_pos, true, severity);
}

void rblk_config_free_etcd(struct rblk_config_etcd *etcd)
{
	size_t i;

	for (i = 0; i < etcd->endpoints_n; i++)
		free(etcd->endpoints[i]);
	free(etcd->endpoints);
	free(etcd->ca_file);
	free(etcd->cert_file);
	free(etcd->key_file);
}
