/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test.h - what cmocka wants included first
 */
#ifndef RBLK_TEST_H
#define RBLK_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN(tests)	cmocka_run_group_tests((tests), NULL, NULL)

#endif
