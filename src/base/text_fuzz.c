/*
 * Fuzzer of text.c. Its laws: what a decoder accepts encodes to the same text
 * (for hex and ids, up to case), and UTF-8 fed in any two pieces gives the
 * answer that it gives whole.
 */
#include "base/fuzz.h"
#include "base/id.h"
#include "base/text.h"

#define TEXT_MAX 4096

static void
demand(bool law)
{
	if (!law)
		abort();
}

static void
try_base64(struct span in)
{
	static uint8_t bytes[TEXT_MAX];
	static char text[BASE64_LEN(TEXT_MAX)];
	size_t n;

	if (base64_decode(in, bytes, &n)) {
		demand(n <= in.n / 4 * 3);
		n = base64_encode(span_of(bytes, n), text);
		demand(span_eq(span_of(text, n), in));
	}
	if (base64url_decode(in, bytes, &n)) {
		n = base64url_encode(span_of(bytes, n), text);
		demand(span_eq(span_of(text, n), in));
	}
	/* And what was encoded decodes to the same. */
	n = base64_encode(span_sub(in, 0, TEXT_MAX / 2), text);
	demand(base64_decode(span_of(text, n), bytes, &n));
	demand(span_eq(span_of(bytes, n), span_sub(in, 0, TEXT_MAX / 2)));
}

static void
try_utf8(struct span in)
{
	bool whole = utf8_valid(in), by_char = true;
	size_t cut = in.n > 0 ? in.p[0] % (in.n + 1) : 0, at = 0;
	struct utf8 u = { 0 };
	uint32_t code;
	uint8_t again[4];
	bool pieces = utf8_feed(&u, span_sub(in, 0, cut)) &&
	    utf8_feed(&u, span_sub(in, cut, in.n)) && utf8_end(&u);

	demand(whole == pieces);
	while (at < in.n) {
		size_t n = utf8_next(span_sub(in, at, in.n), &code);

		demand(n >= 1 && n <= in.n - at);
		if (utf8_put(code, again) != n ||
		    memcmp(again, in.p + at, n) != 0)
			by_char = false;	/* it was replaced */
		at += n;
	}
	demand(whole == by_char);
}

static void
try_rest(struct span in)
{
	static uint8_t bytes[TEXT_MAX];
	static char text[2 * TEXT_MAX];
	char when[TIME_TEXT_LEN + 1], id_text[ID_TEXT_LEN + 1];
	uint8_t id[ID_LEN];
	uint64_t ms, v;
	struct wr w = wr_init(bytes, sizeof(bytes));

	if (hex_decode(in, bytes)) {
		hex_encode(span_of(bytes, in.n / 2), text);
		demand(span_eq_nocase(span_of(text, in.n / 2 * 2), in));
	}
	if (id_decode(in, id)) {
		id_encode(id, id_text);
		demand(span_eq_nocase(span_str(id_text), in));
	}
	if (time_decode(in, &ms)) {
		time_encode(ms, when);
		demand(span_eq(span_sub(in, 0, 19),
		    span_sub(span_str(when), 0, 19)));
		demand(in.n != TIME_TEXT_LEN || span_eq(in, span_str(when)));
	}
	if (span_u64(in, UINT64_MAX, &v)) {
		wr_dec(&w, v);
		demand(span_eq(wr_done(&w), in));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span in = span_of(data, size < TEXT_MAX ? size : TEXT_MAX);

	try_base64(in);
	try_utf8(in);
	try_rest(in);
	return 0;
}
