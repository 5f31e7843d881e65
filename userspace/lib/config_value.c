// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_value.c - one value of a section: a word to what it means
 */
#include "config_build.h"

#include "text.h"
#include "xalloc.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#define NAME_RULE \
	"1 to 63 of A-Z a-z 0-9 . _ -, not starting with '.' or '-'"

const char *rblk_build_value(cfg_t *sec, const char *name)
{
	return cfg_size(sec, name) ? cfg_getstr(sec, name) : NULL;
}

void rblk_build_fail(const struct rblk_builder *b, cfg_t *sec, const char *name,
		     const char *allowed)
{
	rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
		       rblk_parse_value_pos(b->parse, sec, name, 0),
		       "bad %s \"%s\" (allowed: %s)", name,
		       rblk_build_value(sec, name), allowed);
}

void rblk_build_fail_missing(const struct rblk_builder *b, cfg_t *sec,
			     const char *name, const char *example)
{
	rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
		       rblk_parse_section_pos(b->parse, sec),
		       "%s lacks '%s' (such as: %s = %s)",
		       rblk_parse_section_name(sec), name, name, example);
}

bool rblk_build_name(const struct rblk_builder *b, cfg_t *sec,
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

bool rblk_build_yes(const struct rblk_builder *b, cfg_t *sec, const char *name,
		    bool fallback)
{
	const char *text = rblk_build_value(sec, name);

	if (!text)
		return fallback;
	if (strcmp(text, "yes") == 0 || strcmp(text, "no") == 0)
		return text[0] == 'y';
	rblk_build_fail(b, sec, name, "yes, no");
	return fallback;
}

unsigned int rblk_build_choice(const struct rblk_builder *b, cfg_t *sec,
			       const char *name, const char *const *words,
			       const char *allowed)
{
	const char *text = rblk_build_value(sec, name);
	unsigned int i;

	for (i = 0; text && words[i]; i++)
		if (strcmp(text, words[i]) == 0)
			return i;
	if (text)
		rblk_build_fail(b, sec, name, allowed);
	return 0;
}

void rblk_build_number(const struct rblk_builder *b, cfg_t *sec,
		       const char *name, unsigned int min, unsigned int max,
		       uint8_t *value)
{
	const char *text = rblk_build_value(sec, name);
	char allowed[32];
	uint64_t number;

	if (!text)
		return;
	if (rblk_text_parse_number(text, max, &number) && number >= min)
		*value = number;
	else
		rblk_build_fail(b, sec, name,
				rblk_text_format(allowed, sizeof(allowed),
						 "%u to %u", min, max));
}

bool rblk_build_duration(const struct rblk_builder *b, cfg_t *sec,
			 const char *name, const uint32_t range[2],
			 const char *allowed, uint32_t *ms)
{
	const char *text = rblk_build_value(sec, name);
	uint64_t value;

	if (!text)
		return false;
	if (!rblk_text_parse_duration(text, &value) || value < range[0] ||
	    value > range[1]) {
		rblk_build_fail(b, sec, name, allowed);
		return false;
	}
	*ms = value;
	return true;
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

void rblk_build_address(const struct rblk_builder *b, cfg_t *sec,
			const char *name, char **text,
			struct sockaddr_storage *addr)
{
	*text = rblk_xstrdup(rblk_build_value(sec, name));
	if (!parse_address(*text, addr))
		rblk_build_fail(b, sec, name,
				"a numeric address with or without port, such as \"10.0.0.1:7790\" or \"[fd00::1]:7790\"");
}

const struct rblk_config_node *
rblk_build_node_called(const struct rblk_builder *b, const char *name,
		       const struct rblk_pos *pos)
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
