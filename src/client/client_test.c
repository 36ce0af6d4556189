/*
 * client_test.c: clients against a server and a network in memory (test_world.h).
 * The laws: an acknowledged message is shown exactly once, in the order of the
 * chat; none is undecryptable; what was tampered with is refused and named,
 * and the session goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/test_world.h"

static void
send_text(struct fake *f, int from, int to, const char *text)
{
	struct client_input in = { .type = CLIENT_SEND, .cmd = 7 };

	in.u.send.to.user = f->node[to].user;
	in.u.send.text = span_str(text);
	fake_step(f, from, &in);
}

static struct fake *
ready(uint64_t seed)
{
	struct fake *f = fake_new(seed);
	int i;

	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, i);
	fake_run(f, 5000);
	for (i = 0; i < FAKE_NODES; i++) {
		assert_int_equal(f->node[i].ready, 1);
		assert_int_equal(f->node[i].leaves_n, FAKE_LEAVES);
		assert_true(f->node[i].bound);
	}
	return f;
}

static void
test_client_sets_up_though_answers_are_lost(void **state)
{
	struct fake *f = fake_new(3);
	unsigned i;

	(void)state;
	f->lose_answer = 60;
	f->crash = 20;
	for (i = 0; i < FAKE_NODES; i++)
		fake_sign_in(f, (int)i);
	for (i = 0; i < FAKE_NODES; i++)
		if (f->node[i].crashes != 0) {
			fake_run(f, 3000);
			fake_sign_in(f, (int)i);
		}
	fake_run(f, 30 * 60 * 1000);
	f->lose_answer = f->crash = 0;
	fake_run(f, 5 * 60 * 1000);
	for (i = 0; i < FAKE_NODES; i++) {
		assert_true(f->node[i].ready != 0);
		assert_int_equal(f->node[i].device, 1);
		assert_int_equal(f->node[i].leaves_n, FAKE_LEAVES);
	}
	send_text(f, 0, 1, "hello");
	fake_run(f, 60000);
	assert_int_equal(f->msgs, 1);
	fake_close(f);
}

/* History of the chat between a and b at a. Texts in order, each once. */
struct seen {
	unsigned texts, refused, gaps, waiting, failed;
	char *text[FAKE_MESSAGES];
	uint64_t last_order;
	uint32_t flags;			/* of the last */
};

static struct seen *
look(struct fake *f, int a, int b)
{
	struct seen *v = fake_alloc(sizeof(*v));
	struct client_place at = { .set = false };
	struct client_person p;
	struct client_item it;
	struct arena ar;
	uint8_t *mem = fake_alloc(8u << 20);

	arena_init(&ar, mem, 8u << 20);
	assert_int_equal(client_person(&f->node[a].c, &ar, &f->node[b].user,
	    &p), OK);
	for (;;) {
		arena_init(&ar, mem, 8u << 20);
		if (client_history_next(&f->node[a].c, &ar, &p.chat, false,
		    &at, &it) != OK)
			break;
		assert_true(it.order > v->last_order || it.sub == 1);
		v->last_order = it.order;
		if (it.kind == ITEM_REFUSED)
			v->refused++;
		if (it.kind == ITEM_GAP && it.gap_n != 0)
			v->gaps++;
		if (it.state == STATE_WAITING)
			v->waiting++;
		if (it.state == STATE_FAILED)
			v->failed++;
		if (it.kind != ITEM_TEXT)
			continue;
		v->flags = it.flags;
		v->text[v->texts++] = fake_text(it.text);
	}
	fake_drop(mem);
	return v;
}

/* What came from b was shown at a in the order of the chat: the journal has
 * each message at its last change, which for these is its first showing. */
static void
check_order(struct fake *f, int a, int b)
{
	struct client_show show;
	struct arena ar;
	uint8_t *mem = fake_alloc(1u << 20);
	uint64_t seq = 0, position = 0;

	for (;;) {
		arena_init(&ar, mem, 1u << 20);
		if (client_journal_next(&f->node[a].c, &ar, &seq, &show) !=
		    OK)
			break;
		if (show.type != SHOW_MESSAGE || show.u.item.kind !=
		    ITEM_TEXT || !ID_EQ(show.u.item.sender, f->node[b].user))
			continue;
		assert_true(show.u.item.position > position);
		position = show.u.item.position;
	}
	fake_drop(mem);
}

/* Both sides have the same chat, and exactly n messages in it. */
static void
check_same(struct fake *f, int a, int b, unsigned n)
{
	struct seen *x = look(f, a, b), *y = look(f, b, a);
	unsigned i, last[2] = { 0, 0 };

	check_order(f, a, b);
	check_order(f, b, a);
	assert_int_equal(x->waiting + y->waiting, 0);
	assert_int_equal(x->failed + y->failed, 0);
	assert_int_equal(x->refused, 0);
	assert_int_equal(y->refused, 0);
	assert_int_equal(x->gaps + y->gaps, 0);
	assert_int_equal(x->texts, n);
	assert_int_equal(y->texts, n);
	for (i = 0; i < n; i++) {
		unsigned who, number;

		assert_string_equal(x->text[i], y->text[i]);
		/* "a 17": each sender's own numbers rise by one */
		who = x->text[i][0] == 'a' + a ? 0 : 1;
		number = (unsigned)strtoul(x->text[i] + 2, NULL, 10);
		assert_int_equal(number, last[who] + 1);
		last[who] = number;
	}
}

static void
say(struct fake *f, int from, int to, unsigned *number)
{
	char text[32];

	if (!f->node[from].alive)
		return;
	snprintf(text, sizeof(text), "%c %u", 'a' + from, ++*number);
	send_text(f, from, to, text);
	/* A crash in this very step may have lost the command. */
	if (!f->node[from].alive)
		return;
}

static void
test_client_sets_up_and_exchanges_messages(void **state)
{
	struct fake *f = ready(1);
	unsigned na = 0, nb = 0, i;

	(void)state;
	for (i = 0; i < 20; i++) {
		say(f, 0, 1, &na);
		fake_run(f, 300);
		say(f, 1, 0, &nb);
		fake_run(f, 300);
	}
	fake_run(f, 3000);
	check_same(f, 0, 1, 40);
	fake_close(f);
}

/*
 * The first message of a new chat is shown as soon as its keys are there, and
 * before the answer: its chain begins with the making of the chat.
 */
static void
test_client_shows_the_first_message_of_a_chat_at_once(void **state)
{
	struct fake *f = ready(4);
	unsigned na = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 150);
	assert_int_equal(look(f, 1, 0)->texts, 1);
	assert_int_equal(look(f, 0, 1)->waiting, 0);
	fake_close(f);
}

/* The same for one who was away when it was made. */
static void
test_client_shows_at_once_what_a_new_chat_had_while_it_was_away(void **state)
{
	struct fake *f = ready(6);
	unsigned na = 0;

	(void)state;
	fake_cut(f, 1);
	f->node[1].alive = false;
	say(f, 0, 1, &na);
	fake_run(f, 1000);
	say(f, 0, 1, &na);
	fake_run(f, 1000);
	fake_start(f, 1);
	fake_run(f, 150);
	assert_int_equal(look(f, 1, 0)->texts, 2);
	fake_close(f);
}

/* A command that catches up and ends: no delay for the sake of others. */
static void
test_client_catches_up_at_once_when_asked_to(void **state)
{
	struct fake *f = ready(5);
	unsigned na = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	fake_cut(f, 1);
	f->node[1].alive = false;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	f->node[1].options = CLIENT_LISTEN | CLIENT_CATCH_UP;
	f->node[1].caught_up = false;
	f->silent = true;	/* as where no socket is: nothing is sent */
	fake_start(f, 1);
	fake_run(f, 60);
	assert_true(f->node[1].caught_up);
	assert_int_equal(look(f, 1, 0)->texts, 2);
	fake_close(f);
}

static void
test_client_sends_in_order_what_was_written_at_once(void **state)
{
	struct fake *f = ready(2);
	unsigned na = 0, nb = 0, i;

	(void)state;
	for (i = 0; i < 50; i++) {
		say(f, 0, 1, &na);
		say(f, 1, 0, &nb);
	}
	fake_run(f, 20000);
	check_same(f, 0, 1, 100);
	fake_close(f);
}

/* How many of the numbers of one sender were committed to its outbox. */
static void
storm(uint64_t seed, unsigned rounds)
{
	struct fake *f = ready(seed);
	unsigned n[FAKE_NODES][FAKE_NODES] = { { 0 } }, i, crashes = 0;
	int a, b;

	f->drop = 15;
	f->dup = 15;
	f->reorder = 30;
	f->cut = 10;
	f->lose_answer = 5;
	for (i = 0; i < rounds; i++) {
		a = (int)fake_rnd(f, FAKE_NODES);
		b = (int)fake_rnd(f, FAKE_NODES);
		if (a != b)
			say(f, a, b, &n[a][b]);
		/* Dies between effects of anything but the user's command. */
		f->crash = 4;
		fake_run(f, fake_rnd(f, 120));
		f->crash = 0;
	}
	f->drop = f->dup = f->cut = f->lose_answer = 0;
	fake_run(f, 20 * 60 * 1000);
	for (a = 0; a < FAKE_NODES; a++)
		crashes += f->node[a].crashes;
	assert_true(crashes > rounds / 100);
	for (a = 0; a < FAKE_NODES; a++)
		for (b = a + 1; b < FAKE_NODES; b++)
			check_same(f, a, b, n[a][b] + n[b][a]);
	print_message("# seed %u: %zu messages stored, %u crashes\n",
	    (unsigned)seed, f->msgs, crashes);
	fake_close(f);
}

static void
test_client_shows_each_message_once_through_loss_and_crashes(void **state)
{
	(void)state;
	storm(11, 3000);
	storm(12, 3000);
	storm(13, 3000);
}

/* Flips a bit in the ciphertext of the third message that b gets. */
static struct message_id victim;
static unsigned count;

static void
tamper_content(struct fake *f, struct message_rec *m, int to)
{
	static char copy[200000];

	if (to != 1 || m->message_type == MSG_TYPE_EVENT)
		return;
	if (ID_IS_ZERO(victim) && ++count == 3)
		victim = m->message_id;
	if (!ID_EQ(victim, m->message_id))
		return;
	(void)f;
	memcpy(copy, m->encrypted_content.p, m->encrypted_content.n);
	copy[60] = copy[60] == 'A' ? 'B' : 'A';
	m->encrypted_content.p = (const uint8_t *)copy;
}

static void
tamper_key(struct fake *f, struct message_rec *m, int to)
{
	static char copy[8192];
	static struct shape_pair pair;

	if (to != 1 || m->message_type == MSG_TYPE_EVENT)
		return;
	if (ID_IS_ZERO(victim) && ++count == 3)
		victim = m->message_id;
	if (!ID_EQ(victim, m->message_id) || m->encrypted_keys.n == 0)
		return;
	(void)f;
	pair = m->encrypted_keys.p[0];
	memcpy(copy, pair.value.p, pair.value.n);
	/* the last byte before the padding: within the tag */
	copy[pair.value.n - 6] = copy[pair.value.n - 6] == 'A' ? 'B' : 'A';
	pair.value.p = (const uint8_t *)copy;
	m->encrypted_keys.p = &pair;
}

static void
tampered(void (*tamper)(struct fake *, struct message_rec *, int))
{
	struct fake *f = ready(21);
	struct seen *v;
	unsigned na = 0, nb = 0, i;

	victim = (struct message_id){ .b = { 0 } };
	count = 0;
	f->tamper = tamper;
	for (i = 0; i < 6; i++) {
		say(f, 0, 1, &na);
		fake_run(f, 500);
		say(f, 1, 0, &nb);
		fake_run(f, 500);
	}
	fake_run(f, 10000);
	assert_false(ID_IS_ZERO(victim));
	/* named, then asked for again and shown in its place */
	assert_int_equal(f->node[1].refused, 1);
	assert_int_equal(f->node[1].repaired, 1);
	v = look(f, 1, 0);
	assert_int_equal(v->texts, 12);
	assert_int_equal(v->refused, 0);
	assert_string_equal(v->text[4], "a 3");
	fake_close(f);
}

static void
test_client_refuses_tampered_content_and_goes_on(void **state)
{
	(void)state;
	tampered(tamper_content);
}

static void
test_client_refuses_tampered_key_and_goes_on(void **state)
{
	(void)state;
	tampered(tamper_key);
}

static void
test_client_renews_an_expired_token_once(void **state)
{
	struct fake *f = ready(31);
	unsigned na = 0, before;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 2000);
	before = f->node[0].tokens;
	fake_new_token(f, 0);	/* the one it has is of no use any more */
	fake_cut(f, 0);
	fake_run(f, 6 * 60 * 1000);
	say(f, 0, 2, &na);
	fake_run(f, 60000);
	assert_int_equal(f->node[0].tokens, before + 2);
	assert_int_equal(look(f, 2, 0)->texts, 1);
	fake_close(f);
}

static void
test_client_says_keys_missing_on_a_second_profile(void **state)
{
	struct fake *f = ready(41);
	struct client_status st;
	struct client_input in = { .type = CLIENT_START_OVER, .cmd = 9 };
	struct arena a;
	unsigned na = 0, nb = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 2000);
	/* The disk of b is gone; the account is not. */
	while (f->node[1].store.n != 0) {
		struct fake_record r = f->node[1].store.r[0];

		fake_put(&f->node[1].store, r.kind, true, r.key, r.value);
	}
	fake_start(f, 1);
	fake_sign_in(f, 1);
	fake_run(f, 2000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[1].c, &a, &st), OK);
	assert_true(st.keys_missing);
	assert_false(st.ready);
	in.u.password = SPAN("Secret-1!");
	fake_step(f, 1, &in);
	fake_run(f, 5000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[1].c, &a, &st), OK);
	assert_true(st.ready);
	assert_int_equal(st.device, 2);
	assert_int_equal(st.list_version, 2);
	/* a learns of the new identity by the refusal, and goes on. */
	say(f, 0, 1, &na);
	fake_run(f, 20000);
	say(f, 1, 0, &nb);
	fake_run(f, 5000);
	assert_int_equal(look(f, 1, 0)->texts, 2);
	assert_int_equal(look(f, 0, 1)->texts, 3);
	fake_close(f);
}

static void
test_client_waits_for_the_user_when_a_verified_identity_changes(void **state)
{
	struct fake *f = ready(51);
	struct client_input in = { .type = CLIENT_VERIFY, .cmd = 3 };
	char number[2][CLIENT_SAFETY_LEN + 1];
	struct client_person p;
	struct arena a;
	unsigned na = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_safety(&f->node[0].c, &a, &f->node[1].user,
	    number[0]), OK);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_safety(&f->node[1].c, &a, &f->node[0].user,
	    number[1]), OK);
	assert_string_equal(number[0], number[1]);
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
	say(f, 0, 1, &na);
	fake_run(f, 20000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_person(&f->node[0].c, &a, &f->node[1].user,
	    &p), OK);
	assert_true(p.identity_changed);
	assert_true(p.blocked);
	assert_int_equal(look(f, 0, 1)->waiting, 1);
	in = (struct client_input){ .type = CLIENT_ACCEPT, .cmd = 4 };
	in.u.user = f->node[1].user;
	fake_step(f, 0, &in);
	fake_run(f, 20000);
	assert_int_equal(look(f, 0, 1)->waiting, 0);
	assert_int_equal(look(f, 1, 0)->texts, 1);
	fake_close(f);
}

/* A list expires unless it is signed anew; prekeys are to be fresh. */
static void
test_client_signs_its_list_weekly_and_makes_new_prekeys(void **state)
{
	struct fake *f = ready(81);
	struct client_status st;
	struct span list, header;
	struct arena a;
	unsigned na = 0, nb = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	list = fake_dup(f->node[0].list);
	header = fake_dup(f->node[0].header);
	fake_run(f, 8ull * 24 * 3600 * 1000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[0].c, &a, &st), OK);
	assert_int_equal(st.list_version, 2);
	assert_false(span_eq(list, f->node[0].list));
	fake_run(f, 30ull * 24 * 3600 * 1000);
	assert_false(span_eq(header, f->node[0].header));
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[0].c, &a, &st), OK);
	assert_true(st.list_expires_ms > f->now + 30ull * 24 * 3600 * 1000);
	say(f, 1, 0, &nb);
	say(f, 0, 1, &na);
	fake_run(f, 20000);
	check_same(f, 0, 1, 3);
	fake_close(f);
}

/* Everything of node i as it is now, to be put back later. */
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

/*
 * A restored copy: its sessions would use message keys twice. New device keys
 * under the same device, and the others go on with them.
 */
static void
test_client_renews_its_keys_after_a_rollback(void **state)
{
	struct fake *f = ready(82);
	struct client_host host;
	struct client_input in = { .type = CLIENT_START };
	struct client_status before, after;
	struct fake_store old;
	struct span cert;
	struct arena a;
	unsigned na = 0, nb = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	old = copy_store(&f->node[0].store);
	cert = fake_dup(f->node[0].cert);
	say(f, 0, 1, &na);
	say(f, 1, 0, &nb);
	fake_run(f, 3000);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[0].c, &a, &before), OK);
	fake_cut(f, 0);
	f->node[0].life++;
	free(f->node[0].store.r);
	f->node[0].store = old;
	host = (struct client_host){ &f->node[0].store, fake_load,
	    fake_seek };
	client_init(&f->node[0].c, &f->pv, &host, CLIENT_LISTEN);
	in.u.start.generation = before.generation;
	fake_step(f, 0, &in);
	fake_run(f, 20000);
	assert_int_equal(f->node[0].warnings, 1);
	assert_false(span_eq(cert, f->node[0].cert));
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_status(&f->node[0].c, &a, &after), OK);
	assert_true(after.generation > before.generation);
	assert_int_equal(after.list_version, 2);
	assert_int_equal(after.device, 1);
	say(f, 0, 1, &na);
	fake_run(f, 20000);
	say(f, 1, 0, &nb);
	fake_run(f, 20000);
	/* What was sent after the copy is known to the other side only. */
	assert_int_equal(look(f, 1, 0)->texts, 5);
	assert_int_equal(look(f, 0, 1)->waiting, 0);
	assert_int_equal(look(f, 1, 0)->refused, 0);
	fake_close(f);
}

/* The list that a copy of a profile would publish now. */
static struct span
list_of_copy(struct fake *f, struct fake_store *store)
{
	struct client_host host = { store, fake_load, fake_seek };
	struct client_input in = { .type = CLIENT_START, .now_ms = f->now };
	struct client_effects out;
	struct client_effect *e;
	struct device_list_put_req req;
	struct span body = SPAN("");
	struct arena a;
	struct client c;

	client_init(&c, &f->pv, &host, CLIENT_LISTEN);
	arena_init(&a, f->mem, 4u << 20);
	assert_int_equal(client_step(&c, &a, &in, &out), OK);
	for (e = out.first; e != NULL; e = e->next)
		if (e->type == CLIENT_REQUEST && span_eq(e->u.request.path,
		    SPAN("/api/users/me/device-list")))
			body = e->u.request.body;
	assert_int_equal(shape_decode(&shape_device_list_put_req, body, &a,
	    &req, NULL), OK);
	return fake_dup(req.list);
}

static void
check_devices(struct fake *f, int i, int of)
{
	struct client_input in = { .type = CLIENT_CHECK, .cmd = 11 };

	in.u.user = f->node[of].user;
	fake_step(f, i, &in);
	fake_run(f, 5000);
}

/* Warnings of this kind in the journal of node i. */
static unsigned
warnings(struct fake *f, int i, enum client_warning_kind kind)
{
	uint8_t *mem = fake_alloc(1u << 20);
	struct client_show show;
	struct arena a;
	uint64_t seq = 0;
	unsigned n = 0;

	for (;;) {
		arena_init(&a, mem, 1u << 20);
		if (client_journal_next(&f->node[i].c, &a, &seq, &show) != OK)
			break;
		n += show.type == SHOW_WARNING && show.u.warning.kind == kind;
	}
	fake_drop(mem);
	return n;
}

/*
 * The server shows two people two lists of one version: who sees both says
 * so, and tells the account that the lists are of.
 */
static void
test_client_tells_of_two_lists_of_one_version(void **state)
{
	struct fake *f = ready(83);
	struct fake_store copy;
	struct span other;
	unsigned na = 0, nb = 0;

	(void)state;
	say(f, 0, 1, &na);
	say(f, 1, 0, &nb);
	fake_run(f, 3000);
	copy = copy_store(&f->node[0].store);
	fake_run(f, 8ull * 24 * 3600 * 1000);
	check_devices(f, 1, 0);
	other = list_of_copy(f, &copy);
	assert_false(span_eq(other, f->node[0].list));
	f->node[0].list = other;
	assert_int_equal(warnings(f, 1, WARN_VIEW_CONFLICT), 0);
	check_devices(f, 1, 0);
	fake_run(f, 20000);
	assert_int_equal(warnings(f, 1, WARN_VIEW_CONFLICT), 1);
	assert_int_equal(warnings(f, 0, WARN_VIEW_CONFLICT), 1);
	free(copy.r);
	fake_close(f);
}

/* An older list than is known: once may be a cache, twice is said. */
static void
test_client_tells_of_a_list_that_is_older_than_known(void **state)
{
	struct fake *f = ready(84);
	struct span old;
	unsigned na = 0;

	(void)state;
	say(f, 0, 1, &na);
	fake_run(f, 3000);
	old = fake_dup(f->node[0].list);
	fake_run(f, 8ull * 24 * 3600 * 1000);
	check_devices(f, 1, 0);
	f->node[0].list = old;
	check_devices(f, 1, 0);
	assert_int_equal(warnings(f, 1, WARN_STALE_LIST), 0);
	check_devices(f, 1, 0);
	assert_int_equal(warnings(f, 1, WARN_STALE_LIST), 1);
	fake_close(f);
}

static void
test_client_refuses_bad_text(void **state)
{
	struct fake *f = ready(61);

	(void)state;
	send_text(f, 0, 1, "");
	send_text(f, 0, 1, "\xff\xfe");
	assert_int_equal(f->node[0].errors, 2);
	fake_close(f);
}

static void
test_client_tells_of_a_send_to_nobody(void **state)
{
	struct fake *f = ready(71);
	struct client_input in = { .type = CLIENT_SEND, .cmd = 5 };

	(void)state;
	in.u.send.to.chat = (struct chat_id){ .b = { 1 } };
	in.u.send.text = SPAN("hello");
	fake_step(f, 0, &in);
	assert_int_equal(f->node[0].errors, 1);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_sets_up_and_exchanges_messages),
		cmocka_unit_test(test_client_sets_up_though_answers_are_lost),
		cmocka_unit_test(
		    test_client_shows_the_first_message_of_a_chat_at_once),
		cmocka_unit_test(
		    test_client_shows_at_once_what_a_new_chat_had_while_it_was_away),
		cmocka_unit_test(
		    test_client_catches_up_at_once_when_asked_to),
		cmocka_unit_test(
		    test_client_sends_in_order_what_was_written_at_once),
		cmocka_unit_test(
		    test_client_refuses_tampered_content_and_goes_on),
		cmocka_unit_test(
		    test_client_refuses_tampered_key_and_goes_on),
		cmocka_unit_test(test_client_renews_an_expired_token_once),
		cmocka_unit_test(
		    test_client_says_keys_missing_on_a_second_profile),
		cmocka_unit_test(
		    test_client_waits_for_the_user_when_a_verified_identity_changes),
		cmocka_unit_test(
		    test_client_signs_its_list_weekly_and_makes_new_prekeys),
		cmocka_unit_test(test_client_renews_its_keys_after_a_rollback),
		cmocka_unit_test(test_client_tells_of_two_lists_of_one_version),
		cmocka_unit_test(
		    test_client_tells_of_a_list_that_is_older_than_known),
		cmocka_unit_test(test_client_refuses_bad_text),
		cmocka_unit_test(test_client_tells_of_a_send_to_nobody),
		cmocka_unit_test(
		    test_client_shows_each_message_once_through_loss_and_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
