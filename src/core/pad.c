/*
 * pad.c: padding, see pad.h.
 */
#include "core/pad.h"

static size_t
log2_floor(size_t n)
{
	size_t e = 0;

	while (n >>= 1)
		e++;
	return e;
}

static size_t
round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

size_t
pad_size(size_t n)
{
	size_t e, s;

	if (n <= 1024)
		return round_up(n, 128);
	if (n <= 4096)
		return round_up(n, 256);
	/* Padmé (docs/protocol.md, Padding): E - S low bits become zero. */
	e = log2_floor(n);
	s = log2_floor(e) + 1;
	return round_up(n, (size_t)1 << (e - s));
}

size_t
pad_len(size_t n)
{
	return pad_size(varint_len((uint32_t)n) + n);
}

enum err
pad_write(struct wr *w, struct span x)
{
	size_t used;

	if (x.n >= 1u << 30)
		return ERR_TOO_LARGE;
	used = varint_len((uint32_t)x.n) + x.n;
	wr_varint(w, (uint32_t)x.n);
	wr_span(w, x);
	wr_zeros(w, pad_size(used) - used);
	return wr_ok(w) ? OK : ERR_SPACE;
}

bool
pad_ends(struct rd *r, size_t total)
{
	size_t left = r->n;
	struct span zeros = rd_rest(r);
	uint8_t any = 0;

	if (r->bad || left > total || pad_size(total - left) != total)
		return false;
	for (size_t i = 0; i < zeros.n; i++)
		any |= zeros.p[i];
	return any == 0;
}

enum err
pad_read(struct span padded, struct span *x_out)
{
	struct rd r = rd_init(padded);
	uint32_t n = rd_varint(&r);
	struct span x = rd_span(&r, n);

	if (!pad_ends(&r, padded.n))
		return ERR_FORMAT;
	*x_out = x;
	return OK;
}
