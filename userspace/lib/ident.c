// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ident.c - the identity of a resource
 */
#include "ident.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <string.h>

void rblk_ident_uuid(const char *cluster, const char *resource,
		     uint8_t uuid[RBLK_UUID_SIZE])
{
	uint8_t digest[32];
	gnutls_hash_hd_t h;

	if (gnutls_hash_init(&h, GNUTLS_DIG_SHA256) < 0)
		__builtin_trap();
	gnutls_hash(h, "rblk", 5);
	gnutls_hash(h, cluster, strlen(cluster) + 1);
	gnutls_hash(h, resource, strlen(resource));
	gnutls_hash_deinit(h, digest);
	memcpy(uuid, digest, RBLK_UUID_SIZE);
}

void rblk_ident_hex(const uint8_t *bytes, size_t n, char *hex)
{
	size_t i;

	for (i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}
