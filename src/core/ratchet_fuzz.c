/*
 * ratchet_fuzz.c: messages against a live state. The input is either taken as
 * it is, or as changes to a genuine message (its place, then a mask): nothing
 * but the genuine one opens, and a refusal changes nothing.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/test_world.h"

#define STATE_MAX 200000

static struct w_dev a, b;
static struct session *s;
static struct span genuine;
static uint8_t was[STATE_MAX];
static size_t was_n;

static struct span
state_of(uint8_t *mem)
{
	struct wr w = wr_init(mem, STATE_MAX);

	if (session_encode(s, &w) != OK)
		abort();
	return wr_done(&w);
}

static void
start(void)
{
	struct sessions_opened o;
	struct pair_key k;
	struct span m = { 0 };
	size_t i;

	w_dev_init(&a, 1, 3, 4);
	w_dev_init(&b, 2, 3, 4);
	if (w_meet(&a, &b) != OK || w_meet(&b, &a) != OK ||
	    w_initiate(&a, &b) != OK)
		abort();
	for (int n = 0; n < 3; n++) {
		if (w_seal(n & 1 ? &b : &a, n & 1 ? &a : &b, SPAN("x"), &m) !=
		    OK || w_open(n & 1 ? &a : &b, n & 1 ? &b : &a, m, &o,
		    NULL) != OK)
			abort();
		w_drop(&m);
	}
	/* Two are skipped, so that b has skipped keys after the next. */
	for (int n = 0; n < 3; n++) {
		w_drop(&m);
		if (w_seal(&a, &b, SPAN("x"), &m) != OK)
			abort();
	}
	if (w_open(&b, &a, m, &o, NULL) != OK)
		abort();
	w_drop(&m);
	if (w_seal(&a, &b, SPAN("genuine"), &genuine) != OK)
		abort();
	s = malloc(sizeof(*s));
	i = w_find(&b.st, RECORD_SESSION, pair_key(&a.addr, NULL, &k));
	if (s == NULL || session_decode(span_of(b.st.recs[i].value,
	    b.st.recs[i].n), s) != OK)
		abort();
	was_n = state_of(was).n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t msg[4096], plain[RATCHET_MSG_MAX + 1], now[STATE_MAX];
	struct ratchet_info info;
	struct span in = span_of(data, size), got;

	if (s == NULL)
		start();
	if (size > 3 && data[0] & 1) {
		size_t at = (size_t)(data[1] << 8 | data[2]) % genuine.n;

		memcpy(msg, genuine.p, genuine.n);
		for (size_t i = 3; i < size && at < genuine.n; i++)
			msg[at++] ^= data[i];
		in = span_of(msg, genuine.n);
	}
	if (in.n > RATCHET_MSG_MAX || span_eq(in, genuine))
		return 0;
	if (ratchet_open(&w_base, &s->ratchet, in, W_START_MS, plain, &got,
	    &info) == OK)
		abort();
	if (!span_eq(state_of(now), span_of(was, was_n)))
		abort();
	return 0;
}
