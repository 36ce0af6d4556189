/*
 * schedule_test.c: random schedules (docs/protocol.md, "Ratchet"): two ratchets,
 * then several devices, with loss, duplicates, reordering, restarts, tampering
 * and states put back. NJ_SCHEDULE_MESSAGES sets how many messages in all,
 * NJ_SCHEDULE_SEED the seed (printed, so that a failure can be run again).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/test_world.h"

#if defined(__SANITIZE_ADDRESS__)
#define MESSAGES 12000
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MESSAGES 12000
#endif
#endif
#if !defined(MESSAGES)
#define MESSAGES 110000
#endif

#define FLIGHT_MAX 48
#define CONTENT_LEN 81

static uint64_t seed, rng;
static unsigned long sent_n, opened_n, refused_n;

/* Every (key, nonce) that anybody ever sealed with, in a hash table. */
static uint64_t (*pairs)[2];
static size_t pairs_n, pairs_cap;

static void
note_pair(const uint8_t key[static 32], const uint8_t nonce[static 12])
{
	uint64_t a, b;
	size_t i;

	memcpy(&a, key, 8);
	memcpy(&b, nonce, 8);
	for (i = a % pairs_cap; pairs[i][0] != 0; i = (i + 1) % pairs_cap)
		if (pairs[i][0] == a && pairs[i][1] == b)
			fail_msg("key and nonce used twice (seed %llu)",
			    (unsigned long long)seed);
	pairs[i][0] = a;
	pairs[i][1] = b;
	pairs_n++;
	assert_true(pairs_n < pairs_cap / 2);
}

static enum err (*real_seal)(void *, const uint8_t *, const uint8_t *,
    struct span, struct span, uint8_t *);

static enum err
noting_seal(void *ctx, const uint8_t key[AES256_KEY_LEN],
    const uint8_t nonce[GCM_NONCE_LEN], struct span ad, struct span in,
    uint8_t *out)
{
	note_pair(key, nonce);
	return real_seal(ctx, key, nonce, ad, in, out);
}

static uint32_t
roll(uint32_t n)
{
	return (uint32_t)(w_rand(&rng) >> 16) % n;
}

static bool
chance(uint32_t percent)
{
	return roll(100) < percent;
}

struct message {
	struct span bytes;
	uint8_t content[CONTENT_LEN];
	uint32_t from, to, era;
	unsigned opened;
};

static struct message flight[FLIGHT_MAX];
static size_t flight_n;

static void
flight_drop(size_t i)
{
	w_drop(&flight[i].bytes);
	memmove(&flight[i], &flight[i + 1],
	    (flight_n - i - 1) * sizeof(flight[0]));
	flight_n--;
}

static void
random_content(uint8_t out[static CONTENT_LEN])
{
	for (size_t i = 0; i < CONTENT_LEN; i++)
		out[i] = (uint8_t)roll(256);
}

/* ---- two ratchets ---- */

struct net {
	uint32_t loss, reorder, dup, turn;	/* percent; messages a turn */
};

static const struct net nets[] = {
	{ 0, 0, 0, 1 }, { 0, 0, 0, 4 }, { 10, 50, 10, 6 }, { 40, 90, 20, 20 },
	{ 25, 30, 0, 2 }, { 0, 90, 20, 3 }, { 5, 5, 5, 60 },
};

static struct session *two[2], *saved;
static struct w_dev dev[4];

static uint64_t
hash_ratchet(const struct ratchet *r)
{
	static uint8_t mem[200000];
	struct wr w = wr_init(mem, sizeof(mem));
	uint64_t h = 14695981039346656037ull;

	assert_int_equal(ratchet_store_encode(r, &w), OK);
	for (size_t i = 0; i < w.n; i++)
		h = (h ^ mem[i]) * 1099511628211ull;
	return h;
}

/* What the device would find in its store. */
static void
restart(struct session *s)
{
	static uint8_t mem[200000];
	struct wr w = wr_init(mem, sizeof(mem));

	assert_int_equal(session_encode(s, &w), OK);
	assert_true(w.n <= session_encoded_len(s));
	session_wipe(s);
	assert_int_equal(session_decode(wr_done(&w), s), OK);
}

static void
check_pair(void)
{
	uint32_t a = two[0]->ratchet.h.pq.epoch;
	uint32_t b = two[1]->ratchet.h.pq.epoch;

	if ((a > b ? a - b : b - a) > 1)
		fail_msg("epochs %u and %u (seed %llu)", a, b,
		    (unsigned long long)seed);
	for (int i = 0; i < 2; i++)
		assert_true(two[i]->ratchet.skipped_n <= RATCHET_SKIPPED_MAX);
}

static void
two_send(uint32_t from, uint64_t now_ms)
{
	struct message *m = &flight[flight_n];
	uint8_t mem[2048];
	struct wr w = wr_init(mem, sizeof(mem));

	if (flight_n == FLIGHT_MAX)
		return;
	random_content(m->content);
	assert_int_equal(ratchet_seal(&dev[from].p, &two[from]->ratchet,
	    SPAN_OF(m->content), now_ms, &w), OK);
	m->bytes = w_keep(wr_done(&w));
	m->from = from;
	m->to = 1 - from;
	m->opened = 0;
	flight_n++;
	sent_n++;
}

/* A flipped bit: refused, and nothing changes. */
static void
two_tamper(struct message *m, uint64_t now_ms)
{
	struct ratchet *r = &two[m->to]->ratchet;
	uint8_t mem[2048], plain[2048];
	struct ratchet_info info;
	struct span got;
	uint64_t before = hash_ratchet(r);

	memcpy(mem, m->bytes.p, m->bytes.n);
	mem[roll((uint32_t)m->bytes.n)] ^= (uint8_t)(1u << roll(8));
	if (ratchet_open(&dev[m->to].p, r, span_of(mem, m->bytes.n), now_ms,
	    plain, &got, &info) == OK)
		fail_msg("tampered message opened (seed %llu)",
		    (unsigned long long)seed);
	assert_true(before == hash_ratchet(r));
	refused_n++;
}

/* rolled: one side was put back, so messages may fail, but never lie. */
static void
two_deliver(struct message *m, uint64_t now_ms, bool rolled)
{
	struct ratchet *r = &two[m->to]->ratchet;
	uint8_t plain[2048];
	struct ratchet_info info;
	struct span got = { 0 };
	uint64_t before = 0;
	enum err e;

	if (rolled || m->opened > 0)
		before = hash_ratchet(r);
	e = ratchet_open(&dev[m->to].p, r, m->bytes, now_ms, plain, &got,
	    &info);
	if (e != OK) {
		if (!rolled && (m->opened == 0 || e != ERR_DUPLICATE))
			fail_msg("%s for message %lu, opened %u times before "
			    "(seed %llu)", err_name(e), sent_n, m->opened,
			    (unsigned long long)seed);
		if (rolled || m->opened > 0)
			assert_true(before == hash_ratchet(r));
		refused_n++;
		return;
	}
	if (!rolled)
		assert_int_equal(m->opened, 0);
	m->opened++;
	opened_n++;
	assert_false(info.spoiled);
	assert_true(span_eq(got, SPAN_OF(m->content)));
	/* A key only in the first message of a turn. */
	if (info.flag == PQM_SENDS_EK || info.flag == PQM_SENDS_CT)
		assert_int_equal(info.n, 0);
}

static void
two_begin(void)
{
	struct sessions_opened o;
	struct span m = { 0 };

	for (int i = 0; i < 2; i++) {
		struct w_dev *d = &dev[i];

		assert_int_equal(w_end(d, sessions_drop(&d->c,
		    &dev[1 - i].addr)), OK);
	}
	assert_int_equal(w_prekeys(&dev[1], 4), OK);
	assert_int_equal(w_initiate(&dev[0], &dev[1]), OK);
	assert_int_equal(w_seal(&dev[0], &dev[1], SPAN("first"), &m), OK);
	assert_int_equal(w_open(&dev[1], &dev[0], m, &o, NULL), OK);
	w_drop(&m);
	for (int i = 0; i < 2; i++) {
		struct pair_key k;
		size_t at = w_find(&dev[i].st, RECORD_SESSION,
		    pair_key(&dev[1 - i].addr, NULL, &k));

		assert_int_equal(session_decode(span_of(
		    dev[i].st.recs[at].value, dev[i].st.recs[at].n), two[i]),
		    OK);
	}
}

static void
deliver_some(const struct net *n, uint64_t now_ms, bool rolled, bool all)
{
	while (flight_n > 0 && (all || flight_n > FLIGHT_MAX / 2 ||
	    chance(70))) {
		size_t i = chance(n->reorder) ? roll((uint32_t)flight_n) : 0;
		struct message *m = &flight[i];

		if (m->opened == 0 && chance(n->loss)) {
			flight_drop(i);
			continue;
		}
		if (chance(2))
			two_tamper(m, now_ms);
		two_deliver(m, now_ms, rolled);
		if (!chance(n->dup))
			flight_drop(i);
		if (!rolled)
			check_pair();
	}
}

/* One session's life on one kind of network. */
static void
two_run(const struct net *n, unsigned long messages)
{
	unsigned long until = sent_n + messages;
	uint64_t now_ms = W_START_MS;
	uint32_t saved_who = 2;
	bool rolled = false;

	two_begin();
	while (sent_n < until) {
		uint32_t who = roll(2), turn = 1 + roll(n->turn);

		now_ms += roll(60000);
		for (uint32_t i = 0; i < turn; i++)
			two_send(who, now_ms);
		deliver_some(n, now_ms, rolled, chance(50));
		if (chance(3))
			restart(two[roll(2)]);
		if (chance(1))
			pqm_rekey(&two[roll(2)]->ratchet.h.pq);
		if (!rolled && chance(5)) {
			saved_who = who;
			*saved = *two[who];
		}
		/* Near the end one side is put back, unnoticed. */
		if (!rolled && saved_who < 2 && sent_n + 60 > until) {
			*two[saved_who] = *saved;
			rolled = true;
		}
	}
	while (flight_n > 0)
		flight_drop(0);
}

/* ---- several devices ---- */

#define DEVICES 4

static uint32_t eras[DEVICES];
static uint64_t clock_ms;

/* Changes when anything happens that may cost messages under way. */
static uint32_t
era_of(uint32_t a, uint32_t b)
{
	return eras[a] * 65536 + eras[b];
}

static enum err
many_seal(uint32_t from, uint32_t to, struct span content, struct span *out)
{
	enum err e = w_seal(&dev[from], &dev[to], content, out);

	if (e == ERR_NO_SESSION) {
		assert_int_equal(w_initiate(&dev[from], &dev[to]), OK);
		e = w_seal(&dev[from], &dev[to], content, out);
	}
	return e;
}

static void
many_send(uint32_t from, uint32_t to)
{
	struct message *m = &flight[flight_n];

	if (flight_n == FLIGHT_MAX)
		return;
	random_content(m->content);
	assert_int_equal(many_seal(from, to, SPAN_OF(m->content), &m->bytes),
	    OK);
	m->from = from;
	m->to = to;
	m->era = from < to ? era_of(from, to) : era_of(to, from);
	m->opened = 0;
	flight_n++;
	sent_n++;
}

static void
many_tamper(const struct message *m)
{
	struct w_dev *to = &dev[m->to];
	struct span bad = w_keep(m->bytes);
	struct sessions_opened o;
	uint64_t before = w_hash(&to->st);
	uint32_t at;

	/* devlist_version (54..61) is a hint that nothing authenticates. */
	do
		at = roll((uint32_t)bad.n);
	while (bad.p[0] == PREKEY_MSG_TYPE && at >= 54 && at < 62);
	((uint8_t *)(uintptr_t)bad.p)[at] ^= (uint8_t)(1u << roll(8));
	if (w_open(to, &dev[m->from], bad, &o, NULL) == OK)
		fail_msg("tampered message opened (seed %llu)",
		    (unsigned long long)seed);
	assert_true(before == w_hash(&to->st));
	w_drop(&bad);
	refused_n++;
}

static void
many_deliver(struct message *m)
{
	struct w_dev *to = &dev[m->to];
	struct sessions_opened o;
	struct span got = { 0 };
	bool same = m->era == (m->from < m->to ? era_of(m->from, m->to) :
	    era_of(m->to, m->from));
	uint64_t before = w_hash(&to->st);
	enum err e = w_open(to, &dev[m->from], m->bytes, &o, &got);

	if (e == OK) {
		if (m->opened > 0)
			fail_msg("opened twice (seed %llu)",
			    (unsigned long long)seed);
		assert_int_equal(o.refused, OK);
		assert_true(span_eq(got, SPAN_OF(m->content)));
		m->opened++;
		opened_n++;
	} else {
		if (m->opened == 0 && same)
			fail_msg("%s from %u to %u after %lu (seed %llu)",
			    err_name(e), m->from, m->to, sent_n,
			    (unsigned long long)seed);
		assert_true(before == w_hash(&to->st));
		refused_n++;
	}
	w_drop(&got);
}

static void
many_renew(uint32_t i)
{
	struct w_dev *d = &dev[i];
	struct span cert, list;

	eras[i]++;
	assert_int_equal(identity_renew_device(&d->c, &cert, &list), OK);
	w_drop(&d->cert);
	w_drop(&d->list);
	d->cert = w_keep(cert);
	d->list = w_keep(list);
	(void)w_end(d, OK);
	assert_int_equal(w_prekeys(d, 4), OK);
	for (uint32_t k = 0; k < DEVICES; k++)
		if (k != i)
			assert_int_equal(w_meet(&dev[k], d), OK);
}

/*
 * A store that is put back, noticed at start: it renews itself and begins a
 * session with each of the others, which they get.
 */
static void
many_roll_back(uint32_t i, struct w_store *copy)
{
	struct w_dev *d = &dev[i];
	uint64_t newest = d->st.api.generation - 1;
	struct sessions_opened o;
	struct peer_news news;
	struct span m = { 0 };

	w_store_fini(&d->st);
	d->st = *copy;
	d->st.api.ctx = &d->st;
	memset(copy, 0, sizeof(*copy));
	assert_int_equal(identity_check_generation(&d->c, newest),
	    ERR_ROLLBACK);
	(void)w_end(d, OK);
	d->st.api.generation = newest + 1;
	for (uint32_t k = 0; k < DEVICES; k++)
		if (k != i)
			assert_int_equal(w_meet(d, &dev[k]), OK);
	/* Lists it published after the copy are the server's to give. */
	assert_int_equal(w_end(d, peer_accept_list(&d->c, &d->addr.account,
	    d->list, &news)), OK);
	many_renew(i);
	for (uint32_t k = 0; k < DEVICES; k++) {
		if (k == i)
			continue;
		assert_int_equal(many_seal(i, k, SPAN("back"), &m), OK);
		assert_int_equal(w_open(&dev[k], d, m, &o, NULL), OK);
		w_drop(&m);
	}
}

static void
many_rekey(uint32_t i)
{
	assert_int_equal(w_end(&dev[i], sessions_rekey_all(&dev[i].c)), OK);
}

static void
many_step(const struct net *n)
{
	uint32_t from = roll(DEVICES), to = roll(DEVICES);
	uint32_t turn = 1 + roll(n->turn);

	clock_ms += roll(30000);
	for (int i = 0; i < DEVICES; i++)
		dev[i].c.now_ms = clock_ms;
	for (uint32_t i = 0; from != to && i < turn; i++)
		many_send(from, to);
	while (flight_n > 0 && (flight_n > FLIGHT_MAX / 2 || chance(75))) {
		size_t i = chance(n->reorder) ? roll((uint32_t)flight_n) : 0;

		if (flight[i].opened == 0 && chance(n->loss)) {
			flight_drop(i);
			continue;
		}
		if (chance(2))
			many_tamper(&flight[i]);
		many_deliver(&flight[i]);
		if (!chance(n->dup))
			flight_drop(i);
	}
}

static void
many_run(unsigned long messages)
{
	unsigned long until = sent_n + messages;
	static struct w_store copy;
	uint32_t copy_of = DEVICES;

	clock_ms = W_START_MS;
	for (uint32_t i = 0; i < DEVICES; i++)
		for (uint32_t k = 0; k < DEVICES; k++)
			if (i != k)
				assert_int_equal(w_meet(&dev[i], &dev[k]), OK);
	while (sent_n < until) {
		many_step(&nets[roll(sizeof(nets) / sizeof(nets[0]))]);
		if (roll(400) == 0)
			many_renew(roll(DEVICES));
		if (roll(100) == 0)
			many_rekey(roll(DEVICES));
		if (roll(300) == 0 && copy_of == DEVICES) {
			copy_of = roll(DEVICES);
			w_store_copy(&copy, &dev[copy_of].st);
		} else if (roll(200) == 0 && copy_of < DEVICES) {
			many_roll_back(copy_of, &copy);
			copy_of = DEVICES;
		}
	}
	if (copy_of < DEVICES)
		w_store_fini(&copy);
	while (flight_n > 0)
		flight_drop(0);
}

/* ---- */

static int
prepare(void **state)
{
	(void)state;
	pairs_cap = (size_t)w_env("NJ_SCHEDULE_MESSAGES", MESSAGES) * 8 +
	    65536;
	pairs = calloc(pairs_cap, sizeof(*pairs));
	pairs_n = 0;
	for (uint8_t i = 0; i < DEVICES; i++) {
		w_dev_init(&dev[i], (uint8_t)(i + 1), seed, 4);
		real_seal = dev[i].p.gcm_seal;
		dev[i].p.gcm_seal = noting_seal;
	}
	return pairs == NULL ? -1 : 0;
}

static int
finish(void **state)
{
	(void)state;
	for (int i = 0; i < DEVICES; i++)
		w_dev_fini(&dev[i]);
	free(pairs);
	pairs = NULL;
	return 0;
}

static void
test_schedule_of_two_ratchets(void **state)
{
	unsigned long all = (unsigned long)w_env("NJ_SCHEDULE_MESSAGES",
	    MESSAGES) * 8 / 10, before = sent_n;

	(void)state;
	assert_int_equal(w_meet(&dev[0], &dev[1]), OK);
	assert_int_equal(w_meet(&dev[1], &dev[0]), OK);
	for (int i = 0; i < 2; i++)
		two[i] = malloc(sizeof(*two[i]));
	saved = malloc(sizeof(*saved));
	assert_true(two[0] != NULL && two[1] != NULL && saved != NULL);
	for (size_t i = 0; sent_n - before < all; i++)
		two_run(&nets[i % (sizeof(nets) / sizeof(nets[0]))],
		    all / 20 + 100);
	free(two[0]);
	free(two[1]);
	free(saved);
}

static void
test_schedule_of_devices(void **state)
{
	(void)state;
	many_run((unsigned long)w_env("NJ_SCHEDULE_MESSAGES", MESSAGES) *
	    2 / 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_schedule_of_two_ratchets,
		    prepare, finish),
		cmocka_unit_test_setup_teardown(test_schedule_of_devices,
		    prepare, finish),
	};
	int failed;

	seed = w_env("NJ_SCHEDULE_SEED", 20261121);
	rng = seed * 2654435761u + 1;
	(void)fprintf(stderr, "# NJ_SCHEDULE_SEED=%llu\n",
	    (unsigned long long)seed);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)fprintf(stderr, "# %lu messages sent, %lu opened, %lu refused\n",
	    sent_n, opened_n, refused_n);
	w_teardown();
	return failed;
}
