/*
 * deflate_test.c: permessage-deflate: offers and answers, the examples of RFC
 * 7692, both directions in pieces of every size, bad data, memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "wire/deflate.h"
#include "wire/http.h"

/* ---- Negotiation ---- */

/* The answer to that offer, or what became of it. */
static const char *
answer_to(const char *offer, unsigned bits)
{
	static char text[256];
	struct wr w = wr_init(text, sizeof text - 1);
	static struct http_msg m;
	struct deflate_params p;
	enum err e;

	memset(&m, 0, sizeof m);
	m.field[0] = (struct http_field){ SPAN("Sec-WebSocket-Extensions"),
	    span_str(offer) };
	m.field_n = 1;
	if ((e = deflate_choose(&m, bits, &p)) != OK)
		return e == ERR_NOT_FOUND ? "none" : e == ERR_FORMAT ?
		    "malformed" : "?";
	deflate_put_answer(&w, &p);
	assert_true(wr_ok(&w));
	text[w.n - 2] = '\0';
	assert_memory_equal(text, "Sec-WebSocket-Extensions: permessage-"
	    "deflate", 44);
	return &text[44];
}

#define PD "permessage-deflate"
#define EXPECT(offer, bits, want) \
	assert_string_equal(answer_to(offer, bits), want)

/* RFC 7692 7.1 */
static void
test_deflate_answers_offers(void **state)
{
	(void)state;
	EXPECT(PD, 15, "");
	EXPECT(PD, 9, "");
	EXPECT(PD "; server_no_context_takeover", 15,
	    "; server_no_context_takeover");
	EXPECT(PD "; client_no_context_takeover", 15,
	    "; client_no_context_takeover");
	EXPECT(PD "; server_max_window_bits=10", 15,
	    "; server_max_window_bits=10");
	EXPECT(PD "; server_max_window_bits=15", 12,
	    "; server_max_window_bits=12");
	EXPECT(PD "; server_max_window_bits=8", 15,
	    "; server_max_window_bits=8");
	EXPECT(PD "; client_max_window_bits", 15, "");
	EXPECT(PD "; client_max_window_bits", 12,
	    "; client_max_window_bits=12");
	EXPECT(PD "; client_max_window_bits=8", 12,
	    "; client_max_window_bits=8");
	EXPECT(PD "; client_max_window_bits=15", 15,
	    "; client_max_window_bits=15");
	EXPECT(PD "; server_max_window_bits=\"11\"", 15,
	    "; server_max_window_bits=11");
	EXPECT(PD "; client_no_context_takeover; server_max_window_bits=14;"
	    "client_max_window_bits=9; server_no_context_takeover", 13,
	    "; server_no_context_takeover; client_no_context_takeover; "
	    "server_max_window_bits=13; client_max_window_bits=9");
}

/* RFC 7692 5.1, 7: the first that can be taken. */
static void
test_deflate_takes_the_first_good_offer(void **state)
{
	(void)state;
	EXPECT("x, " PD, 15, "");
	EXPECT(PD "; x, " PD "; server_max_window_bits=9, " PD, 15,
	    "; server_max_window_bits=9");
	EXPECT(PD ", " PD "; server_no_context_takeover", 15, "");
	EXPECT("x; server_max_window_bits=9", 15, "none");
	EXPECT("", 15, "none");
}

/* RFC 7692 7.1 */
static void
test_deflate_declines_bad_offers(void **state)
{
	static const char *const bad[] = { PD "; x", PD "; x=1", PD "x",
	    "Permessage-Deflate",
	    PD "; server_no_context_takeover=1",
	    PD "; client_no_context_takeover=\"x\"",
	    PD "; server_no_context_takeover; server_no_context_takeover",
	    PD "; client_no_context_takeover; client_no_context_takeover",
	    PD "; server_max_window_bits", PD "; server_max_window_bits=7",
	    PD "; server_max_window_bits=16", PD "; server_max_window_bits=09",
	    PD "; server_max_window_bits=1", PD "; server_max_window_bits=x",
	    PD "; server_max_window_bits=10; server_max_window_bits=10",
	    PD "; client_max_window_bits=7", PD "; client_max_window_bits=16",
	    PD "; client_max_window_bits=123456789",
	    PD "; client_max_window_bits=+9",
	    PD "; client_max_window_bits; client_max_window_bits=10" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		EXPECT(bad[i], 15, "none");
	EXPECT(PD "; =1", 15, "malformed");
	EXPECT(PD ", a b", 15, "malformed");
}

/* ---- Streams ---- */

static struct {
	size_t live, bytes, peak;
	int left;		/* calls of get that work; < 0: all do */
} heap;

static void *
get(void *arg, size_t n)
{
	size_t *p;

	assert_ptr_equal(arg, &heap);
	if (heap.left == 0)
		return NULL;
	if (heap.left > 0)
		heap.left--;
	p = malloc(n + 16);
	assert_non_null(p);
	p[0] = n;
	heap.live++;
	heap.bytes += n;
	if (heap.bytes > heap.peak)
		heap.peak = heap.bytes;
	return &p[2];
}

static void
put(void *arg, void *at)
{
	size_t *p = at;

	assert_ptr_equal(arg, &heap);
	heap.live--;
	heap.bytes -= p[-2];
	free(&p[-2]);
}

static const struct deflate_mem mem = { get, put, &heap };
static uint8_t out[1 << 20];

static int
setup(void **state)
{
	(void)state;
	memset(&heap, 0, sizeof heap);
	heap.left = -1;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return heap.live == 0 && heap.bytes == 0 ? 0 : -1;
}

/* One message in pieces of `each` bytes, out in steps of `room`. */
static enum err
unpack(struct deflate_in *d, struct span in, size_t each, size_t room,
    size_t *n_out)
{
	size_t at = 0, n;

	*n_out = 0;
	do {
		struct span piece = span_sub(in, at, each);
		bool last;

		at += piece.n;
		last = at == in.n;
		do {
			assert_true(*n_out + room <= sizeof out);
			TRY(deflate_in_read(d, &piece, last, &out[*n_out],
			    room, &n));
			assert_true(n <= room);
			*n_out += n;
		} while (piece.n > 0 || n == room);
	} while (at < in.n);
	return OK;
}

static void
expect_text(struct deflate_in *d, struct span in, struct span want)
{
	static const size_t steps[][2] = { { 1000, 1000 }, { 1, 1000 },
	    { 1000, 1 }, { 1, 1 }, { 3, 5 } };
	size_t n;

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		deflate_in_reset(d);
		assert_int_equal(unpack(d, in, steps[i][0], steps[i][1], &n),
		    OK);
		assert_true(span_eq(span_of(out, n), want));
	}
}

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"

/* RFC 7692 7.2.3 */
static void
test_deflate_reads_the_examples(void **state)
{
	struct deflate_in *d;
	size_t n;

	(void)state;
	assert_int_equal(deflate_in_open(&d, &mem, 15), OK);
	expect_text(d, SPAN(HELLO), SPAN("Hello"));
	expect_text(d, SPAN("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
	    SPAN("Hello"));
	expect_text(d, SPAN("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
	    SPAN("Hello"));
	expect_text(d, SPAN("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07"
	    "\x00"), SPAN("Hello"));
	expect_text(d, SPAN("\x00"), SPAN(""));
	/* 7.2.3.2: the second one refers to the first. */
	deflate_in_reset(d);
	assert_int_equal(unpack(d, SPAN(HELLO), 9, 9, &n), OK);
	assert_int_equal(unpack(d, SPAN("\xf2\x00\x11\x00\x00"), 9, 9, &n),
	    OK);
	assert_true(span_eq(span_of(out, n), SPAN("Hello")));
	/* It may also refer to what a last block ended. */
	deflate_in_reset(d);
	assert_int_equal(unpack(d, SPAN("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
	    9, 9, &n), OK);
	assert_int_equal(unpack(d, SPAN("\xf2\x00\x11\x00\x00"), 9, 9, &n),
	    OK);
	assert_true(span_eq(span_of(out, n), SPAN("Hello")));
	deflate_in_close(d);
	deflate_in_close(NULL);
}

/* RFC 7692 7.2.2: what is not, or not whole, DEFLATE data. */
static void
test_deflate_rejects_bad_data(void **state)
{
	static const struct span bad[] = {
		{ (const uint8_t *)"\xff\xff\xff", 3 },
		{ (const uint8_t *)"\x07\x00", 2 },
		{ (const uint8_t *)"\x00\x05\x00\x00\x00Hello", 10 },
		{ (const uint8_t *)"\xf2\x00\x11\x00\x00", 5 },
		{ (const uint8_t *)HELLO, 3 },
		{ (const uint8_t *)HELLO, 5 },
		{ (const uint8_t *)"\x00\x05\x00\xfa\xff\x48\x65", 7 },
		{ (const uint8_t *)"", 0 },
		{ (const uint8_t *)"\xf3\x48\xcd\xc9\xc9\x07\x00", 7 },
	};
	struct deflate_in *d;
	size_t n;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		for (size_t each = 1; each < 12; each += 5) {
			assert_int_equal(deflate_in_open(&d, &mem, 15), OK);
			assert_int_equal(unpack(d, bad[i], each, 100, &n),
			    ERR_FORMAT);
			deflate_in_close(d);
		}
	}
}

/* Repeating and random text of n bytes, from a seed. */
static struct span
sample(uint32_t seed, size_t n)
{
	static uint8_t text[200000];

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		text[i] = i > 300 && (seed >> 28) != 0 ?
		    text[i - 1 - (seed >> 8) % 300] :
		    (uint8_t)(seed >> 16);
	}
	return span_of(text, n);
}

static void
roundtrip(unsigned bits, unsigned in_bits, bool takeover, size_t room)
{
	static const size_t sizes[] = { 0, 1, 5, 100, 1000, 40000, 0, 200000,
	    3, 70000 };
	static uint8_t packed[400000];
	struct deflate_out *o;
	struct deflate_in *d;
	size_t n, got;

	assert_int_equal(deflate_out_open(&o, &mem, bits), OK);
	assert_int_equal(deflate_in_open(&d, &mem, in_bits), OK);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct span s = sample((uint32_t)i, sizes[i]);
		size_t cap = deflate_out_bound(o, s.n);

		assert_true(cap <= sizeof packed);
		assert_int_equal(deflate_out_write(o, s, packed, cap, &n),
		    OK);
		assert_int_equal(unpack(d, span_of(packed, n), 4096, room,
		    &got), OK);
		assert_true(span_eq(span_of(out, got), s));
		if (!takeover) {
			deflate_out_reset(o);
			deflate_in_reset(d);
		}
	}
	deflate_out_close(o);
	deflate_in_close(d);
}

/* RFC 7692 7.1.1, 7.1.2 */
static void
test_deflate_roundtrips_with_each_window(void **state)
{
	(void)state;
	for (unsigned bits = 8; bits <= 15; bits++) {
		roundtrip(bits, bits, true, 4096);
		roundtrip(bits, bits, false, 4096);
		roundtrip(bits, 15, true, 65536);
	}
}

/*
 * A server with zlib and an agreed window of 256 bytes: no match lies further
 * back. Inflated byte by byte with just that window, it would show.
 */
static void
test_deflate_keeps_a_window_of_256_bytes(void **state)
{
	(void)state;
	roundtrip(8, 8, true, 1);
	roundtrip(9, 9, true, 1);
}

static void
test_deflate_compresses(void **state)
{
	static uint8_t text[10000], packed[11000];
	struct deflate_out *o;
	size_t n, again;

	(void)state;
	memset(text, 'a', sizeof text);
	assert_int_equal(deflate_out_open(&o, &mem, 12), OK);
	assert_int_equal(deflate_out_write(o, SPAN_OF(text), packed,
	    sizeof packed, &n), OK);
	assert_true(n < 100);
	/* Less than the window: with it, the second one is shorter. */
	memcpy(text, sample(7, 2000).p, 2000);
	assert_int_equal(deflate_out_write(o, span_of(text, 2000), packed,
	    sizeof packed, &n), OK);
	assert_int_equal(deflate_out_write(o, span_of(text, 2000), packed,
	    sizeof packed, &again), OK);
	assert_true(again < n / 4);
	/* Without room it says so. */
	assert_int_equal(deflate_out_write(o, span_of(text, 2000), packed, 20,
	    &n), ERR_TOO_LARGE);
	assert_int_equal(deflate_out_write(o, SPAN(""), packed, 0, &n),
	    ERR_TOO_LARGE);
	deflate_out_close(o);
	deflate_out_close(NULL);
}

/* The sizes that deflate.h promises. */
static void
test_deflate_takes_bounded_memory(void **state)
{
	struct deflate_out *o;

	(void)state;
	for (unsigned bits = 9; bits <= 15; bits++) {
		heap.peak = 0;
		assert_int_equal(deflate_out_open(&o, &mem, bits), OK);
		assert_in_range(heap.peak, 8U << bits, 6500 + (8U << bits));
		deflate_out_close(o);
		heap.peak = 0;
		roundtrip(bits, bits, true, 1000);
		assert_true(heap.peak <= 6500 + (8U << bits) + 7800 +
		    (1U << bits));
	}
}

static void
test_deflate_without_memory(void **state)
{
	struct deflate_out *o = NULL;
	struct deflate_in *d = NULL;
	enum err e = ERR_NOMEM;

	(void)state;
	for (int left = 0; e != OK; left++) {
		assert_true(left < 20);
		heap.left = left;
		e = deflate_out_open(&o, &mem, 12);
		assert_true(e == OK || e == ERR_NOMEM);
	}
	deflate_out_close(o);
	e = ERR_NOMEM;
	for (int left = 0; e != OK; left++) {
		size_t n;

		assert_true(left < 20);
		heap.left = left;
		if ((e = deflate_in_open(&d, &mem, 12)) != OK)
			continue;
		e = unpack(d, SPAN(HELLO), 2, 2, &n);
		assert_true(e == OK || e == ERR_NOMEM);
		deflate_in_close(d);
	}
}

#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_deflate_answers_offers),
		T(test_deflate_takes_the_first_good_offer),
		T(test_deflate_declines_bad_offers),
		T(test_deflate_reads_the_examples),
		T(test_deflate_rejects_bad_data),
		T(test_deflate_roundtrips_with_each_window),
		T(test_deflate_keeps_a_window_of_256_bytes),
		T(test_deflate_compresses),
		T(test_deflate_takes_bounded_memory),
		T(test_deflate_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
