/*
 * clean_fuzz.c: laws of the terminal sanitiser, with a list of what is
 * dangerous that is written here anew. (1) What comes out is UTF-8 without
 * control characters (but line feeds of clean_text), without characters that
 * turn or hide text, without noncharacters. (2) Cleaning what is clean changes
 * nothing. (3) No line is wider than the terminal. (4) A line stays one line.
 *
 * Input: u8 columns | u8 indent | text.
 */
#include "base/fuzz.h"

#include <locale.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/clean.h"

#define OUT_MAX ((size_t)1 << 22)

static bool
is_dangerous(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||
	    c == 0x061c || (c >= 0x200e && c <= 0x200f) ||	/* bidi marks */
	    (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
	    (c >= 0x2028 && c <= 0x2029) ||	/* other ends of lines */
	    (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000 ||	/* private */
	    (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||
	    (c >= 0xe0000 && c <= 0xe007f);		/* tags */
}

static void
check_codes(struct span s, bool lines)
{
	if (!utf8_valid(s))
		abort();
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_next(s, &code);
		if (is_dangerous(code) && !(lines && code == '\n'))
			abort();
		s = span_sub(s, n, s.n - n);
	}
}

static void
check_width(struct span s, size_t col, size_t cols)
{
	while (s.n > 0) {
		size_t n = span_find(s, '\n');
		size_t w = col + clean_columns(span_sub(s, 0, n));
		if (w > cols && w > col)
			abort();
		s = n < s.n ? span_sub(s, n + 1, s.n) : (struct span){ 0 };
		col = 0;
	}
}

static void
check_line(struct span in)
{
	struct buf once, twice;
	buf_init(&once, OUT_MAX);
	buf_init(&twice, OUT_MAX);
	if (clean_line(in, &once) != OK ||
	    clean_line(buf_span(&once), &twice) != OK)
		abort();
	check_codes(buf_span(&once), false);
	if (!span_eq(buf_span(&once), buf_span(&twice)))
		abort();
	buf_fini(&once);
	buf_fini(&twice);
}

static void
check_text(struct span in, size_t indent, size_t cols)
{
	struct buf out, plain, again;
	buf_init(&out, OUT_MAX);
	buf_init(&plain, OUT_MAX);
	buf_init(&again, OUT_MAX);
	if (clean_text(in, indent, indent, cols, &out) != OK ||
	    clean_text(in, 0, 0, 0, &plain) != OK ||
	    clean_text(buf_span(&plain), 0, 0, 0, &again) != OK)
		abort();
	check_codes(buf_span(&out), true);
	check_width(buf_span(&out), indent < cols ? indent : cols, cols);
	if (!span_eq(buf_span(&plain), buf_span(&again)))
		abort();
	buf_fini(&out);
	buf_fini(&plain);
	buf_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	if (!ready && setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		abort();
	ready = true;
	if (size < 2 || size > 16384)
		return 0;
	struct span text = span_of(data + 2, size - 2);
	check_line(text);
	/* Below four columns a wide character has no room at all. */
	size_t cols = (size_t)data[0] + 4;
	check_text(text, data[1] % cols, cols);
	return 0;
}
