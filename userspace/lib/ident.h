/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ident.h - identities that all nodes compute alike
 */
#ifndef RBLK_IDENT_H
#define RBLK_IDENT_H

#include <rblk.h>
#include <stddef.h>
#include <stdint.h>

/* First 16 bytes of SHA-256("rblk" 0 cluster 0 resource). */
void rblk_ident_uuid(const char *cluster, const char *resource,
		     uint8_t uuid[RBLK_UUID_SIZE]);

void rblk_ident_hex(const uint8_t *bytes, size_t n, char *hex);

#endif
