/*
 * fold.c: see fold.h.
 */
#include "client/fold.h"

#include "base/text.h"

struct fold {
	uint16_t from;
	uint8_t n;
	uint16_t to[FOLD_MAX];
};

static const struct fold table[] = {
#define FOLD(from, n, a, b, c) { from, n, { a, b, c } },
#include "client/fold.def"
#undef FOLD
};
#define TABLE_N (sizeof(table) / sizeof(table[0]))

/* Unicode's white space, and what is not to be seen at all. */
static bool
is_space(uint32_t c)
{
	return c <= 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0x1680 ||
	    (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	    c == 0x202f || c == 0x205f || c == 0x3000;
}

size_t
fold_char(uint32_t code, uint32_t out[static FOLD_MAX])
{
	size_t lo = 0, hi = TABLE_N;

	out[0] = code;
	if (is_space(code)) {
		out[0] = ' ';
		return 1;
	}
	/* Most of what people write stands for itself. */
	if (code < 'A' || (code > 'Z' && code < 0xa0) || code > 0xffff)
		return 1;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (table[mid].from < code)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == TABLE_N || table[lo].from != code)
		return 1;
	for (size_t i = 0; i < table[lo].n; i++)
		out[i] = table[lo].to[i];
	return table[lo].n;
}

void
fold_text(struct span text, struct wr *w)
{
	uint32_t code, to[FOLD_MAX];
	uint8_t utf8[4];
	size_t begin = w->n, n;
	bool space = false;

	while (text.n > 0) {
		size_t used = utf8_next(text, &code);

		text = span_sub(text, used, text.n - used);
		n = fold_char(code, to);
		for (size_t i = 0; i < n; i++) {
			if (to[i] == ' ') {
				space = w->n > begin;
				continue;
			}
			if (space)
				wr_u8(w, ' ');
			space = false;
			wr_bytes(w, utf8, utf8_put(to[i], utf8));
		}
	}
}
