/*
 * tamper_test.c: what an enemy may do (docs/protocol.md, "Opening"): every bit
 * of captured messages flipped, states stolen, and secrets looked for where
 * none may be left; and stores that fail at each of their calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/test_world.h"

#if defined(__SANITIZE_ADDRESS__)
#define STRIDE 7
#else
#define STRIDE 1
#endif

static struct w_dev a, b;

static int
setup(void **state)
{
	(void)state;
	w_pair_init(&a, &b, 11, 16);
	assert_int_equal(w_initiate(&a, &b), OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	return w_pair_fini(&a, &b);
}

static void
say(struct w_dev *from, struct w_dev *to)
{
	struct span m = { 0 };
	struct sessions_opened o;

	assert_int_equal(w_seal(from, to, SPAN("text"), &m), OK);
	assert_int_equal(w_open(to, from, m, &o, NULL), OK);
	w_drop(&m);
}

/* devlist_version is a hint that nothing authenticates. */
static bool
is_hint(struct span m, size_t byte)
{
	return m.p[0] == PREKEY_MSG_TYPE && byte >= 54 && byte < 62;
}

/* All bits of m, refused by `to` with nothing changed; then m itself opens. */
static void
flip_every_bit(struct w_dev *to, struct w_dev *from, struct span m)
{
	uint8_t *p = w_copy(m.p, m.n);
	uint64_t before = w_hash(&to->st);
	struct sessions_opened o;

	for (size_t bit = 0; bit < m.n * 8; bit += STRIDE) {
		if (is_hint(m, bit / 8))
			continue;
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (w_open(to, from, span_of(p, m.n), &o, NULL) == OK)
			fail_msg("bit %u of byte %u", (unsigned)(bit % 8),
			    (unsigned)(bit / 8));
		assert_true(before == w_hash(&to->st));
		p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < m.n; n += 13) {
		assert_int_not_equal(w_open(to, from, span_of(p, n), &o,
		    NULL), OK);
		assert_true(before == w_hash(&to->st));
	}
	free(p);
	assert_int_equal(w_open(to, from, m, &o, NULL), OK);
}

static void
test_tamper_ratchet_messages(void **state)
{
	struct span m = { 0 };

	(void)state;
	say(&a, &b);
	say(&b, &a);
	/* The first messages of turns and later ones, with keys and without. */
	for (int i = 0; i < 12; i++) {
		struct w_dev *from = i / 2 % 2 ? &a : &b;
		struct w_dev *to = i / 2 % 2 ? &b : &a;

		assert_int_equal(w_seal(from, to, SPAN("text"), &m), OK);
		flip_every_bit(to, from, m);
		w_drop(&m);
	}
}

static void
test_tamper_prekey_message(void **state)
{
	struct span m = { 0 };
	uint8_t *p;
	struct sessions_opened o;
	uint64_t before;

	(void)state;
	/* One bit in each byte: each attempt may cost a whole set-up. */
	assert_int_equal(w_seal(&a, &b, SPAN("text"), &m), OK);
	p = w_copy(m.p, m.n);
	before = w_hash(&b.st);
	for (size_t i = 0; i < m.n; i += STRIDE) {
		if (is_hint(m, i))
			continue;
		p[i] ^= (uint8_t)(1u << i % 8);
		if (w_open(&b, &a, span_of(p, m.n), &o, NULL) == OK)
			fail_msg("byte %u", (unsigned)i);
		assert_true(before == w_hash(&b.st));
		p[i] ^= (uint8_t)(1u << i % 8);
	}
	free(p);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	w_drop(&m);
	/* And of a repetition, which goes to the session there is. */
	assert_int_equal(w_seal(&a, &b, SPAN("text"), &m), OK);
	flip_every_bit(&b, &a, m);
	w_drop(&m);
}

/* docs/protocol.md, Opening, 3: a closed chain MUST never be stepped. */
static void
test_tamper_closed_chain(void **state)
{
	struct span m = { 0 };
	uint8_t *p;
	struct sessions_opened o;

	(void)state;
	say(&a, &b);
	say(&b, &a);
	assert_int_equal(w_seal(&a, &b, SPAN("old chain"), &m), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	say(&b, &a);
	say(&a, &b);
	p = w_copy(m.p, m.n);
	for (uint8_t n = 0; n < 64; n++) {
		p[36] = n;
		assert_int_equal(w_open(&b, &a, span_of(p, m.n), &o, NULL),
		    ERR_DUPLICATE);
	}
	free(p);
	w_drop(&m);
}

static struct session *
stolen_session(struct w_dev *d, struct w_dev *with)
{
	struct session *s = malloc(sizeof(*s));
	struct pair_key k;
	size_t i = w_find(&d->st, RECORD_SESSION,
	    pair_key(&with->addr, NULL, &k));

	assert_non_null(s);
	assert_int_equal(session_decode(span_of(d->st.recs[i].value,
	    d->st.recs[i].n), s), OK);
	return s;
}

/* docs/protocol.md, Post-quantum epochs, healing: after two mixes a copied
 * state opens nothing. The thief follows every message. */
static void
test_tamper_stolen_state_heals(void **state)
{
	struct session *thief;
	struct sessions_info i;
	struct sessions_opened o;
	struct ratchet_info info;
	uint8_t plain[4096];
	struct span m = { 0 }, got;
	uint32_t epoch;
	enum err e = OK;

	(void)state;
	for (int k = 0; k < 6; k++)
		say(k & 1 ? &b : &a, k & 1 ? &a : &b);
	thief = stolen_session(&b, &a);
	epoch = thief->ratchet.h.pq.epoch;
	assert_int_equal(w_seal(&a, &b, SPAN("open to the thief"), &m), OK);
	assert_int_equal(ratchet_open(&w_base, &thief->ratchet, m, W_START_MS,
	    plain, &got, &info), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	w_drop(&m);
	for (int k = 0; k < 300; k++) {
		struct w_dev *from = k & 1 ? &a : &b, *to = k & 1 ? &b : &a;

		assert_int_equal(w_seal(from, to, SPAN("text"), &m), OK);
		if (from == &a)
			e = ratchet_open(&w_base, &thief->ratchet, m,
			    W_START_MS, plain, &got, &info);
		assert_int_equal(w_open(to, from, m, &o, NULL), OK);
		w_drop(&m);
		assert_int_equal(w_end(&a, sessions_info(&a.c, &b.addr, &i)),
		    OK);
		if (i.epoch >= epoch + 2 && from == &a)
			assert_int_not_equal(e, OK);
	}
	assert_true(i.epoch >= epoch + 2);
	session_wipe(thief);
	free(thief);
}

static bool
holds(const uint8_t *mem, size_t n, struct span secret)
{
	for (size_t i = 0; i + secret.n <= n; i++)
		if (memcmp(&mem[i], secret.p, secret.n) == 0)
			return true;
	return false;
}

/* No key of the session and none of the device is left in the arena. */
static void
test_tamper_secrets_are_wiped(void **state)
{
	struct session *sa, *before;
	static struct identity id;
	struct span m = { 0 };
	struct sessions_opened o;

	(void)state;
	say(&a, &b);
	for (int k = 0; k < 6; k++) {
		before = stolen_session(&a, &b);
		say(k & 1 ? &a : &b, k & 1 ? &b : &a);
		sa = stolen_session(&a, &b);
		assert_int_equal(identity_load(&a.c, &id), OK);
		(void)w_end(&a, OK);
		const struct span secrets[] = {
			SPAN_OF(sa->ratchet.h.rk), SPAN_OF(sa->m.seal),
			SPAN_OF(sa->ratchet.h.dhs_priv),
			SPAN_OF(before->ratchet.h.rk),
			SPAN_OF(id.keys.ikx_priv), SPAN_OF(id.keys.ikk_seed),
			SPAN_OF(id.keys.dsk.b), SPAN_OF(id.aik_priv.b),
		};
		for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
			if (holds(a.mem, CORE_ARENA_BYTES, secrets[i]))
				fail_msg("secret %u is left", (unsigned)i);
		/* Of the past root key the store holds nothing either. */
		if (memcmp(before->ratchet.h.rk, sa->ratchet.h.rk, KEY_LEN))
			for (size_t i = 0; i < a.st.n; i++)
				assert_false(holds(a.st.recs[i].value,
				    a.st.recs[i].n,
				    SPAN_OF(before->ratchet.h.rk)));
		session_wipe(sa);
		session_wipe(before);
		free(sa);
		free(before);
	}
	assert_int_equal(w_seal(&a, &b, SPAN("x"), &m), OK);
	assert_int_equal(w_open(&b, &a, m, &o, NULL), OK);
	w_drop(&m);
	identity_wipe(&id);
}

/* Fails each call of the store in turn until the operation gets through. */
static unsigned
crash_through(struct w_dev *d, enum err (*op)(void *), void *arg)
{
	unsigned n = 0;
	enum err e;

	do {
		uint64_t before = w_hash(&d->st);

		d->st.fail_in = (long)++n;
		e = w_end(d, op(arg));
		if (e != OK) {
			assert_int_equal(e, ERR_STORE);
			assert_true(before == w_hash(&d->st));
		}
		assert_true(n < 3000);
	} while (e != OK);
	d->st.fail_in = 0;
	return n;
}

static struct span crash_msg;

static enum err
op_seal(void *arg)
{
	struct span m;
	enum err e = sessions_seal(&a.c, &b.addr, SPAN("text"), &m, NULL);

	(void)arg;
	if (e == OK)
		crash_msg = w_keep(m);
	return e;
}

static enum err
op_open(void *arg)
{
	struct sessions_opened o;

	(void)arg;
	return sessions_open(&b.c, &a.addr, crash_msg, &o);
}

static enum err
op_initiate(void *arg)
{
	struct w_bundle *w = arg;

	return sessions_initiate(&a.c, &b.addr, &w->b);
}

static enum err
op_prekeys(void *arg)
{
	static struct prekey_upload up;

	(void)arg;
	return prekey_make(&a.c, 4, &up);
}

static enum err
op_renew(void *arg)
{
	struct span cert, list;

	(void)arg;
	return identity_renew_device(&a.c, &cert, &list);
}

static enum err
op_meet(void *arg)
{
	struct peer_news news;

	(void)arg;
	TRY(peer_accept_list(&a.c, &b.addr.account, b.list, &news));
	return peer_accept_cert(&a.c, &b.addr.account, b.cert);
}

static enum err
op_tidy(void *arg)
{
	(void)arg;
	TRY(sessions_tidy(&a.c));
	TRY(prekey_tidy(&a.c));
	TRY(identity_tidy(&a.c));
	return retry_tidy(&a.c);
}

/* docs/protocol.md, Sealing: kill at each store call, reopen, continue. */
static void
test_tamper_crash_at_each_store_call(void **state)
{
	static struct w_bundle w;

	(void)state;
	for (int i = 0; i < 3; i++) {
		/* The first opening is of a prekey message. */
		assert_true(crash_through(&a, op_seal, NULL) > 3);
		assert_true(crash_through(&b, op_open, NULL) > 3);
		w_drop(&crash_msg);
		say(&b, &a);
		say(&a, &b);
	}
	w_serve(&b, &w);
	assert_true(crash_through(&a, op_initiate, &w) > 3);
	assert_true(crash_through(&a, op_prekeys, NULL) > 5);
	assert_true(crash_through(&a, op_meet, NULL) > 1);
	assert_true(crash_through(&a, op_renew, NULL) > 5);
	a.c.now_ms += 60 * W_DAY_MS;
	assert_true(crash_through(&a, op_tidy, NULL) > 5);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tamper_ratchet_messages),
		TEST(test_tamper_prekey_message),
		TEST(test_tamper_closed_chain),
		TEST(test_tamper_stolen_state_heals),
		TEST(test_tamper_secrets_are_wiped),
		TEST(test_tamper_crash_at_each_store_call),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	w_teardown();
	return failed;
}
