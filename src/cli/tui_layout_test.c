/*
 * tui_layout_test.c: what a model looks like at which size; that the view
 * stays where it is; that nothing is drawn outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "cli/tui_grid.h"
#include "cli/tui_history.h"
#include "cli/tui_layout.h"
#include "cli/tui_words.h"

#define NOON 1773316800000ull	/* 2026-03-12 12:00 UTC */

static struct tui_model m;
static struct tui_grid g;
static struct buf shown;

static int
setup(void **state)
{
	(void)state;
	memset(&g, 0, sizeof(g));
	if (tui_model_init(&m) != OK)
		return 1;
	m.now_ms = NOON + 3600000;
	m.up = m.caught_up = true;
	m.me.b[0] = 1;
	snprintf(m.me_name, sizeof(m.me_name), "swift");
	struct tui_chat c = { .last_ms = NOON };
	c.user.b[0] = 2;
	c.chat.b[0] = 7;
	snprintf(c.name, sizeof(c.name), "plover");
	m.open = true;
	m.with = c.user;
	m.with_chat = c.chat;
	m.log.all = true;
	m.focus = TUI_AT_COMPOSE;
	buf_init(&shown, (size_t)1 << 20);
	return tui_model_chat_put(&m, &c) != OK;
}

static int
teardown(void **state)
{
	(void)state;
	tui_model_fini(&m);
	tui_grid_fini(&g);
	buf_fini(&shown);
	return 0;
}

static struct client_item
item(uint32_t n, bool mine, const char *text)
{
	struct client_item it = { .order = n * 10ull, .sub = 1,
	    .kind = ITEM_TEXT, .state = mine ? STATE_SENT : STATE_RECEIVED,
	    .position = n, .server_ms = NOON + n * 1000, .device = 1,
	    .text = span_str(text) };
	it.sender.b[0] = mine ? 1 : 2;
	memcpy(it.event.b, &n, sizeof(n));
	it.event.b[15] = 1;
	return it;
}

static void
put(uint32_t n, bool mine, const char *text)
{
	struct client_item it = item(n, mine, text);
	assert_int_equal(tui_log_put(&m.log, &it, NULL), OK);
}

static const char *
draw(size_t rows, size_t cols)
{
	assert_int_equal(tui_grid_size(&g, rows, cols), OK);
	tui_layout(&m, &g);
	buf_clear(&shown);
	assert_int_equal(tui_grid_text(&g, &shown), OK);
	assert_int_equal(buf_add(&shown, "", 1), OK);
	return (const char *)shown.p;
}

static void
expect(size_t rows, size_t cols, const char *text)
{
	const char *s = draw(rows, cols);
	if (strstr(s, text) == NULL)
		fail_msg("no \"%s\" on\n%s", text, s);
}

static void
expect_not(size_t rows, size_t cols, const char *text)
{
	const char *s = draw(rows, cols);
	if (strstr(s, text) != NULL)
		fail_msg("\"%s\" on\n%s", text, s);
}

static struct tui_box
log_box(void)
{
	return tui_layout_log_box(&m, tui_layout_panes(&m, &g).chat);
}

static void
test_layout_of_a_small_chat(void **state)
{
	(void)state;
	put(1, false, "Can you look at page 3 before 15:00?");
	put(2, true, "Yes, right after this call.");
	m.log.entry[1].it.flags = ITEM_DELIVERED;
	assert_string_equal(draw(12, 60),
	    " ← plover                                         Encrypted\n"
	    "────────────────────────────────────────────────────────────\n"
	    "\n"
	    "                           Today\n"
	    "\n"
	    " │ Can you look at page 3 before 15:00?  12:00\n"
	    "\n"
	    "                     Yes, right after this call.  12:00 ◐ │\n"
	    "\n"
	    "────────────────────────────────────────────────────────────\n"
	    " › Message plover\n"
	    " Enter send  Alt-Enter new line  Up select  Alt-P protect…\n");
}

static void
test_layout_has_one_two_or_three_panes(void **state)
{
	(void)state;
	put(1, false, "hello");
	expect(24, 80, "← plover");
	expect_not(24, 80, "Chats");
	m.focus = TUI_AT_LIST;
	expect(24, 80, "Chats");
	expect_not(24, 80, "hello");
	m.focus = TUI_AT_COMPOSE;
	expect(24, 100, "Chats");
	expect(24, 100, "hello");
	tui_model_panel_open(&m, TUI_PANEL_HELP, "Keys and commands");
	expect_not(24, 100, "Keys and commands");
	expect(24, 160, "Keys and commands");
	expect(24, 160, "hello");
	m.focus = TUI_AT_PANEL;
	expect(24, 100, "Keys and commands");
	expect_not(24, 100, "hello");
	expect(24, 80, "Keys and commands");
}

static void
test_layout_says_what_became_of_a_message(void **state)
{
	(void)state;
	static const struct { enum client_item_state s; uint32_t flags;
	    const char *sign, *word; } rows[] = {
		{ STATE_WAITING, 0, "12:00 …", "12:00 waiting" },
		{ STATE_SENT, 0, "12:00 ○", "12:00 sent" },
		{ STATE_SENT, ITEM_DELIVERED, "12:00 ◐", "12:00 delivered" },
		{ STATE_SENT, ITEM_READ | ITEM_DELIVERED, "12:00 ●",
		    "12:00 read" },
		{ STATE_FAILED, 0, "12:00 ✗", "12:00 NOT SENT" },
	};
	put(1, true, "x");
	for (size_t i = 0; i < 5; i++) {
		m.log.entry[0].it.state = rows[i].s;
		m.log.entry[0].it.flags = rows[i].flags;
		m.ascii = false;
		expect(24, 80, rows[i].sign);
		m.ascii = true;
		expect(24, 80, rows[i].word);
	}
	expect(24, 80, "Not sent: the server did not take it.");
}

static void
test_layout_in_ascii_has_no_signs(void **state)
{
	(void)state;
	put(1, false, "plain");
	m.ascii = true;
	m.log.unread_on = true;
	m.chat[0].verified = true;
	tui_model_panel_open(&m, TUI_PANEL_PROTECTION, "Protection");
	for (size_t cols = 60; cols <= 180; cols += 40) {
		const char *s = draw(24, cols);
		for (; *s != '\0'; s++)
			if ((unsigned char)*s > 0x7e)
				fail_msg("a sign on\n%s", draw(24, cols));
	}
}

static void
test_layout_shows_what_belongs_to_a_message(void **state)
{
	(void)state;
	put(1, false, "drained 4112 messages");
	put(2, true, "Under a minute. Lovely.");
	struct tui_entry *e = &m.log.entry[1];
	e->it.edit_number = 1;
	e->it.reply_to.event.b[0] = 1;
	e->it.reply_to.sender.b[0] = 2;
	tui_log_quote(e, SPAN("drained 4112 messages"), false);
	tui_log_react_add(e, SPAN("+1"), false);
	tui_log_react_add(e, SPAN("+1"), true);
	expect(24, 80, "┊ plover: drained 4112 messages");
	expect(24, 80, "Edited 12:00");
	expect(24, 80, "[+1 2]");
	e->it.flags |= ITEM_PINNED;
	m.me_devices = 2;
	expect(24, 80, "Pinned Edited 12:00 device 1 ○");
	e->it.expires_at_ms = m.now_ms + 42000;
	expect(24, 80, "42 seconds left");
	tui_log_quote(e, (struct span){ 0 }, true);
	expect(24, 80, "(a message that is not here)");
}

static void
test_layout_says_what_is_not_there(void **state)
{
	(void)state;
	static const struct { enum client_item_kind k; enum err cause;
	    const char *title; } rows[] = {
		{ ITEM_REFUSED, ERR_AUTH, "▲ Refused: damaged" },
		{ ITEM_REFUSED, ERR_SUITE_PINNED,
		    "▲ Refused: not as protected as before." },
		{ ITEM_REFUSED, ERR_NO_KEY, "▲ Waiting for this message." },
		{ ITEM_GAP, OK, "· Missing here: 3 messages." },
		{ ITEM_OTHER, OK, "· This can't be shown here." },
		{ ITEM_REMOVED, OK, "Removed by the server" },
		{ ITEM_DELETED, OK, "plover deleted this message" },
		{ ITEM_TIMER, OK, "plover set messages to disappear 1 day" },
	};
	put(1, false, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client_item *it = &m.log.entry[0].it;
		it->kind = rows[i].k;
		it->cause = rows[i].cause;
		it->gap_n = 3;
		it->expire_s = it->kind == ITEM_TIMER ? 86400 : 0;
		expect(24, 80, rows[i].title);
	}
}

static void
test_layout_separates_days_and_unread(void **state)
{
	(void)state;
	put(1, false, "old");
	put(2, false, "new");
	put(3, false, "newer");
	m.log.entry[0].it.server_ms -= 24 * 3600000ull;
	m.log.unread_on = true;
	m.log.unread_after = 1;
	expect(24, 80, "Yesterday");
	expect(24, 80, "Today");
	expect(24, 80, " 2 new messages ─");
	m.log.unread_on = false;
	expect_not(24, 80, "new messages");
}

static void
test_layout_warns_plainly(void **state)
{
	(void)state;
	put(1, true, "x");
	m.log.entry[0].it.state = STATE_WAITING;
	m.chat[0].changed = m.chat[0].stopped = true;
	expect(24, 80, "plover's safety number is different now.");
	expect(24, 80, "▲ Key changed");
	expect(24, 80, "Kept here until you decide");
	expect(24, 80, "write anyway]");
	m.chat[0].stopped = false;
	expect(24, 80, "plover's safety number is new.");
	m.conflict = true;
	expect(24, 80, "▲ Two device lists");
	m.conflict = m.chat[0].changed = false;
	m.up = false;
	m.ever_up = true;
	expect(24, 80, "The server doesn't answer.");
	m.ask = TUI_ASK_DELETE;
	m.ask_mine = true;
	expect(24, 80, "k Keep   m For me   b For both");
}

static void
test_layout_marks_chats(void **state)
{
	(void)state;
	struct tui_chat *c = &m.chat[0];
	m.focus = TUI_AT_LIST;
	c->unread_n = 3;
	c->flags = CHAT_MUTED | CHAT_PINNED;
	c->presence = TUI_ONLINE;
	c->verified = true;
	snprintf(c->preview, sizeof(c->preview), "Three ideas");
	expect(24, 80, "┃● plover ✓ ↑ mute");
	expect(24, 80, "Three ideas");
	expect(24, 80, " 3");
	c->draft = true;
	expect(24, 80, "Draft: Three ideas");
	c->typing_until_ms = m.now_ms + 1000;
	expect(24, 80, "typing…");
	c->presence = TUI_AWAY;
	expect(24, 80, "┃◐ plover");
}

/* A long history of very different messages. */
static void
fill(uint32_t n)
{
	static const char *const texts[] = { "short", "a\nb\nc",
	    ("A text that is long enough to be broken into several lines on "
	    "most terminals, so that its height depends on the width of it."),
	    "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字", "", "`code` @swift" };
	for (uint32_t i = 1; i <= n; i++)
		put(i, i % 3 == 0, texts[i % 6]);
	for (uint32_t i = 0; i < n; i += 7)
		tui_log_react_add(&m.log.entry[i], SPAN("x"), false);
	for (uint32_t i = 3; i < n; i += 11)
		m.log.entry[i].it.kind = ITEM_REFUSED;
}

static void
test_layout_scrolls_there_and_back(void **state)
{
	(void)state;
	fill(300);
	for (size_t cols = 30; cols < 200; cols += 37) {
		tui_log_end(&m.log);
		draw(24, cols);
		struct buf end;
		buf_init(&end, (size_t)1 << 20);
		assert_int_equal(buf_add_span(&end, buf_span(&shown)), OK);
		size_t steps = 0;
		for (; steps < 5000; steps += 7) {
			size_t b = m.log.bottom, k = m.log.skip;
			tui_history_scroll(&m, log_box(), -7);
			if (m.log.bottom == b && m.log.skip == k)
				break;
		}
		assert_true(steps < 5000);
		draw(24, cols);
		assert_int_equal(tui_history_above(&m, log_box()), 0);
		tui_history_scroll(&m, log_box(), 100000);
		assert_true(m.log.follow);
		draw(24, cols);
		assert_true(span_eq(buf_span(&shown), buf_span(&end)));
		buf_fini(&end);
	}
}

static void
test_layout_keeps_the_reading_line(void **state)
{
	(void)state;
	fill(200);
	draw(24, 80);
	tui_history_scroll(&m, log_box(), -60);
	draw(24, 80);
	struct tui_box b = log_box();
	struct buf before;
	buf_init(&before, (size_t)1 << 20);
	for (int i = 0; i < 2; i++) {
		struct buf *to = i == 0 ? &before : &shown;
		buf_clear(&shown);
		assert_int_equal(tui_grid_text(&g, &shown), OK);
		if (i == 0) {
			assert_int_equal(buf_add_span(to, buf_span(&shown)),
			    OK);
			/* Far above something heals, far below another one
			 * comes: not a row moves. */
			m.log.entry[3].it.kind = ITEM_TEXT;
			put(201, false, "newest");
			m.log.entry[5].it.edit_number = 2;
			tui_layout(&m, &g);
		}
	}
	assert_true(b.rows > 5);
	assert_true(span_eq(buf_span(&shown), buf_span(&before)));
	buf_fini(&before);
}

static void
test_layout_shows_and_jumps(void **state)
{
	(void)state;
	fill(300);
	draw(30, 90);
	for (size_t i = 0; i < 300; i += 23) {
		m.log.selecting = true;
		m.log.sel = i;
		tui_history_show(&m, log_box(), i);
		draw(30, 90);
		assert_true(m.log.bottom >= i);
		assert_true(tui_history_above(&m, log_box()) <= i);
		tui_history_jump(&m, log_box(), (i * 7) % 300);
		draw(30, 90);
		assert_true(tui_history_above(&m, log_box()) <=
		    (i * 7) % 300);
	}
}

static void
test_layout_folds_long_texts(void **state)
{
	(void)state;
	char text[400] = "";
	for (int i = 0; i < 50; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "row%d\n", i);
	put(1, false, text);
	expect(60, 80, "Enter shows all of it");
	expect_not(60, 80, "row31");
	m.log.entry[0].open = true;
	expect(60, 80, "row49");
}

/* No size breaks it, and every cell is well-formed. */
static void
test_layout_at_every_size(void **state)
{
	(void)state;
	fill(40);
	tui_compose_set(m.compose, span_str("some text\nof two lines 漢字"));
	m.reply.event.b[0] = 1;
	m.chat[0].changed = m.chat[0].stopped = true;
	tui_model_panel_open(&m, TUI_PANEL_SEARCH, "Search");
	for (int i = 0; i < 40; i++)
		tui_model_panel_add(&m, 0, "a line of a panel %d", i)->can =
		    i % 2;
	for (size_t rows = 1; rows < 70; rows += 3)
		for (size_t cols = 1; cols < 210; cols += 7) {
			m.focus = (enum tui_focus)((rows + cols) % 4);
			m.ask = cols % 5 == 0 ? TUI_ASK_REACT : TUI_ASK_NONE;
			draw(rows, cols);
			for (size_t i = 0; i < g.rows * g.cols; i++) {
				const struct tui_cell *c = &g.cell[i];
				assert_true(c->n <= TUI_CODES);
				assert_true(c->style < TUI_STYLES);
				if (c->cols == 2)
					assert_int_equal(c[1].n, 0);
				if (c->n == 0)
					assert_int_equal(c[-1].cols, 2);
			}
			assert_true(!g.cursor || g.cursor_row < g.rows);
			assert_true(!g.cursor || g.cursor_col < g.cols);
		}
}

static void
test_words_have_a_sentence_for_every_error(void **state)
{
	(void)state;
	for (int e = 1; e < ERR_MAX; e++) {
		const char *s = tui_words_error((enum err)e);
		assert_true(strlen(s) > 10);
		/* The words that a person should never meet. */
		static const char *const never[] = { "rror", "ailed",
		    "nvalid", "!", "ratchet", "prekey", "KEM" };
		for (size_t i = 0; i < 7; i++)
			if (strstr(s, never[i]) != NULL)
				fail_msg("%s: \"%s\"", err_name((enum err)e),
				    s);
	}
	for (int k = WARN_VIEW_CONFLICT; k <= WARN_LIST_REFUSED; k++)
		assert_string_not_equal(tui_words_warning(
		    (enum client_warning_kind)k),
		    "Something unusual happened.");
}

static void
test_words_of_times(void **state)
{
	(void)state;
	char w[TUI_WORD_MAX];
	tui_words_span(1, w);
	assert_string_equal(w, "1 second");
	tui_words_span(260, w);
	assert_string_equal(w, "4 minutes 20 seconds");
	tui_words_span(86400, w);
	assert_string_equal(w, "1 day");
	tui_words_day(NOON - 3 * 86400000ull, NOON, w);
	assert_string_equal(w, "Monday");
	tui_words_day(NOON - 30 * 86400000ull, NOON, w);
	assert_string_equal(w, "10 February");
	tui_words_day(NOON - 400 * 86400000ull, NOON, w);
	assert_string_equal(w, "5 February 2025");
	tui_words_ago(NOON - 300000, NOON, w);
	assert_string_equal(w, "5 minutes ago");
	tui_words_ago(NOON - 86400000, NOON, w);
	assert_string_equal(w, "yesterday at 12:00");
	tui_words_day(UINT64_MAX, NOON, w);
	assert_string_equal(w, "Some day");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_layout_of_a_small_chat),
		TEST(test_layout_has_one_two_or_three_panes),
		TEST(test_layout_says_what_became_of_a_message),
		TEST(test_layout_in_ascii_has_no_signs),
		TEST(test_layout_shows_what_belongs_to_a_message),
		TEST(test_layout_says_what_is_not_there),
		TEST(test_layout_separates_days_and_unread),
		TEST(test_layout_warns_plainly),
		TEST(test_layout_marks_chats),
		TEST(test_layout_scrolls_there_and_back),
		TEST(test_layout_keeps_the_reading_line),
		TEST(test_layout_shows_and_jumps),
		TEST(test_layout_folds_long_texts),
		TEST(test_layout_at_every_size),
		TEST(test_words_have_a_sentence_for_every_error),
		TEST(test_words_of_times),
	};
	setenv("TZ", "UTC", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
