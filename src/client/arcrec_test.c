/*
 * arcrec_test.c: docs/protocol.md, What an archive holds: what one profile
 * sends is what another one shows, marked as such; nothing twice; nothing that
 * is malformed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/arcout.h"
#include "client/react.h"
#include "client/test_world.h"

struct side {
	struct fake_store store;
	struct client c;
	struct arena a;
	struct step s;
};

static const struct user_id me = { { 1 } }, other = { { 2 } };
static const struct chat_id chat = { { 3 } };

static void
side_open(struct side *x, const struct fake *f)
{
	struct client_host host = { &x->store, fake_load, fake_seek };

	client_init(&x->c, &f->pv, &host, CLIENT_LISTEN);
	arena_init_growing(&x->a, NULL, 0, CLIENT_STEP_BYTES, fake_grow);
	assert_int_equal(step_init(&x->s, &x->c, &x->a, f->now, true), OK);
	x->s.m.user = me;
}

static void
side_commit(struct side *x)
{
	struct client_effects out;
	struct client_effect *e;

	assert_int_equal(step_end(&x->s, &out), OK);
	for (e = out.first; e != NULL; e = e->next)
		if (e->type == CLIENT_STORE)
			fake_put(&x->store, e->u.store.kind, e->u.store.del,
			    e->u.store.key, e->u.store.value);
	step_fini(&x->s);
	arena_fini(&x->a);
	free(x->store.r);
	x->store.r = NULL;
	x->store.n = x->store.cap = 0;
}

static struct client_item
item(unsigned i, const struct user_id *sender, const char *text)
{
	struct client_item it = { .chat = chat, .order = 100 + i, .sub = 1,
	    .kind = ITEM_TEXT, .state = ID_EQ(*sender, me) ? STATE_SENT :
	    STATE_RECEIVED, .position = 100 + i, .sender = *sender,
	    .device = 1, .server_ms = 1795000000000ull + i,
	    .sender_ms = 1795000000000ull + i, .text = span_str(text) };

	it.event.b[0] = (uint8_t)i;
	it.event.b[1] = (uint8_t)(i >> 8);
	it.event.b[2] = 1;
	it.message.b[0] = (uint8_t)i;
	it.message.b[1] = (uint8_t)(i >> 8);
	it.message.b[15] = 9;
	return it;
}

static void
fill(struct side *x, unsigned n)
{
	struct react r = { .type = SHOW_REACTION, .chat = chat,
	    .user = other, .position = 900, .text = SPAN("+") };
	struct client_mark mark = { chat, other, MARK_READ, 101, 7 };
	struct client_item it;
	struct chat c;
	unsigned i;

	assert_int_equal(person_meet(&x->s, &chat, &other, &c), OK);
	assert_int_equal(person_set_name(&x->s, &other, SPAN("bert")), OK);
	c.head = 100 + n;
	c.expire_s = 60;
	c.timer_position = 99;
	assert_int_equal(person_save_chat(&x->s, &c), OK);
	for (i = 0; i < n; i++) {
		it = item(i, i % 2 ? &me : &other, i % 3 ? "hello" :
		    "a longer text than the others have, said at length");
		assert_int_equal(item_put(&x->s, &it), OK);
	}
	it = item(0, &other, "");
	r.to = (struct client_ref){ it.sender, it.event };
	assert_int_equal(react_hear(&x->s, &r), OK);
	assert_int_equal(item_mark(&x->s, &mark), OK);
	/* What waits to be sent stays here. */
	it = item(4000, &me, "waits");
	it.state = STATE_WAITING;
	it.order = ITEM_ORDER_WAITING + 1;
	assert_int_equal(item_put(&x->s, &it), OK);
}

/* Is the archive of a backup, and not for a new device? */
static bool is_backup;

/* All of `from` into `to`, part by part; the number of chunks. */
static uint32_t
send(struct fake *f, struct side *from, struct side *to, uint64_t since,
    struct arcrec_count *n)
{
	struct arcout x = { .since_ms = since, .timed = !is_backup };
	uint8_t *part = fake_alloc(ARCOUT_PART_MAX), *plain =
	    fake_alloc(ARCHIVE_PLAIN_LEN);
	struct archive a;
	uint32_t chunks = 0;
	size_t at, len, plain_n;
	bool last = false;

	*n = (struct arcrec_count){ 0 };
	assert_int_equal(archive_init(&a, &f->pv, &x.key, &me), OK);
	while (!x.ended) {
		assert_int_equal(arcout_walk(&from->s, &me, &x, part, &len),
		    OK);
		for (at = 0; at < len; chunks++) {
			struct span c = span_sub(span_of(part, len), at,
			    ARCHIVE_CHUNK_MAX), bytes;
			struct archive_reader r;
			uint8_t kind;

			at += c.n;
			assert_false(last);
			assert_int_equal(archive_open(&a, chunks, c, plain,
			    &plain_n, &last), OK);
			r = archive_read(span_of(plain, plain_n));
			while (archive_next(&r, &kind, &bytes))
				assert_int_equal(arcrec_take(&to->s, kind,
				    bytes, true, n), OK);
			assert_int_equal(archive_end(&r), OK);
		}
	}
	assert_true(last);
	assert_int_equal(x.n.records, n->records);
	assert_int_equal(x.n.messages, n->messages);
	archive_wipe(&a);
	return chunks;
}

static unsigned
count(struct side *x)
{
	struct client_place at = { .set = false };
	struct client_item it;
	unsigned n = 0;

	while (item_next(&x->s, &chat, false, &at, &it) == OK)
		n++;
	return n;
}

static void
test_arcrec_brings_all_that_is_shown(void **state)
{
	struct fake *f = fake_new(3);
	struct side *a = fake_alloc(sizeof(*a)), *b = fake_alloc(sizeof(*b));
	struct client_item it, want;
	struct arcrec_count n;
	struct client_show show;
	struct person p;
	struct chat c;
	uint64_t seq = 0, mark;
	unsigned i;

	(void)state;
	side_open(a, f);
	side_open(b, f);
	fill(a, 700);
	assert_true(send(f, a, b, 0, &n) >= 2);
	assert_int_equal(n.messages, 700);
	assert_int_equal(count(b), 700);
	for (i = 0; i < 700; i++) {
		want = item(i, i % 2 ? &me : &other, "");
		assert_int_equal(item_find(&b->s, &want.sender, &want.event,
		    &it), OK);
		assert_true(it.flags & ITEM_ARCHIVED);
		assert_int_equal(it.state, want.state);
		assert_int_equal(it.server_ms, want.server_ms);
		assert_int_equal(it.seq, 0);
		assert_true(it.text.n > 0);
	}
	assert_int_equal(person_load(&b->s, &other, &p), OK);
	assert_true(span_eq(p.name, SPAN("bert")));
	assert_int_equal(person_chat(&b->s, &chat, &c), OK);
	assert_int_equal(c.head, 800);
	assert_int_equal(c.expire_s, 60);
	assert_int_equal(item_marked(&b->s, &chat, &other, MARK_READ, &mark),
	    OK);
	assert_int_equal(mark, 101);
	/* No message of it is news. */
	while (item_journal(&b->s, &seq, &show) == OK)
		assert_int_not_equal(show.type, SHOW_MESSAGE);
	side_commit(a);
	side_commit(b);
	fake_drop(a);
	fake_drop(b);
	fake_close(f);
}

/* Twice, or after what came live: each is shown once; and what was refused
 * here is replaced. */
static void
test_arcrec_keeps_what_is_known(void **state)
{
	struct fake *f = fake_new(4);
	struct side *a = fake_alloc(sizeof(*a)), *b = fake_alloc(sizeof(*b));
	struct client_item it;
	struct arcrec_count n;

	(void)state;
	side_open(a, f);
	side_open(b, f);
	fill(a, 6);
	it = item(1, &me, "as it came live");
	assert_int_equal(item_put(&b->s, &it), OK);
	it = item(2, &other, "");
	it.kind = ITEM_REFUSED;
	it.cause = ERR_NO_KEY;
	assert_int_equal(item_put(&b->s, &it), OK);
	it = item(3, &me, "");
	assert_int_equal(item_use(&b->s, &it.sender, &it.event), OK);
	(void)send(f, a, b, 0, &n);
	(void)send(f, a, b, 0, &n);
	assert_int_equal(count(b), 5);		/* number 3 is used up */
	it = item(1, &me, "");
	assert_int_equal(item_find(&b->s, &it.sender, &it.event, &it), OK);
	assert_true(span_eq(it.text, SPAN("as it came live")));
	assert_false(it.flags & ITEM_ARCHIVED);
	it = item(2, &other, "");
	assert_int_equal(item_find(&b->s, &it.sender, &it.event, &it), OK);
	assert_int_equal(it.kind, ITEM_TEXT);
	assert_int_equal(it.cause, OK);
	side_commit(a);
	side_commit(b);
	fake_drop(a);
	fake_drop(b);
	fake_close(f);
}

static void
test_arcrec_leaves_out_what_is_too_old(void **state)
{
	struct fake *f = fake_new(5);
	struct side *a = fake_alloc(sizeof(*a)), *b = fake_alloc(sizeof(*b));
	struct arcrec_count n;

	(void)state;
	side_open(a, f);
	side_open(b, f);
	fill(a, 10);
	(void)send(f, a, b, 1795000000000ull + 4, &n);
	assert_int_equal(count(b), 6);
	side_commit(a);
	side_commit(b);
	fake_drop(a);
	fake_drop(b);
	fake_close(f);
}

/* Every kind: cut short, or one byte too long, it is refused and nothing is
 * taken; other kinds are passed over. */
static void
test_arcrec_refuses_what_is_malformed(void **state)
{
	struct fake *f = fake_new(6);
	struct side *b = fake_alloc(sizeof(*b));
	static const size_t len[ARCREC_MAX] = { [ARCREC_HEAD] = 24,
	    [ARCREC_PERSON] = 18, [ARCREC_CHAT] = 53, [ARCREC_USED] = 32,
	    [ARCREC_MARK] = 49, [ARCREC_REACTION] = 82, [ARCREC_PIN] = 81 };
	uint8_t bytes[128] = { 7 };
	struct arcrec_count n = { 0 };
	unsigned k;
	size_t i;

	(void)state;
	side_open(b, f);
	bytes[32] = MARK_READ;
	for (k = 1; k < ARCREC_MAX; k++)
		for (i = 0; i < sizeof(bytes); i++) {
			if (len[k] == i && k != ARCREC_REACTION &&
			    k != ARCREC_PIN)
				continue;
			if (k == ARCREC_ITEM || k == ARCREC_TRUST ||
			    len[k] != 0)
				assert_int_not_equal(arcrec_take(&b->s,
				    (uint8_t)k, span_of(bytes, i), true, &n),
				    OK);
		}
	assert_int_equal(b->s.r.dirty_n, 0);
	assert_int_equal(arcrec_take(&b->s, 200, span_of(bytes, 9), true, &n),
	    OK);
	side_commit(b);
	fake_drop(b);
	fake_close(f);
}

/* docs/protocol.md, What an archive holds: what disappears after a time goes
 * to a new device, and into no backup, which stays. */
static void
test_arcrec_backs_up_nothing_that_disappears(void **state)
{
	struct fake *f = fake_new(7);
	struct side *a = fake_alloc(sizeof(*a)), *b = fake_alloc(sizeof(*b)),
	    *c = fake_alloc(sizeof(*c));
	struct react r = { .type = SHOW_REACTION, .chat = chat, .user = me,
	    .position = 950, .text = SPAN("secret too") };
	struct client_item it = item(30, &other, "in secret"), got;
	struct client_reaction said;
	struct rec_key k = rec_key();
	struct arcrec_count n;
	bool used;

	(void)state;
	side_open(a, f);
	side_open(b, f);
	side_open(c, f);
	fill(a, 6);
	it.expire_s = 3600;
	assert_int_equal(item_put(&a->s, &it), OK);
	r.to = (struct client_ref){ it.sender, it.event };
	assert_int_equal(react_hear(&a->s, &r), OK);
	rec_key_id(&k, it.sender.b);
	rec_key_id(&k, it.event.b);
	rec_key_id(&k, me.b);
	(void)send(f, a, b, 0, &n);
	assert_int_equal(n.messages, 7);
	assert_int_equal(item_find(&b->s, &it.sender, &it.event, &got), OK);
	assert_true(span_eq(got.text, SPAN("in secret")));
	assert_int_equal(react_load(&b->s, rec_key_span(&k), &said), OK);
	is_backup = true;
	(void)send(f, a, c, 0, &n);
	is_backup = false;
	assert_int_equal(n.messages, 6);
	assert_int_equal(count(c), 6);
	assert_int_equal(item_find(&c->s, &it.sender, &it.event, &got),
	    ERR_NOT_FOUND);
	assert_int_equal(item_is_used(&c->s, &it.sender, &it.event, &used),
	    OK);
	assert_true(used);
	assert_int_equal(react_load(&c->s, rec_key_span(&k), &said),
	    ERR_NOT_FOUND);
	side_commit(a);
	side_commit(b);
	side_commit(c);
	fake_drop(a);
	fake_drop(b);
	fake_drop(c);
	fake_close(f);
}

/* docs/protocol.md, What an archive holds: a gap that was filled has the id
 * of the message that filled it. It must not take that message's place. */
static void
test_arcrec_filled_gap_hides_no_message(void **state)
{
	struct fake *f = fake_new(8);
	struct side *a = fake_alloc(sizeof(*a)), *b = fake_alloc(sizeof(*b));
	struct client_item late = item(4, &other, ""), gap, open, got;
	struct item_place at = { chat, 102, 0 };
	uint8_t bytes[ITEMREC_HEAD_MAX + 64], made[sizeof(bytes)], kind;
	struct wr w = wr_init(bytes, sizeof(bytes)), out;
	struct arcrec_what what = { 0, true };
	struct arcrec_count n = { 0 };
	bool used;

	(void)state;
	side_open(a, f);
	side_open(b, f);
	fill(a, 6);
	/* Before message 2 one was missing, which came as number 4. */
	gap = item(2, &other, "");
	gap.event = late.event;
	gap.sub = 0;
	gap.kind = ITEM_HIDDEN;
	assert_int_equal(item_put(&a->s, &gap), OK);
	open = item(5, &other, "");
	open.event.b[9] = 9;
	open.sub = 0;
	open.kind = ITEM_GAP;
	open.gap_n = 1;
	assert_int_equal(item_put(&a->s, &open), OK);
	/* An archive that has it all the same. */
	wr_bytes(&w, chat.b, ID_LEN);
	wr_u64(&w, gap.order);
	wr_u8(&w, 0);
	assert_int_equal(itemrec_encode(&gap, &w), OK);
	assert_int_equal(arcrec_take(&b->s, ARCREC_ITEM, wr_done(&w), true,
	    &n), OK);
	assert_int_equal(item_is_used(&b->s, &late.sender, &late.event,
	    &used), OK);
	assert_false(used);
	/* None has it. */
	out = wr_init(made, sizeof(made));
	assert_int_equal(arcrec_make(&a->s, REC_ITEM, span_sub(wr_done(&w), 0,
	    ID_LEN + 9), span_sub(wr_done(&w), ID_LEN + 9, w.n), &what, &out,
	    &kind), OK);
	assert_int_equal(kind, 0);
	assert_int_equal(out.n, 0);
	(void)send(f, a, b, 0, &n);
	assert_int_equal(n.messages, 6);
	assert_int_equal(item_find(&b->s, &late.sender, &late.event, &got),
	    OK);
	assert_int_equal(got.kind, ITEM_TEXT);
	assert_int_equal(got.order, late.order);
	assert_int_equal(item_get(&b->s, &at, &got), ERR_NOT_FOUND);
	at.order = open.order;
	assert_int_equal(item_get(&b->s, &at, &got), OK);
	assert_int_equal(got.kind, ITEM_GAP);
	assert_int_equal(item_is_used(&b->s, &open.sender, &open.event,
	    &used), OK);
	assert_false(used);
	assert_int_equal(count(b), 7);
	/* One that would stand where messages stand. */
	open.sub = 1;
	w = wr_init(bytes, sizeof(bytes));
	wr_bytes(&w, chat.b, ID_LEN);
	wr_u64(&w, open.order);
	wr_u8(&w, 1);
	assert_int_equal(itemrec_encode(&open, &w), OK);
	assert_int_equal(arcrec_take(&b->s, ARCREC_ITEM, wr_done(&w), true,
	    &n), ERR_FORMAT);
	side_commit(a);
	side_commit(b);
	fake_drop(a);
	fake_drop(b);
	fake_close(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arcrec_brings_all_that_is_shown),
		cmocka_unit_test(test_arcrec_keeps_what_is_known),
		cmocka_unit_test(test_arcrec_leaves_out_what_is_too_old),
		cmocka_unit_test(test_arcrec_refuses_what_is_malformed),
		cmocka_unit_test(test_arcrec_backs_up_nothing_that_disappears),
		cmocka_unit_test(test_arcrec_filled_gap_hides_no_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
