/*
 * content_test.c: content and key envelopes (docs/protocol.md, "How it
 * travels"), and padding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/content.h"
#include "core/pad.h"
#include "crypto/openssl.h"

static struct provider p;
static struct content_sender from = { { { 1 } }, 1 };
static struct content_place place = { { { 7 } }, false };
static uint8_t c_mem[4096], plain[4096];

static int
setup(void **state)
{
	(void)state;
	return openssl_provider_open(&p) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	openssl_provider_close(&p);
	return 0;
}

static struct span
sealed(uint8_t kind, struct envelope *env)
{
	struct event e = { .kind = kind, .has = kind == EVENT_TEXT ?
	    EVENT_HAS_BODY : EVENT_HAS_TARGET, .id = { { 5 } },
	    .conv = place.conv, .body = SPAN("hello") };
	uint8_t record[512], nonce[GCM_NONCE_LEN];
	struct wr w = wr_init(record, sizeof(record));
	struct wr c = wr_init(c_mem, sizeof(c_mem));

	assert_int_equal(event_encode(&e, &w), OK);
	assert_int_equal(content_seal(&p, &place, &from, wr_done(&w), &c, env,
	    nonce), OK);
	return wr_done(&c);
}

static void
test_content_round_trip(void **state)
{
	struct envelope env;
	struct span c = sealed(EVENT_TEXT, &env);
	struct event e;
	struct event_id id;

	(void)state;
	assert_int_equal(c.n, 32 + 128 + 16);
	assert_int_equal(content_open(&p, &place, &from, c, SPAN_OF(env.b),
	    plain, &e), OK);
	assert_true(span_eq(e.body, SPAN("hello")));
	assert_int_equal(content_envelope_id(SPAN_OF(env.b), &id), OK);
	assert_true(ID_EQ(id, e.id));
}

static void
test_content_refuses_every_flipped_bit(void **state)
{
	struct envelope env;
	struct span c = sealed(EVENT_TEXT, &env);
	struct event e;

	(void)state;
	for (size_t i = 0; i < c.n * 8; i++) {
		c_mem[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(content_open(&p, &place, &from, c,
		    SPAN_OF(env.b), plain, &e), OK);
		c_mem[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t i = 0; i < ENVELOPE_LEN * 8; i++) {
		env.b[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_not_equal(content_open(&p, &place, &from, c,
		    SPAN_OF(env.b), plain, &e), OK);
		env.b[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* `conv` and `sender` bind accounts and devices, not names. */
static void
test_content_is_bound_to_place_and_sender(void **state)
{
	struct envelope env;
	struct span c = sealed(EVENT_TEXT, &env);
	struct content_sender other = from;
	struct content_place elsewhere = place;
	struct event e;

	(void)state;
	other.device++;
	assert_int_equal(content_open(&p, &place, &other, c, SPAN_OF(env.b),
	    plain, &e), ERR_AUTH);
	elsewhere.conv.b[0]++;
	assert_int_equal(content_open(&p, &elsewhere, &from, c,
	    SPAN_OF(env.b), plain, &e), ERR_AUTH);
}

/* In a group this suite carries only kinds 20-23, 26 and 27. */
static void
test_content_kinds_in_a_group(void **state)
{
	struct content_place group = { place.conv, true };
	struct envelope env;
	struct span c = sealed(EVENT_TEXT, &env);
	struct event e;

	(void)state;
	assert_int_equal(content_open(&p, &group, &from, c, SPAN_OF(env.b),
	    plain, &e), ERR_FORBIDDEN);
	c = sealed(EVENT_RETRY_REQUEST, &env);
	assert_int_equal(content_open(&p, &group, &from, c, SPAN_OF(env.b),
	    plain, &e), OK);
}

/* A ciphertext that opens to an event with another id than its keys' is of a
 * dishonest sender. */
static void
test_content_refuses_another_id_within(void **state)
{
	struct event e = { .kind = EVENT_TEXT, .has = EVENT_HAS_BODY,
	    .id = { { 5 } }, .conv = place.conv, .body = SPAN("hello") };
	struct event_id other = { { 6 } };
	struct envelope env;
	uint8_t record[512], nonce[GCM_NONCE_LEN], cek[KEY_LEN] = { 1 };
	struct wr w = wr_init(record, sizeof(record));
	struct wr c = wr_init(c_mem, sizeof(c_mem));

	(void)state;
	assert_int_equal(event_encode(&e, &w), OK);
	assert_int_equal(content_seal_with(&p, &place.conv, &from, &other, cek,
	    wr_done(&w), &c, &env, nonce), OK);
	assert_int_equal(content_open(&p, &place, &from, wr_done(&c),
	    SPAN_OF(env.b), plain, &e), ERR_AUTH);
}

static void
test_content_conv_is_the_same_for_both(void **state)
{
	struct user_id a = { { 1 } }, b = { { 2 } };
	struct conv_id x, y;

	(void)state;
	assert_int_equal(content_conv_direct(&p, &a, &b, &x), OK);
	assert_int_equal(content_conv_direct(&p, &b, &a, &y), OK);
	assert_true(ID_EQ(x, y));
	assert_int_equal(content_conv_direct(&p, &a, &a, &y), OK);
	assert_false(ID_EQ(x, y));
}

/* docs/protocol.md, Padding: zeros up to the size given, checked. */
static void
test_content_padding_is_checked(void **state)
{
	uint8_t mem[2048];
	struct span x;

	(void)state;
	for (size_t n = 0; n < 1500; n += 11) {
		struct wr w = wr_init(mem, sizeof(mem));

		assert_int_equal(pad_write(&w, span_of(plain, n)), OK);
		assert_int_equal(w.n, pad_len(n));
		assert_int_equal(pad_read(wr_done(&w), &x), OK);
		assert_int_equal(x.n, n);
		assert_int_equal(pad_read(span_of(mem, w.n - 1), &x),
		    ERR_FORMAT);
		if (varint_len((uint32_t)n) + n == w.n)
			continue;
		mem[w.n - 1] = 1;
		assert_int_equal(pad_read(wr_done(&w), &x), ERR_FORMAT);
	}
	memset(mem, 0, sizeof(mem));
	assert_int_equal(pad_read(span_of(mem, 256), &x), ERR_FORMAT);
	assert_int_equal(pad_read(span_of(mem, 128), &x), OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content_round_trip),
		cmocka_unit_test(test_content_refuses_every_flipped_bit),
		cmocka_unit_test(test_content_is_bound_to_place_and_sender),
		cmocka_unit_test(test_content_kinds_in_a_group),
		cmocka_unit_test(test_content_refuses_another_id_within),
		cmocka_unit_test(test_content_conv_is_the_same_for_both),
		cmocka_unit_test(test_content_padding_is_checked),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
