/*
 * content_fuzz.c: encryptedContent and key envelopes, as they are or as
 * changes to genuine ones: only the genuine pair opens. Padding is read too:
 * what is accepted pads to the same bytes.
 */
#include <stdlib.h>

#include "base/fuzz.h"
#include "core/content.h"
#include "core/pad.h"
#include "crypto/openssl.h"

static struct provider p;
static uint8_t good_c[512];
static size_t good_n;
static struct envelope good_env;
static const struct content_sender from = { { { 1 } }, 1 };
static const struct content_place place = { { { 7 } }, false };

static void
start(void)
{
	struct event e = { .kind = EVENT_TEXT, .has = EVENT_HAS_BODY,
	    .id = { { 9 } }, .conv = place.conv, .time_ms = 1,
	    .body = SPAN("genuine") };
	uint8_t record[256], nonce[GCM_NONCE_LEN];
	struct wr w = wr_init(record, sizeof(record));
	struct wr c = wr_init(good_c, sizeof(good_c));

	if (openssl_provider_open(&p) != OK || event_encode(&e, &w) != OK ||
	    content_seal(&p, &place, &from, wr_done(&w), &c, &good_env,
	    nonce) != OK)
		abort();
	good_n = c.n;
}

static void
check_padding(struct span in)
{
	static uint8_t mem[1 << 17];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span x;

	if (in.n > sizeof(mem) || pad_read(in, &x) != OK)
		return;
	if (pad_write(&w, x) != OK || !span_eq(wr_done(&w), in))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t plain[CONTENT_LEN_MAX + 1];
	uint8_t c[sizeof(good_c)];
	struct envelope env;
	struct event e;
	bool changed = false;

	if (p.random == NULL)
		start();
	check_padding(span_of(data, size));
	if (size > ENVELOPE_LEN && size < CONTENT_LEN_MAX &&
	    content_open(&p, &place, &from, span_sub(span_of(data, size),
	    ENVELOPE_LEN, size), span_of(data, ENVELOPE_LEN), plain, &e) ==
	    OK && e.kind == 0)
		abort();
	memcpy(c, good_c, good_n);
	env = good_env;
	for (size_t i = 0; i + 2 < size && i < 30; i += 3) {
		size_t at = (size_t)(data[i] << 8 | data[i + 1]) %
		    (good_n + ENVELOPE_LEN);

		if (at < good_n)
			c[at] ^= data[i + 2];
		else
			env.b[at - good_n] ^= data[i + 2];
	}
	changed = memcmp(c, good_c, good_n) != 0 ||
	    memcmp(env.b, good_env.b, ENVELOPE_LEN) != 0;
	if (changed == (content_open(&p, &place, &from, span_of(c, good_n),
	    SPAN_OF(env.b), plain, &e) == OK))
		abort();
	return 0;
}
