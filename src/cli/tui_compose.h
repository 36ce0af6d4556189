/*
 * tui_compose.h: the text that is being written: several lines, the cursor,
 * moving and deleting by glyphs and words, what was cut (yank), what was sent
 * before. Pure; the layout draws it, tui_input.c feeds it keys.
 */
#ifndef CLI_TUI_COMPOSE_H
#define CLI_TUI_COMPOSE_H

#include "cli/tui_keys.h"

#define TUI_COMPOSE_MAX 49152u	/* bytes, as a message's text */
#define TUI_PAST_BYTES 65536u	/* texts sent before; oldest dropped */
#define TUI_UNDO_MAX 32u	/* steps that can be taken back */

struct tui_undo {
	uint8_t *p;		/* heap; NULL: the text was empty */
	size_t n, at;
};

struct tui_compose {
	uint8_t text[TUI_COMPOSE_MAX];
	size_t n, at;			/* bytes; the cursor's byte */
	uint8_t cut[TUI_COMPOSE_MAX];	/* for yank */
	size_t cut_n;
	bool cutting;			/* cuts in a row are put together */
	uint8_t past[TUI_PAST_BYTES];	/* u8 text, each ends with NUL */
	size_t past_n, past_at;
	uint8_t draft[TUI_COMPOSE_MAX];	/* before looking at the past */
	size_t draft_n;
	struct tui_undo undo[TUI_UNDO_MAX];
	size_t undo_n;
	bool typing;			/* the last change was a character */
	size_t goal;			/* column that up and down keep */
	bool has_goal;
};

enum tui_compose_result {
	TUI_COMPOSE_NONE,	/* not a key of the editor */
	TUI_COMPOSE_MOVED,	/* the cursor, or nothing */
	TUI_COMPOSE_CHANGED,	/* the text */
	TUI_COMPOSE_FULL,	/* there was no room */
};

void tui_compose_init(struct tui_compose *c);
/* Wipes everything that was typed. */
void tui_compose_fini(struct tui_compose *c);

/*
 * One key. cols: width of the text, for Up and Down between its lines; in the
 * first and last line they are not keys of the editor (NONE).
 */
enum tui_compose_result tui_compose_key(struct tui_compose *c,
    const struct tui_key *k, size_t cols);
/* Text at the cursor; false when there is no room for all of it. */
bool tui_compose_insert(struct tui_compose *c, struct span s);
/* The whole text, cursor at its end; the past stays. Cut to the maximum. */
void tui_compose_set(struct tui_compose *c, struct span s);
/* Empties it; `remember`: found again with tui_compose_past. */
void tui_compose_clear(struct tui_compose *c, bool remember);
/* The text sent before (back) or after the shown one; false: none. */
bool tui_compose_past(struct tui_compose *c, bool back);

static inline struct span
tui_compose_text(const struct tui_compose *c)
{
	return (struct span){ c->text, c->n };
}

/*
 * Where it is drawn at this width: how many lines there are, and on which
 * line and column the cursor stands.
 */
struct tui_compose_view {
	size_t lines, line, col;
};
struct tui_compose_view tui_compose_view(const struct tui_compose *c,
    size_t cols);
/* Byte of the text at this line and column, for the mouse. */
size_t tui_compose_place(const struct tui_compose *c, size_t cols,
    size_t line, size_t col);
/*
 * The next line as it is drawn: spaces at its end are part of it, so each
 * byte of the text but line feeds is on exactly one line.
 */
bool tui_compose_line(struct tui_compose const *c, size_t cols, size_t *at,
    bool *more, struct span *line_out);

#endif
