// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * etcd_call.c - one key in an etcd: requests, and what is made of the answers
 */
#include "etcd_call.h"

#include "text.h"
#include "xalloc.h"

#include <errno.h>
#include <jansson.h>
#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

char *rblk_etcd_key(const char *cluster, const char *resource)
{
	return rblk_xasprintf("rblk/%s/%s", cluster, resource);
}

/* ---- base64 */

static json_t *encode(const void *bytes, size_t n)
{
	size_t length = BASE64_ENCODE_RAW_LENGTH(n);
	char *text = rblk_xcalloc(1, length + 1);
	json_t *string;

	base64_encode_raw(text, n, bytes);
	string = json_stringn(text, length);
	free(text);
	return string;
}

static bool decode(const json_t *text, uint8_t *bytes, size_t size, size_t *n)
{
	struct base64_decode_ctx ctx;
	uint8_t *out;
	size_t length;
	bool good;

	*n = 0;
	if (!json_is_string(text))
		return false;
	length = json_string_length(text);
	out = rblk_xcalloc(1, BASE64_DECODE_LENGTH(length) + 1);
	base64_decode_init(&ctx);
	good = base64_decode_update(&ctx, n, out, length, json_string_value(text)) &&
	       base64_decode_final(&ctx) && *n <= size;
	if (good)
		memcpy(bytes, out, *n);
	free(out);
	return good;
}

/* ---- requests */

static char *copy(const char *text)
{
	return text ? rblk_xstrdup(text) : NULL;
}

struct rblk_etcd_call *rblk_etcd_new_call(const struct rblk_config_etcd *etcd,
					  unsigned int endpoint,
					  uint32_t timeout_ms)
{
	struct rblk_etcd_call *call = rblk_xcalloc(1, sizeof(*call));

	call->url = rblk_xstrdup(etcd->endpoints[endpoint % etcd->endpoints_n]);
	call->ca_file = copy(etcd->ca_file);
	call->cert_file = copy(etcd->cert_file);
	call->key_file = copy(etcd->key_file);
	call->timeout_ms = timeout_ms;
	return call;
}

void rblk_etcd_free_call(struct rblk_etcd_call *call)
{
	if (!call)
		return;
	free(call->url);
	free(call->ca_file);
	free(call->cert_file);
	free(call->key_file);
	free(call->body);
	free(call->answer);
	free(call);
}

static void set_request(struct rblk_etcd_call *call, const char *path, json_t *body)
{
	char *url = rblk_xasprintf("%s%s", call->url, path);

	free(call->url);
	call->url = url;
	call->body = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (!call->body)
		abort();
}

void rblk_etcd_ask_to_read(struct rblk_etcd_call *call, const char *key)
{
	set_request(call, "/v3/kv/range",
		    json_pack("{s:o}", "key", encode(key, strlen(key))));
}

void rblk_etcd_ask_to_swap(struct rblk_etcd_call *call, const char *key,
			   uint64_t revision, const uint8_t *value, size_t n)
{
	char number[24];

	rblk_text_format(number, sizeof(number), "%llu",
			 (unsigned long long)revision);
	set_request(call, "/v3/kv/txn",
		    json_pack("{s:[{s:s,s:s,s:o,s:s}],s:[{s:{s:o,s:o}}],s:[{s:{s:o}}]}",
			      "compare", "target", "MOD", "result", "EQUAL", "key",
			      encode(key, strlen(key)), "mod_revision", number,
			      "success", "request_put", "key",
			      encode(key, strlen(key)), "value", encode(value, n),
			      "failure", "request_range", "key",
			      encode(key, strlen(key))));
}

/* ---- transfers */

static size_t take(char *bytes, size_t size, size_t n, void *ctx)
{
	struct rblk_etcd_call *call = ctx;

	n *= size;
	if (call->length + n > RBLK_ETCD_ANSWER_BYTES)
		return 0;
	call->answer = rblk_xrealloc(call->answer, call->length + n + 1);
	memcpy(call->answer + call->length, bytes, n);
	call->length += n;
	call->answer[call->length] = '\0';
	return n;
}

/* Not for the programs that this one runs. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
				 struct curl_sockaddr *addr)
{
	(void)ctx;
	(void)purpose;
	return socket(addr->family, addr->socktype | SOCK_CLOEXEC, addr->protocol);
}

CURL *rblk_etcd_begin(struct rblk_etcd_call *call)
{
	const struct rblk_curl *lib = rblk_curl(call->why, sizeof(call->why));
	CURL *curl;

	if (!lib)
		return NULL;
	curl = lib->easy_init();
	if (!curl)
		abort();
	lib->easy_setopt(curl, CURLOPT_URL, call->url);
	lib->easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(call->body));
	lib->easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
	lib->easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	lib->easy_setopt(curl, CURLOPT_WRITEDATA, call);
	lib->easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	lib->easy_setopt(curl, CURLOPT_PRIVATE, call);
	lib->easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->timeout_ms);
	lib->easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib->easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
	/* an etcd is named by its address, not found through what the shell has */
	lib->easy_setopt(curl, CURLOPT_NOPROXY, "*");
	lib->easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	lib->easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	if (call->ca_file)
		lib->easy_setopt(curl, CURLOPT_CAINFO, call->ca_file);
	if (call->cert_file)
		lib->easy_setopt(curl, CURLOPT_SSLCERT, call->cert_file);
	if (call->key_file)
		lib->easy_setopt(curl, CURLOPT_SSLKEY, call->key_file);
	return curl;
}

void rblk_etcd_end(struct rblk_etcd_call *call, CURL *curl, CURLcode code)
{
	const struct rblk_curl *lib = rblk_curl(call->why, sizeof(call->why));
	long status = 0;

	lib->easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	lib->easy_cleanup(curl);
	if (!call->answer)
		call->answer = rblk_xstrdup("");
	call->ok = code == CURLE_OK && status == 200;
	if (code != CURLE_OK)
		rblk_text_format(call->why, sizeof(call->why), "%s: %s", call->url,
				 code == CURLE_WRITE_ERROR ?
				 "its answer is too long" : lib->easy_strerror(code));
	else if (!call->ok)
		rblk_text_format(call->why, sizeof(call->why),
				 "%s: status %ld: %.200s", call->url, status,
				 call->answer);
}

/* ---- answers */

/* The gateway writes 64 bit numbers as strings. */
static bool get_number(const json_t *o, const char *name, uint64_t *n)
{
	const json_t *v = json_object_get(o, name);

	if (json_is_string(v))
		return rblk_text_parse_number(json_string_value(v), UINT64_MAX, n);
	*n = json_is_integer(v) && json_integer_value(v) >= 0 ?
	     json_integer_value(v) : 0;
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool is_key(const json_t *kv, const char *key)
{
	uint8_t bytes[RBLK_ETCD_VALUE_BYTES];
	size_t n;

	return decode(json_object_get(kv, "key"), bytes, sizeof(bytes), &n) &&
	       n == strlen(key) && memcmp(bytes, key, n) == 0;
}

static const char *get_value(const json_t *range, const char *key,
			     struct rblk_etcd_reply *reply)
{
	const json_t *kvs = json_object_get(range, "kvs");
	const json_t *kv = json_array_get(kvs, 0);
	uint64_t newest = reply->revision;

	if (!kvs || (json_is_array(kvs) && json_array_size(kvs) == 0))
		return NULL;
	if (json_array_size(kvs) != 1 || !is_key(kv, key))
		return "it is not about the key that was asked for";
	if (!get_number(kv, "mod_revision", &reply->revision) ||
	    reply->revision == 0 || reply->revision > newest)
		return "its mod_revision is missing or impossible";
	if (!decode(json_object_get(kv, "value"), reply->value,
		    sizeof(reply->value), &reply->n))
		return "its value is missing, no base64, or too long";
	reply->found = true;
	return NULL;
}

static const char *parse(const json_t *top, const char *key, bool swap,
			 struct rblk_etcd_reply *reply)
{
	const json_t *header = json_object_get(top, "header"), *response;

	if (!get_number(header, "cluster_id", &reply->cluster) || !reply->cluster ||
	    !get_number(header, "revision", &reply->revision) || !reply->revision)
		return "it has no header with cluster_id and revision";
	if (!swap)
		return get_value(top, key, reply);
	reply->swapped = json_is_true(json_object_get(top, "succeeded"));
	response = json_array_get(json_object_get(top, "responses"), 0);
	if (json_array_size(json_object_get(top, "responses")) != 1 ||
	    !json_is_object(json_object_get(response, reply->swapped ?
					    "response_put" : "response_range")))
		return "it does not say what became of the write";
	if (reply->swapped)
		return NULL;
	return get_value(json_object_get(response, "response_range"), key, reply);
}

const char *rblk_etcd_parse(const char *text, size_t length, const char *key,
			    bool swap, struct rblk_etcd_reply *reply)
{
	json_t *top = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *wrong;

	memset(reply, 0, sizeof(*reply));
	if (!json_is_object(top)) {
		json_decref(top);
		return "it is no JSON object";
	}
	wrong = parse(top, key, swap, reply);
	json_decref(top);
	return wrong;
}
