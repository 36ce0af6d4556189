/*
 * http_chunk.c: the chunked transfer coding (RFC 9112 7.1), read to the letter
 * of its grammar: what is not in it is refused, since two readers could take
 * it differently. Extensions and trailers are checked, counted and dropped.
 */
#include "wire/http_in.h"

#define DIGITS_MAX 16		/* of a size; leading zeros too */
#define SIZE_MAX_BITS 62	/* larger ones are refused at once */

enum state {
	C_SIZE,			/* chunk-size */
	C_SIZE_SPACE,		/* white space before ';' (BWS) */
	C_EXT,			/* before the name of an extension */
	C_EXT_NAME,
	C_EXT_SPACE,		/* BWS behind it: '=' or ';' follows */
	C_EXT_IS,		/* behind '=' */
	C_EXT_VALUE,
	C_EXT_QUOTED,
	C_EXT_ESCAPED,
	C_EXT_DONE,		/* behind a quoted value */
	C_EXT_NEXT,		/* BWS behind a value: ';' follows */
	C_SIZE_LF,
	C_DATA,
	C_DATA_CR,
	C_DATA_LF,
	C_LINE,			/* the beginning of a trailer, or the end */
	C_NAME,
	C_VALUE,
	C_LINE_LF,
	C_END_LF,
};

/* RFC 9110 6.5.1: what would change how the message is read. */
static const char *const barred[] = { "content-length", "host",
    "transfer-encoding" };

void
http_chunk_init(struct http_chunks *c)
{
	*c = (struct http_chunks){ .state = C_SIZE };
}

static int
hex_of(uint8_t b)
{
	if (b >= '0' && b <= '9')
		return b - '0';
	b |= 0x20;
	return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

static bool
is_token(uint8_t b)
{
	return (http_head_class[b] & HTTP_CH_TOKEN) != 0;
}

static bool
is_space(uint8_t b)
{
	return b == ' ' || b == '\t';
}

/* A digit of the size, or what may stand behind it. */
static bool
take_size(struct http_chunks *c, uint8_t b)
{
	int digit = hex_of(b);

	if (digit >= 0) {
		if (c->digits == DIGITS_MAX ||
		    c->left >> (SIZE_MAX_BITS - 4) != 0)
			return false;
		c->digits++;
		c->left = c->left << 4 | (uint64_t)digit;
		return true;
	}
	if (c->digits == 0)
		return false;
	if (b == '\r')
		c->state = C_SIZE_LF;
	else if (b == ';')
		c->state = C_EXT;
	else if (is_space(b))
		c->state = C_SIZE_SPACE;
	else
		return false;
	return true;
}

/* Behind a whole extension. */
static bool
end_ext(struct http_chunks *c, uint8_t b, enum state space)
{
	if (b == '\r')
		c->state = C_SIZE_LF;
	else if (b == ';')
		c->state = C_EXT;
	else if (is_space(b))
		c->state = (uint8_t)space;
	else
		return false;
	return true;
}

/* RFC 9112 7.1.1: a byte of the extensions. */
static bool
take_ext(struct http_chunks *c, uint8_t b)
{
	switch ((enum state)c->state) {
	case C_SIZE_SPACE:
	case C_EXT_NEXT:
		if (b == ';')
			c->state = C_EXT;
		return b == ';' || is_space(b);
	case C_EXT:
		if (is_token(b))
			c->state = C_EXT_NAME;
		return is_token(b) || is_space(b);
	case C_EXT_NAME:
	case C_EXT_SPACE:
		if (c->state == C_EXT_NAME && is_token(b))
			return true;
		if (b == '=') {
			c->state = C_EXT_IS;
			return true;
		}
		if (b == '\r' && c->state == C_EXT_SPACE)
			return false;
		return end_ext(c, b, C_EXT_SPACE);
	case C_EXT_IS:
		if (b == '"')
			c->state = C_EXT_QUOTED;
		else if (is_token(b))
			c->state = C_EXT_VALUE;
		return b == '"' || is_token(b) || is_space(b);
	case C_EXT_VALUE:
		return is_token(b) || end_ext(c, b, C_EXT_NEXT);
	case C_EXT_QUOTED:
		if (b == '"')
			c->state = C_EXT_DONE;
		else if (b == '\\')
			c->state = C_EXT_ESCAPED;
		return (http_head_class[b] & HTTP_CH_VALUE) != 0;
	case C_EXT_ESCAPED:
		c->state = C_EXT_QUOTED;
		return (http_head_class[b] & HTTP_CH_VALUE) != 0;
	case C_EXT_DONE:
		return end_ext(c, b, C_EXT_NEXT);
	case C_SIZE: case C_SIZE_LF: case C_DATA: case C_DATA_CR:
	case C_DATA_LF: case C_LINE: case C_NAME: case C_VALUE:
	case C_LINE_LF: case C_END_LF:
		break;
	}
	return false;
}

#define BARRED_N (sizeof barred / sizeof barred[0])

/* One more byte of a trailer's name: which of the barred ones it may be. */
static void
match_name(struct http_chunks *c, uint8_t b)
{
	if (b >= 'A' && b <= 'Z')
		b |= 0x20;
	for (size_t i = 0; i < BARRED_N; i++)
		if (c->name_n >= strlen(barred[i]) ||
		    (uint8_t)barred[i][c->name_n] != b)
			c->match &= (uint8_t)~(1u << i);
	if (c->name_n < UINT8_MAX)
		c->name_n++;
}

static bool
is_barred(const struct http_chunks *c)
{
	for (size_t i = 0; i < BARRED_N; i++)
		if ((c->match >> i & 1) != 0 && c->name_n == strlen(barred[i]))
			return true;
	return false;
}

/* RFC 9112 7.1.2: a byte of the trailers. */
static bool
take_trailer(struct http_chunks *c, uint8_t b)
{
	if (c->state == C_LINE) {
		c->match = (1u << BARRED_N) - 1;
		c->name_n = 0;
		c->state = b == '\r' ? C_END_LF : C_NAME;
		if (b == '\r')
			return true;
		match_name(c, b);
		return is_token(b);
	}
	if (c->state == C_NAME) {
		if (b != ':') {
			match_name(c, b);
			return is_token(b);
		}
		c->state = C_VALUE;
		return !is_barred(c);
	}
	if (b == '\r')
		c->state = C_LINE_LF;
	return b == '\r' || (http_head_class[b] & HTTP_CH_VALUE) != 0;
}

/* A byte that is no data. */
static bool
take_byte(struct http_chunks *c, uint8_t b)
{
	switch ((enum state)c->state) {
	case C_SIZE:
		return take_size(c, b);
	case C_SIZE_LF:
		c->state = c->left > 0 ? C_DATA : C_LINE;
		return b == '\n';
	case C_DATA_CR:
		c->state = C_DATA_LF;
		return b == '\r';
	case C_DATA_LF:
		c->state = C_SIZE;
		c->digits = 0;
		return b == '\n';
	case C_LINE: case C_NAME: case C_VALUE:
		c->extra_n++;
		return take_trailer(c, b);
	case C_LINE_LF:
		c->state = C_LINE;
		return b == '\n';
	case C_SIZE_SPACE: case C_EXT: case C_EXT_NAME: case C_EXT_SPACE:
	case C_EXT_IS: case C_EXT_VALUE: case C_EXT_QUOTED:
	case C_EXT_ESCAPED: case C_EXT_DONE: case C_EXT_NEXT:
		c->extra_n++;
		return take_ext(c, b);
	case C_DATA:
	case C_END_LF:
		break;
	}
	return b == '\n';
}

enum http_ev
http_chunk_next(struct http_chunks *c, struct span in, uint32_t extra_max,
    size_t *used, struct span *piece, struct http_bad *bad)
{
	size_t at = 0;

	while (at < in.n) {
		enum state was = (enum state)c->state;

		if (was == C_DATA) {
			*piece = span_sub(in, at, c->left < in.n - at ?
			    (size_t)c->left : in.n - at);
			c->left -= piece->n;
			if (c->left == 0)
				c->state = C_DATA_CR;
			*used = at + piece->n;
			return HTTP_EV_BODY;
		}
		if (!take_byte(c, in.p[at++])) {
			*bad = (struct http_bad){ 400, was >= C_LINE ?
			    "malformed trailer behind the chunks" :
			    "malformed chunk" };
			return HTTP_EV_BAD;
		}
		if (c->extra_n > extra_max) {
			*bad = (struct http_bad){ 431,
			    "chunk extensions or trailers too long" };
			return HTTP_EV_BAD;
		}
		if (was == C_END_LF) {
			*used = at;
			return HTTP_EV_END;
		}
	}
	*used = at;
	return HTTP_EV_MORE;
}
