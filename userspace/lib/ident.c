// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ident.c - the identity of a resource
 */
#include "ident.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>

void rblk_ident_uuid(const char *cluster, const char *resource,
		     uint8_t uuid[RBLK_UUID_SIZE])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx h;

	sha256_init(&h);
	sha256_update(&h, 5, (const uint8_t *)"rblk");
	sha256_update(&h, strlen(cluster) + 1, (const uint8_t *)cluster);
	sha256_update(&h, strlen(resource), (const uint8_t *)resource);
	sha256_digest(&h, sizeof(digest), digest);
	memcpy(uuid, digest, RBLK_UUID_SIZE);
}

void rblk_ident_hex(const uint8_t *bytes, size_t n, char *hex)
{
	size_t i;

	for (i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", bytes[i]);
}
