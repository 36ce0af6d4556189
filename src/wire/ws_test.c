/*
 * ws_test.c: RFC 6455, both roles. Every input is read whole and byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/http.h"
#include "wire/ws.h"

struct seen {
	char text[70000];	/* Thello; Bxx; P..; O..; C1000 bye; X1002 */
	size_t n;
};

static struct seen a, b;
static bool deflate;
static uint32_t message_max;

static void
note(struct seen *s, const char *head, struct span data)
{
	size_t k = strlen(head);

	assert_true(s->n + k + data.n + 1 < sizeof s->text);
	memcpy(&s->text[s->n], head, k + 1);
	if (data.n > 0)
		memcpy(&s->text[s->n + k], data.p, data.n);
	s->n += k + data.n;
	s->text[s->n] = '\0';
}

static bool
step(struct ws *w, struct seen *s, uint8_t *in, size_t n, size_t *used)
{
	struct ws_msg m;
	char head[32];

	switch (ws_next(w, in, n, used, &m)) {
	case WS_MORE:
		return false;
	case WS_DATA:
		note(s, !m.first ? "" : m.compressed ? "Z" :
		    m.op == WS_OP_TEXT ? "T" : "B", m.data);
		if (m.last)
			note(s, ";", SPAN(""));
		return true;
	case WS_PING:
		note(s, "P", m.data);
		return true;
	case WS_PONG:
		note(s, "O", m.data);
		return true;
	case WS_CLOSE:
		snprintf(head, sizeof head, "C%u ", m.code);
		note(s, head, m.data);
		return true;
	case WS_BAD:
		snprintf(head, sizeof head, "X%u", w->bad_code);
		note(s, head, SPAN(""));
		return false;
	}
	return false;
}

/* Reads of `each` bytes; what is not taken is kept in front. */
static void
run(enum ws_role role, struct span in, size_t each, struct seen *s)
{
	static uint8_t keep[140000];
	size_t kept = 0, used, from, at;
	struct ws w;

	s->n = 0;
	s->text[0] = '\0';
	ws_init(&w, role, message_max);
	w.deflate = deflate;
	for (at = 0; at < in.n && w.bad_code == 0;) {
		size_t n = in.n - at < each ? in.n - at : each;

		memcpy(&keep[kept], &in.p[at], n);
		at += n;
		kept += n;
		from = 0;
		while (step(&w, s, &keep[from], kept - from, &used))
			from += used;
		from += used;
		memmove(keep, &keep[from], kept - from);
		kept -= from;
		if (w.bad_code == 0)
			assert_true(kept < WS_KEEP_MAX);
	}
}

static void
expect_role(enum ws_role role, struct span in, const char *want)
{
	run(role, in, in.n, &a);
	assert_string_equal(a.text, want);
	run(role, in, 1, &b);
	assert_string_equal(b.text, want);
}

#define SERVER(bytes, want) expect_role(WS_SERVER, SPAN(bytes), want)
#define CLIENT(bytes, want) expect_role(WS_CLIENT, SPAN(bytes), want)
#define M "\0\0\0\0"		/* a mask that changes nothing */

static int
setup(void **state)
{
	(void)state;
	deflate = false;
	message_max = 0;
	return 0;
}

/* RFC 6455 5.7: the examples. */
static void
test_ws_reads_the_examples(void **state)
{
	(void)state;
	CLIENT("\x81\x05" "Hello", "THello;");
	SERVER("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "THello;");
	CLIENT("\x01\x03" "Hel" "\x80\x02" "lo", "THello;");
	CLIENT("\x89\x05" "Hello", "PHello");
	SERVER("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", "OHello");
}

/* RFC 6455 5.4, 5.5: control frames between the fragments. */
static void
test_ws_takes_control_frames_between_fragments(void **state)
{
	(void)state;
	CLIENT("\x01\x01" "a" "\x89\x01" "p" "\x00\x00" "\x00\x01" "b"
	    "\x8a\x00" "\x80\x00" "\x82\x01" "z", "TaPpbO;Bz;");
	CLIENT("\x01\x00\x80\x00", "T;");
	CLIENT("\x81\x00", "T;");
	CLIENT("\x82\x00", "B;");
}

/* RFC 6455 5.1 */
static void
test_ws_rejects_unmasked_frame(void **state)
{
	(void)state;
	SERVER("\x81\x05" "Hello", "X1002");
	CLIENT("\x81\x85" M "Hello", "X1002");
}

/* RFC 6455 5.2 */
static void
test_ws_rejects_reserved_bits_and_opcodes(void **state)
{
	(void)state;
	CLIENT("\xc1\x01" "a", "X1002");
	CLIENT("\xa1\x01" "a", "X1002");
	CLIENT("\x91\x01" "a", "X1002");
	for (unsigned op = 3; op < 16; op++) {
		uint8_t frame[3] = { (uint8_t)(0x80 | op), 1, 'a' };

		if (op < 8 || op > 10)
			expect_role(WS_CLIENT, SPAN_OF(frame), "X1002");
	}
}

/* RFC 7692 6: RSV1 stands on the first frame of a message, no other. */
static void
test_ws_takes_rsv1_when_negotiated(void **state)
{
	(void)state;
	deflate = true;
	CLIENT("\xc1\x01\xff", "Z\xff;");
	CLIENT("\x41\x01\xff\x80\x01\xfe", "Z\xff\xfe;");
	CLIENT("\x41\x01\xff\xc0\x01\xfe", "Z\xffX1002");
	CLIENT("\xc9\x01\xff", "X1002");
	CLIENT("\x81\x01\xff", "X1007");
}

/* RFC 6455 5.5 */
static void
test_ws_rejects_bad_control_frames(void **state)
{
	static uint8_t frame[130] = { 0x89, 126, 0, 126 };

	(void)state;
	CLIENT("\x09\x01" "a", "X1002");
	CLIENT("\x08\x00", "X1002");
	expect_role(WS_CLIENT, SPAN_OF(frame), "X1002");
	frame[1] = 125;
	run(WS_CLIENT, span_of(frame, 127), 127, &a);
	assert_int_equal(a.n, 126);
}

/* RFC 6455 5.4 */
static void
test_ws_rejects_mixed_fragments(void **state)
{
	(void)state;
	CLIENT("\x80\x01" "a", "X1002");
	CLIENT("\x00\x01" "a", "X1002");
	CLIENT("\x01\x01" "a" "\x81\x01" "b", "TaX1002");
	CLIENT("\x81\x01" "a" "\x80\x01" "b", "Ta;X1002");
}

/* RFC 6455 5.2: the minimal number of bytes MUST be used. */
static void
test_ws_rejects_long_forms_of_length(void **state)
{
	(void)state;
	CLIENT("\x81\x7e\x00\x7d", "X1002");
	CLIENT("\x81\x7f\0\0\0\0\0\0\xff\xff", "X1002");
	CLIENT("\x81\x7f\x80\0\0\0\0\1\0\0", "X1002");
}

static void
test_ws_takes_each_length_form(void **state)
{
	static uint8_t frame[66000];
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536 };
	struct wr w;

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		static uint8_t data[65536];
		uint8_t mask[4] = { 1, 2, 3, (uint8_t)i };

		memset(data, 'x', sizes[i]);
		w = wr_init(frame, sizeof frame);
		ws_put(&w, WS_OP_TEXT, span_of(data, sizes[i]), mask);
		assert_true(wr_ok(&w));
		assert_int_equal(w.n, ws_head_len(sizes[i], true) + sizes[i]);
		run(WS_SERVER, wr_done(&w), w.n, &a);
		assert_int_equal(a.n, sizes[i] + 2);
		run(WS_SERVER, wr_done(&w), 1, &b);
		assert_memory_equal(a.text, b.text, a.n + 1);
	}
}

/* RFC 6455 7.4.1: too big. */
static void
test_ws_keeps_the_message_limit(void **state)
{
	(void)state;
	message_max = 4;
	CLIENT("\x81\x04" "abcd", "Tabcd;");
	CLIENT("\x81\x05" "abcde", "X1009");
	CLIENT("\x01\x03" "abc" "\x80\x02" "de", "TabcX1009");
	CLIENT("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", "X1009");
	CLIENT("\x01\x03" "abc" "\x80\x7f\x7f\xff\xff\xff\xff\xff\xff\xff",
	    "TabcX1009");
	CLIENT("\x81\x04" "abcd" "\x81\x04" "abcd", "Tabcd;Tabcd;");
}

/* Compressed, it may be longer by an eighth: what counts is inflated. */
static void
test_ws_gives_compressed_messages_room(void **state)
{
	static uint8_t frame[700] = { 0xc2, 126, 0x02, 0x62 };

	(void)state;
	message_max = 314;	/* and 39 and 256: 609 */
	deflate = true;
	run(WS_CLIENT, span_of(frame, 4 + 0x262), 700, &a);
	assert_string_equal(a.text, "X1009");
	frame[3] = 0x61;	/* 609 */
	run(WS_CLIENT, span_of(frame, 4 + 0x261), 700, &a);
	assert_int_equal(a.n, 1 + 609 + 1);
	frame[0] = 0x82;
	run(WS_CLIENT, span_of(frame, 4 + 0x261), 700, &a);
	assert_string_equal(a.text, "X1009");
	CLIENT("\x42\x02" "ab" "\x80\x7e\x02\x60", "ZabX1009");
}

/* RFC 6455 7.1.5: the code of the connection's close. */
static void
test_ws_keeps_the_code_of_a_close(void **state)
{
	uint8_t in[] = { 0x88, 2, 0x0b, 0xb9 }, none[] = { 0x88, 0 };
	struct ws_msg m;
	size_t used;
	struct ws w;

	(void)state;
	ws_init(&w, WS_CLIENT, 0);
	assert_int_equal(w.peer_code, WS_CODE_LOST);
	assert_int_equal(ws_next(&w, in, sizeof in, &used, &m), WS_CLOSE);
	assert_int_equal(w.peer_code, 3001);
	ws_init(&w, WS_CLIENT, 0);
	assert_int_equal(ws_next(&w, none, sizeof none, &used, &m), WS_CLOSE);
	assert_int_equal(w.peer_code, WS_CODE_NONE);
}

/* Text that is refused: by bytes, some of it may have been handed out. */
static void
expect_not_utf8(struct span in)
{
	run(WS_CLIENT, in, in.n, &a);
	assert_string_equal(a.text, "X1007");
	run(WS_CLIENT, in, 1, &b);
	assert_non_null(strstr(b.text, "X1007"));
	assert_null(strchr(b.text, ';'));
}

/* RFC 6455 8.1: over pieces and fragments; and as soon as it is certain. */
static void
test_ws_rejects_text_that_is_not_utf8(void **state)
{
	(void)state;
	CLIENT("\x01\x01\xc3\x80\x01\xa4", "T\xc3\xa4;");
	expect_not_utf8(SPAN("\x81\x02\xc3\x28"));
	expect_not_utf8(SPAN("\x81\x01\xc3"));
	expect_not_utf8(SPAN("\x81\x02\xc0\x80"));
	expect_not_utf8(SPAN("\x81\x7d\xed\xa0"));
	CLIENT("\x82\x02\xc3\x28", "B\xc3\x28;");
}

/* RFC 6455 5.5.1, 7.4 */
static void
test_ws_reads_close_frames(void **state)
{
	static const uint16_t bad[] = { 0, 999, 1004, 1005, 1006, 1015, 1016,
	    1100, 2000, 2999, 5000, 65535 };
	static const uint16_t good[] = { 1000, 1003, 1007, 1011, 1014, 3000,
	    4999 };

	(void)state;
	CLIENT("\x88\x00", "C1005 ");
	CLIENT("\x88\x05\x03\xe8" "bye", "C1000 bye");
	CLIENT("\x88\x01\x03", "X1002");
	CLIENT("\x88\x04\x03\xe8\xc3\x28", "X1007");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		uint8_t frame[4] = { 0x88, 2, (uint8_t)(bad[i] >> 8),
		    (uint8_t)bad[i] };

		assert_false(ws_code_ok(bad[i]));
		expect_role(WS_CLIENT, SPAN_OF(frame), "X1002");
	}
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(ws_code_ok(good[i]));
	/* Nothing is read behind it. */
	CLIENT("\x88\x00\x81\x01" "a" "\xff\xff", "C1005 ");
}

static void
test_ws_masks_from_any_offset(void **state)
{
	static const uint8_t mask[4] = { 0x11, 0x22, 0x44, 0x88 };
	uint8_t p[100], q[100];

	(void)state;
	for (size_t n = 0; n <= sizeof p; n++)
		for (size_t from = 0; from < 4; from++) {
			for (size_t i = 0; i < n; i++)
				p[i] = (uint8_t)(i * 7);
			ws_mask(p, n, mask, from);
			for (size_t i = 0; i < n; i++)
				q[i] = (uint8_t)(i * 7) ^
				    mask[(i + from) & 3];
			assert_memory_equal(p, q, n);
		}
}

static void
test_ws_writes_close_frames(void **state)
{
	uint8_t mem[WS_KEEP_MAX];
	char reason[200];
	struct wr w = wr_init(mem, sizeof mem);

	(void)state;
	ws_put_close(&w, 1000, "bye", NULL);
	assert_true(span_eq(wr_done(&w), SPAN("\x88\x05\x03\xe8" "bye")));
	w = wr_init(mem, sizeof mem);
	ws_put_close(&w, 0, NULL, NULL);
	assert_true(span_eq(wr_done(&w), SPAN("\x88\x00")));
	/* 123 bytes at most, cut between characters. */
	memset(reason, 'x', 122);
	memcpy(&reason[122], "\xc3\xa4", 3);
	w = wr_init(mem, sizeof mem);
	ws_put_close(&w, 1001, reason, NULL);
	assert_int_equal(w.n, 2 + 2 + 122);
	assert_true(wr_ok(&w));
}

/* Known answer of RFC 6455 1.3, and a check of what is hashed. */
static enum err
sha1_stub(struct span in, uint8_t out[20])
{
	static const uint8_t digest[20] = { 0xb3, 0x7a, 0x4f, 0x2c, 0xc0,
	    0x62, 0x4f, 0x16, 0x90, 0xf6, 0x46, 0x06, 0xcf, 0x38, 0x59,
	    0x45, 0xb2, 0xbe, 0xc4, 0xea };

	assert_true(span_eq(in, SPAN("dGhlIHNhbXBsZSBub25jZQ=="
	    "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")));
	memcpy(out, digest, sizeof digest);
	return OK;
}

static enum err
read_head(enum http_role role, struct span in, struct http_msg *m)
{
	static struct http_in h;
	struct span body;
	size_t used;

	http_in_init(&h, role, &http_limits_default);
	return http_next(&h, in, m, &used, &body) == HTTP_EV_HEAD ? OK :
	    ERR_FORMAT;
}

static struct http_msg msg;

static void
test_ws_shakes_hands(void **state)
{
	static const uint8_t random[16] = "the sample nonce";
	uint8_t mem[512], key[WS_KEY_LEN], accept[WS_ACCEPT_LEN];
	struct wr w = wr_init(mem, sizeof mem);
	struct span got;

	(void)state;
	ws_put_request(&w, SPAN("/x"), SPAN("h"), random, key);
	http_put_end(&w);
	assert_int_equal(read_head(HTTP_SERVER, wr_done(&w), &msg), OK);
	assert_int_equal(ws_check_request(&msg, &got), OK);
	assert_true(span_eq(got, SPAN("dGhlIHNhbXBsZSBub25jZQ==")));
	assert_true(span_eq(got, SPAN_OF(key)));
	assert_int_equal(ws_accept(sha1_stub, got, accept), OK);
	assert_true(span_eq(SPAN_OF(accept),
	    SPAN("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
	w = wr_init(mem, sizeof mem);
	ws_put_answer(&w, accept, span_of(NULL, 0));
	http_put_end(&w);
	assert_int_equal(read_head(HTTP_CLIENT, wr_done(&w), &msg), OK);
	assert_int_equal(ws_check_answer(&msg, sha1_stub, key), OK);
	accept[0] ^= 1;
	w = wr_init(mem, sizeof mem);
	ws_put_answer(&w, accept, SPAN(""));
	http_put_end(&w);
	assert_int_equal(read_head(HTTP_CLIENT, wr_done(&w), &msg), OK);
	assert_int_equal(ws_check_answer(&msg, sha1_stub, key), ERR_FORMAT);
}

#define HELLO(line, connection, upgrade, key, version) line \
	" HTTP/1.1\r\nHost: h\r\nConnection: " connection "\r\nUpgrade: " \
	upgrade "\r\nSec-WebSocket-Key: " key "\r\n" \
	"Sec-WebSocket-Version: " version "\r\n\r\n"
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

/* RFC 6455 4.2.1 */
static void
test_ws_rejects_bad_handshakes(void **state)
{
	static const char *const bad[] = {
		HELLO("POST /", "Upgrade", "websocket", KEY, "13"),
		HELLO("GET /", "close", "websocket", KEY, "13"),
		HELLO("GET /", "Upgrade", "h2c", KEY, "13"),
		HELLO("GET /", "Upgrade", "websocket", "abc", "13"),
		HELLO("GET /", "Upgrade", "websocket",
		    "dGhlIHNhbXBsZSBub25jZR==", "13"),
		HELLO("GET /", "Upgrade", "websocket", KEY, "12"),
		HELLO("GET /", "Upgrade", "websocket", KEY
		    "\r\nSec-WebSocket-Key: " KEY, "13"),
		HELLO("GET /", "Upgrade", "websocket", KEY, "13"
		    "\r\nSec-WebSocket-Version: 13"),
		HELLO("GET /", "Upgrade", "websocket", KEY, "13"
		    "\r\nContent-Length: 1"),
		HELLO("GET /", "Upgrade", "websocket", KEY, "13"
		    "\r\nSec-WebSocket-Protocol: a, a"),
		HELLO("GET /", "Upgrade", "websocket", KEY, "13"
		    "\r\nSec-WebSocket-Extensions: a b"),
	};
	struct span key;

	(void)state;
	assert_int_equal(read_head(HTTP_SERVER, SPAN(HELLO("GET /",
	    "keep-alive, Upgrade", "WebSocket", KEY, "13")), &msg), OK);
	assert_int_equal(ws_check_request(&msg, &key), OK);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(read_head(HTTP_SERVER, span_str(bad[i]),
		    &msg), OK);
		assert_int_equal(ws_check_request(&msg, &key), ERR_FORMAT);
	}
}

static int
refusal(const char *in)
{
	assert_int_equal(read_head(HTTP_SERVER, span_str(in), &msg), OK);
	return ws_refusal(&msg);
}

/* RFC 6455 4.2.2, item 4; 4.4 */
static void
test_ws_says_why_a_handshake_is_refused(void **state)
{
	(void)state;
	assert_int_equal(refusal(HELLO("GET /", "Upgrade", "websocket", KEY,
	    "12")), 426);
	assert_int_equal(refusal(HELLO("GET /", "close", "websocket", KEY,
	    "13")), 426);
	assert_int_equal(refusal(HELLO("GET /", "Upgrade", "h2c", KEY,
	    "13")), 426);
	assert_int_equal(refusal(HELLO("GET /", "Upgrade", "websocket", "x",
	    "13")), 400);
	assert_int_equal(refusal(HELLO("POST /", "Upgrade", "websocket", KEY,
	    "12")), 400);
	assert_int_equal(refusal(HELLO("GET /", "Upgrade", "websocket", KEY,
	    "13\r\nSec-WebSocket-Version: 12")), 400);
}

/* RFC 6455 4.1: what the server did not get asked for. */
static void
test_ws_rejects_bad_answers(void **state)
{
#define HEAD "HTTP/1.1 101 x\r\nConnection: Upgrade\r\n"
#define ACC "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	static const char *const bad[] = {
		"HTTP/1.1 200 OK\r\nConnection: Upgrade\r\n"
		    "Upgrade: websocket\r\n" ACC "\r\n",
		HEAD "Upgrade: websocket\r\n\r\n",
		HEAD ACC "\r\n",
		HEAD "Upgrade: websocket\r\n" ACC ACC "\r\n",
		HEAD "Upgrade: websocket\r\n" ACC
		    "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
		HEAD "Upgrade: websocket\r\n" ACC
		    "Sec-WebSocket-Protocol: x\r\n\r\n",
		"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACC "\r\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(read_head(HTTP_CLIENT, span_str(bad[i]),
		    &msg), OK);
		assert_int_equal(ws_check_answer(&msg, sha1_stub,
		    (const uint8_t *)KEY), ERR_FORMAT);
	}
#undef HEAD
#undef ACC
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ws_reads_the_examples, setup),
		cmocka_unit_test_setup(
		    test_ws_takes_control_frames_between_fragments, setup),
		cmocka_unit_test_setup(test_ws_rejects_unmasked_frame, setup),
		cmocka_unit_test_setup(
		    test_ws_rejects_reserved_bits_and_opcodes, setup),
		cmocka_unit_test_setup(test_ws_takes_rsv1_when_negotiated,
		    setup),
		cmocka_unit_test_setup(test_ws_rejects_bad_control_frames,
		    setup),
		cmocka_unit_test_setup(test_ws_rejects_mixed_fragments, setup),
		cmocka_unit_test_setup(test_ws_rejects_long_forms_of_length,
		    setup),
		cmocka_unit_test_setup(test_ws_takes_each_length_form, setup),
		cmocka_unit_test_setup(test_ws_keeps_the_message_limit,
		    setup),
		cmocka_unit_test_setup(test_ws_rejects_text_that_is_not_utf8,
		    setup),
		cmocka_unit_test_setup(test_ws_reads_close_frames, setup),
		cmocka_unit_test(test_ws_masks_from_any_offset),
		cmocka_unit_test(test_ws_writes_close_frames),
		cmocka_unit_test(test_ws_shakes_hands),
		cmocka_unit_test(test_ws_rejects_bad_handshakes),
		cmocka_unit_test_setup(test_ws_gives_compressed_messages_room,
		    setup),
		cmocka_unit_test_setup(test_ws_keeps_the_code_of_a_close,
		    setup),
		cmocka_unit_test(test_ws_says_why_a_handshake_is_refused),
		cmocka_unit_test(test_ws_rejects_bad_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
