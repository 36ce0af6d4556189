/*
 * tui_text.c: see tui_text.h.
 */
#include "cli/tui_text.h"

#include "base/text.h"
#include "cli/clean.h"

#define ZWJ 0x200du
#define ZWNJ 0x200cu

/* Chooses text or emoji form: terminals differ in the width that follows. */
static bool
is_selector(uint32_t code)
{
	return code >= 0xfe00 && code <= 0xfe0f;
}

static bool
is_tone(uint32_t code)
{
	return code >= 0x1f3fb && code <= 0x1f3ff;
}

/* Follows its base without a column of its own. */
static bool
is_mark(uint32_t code)
{
	return code != '\n' && code != '\r' &&
	    clean_width(clean_code(code)) == 0;
}

static void
take_marks(struct span s, size_t *at, struct tui_glyph *g)
{
	while (*at < s.n) {
		uint32_t code;
		size_t n = utf8_next(span_sub(s, *at, s.n), &code);
		if (is_tone(code) && g->cols == 2) {
			*at += n;
			continue;
		}
		if (!is_mark(code))
			return;
		*at += n;
		/* Joiners tie letters of some scripts, but never emoji here. */
		bool keep = !is_selector(code) &&
		    (code != ZWJ || g->cols == 1);
		if (keep && g->n < TUI_CODES)
			g->code[g->n++] = clean_code(code);
	}
}

size_t
tui_text_next(struct span s, struct tui_glyph *out)
{
	uint32_t code;
	size_t at = utf8_next(s, &code);
	*out = (struct tui_glyph){ 0 };
	if (code == '\r' && at < s.n && s.p[at] == '\n') {
		code = '\n';
		at++;
	}
	if (code == '\n') {
		out->feed = true;
		return at;
	}
	code = clean_code(code);
	if (is_mark(code)) {
		/* Nothing to stand on, or nothing that is seen. */
		if (code == ZWJ || code == ZWNJ || is_selector(code))
			return at;
		out->code[out->n++] = ' ';
		out->cols = 1;
	} else {
		out->cols = (uint8_t)clean_width(code);
	}
	out->code[out->n++] = code;
	take_marks(s, &at, out);
	return at;
}

size_t
tui_text_back(struct span s, size_t at)
{
	/* From the start of a piece that no glyph crosses: a line or 64. */
	size_t from = at > 64 ? at - 64 : 0;
	while (from > 0 && (s.p[from] & 0xc0) == 0x80)
		from--;
	for (;;) {
		struct tui_glyph g;
		size_t n = tui_text_next(span_sub(s, from, at - from), &g);
		if (from + n >= at)
			return from;
		from += n;
	}
}

size_t
tui_text_columns(struct span s)
{
	size_t cols = 0;
	while (s.n > 0) {
		struct tui_glyph g;
		size_t n = tui_text_next(s, &g);
		cols += g.feed ? 1 : g.cols;
		s = span_sub(s, n, s.n);
	}
	return cols;
}

struct span
tui_text_fit(struct span s, size_t cols)
{
	size_t at = 0, used = 0;
	while (at < s.n) {
		struct tui_glyph g;
		size_t n = tui_text_next(span_sub(s, at, s.n), &g);
		if (g.feed || used + g.cols > cols)
			break;
		used += g.cols;
		at += n;
	}
	return span_sub(s, 0, at);
}

static bool
is_space(const struct tui_glyph *g)
{
	return g->n == 1 && g->code[0] == ' ';
}

bool
tui_wrap_next(struct tui_wrap *w, size_t cols, struct span *line_out)
{
	size_t at = 0, used = 0, word = 0;
	if (!w->more)
		return false;
	while (at < w->rest.n) {
		struct tui_glyph g;
		size_t n = tui_text_next(span_sub(w->rest, at, w->rest.n), &g);
		if (g.feed) {
			*line_out = span_sub(w->rest, 0, at);
			w->rest = span_sub(w->rest, at + n, w->rest.n);
			return true;
		}
		if (used + g.cols > cols && at > 0) {
			/* A space at the edge is where it breaks. */
			size_t cut = is_space(&g) ? at : word > 0 ? word : at;
			size_t skip = is_space(&g) ? at + n : cut;
			*line_out = span_sub(w->rest, 0, cut);
			while (line_out->n > 0 && cut == word && word > 0 &&
			    line_out->p[line_out->n - 1] == ' ')
				line_out->n--;
			w->rest = span_sub(w->rest, skip, w->rest.n);
			return true;
		}
		used += g.cols;
		at += n;
		if (is_space(&g))
			word = at;
	}
	*line_out = w->rest;
	w->more = false;
	return true;
}

size_t
tui_wrap_count(struct span s, size_t cols, size_t max)
{
	struct tui_wrap w = tui_wrap_init(s);
	struct span line;
	size_t n = 0;
	while (n < max && tui_wrap_next(&w, cols, &line))
		n++;
	return n;
}
