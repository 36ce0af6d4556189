/*
 * record_fuzz.c: what a peer can put into records, genuine and not. Laws:
 * data that was sealed is opened as it was, and what is not genuine is never
 * opened; the pieces that content is sealed from make no difference; a
 * message is judged the same whole and in records of one byte.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "net/record.h"

static struct record_engine *engine;
static uint8_t wire[RECORD_MAX], twin[RECORD_MAX];

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
start(struct record *peer, struct record *a, struct record *b, uint8_t pick)
{
	static const uint8_t x[48] = { 1 }, y[48] = { 2 };
	uint16_t suite = (uint16_t)(0x1301 + pick % 3);
	size_t n = suite == RECORD_AES_256_GCM_SHA384 ? 48 : 32;

	must(record_init(peer, engine, suite, span_of(x, n), span_of(y, n),
	    0, 0) == OK);
	must(record_init(a, engine, suite, span_of(y, n), span_of(x, n), 0,
	    0) == OK);
	*b = *a;
	b->in.id = b->out.id = 0;
}

/* Seals s whole and in two pieces: the same record. Its length. */
static size_t
seal(struct record *peer, uint8_t type, struct span s, size_t cut)
{
	struct sys_iov one = { s.p, s.n };
	struct sys_iov two[2] = { { s.p, cut }, { s.p + cut, s.n - cut } };
	struct record again = *peer;
	size_t n, m;

	again.in.id = again.out.id = 0;
	must(record_seal(peer, engine, (enum record_type)type, &one, 1, wire,
	    &n) == OK);
	must(record_seal(&again, engine, (enum record_type)type, two, 2,
	    twin, &m) == OK);
	must(n == m && memcmp(wire, twin, n) == 0);
	return n;
}

/* Bytes as they come: nobody without the key gets anything opened. */
static void
try_raw(struct record *r, const uint8_t *p, size_t n)
{
	struct span s;
	size_t want;

	while (n >= RECORD_HEAD) {
		if (record_length(r, p, &want) != OK || want > n)
			return;
		memcpy(wire, p, want);
		must(record_open(r, engine, wire, want, &s) == RECORD_IS_BAD);
		must(r->alert == ALERT_BAD_RECORD_MAC);
		p += want;
		n -= want;
	}
}

/* The same handshake bytes in records of one byte; how it ends. */
static enum record_is
in_pieces(struct record *peer, struct record *r, struct span s)
{
	enum record_is is = RECORD_IS_OURS;
	struct span got;

	for (size_t i = 0; i < s.n && is == RECORD_IS_OURS; i++) {
		size_t n = seal(peer, RECORD_HANDSHAKE, span_sub(s, i, 1), 0);

		is = record_open(r, engine, wire, n, &got);
	}
	return is;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record peer, pieces_peer, a, b;
	struct span s, got;
	enum record_is is;
	uint8_t type;
	size_t n;

	if (size < 3)
		return 0;
	if (engine == NULL)
		must(record_engine_new(&engine) == OK);
	s = span_of(data + 3, size - 3 > 2000 ? 2000 : size - 3);
	start(&peer, &a, &b, data[0]);
	pieces_peer = peer;
	type = data[1] < 200 ? (uint8_t)(21 + data[1] % 3) : data[1];
	try_raw(&b, data + 1, size - 1);
	b = a;
	b.in.id = b.out.id = 0;
	n = seal(&peer, type, s, data[2] % (s.n + 1));
	is = record_open(&a, engine, wire, n, &got);
	if (type == RECORD_DATA)
		must(is == RECORD_IS_DATA && span_cmp(got, s) == 0);
	else if (type != 0)	/* a type of 0 is padding: content decides */
		must(is != RECORD_IS_DATA);
	/* A message that ends in the middle of a record is told apart. */
	if (type == RECORD_HANDSHAKE && s.n > 0 && s.n <= 5)
		must(in_pieces(&pieces_peer, &b, s) == is &&
		    a.alert == b.alert && a.owe_update == b.owe_update);
	record_fini(&a, engine);
	record_fini(&b, engine);
	record_fini(&peer, engine);
	record_fini(&pieces_peer, engine);
	return 0;
}
