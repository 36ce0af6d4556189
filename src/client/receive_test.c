/*
 * receive_test.c: what a server can, and can not, make of messages that it
 * carries. Nothing that it says alone lets a message disappear unseen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/test_world.h"

/* The text that the server works on: the second from 0 to 1. */
static struct message_id victim;
static unsigned count;

static bool
is_victim(const struct message_rec *m, int to)
{
	if (to != 1 || (m->message_type == MSG_TYPE_EVENT &&
	    !ID_EQ(victim, m->message_id)))
		return false;
	if (ID_IS_ZERO(victim) && ++count == 2)
		victim = m->message_id;
	return ID_EQ(victim, m->message_id);
}

/* Garbage under the name of a genuine event, said to be no message. */
static void
as_control(struct fake *f, struct message_rec *m, int to)
{
	(void)f;
	if (!is_victim(m, to))
		return;
	m->message_type = MSG_TYPE_EVENT;
	m->encrypted_content = SPAN("AAAA");
}

/* This device's entry is taken out, and it is said to be no message. */
static void
without_entry(struct fake *f, struct message_rec *m, int to)
{
	(void)f;
	if (!is_victim(m, to))
		return;
	m->message_type = MSG_TYPE_EVENT;
	m->encrypted_keys.n = 0;
}

/* The same, of a time before this device was. */
static void
too_old(struct fake *f, struct message_rec *m, int to)
{
	(void)f;
	if (!is_victim(m, to))
		return;
	m->timestamp = 0;
	m->encrypted_keys.n = 0;
}

static void
send_text(struct fake *f, int from, int to, const char *text)
{
	struct client_input in = { .type = CLIENT_SEND, .cmd = 7 };

	in.u.send.to.user = f->node[to].user;
	in.u.send.text = span_str(text);
	fake_step(f, from, &in);
	fake_run(f, 2000);
}

/* Gaps and refusals that the history of 1 with 0 shows; texts as well. */
static void
look(struct fake *f, unsigned *texts, unsigned *seen_out)
{
	struct client_place at = { .set = false };
	struct client_person p;
	struct client_item it;
	struct arena ar;
	uint8_t *mem = fake_alloc(8u << 20);

	*texts = *seen_out = 0;
	arena_init(&ar, mem, 8u << 20);
	assert_int_equal(client_person(&f->node[1].c, &ar, &f->node[0].user,
	    &p), OK);
	for (;;) {
		arena_init(&ar, mem, 8u << 20);
		if (client_history_next(&f->node[1].c, &ar, &p.chat, false,
		    &at, &it) != OK)
			break;
		*texts += it.kind == ITEM_TEXT;
		*seen_out += it.kind == ITEM_REFUSED ||
		    (it.kind == ITEM_GAP && it.gap_n != 0);
	}
	fake_drop(mem);
}

static void
hides_nothing(void (*tamper)(struct fake *, struct message_rec *, int))
{
	struct fake *f = fake_new(5);
	unsigned texts, seen;
	int i;

	victim = (struct message_id){ .b = { 0 } };
	count = 0;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	f->tamper = tamper;
	send_text(f, 0, 1, "one");
	send_text(f, 0, 1, "two");
	send_text(f, 0, 1, "three");
	fake_run(f, 10000);
	assert_false(ID_IS_ZERO(victim));
	look(f, &texts, &seen);
	assert_int_equal(texts, 2);
	assert_int_equal(seen, 1);
	fake_close(f);
}

/* docs/protocol.md, "Replay, order, clones": receivers show gaps. */
static void
test_receive_shows_a_gap_for_garbage_said_to_be_an_event(void **state)
{
	(void)state;
	hides_nothing(as_control);
}

static void
test_receive_shows_a_gap_for_an_entry_taken_out(void **state)
{
	(void)state;
	hides_nothing(without_entry);
}

static void
test_receive_shows_a_gap_for_a_message_said_to_be_old(void **state)
{
	(void)state;
	hides_nothing(too_old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_receive_shows_a_gap_for_garbage_said_to_be_an_event),
		cmocka_unit_test(
		    test_receive_shows_a_gap_for_an_entry_taken_out),
		cmocka_unit_test(
		    test_receive_shows_a_gap_for_a_message_said_to_be_old),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
