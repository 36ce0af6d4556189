/*
 * deflate.c: see deflate.h.
 *
 * Implementation notes. A message's payload is what a sync flush gives,
 * without the empty stored block's 00 00 ff ff at its end, which the reader
 * adds again. zlib makes no raw stream of 256 bytes' window, but its matches
 * lie at most 2^bits - 262 bytes back (MAX_DIST in its deflate.h), so with 9
 * bits at most 250: that suits a peer that asks for 8 bits.
 */
#define ZLIB_CONST
#include <zlib.h>

#include "wire/deflate.h"
#include "wire/http.h"
#include "wire/ws_ext.h"

#define BITS_LEAST 8		/* RFC 7692 7.1.2 */
#define ZLIB_BITS_LEAST 9
#define LEVEL 4			/* zlib's cheapest with lazy matching */
#define PIECE_MAX (1U << 30)	/* what a call of zlib's is given */
#define TAIL_LEN 4

static const uint8_t tail[TAIL_LEN] = { 0x00, 0x00, 0xff, 0xff };

/* --------------------------------------------------------- negotiation -- */

/* One offer as it is read. */
struct offer {
	struct deflate_params p;
	bool ours;		/* permessage-deflate */
	bool bad;		/* declined */
	bool has_server_bits, has_client_bits;
	bool client_bits_value;
};

/* RFC 7692 7.1.2: decimal, no leading zeros, 8 to 15. */
static bool
bits_value(const struct ws_ext *x, uint8_t *out)
{
	uint64_t v;

	if (x->value_n > 2 || !span_u64(span_of(x->value, x->value_n),
	    DEFLATE_BITS_MAX, &v) || v < BITS_LEAST)
		return false;
	*out = (uint8_t)v;
	return true;
}

/* A parameter without value that may be there once. */
static bool
flag(const struct ws_ext *x, bool *seen)
{
	bool ok = !*seen && !x->has_value;

	*seen = true;
	return ok;
}

static bool
take_param(struct offer *o, const struct ws_ext *x)
{
	if (span_eq(x->name, SPAN("server_no_context_takeover")))
		return flag(x, &o->p.server_no_takeover);
	if (span_eq(x->name, SPAN("client_no_context_takeover")))
		return flag(x, &o->p.client_no_takeover);
	if (span_eq(x->name, SPAN("server_max_window_bits"))) {
		if (o->has_server_bits)
			return false;
		o->has_server_bits = true;
		return x->has_value && bits_value(x, &o->p.server_bits);
	}
	if (span_eq(x->name, SPAN("client_max_window_bits"))) {
		if (o->has_client_bits)
			return false;
		o->has_client_bits = true;
		o->client_bits_value = x->has_value;
		return !x->has_value || bits_value(x, &o->p.client_bits);
	}
	return false;
}

/* What becomes of an offer with windows of at most `bits`. */
static struct deflate_params
agree(const struct offer *o, uint8_t bits)
{
	struct deflate_params p = o->p;

	if (p.server_bits > bits)
		p.server_bits = bits;
	/* 7.1.2.1: who asks is told; who does not inflates anything. */
	p.say_server_bits = o->has_server_bits;
	/* 7.1.2.2: only who says that it can may be asked to. */
	if (o->has_client_bits && p.client_bits > bits)
		p.client_bits = bits;
	p.say_client_bits = o->has_client_bits &&
	    (o->client_bits_value || p.client_bits < DEFLATE_BITS_MAX);
	return p;
}

enum err
deflate_choose(const struct http_msg *m, unsigned bits,
    struct deflate_params *out)
{
	struct offer o = { .ours = false };
	struct deflate_params found;
	enum ws_ext_ev ev;
	bool any = false;
	struct ws_ext x;

	ws_ext_init(&x, m);
	do {
		ev = ws_ext_next(&x);
		if (ev == WS_EXT_PARAM) {
			if (o.ours && !take_param(&o, &x))
				o.bad = true;
			continue;
		}
		if (o.ours && !o.bad && !any) {
			any = true;
			found = agree(&o, (uint8_t)bits);
		}
		o = (struct offer){ .p = { .server_bits = DEFLATE_BITS_MAX,
		    .client_bits = DEFLATE_BITS_MAX },
		    .ours = ev == WS_EXT_NAME && span_eq(x.name,
		    SPAN("permessage-deflate")) };
	} while (ev > WS_EXT_BAD);
	if (ev == WS_EXT_BAD)
		return ERR_FORMAT;
	if (!any)
		return ERR_NOT_FOUND;
	*out = found;
	return OK;
}

void
deflate_put_answer(struct wr *w, const struct deflate_params *p)
{
	wr_str(w, "Sec-WebSocket-Extensions: permessage-deflate");
	if (p->server_no_takeover)
		wr_str(w, "; server_no_context_takeover");
	if (p->client_no_takeover)
		wr_str(w, "; client_no_context_takeover");
	if (p->say_server_bits) {
		wr_str(w, "; server_max_window_bits=");
		wr_dec(w, p->server_bits);
	}
	if (p->say_client_bits) {
		wr_str(w, "; client_max_window_bits=");
		wr_dec(w, p->client_bits);
	}
	wr_str(w, "\r\n");
}

/* ------------------------------------------------------------- streams -- */

struct deflate_in {
	z_stream z;
	const struct deflate_mem *mem;
	uint8_t tail_n;		/* of the tail that was taken */
	bool full;		/* the last call has filled its room */
	bool between;		/* two blocks, as of what was read */
};

struct deflate_out {
	z_stream z;
	const struct deflate_mem *mem;
};

static voidpf
z_get(voidpf opaque, uInt items, uInt size)
{
	const struct deflate_mem *m = opaque;

	if (size != 0 && items > UINT32_MAX / size)
		return NULL;
	return m->get(m->arg, (size_t)items * size);
}

static void
z_put(voidpf opaque, voidpf p)
{
	const struct deflate_mem *m = opaque;

	m->put(m->arg, p);
}

/* zlib keeps the allocator's argument without const. */
static void
z_init(z_stream *z, const struct deflate_mem **keep,
    const struct deflate_mem *mem)
{
	memset(z, 0, sizeof *z);
	z->zalloc = z_get;
	z->zfree = z_put;
	memcpy(&z->opaque, &mem, sizeof mem);
	*keep = mem;
}

static int
z_bits(unsigned bits)
{
	return -(int)(bits < ZLIB_BITS_LEAST ? ZLIB_BITS_LEAST : bits);
}

enum err
deflate_in_open(struct deflate_in **out, const struct deflate_mem *mem,
    unsigned bits)
{
	struct deflate_in *d = mem->get(mem->arg, sizeof *d);

	if (d == NULL)
		return ERR_NOMEM;
	d->tail_n = 0;
	d->full = d->between = false;
	z_init(&d->z, &d->mem, mem);
	if (inflateInit2(&d->z, z_bits(bits)) != Z_OK) {
		mem->put(mem->arg, d);
		return ERR_NOMEM;
	}
	*out = d;
	return OK;
}

void
deflate_in_close(struct deflate_in *d)
{
	if (d == NULL)
		return;
	(void)inflateEnd(&d->z);
	d->mem->put(d->mem->arg, d);
}

void
deflate_in_reset(struct deflate_in *d)
{
	(void)inflateReset(&d->z);
	d->tail_n = 0;
	d->full = d->between = false;
}

/*
 * One call of zlib's. A block that says it is the last one (RFC 7692 7.2.3.4)
 * ends nothing: another may follow. zlib.h, inflate: data_type has the number
 * of unused bits in its low six, and 128 between two blocks, where a whole
 * message ends; a call that gets no further forgets that.
 */
static enum err
step(struct deflate_in *d, const uint8_t *p, uInt n)
{
	int got;

	d->z.next_in = p;
	d->z.avail_in = n;
	got = inflate(&d->z, Z_SYNC_FLUSH);
	if (got == Z_BUF_ERROR)
		return OK;
	d->between = got == Z_OK && (d->z.data_type & (128 | 63)) == 128;
	if (got == Z_STREAM_END)
		got = inflateResetKeep(&d->z);
	if (got == Z_MEM_ERROR)
		return ERR_NOMEM;
	return got == Z_OK ? OK : ERR_FORMAT;
}

/* As much of s as goes: up to its end or that of the room. */
static enum err
inflate_some(struct deflate_in *d, struct span *s)
{
	while (s->n > 0 && d->z.avail_out > 0) {
		uInt n = s->n > PIECE_MAX ? PIECE_MAX : (uInt)s->n;

		TRY(step(d, s->p, n));
		*s = span_sub(*s, n - d->z.avail_in, s->n);
	}
	return OK;
}

enum err
deflate_in_read(struct deflate_in *d, struct span *in, bool last,
    uint8_t *out, size_t room, size_t *n_out)
{
	uInt cap = room > PIECE_MAX ? PIECE_MAX : (uInt)room;
	struct span t;

	*n_out = 0;
	d->z.next_out = out;
	d->z.avail_out = cap;
	/* All input was taken, but there was no room for what it gives. */
	if (in->n == 0 && d->full)
		TRY(step(d, tail, 0));
	TRY(inflate_some(d, in));
	if (in->n == 0 && last) {
		t = span_sub(SPAN_OF(tail), d->tail_n, TAIL_LEN);
		TRY(inflate_some(d, &t));
		d->tail_n = (uint8_t)(TAIL_LEN - t.n);
	}
	*n_out = cap - d->z.avail_out;
	d->full = d->z.avail_out == 0;
	if (last && in->n == 0 && !d->full) {
		if (!d->between)
			return ERR_FORMAT;
		d->tail_n = 0;
	}
	return OK;
}

enum err
deflate_out_open(struct deflate_out **out, const struct deflate_mem *mem,
    unsigned bits)
{
	struct deflate_out *d = mem->get(mem->arg, sizeof *d);

	if (d == NULL)
		return ERR_NOMEM;
	z_init(&d->z, &d->mem, mem);
	/* Tables as large as the window: memLevel 8 at 15 bits. */
	if (deflateInit2(&d->z, LEVEL, Z_DEFLATED, z_bits(bits),
	    -z_bits(bits) - 7, Z_DEFAULT_STRATEGY) != Z_OK) {
		mem->put(mem->arg, d);
		return ERR_NOMEM;
	}
	*out = d;
	return OK;
}

void
deflate_out_close(struct deflate_out *d)
{
	if (d == NULL)
		return;
	(void)deflateEnd(&d->z);
	d->mem->put(d->mem->arg, d);
}

size_t
deflate_out_bound(struct deflate_out *d, size_t n)
{
	/* What is pending of a byte, and the flush's empty block. */
	return deflateBound(&d->z, n) + 16;
}

enum err
deflate_out_write(struct deflate_out *d, struct span in, uint8_t *out,
    size_t room, size_t *n_out)
{
	size_t n = 0;

	/* 7.2.3.6: nothing at all is one byte, an empty block's first. */
	if (in.n == 0) {
		if (room == 0)
			return ERR_TOO_LARGE;
		out[0] = 0;
		*n_out = 1;
		return OK;
	}
	do {
		uInt k = in.n > PIECE_MAX ? PIECE_MAX : (uInt)in.n;
		uInt cap = room - n > PIECE_MAX ? PIECE_MAX :
		    (uInt)(room - n);

		d->z.next_in = in.p;
		d->z.avail_in = k;
		d->z.next_out = &out[n];
		d->z.avail_out = cap;
		if (deflate(&d->z, in.n > PIECE_MAX ? Z_NO_FLUSH :
		    Z_SYNC_FLUSH) != Z_OK || d->z.avail_out == 0)
			return ERR_TOO_LARGE;
		n += cap - d->z.avail_out;
		in = span_sub(in, k, in.n);
	} while (in.n > 0);
	/* 7.2.1: without the tail, which the flush has written. */
	if (n < TAIL_LEN || memcmp(&out[n - TAIL_LEN], tail, TAIL_LEN) != 0)
		return ERR_TOO_LARGE;
	*n_out = n - TAIL_LEN;
	return OK;
}

void
deflate_out_reset(struct deflate_out *d)
{
	(void)deflateReset(&d->z);
}
