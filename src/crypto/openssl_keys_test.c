/*
 * Tests of openssl_keys.c, and of what openssl.c leaves in memory: OpenSSL is
 * given an allocator that remembers every block, so that all live memory of
 * the provider, and every block at the moment it is freed, can be searched for
 * a secret. What OpenSSL puts on the stack is beyond this test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <openssl/crypto.h>

#include "crypto/host.h"
#include "crypto/openssl.h"
#include "crypto/openssl_private.h"

#define BLOCKS_MAX 65536
#define SECRET_LEN 32

static struct { uint8_t *p; size_t n; } blocks[BLOCKS_MAX];
static uint8_t secret[SECRET_LEN];
static bool armed;
static int freed_with_secret;
static struct provider p;

static bool
holds_secret(const uint8_t *at, size_t n)
{
	return n >= SECRET_LEN && memmem(at, n, secret, SECRET_LEN) != NULL;
}

/* Open addressing over the address; removal leaves a tombstone (n = 0). */
static size_t
slot_of(const void *at)
{
	return ((uintptr_t)at >> 4) * 2654435761u % BLOCKS_MAX;
}

static void *
remember(void *at, size_t n)
{
	size_t i = slot_of(at), tries;

	if (at == NULL)
		return NULL;
	for (tries = 0; tries < BLOCKS_MAX; tries++) {
		if (blocks[i].p == NULL || blocks[i].n == 0) {
			blocks[i].p = (uint8_t *)at;
			blocks[i].n = n > 0 ? n : 1;
			return at;
		}
		i = (i + 1) % BLOCKS_MAX;
	}
	abort();
}

/* The size that was asked for; 0 when the block is not ours. */
static size_t
release(void *at)
{
	size_t i = slot_of(at), tries, n;

	for (tries = 0; tries < BLOCKS_MAX; tries++) {
		if (blocks[i].p == NULL)
			return 0;
		if (blocks[i].p == at && blocks[i].n > 0) {
			n = blocks[i].n;
			if (armed && holds_secret(blocks[i].p, n))
				freed_with_secret++;
			blocks[i].n = 0;
			return n;
		}
		i = (i + 1) % BLOCKS_MAX;
	}
	return 0;
}

static void *
test_alloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	/* Cleared, so that what another block held is not found again. */
	return remember(calloc(1, n > 0 ? n : 1), n);
}

static void
test_release(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	if (at != NULL)
		(void)release(at);
	free(at);
}

static void *
test_resize(void *at, size_t n, const char *file, int line)
{
	void *to = test_alloc(n, file, line);
	size_t was = at != NULL ? release(at) : 0;

	if (to != NULL && was > 0)
		memcpy(to, at, was < n ? was : n);
	free(at);
	return to;
}

static int
live_with_secret(void)
{
	int found = 0;
	size_t i;

	for (i = 0; i < BLOCKS_MAX; i++)
		found += blocks[i].n > 0 &&
		    holds_secret(blocks[i].p, blocks[i].n);
	return found;
}

static int
setup(void **state)
{
	size_t i;

	(void)state;
	/* Before OpenSSL allocates anything. */
	if (CRYPTO_set_mem_functions(test_alloc, test_resize, test_release) !=
	    1 || host_init() != OK)
		return -1;
	for (i = 0; i < SECRET_LEN; i++)
		secret[i] = (uint8_t)(0xa1 + 37 * i);
	return openssl_provider_open(&p) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	openssl_provider_close(&p);
	return 0;
}

static int
arm(void **state)
{
	(void)state;
	armed = true;
	freed_with_secret = 0;
	return 0;
}

static void
nothing_is_left(void)
{
	assert_int_equal(live_with_secret(), 0);
	assert_int_equal(freed_with_secret, 0);
}

/* The search itself: it has to find what is there. */
static void
test_scan_finds_a_secret_that_is_there(void **state)
{
	uint8_t *block = (uint8_t *)OPENSSL_malloc(100);

	(void)state;
	assert_non_null(block);
	memset(block, 0, 100);
	memcpy(block + 51, secret, SECRET_LEN);
	assert_int_equal(live_with_secret(), 1);
	OPENSSL_free(block);
	assert_int_equal(freed_with_secret, 1);
	assert_int_equal(live_with_secret(), 0);
}

static void
test_hash_and_hmac_leave_neither_key_nor_output(void **state)
{
	struct span parts[1] = { SPAN("a message of some length") };
	uint8_t out[SHA512_LEN], key[SECRET_LEN];

	(void)state;
	memcpy(key, secret, sizeof(key));
	assert_int_equal(p.hmac_sha256(p.ctx, SPAN_OF(key), parts, 1, out),
	    OK);
	nothing_is_left();
	/* The output is the next chain key: it must not stay either. */
	memcpy(secret, out, SECRET_LEN);
	nothing_is_left();
	parts[0] = SPAN_OF(key);
	assert_int_equal(p.sha256(p.ctx, parts, 1, out), OK);
	memcpy(secret, key, SECRET_LEN);
	nothing_is_left();
	assert_int_equal(p.sha512(p.ctx, parts, 1, out), OK);
	nothing_is_left();
}

/* A key schedule begins with the key (FIPS 197 5.2). */
static void
test_gcm_leaves_no_key_schedule(void **state)
{
	uint8_t key[SECRET_LEN], nonce[12] = { 1 }, text[64] = { 2 }, out[96];
	struct span none = { NULL, 0 };

	(void)state;
	memcpy(key, secret, sizeof(key));
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, none, SPAN_OF(text),
	    out), OK);
	nothing_is_left();
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, none, span_of(out, 80),
	    text), OK);
	nothing_is_left();
	out[3] ^= 1;
	assert_int_equal(p.gcm_open(p.ctx, key, nonce, none, span_of(out, 80),
	    text), ERR_AUTH);
	nothing_is_left();
	/* The plaintext does not stay, whatever the length. */
	assert_int_equal(p.gcm_seal(p.ctx, nonce, nonce, none,
	    span_of(key, 31), out), OK);
	assert_int_equal(p.gcm_seal(p.ctx, nonce, nonce, none, SPAN_OF(key),
	    out), OK);
	nothing_is_left();
}

/* Uses one key of each kind with the secret as its seed. */
static void
use_all_kinds(void)
{
	static uint8_t ek[MLKEM_EK_LEN], ct[MLKEM_CT_LEN], pub[MLDSA_PUB_LEN];
	static uint8_t sig[MLDSA_SIG_LEN];
	uint8_t seed[64], out[65], base[32] = { 9 };
	struct span msg = SPAN("m");

	memcpy(seed, secret, 32);
	memcpy(seed + 32, secret, 32);
	assert_int_equal(p.x25519_pub(p.ctx, seed, out), OK);
	assert_int_equal(p.x25519(p.ctx, seed, base, out), OK);
	assert_int_equal(p.ed25519_pub(p.ctx, seed, out), OK);
	assert_int_equal(p.ed25519_sign(p.ctx, seed, msg, sig), OK);
	assert_int_equal(p.p256_pub(p.ctx, seed, out), OK);
	assert_int_equal(p.mlkem_pub(p.ctx, seed, ek), OK);
	assert_int_equal(p.mlkem_encaps(p.ctx, ek, NULL, ct, out), OK);
	assert_int_equal(p.mlkem_decaps(p.ctx, seed, ct, out), OK);
	assert_int_equal(p.mldsa_pub(p.ctx, seed, pub), OK);
	assert_int_equal(p.mldsa_sign(p.ctx, seed, msg, msg, NULL, sig), OK);
	wipe(seed, sizeof(seed));
}

static void
test_forget_drops_one_key_and_its_memory(void **state)
{
	uint8_t twice[64], other[32] = { 3 }, a[32], b[32];

	(void)state;
	assert_int_equal(p.x25519_pub(p.ctx, other, a), OK);
	use_all_kinds();
	assert_true(live_with_secret() > 0);	/* the cache holds them */
	provider_forget(&p, secret, 32);
	memcpy(twice, secret, 32);
	memcpy(twice + 32, secret, 32);
	provider_forget(&p, twice, 64);
	wipe(twice, sizeof(twice));
	nothing_is_left();
	provider_forget(&p, "unknown", 7);
	provider_forget(&p, NULL, 0);
	assert_int_equal(p.x25519_pub(p.ctx, other, b), OK);
	assert_memory_equal(a, b, sizeof(a));
}

static void
test_eviction_frees_the_secret(void **state)
{
	uint8_t seed[32] = { 0 }, out[32];
	int i;

	(void)state;
	use_all_kinds();
	for (i = 0; i < OPENSSL_KEYS_MAX; i++) {
		seed[0] = (uint8_t)i;
		assert_int_equal(p.x25519_pub(p.ctx, seed, out), OK);
	}
	nothing_is_left();
}

static void
test_provider_forget_and_close_free_everything(void **state)
{
	struct provider other;

	(void)state;
	use_all_kinds();
	openssl_provider_forget(&p);
	nothing_is_left();
	assert_int_equal(openssl_provider_open(&other), OK);
	use_all_kinds();
	openssl_provider_close(&p);
	nothing_is_left();
	p = other;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_scan_finds_a_secret_that_is_there,
		    arm),
		cmocka_unit_test_setup(
		    test_hash_and_hmac_leave_neither_key_nor_output, arm),
		cmocka_unit_test_setup(test_gcm_leaves_no_key_schedule, arm),
		cmocka_unit_test_setup(
		    test_forget_drops_one_key_and_its_memory, arm),
		cmocka_unit_test_setup(test_eviction_frees_the_secret, arm),
		cmocka_unit_test_setup(
		    test_provider_forget_and_close_free_everything, arm),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
