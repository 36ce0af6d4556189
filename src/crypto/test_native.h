/*
 * test_native.h: the native provider for one test program, opened by setup
 * and closed by teardown (cmocka's group functions).
 */
#ifndef CRYPTO_TEST_NATIVE_H
#define CRYPTO_TEST_NATIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "crypto/host.h"
#include "crypto/openssl.h"

static struct provider p;

static int
setup(void **state)
{
	(void)state;
	if (host_init() != OK)
		return -1;
	return openssl_provider_open(&p) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	openssl_provider_close(&p);
	return 0;
}

#endif
