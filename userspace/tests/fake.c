// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fake.c - a node for tests
 */
#include "fake.h"

#include "failover.h"
#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *fake_answer;

const char fake_config[] =
"cluster \"demo\" { key-file = \"%s/key\" }\n"
"node \"alpha\" { id = 0  address = \"127.0.0.1:17790\" }\n"
"node \"bravo\" { id = 1  address = \"127.0.0.1:17791\" }\n"
"node \"charlie\" { id = 2  address = \"127.0.0.1:17792\" }\n"
"resource \"r0\" {\n"
"  volume 0 { minor = 0  disk = \"/dev/vdb\" }\n"
"  volume 1 { minor = 1  disk = \"/dev/vdc\" }\n"
"}\n"
"resource \"r1\" { nodes = { bravo, charlie }\n"
"  volume 0 { minor = 2  disk = \"/dev/vdd\" } }\n";

static void note(struct fake *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note(struct fake *f, const char *fmt, ...)
{
	size_t len = strlen(f->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->log + len, sizeof(f->log) - len, fmt, ap);
	va_end(ap);
}

struct rblk_kstate *fake_find(struct fake *f, const char *name)
{
	size_t i;

	for (i = 0; i < f->states_n; i++)
		if (strcmp(f->states[i]->name, name) == 0)
			return f->states[i];
	return NULL;
}

static int refuse(struct rblk_genl_error *err, int code, const char *text)
{
	err->code = code;
	err->is_said = true;
	rblk_text_copy(err->text, sizeof(err->text), text);
	return -code;
}

static int create(struct fake *f, const struct rblk_kreq *req)
{
	struct rblk_kstate *s = rblk_xcalloc(1, sizeof(*s));

	rblk_text_copy(s->name, sizeof(s->name), req->name);
	s->resource = req->resource;
	f->states[f->states_n++] = s;
	note(f, "new %s gen %llu\n", req->name,
	     (unsigned long long)req->resource.generation);
	return 0;
}

static int remove_state(struct fake *f, struct rblk_kstate *s,
			const struct rblk_kreq *req)
{
	size_t i;

	note(f, "del %s%s\n", s->name,
	     req->flags & RBLK_FLAG_FORCE ? " force" : "");
	for (i = 0; f->states[i] != s; i++)
		;
	f->states[i] = f->states[--f->states_n];
	free(s);
	return 0;
}

static struct rblk_kpeer *peer_of(struct rblk_kstate *s, unsigned int id)
{
	return (struct rblk_kpeer *)rblk_kstate_peer(s, id);
}

/* One that a promotion does not pass over. */
static bool follows_primary(const struct rblk_kstate *s,
			    const struct rblk_kreq *req)
{
	size_t i;

	for (i = 0; i < s->peers_n; i++)
		if (s->peers[i].conn == RBLK_CONN_UP &&
		    s->peers[i].role == RBLK_ROLE_PRIMARY &&
		    req->nest == RBLK_A_RESOURCE &&
		    req->resource.in_sync & 1U << s->peers[i].node_id)
			return true;
	return false;
}

static int change(struct fake *f, struct rblk_kstate *s,
		  const struct rblk_kreq *req, struct rblk_genl_error *err)
{
	switch (req->cmd) {
	case RBLK_CMD_RESOURCE_DEL:
		return remove_state(f, s, req);
	case RBLK_CMD_VOLUME_NEW:
		if (f->bad_disk && strcmp(req->volume.disk, f->bad_disk) == 0)
			return refuse(err, EBUSY, "backing device is in use");
		s->volumes[s->volumes_n++] = req->volume;
		note(f, "volume %s\n", req->volume.disk);
		return 0;
	case RBLK_CMD_PEER_NEW:
		s->peers[s->peers_n++] = req->peer;
		note(f, "peer %s %c\n", req->peer.node_name,
		     req->peer.protocol);
		return 0;
	case RBLK_CMD_LINK_ATTACH:
		note(f, "attach %u\n", req->peer.node_id);
		peer_of(s, req->peer.node_id)->conn = RBLK_CONN_HELLO;
		f->socket = dup(req->peer.socket);
		if (f->attached)
			f->attached(f, f->socket);
		return 0;
	case RBLK_CMD_LINK_DETACH:
		note(f, "detach %u\n", req->peer.node_id);
		peer_of(s, req->peer.node_id)->conn = RBLK_CONN_DOWN;
		return 0;
	case RBLK_CMD_RESOURCE_SET:
		note(f, "set");
		if (req->resource.has & RBLK_HAS(RBLK_RES_ACKS)) {
			s->resource.acks = req->resource.acks;
			note(f, " acks %u", req->resource.acks);
		}
		if (req->resource.has & RBLK_HAS(RBLK_RES_DATA_CRC)) {
			s->resource.data_crc = req->resource.data_crc;
			note(f, " data-crc %u", req->resource.data_crc);
		}
		if (req->resource.has & RBLK_HAS(RBLK_RES_LEASED)) {
			s->resource.leased = req->resource.leased;
			note(f, " leased %u", req->resource.leased);
		}
		if (req->resource.has & RBLK_HAS(RBLK_RES_IN_SYNC)) {
			s->resource.in_sync = req->resource.in_sync;
			note(f, " in-sync %x", req->resource.in_sync);
		}
		note(f, "\n");
		return 0;
	case RBLK_CMD_PEER_SET:
		note(f, "protocol %u %c\n", req->peer.node_id,
		     req->peer.protocol);
		peer_of(s, req->peer.node_id)->protocol = req->peer.protocol;
		return 0;
	case RBLK_CMD_PEER_DEL:
		note(f, "unpeer %u\n", req->peer.node_id);
		*peer_of(s, req->peer.node_id) = s->peers[--s->peers_n];
		return 0;
	case RBLK_CMD_PROMOTE:
		note(f, "promote gen %llu flags %u\n",
		     (unsigned long long)req->generation, req->flags);
		if (f->refuse_promote || follows_primary(s, req))
			return refuse(err, EBUSY, "another node is primary");
		s->resource.role = RBLK_ROLE_PRIMARY;
		s->resource.data = RBLK_DATA_CONSISTENT;
		s->resource.generation = req->generation;
		if (req->nest == RBLK_A_RESOURCE) {
			s->resource.leased = req->resource.leased;
			s->resource.in_sync = req->resource.in_sync;
			s->resource.lease_until_ns =
				req->resource.lease_until_ns;
		}
		return 0;
	case RBLK_CMD_DEMOTE:
		note(f, "demote flags %u\n", req->flags);
		if (s->resource.openers && !(req->flags & RBLK_FLAG_FORCE))
			return refuse(err, EBUSY, "a volume is open");
		s->resource.role = RBLK_ROLE_BACKUP;
		s->resource.in_sync = 0;
		s->resource.lease_until_ns = 0;
		return 0;
	case RBLK_CMD_RESYNC:
		note(f, "resync %u flags %u\n", req->peer.node_id, req->flags);
		if (f->knows_nothing && req->flags & RBLK_FLAG_KNOWN)
			return refuse(err, ENODATA, "the peer did not tell");
		f->resyncs++;
		return 0;
	case RBLK_CMD_DISCARD:
		note(f, "discard %u\n", req->peer.node_id);
		return 0;
	}
	return refuse(err, EOPNOTSUPP, "not here");
}

static int request(void *ctx, const struct rblk_kreq *req,
		      struct rblk_genl_error *err)
{
	struct fake *f = ctx;
	struct rblk_kstate *s = fake_find(f, req->name);

	if (req->cmd == RBLK_CMD_RESOURCE_NEW)
		return s ? refuse(err, EEXIST, "exists") : create(f, req);
	return s ? change(f, s, req, err) :
		   refuse(err, ENOENT, "no such resource");
}

static int op_save_record(void *ctx, const char *resource,
			  const struct rblk_store_record *record)
{
	struct fake *f = ctx;

	(void)resource;
	note(f, "save gen %llu\n", (unsigned long long)record->generation);
	if (f->fail_save)
		return -EIO;
	f->saved = record->generation;
	return 0;
}

static void do_job(struct fake *f, struct rblk_job *job)
{
	rblk_job_keep_promise(job, op_save_record, f);
	while (job->promised && job->failed < job->n) {
		if (request(f, &job->reqs[job->failed], &job->err) < 0)
			break;
		job->failed++;
	}
	rblk_job_done(&f->engine, job);
}

static void op_submit(void *ctx, struct rblk_job *job)
{
	struct fake *f = ctx;
	struct rblk_job **at = &f->held;

	if (!f->hold_jobs) {
		do_job(f, job);
		return;
	}
	while (*at)
		at = &(*at)->next;
	*at = job;
}

void fake_release(struct fake *f)
{
	struct rblk_job *job;

	f->hold_jobs = false;
	while ((job = f->held)) {
		f->held = job->next;
		do_job(f, job);
	}
}

static int op_get(void *ctx, const char *name, struct rblk_kstate *state,
		  struct rblk_genl_error *err)
{
	struct rblk_kstate *s = fake_find(ctx, name);

	if (!s)
		return refuse(err, ENOENT, "no such resource");
	*state = *s;
	return 0;
}

static int op_dump(void *ctx, struct rblk_kstate **states, size_t *n,
		   struct rblk_genl_error *err)
{
	struct fake *f = ctx;
	size_t i;

	(void)err;
	*states = rblk_xcalloc(f->states_n, sizeof(**states));
	for (i = 0; i < f->states_n; i++)
		(*states)[i] = *f->states[i];
	*n = f->states_n;
	return 0;
}

static uint64_t op_now_ms(void *ctx)
{
	return ((struct fake *)ctx)->now_ms;
}

static uint32_t op_random(void *ctx)
{
	return ((struct fake *)ctx)->random;
}

static void op_wake_at(void *ctx, uint64_t ms)
{
	((struct fake *)ctx)->wake_ms = ms;
}

static void op_dial(void *ctx, const struct rblk_link_id *id,
		    const struct sockaddr_storage *addr, uint64_t generation)
{
	(void)addr;
	note(ctx, "dial %s %u gen %llu\n", id->resource, id->peer,
	     (unsigned long long)generation);
}

static void op_hang_up(void *ctx, const struct rblk_link_id *id)
{
	(void)ctx;
	(void)id;
}

static void op_prepare_socket(void *ctx, int fd, uint32_t timeout_ms)
{
	(void)ctx;
	(void)fd;
	(void)timeout_ms;
}

static int op_listen(void *ctx, const struct sockaddr_storage *addr)
{
	(void)addr;
	note(ctx, "listen\n");
	return 0;
}

static int op_load_record(void *ctx, const char *resource,
			  struct rblk_store_record *record)
{
	struct fake *f = ctx;

	(void)resource;
	record->generation = f->saved;
	return f->saved ? 0 : f->load_result;
}

static bool op_is_marked_off(void *ctx, const struct rblk_link_id *id)
{
	return ((struct fake *)ctx)->off[id->peer];
}

static void op_mark_off(void *ctx, const struct rblk_link_id *id, bool off)
{
	((struct fake *)ctx)->off[id->peer] = off;
}

static uint64_t op_boottime_us(void *ctx)
{
	return ((struct fake *)ctx)->now_ms * 1000;
}

static uint64_t op_realtime_ms(void *ctx)
{
	return 1700000000000 + ((struct fake *)ctx)->now_ms;
}

static uint64_t op_token(void *ctx)
{
	return ++((struct fake *)ctx)->token;
}

static int op_listen_udp(void *ctx, unsigned int path,
			 const struct sockaddr_storage *addr)
{
	note(ctx, "udp %u %s\n", path, addr ? "on" : "off");
	return 0;
}

static bool op_send(void *ctx, unsigned int path,
		    const struct sockaddr_storage *addr, const uint8_t *bytes,
		    size_t n)
{
	struct fake *f = ctx;

	return !f->send || f->send(f, path, addr, bytes, n);
}

static void op_set_lease(void *ctx, const char *name, uint64_t until_ms)
{
	struct rblk_kstate *s = fake_find(ctx, name);
	struct fake *f = ctx;

	f->told_lease_ms = until_ms;
	if (f->hold_leases)
		return;
	if (s)
		s->resource.lease_until_ns = until_ms * 1000000;
	rblk_failover_lease_set(&f->engine, name, until_ms, s ? 0 : -ENOENT);
}

static void write_ballot(struct fake *f, struct rblk_ballot_job *job)
{
	rblk_failover_ballot_work(job);
	rblk_failover_written(&f->engine, job);
	rblk_engine_run(&f->engine);
}

static void op_write_ballot(void *ctx, struct rblk_ballot_job *job)
{
	struct fake *f = ctx;

	if (f->hold_ballots && f->ballots_n < FAKE_MAX)
		f->ballots[f->ballots_n++] = job;
	else
		write_ballot(f, job);
}

static void op_ask_etcd(void *ctx, struct rblk_etcd_call *call)
{
	struct fake *f = ctx;

	f->ask_etcd(f, call);
}

void fake_write_ballots(struct fake *f)
{
	f->hold_ballots = false;
	while (f->ballots_n)
		write_ballot(f, f->ballots[--f->ballots_n]);
}

static void op_fence(void *ctx, const struct rblk_config_node *node)
{
	note(ctx, "fence %s\n", node->name);
}

static const struct rblk_engine_ops fake_ops = {
	.now_ms = op_now_ms, .random = op_random, .wake_at = op_wake_at,
	.submit = op_submit, .get = op_get, .dump = op_dump,
	.dial = op_dial, .hang_up = op_hang_up,
	.prepare_socket = op_prepare_socket, .listen = op_listen,
	.load_record = op_load_record, .save_record = op_save_record,
	.is_marked_off = op_is_marked_off, .mark_off = op_mark_off,
	.boottime_us = op_boottime_us, .realtime_ms = op_realtime_ms,
	.token = op_token, .listen_udp = op_listen_udp, .send = op_send,
	.set_lease = op_set_lease, .write_ballot = op_write_ballot,
	.ask_etcd = op_ask_etcd,
	.fence = op_fence,
};

void fake_configure(struct fake *f, const char *config)
{
	FILE *to = fopen(f->config, "w");

	if (!to)
		abort();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
	fprintf(to, config, f->dir);
#pragma GCC diagnostic pop
	fclose(to);
}

void fake_init(struct fake *f, const char *node, const char *config)
{
	char key[128], *why = NULL;
	FILE *to;

	memset(f, 0, sizeof(*f));
	f->socket = -1;
	f->now_ms = 1000;
	f->load_result = -ENOENT;
	f->ops = fake_ops;
	rblk_text_copy(f->dir, sizeof(f->dir), "/tmp/rblk-fake-XXXXXX");
	if (!mkdtemp(f->dir))
		abort();
	rblk_text_format(key, sizeof(key), "%s/key", f->dir);
	to = fopen(key, "w");
	fputs("0123456789abcdef0123456789abcdef", to);
	fclose(to);
	chmod(key, 0600);
	rblk_text_format(f->config, sizeof(f->config), "%s/conf", f->dir);
	fake_configure(f, config);
	f->engine.ops = &f->ops;
	f->engine.ctx = f;
	f->engine.config_path = f->config;
	f->engine.wanted_node = node;
	f->engine.state_dir = f->dir;
	rblk_text_format(f->instance_dir, sizeof(f->instance_dir), "%s/instance",
			 f->dir);
	f->engine.instance_dir = f->instance_dir;
	if (!rblk_engine_load(&f->engine, &why)) {
		fputs(why, stderr);
		abort();
	}
}

void fake_exit(struct fake *f)
{
	char *command = rblk_xasprintf("rm -rf %s", f->dir);

	rblk_engine_stop(&f->engine);
	while (f->states_n)
		free(f->states[--f->states_n]);
	if (f->socket >= 0)
		close(f->socket);
	if (system(command) != 0)
		abort();
	free(command);
	free(fake_answer);
	fake_answer = NULL;
}

static void answered(void *ctx, json_t *answer)
{
	int *code = ctx;

	*code = json_integer_value(json_object_get(answer, "code"));
	free(fake_answer);
	fake_answer = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
}

int fake_ask(struct fake *f, const char *request)
{
	json_error_t err;
	json_t *in = json_loads(request, 0, &err);

	f->code = FAKE_LATER;
	rblk_engine_control(&f->engine, in, answered, &f->code);
	json_decref(in);
	return f->code;
}

void fake_conn(struct fake *f, const char *name, unsigned int peer,
	       enum rblk_conn_state conn, const char *reason)
{
	struct rblk_kpeer *p = peer_of(fake_find(f, name), peer);
	struct rblk_kevent e = { .nest = RBLK_A_PEER };

	p->conn = conn;
	rblk_text_copy(p->reason, sizeof(p->reason), reason);
	rblk_text_copy(e.name, sizeof(e.name), name);
	e.info.kind = RBLK_EVENT_CHANGED;
	e.peer = *p;
	rblk_engine_kernel_event(&f->engine, &e);
}
