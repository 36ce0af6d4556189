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
#include "client/trust.h"

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

/* The entry of the second text from 0 to 1 does not open. */
static void
broken_entry(struct fake *f, struct message_rec *m, int to)
{
	static uint8_t bad[32768];
	static struct shape_pair pair;
	struct span v;

	(void)f;
	if (!is_victim(m, to) || m->encrypted_keys.n != 1)
		return;
	pair = m->encrypted_keys.p[0];
	v = pair.value;
	assert_true(v.n > 100 && v.n <= sizeof(bad));
	memcpy(bad, v.p, v.n);
	bad[v.n - 8] = bad[v.n - 8] == 'A' ? 'B' : 'A';
	pair.value = span_of(bad, v.n);
	m->encrypted_keys.p = &pair;
}

/* A text of `from` to 1 under any event id, as a resend carries it. */
static struct span
forged_record(struct fake *f, int from, const struct event_id *id)
{
	static uint8_t mem[512];
	struct event e = { .kind = EVENT_TEXT, .has = EVENT_HAS_BODY,
	    .id = *id, .time_ms = f->now, .body = SPAN("forged") };
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(content_conv_direct(&f->pv, &f->node[from].user,
	    &f->node[1].user, &e.conv), OK);
	assert_int_equal(event_encode(&e, &w), OK);
	return wr_done(&w);
}

/*
 * docs/protocol.md, Retries: a resend is of the account that the event is of.
 * Another contact that knows the id neither puts words there nor spends what
 * was asked for: the true resend is still taken.
 */
static void
test_receive_takes_no_resend_from_another_contact(void **state)
{
	struct fake *f = fake_new(6);
	struct client_input in = { .type = CLIENT_SEND, .cmd = 7 };
	struct event_id id;
	size_t before;
	int i;

	(void)state;
	victim = (struct message_id){ .b = { 0 } };
	count = 0;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 2, 1, "hello");
	send_text(f, 1, 2, "hello");
	send_text(f, 0, 1, "one");
	send_text(f, 1, 0, "yes");
	f->tamper = broken_entry;
	count = 1;
	before = f->msgs;
	in.u.send.to.user = f->node[1].user;
	in.u.send.text = SPAN("two");
	fake_step(f, 0, &in);
	while (f->msgs == before)
		fake_run(f, 1);
	memcpy(id.b, f->msg[before].m.client_message_id.b, ID_LEN);
	/* 0 is away; what 1 asks of it waits. */
	f->node[0].alive = f->node[0].up = false;
	f->node[0].life++;
	fake_run(f, 5000);
	assert_int_equal(f->node[1].refused, 1);
	assert_true(f->msgs > before + 1);
	fake_control(f, 2, 1, EVENT_RESEND, &id, forged_record(f, 2, &id));
	fake_run(f, 5000);
	assert_int_equal(f->node[1].repaired, 0);
	fake_start(f, 0);
	fake_run(f, 20000);
	assert_int_equal(f->node[1].repaired, 1);
	fake_close(f);
}

/* The place that the first text from 0 to 1 had. */
static uint64_t place;

static bool
is_text_to_1(const struct message_rec *m, int to)
{
	return to == 1 && m->message_type == MSG_TYPE_TEXT;
}

/* Every text is said to stand where the first one does. */
static void
in_one_place(struct fake *f, struct message_rec *m, int to)
{
	(void)f;
	if (!is_text_to_1(m, to))
		return;
	if (place == 0)
		place = m->position;
	m->position = place;
	m->prev = 0;
}

/* What comes after the first is another's garbage, in its place. */
static void
garbage_in_one_place(struct fake *f, struct message_rec *m, int to)
{
	bool first = place == 0;

	in_one_place(f, m, to);
	if (!is_text_to_1(m, to) || first)
		return;
	m->client_message_id.b[0] ^= 1;
	m->encrypted_content = SPAN("AAAA");
}

/* The same, without a name and without content: as what was removed. */
static void
removed_in_one_place(struct fake *f, struct message_rec *m, int to)
{
	bool first = place == 0;

	in_one_place(f, m, to);
	if (!is_text_to_1(m, to) || first)
		return;
	m->has_client_message_id = m->has_encrypted_content = false;
	m->message_id.b[0] ^= 1;
}

static void
keeps_what_came(void (*tamper)(struct fake *, struct message_rec *, int),
    unsigned texts_want)
{
	struct fake *f = fake_new(8);
	unsigned texts, seen;
	int i;

	place = 0;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	f->tamper = tamper;
	send_text(f, 0, 1, "one");
	send_text(f, 0, 1, "two");
	send_text(f, 0, 1, "three");
	fake_run(f, 10000);
	look(f, &texts, &seen);
	assert_int_equal(texts, texts_want);
	fake_close(f);
}

/* docs/protocol.md, "How it travels": what the server says sorts, no more. */
static void
test_receive_keeps_all_that_are_said_to_be_in_one_place(void **state)
{
	(void)state;
	keeps_what_came(in_one_place, 3);
}

static void
test_receive_keeps_what_garbage_is_put_in_the_place_of(void **state)
{
	(void)state;
	keeps_what_came(garbage_in_one_place, 1);
}

static void
test_receive_keeps_what_is_said_to_be_removed(void **state)
{
	(void)state;
	keeps_what_came(removed_in_one_place, 1);
}

/* The texts in the order of their first coming. */
static struct event_id named[8];

static unsigned
number_of(const struct message_rec *m)
{
	unsigned i;

	for (i = 0; i < count; i++)
		if (ID_EQ(named[i], m->client_message_id))
			return i;
	named[count] = m->client_message_id;
	return count++;
}

/* The second and the fourth never come, the others are in one place. */
static void
two_missing_in_one_place(struct fake *f, struct message_rec *m, int to)
{
	if (!is_text_to_1(m, to))
		return;
	if (number_of(m) % 2 == 1) {
		m->message_type = MSG_TYPE_EVENT;
		m->encrypted_content = SPAN("AAAA");
		return;
	}
	in_one_place(f, m, to);
}

static void
test_receive_counts_all_that_are_missing_in_one_place(void **state)
{
	struct fake *f = fake_new(9);
	struct client_place at = { .set = false };
	struct client_person p;
	struct client_item it;
	struct arena ar;
	uint8_t *mem = fake_alloc(8u << 20);
	uint32_t missing = 0;
	int i;

	(void)state;
	place = 0;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	count = 0;
	f->tamper = two_missing_in_one_place;
	for (i = 0; i < 5; i++)
		send_text(f, 0, 1, "one");
	fake_run(f, 10000);
	arena_init(&ar, mem, 8u << 20);
	assert_int_equal(client_person(&f->node[1].c, &ar, &f->node[0].user,
	    &p), OK);
	while (client_history_next(&f->node[1].c, &ar, &p.chat, false, &at,
	    &it) == OK)
		missing += it.kind == ITEM_GAP ? it.gap_n : 0;
	assert_int_equal(missing, 2);
	fake_drop(mem);
	fake_close(f);
}

static void
send_alarm(struct fake *f, uint8_t n)
{
	uint8_t body[EVENT_RESET_LEN];
	struct event_reset reset = { .receiver_initiated = true };

	memset(reset.sid, n, sizeof(reset.sid));
	event_reset_encode(&reset, body);
	fake_control(f, 1, 0, EVENT_SESSION_RESET, NULL, SPAN_OF(body));
	fake_run(f, 20000);
}

/*
 * docs/protocol.md, "Replay, order, clones": an alarm of a contact warns each
 * time, and renews this device's keys once in a day.
 */
static void
test_receive_renews_once_a_day_by_alarm(void **state)
{
	struct fake *f = fake_new(7);
	struct span cert, header;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	send_text(f, 1, 0, "two");
	cert = f->node[0].cert;
	send_alarm(f, 1);
	assert_int_equal(f->node[0].warnings, 1);
	assert_false(span_eq(cert, f->node[0].cert));
	cert = f->node[0].cert;
	header = f->node[0].header;
	send_alarm(f, 2);
	send_alarm(f, 3);
	assert_int_equal(f->node[0].warnings, 3);
	assert_true(span_eq(cert, f->node[0].cert));
	assert_true(span_eq(header, f->node[0].header));
	send_text(f, 0, 1, "three");
	f->now += 24ull * 3600 * 1000;
	fake_run(f, 60000);
	send_alarm(f, 4);
	assert_int_equal(f->node[0].warnings, 4);
	assert_false(span_eq(cert, f->node[0].cert));
	send_text(f, 0, 1, "four");
	send_text(f, 1, 0, "five");
	assert_int_equal(f->node[0].refused + f->node[1].refused, 0);
	fake_close(f);
}

/* Does what i signed about a person take the mark back? */
static bool
is_taken_back(struct fake *f, int i, const struct user_id *user)
{
	const struct fake_store *st = &f->node[i].store;
	struct verification v;
	size_t k;

	for (k = 0; k < st->n; k++)
		if (st->r[k].kind == REC_TRUST &&
		    span_eq(st->r[k].key, ID_SPAN(*user)) &&
		    verification_decode(span_sub(st->r[k].value, 2,
		    st->r[k].value.n), &v) == OK)
			return v.withdrawn;
	fail();
	return false;
}

/*
 * docs/protocol.md, Verified marks: another own device compared another key
 * than this one is shown. Nothing is sent until the person has decided.
 */
static void
test_receive_waits_where_a_device_compared_another_key(void **state)
{
	struct fake *f = fake_new(53);
	struct verification_rec rec = { .user_id = f->node[1].user };
	struct verification_list_rep rep = { .verifications = { &rec, 1 } };
	struct client_call call = { .what = CALL_TRUST_GET };
	struct call_answer answer = { .call = &call };
	struct verification v = { .account = f->node[0].user,
	    .peer = f->node[1].user,
	    .peer_aik_hash = { 7 }, .method = VERIFICATION_NUMBER,
	    .time_ms = 5 };
	struct client_effects out;
	struct client_person p;
	struct identity id;
	struct arena a;
	struct step s;
	struct wr w;
	size_t before;
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	arena_init_growing(&a, f->mem, 4u << 20, CLIENT_STEP_BYTES,
	    fake_grow);
	assert_int_equal(step_init(&s, &f->node[0].c, &a, f->now, true), OK);
	assert_int_equal(identity_load(&s.core, &id), OK);
	v.device = id.me.device;
	memcpy(v.cert_hash, id.keys.cert_hash, SHA256_LEN);
	assert_int_equal(peer_accept_cert(&s.core, &id.me.account,
	    span_of(id.keys.cert, id.keys.cert_n)), OK);
	assert_int_equal(step_wr(&s, VERIFICATION_LEN, &w), OK);
	assert_int_equal(verification_sign(s.pv, &id.keys.dsk, &v, &w), OK);
	rec.key_hash = SPAN_OF(v.peer_aik_hash);
	rec.method = VERIFY_METHOD_NUMBER;
	rec.record = wr_done(&w);
	rec.device_id = v.device;
	answer.data = fake_json(&a, &shape_verification_list_rep, &rep);
	assert_int_equal(trust_heard(&s, &answer), OK);
	assert_int_equal(step_end(&s, &out), OK);
	fake_carry_out(f, &a, 0, out.first);
	identity_wipe(&id);
	step_fini(&s);
	arena_fini(&a);
	fake_run(f, 5000);
	before = f->msgs;
	send_text(f, 0, 1, "two");
	fake_run(f, 20000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_person(&f->node[0].c, &a, &f->node[1].user,
	    &p), OK);
	assert_true(p.blocked);
	assert_int_equal(f->msgs, before);
	fake_close(f);
}

/* The same: a mark ends with the key that it is about, for all own devices. */
static void
test_receive_a_mark_is_taken_back_with_its_key(void **state)
{
	struct fake *f = fake_new(54);
	struct client_input in = { .type = CLIENT_VERIFY, .cmd = 3 };
	int i;

	(void)state;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	send_text(f, 0, 1, "one");
	in.u.verify.user = f->node[1].user;
	in.u.verify.on = true;
	fake_step(f, 0, &in);
	while (f->node[1].store.n != 0) {
		struct fake_record r = f->node[1].store.r[0];

		fake_put(&f->node[1].store, r.kind, true, r.key, r.value);
	}
	fake_start(f, 1);
	fake_sign_in(f, 1);
	fake_run(f, 2000);
	in = (struct client_input){ .type = CLIENT_START_OVER };
	in.u.password = SPAN("Secret-1!");
	fake_step(f, 1, &in);
	fake_run(f, 5000);
	send_text(f, 0, 1, "two");
	fake_run(f, 20000);
	assert_false(is_taken_back(f, 0, &f->node[1].user));
	in = (struct client_input){ .type = CLIENT_ACCEPT, .cmd = 4 };
	in.u.user = f->node[1].user;
	fake_step(f, 0, &in);
	fake_run(f, 20000);
	assert_true(is_taken_back(f, 0, &f->node[1].user));
	fake_close(f);
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
		cmocka_unit_test(
		    test_receive_takes_no_resend_from_another_contact),
		cmocka_unit_test(
		    test_receive_keeps_all_that_are_said_to_be_in_one_place),
		cmocka_unit_test(
		    test_receive_keeps_what_garbage_is_put_in_the_place_of),
		cmocka_unit_test(test_receive_keeps_what_is_said_to_be_removed),
		cmocka_unit_test(
		    test_receive_counts_all_that_are_missing_in_one_place),
		cmocka_unit_test(test_receive_renews_once_a_day_by_alarm),
		cmocka_unit_test(
		    test_receive_waits_where_a_device_compared_another_key),
		cmocka_unit_test(
		    test_receive_a_mark_is_taken_back_with_its_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
