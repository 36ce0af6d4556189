/*
 * json_put.c: writing JSON over struct wr. See json.h.
 */
#include "base/text.h"
#include "wire/json.h"

#define ONES 0x0101010101010101ULL
#define TOPS 0x8080808080808080ULL

/* How many bytes at p[n] are written as they are: not ", \ or control. */
static size_t
verbatim_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8) {
		uint64_t v, q, b;

		memcpy(&v, &p[i], 8);
		q = v ^ ONES * '"';
		b = v ^ ONES * '\\';
		if ((((v - ONES * 0x20) & ~v) | ((q - ONES) & ~q) |
		    ((b - ONES) & ~b)) & TOPS)
			break;
	}
	while (i < n && p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
		i++;
	return i;
}

/* The letter of a two-character escape, or 0. */
static uint8_t
short_escape(uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

void
json_put_escaped(struct wr *w, struct span text)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < text.n; i++) {
		size_t run = verbatim_run(&text.p[i], text.n - i);
		uint8_t c;

		wr_bytes(w, &text.p[i], run);
		i += run;
		if (i == text.n)
			return;
		c = short_escape(text.p[i]);
		wr_str(w, c != 0 ? "\\" : "\\u00");
		if (c != 0) {
			wr_u8(w, c);
		} else {
			wr_u8(w, (uint8_t)hex[text.p[i] >> 4]);
			wr_u8(w, (uint8_t)hex[text.p[i] & 15]);
		}
	}
}

void
json_put_str(struct wr *w, struct span text)
{
	wr_u8(w, '"');
	json_put_escaped(w, text);
	wr_u8(w, '"');
}

size_t
json_put_len(struct span text)
{
	size_t n = 2 + text.n;

	for (size_t i = 0; i < text.n; i++) {
		i += verbatim_run(&text.p[i], text.n - i);
		if (i < text.n)
			n += short_escape(text.p[i]) != 0 ? 1 : 5;
	}
	return n;
}

void
json_put_name(struct wr *w, const char *name)
{
	json_put_str(w, span_str(name));
	wr_u8(w, ':');
}

void
json_put_id(struct wr *w, const uint8_t id[static ID_LEN])
{
	char text[ID_TEXT_LEN + 1];

	id_encode(id, text);
	wr_u8(w, '"');
	wr_bytes(w, text, ID_TEXT_LEN);
	wr_u8(w, '"');
}

void
json_put_time(struct wr *w, uint64_t unix_ms)
{
	char text[TIME_TEXT_LEN + 1];

	time_encode(unix_ms, text);
	wr_u8(w, '"');
	wr_bytes(w, text, TIME_TEXT_LEN);
	wr_u8(w, '"');
}

void
json_put_u64(struct wr *w, uint64_t v)
{
	wr_dec(w, v);
}

void
json_put_bool(struct wr *w, bool v)
{
	wr_str(w, v ? "true" : "false");
}

void
json_put_b64(struct wr *w, struct span bytes)
{
	uint8_t *p;

	wr_u8(w, '"');
	p = wr_room(w, BASE64_LEN(bytes.n));
	if (p != NULL)
		(void)base64_encode(bytes, (char *)p);
	wr_u8(w, '"');
}

enum err
json_put_begin(struct buf *b, size_t room, struct wr *wr_out)
{
	TRY(buf_reserve(b, room));
	*wr_out = wr_init(b->p == NULL ? NULL : &b->p[b->n], room);
	return OK;
}

enum err
json_put_end(struct buf *b, const struct wr *w)
{
	if (!wr_ok(w))
		return ERR_TOO_LARGE;
	b->n += w->n;
	return OK;
}
