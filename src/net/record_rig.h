/*
 * record_rig.h: what the tests of net/record.c share: a server's end and a
 * client's of one connection, and a way to seal what no honest client would.
 */
#ifndef NET_RECORD_RIG_H
#define NET_RECORD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "net/record.h"
#include "net/tls.h"

static struct record_engine *engine;
static struct record us, them;	/* the server, the client */
static uint8_t wire[4 * RECORD_MAX];

static inline size_t
hex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; *text != '\0'; text++) {
		const char *digits = "0123456789abcdef";
		const char *at = strchr(digits, *text);

		assert_non_null(at);
		out[n / 2] = (uint8_t)(out[n / 2] << 4 | (at - digits));
		n++;
	}
	return n / 2;
}

static inline void
start(uint16_t suite)
{
	uint8_t a[48], b[48];
	size_t n = suite == RECORD_AES_256_GCM_SHA384 ? 48 : 32;

	record_fini(&us, engine);
	record_fini(&them, engine);
	memset(a, 0x11, sizeof(a));
	memset(b, 0x22, sizeof(b));
	assert_int_equal(record_init(&us, engine, suite, span_of(a, n),
	    span_of(b, n), 0, 0), OK);
	assert_int_equal(record_init(&them, engine, suite, span_of(b, n),
	    span_of(a, n), 0, 0), OK);
}

static inline int
setup(void **state)
{
	(void)state;
	assert_int_equal(tls_setup(), OK);
	assert_int_equal(record_engine_new(&engine), OK);
	start(RECORD_AES_256_GCM_SHA384);
	return 0;
}

static inline int
teardown(void **state)
{
	static const struct record none;

	(void)state;
	record_fini(&us, engine);
	record_fini(&them, engine);
	assert_memory_equal(&us, &none, sizeof(us));
	record_engine_free(engine);
	return 0;
}

/* The client seals into wire; its length. */
static inline size_t
seal(enum record_type type, struct span s)
{
	const struct sys_iov iov = { s.p, s.n };
	size_t n;

	assert_int_equal(record_seal(&them, engine, type, &iov, 1, wire, &n),
	    OK);
	return n;
}

/*
 * Like seal, with a content and a type as they stand (type may be anything,
 * inner as long as it likes).
 */
static inline size_t
seal_raw(struct span inner)
{
	static const char *const names[] = { "AES-128-GCM", "AES-256-GCM",
	    "ChaCha20-Poly1305" };
	EVP_CIPHER_CTX *x = EVP_CIPHER_CTX_new();
	EVP_CIPHER *c = EVP_CIPHER_fetch(NULL,
	    names[them.suite - RECORD_AES_128_GCM_SHA256], NULL);
	uint8_t iv[12];
	int n;

	memcpy(iv, them.out.iv, 12);
	for (unsigned i = 0; i < 8; i++)
		iv[4 + i] ^= (uint8_t)(them.out.seq >> (56 - 8 * i));
	them.out.seq++;
	wire[0] = 23;
	wire[1] = wire[2] = 3;
	wire[3] = (uint8_t)((inner.n + 16) >> 8);
	wire[4] = (uint8_t)(inner.n + 16);
	assert_int_equal(EVP_EncryptInit_ex2(x, c, them.out.key, iv, NULL),
	    1);
	assert_int_equal(EVP_EncryptUpdate(x, NULL, &n, wire, 5), 1);
	assert_int_equal(EVP_EncryptUpdate(x, wire + 5, &n, inner.p,
	    (int)inner.n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(x, wire + 5 + inner.n, &n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(x, EVP_CTRL_AEAD_GET_TAG, 16,
	    wire + 5 + inner.n), 1);
	EVP_CIPHER_CTX_free(x);
	EVP_CIPHER_free(c);
	return 5 + inner.n + 16;
}

/* The server opens what is in wire. */
static inline enum record_is
open_wire(size_t n, struct span *out)
{
	size_t want;

	assert_int_equal(record_length(&us, wire, &want), OK);
	assert_int_equal(want, n);
	*out = (struct span){ 0 };
	return record_open(&us, engine, wire, n, out);
}

static inline void
refuses(size_t n, uint8_t alert)
{
	static const uint8_t none[RECORD_MAX];
	struct span s;

	assert_int_equal(open_wire(n, &s), RECORD_IS_BAD);
	assert_int_equal(us.alert, alert);
	assert_int_equal(s.n, 0);
	if (n <= RECORD_MAX)
		assert_memory_equal(wire + 5, none, n - 5);
}

static inline void
accepts(size_t n, struct span want)
{
	struct span s;

	assert_int_equal(open_wire(n, &s), RECORD_IS_DATA);
	assert_int_equal(s.n, want.n);
	if (want.n > 0)
		assert_memory_equal(s.p, want.p, want.n);
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
