/*
 * sessions_test.c: whole conversations between devices through sessions.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/test_world.h"

static struct w_dev a, b;

static int
setup(void **state)
{
	(void)state;
	w_pair_init(&a, &b, 7, 4);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return w_pair_fini(&a, &b);
}

static void
exchange(struct w_dev *from, struct w_dev *to, const char *text)
{
	struct span msg = { 0 }, got = { 0 };
	struct sessions_opened o;

	assert_int_equal(w_seal(from, to, span_str(text), &msg), OK);
	assert_int_equal(w_open(to, from, msg, &o, &got), OK);
	assert_int_equal(o.refused, OK);
	assert_true(span_eq(got, span_str(text)));
	w_drop(&msg);
	w_drop(&got);
}

static struct sessions_info
info(struct w_dev *d, struct w_dev *with)
{
	struct sessions_info i;

	assert_int_equal(w_end(d, sessions_info(&d->c, &with->addr, &i)), OK);
	return i;
}

static void
test_sessions_talk(void **state)
{
	struct span msg;

	(void)state;
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &msg), ERR_NO_SESSION);
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(info(&a, &b).pq_auth, PQ_AUTH_PEER);
	exchange(&a, &b, "hello");
	assert_false(info(&a, &b).confirmed);
	assert_true(info(&b, &a).confirmed);
	assert_int_equal(info(&b, &a).pq_auth, PQ_AUTH_NONE);
	exchange(&b, &a, "hi");
	assert_true(info(&a, &b).confirmed);
	exchange(&a, &b, "how are you?");
	/* docs/protocol.md, Session set-up: mutual after epoch 1, which
	 * finishes at I's second turn. */
	assert_int_equal(info(&a, &b).pq_auth, PQ_AUTH_MUTUAL);
	assert_int_equal(info(&b, &a).pq_auth, PQ_AUTH_MUTUAL);
	for (int i = 0; i < 200; i++)
		exchange(i & 1 ? &a : &b, i & 1 ? &b : &a, "ping");
	assert_true(info(&a, &b).epoch >= 4);
}

/* docs/protocol.md, Session set-up: a prekey message is 1,199 bytes more, and
 * is sent until one message of the other has been opened. */
static void
test_sessions_prekey_until_answered(void **state)
{
	uint8_t env[ENVELOPE_LEN] = { 0 };
	struct span m = { 0 };
	struct sessions_opened o;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(w_seal(&a, &b, SPAN_OF(env), &m), OK);
		assert_int_equal(m.p[0], PREKEY_MSG_TYPE);
		assert_int_equal(m.n, 1388);
		assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
		assert_int_equal(o.new_session, i == 0);
		w_drop(&m);
	}
	/* 11 | suite | dh | pqn pn n | salt | 128 | tag, with a key in 1,280 */
	assert_int_equal(w_seal(&b, &a, SPAN_OF(env), &m), OK);
	assert_int_equal(m.n, 2 + 32 + 3 + 8 + 1280 + 16);
	assert_int_equal(w_open(&a, &b, m, &o, NULL), OK);
	w_drop(&m);
	assert_int_equal(w_seal(&a, &b, SPAN_OF(env), &m), OK);
	assert_int_equal(m.p[0], RATCHET_TYPE);
	assert_int_equal(m.n, 189);
	w_drop(&m);
}

/* docs/protocol.md, Session set-up: a second PrekeyMsg with the same EK goes
 * to the existing session or is rejected, and never creates a session. */
static void
test_sessions_refuse_replayed_setup(void **state)
{
	struct span m = { 0 };
	struct sessions_opened o;
	uint64_t before;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("once"), &m), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	before = w_hash(&b.st);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), ERR_DUPLICATE);
	assert_true(before == w_hash(&b.st));
	assert_int_equal(w_end(&b, sessions_drop(&b.c, &a.addr)), OK);
	before = w_hash(&b.st);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), ERR_REPLAY);
	assert_true(before == w_hash(&b.st));
	w_drop(&m);
}

static void
test_sessions_delete_the_one_time_pair(void **state)
{
	struct span m = { 0 };
	struct sessions_opened o;

	(void)state;
	assert_int_equal(w_count(&b.st, RECORD_OTP), 2);
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), OK);
	/* A failure leaves it in place. */
	((uint8_t *)(uintptr_t)m.p)[m.n - 1] ^= 1;
	assert_int_equal(w_open(&b, &a, m, &o, NULL), ERR_AUTH);
	assert_int_equal(w_count(&b.st, RECORD_OTP), 2);
	assert_int_equal(w_count(&b.st, RECORD_SESSION), 0);
	((uint8_t *)(uintptr_t)m.p)[m.n - 1] ^= 1;
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	assert_int_equal(w_count(&b.st, RECORD_OTP), 1);
	assert_int_equal(w_count(&b.st, RECORD_SEEN), 1);
	w_drop(&m);
}

static void
test_sessions_work_with_the_last_resort_key(void **state)
{
	(void)state;
	b.next_leaf = b.leaves_n;
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "no one-time pair left");
	exchange(&b, &a, "fine");
	assert_int_equal(w_count(&b.st, RECORD_OTP), 2);
}

static void
test_sessions_refuse_a_prekey_that_is_gone(void **state)
{
	struct span m = { 0 };
	struct sessions_opened o;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), OK);
	assert_int_equal(w_end(&b, prekey_drop_otp(&b.c, 1, 1)), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), ERR_PREKEY_GONE);
	w_drop(&m);
}

/* docs/protocol.md, Two sessions at once: both sides come to one choice. */
static void
test_sessions_both_initiate(void **state)
{
	struct span ma = { 0 }, mb = { 0 }, m = { 0 };
	struct sessions_opened o;
	struct sessions_info ia, ib;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_initiate(&b, &a), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("from a"), &ma), OK);
	assert_int_equal(w_seal(&b, &a, SPAN("from b"), &mb), OK);
	assert_int_equal(w_open(&b, &a, ma, &o, NULL), OK);
	assert_int_equal(w_open(&a, &b, mb, &o, NULL), OK);
	w_drop(&ma);
	w_drop(&mb);
	for (int i = 0; i < 3; i++) {
		exchange(&a, &b, "x");
		exchange(&b, &a, "y");
	}
	ia = info(&a, &b);
	ib = info(&b, &a);
	assert_memory_equal(ia.sid.b, ib.sid.b, SESSION_SID_LEN);
	assert_int_equal(ia.count, 2);
	assert_int_equal(w_seal(&a, &b, SPAN("z"), &m), OK);
	assert_int_equal(m.p[0], RATCHET_TYPE);
	w_drop(&m);
}

/* At most 1 sending and 3 receive-only sessions for each pair of devices. */
static void
test_sessions_are_four_at_most(void **state)
{
	(void)state;
	for (int i = 0; i < 8; i++) {
		assert_int_equal(w_initiate(&a, &b), OK);
		exchange(&a, &b, "x");
		assert_true(w_count(&a.st, RECORD_SESSION) <= SESSIONS_MAX);
		assert_true(w_count(&b.st, RECORD_SESSION) <= SESSIONS_MAX);
	}
	exchange(&b, &a, "y");
	exchange(&a, &b, "z");
}

static void
test_sessions_refuse_a_stranger(void **state)
{
	struct w_dev m;
	struct span msg;
	struct sessions_opened o;

	(void)state;
	w_dev_init(&m, 9, 8, 4);
	assert_int_equal(w_meet(&m, &b), OK);
	assert_int_equal(w_initiate(&m, &b), OK);
	assert_int_equal(w_seal(&m, &b, SPAN("x"), &msg), OK);
	/* b has no list of m; and m's message is not a's. */
	assert_int_equal(w_open(&b, &m, msg, &o, NULL), ERR_NOT_FOUND);
	assert_int_equal(w_open(&b, &a, msg, &o, NULL), ERR_FORBIDDEN);
	assert_int_equal(w_meet(&b, &m), OK);
	assert_int_equal(w_open(&b, &m, msg, &o, NULL), OK);
	w_drop(&msg);
	w_dev_fini(&m);
}

static void
test_sessions_refuse_a_setup_ahead_of_the_clock(void **state)
{
	struct span m = { 0 };
	struct sessions_opened o;

	(void)state;
	a.c.now_ms += W_DAY_MS + 1000;
	assert_int_equal(w_initiate(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), ERR_EXPIRED);
	b.c.now_ms += 2000;
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	w_drop(&m);
}

/* The old session is receive-only once a certificate has changed. */
static void
test_sessions_begin_anew_after_renewal(void **state)
{
	struct span cert, list, late, m;
	struct sessions_opened o;
	struct sessions_reset due;
	bool clone;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "x");
	exchange(&b, &a, "y");
	assert_int_equal(w_seal(&a, &b, SPAN("late"), &late), OK);
	assert_int_equal(identity_renew_device(&b.c, &cert, &list), OK);
	w_drop(&b.cert);
	w_drop(&b.list);
	b.cert = w_keep(cert);
	b.list = w_keep(list);
	(void)w_end(&b, OK);
	assert_int_equal(w_prekeys(&b, 4), OK);
	assert_int_equal(w_meet(&a, &b), OK);
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), ERR_NO_SESSION);
	assert_int_equal(w_seal(&b, &a, SPAN("x"), &m), ERR_NO_SESSION);
	assert_int_equal(w_open(&b, &a, late, &o, NULL), OK);
	w_drop(&late);
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "anew");
	/* Both tell of it once on the old one; neither takes alarm. */
	assert_int_equal(w_end(&a, sessions_reset_due(&a.c, &b.addr, &due)),
	    OK);
	assert_true(due.due);
	assert_false(due.reset.receiver_initiated);
	assert_int_equal(sessions_seal_reset(&a.c, &b.addr, &due, SPAN("r"),
	    &m), OK);
	m = w_keep(m);
	(void)w_end(&a, OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	w_drop(&m);
	assert_int_equal(sessions_heard_reset(&b.c, &a.addr, &due.reset,
	    &clone), OK);
	assert_false(clone);
	assert_int_equal(w_end(&a, sessions_reset_due(&a.c, &b.addr, &due)),
	    OK);
	assert_false(due.due);
	assert_int_equal(w_end(&b, sessions_reset_due(&b.c, &a.addr, &due)),
	    OK);
	assert_true(due.due);
	assert_true(due.reset.receiver_initiated);
	assert_int_equal(sessions_heard_reset(&a.c, &b.addr, &due.reset,
	    &clone), OK);
	assert_false(clone);
	due.reset.sid[0] ^= 1;
	assert_int_equal(sessions_heard_reset(&a.c, &b.addr, &due.reset,
	    &clone), OK);
	assert_true(clone);
	/* Seven days later the old one is gone on both sides. */
	a.c.now_ms += 8 * W_DAY_MS;
	assert_int_equal(w_end(&a, sessions_tidy(&a.c)), OK);
	assert_int_equal(w_count(&a.st, RECORD_SESSION), 1);
}

/* A store put back: sessions only receive, and new ones are made. */
static void
test_sessions_are_stale_after_rollback(void **state)
{
	struct w_store old;
	struct span m, reply;
	struct sessions_opened o;
	uint64_t newest;

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "x");
	exchange(&b, &a, "y");
	w_store_copy(&old, &a.st);
	exchange(&a, &b, "lost by the rollback");
	newest = a.st.api.generation - 1;
	w_store_fini(&a.st);
	a.st = old;
	a.st.api.ctx = &a.st;
	assert_int_equal(identity_check_generation(&a.c, newest),
	    ERR_ROLLBACK);
	(void)w_end(&a, OK);
	a.st.api.generation = newest + 1;
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), ERR_NO_SESSION);
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "anew");
	exchange(&b, &a, "good");
	(void)o;
	(void)reply;
	assert_int_equal(w_end(&a, identity_check_generation(&a.c,
	    a.st.api.generation - 1)), OK);
}

static void
test_sessions_refuse_an_old_batch(void **state)
{
	static struct w_bundle old, next;
	struct span keep[4], header;

	(void)state;
	w_serve(&b, &old);
	header = w_keep(old.b.header);
	for (int i = 0; i < 2; i++) {
		keep[i] = w_keep(old.b.leaf[i]);
		old.b.leaf[i] = keep[i];
	}
	old.b.header = header;
	assert_int_equal(w_prekeys(&b, 4), OK);
	w_serve(&b, &next);
	assert_int_equal(w_end(&a, sessions_initiate(&a.c, &b.addr, &next.b)),
	    OK);
	assert_int_equal(w_end(&a, sessions_initiate(&a.c, &b.addr, &old.b)),
	    ERR_STALE);
	w_drop(&header);
	w_drop(&keep[0]);
	w_drop(&keep[1]);
}

static void
test_sessions_replace_one_unanswered_for_a_month(void **state)
{
	struct span m = { 0 };

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	exchange(&a, &b, "x");
	exchange(&b, &a, "y");
	exchange(&a, &b, "silence");
	a.c.now_ms += 29 * W_DAY_MS;
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), OK);
	w_drop(&m);
	a.c.now_ms += 2 * W_DAY_MS;
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), ERR_NO_SESSION);
}

static void
test_sessions_reinitiate_once_an_hour(void **state)
{
	bool may;

	(void)state;
	assert_int_equal(w_end(&a, sessions_may_reinitiate(&a.c, &b.addr,
	    &may)), OK);
	assert_true(may);
	assert_int_equal(w_end(&a, sessions_may_reinitiate(&a.c, &b.addr,
	    &may)), OK);
	assert_false(may);
	a.c.now_ms += SESSIONS_REINIT_MS;
	assert_int_equal(w_end(&a, sessions_may_reinitiate(&a.c, &b.addr,
	    &may)), OK);
	assert_true(may);
}

static void
test_sessions_stop_when_the_list_is_dead(void **state)
{
	struct span m = { 0 };

	(void)state;
	assert_int_equal(w_initiate(&a, &b), OK);
	a.c.now_ms += 91 * W_DAY_MS;
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), ERR_EXPIRED);
}

/* A full session set, its reset due, the greatest message: one arena does. */
static void
test_sessions_fit_the_arena(void **state)
{
	static uint8_t big[60000];
	struct span m = { 0 }, got = { 0 };
	struct sessions_opened o;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(w_initiate(&a, &b), OK);
		exchange(&a, &b, "x");
		exchange(&b, &a, "y");
	}
	assert_int_equal(w_seal(&a, &b, SPAN_OF(big), &m), OK);
	assert_int_equal(w_open(&b, &a, m, &o, &got), OK);
	assert_int_equal(got.n, sizeof(big));
	w_drop(&m);
	w_drop(&got);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sessions_talk),
		TEST(test_sessions_prekey_until_answered),
		TEST(test_sessions_refuse_replayed_setup),
		TEST(test_sessions_delete_the_one_time_pair),
		TEST(test_sessions_work_with_the_last_resort_key),
		TEST(test_sessions_refuse_a_prekey_that_is_gone),
		TEST(test_sessions_both_initiate),
		TEST(test_sessions_are_four_at_most),
		TEST(test_sessions_refuse_a_stranger),
		TEST(test_sessions_refuse_a_setup_ahead_of_the_clock),
		TEST(test_sessions_begin_anew_after_renewal),
		TEST(test_sessions_are_stale_after_rollback),
		TEST(test_sessions_refuse_an_old_batch),
		TEST(test_sessions_replace_one_unanswered_for_a_month),
		TEST(test_sessions_reinitiate_once_an_hour),
		TEST(test_sessions_stop_when_the_list_is_dead),
		TEST(test_sessions_fit_the_arena),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	w_teardown();
	return failed;
}
