/*
 * outbox_test.c: what comes between a message and its place at the server, and
 * what is repaired by itself: devices that change in the middle, a clock that
 * is a day wrong, sessions that are broken, a profile that is older than it
 * was. docs/protocol.md, "How it travels", "Retries", "Replay, order, clones".
 */
#include "client/test_chat.h"

#define DAY_MS (24 * HOUR_MS)

/* ---- devices ---- */

/* Looked at anew and sealed again, up to three times, for one ciphertext. */
static void
test_outbox_seals_again_when_devices_changed(void **state)
{
	struct fake *f = ready(101);

	(void)state;
	send_text(f, 0, 1, "one");
	f->refuse_devices = 3;
	send_text(f, 0, 1, "two");
	fake_run(f, 20000);
	assert_int_equal(f->refuse_devices, 0);
	check_text(f, 1, 0, 1, "two");
	assert_int_equal(get(f, 0, 1, 1).state, STATE_SENT);
	f->refuse_devices = 3;
	edit(f, 0, ref(f, 0, 1, 1), "two and a half");
	fake_run(f, 20000);
	assert_int_equal(f->refuse_devices, 0);
	check_text(f, 1, 0, 1, "two and a half");
	assert_int_equal(causes(f, 1, "refused_auth_failed"), 0);
	check_end(f, 1, 0, 2);
	fake_close(f);
}

/* The fourth time it is given up: said, counted, and nothing waits for it. */
static void
test_outbox_gives_up_when_devices_never_stop_changing(void **state)
{
	struct fake *f = ready(102);
	struct client_item it;

	(void)state;
	send_text(f, 0, 1, "one");
	f->refuse_devices = 4;
	send_text(f, 0, 1, "two");
	fake_run(f, 60000);
	it = get(f, 0, 1, 1);
	assert_int_equal(it.state, STATE_FAILED);
	assert_int_equal(it.cause, ERR_DEVICES_CHANGED);
	assert_int_equal(f->node[0].error, ERR_DEVICES_CHANGED);
	assert_int_equal(causes(f, 0, "unsent_devices_changed"), 1);
	send_text(f, 0, 1, "three");
	check_text(f, 1, 0, 1, "three");
	/* An edit: what was there before stays, and may be edited again. */
	f->refuse_devices = 4;
	edit(f, 0, ref(f, 0, 1, 0), "uno");
	fake_run(f, 60000);
	assert_int_equal(f->node[0].error, ERR_DEVICES_CHANGED);
	check_text(f, 0, 1, 0, "one");
	assert_int_equal(get(f, 0, 1, 0).flags & ITEM_CHANGING, 0);
	edit(f, 0, ref(f, 0, 1, 0), "eins");
	check_text(f, 0, 1, 0, "eins");
	check_text(f, 1, 0, 0, "eins");
	fake_close(f);
}

/* ---- clocks ---- */

/* Both write, and each sees the other's; nothing is refused or missing. */
static void
exchange(struct fake *f, const char *from_0, const char *from_1)
{
	send_text(f, 0, 1, from_0);
	fake_run(f, 30000);
	send_text(f, 1, 0, from_1);
	fake_run(f, 30000);
}

static void
wrong_clock(uint64_t seed, int64_t skew_ms)
{
	struct fake *f = fake_new(seed);
	int i;

	f->node[0].skew_ms = skew_ms;
	f->replay_ms = 5 * 60 * 1000;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 60000);
	exchange(f, "a", "b");
	/* Put right, as a machine does that finds the time. */
	f->node[0].skew_ms = 0;
	stop(f, 0);
	start(f, 0);
	exchange(f, "c", "d");
	/* And wrong again, the other way round. */
	f->node[0].skew_ms = -skew_ms;
	stop(f, 0);
	start(f, 0);
	exchange(f, "e", "f");
	for (i = 0; i < 2; i++) {
		check_text(f, i, 1 - i, 0, "a");
		check_text(f, i, 1 - i, 1, "b");
		check_text(f, i, 1 - i, 2, "c");
		check_text(f, i, 1 - i, 3, "d");
		check_text(f, i, 1 - i, 4, "e");
		check_text(f, i, 1 - i, 5, "f");
		check_end(f, i, 1 - i, 6);
		assert_int_equal(f->node[i].refused, 0);
	}
	fake_close(f);
}

static void
test_outbox_goes_on_with_a_clock_a_day_ahead(void **state)
{
	(void)state;
	wrong_clock(103, (int64_t)DAY_MS);
}

static void
test_outbox_goes_on_with_a_clock_a_day_behind(void **state)
{
	(void)state;
	wrong_clock(104, -(int64_t)DAY_MS);
}

/* ---- repair ---- */

/* The entry of the next message to node 1 does not open. */
static unsigned tampered;

static void
break_next(struct fake *f, struct message_rec *m, int to)
{
	static uint8_t bad[32768];
	static struct shape_pair pair;
	static struct message_id victim;
	struct span v;

	(void)f;
	if (to != 1 || m->encrypted_keys.n != 1 ||
	    (m->message_type == MSG_TYPE_EVENT && !m->has_metadata))
		return;
	if (tampered == 0)
		victim = m->message_id;
	if (!ID_EQ(victim, m->message_id))
		return;
	tampered++;
	pair = m->encrypted_keys.p[0];
	v = pair.value;
	assert_true(v.n > 100 && v.n <= sizeof(bad));
	memcpy(bad, v.p, v.n);
	bad[v.n - 8] = bad[v.n - 8] == 'A' ? 'B' : 'A';
	pair.value = span_of(bad, v.n);
	m->encrypted_keys.p = &pair;
}

/* What follows is broken on its way, and comes by a second sending. */
static void
begin_break(struct fake *f)
{
	tampered = 0;
	f->tamper = break_next;
}

static void
end_break(struct fake *f, unsigned n)
{
	struct client_item it;
	unsigned i;

	fake_run(f, 30000);
	assert_true(tampered > 0);
	assert_int_equal(causes(f, 1, "repaired"), n);
	for (i = 0; entry(f, 1, 0, i, &it) == OK; i++) {
		assert_int_not_equal(it.kind, ITEM_REFUSED);
		assert_true(it.kind != ITEM_GAP || it.gap_n == 0);
	}
	f->tamper = NULL;
}

static void
pin(struct fake *f, int i, struct client_ref of)
{
	struct client_input in = { .type = CLIENT_PIN };

	in.u.pin.ref = of;
	in.u.pin.on = true;
	go(f, i, &in);
}

/* Every kind that all devices have to have is repaired, not texts alone. */
static void
test_outbox_sends_every_kind_again(void **state)
{
	struct fake *f = ready(105);
	struct client_ref one;

	(void)state;
	send_text(f, 0, 1, "one");
	send_text(f, 1, 0, "two");
	one = ref(f, 0, 1, 0);
	begin_break(f);
	send_text(f, 0, 1, "three");
	end_break(f, 1);
	check_text(f, 1, 0, 2, "three");
	begin_break(f);
	react(f, 0, one, "x");
	end_break(f, 2);
	assert_int_equal(reactions(f, 1, one, "x"), 1);
	begin_break(f);
	pin(f, 0, one);
	end_break(f, 3);
	assert_true(get(f, 1, 0, 0).flags & ITEM_PINNED);
	begin_break(f);
	set_timer(f, 0, 1, 3600);
	end_break(f, 4);
	send_text(f, 1, 0, "under the timer");
	assert_int_equal(get(f, 0, 1, 4).expire_s, 3600);
	begin_break(f);
	edit(f, 0, one, "one again");
	end_break(f, 5);
	check_text(f, 1, 0, 0, "one again");
	begin_break(f);
	erase(f, 0, one, true);
	end_break(f, 6);
	assert_int_equal(get(f, 1, 0, 0).kind, ITEM_DELETED);
	fake_close(f);
}

/* ---- an older copy ---- */

static struct fake_store
copy_store(const struct fake_store *from)
{
	struct fake_store to = { .r = NULL };
	size_t i;

	for (i = 0; i < from->n; i++)
		fake_put(&to, from->r[i].kind, false, from->r[i].key,
		    from->r[i].value);
	return to;
}

/* What this device sent after the copy was made can not be read here, and the
 * history says so: that it was, where it stood, and why. */
static void
test_outbox_shows_what_an_older_copy_never_had(void **state)
{
	struct fake *f = ready(106);
	struct client_input in = { .type = CLIENT_START };
	struct client_host host = { &f->node[0].store, fake_load,
	    fake_seek };
	struct client_status st;
	struct fake_store old;
	struct client_item it;
	struct arena a;

	(void)state;
	send_text(f, 0, 1, "one");
	old = copy_store(&f->node[0].store);
	send_text(f, 0, 1, "two");
	send_text(f, 1, 0, "three");
	a = arena();
	assert_int_equal(client_status(&f->node[0].c, &a, &st), OK);
	stop(f, 0);
	free(f->node[0].store.r);
	f->node[0].store = old;
	client_init(&f->node[0].c, &f->pv, &host, CLIENT_LISTEN);
	f->node[0].alive = true;
	in.u.start.generation = st.generation;
	fake_step(f, 0, &in);
	fake_run(f, 30000);
	it = get(f, 0, 1, 1);
	assert_int_equal(it.kind, ITEM_REFUSED);
	assert_int_equal(it.cause, ERR_ROLLBACK);
	assert_int_equal(it.state, STATE_SENT);
	assert_true(ID_EQ(it.sender, f->node[0].user));
	assert_int_equal(causes(f, 0, "refused_rollback"), 1);
	send_text(f, 0, 1, "four");
	fake_run(f, 20000);
	check_text(f, 1, 0, 3, "four");
	fake_close(f);
}

/* ---- the index ---- */

static size_t
found(struct fake *f, int i, const char *words)
{
	struct client_search q = { .words = span_str(words) };
	struct client_search_at at = { .set = false };
	struct client_item it[8];
	struct arena a;
	size_t n, all = 0;

	while (!at.end) {
		a = arena();
		assert_int_equal(client_search_next(&f->node[i].c, &a, &q,
		    &at, it, 8, &n), OK);
		all += n;
	}
	return all;
}

/* What is gone from the history is not found any more, on both sides. */
static void
test_outbox_lets_nothing_that_is_gone_be_found(void **state)
{
	struct fake *f = ready(107);

	(void)state;
	send_text(f, 0, 1, "the heron stays");
	send_text(f, 0, 1, "a heron for both");
	send_text(f, 0, 1, "a heron for me");
	send_with(f, 0, 1, "a heron for a while", NULL, 60);
	assert_int_equal(found(f, 0, "heron"), 4);
	assert_int_equal(found(f, 1, "heron"), 4);
	erase(f, 0, ref(f, 0, 1, 1), true);
	assert_int_equal(found(f, 0, "heron both"), 0);
	assert_int_equal(found(f, 1, "heron both"), 0);
	erase(f, 1, ref(f, 1, 0, 2), false);
	assert_int_equal(found(f, 1, "heron me"), 0);
	assert_int_equal(found(f, 0, "heron me"), 1);
	edit(f, 0, ref(f, 0, 1, 0), "the crane stays");
	assert_int_equal(found(f, 1, "heron stays"), 0);
	assert_int_equal(found(f, 1, "crane"), 1);
	read_all(f, 1, 0);
	fake_run(f, 2 * 60 * 1000);
	assert_int_equal(found(f, 0, "heron while"), 0);
	assert_int_equal(found(f, 1, "heron while"), 0);
	assert_false(holds(f, 0, "heron for both"));
	assert_false(holds(f, 1, "heron for both"));
	assert_false(holds(f, 1, "heron for a while"));
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outbox_seals_again_when_devices_changed),
		cmocka_unit_test(
		    test_outbox_gives_up_when_devices_never_stop_changing),
		cmocka_unit_test(test_outbox_goes_on_with_a_clock_a_day_ahead),
		cmocka_unit_test(test_outbox_goes_on_with_a_clock_a_day_behind),
		cmocka_unit_test(test_outbox_sends_every_kind_again),
		cmocka_unit_test(
		    test_outbox_shows_what_an_older_copy_never_had),
		cmocka_unit_test(
		    test_outbox_lets_nothing_that_is_gone_be_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
