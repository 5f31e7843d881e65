// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * config_failover.c - heartbeats, fencing, and who becomes primary
 */
#include "config_build.h"

#include "text.h"
#include "xalloc.h"

#include <stdlib.h>
#include <string.h>

#define BEAT_MS		1000
#define BEAT_MISSES	5
#define FENCE_MS	20000
#define FENCE_RETRIES	1

/*
 * Of the time that it takes to find a failure the lease gets five parts in six,
 * the margin one: a fifth of the lease. Clocks may be slewed by a twelfth each
 * way (chrony's default limit), so two of them part by a sixth of lease and
 * margin together, which is the margin.
 */
#define LEASE_PARTS	6

void rblk_build_heartbeat(const struct rblk_builder *b, cfg_t *top)
{
	static const uint32_t range[2] = { 100, 10000 };
	struct rblk_config *c = b->config;
	cfg_t *sec = cfg_getsec(top, "heartbeat");

	c->beat_ms = BEAT_MS;
	c->beat_misses = BEAT_MISSES;
	rblk_build_duration(b, sec, "interval", range,
			    "100ms to 10s, a number with ms or s, such as 1s",
			    &c->beat_ms);
	rblk_build_number(b, sec, "misses", 3, 60, &c->beat_misses);
}

uint32_t rblk_config_detect_ms(const struct rblk_config *config)
{
	return config->beat_ms * config->beat_misses;
}

/* ---- fencing ---- */

static bool is_agent(const char *text)
{
	if (strlen(text) >= RBLK_DISK_SIZE)
		return false;
	return text[0] == '/' || rblk_text_name_is_valid(text);
}

static void build_options(const struct rblk_builder *b, cfg_t *sec,
			  struct rblk_config_fence *f)
{
	size_t i;

	f->options_n = cfg_size(sec, "options");
	f->options = rblk_xcalloc(f->options_n + 1, sizeof(*f->options));
	for (i = 0; i < f->options_n; i++) {
		const char *text = cfg_getnstr(sec, "options", i);
		const char *wrong = rblk_config_judge_option(text, false);

		f->options[i] = rblk_xstrdup(text);
		/* not the text: it may be a secret */
		if (wrong)
			rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
				       rblk_parse_value_pos(b->parse, sec,
							    "options", i),
				       "this fence option %s", wrong);
	}
}

static void build_agent(const struct rblk_builder *b, cfg_t *sec,
			struct rblk_config_fence *f)
{
	const char *text = rblk_build_value(sec, "agent");

	f->agent_pos = *rblk_parse_value_pos(b->parse, sec, "agent", 0);
	if (!text) {
		rblk_build_fail_missing(b, sec, "agent", "fence_ipmilan");
		return;
	}
	if (!is_agent(text)) {
		rblk_build_fail(b, sec, "agent",
				"the name of a program in " RBLK_AGENT_DIR ", an absolute path, or manual");
		return;
	}
	if (strcmp(text, "manual") != 0) {
		f->agent = rblk_xstrdup(text);
		return;
	}
	if (f->options_n || f->options_file)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       &f->agent_pos,
			       "a person takes no options: agent = manual waits for 'rblk fence --confirm NODE'");
}

static void build_level(const struct rblk_builder *b, cfg_t *sec,
			struct rblk_config_fence *f,
			const struct rblk_config_fence *before)
{
	f->level = before ? before->level + 1 : 1;
	rblk_build_number(b, sec, "level", 1, 16, &f->level);
	if (before && f->level < before->level)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       rblk_parse_value_pos(b->parse, sec, "level", 0),
			       "level %u comes after level %u; write them in the order in which they are tried",
			       f->level, before->level);
}

static void build_fence(const struct rblk_builder *b, cfg_t *sec,
			struct rblk_config_node *n)
{
	static const uint32_t range[2] = { 1000, 10 * 60 * 1000 };
	struct rblk_config_fence *f;
	const char *text = rblk_build_value(sec, "options-file");

	n->fences = rblk_xrealloc(n->fences,
				  (n->fences_n + 1) * sizeof(*n->fences));
	f = &n->fences[n->fences_n];
	*f = (struct rblk_config_fence){
		.retries = FENCE_RETRIES, .timeout_ms = FENCE_MS,
		.pos = *rblk_parse_section_pos(b->parse, sec),
	};
	rblk_build_name(b, sec, f->name);
	build_options(b, sec, f);
	if (text) {
		f->options_file = rblk_xstrdup(text);
		f->options_file_pos = *rblk_parse_value_pos(b->parse, sec,
							    "options-file", 0);
		if (text[0] != '/')
			rblk_build_fail(b, sec, "options-file",
					"an absolute path");
	}
	build_agent(b, sec, f);
	build_level(b, sec, f, n->fences_n ? &f[-1] : NULL);
	rblk_build_number(b, sec, "retries", 0, 9, &f->retries);
	rblk_build_duration(b, sec, "timeout", range,
			    "1s to 10min, a number with ms, s or min, such as 20s",
			    &f->timeout_ms);
	n->fences_n++;
}

void rblk_build_node_cluster(const struct rblk_builder *b, cfg_t *sec,
			     struct rblk_config_node *n)
{
	static const uint32_t range[2] = { 0, 60000 };
	unsigned int i;

	n->address2_pos = *rblk_parse_value_pos(b->parse, sec, "address-2", 0);
	if (rblk_build_value(sec, "address-2"))
		rblk_build_address(b, sec, "address-2", &n->address2,
				   &n->addr2);
	n->witness = rblk_build_yes(b, sec, "witness", false);
	rblk_build_duration(b, sec, "fence-delay", range,
			    "0s to 60s, a number with ms or s, such as 5s",
			    &n->fence_delay_ms);
	for (i = 0; i < cfg_size(sec, "fence"); i++)
		build_fence(b, cfg_getnsec(sec, "fence", i), n);
	n->watchdog_pos = *rblk_parse_value_pos(b->parse, sec, "watchdog", 0);
	if (rblk_build_value(sec, "watchdog")) {
		n->watchdog = rblk_xstrdup(rblk_build_value(sec, "watchdog"));
		if (n->watchdog[0] != '/')
			rblk_build_fail(b, sec, "watchdog",
					"the absolute path of a device, such as /dev/watchdog");
	}
	if (n->witness && n->fences_n)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       &n->fences[0].pos,
			       "node \"%s\" is a witness: it is never switched off, so it has no fence",
			       n->name);
}

/* ---- failover ---- */

static void build_successors(const struct rblk_builder *b, cfg_t *sec,
			     struct rblk_config_failover *f)
{
	unsigned int i, n = cfg_size(sec, "successor");

	for (i = 0; i < n && i < RBLK_MAX_NODES; i++) {
		const struct rblk_pos *pos = rblk_parse_value_pos(b->parse, sec,
								  "successor", i);
		const struct rblk_config_node *node =
			rblk_build_node_called(b, cfg_getnstr(sec, "successor", i),
					       pos);

		if (!node)
			continue;
		f->successors[f->successors_n] = node->id;
		f->successors_pos[f->successors_n++] = *pos;
	}
}

static void build_promotion(const struct rblk_builder *b, cfg_t *sec,
			    struct rblk_config_failover *f)
{
	static const char *const words[] = {
		[RBLK_CONFIG_MOST_UP_TO_DATE] = "most-up-to-date",
		[RBLK_CONFIG_SUCCESSOR] = "successor",
		[RBLK_CONFIG_ELECTION] = "election", NULL
	};
	bool given = rblk_build_value(sec, "promotion");
	bool listed = cfg_size(sec, "successor") > 0;

	f->promotion = rblk_build_choice(b, sec, "promotion", words,
					 "most-up-to-date, successor, election");
	build_successors(b, sec, f);
	if (!given && listed)
		f->promotion = RBLK_CONFIG_SUCCESSOR;
	if ((f->promotion == RBLK_CONFIG_SUCCESSOR) != listed)
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       rblk_parse_value_pos(b->parse, sec, "promotion", 0),
			       listed ? "a list of successors is of no use with this promotion" :
					"promotion = successor needs a list (such as: successor = { alpha, bravo })");
}

static void build_lease(const struct rblk_builder *b, cfg_t *sec,
			struct rblk_config_failover *f)
{
	static const uint32_t lease[2] = { 200, 10 * 60 * 1000 };
	static const uint32_t margin[2] = { 10, 10 * 60 * 1000 };
	uint32_t detect = rblk_config_detect_ms(b->config);
	bool has_lease, has_margin;

	has_lease = rblk_build_duration(b, sec, "lease", lease,
					"200ms to 10min, a number with ms, s or min, such as 4s",
					&f->lease_ms);
	has_margin = rblk_build_duration(b, sec, "lease-margin", margin,
					 "10ms to 10min, a number with ms, s or min, such as 800ms",
					 &f->margin_ms);
	f->margin_pos = has_margin ? *rblk_parse_value_pos(b->parse, sec,
						"lease-margin", 0) : f->pos;
	f->lease_pos = has_lease ? *rblk_parse_value_pos(b->parse, sec, "lease",
							 0) : f->margin_pos;
	if (!has_margin)
		f->margin_ms = has_lease ? f->lease_ms / (LEASE_PARTS - 1) :
					   detect / LEASE_PARTS;
	if (!has_lease)
		f->lease_ms = detect > f->margin_ms ? detect - f->margin_ms : 0;
}

/* An option that does nothing is one that somebody relies on in vain. */
static void refuse_idle(const struct rblk_builder *b, cfg_t *sec, bool manual)
{
	static const char *const names[] = {
		"arbiter", "lease", "lease-margin", "on-lease-expiry",
		"min-in-sync", "below-min-in-sync", "promotion", "successor",
	};
	size_t i;

	for (i = manual ? 0 : 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (cfg_size(sec, names[i]))
			rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
				       rblk_parse_value_pos(b->parse, sec,
							    names[i], 0),
				       "'%s' does nothing %s", names[i], manual ?
				       "without failover = auto" :
				       "with arbiter = external");
}

static void build_automatic(const struct rblk_builder *b, cfg_t *sec,
			    struct rblk_config_resource *r)
{
	static const char *const answers[] = { "suspend", "error", NULL };
	struct rblk_config_failover *f = &r->failover;
	unsigned int i;

	for (i = 0; f->arbiter == RBLK_CONFIG_BUILTIN && i < b->config->nodes_n; i++)
		if (b->config->nodes[i].witness)
			r->witnesses |= 1U << b->config->nodes[i].id;
	build_lease(b, sec, f);
	f->lease_error = rblk_build_choice(b, sec, "on-lease-expiry", answers,
					   "suspend, error");
	f->min_in_sync_pos = *rblk_parse_value_pos(b->parse, sec,
						   "min-in-sync", 0);
	rblk_build_number(b, sec, "min-in-sync", 1, RBLK_MAX_NODES,
			  &f->min_in_sync);
	f->min_in_sync_error = rblk_build_choice(b, sec, "below-min-in-sync",
						 answers, "suspend, error");
	if (rblk_build_value(sec, "below-min-in-sync") &&
	    !rblk_build_value(sec, "min-in-sync"))
		rblk_diags_add(&b->config->diags, RBLK_DIAG_ERROR,
			       rblk_parse_value_pos(b->parse, sec,
						    "below-min-in-sync", 0),
			       "'below-min-in-sync' does nothing without min-in-sync");
	build_promotion(b, sec, f);
}

void rblk_build_failover(const struct rblk_builder *b, cfg_t *sec,
			 struct rblk_config_resource *r)
{
	static const char *const modes[] = { "manual", "auto", NULL };
	static const char *const arbiters[] = {
		[RBLK_CONFIG_BUILTIN] = "builtin", [RBLK_CONFIG_ETCD] = "etcd",
		[RBLK_CONFIG_EXTERNAL] = "external", NULL
	};
	struct rblk_config_failover *f = &r->failover;

	f->pos = *rblk_parse_value_pos(b->parse, sec, "failover", 0);
	f->automatic = rblk_build_choice(b, sec, "failover", modes,
					 "manual, auto");
	f->arbiter_pos = *rblk_parse_value_pos(b->parse, sec, "arbiter", 0);
	f->arbiter = rblk_build_choice(b, sec, "arbiter", arbiters,
				       "builtin, etcd, external");
	if (!f->automatic)
		refuse_idle(b, sec, true);
	else if (f->arbiter == RBLK_CONFIG_EXTERNAL)
		refuse_idle(b, sec, false);
	else
		build_automatic(b, sec, r);
}
