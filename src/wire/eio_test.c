/*
 * eio_test.c: Engine.IO protocol 4.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/eio.h"

static uint8_t mem[1024];
static struct arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, mem, sizeof mem);
	return 0;
}

static void
test_eio_reads_packets(void **state)
{
	struct eio_packet p;

	(void)state;
	assert_int_equal(eio_decode(SPAN("4hello"), false, &p), OK);
	assert_int_equal(p.type, EIO_MESSAGE);
	assert_true(span_eq(p.data, SPAN("hello")));
	assert_int_equal(eio_decode(SPAN("2probe"), false, &p), OK);
	assert_int_equal(p.type, EIO_PING);
	assert_int_equal(eio_decode(SPAN("6"), false, &p), OK);
	assert_int_equal(p.type, EIO_NOOP);
	assert_int_equal(eio_decode(SPAN(""), true, &p), OK);
	assert_true(p.binary);
	assert_int_equal(eio_decode(SPAN(""), false, &p), ERR_FORMAT);
	assert_int_equal(eio_decode(SPAN("7"), false, &p), ERR_FORMAT);
	assert_int_equal(eio_decode(SPAN("/"), false, &p), ERR_FORMAT);
	assert_int_equal(eio_decode(SPAN("b"), false, &p), ERR_FORMAT);
}

static void
test_eio_reads_payloads(void **state)
{
	struct span body = SPAN("4hello\x1e" "2\x1e" "bAQID");
	struct eio_packet p;
	enum err e;

	(void)state;
	assert_true(eio_next(&body, &arena, &p, &e));
	assert_true(span_eq(p.data, SPAN("hello")));
	assert_true(eio_next(&body, &arena, &p, &e));
	assert_int_equal(p.type, EIO_PING);
	assert_true(eio_next(&body, &arena, &p, &e));
	assert_true(p.binary);
	assert_true(span_eq(p.data, SPAN("\1\2\3")));
	assert_false(eio_next(&body, &arena, &p, &e));
	assert_int_equal(e, OK);
}

static void
expect_refused(struct span body, size_t good)
{
	struct eio_packet p;
	enum err e;

	for (size_t i = 0; i < good; i++)
		assert_true(eio_next(&body, &arena, &p, &e));
	assert_false(eio_next(&body, &arena, &p, &e));
	assert_int_equal(e, ERR_FORMAT);
}

static void
test_eio_refuses_malformed_payloads(void **state)
{
	(void)state;
	expect_refused(SPAN(""), 0);
	expect_refused(SPAN("\x1e"), 0);
	expect_refused(SPAN("4a\x1e"), 1);
	expect_refused(SPAN("4a\x1e\x1e" "4b"), 1);
	expect_refused(SPAN("4a\x1e" "9"), 1);
}

/* Not every client writes it as RFC 4648 4 has it; Node reads all of these. */
static void
test_eio_reads_any_base64(void **state)
{
	static const struct {
		const char *text;
		struct span bytes;
	} rows[] = {
		{ "b", { (const uint8_t *)"", 0 } },
		{ "bA", { (const uint8_t *)"", 0 } },
		{ "bAQ", { (const uint8_t *)"\1", 1 } },
		{ "bAQI", { (const uint8_t *)"\1\2", 2 } },
		{ "bAQ ID", { (const uint8_t *)"\1\2\3", 3 } },
		{ "bAQID====", { (const uint8_t *)"\1\2\3", 3 } },
		{ "bAQ==AQ==", { (const uint8_t *)"\1", 1 } },
		{ "bA-_/+", { (const uint8_t *)"\3\xef\xff", 3 } },
		{ "b!!!!", { (const uint8_t *)"", 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span body = span_str(rows[i].text);
		struct eio_packet p;
		enum err e;

		assert_true(eio_next(&body, &arena, &p, &e));
		assert_true(p.binary);
		assert_true(span_eq(p.data, rows[i].bytes));
	}
}

static void
test_eio_says_when_the_arena_is_full(void **state)
{
	struct span body = SPAN("bAQIDBAUG");
	struct eio_packet p;
	enum err e;

	(void)state;
	arena_init(&arena, mem, 2);
	assert_false(eio_next(&body, &arena, &p, &e));
	assert_int_equal(e, ERR_TOO_LARGE);
}

static void
test_eio_writes_payloads(void **state)
{
	static const struct eio_packet list[] = {
		{ EIO_MESSAGE, false, { (const uint8_t *)"hi", 2 } },
		{ EIO_MESSAGE, true, { (const uint8_t *)"\1\2\3\4", 4 } },
		{ EIO_CLOSE, false, { NULL, 0 } }
	};
	uint8_t out[64];
	struct wr w = wr_init(out, sizeof out);
	size_t most = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		eio_put(&w, &list[i]);
		most += eio_len(&list[i]);
	}
	assert_true(span_eq(wr_done(&w),
	    SPAN("4hi\x1e" "bAQIDBA==\x1e" "1")));
	assert_true(w.n <= most);
}

static void
test_eio_open_survives_the_way(void **state)
{
	struct eio_open o = { SPAN("abcdefghijklmnop"), true, 25000, 20000,
	    1000000 }, got;
	uint8_t out[256];
	struct wr w = wr_init(out, sizeof out);
	struct eio_packet p;

	(void)state;
	eio_put_open(&w, &o);
	assert_true(span_eq(wr_done(&w), SPAN("0{\"sid\":"
	    "\"abcdefghijklmnop\",\"upgrades\":[\"websocket\"],"
	    "\"pingInterval\":25000,\"pingTimeout\":20000,"
	    "\"maxPayload\":1000000}")));
	assert_int_equal(eio_decode(wr_done(&w), false, &p), OK);
	assert_int_equal(p.type, EIO_OPEN);
	assert_int_equal(eio_decode_open(p.data, &arena, &got), OK);
	assert_true(span_eq(got.sid, o.sid));
	assert_true(got.upgrade_websocket);
	assert_int_equal(got.ping_interval_ms, 25000);
	assert_int_equal(got.ping_timeout_ms, 20000);
	assert_int_equal(got.max_payload, 1000000);
}

static void
test_eio_refuses_bad_open_packets(void **state)
{
	static const char *const bad[] = { "", "[]", "{}", "{\"sid\":\"a\"}",
	    "{\"sid\":1,\"pingInterval\":1,\"pingTimeout\":1}",
	    "{\"sid\":\"\",\"pingInterval\":1,\"pingTimeout\":1}",
	    "{\"sid\":\"a\",\"pingInterval\":0,\"pingTimeout\":1}",
	    "{\"sid\":\"a\",\"pingInterval\":-1,\"pingTimeout\":1}",
	    "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":4294967296}",
	    ("{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":1,"
	    "\"upgrades\":[1]}"),
	    "{\"sid\":\"a\",\"pingInterval\":1,\"pingTimeout\":1}x" };
	struct eio_open o;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(eio_decode_open(span_str(bad[i]), &arena,
		    &o), ERR_FORMAT);
}

static void
test_eio_names_errors_and_sids(void **state)
{
	uint8_t out[128];
	struct wr w = wr_init(out, sizeof out);

	(void)state;
	eio_put_error(&w, EIO_ERR_VERSION);
	assert_true(span_eq(wr_done(&w), SPAN("{\"code\":5,\"message\":"
	    "\"Unsupported protocol version\"}")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_eio_reads_packets, setup),
		cmocka_unit_test_setup(test_eio_reads_payloads, setup),
		cmocka_unit_test_setup(test_eio_refuses_malformed_payloads,
		    setup),
		cmocka_unit_test_setup(test_eio_reads_any_base64, setup),
		cmocka_unit_test_setup(test_eio_says_when_the_arena_is_full,
		    setup),
		cmocka_unit_test_setup(test_eio_writes_payloads, setup),
		cmocka_unit_test_setup(test_eio_open_survives_the_way, setup),
		cmocka_unit_test_setup(test_eio_refuses_bad_open_packets,
		    setup),
		cmocka_unit_test_setup(test_eio_names_errors_and_sids, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
