/*
 * later_test.c: events that were damaged on their way, or are about a message
 * that is not here (docs/protocol.md, "Retries", "Events").
 */
#include "client/test_chat.h"

static struct message_id victim;

/* Damages events that say what they are about, and edits, once. */
static void
damage(struct fake *f, struct message_rec *m, int to)
{
	static char bad[100000];

	(void)f;
	if (to != 1 || (!m->has_metadata && !m->has_edited_at) ||
	    (!ID_IS_ZERO(victim) && !ID_EQ(victim, m->message_id)))
		return;
	victim = m->message_id;
	memcpy(bad, m->encrypted_content.p, m->encrypted_content.n);
	bad[50] = bad[50] == 'A' ? 'B' : 'A';
	m->encrypted_content.p = (uint8_t *)bad;
}

static struct fake *
damaged(uint64_t seed)
{
	struct fake *f = ready(seed);

	victim = (struct message_id){ .b = { 0 } };
	send_text(f, 0, 1, "hello");
	f->tamper = damage;
	return f;
}

static void
check_repaired(struct fake *f)
{
	fake_run(f, 10000);
	assert_false(ID_IS_ZERO(victim));
	assert_int_equal(f->node[1].refused, 1);
	assert_int_equal(causes(f, 1, "repaired"), 1);
	assert_int_equal(causes(f, 1, "refused_decrypt"), 1);
	/* The refusal is gone: it was no message. */
	check_end(f, 1, 0, 1);
}

/* Whatever goes to all devices is asked for again when it was lost. */
static void
test_later_a_lost_reaction_is_repaired(void **state)
{
	struct fake *f = damaged(21);
	struct client_ref to = ref(f, 0, 1, 0);

	(void)state;
	react(f, 0, to, "+1");
	check_repaired(f);
	assert_int_equal(reactions(f, 1, to, "+1"), 1);
	fake_close(f);
}

static void
test_later_a_lost_edit_is_repaired(void **state)
{
	struct fake *f = damaged(22);

	(void)state;
	edit(f, 0, ref(f, 0, 1, 0), "edited");
	check_repaired(f);
	check_text(f, 1, 0, 0, "edited");
	fake_close(f);
}

static void
test_later_a_lost_deletion_is_repaired(void **state)
{
	struct fake *f = damaged(23);

	(void)state;
	erase(f, 0, ref(f, 0, 1, 0), true);
	check_repaired(f);
	assert_int_equal(get(f, 1, 0, 0).kind, ITEM_DELETED);
	fake_close(f);
}

static void
test_later_a_lost_timer_is_repaired(void **state)
{
	struct fake *f = damaged(24);
	struct client_input in = { .type = CLIENT_TIMER_SET };
	struct client_chat c;
	struct chat_id chat = chat_of(f, 1, 0);
	struct arena a;

	(void)state;
	in.u.expire.to.user = f->node[1].user;
	in.u.expire.expire_s = 60;
	go(f, 0, &in);
	fake_run(f, 10000);
	a = arena();
	assert_int_equal(client_chat(&f->node[1].c, &a, &chat, &c), OK);
	assert_int_equal(c.expire_s, 60);
	assert_int_equal(get(f, 1, 0, 1).kind, ITEM_TIMER);
	check_end(f, 1, 0, 2);
	fake_close(f);
}

/* The text of 0 is hidden from 1 as if it were between devices. */
static void
withhold(struct fake *f, struct message_rec *m, int to)
{
	(void)f;
	if (to != 1 || !ID_EQ(m->message_id, victim))
		return;
	m->message_type = MSG_TYPE_EVENT;
	m->encrypted_content = SPAN("AAAA");
	m->encrypted_keys.n = 0;
}

static void
withhold_second(struct fake *f, struct message_rec *m, int to)
{
	if (f->msgs == 2)
		victim = m->message_id;
	withhold(f, m, to);
}

/* docs/protocol.md, Events: kept 7 days, and no receipt of it. */
static void
test_later_events_wait_for_their_message(void **state)
{
	struct fake *f = ready(25);
	struct client_ref to;
	size_t i, n = 0;

	(void)state;
	victim = (struct message_id){ .b = { 0 } };
	send_text(f, 0, 1, "hello");
	f->tamper = withhold_second;
	send_text(f, 0, 1, "withheld");
	f->tamper = withhold;
	to = ref(f, 0, 1, 1);
	react(f, 0, to, "+1");
	for (i = 0; i < f->node[1].store.n; i++)
		n += f->node[1].store.r[i].kind == REC_LATER;
	assert_int_equal(n, 1);
	/* The edit brings the message: what waited is applied. */
	f->tamper = NULL;
	edit(f, 0, to, "seen after all");
	assert_int_equal(reactions(f, 1, to, "+1"), 1);
	for (i = 0; i < f->node[1].store.n; i++)
		assert_int_not_equal(f->node[1].store.r[i].kind, REC_LATER);
	fake_close(f);
}

static void
test_later_events_wait_no_longer_than_a_week(void **state)
{
	struct fake *f = ready(26);
	struct client_ref to;
	size_t i;

	(void)state;
	victim = (struct message_id){ .b = { 0 } };
	send_text(f, 0, 1, "hello");
	f->tamper = withhold_second;
	send_text(f, 0, 1, "withheld");
	f->tamper = withhold;
	to = ref(f, 0, 1, 1);
	react(f, 0, to, "+1");
	fake_run(f, 9 * 24 * HOUR_MS);
	for (i = 0; i < f->node[1].store.n; i++)
		assert_int_not_equal(f->node[1].store.r[i].kind, REC_LATER);
	assert_int_equal(causes(f, 1, "dropped_not_found"), 1);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_a_lost_reaction_is_repaired),
		cmocka_unit_test(test_later_a_lost_edit_is_repaired),
		cmocka_unit_test(test_later_a_lost_deletion_is_repaired),
		cmocka_unit_test(test_later_a_lost_timer_is_repaired),
		cmocka_unit_test(test_later_events_wait_for_their_message),
		cmocka_unit_test(test_later_events_wait_no_longer_than_a_week),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
