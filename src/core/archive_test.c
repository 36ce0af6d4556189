/*
 * archive_test.c: sealed chunks of records (docs/protocol.md, "Archives").
 */
#include "crypto/test_native.h"

#include "core/archive.h"
#include "core/pad.h"

static const struct archive_key key = { { 1, 2, 3 } }, key2 = { { 1, 2 } };
static const struct user_id me = { { 7 } }, other = { { 8 } };
static uint8_t work[ARCHIVE_PLAIN_LEN], plain[ARCHIVE_PLAIN_LEN];
static uint8_t chunk[ARCHIVE_CHUNK_MAX], chunk2[ARCHIVE_CHUNK_MAX];
static uint8_t big[ARCHIVE_RECORD_MAX + 1];

static struct span
seal(const struct archive *a, uint32_t index, bool last, const char *text)
{
	struct archive_writer w;
	size_t n = 0;

	archive_begin(&w, work);
	if (text != NULL)
		assert_int_equal(archive_add(&w, 5, span_str(text)), OK);
	assert_int_equal(archive_seal(a, index, last, &w, chunk, &n), OK);
	return span_of(chunk, n);
}

static enum err
open_it(const struct archive *a, uint32_t index, struct span s, size_t *n)
{
	bool last;

	return archive_open(a, index, s, plain, n, &last);
}

static void
test_archive_records_come_back(void **state)
{
	struct archive a;
	struct archive_writer w;
	struct archive_reader r;
	struct span got;
	size_t n, count = 0;
	uint8_t kind;
	bool last;

	(void)state;
	assert_int_equal(archive_init(&a, &p, &key, &me), OK);
	archive_begin(&w, work);
	while (archive_add(&w, (uint8_t)(1 + count % 255), span_of(big,
	    count * 37 % 3000)) == OK)
		count++;
	assert_true(count > 20);
	assert_int_equal(w.records_n, count);
	assert_int_equal(archive_seal(&a, 9, false, &w, chunk, &n), OK);
	/* A chunk that is not the last one is always as long. */
	assert_int_equal(n, ARCHIVE_CHUNK_MAX);
	assert_int_equal(archive_open(&a, 9, span_of(chunk, n), plain, &n,
	    &last), OK);
	assert_false(last);
	r = archive_read(span_of(plain, n));
	for (size_t i = 0; i < count; i++) {
		assert_true(archive_next(&r, &kind, &got));
		assert_int_equal(kind, 1 + i % 255);
		assert_int_equal(got.n, i * 37 % 3000);
	}
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), OK);
	archive_wipe(&a);
}

/* The largest record fills a chunk; one byte more fits nowhere. */
static void
test_archive_limits(void **state)
{
	struct archive_writer w;
	struct archive_reader r;
	struct span got;
	uint8_t kind;

	(void)state;
	archive_begin(&w, work);
	assert_int_equal(archive_add(&w, 0, SPAN("x")), ERR_ARG);
	assert_int_equal(archive_add(&w, 1, SPAN_OF(big)), ERR_TOO_LARGE);
	assert_int_equal(archive_add(&w, 1, span_of(big, ARCHIVE_RECORD_MAX)),
	    OK);
	assert_int_equal(w.w.n, ARCHIVE_PLAIN_LEN);
	assert_int_equal(archive_add(&w, 1, SPAN("")), ERR_SPACE);
	assert_int_equal(w.w.n, ARCHIVE_PLAIN_LEN);
	r = archive_read(wr_done(&w.w));
	assert_true(archive_next(&r, &kind, &got));
	assert_int_equal(got.n, ARCHIVE_RECORD_MAX);
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), OK);
}

/* What a length tells is the padded size alone. */
static void
test_archive_lengths_say_little(void **state)
{
	struct archive a;

	(void)state;
	assert_int_equal(archive_init(&a, &p, &key, &me), OK);
	assert_int_equal(seal(&a, 0, true, NULL).n,
	    seal(&a, 0, true, "a longer text than none").n);
	assert_int_equal(seal(&a, 0, true, NULL).n,
	    ARCHIVE_HEAD_LEN + 1024 + GCM_TAG_LEN);
}

static void
test_archive_wrong_keys_and_places(void **state)
{
	struct archive a, b, c;
	struct span s;
	size_t n;

	(void)state;
	assert_int_equal(archive_init(&a, &p, &key, &me), OK);
	assert_int_equal(archive_init(&b, &p, &key2, &me), OK);
	assert_int_equal(archive_init(&c, &p, &key, &other), OK);
	s = seal(&a, 4, true, "hello");
	assert_int_equal(open_it(&a, 4, s, &n), OK);
	assert_int_equal(open_it(&a, 5, s, &n), ERR_CONFLICT);
	assert_int_equal(open_it(&b, 4, s, &n), ERR_NO_KEY);
	assert_int_equal(open_it(&c, 4, s, &n), ERR_NO_KEY);
}

/* Every bit of a chunk, and every shorter one. */
static void
test_archive_refuses_changes(void **state)
{
	struct archive a;
	struct span s;
	size_t n;

	(void)state;
	assert_int_equal(archive_init(&a, &p, &key, &me), OK);
	s = seal(&a, 4, true, "hello");
	for (size_t bit = 0; bit < s.n * 8; bit++) {
		chunk[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(open_it(&a, 4, s, &n), OK);
		chunk[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t i = 0; i < s.n; i++)
		assert_int_not_equal(open_it(&a, 4, span_of(chunk, i), &n),
		    OK);
	assert_int_equal(open_it(&a, 4, s, &n), OK);
	chunk[1] = 2;
	assert_int_equal(open_it(&a, 4, s, &n), ERR_VERSION);
}

/* Made twice with other contents: nothing of key and nonce comes back. */
static void
test_archive_chunk_made_again_has_other_keys(void **state)
{
	struct archive a;
	struct span s;
	size_t same = 0;

	(void)state;
	assert_int_equal(archive_init(&a, &p, &key, &me), OK);
	s = seal(&a, 4, true, "hello");
	memcpy(chunk2, s.p, s.n);
	s = seal(&a, 4, true, "hello");
	for (size_t i = ARCHIVE_HEAD_LEN; i < s.n; i++)
		same += chunk[i] == chunk2[i];
	assert_true(same < s.n / 16);
}

static void
test_archive_reader_refuses_bad_records(void **state)
{
	static const uint8_t kind0[] = { 2, 0, 1 };
	static const uint8_t none[] = { 0x40, 0x00 };	/* not minimal */
	struct archive_reader r;
	struct span got;
	uint8_t kind;

	(void)state;
	memset(plain, 0, sizeof(plain));
	memcpy(plain, kind0, sizeof(kind0));
	r = archive_read(SPAN_OF(plain));
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), ERR_FORMAT);
	memset(plain, 0, sizeof(plain));
	memcpy(plain, none, sizeof(none));
	r = archive_read(SPAN_OF(plain));
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), ERR_FORMAT);
	/* Something after the last record. */
	memset(plain, 0, sizeof(plain));
	plain[1000] = 1;
	r = archive_read(SPAN_OF(plain));
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), ERR_FORMAT);
	/* A record that reaches over the end. */
	memset(plain, 0, sizeof(plain));
	plain[0] = 0x7f;
	plain[1] = 0xff;
	plain[2] = 1;
	r = archive_read(span_of(plain, 1024));
	assert_false(archive_next(&r, &kind, &got));
	assert_int_equal(archive_end(&r), ERR_FORMAT);
}

static void
test_archive_digest_is_of_order_and_bytes(void **state)
{
	uint8_t d1[32] = { 0 }, d2[32] = { 0 }, d3[32] = { 0 };

	(void)state;
	assert_int_equal(archive_digest(&p, d1, SPAN("a")), OK);
	assert_int_equal(archive_digest(&p, d1, SPAN("b")), OK);
	assert_int_equal(archive_digest(&p, d2, SPAN("b")), OK);
	assert_int_equal(archive_digest(&p, d2, SPAN("a")), OK);
	assert_int_equal(archive_digest(&p, d3, SPAN("a")), OK);
	assert_memory_not_equal(d1, d2, 32);
	assert_int_equal(archive_digest(&p, d3, SPAN("b")), OK);
	assert_memory_equal(d1, d3, 32);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_archive_records_come_back),
		cmocka_unit_test(test_archive_limits),
		cmocka_unit_test(test_archive_lengths_say_little),
		cmocka_unit_test(test_archive_wrong_keys_and_places),
		cmocka_unit_test(test_archive_refuses_changes),
		cmocka_unit_test(test_archive_chunk_made_again_has_other_keys),
		cmocka_unit_test(test_archive_reader_refuses_bad_records),
		cmocka_unit_test(test_archive_digest_is_of_order_and_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
