// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_parse.c - run libconfuse over the tokens, keep the places
 *
 * libconfuse's callbacks carry no pointer of ours, so the parse that is
 * running is a static variable; a process parses one configuration at a time.
 */
#include "config_parse.h"

#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define SECTION	(CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES)
#define WORD(name)	CFG_STR_CB(name, NULL, CFGF_NODEFAULT, value_seen)
#define LIST(name)	CFG_STR_LIST_CB(name, NULL, CFGF_NODEFAULT, value_seen)

static struct rblk_parse *running;

static const struct rblk_token *token_at(const struct rblk_parse *p, int line)
{
	size_t i = line < 1 ? 0 : (size_t)line - 1;

	return &p->tokens.v[i < p->tokens.n ? i : p->tokens.n - 1];
}

static void add_mark(struct rblk_parse *p, const void *key,
		     const struct rblk_token *token)
{
	p->marks = rblk_xrealloc(p->marks,
				 (p->marks_n + 1) * sizeof(*p->marks));
	p->marks[p->marks_n++] = (struct rblk_mark){
		.key = key, .token = token - p->tokens.v,
	};
}

static const struct rblk_pos *find_mark(const struct rblk_parse *p,
					const void *key, unsigned int nth)
{
	size_t i;

	for (i = 0; i < p->marks_n; i++)
		if (p->marks[i].key == key && nth-- == 0)
			return &p->tokens.v[p->marks[i].token].pos;
	return NULL;
}

const char *rblk_parse_section_name(const cfg_t *section)
{
	static char name[RBLK_NAME_SIZE + 64];

	if (!section->title)
		return rblk_text_format(name, sizeof(name), "%s",
					strcmp(section->name, "root") ?
					section->name : "");
	return rblk_text_format(name, sizeof(name), "%s \"%.80s\"",
				section->name, section->title);
}

/* The title and the '{' of the section that ends with @close. */
static const struct rblk_token *open_of(const struct rblk_parse *p,
					const struct rblk_token *close)
{
	unsigned int depth = 0;

	for (; close > p->tokens.v; close--) {
		if (close->type != RBLK_TOKEN_PUNCT)
			continue;
		if (close->text[0] == '}')
			depth++;
		else if (close->text[0] == '{' && --depth == 0)
			break;
	}
	return close;
}

static int value_seen(cfg_t *cfg, cfg_opt_t *opt, const char *value,
		      void *result)
{
	const struct rblk_token *token = token_at(running, cfg->line);
	const struct rblk_pos *first = find_mark(running, opt, 0);

	*(const char **)result = value;
	if (first && !(opt->flags & CFGF_LIST)) {
		rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR,
			       &token[-2].pos, "'%s' is given twice", opt->name);
		rblk_diags_add(&running->config->diags, RBLK_DIAG_NOTE, first,
			       "first given here");
		return 0;
	}
	add_mark(running, opt, token);
	return 0;
}

static int section_ended(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct rblk_token *open = open_of(running,
						token_at(running, cfg->line));
	const cfg_t *section = opt->values[opt->nvalues - 1]->section;

	if (open > running->tokens.v)
		open--;
	if (find_mark(running, section, 0) && !(opt->flags & CFGF_MULTI)) {
		rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR,
			       &open->pos, "section '%s' is given twice",
			       opt->name);
		rblk_diags_add(&running->config->diags, RBLK_DIAG_NOTE,
			       find_mark(running, section, 0),
			       "first given here");
		return 0;
	}
	add_mark(running, section, open);
	return 0;
}

static char *join_names(const cfg_t *cfg)
{
	char *all = rblk_xstrdup("");
	int i;

	for (i = 0; cfg->opts[i].name; i++) {
		char *more = rblk_xasprintf("%s%s%s", all, i ? ", " : "",
					    cfg->opts[i].name);

		free(all);
		all = more;
	}
	return all;
}

static void report_unknown(cfg_t *cfg, const struct rblk_token *token)
{
	const char *names[32] = { 0 };
	const char *where = rblk_parse_section_name(cfg);
	const char *guess;
	char *all = join_names(cfg);
	char *hint;
	int i;

	for (i = 0; i < 31 && cfg->opts[i].name; i++)
		names[i] = cfg->opts[i].name;
	guess = rblk_text_suggest(token->text, names);
	hint = guess ? rblk_xasprintf("; did you mean '%s'?", guess) :
		       rblk_xasprintf(" (allowed: %s%s)", all,
				      *where ? "" : ", include");
	rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR, &token->pos,
		       "unknown option '%s'%s%s%s", token->text,
		       *where ? " in " : "", where, hint);
	free(hint);
	free(all);
}

static void report_duplicate(cfg_t *cfg, const struct rblk_token *open)
{
	const struct rblk_token *title = open - 1;
	const char *keyword = title > running->tokens.v ? title[-1].text : "?";
	cfg_opt_t *opt = cfg_getopt(cfg, keyword);
	unsigned int i;

	rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR, &title->pos,
		       "%s \"%s\" is defined twice", keyword, title->text);
	for (i = 0; opt && i < opt->nvalues; i++) {
		const cfg_t *sec = opt->values[i]->section;
		const struct rblk_pos *first = find_mark(running, sec, 0);

		if (first && sec->title && !strcmp(sec->title, title->text))
			rblk_diags_add(&running->config->diags, RBLK_DIAG_NOTE,
				       first, "first defined here");
	}
}

static void report(cfg_t *cfg, const char *fmt, va_list ap)
{
	const struct rblk_token *token = token_at(running, cfg->line);
	const struct rblk_token *before = token > running->tokens.v ?
					  token - 1 : token;
	const char *expected = NULL;
	char text[512];

	if (strstr(fmt, "no such option")) {
		report_unknown(cfg, token);
		return;
	}
	if (strstr(fmt, "duplicate title")) {
		report_duplicate(cfg, token);
		return;
	}
	if (strstr(fmt, "missing equal sign"))
		expected = "'='";
	else if (strstr(fmt, "missing opening brace"))
		expected = "'{'";
	else if (strstr(fmt, "missing title"))
		expected = "a name";
	else if (strstr(fmt, "unexpected token") &&
		 before->type == RBLK_TOKEN_PUNCT && before->text[0] == '=')
		expected = "a value";
	if (token->type == RBLK_TOKEN_END || strstr(fmt, "premature end"))
		token = &running->tokens.v[running->tokens.n - 1];
	if (expected) {
		rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR,
			       &token->pos, "expected %s after '%s', got '%s'",
			       expected, before->text, token->text);
		return;
	}
	if (strstr(fmt, "unexpected token") || strstr(fmt, "premature end")) {
		rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR,
			       &token->pos, "unexpected '%s'", token->text);
		return;
	}
	vsnprintf(text, sizeof(text), fmt, ap);
	rblk_diags_add(&running->config->diags, RBLK_DIAG_ERROR, &token->pos,
		       "%s", text);
}

static cfg_t *create_parser(void)
{
	cfg_opt_t volume[] = {
		WORD("minor"), WORD("disk"), WORD("block-size"),
		WORD("metadata"), CFG_END()
	};
	cfg_opt_t on[] = {
		WORD("protocol"), WORD("read-from-backup"),
		CFG_SEC("volume", volume, SECTION), CFG_END()
	};
	cfg_opt_t resource[] = {
		WORD("protocol"), WORD("acks"), WORD("log-size"),
		WORD("data-crc"), WORD("zero-detect"), WORD("read-from-backup"),
		WORD("on-disk-error"), WORD("disk-timeout"), WORD("failover"),
		WORD("arbiter"), WORD("lease"), WORD("lease-margin"),
		WORD("on-lease-expiry"), WORD("min-in-sync"),
		WORD("below-min-in-sync"), WORD("promotion"),
		LIST("successor"), LIST("nodes"),
		CFG_SEC("volume", volume, SECTION), CFG_SEC("on", on, SECTION),
		CFG_END()
	};
	cfg_opt_t fence[] = {
		WORD("agent"), LIST("options"), WORD("options-file"),
		WORD("timeout"), WORD("retries"), WORD("level"), CFG_END()
	};
	cfg_opt_t node[] = {
		WORD("id"), WORD("address"), WORD("address-2"), WORD("witness"),
		WORD("fence-delay"), WORD("watchdog"),
		CFG_SEC("fence", fence, SECTION),
		CFG_END()
	};
	cfg_opt_t cluster[] = { WORD("key-file"), CFG_END() };
	cfg_opt_t net[] = { WORD("timeout"), CFG_END() };
	cfg_opt_t heartbeat[] = {
		WORD("interval"), WORD("misses"), CFG_END()
	};
	cfg_opt_t etcd[] = {
		LIST("endpoints"), WORD("ca-file"), WORD("cert-file"),
		WORD("key-file"), CFG_END()
	};
	cfg_opt_t top[] = {
		CFG_SEC("cluster", cluster, SECTION), CFG_SEC("net", net, 0),
		CFG_SEC("heartbeat", heartbeat, 0), CFG_SEC("etcd", etcd, 0),
		CFG_SEC("node", node, SECTION),
		CFG_SEC("resource", resource, SECTION), CFG_END()
	};
	static const char *const sections[] = {
		"cluster", "net", "heartbeat", "etcd", "node", "node|fence", "resource",
		"resource|volume", "resource|on", "resource|on|volume",
	};
	cfg_t *cfg = cfg_init(top, CFGF_NONE);
	size_t i;

	if (!cfg)
		abort();
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		cfg_set_validate_func(cfg, sections[i], section_ended);
	cfg_set_error_function(cfg, report);
	return cfg;
}

bool rblk_parse_run(struct rblk_parse *p)
{
	char *text = rblk_tokens_render(&p->tokens);
	size_t errors = p->config->diags.errors;
	int rc;

	if (!text)
		return false;
	running = p;
	p->cfg = create_parser();
	rc = cfg_parse_buf(p->cfg, text);
	if (rc != CFG_SUCCESS && p->config->diags.errors == errors)
		rblk_diags_add(&p->config->diags, RBLK_DIAG_ERROR,
			       &token_at(p, p->cfg->line)->pos, "syntax error");
	running = NULL;
	free(text);
	return rc == CFG_SUCCESS;
}

void rblk_parse_free(struct rblk_parse *p)
{
	if (p->cfg)
		cfg_free(p->cfg);
	free(p->marks);
	rblk_tokens_free(&p->tokens);
}

const struct rblk_pos *rblk_parse_section_pos(const struct rblk_parse *p,
					      const cfg_t *section)
{
	const struct rblk_pos *pos = find_mark(p, section, 0);

	return pos ? pos : &p->tokens.v[p->tokens.n - 1].pos;
}

const struct rblk_pos *rblk_parse_value_pos(const struct rblk_parse *p,
					    cfg_t *section, const char *name,
					    unsigned int i)
{
	const struct rblk_pos *pos = find_mark(p, cfg_getopt(section, name), i);

	return pos ? pos : rblk_parse_section_pos(p, section);
}
