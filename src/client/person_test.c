/*
 * person_test.c: people whose account is gone: for ever, or as the server said
 * last (docs/api.md, "Events"; the names of accounts that are to be deleted).
 */
#include "client/test_chat.h"

#include "client/person.h"

/* How often the journal of node 0 says that somebody is gone. */
static unsigned
gone_said(struct fake *f)
{
	struct client_show show;
	uint64_t seq = 0;
	unsigned n = 0;
	struct arena a = arena();

	while (client_journal_next(&f->node[0].c, &a, &seq, &show) == OK)
		n += show.type == SHOW_GONE &&
		    ID_EQ(show.u.person.user, f->node[1].user);
	return n;
}

static void
say_erased(struct fake *f, int who)
{
	struct devices_ev ev = { .user_id = f->node[who].user,
	    .has_version = true };
	struct arena a = arena();

	fake_deliver_event(f, "user:erased", fake_json(&a,
	    &shape_devices_ev, &ev), 0);
	fake_run(f, 3000);
}

static struct client_person
person(struct fake *f)
{
	struct client_person p;
	struct arena a = arena();

	assert_int_equal(client_person(&f->node[0].c, &a, &f->node[1].user,
	    &p), OK);
	return p;
}

static void
test_person_erased_is_shown_once_and_written_to_no_more(void **state)
{
	struct fake *f = ready(61);

	(void)state;
	send_text(f, 0, 1, "hello");
	assert_false(person(f).erased);
	say_erased(f, 1);
	say_erased(f, 1);
	assert_true(person(f).erased);
	assert_int_equal(gone_said(f), 1);
	/* What was said stays; what is sent says why it is not. */
	assert_true(span_eq(get(f, 0, 1, 0).text, SPAN("hello")));
	fake_run(f, 120000);
	send_text(f, 0, 1, "are you there?");
	assert_int_equal(get(f, 0, 1, 1).state, STATE_FAILED);
	assert_int_equal(get(f, 0, 1, 1).cause, ERR_NOT_FOUND);
	/* Nobody is erased from their own device by a word of the server. */
	say_erased(f, 0);
	send_text(f, 0, 2, "hallo");
	assert_int_equal(get(f, 0, 2, 0).state, STATE_SENT);
	fake_close(f);
}

/* The server said 404: an account that was to be deleted and was had back. */
static void
test_person_who_was_not_there_is_looked_for_again(void **state)
{
	struct fake *f = ready(62);
	struct client_effects out;
	struct person p;
	struct arena a;
	struct step s;

	(void)state;
	send_text(f, 0, 1, "hello");
	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	assert_int_equal(step_init(&s, &f->node[0].c, &a, f->now, true), OK);
	assert_int_equal(person_load(&s, &f->node[1].user, &p), OK);
	p.flags |= PERSON_GONE;
	p.checked_ms = f->now;
	assert_int_equal(person_save(&s, &p), OK);
	assert_int_equal(step_end(&s, &out), OK);
	fake_carry_out(f, &a, 0, out.first);
	step_fini(&s);
	arena_fini(&a);
	send_text(f, 0, 1, "at once");
	assert_int_equal(get(f, 0, 1, 1).cause, ERR_NOT_FOUND);
	fake_run(f, PERSON_GONE_MS);
	send_text(f, 0, 1, "later");
	/* What is not sent stands behind what is. */
	assert_true(span_eq(get(f, 0, 1, 1).text, SPAN("later")));
	assert_int_equal(get(f, 0, 1, 1).state, STATE_SENT);
	assert_true(span_eq(get(f, 1, 0, 1).text, SPAN("later")));
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_person_erased_is_shown_once_and_written_to_no_more),
		cmocka_unit_test(
		    test_person_who_was_not_there_is_looked_for_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
