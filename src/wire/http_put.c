/*
 * http_put.c: writing HTTP/1.1 heads and chunks over struct wr. See http.h.
 */
#include "base/text.h"
#include "wire/http.h"

void
http_put_status(struct wr *w, unsigned status)
{
	if (status < 100 || status > 599)
		w->bad = true;		/* three digits, RFC 9112 4 */
	wr_str(w, "HTTP/1.1 ");
	wr_dec(w, status);
	wr_u8(w, ' ');
	wr_str(w, http_reason(status));
	wr_str(w, "\r\n");
}

/* A value or target with a line end in it would be a head of its own. */
static void
put_line(struct wr *w, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == 0)
			w->bad = true;
	wr_span(w, s);
}

void
http_put_request(struct wr *w, const char *method, struct span target,
    struct span host)
{
	if (target.n == 0 || span_find(target, ' ') != target.n)
		w->bad = true;
	wr_str(w, method);
	wr_u8(w, ' ');
	put_line(w, target);
	wr_str(w, " HTTP/1.1\r\n");
	http_put_field(w, "Host", host);
}

void
http_put_field(struct wr *w, const char *name, struct span value)
{
	wr_str(w, name);
	wr_str(w, ": ");
	put_line(w, value);
	wr_str(w, "\r\n");
}

void
http_put_field_str(struct wr *w, const char *name, const char *value)
{
	http_put_field(w, name, span_str(value));
}

void
http_put_field_u64(struct wr *w, const char *name, uint64_t value)
{
	wr_str(w, name);
	wr_str(w, ": ");
	wr_dec(w, value);
	wr_str(w, "\r\n");
}

/* RFC 9110 5.6.7: IMF-fixdate. */
void
http_put_date(struct wr *w, const char *name, uint64_t unix_ms)
{
	static const char days[] = "ThuFriSatSunMonTueWed";	/* 1970-01-01 */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char iso[TIME_TEXT_LEN + 1];
	size_t month;

	time_encode(unix_ms, iso);
	month = (size_t)(iso[5] - '0') * 10 + (size_t)(iso[6] - '0') - 1;
	wr_str(w, name);
	wr_str(w, ": ");
	wr_bytes(w, &days[unix_ms / 86400000 % 7 * 3], 3);
	wr_str(w, ", ");
	wr_bytes(w, &iso[8], 2);
	wr_u8(w, ' ');
	wr_bytes(w, &months[month * 3], 3);
	wr_u8(w, ' ');
	wr_bytes(w, iso, 4);
	wr_u8(w, ' ');
	wr_bytes(w, &iso[11], 8);
	wr_str(w, " GMT\r\n");
}

void
http_put_end(struct wr *w)
{
	wr_str(w, "\r\n");
}

void
http_put_chunk(struct wr *w, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	uint8_t digits[16];
	size_t k = 0;

	do {
		digits[k++] = (uint8_t)hex[n & 15];
		n >>= 4;
	} while (n > 0);
	while (k > 0)
		wr_u8(w, digits[--k]);
	wr_str(w, "\r\n");
}

void
http_put_chunk_end(struct wr *w)
{
	wr_str(w, "\r\n");
}

void
http_put_chunk_last(struct wr *w)
{
	wr_str(w, "0\r\n\r\n");
}

/* RFC 3986 2.3: unreserved characters stand for themselves. */
void
http_put_coded(struct wr *w, struct span s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];

		if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' &&
		    (c | 0x20) <= 'z') || c == '-' || c == '.' || c == '_' ||
		    c == '~') {
			wr_u8(w, c);
		} else {
			wr_u8(w, '%');
			wr_u8(w, (uint8_t)hex[c >> 4]);
			wr_u8(w, (uint8_t)hex[c & 15]);
		}
	}
}
