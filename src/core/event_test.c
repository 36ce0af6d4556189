/*
 * event_test.c: events (docs/protocol.md, "Events").
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/event.h"

static uint8_t mem[4096];

static struct event
text(void)
{
	return (struct event){ .kind = EVENT_TEXT, .has = EVENT_HAS_BODY,
	    .id = { { 1 } }, .conv = { { 2 } }, .time_ms = 3,
	    .body = SPAN("hello") };
}

static struct span
encoded(const struct event *e)
{
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(event_encode(e, &w), OK);
	return wr_done(&w);
}

static void
refused(const struct event *e)
{
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(event_encode(e, &w), ERR_ARG);
	assert_int_equal(w.n, 0);
}

static void
test_event_round_trip(void **state)
{
	struct event e = text(), got;
	static const uint8_t mention[] = { 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 9,
	    10, 11, 12, 13, 14, 15, 16 };
	struct span mentions;
	struct user_id who;

	(void)state;
	e.has |= EVENT_HAS_PREV | EVENT_HAS_VIEW | EVENT_HAS_EXPIRE |
	    EVENT_HAS_REPLY | EVENT_HAS_REPLY_AUTHOR | EVENT_HAS_MENTIONS | EVENT_HAS_CLIENT;
	e.prev.b[0] = 4;
	e.view[31] = 5;
	e.expire_s = 60;
	e.reply_to.b[0] = 6;
	e.mentions = SPAN_OF(mention);
	e.client = SPAN("test 1");
	assert_int_equal(event_decode(encoded(&e), &got), OK);
	assert_int_equal(got.has, e.has);
	assert_true(span_eq(got.body, e.body));
	assert_int_equal(got.expire_s, 60);
	assert_memory_equal(got.view, e.view, EVENT_VIEW_LEN);
	mentions = got.mentions;
	assert_true(event_next_mention(&mentions, &who));
	assert_int_equal(who.b[15], 16);
	assert_false(event_next_mention(&mentions, &who));
}

static void
test_event_kinds_demand_their_fields(void **state)
{
	struct event e = text();

	(void)state;
	e.has = 0;
	refused(&e);				/* a text without one */
	e = text();
	e.has |= EVENT_HAS_TARGET;		/* a text with a target */
	refused(&e);
	e.kind = EVENT_EDIT;
	refused(&e);				/* no edit number */
	e.has |= EVENT_HAS_EDIT;
	e.edit_number = 1;
	refused(&e);				/* no history */
	e.has |= EVENT_HAS_HISTORY;
	e.edit_number = 0;
	refused(&e);				/* the first is 1 */
	e.edit_number = 1;
	(void)encoded(&e);
	e.kind = EVENT_DELETE;
	refused(&e);
	e.has = EVENT_HAS_TARGET;
	(void)encoded(&e);
	e.kind = EVENT_RETRY_REQUEST;
	(void)encoded(&e);
	e.has |= EVENT_HAS_PREV;		/* outside the prev chain */
	refused(&e);
	e.kind = EVENT_REACTION;
	e.has = EVENT_HAS_TARGET | EVENT_HAS_BODY;
	e.body = SPAN("");
	refused(&e);				/* whose message? */
	e.body = SPAN("0123456789abcdef");
	(void)encoded(&e);			/* takes it back */
	e.kind = EVENT_PIN;
	refused(&e);				/* on or off? */
	e.body = SPAN("0123456789abcdef\2");
	refused(&e);
	e.body = SPAN("0123456789abcdef\1");
	(void)encoded(&e);
	e.kind = EVENT_HIDE;
	refused(&e);
	e.body = SPAN("0123456789abcdef");
	(void)encoded(&e);
	e.has |= EVENT_HAS_PREV;		/* between own devices */
	refused(&e);
	e.kind = EVENT_TEXT;
	e.has = EVENT_HAS_BODY;
	e.body = SPAN("");
	refused(&e);				/* an empty text */
	e.kind = 0;
	refused(&e);
	e.kind = 99;
	refused(&e);
}

/* Ids are unique for each author only: what is about a message names both. */
static void
test_event_about_names_the_author(void **state)
{
	struct event e = text(), got;
	struct event_about about = { .author = { { 7 } },
	    .text = SPAN("\xf0\x9f\x91\x8d") }, back;
	static uint8_t body[EVENT_ABOUT_MAX];
	struct wr w = wr_init(body, sizeof(body));

	(void)state;
	assert_int_equal(event_about_encode(EVENT_REACTION, &about, &w), OK);
	e.kind = EVENT_REACTION;
	e.has |= EVENT_HAS_TARGET;
	e.body = wr_done(&w);
	assert_int_equal(event_decode(encoded(&e), &got), OK);
	assert_int_equal(event_about_decode(&got, &back), OK);
	assert_true(ID_EQ(back.author, about.author));
	assert_true(span_eq(back.text, about.text));
	e.body = span_sub(e.body, 0, e.body.n - 1);
	refused(&e);				/* no UTF-8 any more */
	about.on = true;
	w = wr_init(body, sizeof(body));
	assert_int_equal(event_about_encode(EVENT_PIN, &about, &w), OK);
	e.kind = EVENT_PIN;
	e.body = wr_done(&w);
	assert_int_equal(event_about_decode(&e, &back), OK);
	assert_true(back.on);
	w = wr_init(body, 3);
	assert_int_equal(event_about_encode(EVENT_HIDE, &about, &w),
	    ERR_SPACE);
	/* A reply, too: id and author, or neither. */
	e = text();
	e.has |= EVENT_HAS_REPLY;
	refused(&e);
	e.has ^= EVENT_HAS_REPLY | EVENT_HAS_REPLY_AUTHOR;
	refused(&e);
}

static void
test_event_text_is_utf8(void **state)
{
	struct event e = text();

	(void)state;
	e.body = SPAN("\xc3\xa9");
	(void)encoded(&e);
	e.body = SPAN("\xc3");
	refused(&e);
	e.body = SPAN("\xed\xa0\x80");
	refused(&e);
}

static void
test_event_refuses_malformed(void **state)
{
	struct event e = text(), got;
	struct span good = encoded(&e);

	(void)state;
	for (size_t n = 0; n < good.n; n++)
		assert_int_not_equal(event_decode(span_sub(good, 0, n), &got),
		    OK);
	assert_int_equal(got.kind, 0);
	/* Tag 2 twice, and an unknown even tag; an unknown odd one passes. */
	mem[good.n] = 2;
	mem[good.n + 1] = 0;
	assert_int_equal(event_decode(span_of(mem, good.n + 2), &got),
	    ERR_FORMAT);
	mem[good.n] = 24;
	assert_int_equal(event_decode(span_of(mem, good.n + 2), &got),
	    ERR_UNKNOWN_CRITICAL);
	mem[good.n] = 25;
	assert_int_equal(event_decode(span_of(mem, good.n + 2), &got), OK);
}

static void
test_event_unknown_kind_is_told_apart(void **state)
{
	struct event e = text(), got;
	struct span good = encoded(&e);

	(void)state;
	mem[2] = 8;	/* reserved for a later mode */
	assert_int_equal(event_decode(good, &got), ERR_UNKNOWN_CRITICAL);
	mem[2] = 0;
	assert_int_equal(event_decode(good, &got), ERR_FORMAT);
}

static void
test_event_resend_holds_the_original(void **state)
{
	struct event e = text(), r, inner;
	struct span body = encoded(&e);
	static uint8_t copy[512];

	(void)state;
	memcpy(copy, body.p, body.n);
	r = (struct event){ .kind = EVENT_RESEND,
	    .has = EVENT_HAS_BODY | EVENT_HAS_TARGET, .id = { { 9 } },
	    .conv = e.conv, .body = span_of(copy, body.n), .target = e.id };
	assert_int_equal(event_resend_decode(&r, &inner), OK);
	assert_true(span_eq(inner.body, e.body));
	r.target.b[0]++;
	assert_int_equal(event_resend_decode(&r, &inner), ERR_FORMAT);
	r.target = e.id;
	r.conv.b[0]++;
	assert_int_equal(event_resend_decode(&r, &inner), ERR_FORMAT);
}

static void
test_event_reset_body(void **state)
{
	struct event_reset r = { { 1, 2 }, true }, got;
	uint8_t body[EVENT_RESET_LEN];

	(void)state;
	event_reset_encode(&r, body);
	assert_int_equal(event_reset_decode(SPAN_OF(body), &got), OK);
	assert_true(got.receiver_initiated);
	assert_memory_equal(got.sid, r.sid, 16);
	body[16] = 3;
	assert_int_equal(event_reset_decode(SPAN_OF(body), &got), ERR_FORMAT);
	assert_int_equal(event_reset_decode(span_of(body, 16), &got),
	    ERR_FORMAT);
}

/* docs/protocol.md, How it travels: kinds 20-23, 26 and 27 alone. */
static void
test_event_pairwise_in_group(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 256; k++)
		assert_int_equal(event_is_pairwise_in_group((uint8_t)k),
		    (k >= 20 && k <= 23) || k == 26 || k == 27);
	assert_true(event_is_chained(EVENT_TEXT));
	assert_false(event_is_chained(EVENT_RESEND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_round_trip),
		cmocka_unit_test(test_event_kinds_demand_their_fields),
		cmocka_unit_test(test_event_about_names_the_author),
		cmocka_unit_test(test_event_text_is_utf8),
		cmocka_unit_test(test_event_refuses_malformed),
		cmocka_unit_test(test_event_unknown_kind_is_told_apart),
		cmocka_unit_test(test_event_resend_holds_the_original),
		cmocka_unit_test(test_event_reset_body),
		cmocka_unit_test(test_event_pairwise_in_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
