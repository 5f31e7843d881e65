// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * curl.c - libcurl, loaded when it is needed first
 */
#include "curl.h"

#include "text.h"

#include <dlfcn.h>
#include <stdbool.h>

static bool find_all(void *library, struct rblk_curl *curl)
{
	bool all = true;

#define FIND(name)							\
	curl->name = dlsym(library, "curl_" #name);			\
	all = all && curl->name;
	RBLK_CURL_FUNCTIONS(FIND)
#undef FIND
	return all;
}

const struct rblk_curl *rblk_curl(char *why, size_t size)
{
	static struct rblk_curl curl;
	static bool loaded;
	/* the same in Debian, but for what it does TLS with */
	void *library;

	if (loaded)
		return &curl;
	library = dlopen("libcurl-gnutls.so.4", RTLD_NOW);
	if (!library)
		library = dlopen("libcurl.so.4", RTLD_NOW);
	if (!library) {
		rblk_text_format(why, size,
				 "an etcd needs libcurl: %s: install Debian's package libcurl3-gnutls",
				 dlerror());
		return NULL;
	}
	loaded = find_all(library, &curl) &&
		 curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!loaded)
		rblk_text_format(why, size, "an etcd needs libcurl: the one here is no use: %s",
				 dlerror() ?: "it does not start");
	return loaded ? &curl : NULL;
}
