/*
 * tui_log_test.c: order, pages, the anchor of the view, marks, the unread
 * line; and the list of chats.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "cli/tui_model.h"

static const struct user_id me = { { 1 } }, bob = { { 2 } };

static struct client_item
item(uint32_t n, bool mine)
{
	struct client_item it = { .order = n * 10ull, .sub = 1,
	    .kind = ITEM_TEXT, .state = mine ? STATE_SENT : STATE_RECEIVED,
	    .position = n, .sender = mine ? me : bob,
	    .text = SPAN("text") };
	memcpy(it.event.b, &n, sizeof(n));
	it.event.b[15] = 1;
	return it;
}

static void
put(struct tui_log *l, uint32_t n, bool mine)
{
	struct client_item it = item(n, mine);
	assert_int_equal(tui_log_put(l, &it, NULL), OK);
}

static void
check_order(const struct tui_log *l)
{
	for (size_t i = 1; i < l->n; i++)
		assert_true(l->entry[i - 1].it.order < l->entry[i].it.order);
	if (l->n > 0)
		assert_true(l->bottom < l->n);
}

static void
test_log_keeps_order(void **state)
{
	(void)state;
	struct tui_log l;
	bool fresh;
	tui_log_init(&l);
	l.all = true;
	static const uint32_t n[] = { 5, 1, 9, 3, 7 };
	for (size_t i = 0; i < 5; i++)
		put(&l, n[i], false);
	assert_int_equal(l.n, 5);
	check_order(&l);
	assert_int_equal(l.bottom, 4);	/* follows */
	/* The same again changes it in place. */
	struct client_item it = item(3, false);
	it.text = SPAN("edited");
	assert_int_equal(tui_log_put(&l, &it, &fresh), OK);
	assert_false(fresh);
	assert_int_equal(l.n, 5);
	assert_true(span_eq(l.entry[1].it.text, SPAN("edited")));
	/* Hidden: gone; hidden again: nothing. */
	it.kind = ITEM_HIDDEN;
	assert_int_equal(tui_log_put(&l, &it, &fresh), OK);
	assert_int_equal(tui_log_put(&l, &it, &fresh), OK);
	assert_int_equal(l.n, 4);
	check_order(&l);
	tui_log_fini(&l);
	assert_int_equal(l.n, 0);
}

static void
test_log_moves_what_was_waiting(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	l.all = true;
	struct client_item it = item(1, true);
	it.order = 1000000;	/* in the outbox: after everything */
	it.state = STATE_WAITING;
	it.position = 0;
	assert_int_equal(tui_log_put(&l, &it, NULL), OK);
	put(&l, 5, false);
	tui_log_select(&l, 0);
	assert_int_equal(l.sel, 1);
	it.order = 20;
	it.state = STATE_SENT;
	assert_int_equal(tui_log_put(&l, &it, NULL), OK);
	assert_int_equal(l.n, 2);
	check_order(&l);
	assert_true(ID_EQ(l.entry[0].it.sender, me));
	/* What was selected still is. */
	assert_int_equal(l.sel, 0);
	tui_log_fini(&l);
}

static void
test_log_pages_come_before(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	for (uint32_t n = 201; n <= 210; n++)
		put(&l, n, false);
	l.follow = false;
	l.bottom = 4;
	l.sel = 6;
	for (uint32_t page = 0; page < 2; page++) {
		for (uint32_t k = 0; k < 100; k++) {
			struct client_item it = item(200 - page * 100 - k,
			    false);
			assert_int_equal(tui_log_put_older(&l, &it), OK);
		}
		tui_log_settle(&l, 100);
	}
	assert_int_equal(l.n, 210);
	check_order(&l);
	/* The view and the selection stay on their messages. */
	assert_int_equal(l.entry[l.bottom].it.position, 205);
	assert_int_equal(l.entry[l.sel].it.position, 207);
	/* What is older than all comes with its page, not alone. */
	struct client_item it = item(1, false);
	it.order = 1;
	it.event.b[14] = 9;
	bool fresh = true;
	assert_int_equal(tui_log_put(&l, &it, &fresh), OK);
	assert_false(fresh);
	assert_int_equal(l.n, 210);
	tui_log_fini(&l);
}

static void
test_log_first_page_of_an_empty_one(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	for (uint32_t k = 0; k < 3; k++) {
		struct client_item it = item(3 - k, false);
		assert_int_equal(tui_log_put_older(&l, &it), OK);
	}
	tui_log_settle(&l, 3);
	check_order(&l);
	assert_int_equal(l.bottom, 2);
	tui_log_settle(&l, 0);
	tui_log_fini(&l);
}

static void
test_log_anchor_stays_when_others_come(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	l.all = true;
	for (uint32_t n = 10; n <= 20; n += 2)
		put(&l, n, false);
	l.follow = false;
	l.bottom = 2;	/* 14 */
	put(&l, 11, false);
	put(&l, 21, false);
	assert_int_equal(l.entry[l.bottom].it.position, 14);
	struct client_item it = item(10, false);
	it.kind = ITEM_HIDDEN;
	assert_int_equal(tui_log_put(&l, &it, NULL), OK);
	assert_int_equal(l.entry[l.bottom].it.position, 14);
	/* All of them gone: nothing is left behind. */
	for (uint32_t n = 10; n <= 21; n++) {
		it = item(n, false);
		it.kind = ITEM_HIDDEN;
		assert_int_equal(tui_log_put(&l, &it, NULL), OK);
	}
	assert_int_equal(l.n, 0);
	assert_int_equal(l.bottom, 0);
	tui_log_fini(&l);
}

static void
test_log_marks_own_messages(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	l.all = true;
	for (uint32_t n = 1; n <= 6; n++)
		put(&l, n, n % 2 == 0);
	tui_log_mark(&l, &me, 4, false);
	tui_log_mark(&l, &me, 2, true);
	assert_int_equal(l.entry[1].it.flags, ITEM_DELIVERED | ITEM_READ);
	assert_int_equal(l.entry[3].it.flags, ITEM_DELIVERED);
	assert_int_equal(l.entry[5].it.flags, 0);
	assert_int_equal(l.entry[2].it.flags, 0);	/* theirs */
	/* Later, further: those in between, too. */
	tui_log_mark(&l, &me, 6, true);
	for (size_t i = 1; i < 6; i += 2)
		assert_int_equal(l.entry[i].it.flags, ITEM_DELIVERED |
		    ITEM_READ);
	tui_log_fini(&l);
}

static void
test_log_knows_what_is_unread(void **state)
{
	(void)state;
	struct tui_log l;
	tui_log_init(&l);
	l.all = true;
	for (uint32_t n = 1; n <= 6; n++)
		put(&l, n, n == 5);
	assert_int_equal(tui_log_unread(&l, &me), l.n);
	l.unread_on = true;
	l.unread_after = 3;
	assert_int_equal(tui_log_unread(&l, &me), 3);
	assert_int_equal(tui_log_unread_n(&l, &me), 2);
	assert_int_equal(tui_log_newest(&l, &me), 6);
	l.unread_after = 6;
	assert_int_equal(tui_log_unread(&l, &me), l.n);
	tui_log_fini(&l);
}

static void
test_log_counts_reactions(void **state)
{
	(void)state;
	struct tui_entry e = { 0 };
	tui_log_react_add(&e, SPAN("+"), false);
	tui_log_react_add(&e, SPAN("+"), true);
	tui_log_react_add(&e, SPAN("-"), false);
	tui_log_react_add(&e, SPAN(""), false);
	assert_int_equal(e.react_n, 2);
	assert_int_equal(e.react[0].n, 2);
	assert_true(e.react[0].mine);
	assert_false(e.react[1].mine);
	char other[2] = "a";
	for (int i = 0; i < 20; i++, other[0]++)
		tui_log_react_add(&e, span_str(other), false);
	assert_int_equal(e.react_n, TUI_REACTS_MAX);
	tui_log_react_clear(&e);
	assert_int_equal(e.react_n, 0);
}

static void
test_log_cuts_quotes_between_characters(void **state)
{
	(void)state;
	struct tui_entry e = { 0 };
	uint8_t text[TUI_QUOTE_MAX + 1];
	memset(text, 'x', sizeof(text));
	memcpy(text + TUI_QUOTE_MAX - 1, "\xc3\xbc", 2);
	tui_log_quote(&e, SPAN_OF(text), false);
	assert_int_equal(e.quote_n, TUI_QUOTE_MAX - 1);
	tui_log_quote(&e, (struct span){ 0 }, true);
	assert_int_equal(e.quote_n, 0);
	assert_true(e.quote_gone);
}

/* ---- chats ---- */

static struct tui_chat
chat(uint8_t who, uint64_t ms, uint32_t flags, uint32_t unread)
{
	struct tui_chat c = { .last_ms = ms, .flags = flags,
	    .unread_n = unread };
	c.user.b[0] = who;
	c.chat.b[0] = who;
	c.name[0] = (char)('a' + who);
	return c;
}

static void
expect_chats(const struct tui_model *m, const char *names)
{
	assert_int_equal(m->chat_n, strlen(names));
	for (size_t i = 0; i < m->chat_n; i++)
		assert_int_equal(m->chat[i].name[0], names[i]);
}

static void
test_chats_are_in_the_order_of_the_list(void **state)
{
	(void)state;
	struct tui_model m;
	assert_int_equal(tui_model_init(&m), OK);
	struct tui_chat c[] = { chat(1, 100, 0, 0), chat(2, 300, 0, 2),
	    chat(3, 200, CHAT_PINNED, 0), chat(4, 900, CHAT_ARCHIVED, 1) };
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(tui_model_chat_put(&m, &c[i]), OK);
	expect_chats(&m, "dcbe");
	m.chat_sel = 2;
	c[0].last_ms = 999;
	assert_int_equal(tui_model_chat_put(&m, &c[0]), OK);
	expect_chats(&m, "dbce");
	assert_int_equal(m.chat_sel, 1);	/* stays on b */
	/* Archived ones are folded; neighbours pass over them. */
	assert_false(tui_model_is_listed(&m, &m.chat[3]));
	assert_int_equal(tui_model_next_chat(&m, 2, false, false), 2);
	assert_int_equal(tui_model_next_chat(&m, 0, false, true), 2);
	m.archived = true;
	assert_int_equal(tui_model_next_chat(&m, 2, false, false), 3);
	assert_int_equal(tui_model_unread(&m), 3);
	m.chat[0].flags |= CHAT_MUTED;
	m.chat[2].flags |= CHAT_MUTED;
	assert_int_equal(tui_model_unread(&m), 1);
	tui_model_fini(&m);
}

static void
test_what_is_over_goes(void **state)
{
	(void)state;
	struct tui_model m;
	assert_int_equal(tui_model_init(&m), OK);
	m.now_ms = 1000000;
	m.up = m.caught_up = true;
	assert_int_equal(tui_model_next_change(&m), 0);
	tui_model_toast(&m, false, "done\x1b[2J");
	assert_string_equal(m.toast, "done\u241b[2J");
	assert_int_equal(tui_model_next_change(&m), m.now_ms + TUI_TOAST_MS);
	m.now_ms += TUI_TOAST_MS;
	tui_model_expire(&m);
	assert_string_equal(m.toast, "");
	m.up = false;
	m.down_since_ms = m.now_ms;
	assert_int_equal(tui_model_bar(&m), TUI_BAR_NONE);
	m.now_ms = tui_model_next_change(&m);
	assert_int_equal(tui_model_bar(&m), TUI_BAR_OFFLINE);
	tui_model_fini(&m);
}

static void
test_panel_selects_only_what_can_be(void **state)
{
	(void)state;
	struct tui_model m;
	assert_int_equal(tui_model_init(&m), OK);
	tui_model_panel_open(&m, TUI_PANEL_HELP, "x");
	for (size_t i = 0; i < TUI_LINES_MAX; i++)
		tui_model_panel_add(&m, 0, "line %zu", i)->can = i % 3 == 1;
	assert_null(tui_model_panel_add(&m, 0, "too many"));
	assert_null(tui_model_panel_selected(&m));
	tui_model_panel_select(&m, 0);
	assert_int_equal(m.panel.sel, 1);
	tui_model_panel_select(&m, 1);
	assert_int_equal(m.panel.sel, 4);
	tui_model_panel_select(&m, -1);
	tui_model_panel_select(&m, -1);
	assert_int_equal(m.panel.sel, 1);
	tui_model_panel_close(&m);
	assert_int_equal(m.panel.n, 0);
	tui_model_fini(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_keeps_order),
		cmocka_unit_test(test_log_moves_what_was_waiting),
		cmocka_unit_test(test_log_pages_come_before),
		cmocka_unit_test(test_log_first_page_of_an_empty_one),
		cmocka_unit_test(test_log_anchor_stays_when_others_come),
		cmocka_unit_test(test_log_marks_own_messages),
		cmocka_unit_test(test_log_knows_what_is_unread),
		cmocka_unit_test(test_log_counts_reactions),
		cmocka_unit_test(test_log_cuts_quotes_between_characters),
		cmocka_unit_test(test_chats_are_in_the_order_of_the_list),
		cmocka_unit_test(test_what_is_over_goes),
		cmocka_unit_test(test_panel_selects_only_what_can_be),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
