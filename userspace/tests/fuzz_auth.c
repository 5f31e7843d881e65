// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fuzz_auth.c - any bytes as the other end of a handshake
 *
 * The first byte chooses the role and how the rest is cut into reads. Nobody
 * who does not hold the key may ever get as far as DONE or a question.
 */
#include "auth.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rblk_auth_answer decide(void *data,
				      const struct rblk_auth_question *question)
{
	(void)data;
	(void)question;
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned char key[32] = "a key that the fuzzer lacks ....";
	const struct rblk_auth_identity self = { "demo", 1, key, sizeof(key) };
	uint8_t nonce[RBLK_AUTH_NONCE_BYTES] = { 1 };
	struct rblk_auth a;
	size_t step, n;
	char text[128];

	if (size == 0)
		return 0;
	step = (data[0] >> 1) + 1;
	if (data[0] & 1)
		rblk_auth_start_initiator(&a, &self, "r0", 2, 7, nonce);
	else
		rblk_auth_start_responder(&a, &self, nonce, decide, NULL);
	data++;
	size--;
	while (size && (n = rblk_auth_want(&a))) {
		n = n < step ? n : step;
		n = n < size ? n : size;
		rblk_auth_feed(&a, data, n);
		data += n;
		size -= n;
		a.out_len = 0;
	}
	if (a.status == RBLK_AUTH_DONE)
		abort();
	rblk_auth_reason(&a, text, sizeof(text));
	return 0;
}
