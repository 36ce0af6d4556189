/*
 * ws_ext_test.c: the lists of a WebSocket handshake (RFC 6455 4.1, 9.1), as
 * one line each: "name", ";param" or ";param=value", "!" where it is malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "wire/http.h"
#include "wire/ws_ext.h"

static struct http_msg msg;

static void
fields(const char *name, const char *a, const char *b)
{
	memset(&msg, 0, sizeof msg);
	msg.field[0] = (struct http_field){ SPAN("Host"), SPAN("x") };
	msg.field[1] = (struct http_field){ span_str(name), span_str(a) };
	msg.field_n = 2;
	if (b != NULL)
		msg.field[msg.field_n++] = (struct http_field){
		    span_str(name), span_str(b) };
}

static const char *
read_all(void)
{
	static char text[512];
	struct wr w = wr_init(text, sizeof text - 1);
	enum ws_ext_ev ev;
	struct ws_ext x;

	ws_ext_init(&x, &msg);
	while ((ev = ws_ext_next(&x)) > WS_EXT_BAD) {
		wr_str(&w, ev == WS_EXT_PARAM ? ";" : w.n > 0 ? " " : "");
		wr_span(&w, x.name);
		if (x.has_value) {
			wr_str(&w, "=");
			wr_bytes(&w, x.value, x.value_n < sizeof x.value ?
			    x.value_n : sizeof x.value);
		}
	}
	if (ev == WS_EXT_BAD)
		wr_str(&w, "!");
	assert_true(wr_ok(&w));
	assert_int_equal(ws_ext_ok(&msg), ev == WS_EXT_END);
	text[w.n] = '\0';
	return text;
}

static void
expect(const char *in, const char *want)
{
	fields("Sec-WebSocket-Extensions", in, NULL);
	assert_string_equal(read_all(), want);
}

static void
test_ws_ext_reads_lists(void **state)
{
	(void)state;
	expect("a", "a");
	expect("a, b,c", "a b c");
	expect("a; p; q=1 ;r = \t2, b", "a;p;q=1;r=2 b");
	expect("a;p=\"v\";q=\"x\\y\"", "a;p=v;q=xy");
	expect("a; long=0123456789", "a;long=01234567");
	expect("", "");
	expect(" , ,a,, b , ", "a b");
	fields("sec-websocket-extensions", "a;p", "b");
	assert_string_equal(read_all(), "a;p b");
	fields("Sec-WebSocket-Extensions", "", "b");
	assert_string_equal(read_all(), "b");
	fields("Other", "a b c", NULL);
	assert_string_equal(read_all(), "");
}

/* RFC 6455 9.1: what does not conform fails the connection. */
static void
test_ws_ext_rejects_what_is_not_of_its_form(void **state)
{
	static const char *const bad[] = { "a b", ";", "a;", "a;;b", "a; =1",
	    "a;b=", "a;b=,c", "a;b=\"", "a;b=\"c", "a;b=\"\"", "a;b=\"c d\"",
	    "a;b=\"c\"d", "a;b=\"c\\", "a;b=c d", "a=b", "\"a\"", "a/b",
	    "a;b/c", "(a)", "a;b=c;", "a\x01", "\xc3\xa4", "a;b=\xc3", "a,b;=" };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		fields("Sec-WebSocket-Extensions", bad[i], NULL);
		if (ws_ext_ok(&msg))
			fail_msg("taken: %s", bad[i]);
		fields("Sec-WebSocket-Extensions", "good", bad[i]);
		assert_false(ws_ext_ok(&msg));
	}
	/* A field does not go on in the next one. */
	fields("Sec-WebSocket-Extensions", "a;", "b");
	assert_false(ws_ext_ok(&msg));
}

static void
protocols(const char *a, const char *b)
{
	fields("Sec-WebSocket-Protocol", a, b);
}

/* RFC 6455 4.1, item 10 */
static void
test_ws_ext_reads_protocols(void **state)
{
	(void)state;
	protocols("chat, superchat", "x.y");
	assert_true(ws_ext_protocols_ok(&msg));
	assert_true(ws_ext_has_protocol(&msg, SPAN("chat")));
	assert_true(ws_ext_has_protocol(&msg, SPAN("superchat")));
	assert_true(ws_ext_has_protocol(&msg, SPAN("x.y")));
	assert_false(ws_ext_has_protocol(&msg, SPAN("Chat")));
	assert_false(ws_ext_has_protocol(&msg, SPAN("chat, superchat")));
	assert_false(ws_ext_has_protocol(&msg, SPAN("")));
	assert_true(span_eq(ws_ext_first_protocol(&msg), SPAN("chat")));
	protocols("", NULL);
	assert_true(ws_ext_protocols_ok(&msg));
	assert_false(ws_ext_has_protocol(&msg, SPAN("chat")));
	assert_int_equal(ws_ext_first_protocol(&msg).n, 0);
}

static void
test_ws_ext_rejects_bad_protocols(void **state)
{
	static const char *const bad[] = { "a b", "a/b", "a;b", "\"a\"", "a,a",
	    "a, b, a", "a=b", "\xc3\xa4" };
	static char many[400];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		protocols(bad[i], NULL);
		if (ws_ext_protocols_ok(&msg))
			fail_msg("taken: %s", bad[i]);
	}
	protocols("a", "a");
	assert_false(ws_ext_protocols_ok(&msg));
	for (int i = 0; i < 65; i++)
		n += (size_t)snprintf(&many[n], sizeof many - n, "p%d,", i);
	protocols(many, NULL);
	assert_false(ws_ext_protocols_ok(&msg));
	many[strlen(many) - 4] = '\0';	/* 64 of them */
	protocols(many, NULL);
	assert_true(ws_ext_protocols_ok(&msg));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ws_ext_reads_lists),
		cmocka_unit_test(test_ws_ext_rejects_what_is_not_of_its_form),
		cmocka_unit_test(test_ws_ext_reads_protocols),
		cmocka_unit_test(test_ws_ext_rejects_bad_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
