/*
 * tui_grid.c: see tui_grid.h.
 */
#include "cli/tui_grid.h"

#include <stdlib.h>

#include "base/text.h"

enum err
tui_grid_size(struct tui_grid *g, size_t rows, size_t cols)
{
	rows = rows < 1 ? 1 : rows > TUI_ROWS_MAX ? TUI_ROWS_MAX : rows;
	cols = cols < 1 ? 1 : cols > TUI_COLS_MAX ? TUI_COLS_MAX : cols;
	struct tui_cell *c = calloc(rows * cols, sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	tui_grid_fini(g);
	g->cell = c;
	g->rows = rows;
	g->cols = cols;
	tui_grid_clear(g);
	return OK;
}

void
tui_grid_fini(struct tui_grid *g)
{
	if (g->cell != NULL)
		wipe(g->cell, g->rows * g->cols * sizeof(*g->cell));
	free(g->cell);
	g->cell = NULL;
	g->rows = g->cols = 0;
}

void
tui_grid_clear(struct tui_grid *g)
{
	for (size_t i = 0; i < g->rows * g->cols; i++)
		g->cell[i] = (struct tui_cell){ .code = { ' ' }, .n = 1,
		    .cols = 1, .style = TUI_TEXT };
	g->cursor = false;
	g->hit_n = 0;
}

struct tui_box
tui_box_all(struct tui_grid *g)
{
	return (struct tui_box){ g, 0, 0, g->rows, g->cols };
}

struct tui_box
tui_box_part(struct tui_box b, size_t row, size_t col, size_t rows,
    size_t cols)
{
	row = row > b.rows ? b.rows : row;
	col = col > b.cols ? b.cols : col;
	rows = rows > b.rows - row ? b.rows - row : rows;
	cols = cols > b.cols - col ? b.cols - col : cols;
	return (struct tui_box){ b.grid, b.row + row, b.col + col, rows,
	    cols };
}

static struct tui_cell *
cell_at(struct tui_box b, size_t row, size_t col)
{
	return &b.grid->cell[(b.row + row) * b.grid->cols + b.col + col];
}

/* Blanks the other half of a wide glyph that is about to be cut in two. */
static void
mend(struct tui_box b, size_t row, size_t col)
{
	struct tui_cell *c = cell_at(b, row, col);
	if (c->n == 0 && b.col + col > 0) {
		struct tui_cell *left = c - 1;
		*left = (struct tui_cell){ .code = { ' ' }, .n = 1, .cols = 1,
		    .style = left->style };
	}
	if (c->cols == 2 && b.col + col + 1 < b.grid->cols) {
		struct tui_cell *right = c + 1;
		*right = (struct tui_cell){ .code = { ' ' }, .n = 1,
		    .cols = 1, .style = right->style };
	}
}

static void
put_glyph(struct tui_box b, size_t row, size_t col, enum tui_style style,
    const struct tui_glyph *g)
{
	struct tui_cell c = { .n = g->n, .cols = g->cols,
	    .style = (uint8_t)style };
	for (size_t i = 0; i < g->n; i++)
		c.code[i] = g->code[i];
	mend(b, row, col);
	if (g->cols == 2)
		mend(b, row, col + 1);
	*cell_at(b, row, col) = c;
	if (g->cols == 2)
		*cell_at(b, row, col + 1) = (struct tui_cell){ .n = 0,
		    .cols = 0, .style = (uint8_t)style };
}

size_t
tui_box_put(struct tui_box b, size_t row, size_t col, enum tui_style style,
    struct span s)
{
	while (s.n > 0 && row < b.rows) {
		struct tui_glyph g;
		size_t n = tui_text_next(s, &g);
		if (g.feed)
			g = (struct tui_glyph){ .code = { b.grid->ascii ?
			    '/' : 0x2424 }, .n = 1, .cols = 1 };
		if (col + g.cols > b.cols)
			break;
		if (g.n > 0)
			put_glyph(b, row, col, style, &g);
		col += g.cols;
		s = span_sub(s, n, s.n);
	}
	return col;
}

size_t
tui_box_str(struct tui_box b, size_t row, size_t col, enum tui_style style,
    const char *s)
{
	return tui_box_put(b, row, col, style, span_str(s));
}

size_t
tui_box_cut(struct tui_box b, size_t row, size_t col, size_t cols,
    enum tui_style style, struct span s)
{
	const char *dots = tui_sign(b.grid, "\u2026", "..");
	size_t dots_n = b.grid->ascii ? 2 : 1;
	if (col >= b.cols)
		return col;
	if (cols > b.cols - col)
		cols = b.cols - col;
	if (tui_text_columns(s) <= cols)
		return tui_box_put(b, row, col, style, s);
	if (cols < dots_n)
		return col;
	/* One line: what follows a line feed would need a sign of its own. */
	size_t at = 0, used = 0;
	while (at < s.n) {
		struct tui_glyph g;
		size_t n = tui_text_next(span_sub(s, at, s.n), &g);
		size_t w = g.feed ? 1 : g.cols;
		if (used + w > cols - dots_n)
			break;
		used += w;
		at += n;
	}
	col = tui_box_put(b, row, col, style, span_sub(s, 0, at));
	return tui_box_str(b, row, col, style, dots);
}

size_t
tui_box_right(struct tui_box b, size_t row, enum tui_style style,
    const char *s)
{
	size_t n = tui_text_columns(span_str(s));
	size_t col = n < b.cols ? b.cols - n : 0;
	tui_box_str(b, row, col, style, s);
	return col;
}

void
tui_box_row(struct tui_box b, size_t row, enum tui_style style,
    const char *sign)
{
	for (size_t i = 0; i < b.cols; i++)
		tui_box_str(b, row, i, style, sign);
}

void
tui_box_column(struct tui_box b, size_t col, enum tui_style style,
    const char *sign)
{
	for (size_t i = 0; i < b.rows; i++)
		tui_box_str(b, i, col, style, sign);
}

void
tui_box_tint(struct tui_box b, size_t row, enum tui_style style)
{
	if (row >= b.rows)
		return;
	for (size_t i = 0; i < b.cols; i++)
		cell_at(b, row, i)->style = (uint8_t)style;
}

void
tui_box_blank(struct tui_box b)
{
	struct tui_glyph g = { .code = { ' ' }, .n = 1, .cols = 1 };
	for (size_t r = 0; r < b.rows; r++)
		for (size_t c = 0; c < b.cols; c++)
			put_glyph(b, r, c, TUI_TEXT, &g);
}

void
tui_box_cursor(struct tui_box b, size_t row, size_t col)
{
	if (b.cols == 0 || row >= b.rows)
		return;
	b.grid->cursor = true;
	b.grid->cursor_row = b.row + row;
	b.grid->cursor_col = b.col + (col < b.cols ? col : b.cols - 1);
}

void
tui_box_hit(struct tui_box b, size_t row, size_t col, size_t rows,
    size_t cols, enum tui_hit_kind kind, size_t index)
{
	struct tui_box p = tui_box_part(b, row, col, rows, cols);
	if (b.grid->hit_n == TUI_HITS_MAX || p.rows == 0 || p.cols == 0)
		return;
	b.grid->hit[b.grid->hit_n++] = (struct tui_hit){
		.kind = (uint8_t)kind, .row = (uint16_t)p.row,
		.col = (uint16_t)p.col, .rows = (uint16_t)p.rows,
		.cols = (uint16_t)p.cols, .index = (uint32_t)index };
}

struct tui_hit
tui_grid_find(const struct tui_grid *g, size_t row, size_t col)
{
	for (size_t i = g->hit_n; i-- > 0; ) {
		const struct tui_hit *h = &g->hit[i];
		if (row >= h->row && row < (size_t)h->row + h->rows &&
		    col >= h->col && col < (size_t)h->col + h->cols)
			return *h;
	}
	return (struct tui_hit){ .kind = TUI_HIT_NONE };
}

const char *
tui_sign(const struct tui_grid *g, const char *sign, const char *ascii)
{
	return g->ascii ? ascii : sign;
}

static enum err
row_text(const struct tui_grid *g, size_t row, struct buf *out)
{
	const struct tui_cell *c = &g->cell[row * g->cols];
	size_t end = out->n;
	for (size_t i = 0; i < g->cols; i++) {
		for (size_t k = 0; k < c[i].n; k++) {
			uint8_t b[4];
			TRY(buf_add(out, b, utf8_put(c[i].code[k], b)));
		}
		if (c[i].n > 0 && c[i].code[0] != ' ')
			end = out->n;
	}
	out->n = end;
	return buf_add_str(out, "\n");
}

enum err
tui_grid_text(const struct tui_grid *g, struct buf *out)
{
	for (size_t r = 0; r < g->rows; r++)
		TRY(row_text(g, r, out));
	return OK;
}
