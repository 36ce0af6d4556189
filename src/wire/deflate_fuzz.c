/*
 * deflate_fuzz.c: laws of permessage-deflate. (1) However a message is split,
 * and however little room there is, the same text or refusal comes of it.
 * (2) What was inflated, deflated again with any window, inflates to the same.
 * (3) An answer's parameters, offered, are answered by the same.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/deflate.h"
#include "wire/http.h"

#define TEXT_MAX (1 << 16)

struct result {
	uint8_t p[TEXT_MAX];
	size_t n;
	enum err err;
};

static struct result whole, split, again;

static void *
get(void *arg, size_t n)
{
	(void)arg;
	return malloc(n);
}

static void
put(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static const struct deflate_mem mem = { get, put, NULL };

/* One piece of a message; true while all is well. */
static bool
take(struct deflate_in *d, struct span piece, bool last, size_t room,
    struct result *r)
{
	size_t cap, n;

	do {
		cap = sizeof r->p - r->n;
		if (cap == 0) {		/* a bomb: enough is seen */
			r->err = ERR_TOO_LARGE;
			return false;
		}
		cap = room < cap ? room : cap;
		r->err = deflate_in_read(d, &piece, last, &r->p[r->n], cap,
		    &n);
		if (r->err != OK)
			return false;
		r->n += n;
	} while (piece.n > 0 || n == cap);
	return true;
}

static void
unpack(struct span in, unsigned bits, size_t each, size_t room,
    struct result *r)
{
	struct deflate_in *d;
	size_t at = 0;

	r->n = 0;
	if (deflate_in_open(&d, &mem, bits) != OK)
		abort();
	do {
		struct span piece = span_sub(in, at, each);

		at += piece.n;
		if (!take(d, piece, at == in.n, room, r))
			break;
	} while (at < in.n);
	deflate_in_close(d);
}

static void
check_streams(struct span in, unsigned bits, size_t each, size_t room)
{
	static uint8_t packed[2 * TEXT_MAX];
	struct deflate_out *o;
	size_t n;

	unpack(in, 15, in.n + 1, TEXT_MAX, &whole);
	unpack(in, 15, each, room, &split);
	if (whole.err != split.err)
		abort();
	if (whole.err != OK)
		return;
	if (whole.n != split.n || memcmp(whole.p, split.p, whole.n) != 0)
		abort();
	if (deflate_out_open(&o, &mem, bits) != OK ||
	    deflate_out_bound(o, whole.n) > sizeof packed ||
	    deflate_out_write(o, span_of(whole.p, whole.n), packed,
	    deflate_out_bound(o, whole.n), &n) != OK)
		abort();
	deflate_out_close(o);
	unpack(span_of(packed, n), bits, each, room, &again);
	if (again.err != OK || again.n != whole.n ||
	    memcmp(again.p, whole.p, whole.n) != 0)
		abort();
}

/* The value of the extension field that answers an offer; empty: none. */
static struct span
answer(struct span offer, uint8_t *text, size_t cap)
{
	static const char name[] = "Sec-WebSocket-Extensions: ";
	struct wr w = wr_init(text, cap);
	static struct http_msg m;
	struct deflate_params p;

	m.field[0] = (struct http_field){ SPAN("sec-websocket-extensions"),
	    offer };
	m.field_n = 1;
	if (deflate_choose(&m, 12, &p) != OK)
		return (struct span){ NULL, 0 };
	deflate_put_answer(&w, &p);
	if (!wr_ok(&w) || p.server_bits > 12 || p.server_bits < 8 ||
	    p.client_bits < 8 || p.client_bits > 15)
		abort();
	return span_sub(wr_done(&w), sizeof name - 1, w.n - sizeof name - 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t one[256], two[256];
	struct span in, a, b;

	if (size < 3 || size > 4096)
		return 0;
	in = span_of(&data[3], size - 3);
	if (data[0] & 0x80) {
		a = answer(in, one, sizeof one);
		b = answer(a, two, sizeof two);
		if (!span_eq(a, b))
			abort();
		return 0;
	}
	check_streams(in, 8 + (data[0] & 7), (size_t)data[1] + 1,
	    (size_t)data[2] + 1);
	return 0;
}
