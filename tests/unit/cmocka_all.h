/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka_all.h - cmocka and the headers that it wants included before it. */
#ifndef RBLK_CMOCKA_ALL_H
#define RBLK_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#endif /* RBLK_CMOCKA_ALL_H */
