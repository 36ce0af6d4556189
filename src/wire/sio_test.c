/*
 * sio_test.c: Socket.IO protocol 5, as socket.io-parser 4 reads it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "wire/eio.h"
#include "wire/sio.h"
#include "wire/ws.h"

static uint32_t places;
static uint8_t mem[1024];
static struct arena arena;
static struct sio_packet p;

static enum err
decode(const char *text)
{
	arena_init(&arena, mem, sizeof mem);
	return sio_decode(span_str(text), &arena, &p);
}

static void
test_sio_reads_events(void **state)
{
	(void)state;
	assert_int_equal(decode("2[\"a\"]"), OK);
	assert_int_equal(p.type, SIO_EVENT);
	assert_true(span_eq(p.nsp, SPAN("/")));
	assert_true(span_eq(p.event, SPAN("a")));
	assert_int_equal(p.args.n, 0);
	assert_false(p.has_id);
	assert_int_equal(decode("2/chat,12[ \"a\\u00e4\" , 1 ,{\"b\":[2]} ]"),
	    OK);
	assert_true(span_eq(p.nsp, SPAN("/chat")));
	assert_true(p.has_id);
	assert_int_equal(p.id, 12);
	assert_true(span_eq(p.event, SPAN("a\xc3\xa4")));
	assert_true(span_eq(p.args, SPAN("1 ,{\"b\":[2]}")));
	assert_int_equal(decode("2[12,3]"), OK);
	assert_true(span_eq(p.event, SPAN("12")));
	assert_int_equal(decode("51-/n,7[\"a\",{\"_placeholder\":true,"
	    "\"num\":0}]"), OK);
	assert_int_equal(p.type, SIO_BINARY_EVENT);
	assert_int_equal(p.attachments, 1);
	assert_int_equal(p.id, 7);
}

static void
test_sio_reads_other_packets(void **state)
{
	(void)state;
	assert_int_equal(decode("0"), OK);
	assert_int_equal(decode("0{\"token\":\"x\"}"), OK);
	assert_int_equal(decode("0/a?b=c,{}"), OK);
	assert_true(span_eq(p.nsp, SPAN("/a?b=c")));
	assert_int_equal(decode("0/a"), OK);
	assert_true(span_eq(p.nsp, SPAN("/a")));
	assert_int_equal(decode("1"), OK);
	assert_int_equal(decode("1/a,"), OK);
	assert_int_equal(decode("4\"no\""), OK);
	assert_int_equal(decode("4{\"message\":\"no\"}"), OK);
	assert_int_equal(decode("31[1, 2]"), OK);
	assert_true(span_eq(sio_ack_args(&p), SPAN("1, 2")));
	assert_int_equal(decode("30[ ]"), OK);
	assert_int_equal(sio_ack_args(&p).n, 0);
	assert_int_equal(decode("62-9[]"), OK);
	assert_int_equal(p.attachments, 2);
}

static void
test_sio_refuses_malformed_packets(void **state)
{
	static const char *const bad[] = { "", "7", "a", "4", "40", "9[]",
	    /* payloads that do not fit their type */
	    "0[]", "0\"a\"", "0null", "0{", "0{}{}", "1{}", "1[]",
	    "2{}", "2[]", "2[null]", "2[{}]", "2[true]", "2\"a\"",
	    "2[\"a\"", "2[\"a\",]", "2[\"a\"]x", "2[a]", "21{}",
	    "4[]", "41", "3{}", "31{}", "31[", "31[1]2",
	    /* attachments */
	    "5[\"a\"]", "5-[\"a\"]", "50-[\"a\"]", "60-1[]", "5a-[\"a\"]", "51[\"a\"]",
	    "5-1-[\"a\"]", "51001-[\"a\"]", "51.5-[\"a\"]", "61[1]",
	    /* ids */
	    "29007199254740992[\"a\"]", "2-1[\"a\"]",
	    "299999999999999999999[\"a\"]" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (decode(bad[i]) != ERR_FORMAT)
			fail_msg("taken: %s", bad[i]);
}

static void
test_sio_refuses_reserved_names(void **state)
{
	(void)state;
	assert_int_equal(decode("2[\"connect\"]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"connect_error\",1]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"disconnect\"]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"disconnecting\"]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"newListener\"]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"remove\\u004cistener\"]"), ERR_FORMAT);
	assert_int_equal(decode("2[\"Connect\"]"), OK);
}

/* An event whose argument is n arrays, one in the other. */
static void
put_deep(char *out, size_t n)
{
	const char head[] = "2[\"x\",";

	memcpy(out, head, sizeof head - 1);
	out += sizeof head - 1;
	memset(out, '[', n);
	memset(&out[n], ']', n + 1);
	out[2 * n + 1] = '\0';
}

static void
test_sio_limits_nesting_and_names(void **state)
{
	char text[700];

	(void)state;
	put_deep(text, 300);
	assert_int_equal(decode(text), OK);
	text[306] = '}';
	assert_int_equal(decode(text), ERR_FORMAT);
	memset(text, 'x', sizeof text);
	text[0] = '0';
	text[1] = '/';
	text[sizeof text - 1] = '\0';
	assert_int_equal(decode(text), ERR_FORMAT);
	arena_init(&arena, mem, 2);
	assert_int_equal(sio_decode(SPAN("2[\"\\u0061bc\"]"), &arena, &p),
	    ERR_TOO_LARGE);
}

static void
test_sio_divides_arguments(void **state)
{
	struct span args = SPAN(" 1 ,\"a,b\",{\"c\":[1,2]}, null "), arg;
	static const char *const want[] = { "1", "\"a,b\"", "{\"c\":[1,2]}",
	    "null" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(sio_arg(&args, &arg));
		assert_true(span_eq(arg, span_str(want[i])));
	}
	assert_false(sio_arg(&args, &arg));
	args = SPAN("");
	assert_false(sio_arg(&args, &arg));
}

static enum err
placeholders(const char *text, uint32_t n)
{
	arena_init(&arena, mem, sizeof mem);
	return sio_check_placeholders(span_str(text), n, &arena, &places);
}

static void
test_sio_checks_placeholders(void **state)
{
#define PH(num) "{\"_placeholder\":true,\"num\":" num "}"
	(void)state;
	assert_int_equal(placeholders("[\"a\"," PH("0") ",{\"x\":[" PH("1")
	    "]}]", 2), OK);
	assert_int_equal(placeholders("[\"a\"]", 2), OK);
	assert_int_equal(placeholders("[" PH("2") "]", 2), ERR_FORMAT);
	assert_int_equal(placeholders("[" PH("-1") "]", 2), ERR_FORMAT);
	assert_int_equal(placeholders("[" PH("0.5") "]", 2), ERR_FORMAT);
	assert_int_equal(placeholders("[" PH("\"0\"") "]", 2), ERR_FORMAT);
	assert_int_equal(placeholders("[" PH("null") "]", 2), ERR_FORMAT);
	assert_int_equal(placeholders("[" PH("0") "]", 0), ERR_FORMAT);
	assert_int_equal(placeholders("[{\"_placeholder\":true}]", 1),
	    ERR_FORMAT);
	assert_int_equal(placeholders("[{\"_placeholder\":false}]", 1), OK);
	assert_int_equal(placeholders("[{\"_placeholder\":1,\"num\":9}]", 1),
	    OK);
	assert_int_equal(placeholders("[{\"\\u005fplaceholder\":true,"
	    "\"num\":9}]", 1), ERR_FORMAT);
	assert_int_equal(placeholders("[", 1), ERR_FORMAT);
	assert_int_equal(placeholders("[{]", 1), ERR_FORMAT);
#undef PH
}

static uint8_t out[256];
static struct wr w;

static void
expect(const char *want)
{
	assert_true(wr_ok(&w));
	assert_true(span_eq(wr_done(&w), span_str(want)));
	w = wr_init(out, sizeof out);
}

static void
test_sio_writes_packets(void **state)
{
	(void)state;
	w = wr_init(out, sizeof out);
	sio_put_connect(&w, SPAN("/"), SPAN("{\"sid\":\"x\"}"));
	expect("40{\"sid\":\"x\"}");
	sio_put_connect(&w, SPAN("/a"), SPAN(""));
	expect("40/a,");
	sio_put_connect_error(&w, SPAN("/auth"), SPAN("no \"way\""),
	    SPAN("{\"code\":1}"));
	expect("44/auth,{\"message\":\"no \\\"way\\\"\",\"data\":"
	    "{\"code\":1}}");
	sio_put_disconnect(&w, SPAN(""));
	expect("41");
	sio_put_event(&w, SPAN("/"), SIO_NO_ID, 0, SPAN("a"), SPAN(""));
	expect("42[\"a\"]");
	sio_put_event(&w, SPAN("/n"), 5, 0, SPAN("a\n"), SPAN("1,2"));
	expect("42/n,5[\"a\\n\",1,2]");
	sio_put_event(&w, SPAN("/"), SIO_NO_ID, 2, SPAN("b"), SPAN("{}"));
	expect("452-[\"b\",{}]");
	sio_put_ack(&w, SPAN("/"), 3, 0, SPAN("\"x\""));
	expect("433[\"x\"]");
	sio_put_ack(&w, SPAN("/n"), 3, 1, SPAN(""));
	expect("461-/n,3[]");
}

/* A frame made in one go is what its reader takes for the same event. */
static void
test_sio_frames_are_whole(void **state)
{
	static uint8_t frame[70100], args[70002];
	static const size_t sizes[] = { 2, 100, 120, 130, 60000, 65536,
	    70002 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct span a = span_of(args, sizes[i]);
		struct sio_frames f = { .nsp = SPAN("/n"), .id = SIO_NO_ID,
		    .name = SPAN("e\"v"), .args = a };
		size_t n = sio_frames_len(&f), used;
		struct eio_packet e;
		struct ws_msg m;
		struct ws ws;

		memset(args, 'x', sizes[i]);
		args[0] = args[sizes[i] - 1] = '"';
		assert_true(n <= sizeof frame);
		sio_frames_put(frame, &f);
		ws_init(&ws, WS_CLIENT, 0);
		assert_int_equal(ws_next(&ws, frame, n, &used, &m), WS_DATA);
		assert_int_equal(used, n);
		assert_true(m.first && m.last && m.op == WS_OP_TEXT);
		assert_int_equal(eio_decode(m.data, false, &e), OK);
		arena_init(&arena, mem, sizeof mem);
		assert_int_equal(sio_decode(e.data, &arena, &p), OK);
		assert_true(span_eq(p.event, SPAN("e\"v")));
		assert_true(span_eq(p.args, a));
		assert_true(span_eq(p.nsp, SPAN("/n")));
	}
}

/* What socket.io-parser lets through, and nobody waits for. */
static void
test_sio_takes_packets_without_data(void **state)
{
	(void)state;
	assert_int_equal(decode("2"), OK);
	assert_false(p.has_data);
	assert_int_equal(decode("2/n,"), OK);
	assert_int_equal(decode("31"), OK);
	assert_true(p.has_id && !p.has_data && sio_ack_args(&p).n == 0);
	assert_int_equal(decode("3[1]"), OK);
	assert_true(!p.has_id && p.has_data);
	assert_int_equal(decode("2007[\"a\"]"), OK);
	assert_int_equal(p.id, 7);
}

static void
expect_frames(const struct sio_frames *f, struct span want)
{
	static uint8_t got[1000];
	size_t n = sio_frames_len(f);

	assert_true(n <= sizeof got);
	memset(got, 0xee, sizeof got);
	sio_frames_put(got, f);
	assert_int_equal(n, want.n);
	assert_memory_equal(got, want.p, n);
}

/* Every combination of what may be there has the length that was told. */
static void
test_sio_frames_of_every_form(void **state)
{
	static const struct span parts[2] = {
		{ (const uint8_t *)"\1\2\3", 3 }, { NULL, 0 } };
	struct sio_frames f = { .id = SIO_NO_ID, .name = SPAN("e") };

	(void)state;
	expect_frames(&f, SPAN("\x81\x07" "42[\"e\"]"));
	f.args = SPAN("1,2");
	expect_frames(&f, SPAN("\x81\x0b" "42[\"e\",1,2]"));
	f.last = SPAN("\"o\"");
	expect_frames(&f, SPAN("\x81\x0f" "42[\"e\",1,2,\"o\"]"));
	f.args.n = 0;
	f.id = 10;
	f.nsp = SPAN("/n");
	expect_frames(&f, SPAN("\x81\x10" "42/n,10[\"e\",\"o\"]"));
	f.parts = parts;
	f.parts_n = 2;
	expect_frames(&f, SPAN("\x81\x12" "452-/n,10[\"e\",\"o\"]"
	    "\x82\x03\1\2\3\x82\0"));
	f = (struct sio_frames){ .is_ack = true, .id = 0 };
	expect_frames(&f, SPAN("\x81\x05" "430[]"));
	f.args = SPAN("1");
	expect_frames(&f, SPAN("\x81\x06" "430[1]"));
	f.parts = parts;
	f.parts_n = 1;
	expect_frames(&f, SPAN("\x81\x08" "461-0[1]\x82\x03\1\2\3"));
	f.last = SPAN("2");
	f.parts_n = 0;
	f.args.n = 0;
	expect_frames(&f, SPAN("\x81\x06" "430[2]"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sio_reads_events),
		cmocka_unit_test(test_sio_reads_other_packets),
		cmocka_unit_test(test_sio_refuses_malformed_packets),
		cmocka_unit_test(test_sio_refuses_reserved_names),
		cmocka_unit_test(test_sio_limits_nesting_and_names),
		cmocka_unit_test(test_sio_divides_arguments),
		cmocka_unit_test(test_sio_checks_placeholders),
		cmocka_unit_test(test_sio_writes_packets),
		cmocka_unit_test(test_sio_frames_are_whole),
		cmocka_unit_test(test_sio_takes_packets_without_data),
		cmocka_unit_test(test_sio_frames_of_every_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
