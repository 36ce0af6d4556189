/*
 * change_test.c: everything about a message (docs/protocol.md, "Events"), from
 * the command of one to what the other shows.
 */
#include "client/test_chat.h"

#include "client/apply.h"

static void
test_change_reply_and_mention(void **state)
{
	struct fake *f = ready(1);
	struct client_ref to, none = { .event = { { 9 } } };
	struct client_item it;

	(void)state;
	send_text(f, 0, 1, "hello");
	to = ref(f, 1, 0, 0);
	send_with(f, 1, 0, "@USER_A and @nobody, mail@user_a", &to, 0);
	it = get(f, 0, 1, 1);
	assert_memory_equal(&it.reply_to, &to, sizeof(to));
	assert_int_equal(it.mentions.n, ID_LEN);
	assert_memory_equal(it.mentions.p, f->node[0].user.b, ID_LEN);
	assert_true(it.flags & ITEM_MENTIONS_ME);
	it = get(f, 1, 0, 1);
	assert_memory_equal(&it.reply_to, &to, sizeof(to));
	assert_false(it.flags & ITEM_MENTIONS_ME);
	/* What is not there cannot be answered. */
	none.sender = f->node[0].user;
	send_with(f, 1, 0, "to what?", &none, 0);
	assert_int_equal(f->node[1].error, ERR_NOT_FOUND);
	check_end(f, 1, 0, 2);
	fake_close(f);
}

static void
test_change_edit(void **state)
{
	struct fake *f = ready(2);
	struct client_ref to;
	struct client_item it, was;

	(void)state;
	send_text(f, 0, 1, "frist");
	to = ref(f, 0, 1, 0);
	was = get(f, 1, 0, 0);
	edit(f, 0, to, "first");
	check_text(f, 1, 0, 0, "first");
	edit(f, 0, to, "the first");
	check_text(f, 1, 0, 0, "the first");
	check_text(f, 0, 1, 0, "the first");
	it = get(f, 1, 0, 0);
	assert_int_equal(it.edit_number, 2);
	assert_int_equal(it.flags & ITEM_OTHER_HISTORY, 0);
	assert_int_equal(it.order, was.order);
	assert_memory_equal(it.history, get(f, 0, 1, 0).history, 32);
	assert_false(holds(f, 1, "frist"));
	check_end(f, 1, 0, 1);
	/* Only one's own, for a day, and into something. */
	edit(f, 1, to, "mine");
	assert_int_equal(f->node[1].error, ERR_FORBIDDEN);
	edit(f, 0, to, "");
	assert_int_equal(f->node[0].error, ERR_VALIDATION);
	fake_run(f, 25 * HOUR_MS);
	edit(f, 0, to, "too late");
	assert_int_equal(f->node[0].error, ERR_EXPIRED);
	fake_run(f, 10000);
	check_text(f, 1, 0, 0, "the first");
	fake_close(f);
}

/* Before anybody has it, there is nothing to edit but what waits. */
static void
test_change_edit_of_what_waits(void **state)
{
	struct fake *f = ready(3);
	struct client_ref to;

	(void)state;
	send_text(f, 0, 1, "hello");
	fake_cut(f, 0);
	fake_run(f, 2);
	f->node[0].c.gone_ms = f->now + 3600 * 1000;
	send_text(f, 0, 1, "wiat");
	to = ref(f, 0, 1, 1);
	assert_int_equal(get(f, 0, 1, 1).state, STATE_WAITING);
	edit(f, 0, to, "wait");
	edit(f, 0, to, "wait!");
	check_text(f, 0, 1, 1, "wait!");
	fake_run(f, 2 * HOUR_MS);
	check_text(f, 1, 0, 1, "wait!");
	assert_int_equal(f->msgs, 2);
	assert_int_equal(f->changes, 0);
	assert_int_equal(get(f, 0, 1, 1).state, STATE_SENT);
	assert_int_equal(get(f, 0, 1, 1).flags & ITEM_CHANGING, 0);
	fake_close(f);
}

/* The server keeps the newest text only: who was away sees that, once. */
static void
test_change_edit_of_what_the_other_never_saw(void **state)
{
	struct fake *f = ready(4);
	struct client_ref to;
	struct client_item it;

	(void)state;
	send_text(f, 0, 1, "hello");
	stop(f, 1);
	send_text(f, 0, 1, "one");
	send_text(f, 0, 1, "two");
	to = ref(f, 0, 1, 1);
	edit(f, 0, to, "uno");
	edit(f, 0, to, "eins");
	react(f, 0, to, "+1");
	start(f, 1);
	check_text(f, 1, 0, 1, "eins");
	check_text(f, 1, 0, 2, "two");
	check_end(f, 1, 0, 3);
	it = get(f, 1, 0, 1);
	assert_true(ID_EQ(it.event, to.event));
	assert_int_equal(it.edit_number, 2);
	/* And goes on from there. */
	edit(f, 0, to, "ein");
	it = get(f, 1, 0, 1);
	assert_int_equal(it.edit_number, 3);
	assert_int_equal(it.flags & ITEM_OTHER_HISTORY, 0);
	send_text(f, 0, 1, "three");
	check_text(f, 1, 0, 3, "three");
	check_end(f, 1, 0, 4);
	fake_close(f);
}

static void
test_change_edit_that_the_server_refuses(void **state)
{
	struct fake *f = ready(5);
	struct client_ref to;

	(void)state;
	send_text(f, 0, 1, "hello");
	to = ref(f, 0, 1, 0);
	f->refuse_edit = ERR_CONFLICT;
	edit(f, 0, to, "bye");
	assert_int_equal(f->node[0].error, ERR_CONFLICT);
	check_text(f, 0, 1, 0, "hello");
	assert_int_equal(get(f, 0, 1, 0).flags & ITEM_CHANGING, 0);
	assert_int_equal(causes(f, 0, "unsent_conflict"), 1);
	f->refuse_edit = OK;
	send_text(f, 0, 1, "goes on");
	check_text(f, 1, 0, 1, "goes on");
	fake_close(f);
}

static void
test_change_delete_for_both(void **state)
{
	struct fake *f = ready(6);
	struct client_ref to;

	(void)state;
	send_text(f, 0, 1, "a secret");
	to = ref(f, 0, 1, 0);
	edit(f, 0, to, "a greater secret");
	react(f, 1, to, "wow");
	erase(f, 1, to, true);
	assert_int_equal(f->node[1].error, ERR_FORBIDDEN);
	erase(f, 0, to, true);
	assert_int_equal(get(f, 0, 1, 0).kind, ITEM_DELETED);
	assert_int_equal(get(f, 1, 0, 0).kind, ITEM_DELETED);
	/* Told to the devices first, then to the server. */
	assert_int_equal(f->removals, 1);
	assert_false(f->msg[0].m.has_encrypted_content);
	assert_false(holds(f, 0, "secret"));
	assert_false(holds(f, 1, "secret"));
	assert_false(holds(f, 1, "wow"));
	edit(f, 0, to, "back");
	assert_int_equal(f->node[0].error, ERR_NOT_FOUND);
	send_text(f, 0, 1, "next");
	check_text(f, 1, 0, 1, "next");
	check_end(f, 1, 0, 2);
	fake_close(f);
}

/* Who was away finds it gone, by the sender's word and not by the server's. */
static void
test_change_delete_while_the_other_is_away(void **state)
{
	struct fake *f = ready(7);

	(void)state;
	send_text(f, 0, 1, "hello");
	stop(f, 1);
	send_text(f, 0, 1, "never");
	erase(f, 0, ref(f, 0, 1, 1), true);
	send_text(f, 0, 1, "next");
	start(f, 1);
	assert_int_equal(get(f, 1, 0, 1).kind, ITEM_DELETED);
	check_text(f, 1, 0, 2, "next");
	check_end(f, 1, 0, 3);
	fake_close(f);
}

/* docs/protocol.md, How it travels: the server's word sorts, no more. */
static void
test_change_server_alone_removes_nothing(void **state)
{
	struct fake *f = ready(8);
	struct client_item it;
	struct arena a;
	char path[64] = "/api/messages/";

	(void)state;
	send_text(f, 0, 1, "stays");
	id_encode(f->msg[0].m.message_id.b, path + 14);
	arena_init(&a, memory, sizeof(memory));
	(void)fake_remove(f, &a, 0, span_str(path));
	fake_run(f, 3000);
	check_text(f, 1, 0, 0, "stays");
	it = get(f, 1, 0, 0);
	assert_true(it.flags & ITEM_SERVER_REMOVED);
	check_text(f, 0, 1, 0, "stays");
	send_text(f, 0, 1, "next");
	check_text(f, 1, 0, 1, "next");
	fake_close(f);
}

static void
test_change_hide(void **state)
{
	struct fake *f = ready(9);
	struct client_ref to;

	(void)state;
	send_text(f, 0, 1, "not for these eyes");
	send_text(f, 0, 1, "two");
	to = ref(f, 1, 0, 0);
	erase(f, 1, to, false);
	check_text(f, 1, 0, 0, "two");
	check_text(f, 0, 1, 0, "not for these eyes");
	assert_false(holds(f, 1, "these eyes"));
	assert_int_equal(f->removals, 0);
	react(f, 1, to, "?");
	assert_int_equal(f->node[1].error, ERR_NOT_FOUND);
	/* What the other says of it changes nothing. */
	react(f, 0, to, "hm");
	edit(f, 0, to, "for nobody");
	check_text(f, 1, 0, 0, "two");
	check_end(f, 1, 0, 1);
	assert_int_equal(causes(f, 1, "dropped_stale"), 2);
	fake_close(f);
}

/* What was never encrypted is taken back as if it had not been written. */
static void
test_change_delete_of_what_waits(void **state)
{
	struct fake *f = ready(10);

	(void)state;
	send_text(f, 0, 1, "hello");
	fake_cut(f, 0);
	fake_run(f, 2);
	f->node[0].c.gone_ms = f->now + 3600 * 1000;
	send_text(f, 0, 1, "oh no");
	erase(f, 0, ref(f, 0, 1, 1), true);
	assert_false(holds(f, 0, "oh no"));
	fake_run(f, 2 * HOUR_MS);
	check_end(f, 0, 1, 1);
	check_end(f, 1, 0, 1);
	assert_int_equal(f->msgs, 1);
	fake_close(f);
}

static void
test_change_reactions(void **state)
{
	struct fake *f = ready(11);
	struct client_ref to;
	struct client_input in = { .type = CLIENT_REACT };
	char long_text[70];

	(void)state;
	send_text(f, 0, 1, "hello");
	to = ref(f, 1, 0, 0);
	react(f, 1, to, "+1");
	react(f, 0, to, "+1");
	assert_int_equal(reactions(f, 0, to, "+1"), 2);
	assert_int_equal(reactions(f, 1, to, "+1"), 2);
	react(f, 1, to, "-1");		/* one for each person */
	assert_int_equal(reactions(f, 0, to, "+1"), 1);
	assert_int_equal(reactions(f, 0, to, "-1"), 1);
	react(f, 1, to, "");
	assert_int_equal(reactions(f, 0, to, "-1"), 0);
	assert_int_equal(reactions(f, 1, to, "+1"), 1);
	memset(long_text, 'x', sizeof(long_text));
	in.u.react.ref = to;
	in.u.react.text = span_of(long_text, sizeof(long_text));
	go(f, 0, &in);
	assert_int_equal(f->node[0].error, ERR_VALIDATION);
	/* None of it is a message. */
	check_end(f, 0, 1, 1);
	check_end(f, 1, 0, 1);
	fake_close(f);
}

static void
test_change_pins(void **state)
{
	struct fake *f = ready(12);
	struct client_input in = { .type = CLIENT_PIN };
	struct client_ref after = { .event = { { 0 } } };
	struct chat_id chat;
	struct client_pin pin;
	struct arena a;

	(void)state;
	send_text(f, 0, 1, "hello");
	chat = chat_of(f, 0, 1);
	in.u.pin.ref = ref(f, 1, 0, 0);
	in.u.pin.on = true;
	go(f, 1, &in);
	assert_true(get(f, 0, 1, 0).flags & ITEM_PINNED);
	a = arena();
	assert_int_equal(client_pin_next(&f->node[0].c, &a, &chat, &after,
	    &pin), OK);
	assert_true(ID_EQ(pin.user, f->node[1].user));
	assert_int_equal(client_pin_next(&f->node[0].c, &a, &chat, &after,
	    &pin), ERR_NOT_FOUND);
	in.u.pin.on = false;
	go(f, 0, &in);			/* anybody's, for both */
	assert_false(get(f, 1, 0, 0).flags & ITEM_PINNED);
	after = (struct client_ref){ .event = { { 0 } } };
	assert_int_equal(client_pin_next(&f->node[1].c, &a, &chat, &after,
	    &pin), ERR_NOT_FOUND);
	fake_close(f);
}

/* An event of another own device of node 0, as if it had come. */
static enum err
hear(struct fake *f, struct apply *ap, struct event *e, int with,
    enum err *cause)
{
	enum apply_state state = APPLY_DONE;
	struct client_effects out;
	struct arena a;
	struct step s;
	enum err err;

	ap->chat = chat_of(f, 0, with);
	ap->other = f->node[with].user;
	ap->from = (struct address){ f->node[0].user, 9 };
	ap->e = e;
	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	assert_int_equal(step_init(&s, &f->node[0].c, &a, f->now, true), OK);
	err = apply_event(&s, ap, &state, cause);
	assert_int_equal(step_end(&s, &out), OK);
	fake_carry_out(f, &a, 0, out.first);
	step_fini(&s);
	arena_fini(&a);
	return err;
}

/* docs/protocol.md, Events: conv names one chat; an edit, a deletion, a hide
 * of another one is not obeyed. */
static void
test_change_of_another_chat_is_not_obeyed(void **state)
{
	struct fake *f = ready(13);
	struct apply ap = { .position = 900, .order = 900 };
	struct event e = { .kind = EVENT_EDIT, .body = SPAN("changed"),
	    .edit_number = 1 };
	enum err cause = OK;

	(void)state;
	send_text(f, 0, 1, "hello");
	send_text(f, 0, 2, "hallo");
	e.target = ref(f, 0, 1, 0).event;
	e.time_ms = get(f, 0, 1, 0).sender_ms + 1;
	assert_int_equal(hear(f, &ap, &e, 2, &cause), OK);
	assert_int_equal(cause, ERR_FORBIDDEN);
	check_text(f, 0, 1, 0, "hello");
	e.kind = EVENT_DELETE;
	assert_int_equal(hear(f, &ap, &e, 2, &cause), OK);
	assert_int_equal(cause, ERR_FORBIDDEN);
	check_text(f, 0, 1, 0, "hello");
	e.kind = EVENT_HIDE;
	e.body = ID_SPAN(f->node[0].user);
	assert_int_equal(hear(f, &ap, &e, 2, &cause), OK);
	assert_int_equal(cause, ERR_FORBIDDEN);
	check_text(f, 0, 1, 0, "hello");
	assert_int_equal(hear(f, &ap, &e, 1, &cause), OK);
	assert_int_equal(cause, OK);
	check_end(f, 0, 1, 0);
	fake_close(f);
}

/* An older edit of another device, kept back until a newer one was shown: the
 * server may say that it came last, and then that is said. */
static void
test_change_says_when_an_older_edit_comes_last(void **state)
{
	struct fake *f = ready(14);
	struct apply ap = { .position = 900, .order = 900 };
	struct event e = { .kind = EVENT_EDIT, .body = SPAN("before"),
	    .edit_number = 1 };
	enum err cause = OK;

	(void)state;
	send_text(f, 0, 1, "hello");
	edit(f, 0, ref(f, 0, 1, 0), "one");
	edit(f, 0, ref(f, 0, 1, 0), "two");
	assert_int_equal(get(f, 0, 1, 0).edit_number, 2);
	e.target = ref(f, 0, 1, 0).event;
	e.time_ms = get(f, 0, 1, 0).sender_ms + 1;
	ap.edited_ms = f->now + 1000;
	assert_int_equal(hear(f, &ap, &e, 1, &cause), OK);
	check_text(f, 0, 1, 0, "before");
	assert_true(get(f, 0, 1, 0).flags & ITEM_OTHER_HISTORY);
	fake_close(f);
}

/* What was under way when its message went leaves no copy behind. */
static void
test_change_under_way_is_not_kept_for_what_is_gone(void **state)
{
	struct fake *f = ready(15);

	(void)state;
	send_text(f, 0, 1, "hello");
	f->lose_answer = 100;
	edit(f, 0, ref(f, 0, 1, 0), "under way");
	erase(f, 0, ref(f, 0, 1, 0), true);
	f->lose_answer = 0;
	fake_run(f, 30 * 60 * 1000);
	assert_int_equal(get(f, 1, 0, 0).kind, ITEM_DELETED);
	assert_false(holds(f, 0, "under way"));
	assert_false(holds(f, 1, "under way"));
	fake_close(f);
}

/* All of it through loss, doubling, cut connections and crashes. */
static void
test_change_converges_through_loss_and_crashes(void **state)
{
	struct fake *f = ready(51);
	struct client_ref to;
	unsigned i;

	(void)state;
	send_text(f, 0, 1, "start");
	send_text(f, 1, 0, "other");
	f->drop = f->dup = 20;
	f->reorder = 30;
	f->cut = 20;
	f->lose_answer = 10;
	for (i = 0; i < 15; i++) {
		char text[16];

		snprintf(text, sizeof(text), "edit %u", i);
		f->crash = 0;
		if (f->node[0].alive) {
			to = ref(f, 0, 1, 0);
			edit(f, 0, to, text);
			react(f, 0, to, i % 2 == 0 ? "+1" : "");
		}
		if (f->node[1].alive)
			react(f, 1, to, text);
		f->crash = 5;
		fake_run(f, 3000);
	}
	f->drop = f->dup = f->reorder = f->cut = f->lose_answer = 0;
	f->crash = 0;
	fake_run(f, 20 * 60 * 1000);
	assert_true(f->changes >= 8);
	assert_int_equal(get(f, 0, 1, 0).edit_number,
	    get(f, 1, 0, 0).edit_number);
	assert_memory_equal(get(f, 0, 1, 0).history, get(f, 1, 0, 0).history,
	    32);
	assert_int_equal(get(f, 1, 0, 0).flags & ITEM_OTHER_HISTORY, 0);
	assert_int_equal(reactions(f, 0, to, "+1"), reactions(f, 1, to,
	    "+1"));
	check_end(f, 0, 1, 2);
	check_end(f, 1, 0, 2);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change_reply_and_mention),
		cmocka_unit_test(test_change_edit),
		cmocka_unit_test(test_change_edit_of_what_waits),
		cmocka_unit_test(test_change_edit_of_what_the_other_never_saw),
		cmocka_unit_test(test_change_edit_that_the_server_refuses),
		cmocka_unit_test(test_change_delete_for_both),
		cmocka_unit_test(test_change_delete_while_the_other_is_away),
		cmocka_unit_test(test_change_server_alone_removes_nothing),
		cmocka_unit_test(test_change_hide),
		cmocka_unit_test(test_change_delete_of_what_waits),
		cmocka_unit_test(test_change_reactions),
		cmocka_unit_test(test_change_pins),
		cmocka_unit_test(test_change_of_another_chat_is_not_obeyed),
		cmocka_unit_test(
		    test_change_says_when_an_older_edit_comes_last),
		cmocka_unit_test(
		    test_change_under_way_is_not_kept_for_what_is_gone),
		cmocka_unit_test(
		    test_change_converges_through_loss_and_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
