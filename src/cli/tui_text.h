/*
 * tui_text.h: text as cells of a terminal, for the full-screen client: what
 * takes one cell or two (a glyph), and where lines break. Everything that a
 * message holds passes here, so the rules of clean.h apply: nothing steers
 * the terminal, reverses a line or hides. Pure but for wcwidth().
 *
 * Terminals disagree about sequences of emoji. So that every terminal gives
 * them the columns that are counted here, what ties emoji together (joiners,
 * variation selectors, skin tones) is left out of what is drawn, never of
 * what is kept, sent or copied.
 */
#ifndef CLI_TUI_TEXT_H
#define CLI_TUI_TEXT_H

#include "base/bytes.h"

#define TUI_CODES 4	/* a character and up to three marks on it */

/* What is drawn at one place. cols 0: a line feed, or nothing at all. */
struct tui_glyph {
	uint32_t code[TUI_CODES];
	uint8_t n;		/* codes; 0: nothing to draw */
	uint8_t cols;		/* 1 or 2 */
	bool feed;		/* a line feed */
};

/*
 * tui_text_next(s, out):
 * The glyph at the front of `s` (not empty) and how many bytes it takes, at
 * least 1. Bad UTF-8, controls and what reorders text are replaced as by
 * clean_text; a mark without a base stands on a space.
 */
size_t tui_text_next(struct span s, struct tui_glyph *out);
/* The start of the glyph before byte `at` (> 0) of `s`. */
size_t tui_text_back(struct span s, size_t at);
/* Columns of s on one line; a line feed counts one (it is drawn as a sign). */
size_t tui_text_columns(struct span s);
/* The longest front of s that takes at most `cols` columns; no line feed. */
struct span tui_text_fit(struct span s, size_t cols);

/* Lines of a text that is broken between words. */
struct tui_wrap {
	struct span rest;
	bool more;
};

static inline struct tui_wrap
tui_wrap_init(struct span s)
{
	return (struct tui_wrap){ s, true };
}

/*
 * tui_wrap_next(w, cols, line_out):
 * The next line of at most `cols` (>= 2) columns, without its line feed and
 * without the space at which it was broken; false after the last one. Words
 * that are longer than a line are broken anywhere. An empty text has one
 * empty line.
 */
bool tui_wrap_next(struct tui_wrap *w, size_t cols, struct span *line_out);
/* How many lines that is, at most `max`. */
size_t tui_wrap_count(struct span s, size_t cols, size_t max);

#endif
