/*
 * ratchet_test.c: limits and odd frames of the ratchet (docs/protocol.md,
 * "Ratchet"); schedules are in schedule_test.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/tlv.h"
#include "core/pad.h"
#include "core/test_world.h"

static struct ratchet *a, *b;
static struct provider p;
static uint8_t plain[4096];

/* Both sides as a handshake would leave them. */
static int
setup(void **state)
{
	uint8_t t[32] = { 1 }, rk[32] = { 2 }, spk[32] = { 3 }, pub[32];
	uint8_t seed[64] = { 4 }, ikk[MLKEM_EK_LEN];

	(void)state;
	w_setup();
	p = w_base;
	a = malloc(sizeof(*a));
	b = malloc(sizeof(*b));
	if (a == NULL || b == NULL ||
	    p.x25519_pub(p.ctx, spk, pub) != OK ||
	    p.mlkem_pub(p.ctx, seed, ikk) != OK)
		return -1;
	ratchet_start_initiator(a, t, rk, pub, seed, W_START_MS);
	return ratchet_start_responder(&p, b, t, rk, spk, pub, ikk,
	    W_START_MS) == OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	ratchet_wipe(a);
	ratchet_wipe(b);
	free(a);
	free(b);
	return 0;
}

static struct span
seal(struct ratchet *r, uint8_t mem[static 2048])
{
	struct wr w = wr_init(mem, 2048);

	assert_int_equal(ratchet_seal(&p, r, SPAN("x"), W_START_MS, &w), OK);
	return wr_done(&w);
}

static enum err
open(struct ratchet *r, struct span m, uint64_t now_ms)
{
	struct ratchet_info info;
	struct span got;

	return ratchet_open(&p, r, m, now_ms, plain, &got, &info);
}

static void
pass(struct ratchet *from, struct ratchet *to)
{
	uint8_t mem[2048];

	assert_int_equal(open(to, seal(from, mem), W_START_MS), OK);
}

static void
test_ratchet_responder_cannot_begin(void **state)
{
	uint8_t mem[2048];
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	assert_int_equal(ratchet_seal(&p, b, SPAN("x"), W_START_MS, &w),
	    ERR_NO_SESSION);
	assert_int_equal(w.n, 0);
}

/* docs/protocol.md, Opening, limits: 2,000 steps for each message. */
static void
test_ratchet_steps_limit(void **state)
{
	uint8_t mem[2048], first[2048];
	struct span m, f;

	(void)state;
	f = seal(a, first);
	for (int i = 0; i < 1999; i++)
		(void)seal(a, mem);
	m = seal(a, mem);			/* n = 2000 */
	assert_int_equal(open(b, m, W_START_MS), OK);
	assert_int_equal(b->skipped_n, 2000);
	assert_int_equal(open(b, f, W_START_MS), OK);
	assert_int_equal(b->skipped_n, 1999);
	assert_int_equal(open(b, f, W_START_MS), ERR_DUPLICATE);
	for (int i = 0; i < 2001; i++)
		m = seal(a, mem);
	assert_int_equal(open(b, m, W_START_MS), OK);
	/* Two thousand are kept: the oldest were dropped. */
	assert_int_equal(b->skipped_n, 2000);
	for (int i = 0; i < 2002; i++)
		m = seal(a, mem);
	assert_int_equal(open(b, m, W_START_MS), ERR_LIMIT);
}

/* The end of the old chain and the start of the new count together. */
static void
test_ratchet_steps_limit_over_two_chains(void **state)
{
	uint8_t mem[2048], last[2048];
	struct span m, l;

	(void)state;
	pass(a, b);
	for (int i = 0; i < 1500; i++)
		(void)seal(a, mem);
	pass(b, a);
	for (int i = 0; i < 500; i++)
		(void)seal(a, mem);
	l = seal(a, last);		/* n = 500 */
	m = seal(a, mem);
	assert_int_equal(open(b, m, W_START_MS), ERR_LIMIT);
	assert_int_equal(b->skipped_n, 0);
	assert_int_equal(open(b, l, W_START_MS), OK);
	assert_int_equal(b->skipped_n, 2000);
}

static void
test_ratchet_skipped_keys_expire(void **state)
{
	uint8_t mem[2048], late[2048], other[2048];
	struct span m, l, o;

	(void)state;
	pass(a, b);
	l = seal(a, late);
	o = seal(a, other);
	m = seal(a, mem);
	assert_int_equal(open(b, m, W_START_MS), OK);
	assert_int_equal(b->skipped_n, 2);
	assert_int_equal(open(b, o, W_START_MS + RATCHET_SKIPPED_MS), OK);
	assert_int_equal(open(b, l, W_START_MS + RATCHET_SKIPPED_MS + 1),
	    ERR_DUPLICATE);
	assert_true(ratchet_expire(b, W_START_MS + RATCHET_SKIPPED_MS + 1));
	assert_int_equal(b->skipped_n, 0);
}

static void
test_ratchet_refuses_malformed_headers(void **state)
{
	uint8_t mem[2048], bad[2048];
	struct span m;

	(void)state;
	m = seal(a, mem);
	for (size_t n = 0; n < m.n; n++)
		assert_int_not_equal(open(b, span_of(mem, n), W_START_MS), OK);
	memcpy(bad, mem, m.n);
	bad[0] = 0x21;
	assert_int_equal(open(b, span_of(bad, m.n), W_START_MS), ERR_VERSION);
	bad[0] = 0x13;
	assert_int_equal(open(b, span_of(bad, m.n), W_START_MS), ERR_FORMAT);
	bad[0] = 0x11;
	bad[1] = 2;
	assert_int_equal(open(b, span_of(bad, m.n), W_START_MS), ERR_SUITE);
	bad[1] = 1;
	bad[34] = 7;		/* pqn: no such epoch */
	assert_int_equal(open(b, span_of(bad, m.n), W_START_MS), ERR_PQ_EPOCH);
	bad[34] = 0;
	bad[35] = 1;		/* pn, although there was no chain before */
	assert_int_equal(open(b, span_of(bad, m.n), W_START_MS), ERR_AUTH);
	assert_int_equal(open(b, m, W_START_MS), OK);
}

/* A message of the sender's chain with any frame, sealed as it would be. */
static struct span
seal_frame(const struct ratchet *r, struct span frame, uint8_t mem[static 2048])
{
	uint8_t mk[32], key[32], nonce[12], salt[8] = { 5 }, ad[128];
	struct wr w = wr_init(mem, 2048), wa = wr_init(ad, sizeof(ad));
	uint8_t *room;

	assert_int_equal(kdf_message_key(&p, r->h.cks, mk), OK);
	assert_int_equal(kdf_seal_key(&p, mk, salt, key, nonce), OK);
	wr_u8(&w, RATCHET_TYPE);
	wr_u8(&w, 1);
	wr_bytes(&w, r->h.dhs_pub, 32);
	wr_varint(&w, r->h.pqn_send);
	wr_varint(&w, r->h.pn);
	wr_varint(&w, r->h.ns);
	wr_bytes(&w, salt, 8);
	wr_bytes(&wa, r->t, 32);
	wr_span(&wa, wr_done(&w));
	room = wr_room(&w, frame.n + 16);
	assert_non_null(room);
	assert_int_equal(p.gcm_seal(p.ctx, key, nonce, wr_done(&wa), frame,
	    room), OK);
	return wr_done(&w);
}

/*
 * docs/protocol.md, Messages: an authenticated frame that breaks the form is
 * an error of the peer: the message is spent, key and content are dropped.
 */
static void
test_ratchet_spends_malformed_frames(void **state)
{
	static const struct {
		uint8_t f, len;
		size_t n, dirt;
	} bad[] = {
		{ 4, 1, 128, 0 },	/* no such flag */
		{ 1, 1, 128, 0 },	/* a key where n > 0, and too short */
		{ 0, 200, 128, 0 },	/* longer than the frame */
		{ 0, 1, 128, 127 },	/* a byte in the padding */
		{ 0, 1, 256, 0 },	/* not the padded size */
	};
	struct ratchet_info info;
	struct span got, m;
	uint8_t frame[256], mem[2048];

	(void)state;
	pass(a, b);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(frame, 0, sizeof(frame));
		frame[0] = bad[i].f;
		frame[1] = bad[i].len == 200 ? 0x40 : bad[i].len;
		if (bad[i].len == 200)
			frame[2] = 200;
		if (bad[i].dirt != 0)
			frame[bad[i].dirt] = 1;
		m = seal_frame(a, span_of(frame, bad[i].n), mem);
		assert_int_equal(ratchet_open(&p, b, m, W_START_MS, plain,
		    &got, &info), OK);
		assert_true(info.spoiled);
		assert_int_equal(got.n, 0);
		assert_int_equal(open(b, m, W_START_MS), ERR_DUPLICATE);
		/* a's own place is used up as well. */
		(void)seal(a, mem);
	}
	pass(a, b);
}

static void
test_ratchet_asks_for_a_rekey_in_three_turns(void **state)
{
	uint32_t epoch;

	(void)state;
	for (int i = 0; i < 6; i++)
		pass(i & 1 ? b : a, i & 1 ? a : b);
	epoch = a->h.pq.epoch;
	assert_int_equal(epoch, 2);
	/* b generates in even epochs: ek, ct, mix. */
	pqm_rekey(&b->h.pq);
	for (int i = 0; i < 5; i++)
		pass(i & 1 ? b : a, i & 1 ? a : b);
	assert_int_equal(a->h.pq.epoch, epoch + 1);
}

static void
test_ratchet_store_refuses_malformed(void **state)
{
	static uint8_t mem[8192];
	static struct ratchet r;
	struct wr w = wr_init(mem, sizeof(mem));

	(void)state;
	pass(a, b);
	assert_int_equal(ratchet_store_encode(b, &w), OK);
	assert_true(w.n <= ratchet_store_len(b));
	for (size_t n = 0; n < w.n; n++)
		assert_int_not_equal(ratchet_store_decode(span_of(mem, n), &r),
		    OK);
	wr_u8(&w, 24);
	wr_u8(&w, 0);
	assert_int_equal(ratchet_store_decode(wr_done(&w), &r),
	    ERR_UNKNOWN_CRITICAL);
	assert_int_equal(r.h.has_dhs, false);
}

/* What is counted is kept, and nothing depends on it: a record of an older
 * program has none of it. */
static void
test_ratchet_counts_turns_and_messages(void **state)
{
	static uint8_t mem[8192], old[8192];
	static struct ratchet r;
	struct wr w = wr_init(mem, sizeof(mem)), o = wr_init(old, sizeof(old));
	struct tlv t;
	struct span v;
	uint32_t tag;

	(void)state;
	for (int i = 0; i < 3; i++) {
		pass(a, b);
		pass(a, b);
		pass(b, a);
	}
	/* Each side: three chains of its own, three of the other. */
	assert_int_equal(a->h.turns, 6);
	assert_int_equal(b->h.turns, 6);
	assert_int_equal(a->h.sent, 6);
	assert_int_equal(a->h.received, 3);
	assert_int_equal(b->h.sent, 3);
	assert_int_equal(b->h.received, 6);
	assert_int_equal(ratchet_store_encode(a, &w), OK);
	assert_int_equal(ratchet_store_decode(wr_done(&w), &r), OK);
	assert_int_equal(r.h.turns, 6);
	assert_int_equal(r.h.sent, 6);
	assert_int_equal(r.h.received, 3);
	t = tlv_init(wr_done(&w));
	while (tlv_next(&t, &tag, &v))
		if (tag != 17)
			tlv_put(&o, tag, v);
	assert_true(o.n + 14 == w.n);
	assert_int_equal(ratchet_store_decode(wr_done(&o), &r), OK);
	assert_int_equal(r.h.turns, 0);
	memcpy(a, &r, sizeof(r));
	pass(a, b);
	pass(b, a);
	assert_int_equal(a->h.turns, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ratchet_responder_cannot_begin),
		TEST(test_ratchet_steps_limit),
		TEST(test_ratchet_steps_limit_over_two_chains),
		TEST(test_ratchet_skipped_keys_expire),
		TEST(test_ratchet_refuses_malformed_headers),
		TEST(test_ratchet_spends_malformed_frames),
		TEST(test_ratchet_asks_for_a_rekey_in_three_turns),
		TEST(test_ratchet_store_refuses_malformed),
		TEST(test_ratchet_counts_turns_and_messages),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	w_teardown();
	return failed;
}
