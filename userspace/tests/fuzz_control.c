// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_control.c - any lines on the control socket of a daemon that has two resources,
 * one of which fails over by itself. Each request gets one answer with a code, at once
 * or when its time is over.
 */
#include "ctlproto.h"
#include "failover.h"
#include "fake.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"node \"judge\" { id = 2  address = \"127.0.0.1:17792\"  witness = yes }\n"
"resource \"r0\" { failover = auto  volume 0 { minor = 0  disk = \"/dev/vdb\" } }\n"
"resource \"r1\" { nodes = { alpha, bravo } volume 0 { minor = 1  disk = \"/dev/vdc\" } }\n";

static struct fake f;
static unsigned int asked, answered;

static void answer_came(void *ctx, json_t *answer)
{
	(void)ctx;
	answered++;
	if (!json_is_integer(json_object_get(answer, "code")) ||
	    !json_is_string(json_object_get(answer, "schema")))
		abort();
	json_decref(answer);
}

static void ask(const char *line, size_t len)
{
	json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(request)) {
		asked++;
		rblk_engine_control(&f.engine, request, answer_came, NULL);
	}
	json_decref(request);
}

/* Whatever waits: for a fence, for other nodes, for nothing that ever comes. */
static void let_time_pass(void)
{
	unsigned int i;

	for (i = 0; i < RBLK_MAX_NODES; i++)
		if (f.engine.fence[i].runs)
			rblk_failover_fence_ended(&f.engine, i, false, "no agent");
	for (i = 0; i < 20; i++) {
		f.now_ms += 10000;
		rblk_engine_tick(&f.engine);
	}
	f.log[0] = '\0';
}

static void stop(void)
{
	fake_exit(&f);
}

static void start(void)
{
	struct rblk_genl_error err;

	rblk_log_init(RBLK_LOG_ERROR, 0);
	fake_init(&f, "alpha", config);
	atexit(stop);
	if (rblk_engine_start(&f.engine, &err) < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *line = (const char *)data, *end;
	size_t left = size;

	if (!f.dir[0])
		start();
	asked = answered = 0;
	while (left && (end = memchr(line, '\n', left))) {
		if (end - line < RBLK_CTL_MAX_REQUEST)
			ask(line, end - line);
		left -= end + 1 - line;
		line = end + 1;
	}
	let_time_pass();
	if (asked != answered)
		abort();
	return 0;
}
