/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz.h - what a fuzzer gives to a driver: libFuzzer's, or standalone.c where
 * there is none.
 */
#ifndef RBLK_FUZZ_H
#define RBLK_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An input that breaks a promise ends the program. */
#define MUST(condition) do {						\
		if (!(condition)) {					\
			fprintf(stderr, "%s:%d: not true: %s\n",	\
				__FILE__, __LINE__, #condition);	\
			abort();					\
		}							\
	} while (0)

#endif /* RBLK_FUZZ_H */
