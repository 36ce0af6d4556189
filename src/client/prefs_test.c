/*
 * prefs_test.c: what is mine alone: blocks, settings, flags, drafts, unread.
 */
#include "client/test_chat.h"

static void
block(struct fake *f, int i, int whom, bool on)
{
	struct client_input in = { .type = CLIENT_BLOCK };

	in.u.verify.user = f->node[whom].user;
	in.u.verify.on = on;
	go(f, i, &in);
}

static void
test_prefs_block(void **state)
{
	struct fake *f = ready(41);
	struct client_ref to;

	(void)state;
	send_text(f, 0, 1, "hello");
	to = ref(f, 0, 1, 0);
	block(f, 1, 0, true);
	assert_int_equal(f->blocks, 1);
	send_text(f, 1, 0, "no");
	assert_int_equal(f->node[1].error, ERR_BLOCKED);
	react(f, 1, to, "no");
	assert_int_equal(f->node[1].error, ERR_BLOCKED);
	/* What a server lets through all the same is not shown, or kept. */
	send_text(f, 0, 1, "let me in");
	check_end(f, 1, 0, 1);
	assert_false(holds(f, 1, "let me in"));
	assert_int_equal(causes(f, 1, "dropped_blocked"), 1);
	block(f, 1, 0, false);
	assert_int_equal(f->blocks, 2);
	send_text(f, 0, 1, "thanks");
	check_text(f, 1, 0, 1, "thanks");
	send_text(f, 1, 0, "yes");
	check_text(f, 0, 1, 3, "yes");
	fake_close(f);
}

static void
test_prefs_settings_are_joined(void **state)
{
	struct fake *f = ready(42);
	struct client_input in = { .type = CLIENT_SETTINGS };
	struct client_settings t;
	struct span after = { NULL, 0 }, value;
	struct arena a;

	(void)state;
	in.u.settings.mask = SETTING_TYPING;
	in.u.settings.name = SPAN("theme");
	in.u.settings.value = SPAN("dark red");
	f->conflict = true;		/* another device was faster */
	f->flags.has_searchable = true;	/* and turned this off */
	f->flags.searchable = false;
	go(f, 0, &in);
	fake_run(f, 3000);
	assert_int_equal(f->node[0].error, OK);
	assert_false(f->flags.typing);
	assert_true(f->flags.has_typing);
	a = arena();
	assert_int_equal(client_settings(&f->node[0].c, &a, &t), OK);
	assert_int_equal(t.flags, SETTING_ALL & ~(SETTING_TYPING |
	    SETTING_SEARCHABLE));
	assert_false(t.waits);
	assert_int_equal(t.version, f->settings);
	assert_int_equal(client_pref_next(&f->node[0].c, &a, &after, &value),
	    OK);
	assert_true(span_eq(value, SPAN("dark red")));
	/* The server holds what it cannot read. */
	assert_true(f->blob.n != 0);
	in.type = CLIENT_TYPING;
	in.u.typing.chat = (struct chat_id){ .b = { 1 } };
	in.u.typing.on = true;
	go(f, 0, &in);
	assert_int_equal(f->node[0].typings, 0);
	go(f, 2, &in);
	assert_int_equal(f->node[2].typings, 1);
	fake_close(f);
}

static void
test_prefs_chat_flags_and_drafts(void **state)
{
	struct fake *f = ready(43);
	struct client_input in = { .type = CLIENT_CHAT_SET };
	struct client_chat c;
	struct arena a;

	(void)state;
	send_text(f, 0, 1, "hello");
	in.u.chat_set.chat = chat_of(f, 0, 1);
	in.u.chat_set.mask = CHAT_MUTED | CHAT_ARCHIVED;
	in.u.chat_set.flags = CHAT_MUTED;
	go(f, 0, &in);
	assert_int_equal(f->patches, 1);
	in.type = CLIENT_DRAFT;
	in.u.draft.to = (struct client_target){ .user = f->node[1].user };
	in.u.draft.text = SPAN("dear");
	go(f, 0, &in);
	a = arena();
	assert_int_equal(client_chat(&f->node[0].c, &a,
	    &(struct chat_id){ .b = { 7 } }, &c), ERR_NOT_FOUND);
	in.u.chat_set.chat = chat_of(f, 0, 1);
	a = arena();
	assert_int_equal(client_chat(&f->node[0].c, &a, &in.u.chat_set.chat,
	    &c), OK);
	assert_int_equal(c.flags, CHAT_MUTED);
	assert_true(span_eq(c.draft, SPAN("dear")));
	in.u.draft.to = (struct client_target){ .user = f->node[1].user };
	in.u.draft.text = SPAN("");
	go(f, 0, &in);
	assert_false(holds(f, 0, "dear"));
	fake_close(f);
}

static void
test_prefs_report_carries_what_was_chosen(void **state)
{
	struct fake *f = ready(44);
	struct client_input in = { .type = CLIENT_REPORT };

	(void)state;
	send_text(f, 0, 1, "buy now");
	in.u.report.ref = ref(f, 1, 0, 0);
	in.u.report.reason = SPAN("nonsense");
	go(f, 1, &in);
	assert_int_equal(f->node[1].error, ERR_VALIDATION);
	in.u.report.reason = SPAN("spam");
	in.u.report.with_text = true;
	go(f, 1, &in);
	assert_int_equal(f->node[1].error, OK);
	assert_int_equal(f->reports, 1);
	fake_close(f);
}

/* An own device elsewhere has read: here it is read, too. */
static void
test_prefs_unread_moves_with_own_marks(void **state)
{
	struct fake *f = ready(45);
	struct chat_id chat;
	struct client_chat c;
	struct arena a;
	struct read_ev ev = { .position = 0 };

	(void)state;
	send_text(f, 0, 1, "hello");
	read_all(f, 1, 0);
	send_text(f, 0, 1, "one @user_b");
	send_text(f, 0, 1, "two");
	chat = chat_of(f, 1, 0);
	a = arena();
	assert_int_equal(client_chat(&f->node[1].c, &a, &chat, &c), OK);
	assert_int_equal(c.unread_n, 2);
	assert_int_equal(c.mentions_n, 1);
	ev.chat_id = chat;
	ev.user_id = f->node[1].user;
	ev.position = get(f, 1, 0, 1).position;
	ev.read_at = f->now;
	a = arena();
	fake_send_event(f, 1, "message:read", fake_json(&a, &shape_read_ev,
	    &ev), 1);
	fake_run(f, 1000);
	a = arena();
	assert_int_equal(client_chat(&f->node[1].c, &a, &chat, &c), OK);
	assert_int_equal(c.unread_n, 1);
	assert_int_equal(c.mentions_n, 0);
	fake_close(f);
}

static void
test_prefs_names_messages_by_a_prefix(void **state)
{
	struct fake *f = ready(46);
	struct client_ref to, out[CLIENT_REFS_MAX];
	struct chat_id chat;
	struct arena a;
	char id[ID_TEXT_LEN + 1];
	size_t n;

	(void)state;
	send_text(f, 0, 1, "one");
	send_text(f, 1, 0, "two");
	to = ref(f, 0, 1, 1);
	chat = chat_of(f, 0, 1);
	id_encode(to.event.b, id);
	a = arena();
	for (n = 7; n <= ID_TEXT_LEN; n++) {
		size_t found;

		assert_int_equal(client_find_refs(&f->node[0].c, &a, &chat,
		    span_of(id, n), out, &found), OK);
		assert_int_equal(found, 1);
		assert_memory_equal(&out[0], &to, sizeof(to));
	}
	assert_int_equal(client_find_refs(&f->node[0].c, &a, &chat,
	    SPAN("xyz"), out, &n), ERR_VALIDATION);
	assert_int_equal(client_find_refs(&f->node[0].c, &a, &chat, SPAN(""),
	    out, &n), ERR_VALIDATION);
	fake_close(f);
}

static void
set_pref(struct fake *f, const char *name, const char *value)
{
	struct client_input in = { .type = CLIENT_SETTINGS };

	in.u.settings.name = span_str(name);
	in.u.settings.value = span_str(value);
	go(f, 0, &in);
	fake_run(f, 3000);
}

/* docs/protocol.md, Settings: an old copy, under the version that it had. */
static void
test_prefs_old_settings_are_not_taken(void **state)
{
	struct fake *f = ready(47);
	struct span after = { NULL, 0 }, value, old;
	struct arena a;

	(void)state;
	set_pref(f, "theme", "dark");
	assert_int_equal(f->settings, 1);
	old = f->blob;
	set_pref(f, "theme", "light");
	assert_int_equal(f->settings, 2);
	f->blob = old;
	f->settings = 0;
	f->conflict = true;		/* counts to 1, which the copy is of */
	set_pref(f, "zoom", "2");
	assert_int_equal(f->node[0].error, OK);
	a = arena();
	assert_int_equal(client_pref_next(&f->node[0].c, &a, &after, &value),
	    OK);
	assert_true(span_eq(after, SPAN("theme")));
	assert_true(span_eq(value, SPAN("light")));
	/* And the server has what is here again. */
	assert_int_equal(f->settings, 2);
	assert_false(span_eq(f->blob, old));
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefs_block),
		cmocka_unit_test(test_prefs_settings_are_joined),
		cmocka_unit_test(test_prefs_old_settings_are_not_taken),
		cmocka_unit_test(test_prefs_chat_flags_and_drafts),
		cmocka_unit_test(test_prefs_report_carries_what_was_chosen),
		cmocka_unit_test(test_prefs_unread_moves_with_own_marks),
		cmocka_unit_test(test_prefs_names_messages_by_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
