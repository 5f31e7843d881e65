/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * curl.h - libcurl, loaded when it is needed first
 *
 * It comes with some thirty libraries, and takes longer to load than all the rest
 * of rblk; only who keeps registers in an etcd needs it.
 */
#ifndef RBLK_CURL_H
#define RBLK_CURL_H

#include <curl/curl.h>
#include <stddef.h>

#define RBLK_CURL_FUNCTIONS(F)							\
	F(global_init) F(easy_init) F(easy_cleanup) F(easy_setopt)		\
	F(easy_getinfo) F(easy_perform) F(easy_strerror) F(multi_init)		\
	F(multi_cleanup) F(multi_setopt) F(multi_assign) F(multi_add_handle)	\
	F(multi_remove_handle) F(multi_info_read) F(multi_socket_action)

/* curl_NAME() of libcurl is here NAME. */
struct rblk_curl {
#define RBLK_CURL_POINTER(name) __typeof__(curl_##name) *name;
	RBLK_CURL_FUNCTIONS(RBLK_CURL_POINTER)
#undef RBLK_CURL_POINTER
};

/**
 * rblk_curl - load it, unless that was done
 * @why: gets why it cannot be, and what to do
 * @size: of that
 *
 * Context: one thread only.
 * Return: its functions, until the process ends, or NULL.
 */
const struct rblk_curl *rblk_curl(char *why, size_t size);

#endif
