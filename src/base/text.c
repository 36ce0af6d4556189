/*
 * text.c: UTF-8, base64, hex, time. See text.h.
 * exports utf8_*, base64_*, base64url_*, hex_*, time_*
 *
 * Implementation notes: the UTF-8 state is the number of continuation bytes
 * that are due in bits 0-1, and in bits 8-23 the range allowed for the next
 * one (Unicode table 3-7 narrows only the second byte of a character).
 */
#include "base/text.h"

#define UTF8_BAD UINT32_MAX

static uint32_t
utf8_due(uint32_t n, uint32_t low, uint32_t high)
{
	return n | low << 8 | high << 16;
}

static uint32_t
utf8_lead(uint8_t c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return utf8_due(1, 0x80, 0xbf);
	if (c == 0xe0)
		return utf8_due(2, 0xa0, 0xbf);
	if (c == 0xed)
		return utf8_due(2, 0x80, 0x9f);
	if (c >= 0xe1 && c <= 0xef)
		return utf8_due(2, 0x80, 0xbf);
	if (c == 0xf0)
		return utf8_due(3, 0x90, 0xbf);
	if (c >= 0xf1 && c <= 0xf3)
		return utf8_due(3, 0x80, 0xbf);
	if (c == 0xf4)
		return utf8_due(3, 0x80, 0x8f);
	return UTF8_BAD;
}

static uint32_t
utf8_step(uint32_t state, uint8_t c)
{
	uint32_t n = state & 3;

	if (state == 0)
		return utf8_lead(c);
	if (c < ((state >> 8) & 0xff) || c > ((state >> 16) & 0xff))
		return UTF8_BAD;
	return n == 1 ? 0 : utf8_due(n - 1, 0x80, 0xbf);
}

/* Two registers of 16 bytes where there are such, else what the compiler has. */
typedef uint64_t lane __attribute__((vector_size(16)));
#define HIGH_BITS 0x8080808080808080ULL

/* How many of the first bytes are ASCII, 32 and then eight at a time. */
static size_t
ascii_run(const uint8_t *p, size_t n)
{
	size_t i = 0;
	uint64_t w;

	for (; n - i >= 2 * sizeof(lane); i += 2 * sizeof(lane)) {
		lane a, b;

		memcpy(&a, p + i, sizeof a);
		memcpy(&b, p + i + sizeof a, sizeof b);
		a |= b;
		if (((a[0] | a[1]) & HIGH_BITS) != 0)
			break;
	}
	for (; n - i >= sizeof w; i += sizeof w) {
		memcpy(&w, p + i, sizeof w);
		if ((w & HIGH_BITS) != 0)
			break;
	}
	return i;
}

static bool
is_due(uint8_t c)
{
	return (c & 0xc0) == 0x80;
}

/* The whole character at the front if it is one of the plain kinds: its bytes;
 * 0: the state machine has to look. */
static size_t
plain_char(const uint8_t *p, size_t n)
{
	if (n >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && is_due(p[1]))
		return 2;
	if (n >= 3 && p[0] >= 0xe1 && p[0] <= 0xef && p[0] != 0xed &&
	    is_due(p[1]) && is_due(p[2]))
		return 3;
	if (n >= 4 && p[0] >= 0xf1 && p[0] <= 0xf3 && is_due(p[1]) &&
	    is_due(p[2]) && is_due(p[3]))
		return 4;
	return 0;
}

bool
utf8_feed(struct utf8 *u, struct span piece)
{
	size_t i = 0, k = 0;

	if (u->state == UTF8_BAD)
		return false;
	while (i < piece.n) {
		const uint8_t *p = piece.p + i;

		if (u->state == 0) {
			k = *p < 0x80 ? ascii_run(p, piece.n - i) :
			    plain_char(p, piece.n - i);
			if (k > 0) {
				i += k;
				continue;
			}
		}
		u->state = utf8_step(u->state, *p);
		i++;
		if (u->state == UTF8_BAD)
			return false;
	}
	return true;
}

bool
utf8_end(const struct utf8 *u)
{
	return u->state == 0;
}

bool
utf8_valid(struct span s)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, s) && utf8_end(&u);
}

size_t
utf8_next(struct span s, uint32_t *code_out)
{
	static const uint8_t lead_bits[4] = { 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t state, code;
	size_t n;

	*code_out = 0xfffd;
	if (s.n == 0)
		return 0;
	state = utf8_lead(s.p[0]);
	if (state == UTF8_BAD)
		return 1;
	n = state & 3;
	code = s.p[0] & lead_bits[n];
	for (size_t i = 1; i <= n; i++) {
		if (i >= s.n)
			return i;
		state = utf8_step(state, s.p[i]);
		if (state == UTF8_BAD)
			return i;
		code = code << 6 | (s.p[i] & 0x3f);
	}
	*code_out = code;
	return n + 1;
}

size_t
utf8_put(uint32_t code, uint8_t out[static 4])
{
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | code >> 6);
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		if (code >= 0xd800 && code <= 0xdfff)
			return 0;
		out[0] = (uint8_t)(0xe0 | code >> 12);
		out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
		out[2] = (uint8_t)(0x80 | (code & 0x3f));
		return 3;
	}
	if (code > 0x10ffff)
		return 0;
	out[0] = (uint8_t)(0xf0 | code >> 18);
	out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3f));
	out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
	out[3] = (uint8_t)(0x80 | (code & 0x3f));
	return 4;
}

static const char base64_std[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static size_t
base64_put(const char *alphabet, struct span in, char *out)
{
	size_t at = 0, i = 0;

	for (; i + 3 <= in.n; i += 3) {
		uint32_t v = (uint32_t)in.p[i] << 16 |
		    (uint32_t)in.p[i + 1] << 8 | in.p[i + 2];

		out[at++] = alphabet[v >> 18];
		out[at++] = alphabet[v >> 12 & 63];
		out[at++] = alphabet[v >> 6 & 63];
		out[at++] = alphabet[v & 63];
	}
	if (in.n - i == 1) {
		out[at++] = alphabet[in.p[i] >> 2];
		out[at++] = alphabet[(in.p[i] & 3) << 4];
	} else if (in.n - i == 2) {
		out[at++] = alphabet[in.p[i] >> 2];
		out[at++] = alphabet[(in.p[i] & 3) << 4 | in.p[i + 1] >> 4];
		out[at++] = alphabet[(in.p[i + 1] & 15) << 2];
	}
	return at;
}

size_t
base64_encode(struct span in, char *out)
{
	size_t at = base64_put(base64_std, in, out);

	while (at % 4 != 0)
		out[at++] = '=';
	return at;
}

size_t
base64url_encode(struct span in, char *out)
{
	return base64_put(base64_url, in, out);
}

/* Value of a digit, 64 for none. No table is indexed by a secret. */
static uint32_t
base64_digit(uint8_t c, uint8_t c62, uint8_t c63)
{
	uint32_t v = 64;

	v = c >= 'A' && c <= 'Z' ? (uint32_t)(c - 'A') : v;
	v = c >= 'a' && c <= 'z' ? (uint32_t)(c - 'a') + 26 : v;
	v = c >= '0' && c <= '9' ? (uint32_t)(c - '0') + 52 : v;
	v = c == c62 ? 62 : v;
	return c == c63 ? 63 : v;
}

/* Decodes unpadded digits; in.n % 4 is not 1. */
static bool
base64_take(struct span in, uint8_t c62, uint8_t c63, uint8_t *out,
    size_t *n_out)
{
	uint32_t acc = 0, bad = 0;
	size_t bits = 0, at = 0;

	for (size_t i = 0; i < in.n; i++) {
		uint32_t v = base64_digit(in.p[i], c62, c63);

		bad |= v & 64;
		acc = acc << 6 | (v & 63);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[at++] = (uint8_t)(acc >> bits);
			acc &= (1U << bits) - 1;
		}
	}
	if (bad != 0 || acc != 0)	/* RFC 4648 3.5: unused bits zero */
		return false;
	*n_out = at;
	return true;
}

bool
base64_decode(struct span in, uint8_t *out, size_t *n_out)
{
	size_t pad = 0;

	if (in.n % 4 != 0)
		return false;
	while (pad < 2 && pad < in.n && in.p[in.n - 1 - pad] == '=')
		pad++;
	return base64_take(span_of(in.p, in.n - pad), '+', '/', out, n_out);
}

bool
base64url_decode(struct span in, uint8_t *out, size_t *n_out)
{
	if (in.n % 4 == 1)
		return false;
	return base64_take(in, '-', '_', out, n_out);
}

size_t
base64_decode_any(struct span in, uint8_t *out)
{
	uint32_t acc = 0, v;
	size_t bits = 0, at = 0;

	for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
		v = base64_digit(in.p[i], '+', '/');
		if ((v & 64) != 0)
			v = base64_digit(in.p[i], '-', '_');
		if ((v & 64) != 0)
			continue;
		acc = (acc & 0xff) << 6 | v;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[at++] = (uint8_t)(acc >> bits);
		}
	}
	return at;
}

void
text_lower(struct span in, uint8_t *out)
{
	for (size_t i = 0; i < in.n; i++)
		out[i] = in.p[i] >= 'A' && in.p[i] <= 'Z' ?
		    (uint8_t)(in.p[i] - 'A' + 'a') : in.p[i];
}

void
hex_encode(struct span in, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.n; i++) {
		out[2 * i] = digits[in.p[i] >> 4];
		out[2 * i + 1] = digits[in.p[i] & 15];
	}
}

static uint32_t
hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return (uint32_t)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (uint32_t)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (uint32_t)(c - 'A') + 10;
	return 16;
}

bool
hex_decode(struct span in, uint8_t *out)
{
	if (in.n % 2 != 0)
		return false;
	for (size_t i = 0; i < in.n / 2; i++) {
		uint32_t high = hex_digit(in.p[2 * i]);
		uint32_t low = hex_digit(in.p[2 * i + 1]);

		if (high > 15 || low > 15)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar, and back. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t era, year_of_era, day_of_year;

	year -= month <= 2;
	era = year / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 +
	    day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	    year_of_era / 100 + day_of_year - 719468;
}

static void
date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
	int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = yoe + era * 400 + (*month <= 2);
}

static void
put_digits(char *to, int64_t v, size_t n)
{
	while (n-- > 0) {
		to[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* 9999-12-31T23:59:59.999Z */
#define TIME_MAX_MS 253402300799999ULL

void
time_encode(uint64_t unix_ms, char out[static TIME_TEXT_LEN + 1])
{
	int64_t year, month, day, ms;

	if (unix_ms > TIME_MAX_MS)
		unix_ms = TIME_MAX_MS;
	date_of((int64_t)(unix_ms / 86400000), &year, &month, &day);
	ms = (int64_t)(unix_ms % 86400000);
	memcpy(out, "0000-00-00T00:00:00.000Z", TIME_TEXT_LEN + 1);
	put_digits(out, year, 4);
	put_digits(out + 5, month, 2);
	put_digits(out + 8, day, 2);
	put_digits(out + 11, ms / 3600000, 2);
	put_digits(out + 14, ms / 60000 % 60, 2);
	put_digits(out + 17, ms / 1000 % 60, 2);
	put_digits(out + 20, ms % 1000, 3);
}

static bool
take_digits(struct span s, size_t at, size_t n, int64_t low, int64_t high,
    int64_t *out)
{
	int64_t v = 0;

	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (s.p[i] - '0');
	}
	*out = v;
	return v >= low && v <= high;
}

bool
time_decode(struct span s, uint64_t *unix_ms_out)
{
	int64_t year, month, day, h, m, sec, ms = 0, y2, m2, d2, days;

	if ((s.n != 20 && s.n != 24) || s.p[s.n - 1] != 'Z' ||
	    s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
	    s.p[13] != ':' || s.p[16] != ':')
		return false;
	if (!take_digits(s, 0, 4, 1970, 9999, &year) ||
	    !take_digits(s, 5, 2, 1, 12, &month) ||
	    !take_digits(s, 8, 2, 1, 31, &day) ||
	    !take_digits(s, 11, 2, 0, 23, &h) ||
	    !take_digits(s, 14, 2, 0, 59, &m) ||
	    !take_digits(s, 17, 2, 0, 59, &sec))
		return false;
	if (s.n == 24 && (s.p[19] != '.' ||
	    !take_digits(s, 20, 3, 0, 999, &ms)))
		return false;
	days = days_of(year, month, day);
	date_of(days, &y2, &m2, &d2);
	if (y2 != year || m2 != month || d2 != day)
		return false;		/* such as 31 April */
	*unix_ms_out = (uint64_t)(((days * 24 + h) * 60 + m) * 60 + sec) *
	    1000 + (uint64_t)ms;
	return true;
}
