/*
 * attach_test.c: sealed files (docs/protocol.md, "Attachments").
 */
#include "crypto/test_native.h"

#include "core/attach.h"
#include "core/pad.h"

static const uint8_t key[ATTACH_KEY_LEN] = { 9 };
static uint8_t plain[ATTACH_CHUNK_LEN], sealed[ATTACH_SEALED_MAX];
static uint8_t back[ATTACH_CHUNK_LEN];

static void
test_attach_sizes(void **state)
{
	(void)state;
	assert_int_equal(attach_padded(0), 1024);
	assert_int_equal(attach_padded(1024), 1024);
	assert_int_equal(attach_padded(3000), 3072);
	/* As pad.h above 4096, where both are Padmé. */
	for (uint64_t n = 4097; n < 10000000; n += n / 7 + 1)
		assert_int_equal(attach_padded(n), pad_size((size_t)n));
	assert_int_equal(attach_padded(ATTACH_FILE_MAX), ATTACH_FILE_MAX);
	assert_int_equal(attach_padded(ATTACH_FILE_MAX + 1), 0);
	assert_int_equal(attach_chunks(65536), 1);
	assert_int_equal(attach_chunks(65537), 2);
	assert_int_equal(attach_chunk_len(65537, 0), 65536);
	assert_int_equal(attach_chunk_len(65537, 1), 1);
	assert_int_equal(attach_chunk_len(65537, 2), 0);
	assert_int_equal(attach_blob(3072), 32 + 3072 + 16);
}

static void
test_attach_chunks_know_their_place(void **state)
{
	uint64_t padded = 3 * 65536ull;
	struct attach a, b;
	static const uint8_t key2[ATTACH_KEY_LEN] = { 8 };

	(void)state;
	assert_int_equal(attach_init(&a, &p, key), OK);
	assert_int_equal(attach_init(&b, &p, key2), OK);
	assert_int_equal(attach_seal(&a, padded, 1, SPAN_OF(plain), sealed),
	    OK);
	assert_int_equal(attach_open(&a, padded, 1, SPAN_OF(sealed), back),
	    OK);
	assert_memory_equal(back, plain, sizeof(plain));
	assert_int_equal(attach_open(&a, padded, 0, SPAN_OF(sealed), back),
	    ERR_AUTH);
	/* The second of three is not the last of two. */
	assert_int_equal(attach_open(&a, 2 * 65536ull, 1, SPAN_OF(sealed),
	    back), ERR_AUTH);
	assert_int_equal(attach_open(&b, padded, 1, SPAN_OF(sealed), back),
	    ERR_AUTH);
	assert_int_equal(attach_open(&a, padded, 1, span_of(sealed, 100),
	    back), ERR_FORMAT);
	assert_int_equal(attach_open(&a, padded, 3, SPAN_OF(sealed), back),
	    ERR_FORMAT);
	assert_int_equal(attach_seal(&a, padded, 1, span_of(plain, 9),
	    sealed), ERR_ARG);
	assert_int_equal(attach_check_commit(&a, a.commit), OK);
	assert_int_equal(attach_check_commit(&a, b.commit), ERR_NO_KEY);
	attach_wipe(&a);
}

static void
test_attach_refuses_changes(void **state)
{
	struct attach a;

	(void)state;
	assert_int_equal(attach_init(&a, &p, key), OK);
	assert_int_equal(attach_seal(&a, 1024, 0, span_of(plain, 1024),
	    sealed), OK);
	for (size_t i = 0; i < 1040 * 8; i++) {
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(attach_open(&a, 1024, 0, span_of(sealed,
		    1040), back), ERR_AUTH);
		sealed[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach_sizes),
		cmocka_unit_test(test_attach_chunks_know_their_place),
		cmocka_unit_test(test_attach_refuses_changes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
