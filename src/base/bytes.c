/*
 * bytes.c: spans, cursors, growing buffers, wiping and constant-time compare:
 * exports span_*, rd_*, wr_*, buf_*, varint_len, wipe, ct_eq.
 */
#include "base/bytes.h"

#include <stdlib.h>

struct span
span_sub(struct span s, size_t from, size_t n)
{
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return span_of(s.p == NULL ? NULL : s.p + from, n);
}

bool
span_starts(struct span s, struct span head)
{
	return s.n >= head.n && span_eq(span_of(s.p, head.n), head);
}

size_t
span_find(struct span s, uint8_t c)
{
	const uint8_t *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.n;
}

int
span_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

	if (d != 0)
		return d;
	return (a.n > b.n) - (a.n < b.n);
}

static uint8_t
ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool
span_eq_nocase(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	}
	return true;
}

bool
span_u64(struct span s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 20 || (s.n > 1 && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint64_t digit = (uint64_t)s.p[i] - '0';

		if (digit > 9 || v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v > max)
		return false;
	*out = v;
	return true;
}

/* The next n bytes, or NULL with the cursor gone bad. */
static const uint8_t *
rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || n > r->n) {
		r->bad = true;
		return NULL;
	}
	if (n > 0)
		r->p += n;
	r->n -= n;
	return p;
}

static uint64_t
rd_uint(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);
	uint64_t v = 0;

	for (size_t i = 0; p != NULL && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

uint8_t
rd_u8(struct rd *r)
{
	return (uint8_t)rd_uint(r, 1);
}

uint16_t
rd_u16(struct rd *r)
{
	return (uint16_t)rd_uint(r, 2);
}

uint32_t
rd_u32(struct rd *r)
{
	return (uint32_t)rd_uint(r, 4);
}

uint64_t
rd_u64(struct rd *r)
{
	return rd_uint(r, 8);
}

uint32_t
rd_varint(struct rd *r)
{
	uint32_t v, len;

	if (r->bad || r->n == 0) {
		r->bad = true;
		return 0;
	}
	len = 1U << (r->p[0] >> 6);	/* RFC 9000 16: top bits give 1,2,4,8 */
	if (len > 4) {
		r->bad = true;
		return 0;
	}
	v = (uint32_t)rd_uint(r, len) & (uint32_t)((1ULL << (8 * len - 2)) - 1);
	if (r->bad || varint_len(v) != len) {
		r->bad = true;
		return 0;
	}
	return v;
}

void
rd_bytes(struct rd *r, void *out, size_t n)
{
	const uint8_t *p = rd_take(r, n);

	if (n == 0)
		return;
	if (p != NULL)
		memcpy(out, p, n);
	else
		memset(out, 0, n);
}

struct span
rd_span(struct rd *r, size_t n)
{
	const uint8_t *p = rd_take(r, n);

	return p != NULL ? span_of(p, n) : span_of(NULL, 0);
}

struct span
rd_vec16(struct rd *r)
{
	return rd_span(r, rd_u16(r));
}

struct span
rd_vec32(struct rd *r)
{
	return rd_span(r, rd_u32(r));
}

struct span
rd_rest(struct rd *r)
{
	return rd_span(r, r->n);
}

bool
rd_done(const struct rd *r)
{
	return !r->bad && r->n == 0;
}

uint8_t *
wr_room(struct wr *w, size_t n)
{
	uint8_t *p;

	if (w->bad || n > w->cap - w->n) {
		w->bad = true;
		return NULL;
	}
	p = w->p != NULL ? w->p + w->n : NULL;
	w->n += n;
	return p;
}

static void
wr_uint(struct wr *w, uint64_t v, size_t n)
{
	uint8_t *p = wr_room(w, n);

	for (size_t i = 0; p != NULL && i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

void
wr_u8(struct wr *w, uint8_t v)
{
	wr_uint(w, v, 1);
}

void
wr_u16(struct wr *w, uint16_t v)
{
	wr_uint(w, v, 2);
}

void
wr_u32(struct wr *w, uint32_t v)
{
	wr_uint(w, v, 4);
}

void
wr_u64(struct wr *w, uint64_t v)
{
	wr_uint(w, v, 8);
}

size_t
varint_len(uint32_t v)
{
	return v < 1U << 6 ? 1 : v < 1U << 14 ? 2 : 4;
}

void
wr_varint(struct wr *w, uint32_t v)
{
	size_t n = varint_len(v);

	if (v >= 1U << 30) {
		w->bad = true;
		return;
	}
	/* The two top bits are log2 of the length. */
	wr_uint(w, v | (uint64_t)(n / 2) << (8 * n - 2), n);
}

void
wr_bytes(struct wr *w, const void *p, size_t n)
{
	uint8_t *to = wr_room(w, n);

	if (to != NULL && n > 0)
		memcpy(to, p, n);
}

void
wr_span(struct wr *w, struct span s)
{
	wr_bytes(w, s.p, s.n);
}

void
wr_zeros(struct wr *w, size_t n)
{
	uint8_t *to = wr_room(w, n);

	if (to != NULL && n > 0)
		memset(to, 0, n);
}

void
wr_vec16(struct wr *w, struct span s)
{
	if (s.n > UINT16_MAX)
		w->bad = true;
	wr_u16(w, (uint16_t)s.n);
	wr_span(w, s);
}

void
wr_vec32(struct wr *w, struct span s)
{
	if (s.n > UINT32_MAX)
		w->bad = true;
	wr_u32(w, (uint32_t)s.n);
	wr_span(w, s);
}

void
wr_dec(struct wr *w, uint64_t v)
{
	uint8_t digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	wr_bytes(w, digits + at, sizeof(digits) - at);
}

void
wr_str(struct wr *w, const char *s)
{
	wr_bytes(w, s, strlen(s));
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ NULL, 0, 0, max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ NULL, 0, 0, b->max };
}

enum err
buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap > 0 ? b->cap : 256;
	uint8_t *p;

	if (more > b->max || b->n > b->max - more)
		return ERR_TOO_LARGE;
	if (b->n + more <= b->cap)
		return OK;
	while (cap < b->n + more && cap <= b->max / 2)
		cap *= 2;
	if (cap < b->n + more || cap > b->max)
		cap = b->max;
	p = realloc(b->p, cap);
	if (p == NULL)
		return ERR_NOMEM;
	b->p = p;
	b->cap = cap;
	return OK;
}

enum err
buf_add(struct buf *b, const void *p, size_t n)
{
	TRY(buf_reserve(b, n));
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return OK;
}

enum err
buf_add_span(struct buf *b, struct span s)
{
	return buf_add(b, s.p, s.n);
}

enum err
buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
}

void
wipe(void *p, size_t n)
{
	if (n == 0)
		return;
	memset(p, 0, n);
	/* The compiler has to believe that somebody reads the zeros. */
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

bool
ct_eq(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t d = 0;

	for (size_t i = 0; i < n; i++)
		d |= (uint8_t)(x[i] ^ y[i]);
	return d == 0;
}
