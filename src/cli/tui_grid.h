/*
 * tui_grid.h: the screen as the layout leaves it: cells with a glyph and a
 * style, and which thing of the model stands where (for the mouse). Pure: a
 * test reads it as text, tui_draw.c brings what changed to the terminal.
 */
#ifndef CLI_TUI_GRID_H
#define CLI_TUI_GRID_H

#include "cli/tui_text.h"

#define TUI_ROWS_MAX 300
#define TUI_COLS_MAX 1000

/* What text is, not how it looks: tui_draw.c has the colours. */
enum tui_style {
	TUI_TEXT,
	TUI_META,		/* times, hints, hairlines */
	TUI_STRONG,		/* names, titles */
	TUI_ACCENT,		/* own, focus, ways on */
	TUI_ACCENT_STRONG,
	TUI_EMBER,		/* unread, mention, away */
	TUI_BADGE,		/* how many are unread */
	TUI_VERIFIED,
	TUI_PRESENCE,
	TUI_WARNING,
	TUI_DANGER,
	TUI_CODE,		/* keys, numbers, `code` */
	TUI_QUOTE,		/* what a reply is to; tombstones */
	TUI_FOUND,		/* what was searched for */
	TUI_SELECTED,		/* the row or message that keys act on */
	TUI_QR,			/* drawn ones light, all else dark */
	TUI_STYLES
};

enum tui_hit_kind {
	TUI_HIT_NONE, TUI_HIT_CHAT, TUI_HIT_ITEM, TUI_HIT_QUOTE,
	TUI_HIT_COMPOSER, TUI_HIT_HEAD, TUI_HIT_PANEL, TUI_HIT_LIST,
	TUI_HIT_LOG, TUI_HIT_BAR, TUI_HIT_JUMP, TUI_HIT_BACK, TUI_HIT_CHIP,
};

struct tui_cell {
	uint32_t code[TUI_CODES];
	uint8_t n;		/* codes; 0: right half of the one before */
	uint8_t cols;
	uint8_t style;		/* enum tui_style */
};

/* A rectangle that answers to the mouse; later ones lie above. */
struct tui_hit {
	uint8_t kind;		/* enum tui_hit_kind */
	uint16_t row, col, rows, cols;
	uint32_t index;		/* chat, item, panel row, byte of the text */
};
#define TUI_HITS_MAX 512

struct tui_grid {
	size_t rows, cols;
	struct tui_cell *cell;	/* rows * cols */
	bool ascii;		/* no signs but ASCII */
	bool cursor;		/* shown, at: */
	size_t cursor_row, cursor_col;
	struct tui_hit hit[TUI_HITS_MAX];
	size_t hit_n;
};

/* Zeroed before the first call; keeps memory. ERR_NOMEM. Wipes all cells. */
MUST_USE enum err tui_grid_size(struct tui_grid *g, size_t rows, size_t cols);
void tui_grid_fini(struct tui_grid *g);
/* All cells blank, no hits. */
void tui_grid_clear(struct tui_grid *g);

/* A part of the grid that is drawn in; columns and rows count from it. */
struct tui_box {
	struct tui_grid *grid;
	size_t row, col, rows, cols;
};

struct tui_box tui_box_all(struct tui_grid *g);
/* The part [row, row + rows) x [col, col + cols) of b, cut at its edges. */
struct tui_box tui_box_part(struct tui_box b, size_t row, size_t col,
    size_t rows, size_t cols);
/*
 * tui_box_put(b, row, col, style, s):
 * Draws s on one row, cut at the right edge; a line feed appears as a sign.
 * Returns the column after it. Rows and columns outside are left alone.
 */
size_t tui_box_put(struct tui_box b, size_t row, size_t col,
    enum tui_style style, struct span s);
size_t tui_box_str(struct tui_box b, size_t row, size_t col,
    enum tui_style style, const char *s);
/* The same with "…" at the end where `cols` columns are not enough. */
size_t tui_box_cut(struct tui_box b, size_t row, size_t col, size_t cols,
    enum tui_style style, struct span s);
/* As tui_box_str, but ends at the right edge of [col, cols). */
size_t tui_box_right(struct tui_box b, size_t row, enum tui_style style,
    const char *s);
/* A row or a column of one sign. */
void tui_box_row(struct tui_box b, size_t row, enum tui_style style,
    const char *sign);
void tui_box_column(struct tui_box b, size_t col, enum tui_style style,
    const char *sign);
/* Gives all cells of a row this style. */
void tui_box_tint(struct tui_box b, size_t row, enum tui_style style);
void tui_box_blank(struct tui_box b);
void tui_box_cursor(struct tui_box b, size_t row, size_t col);
void tui_box_hit(struct tui_box b, size_t row, size_t col, size_t rows,
    size_t cols, enum tui_hit_kind kind, size_t index);
/* What is under the mouse; TUI_HIT_NONE. */
struct tui_hit tui_grid_find(const struct tui_grid *g, size_t row,
    size_t col);

/* The sign, or what stands for it in ASCII. */
const char *tui_sign(const struct tui_grid *g, const char *sign,
    const char *ascii);

/*
 * The rows as UTF-8 lines without spaces at their ends. ERR_TOO_LARGE,
 * ERR_NOMEM.
 */
MUST_USE enum err tui_grid_text(const struct tui_grid *g, struct buf *out);

#endif
