/*
 * tui_list.c: see tui_list.h.
 */
#include "cli/tui_list.h"

#include "cli/tui_words.h"

#define ROW_LINES 2u	/* of a chat; a blank line after it where there is room */

/* ---- chats ---- */

static void
put_presence(struct tui_box b, size_t row, const struct tui_chat *c)
{
	bool ascii = b.grid->ascii;
	if (c->presence == TUI_ONLINE)
		tui_box_str(b, row, 1, TUI_PRESENCE, ascii ? "*" : "\u25cf");
	else if (c->presence == TUI_AWAY)
		tui_box_str(b, row, 1, TUI_EMBER, ascii ? "o" : "\u25d0");
}

/* Marks after the name: what they are is said by a word in the head. */
static void
put_name(struct tui_model *m, struct tui_box b, size_t row,
    const struct tui_chat *c, enum tui_style style, size_t room)
{
	char marks[64] = "";
	bool ascii = b.grid->ascii;
	enum tui_style mark_style = TUI_META;
	size_t n = 0;
	(void)m;
	if (c->changed || c->stopped) {
		n += (size_t)snprintf(marks, sizeof(marks), " %s", ascii ?
		    "!" : "\u25b2");
		mark_style = TUI_WARNING;
	} else if (c->verified) {
		n += (size_t)snprintf(marks, sizeof(marks), " %s", ascii ?
		    "+" : "\u2713");
		mark_style = TUI_VERIFIED;
	}
	char more[64] = "";
	snprintf(more, sizeof(more), "%s%s%s%s%s",
	    c->flags & CHAT_PINNED ? ascii ? " pin" : " \u2191" : "",
	    c->flags & CHAT_MUTED ? " mute" : "",
	    c->flags & CHAT_ARCHIVED ? " arch" : "",
	    c->blocked ? " blocked" : "", c->gone ? " deleted" : "");
	size_t used = tui_text_columns(span_str(marks)) +
	    tui_text_columns(span_str(more));
	size_t col = tui_box_cut(b, row, 3, room > used ? room - used : 4,
	    style, span_str(c->name));
	col = tui_box_str(b, row, col, mark_style, marks);
	tui_box_str(b, row, col, TUI_META, more);
	(void)n;
}

static void
put_preview(struct tui_model *m, struct tui_box b, size_t row,
    const struct tui_chat *c, size_t room)
{
	char text[TUI_PREVIEW_MAX + 64];
	enum tui_style style = c->unread_n > 0 ? TUI_TEXT : TUI_META;
	size_t col = 3;
	if (c->typing_until_ms > m->now_ms) {
		tui_box_cut(b, row, col, room, TUI_ACCENT,
		    span_str(tui_sign(b.grid, "typing\u2026", "typing...")));
		return;
	}
	if (c->draft) {
		size_t to = tui_box_str(b, row, col, TUI_DANGER, "Draft: ");
		room = room > to - col ? room - (to - col) : 0;
		col = to;
	} else if (c->mine && c->kind == ITEM_TEXT) {
		struct client_item it = { .state = c->state,
		    .flags = c->item_flags };
		snprintf(text, sizeof(text), "%s ", b.grid->ascii ? "You:" :
		    tui_words_state(&it, false));
		size_t to = tui_box_str(b, row, col, TUI_META, text);
		room = room > to - col ? room - (to - col) : 0;
		col = to;
	}
	snprintf(text, sizeof(text), "%s", c->preview);
	tui_box_cut(b, row, col, room, style, span_str(text));
}

static void
put_chat(struct tui_model *m, struct tui_box b, size_t row, size_t i)
{
	const struct tui_chat *c = &m->chat[i];
	char when[TUI_WORD_MAX], badge[24] = "";
	bool open = m->open && ID_EQ(m->with, c->user);
	bool sel = m->chat_sel == i && m->focus == TUI_AT_LIST;
	bool ascii = b.grid->ascii;
	tui_words_short(c->last_ms, m->now_ms, when);
	size_t when_n = tui_text_columns(span_str(when));
	put_presence(b, row, c);
	put_name(m, b, row, c, open || sel ? TUI_ACCENT_STRONG : TUI_STRONG,
	    b.cols > when_n + 6 ? b.cols - when_n - 5 : 4);
	tui_box_str(b, row, b.cols > when_n + 1 ? b.cols - when_n - 1 : 0,
	    c->unread_n > 0 ? TUI_EMBER : TUI_META, when);
	if (c->unread_n > 0)
		snprintf(badge, sizeof(badge), c->mentions_n > 0 ? " @%u " :
		    " %u ", (unsigned)c->unread_n);
	size_t badge_n = strlen(badge);
	put_preview(m, b, row + 1, c, b.cols > badge_n + 5 ?
	    b.cols - badge_n - 5 : 0);
	if (badge_n > 0)
		tui_box_str(b, row + 1, b.cols - badge_n - 1,
		    c->flags & CHAT_MUTED ? TUI_META : TUI_BADGE, badge);
	if (open || sel)
		for (size_t k = 0; k < ROW_LINES; k++)
			tui_box_str(b, row + k, 0, sel ? TUI_SELECTED :
			    TUI_ACCENT, ascii ? ">" : sel ? "\u2503" :
			    "\u2502");
	tui_box_hit(b, row, 0, ROW_LINES, b.cols, TUI_HIT_CHAT, i);
}

/* The listed chats' places: from the first that is shown. */
static void
bound(struct tui_model *m, size_t fit)
{
	size_t n = 0, sel_at = 0;
	if (m->chat_sel >= m->chat_n)
		m->chat_sel = m->chat_n > 0 ? m->chat_n - 1 : 0;
	for (size_t i = 0; i < m->chat_n; i++) {
		if (i == m->chat_sel)
			sel_at = n;
		n += tui_model_is_listed(m, &m->chat[i]);
	}
	if (m->chat_top + fit > n)
		m->chat_top = n > fit ? n - fit : 0;
	if (m->focus != TUI_AT_LIST || fit == 0)
		return;
	if (sel_at < m->chat_top)
		m->chat_top = sel_at;
	if (sel_at >= m->chat_top + fit)
		m->chat_top = sel_at - fit + 1;
}

void
tui_list_draw(struct tui_model *m, struct tui_box b)
{
	char text[TUI_WORD_MAX];
	uint32_t unread = tui_model_unread(m);
	tui_box_hit(b, 0, 0, b.rows, b.cols, TUI_HIT_LIST, 0);
	tui_box_str(b, 0, 1, TUI_STRONG, "Chats");
	if (unread > 0) {
		snprintf(text, sizeof(text), " %u ", (unsigned)unread);
		tui_box_str(b, 0, 7, TUI_BADGE, text);
	}
	tui_box_right(tui_box_part(b, 0, 0, 1, b.cols - 1), 0, TUI_META,
	    "^N new");
	tui_box_row(tui_box_part(b, 1, 0, 1, b.cols), 0, TUI_META,
	    tui_sign(b.grid, "\u2500", "-"));
	struct tui_box rows = tui_box_part(b, 2, 0, b.rows, b.cols);
	if (m->chat_n == 0) {
		tui_box_str(rows, 1, 3, TUI_META, "Quiet so far.");
		tui_box_str(rows, 2, 3, TUI_META,
		    "^N finds somebody to talk to.");
		return;
	}
	/* A blank line between chats where the list is short. */
	size_t step = rows.rows >= 3 * m->chat_n ? 3 : 2;
	size_t fit = rows.rows / step, n = 0, row = 0;
	bound(m, fit);
	for (size_t i = 0; i < m->chat_n; i++) {
		if (!tui_model_is_listed(m, &m->chat[i]))
			continue;
		if (n++ < m->chat_top || row + ROW_LINES > rows.rows)
			continue;
		put_chat(m, rows, row, i);
		row += step;
	}
}

/* ---- panels ---- */

/* One line of a panel, wrapped; returns its rows. Draws those in [0, rows). */
static size_t
put_line(struct tui_model *m, struct tui_box b, long row, size_t i)
{
	const struct tui_line *l = &m->panel.line[i];
	bool sel = l->can && m->panel.sel == i && m->focus == TUI_AT_PANEL;
	size_t left = 2u + l->indent, n = 0;
	size_t cols = b.cols > left + 3 ? b.cols - left - 2 : 2;
	struct tui_wrap w = tui_wrap_init(span_str(l->text));
	struct span line;
	while (l->raw ? n == 0 : tui_wrap_next(&w, cols, &line)) {
		long at = row + (long)n++;
		if (l->raw)
			line = tui_text_fit(span_str(l->text), cols);
		if (at < 0 || (size_t)at >= b.rows)
			continue;
		size_t used = tui_text_columns(line);
		tui_box_put(b, (size_t)at, l->center && used < cols ? left +
		    (cols - used) / 2 : left, sel ? TUI_ACCENT_STRONG :
		    (enum tui_style)l->style, line);
		if (l->can) {
			tui_box_hit(b, (size_t)at, 0, 1, b.cols,
			    TUI_HIT_PANEL, i);
			if (sel)
				tui_box_str(b, (size_t)at, 0, TUI_SELECTED,
				    tui_sign(b.grid, "\u2503", ">"));
		}
	}
	return n;
}

/* Keeps what is selected in sight. */
static void
bound_panel(struct tui_model *m, struct tui_box b)
{
	struct tui_panel *p = &m->panel;
	struct tui_box none = tui_box_part(b, 0, 0, 0, b.cols);
	size_t total = 0, sel_top = 0, sel_end = 0;
	none.cols = b.cols;
	for (size_t i = 0; i < p->n; i++) {
		size_t n = put_line(m, none, -1, i);
		if (i == p->sel) {
			sel_top = total;
			sel_end = total + n;
		}
		total += n;
	}
	if (p->sel < p->n && p->line[p->sel].can &&
	    m->focus == TUI_AT_PANEL) {
		if (sel_top < p->top)
			p->top = sel_top;
		if (sel_end > p->top + b.rows)
			p->top = sel_end - b.rows;
	}
	if (p->top + b.rows > total)
		p->top = total > b.rows ? total - b.rows : 0;
}

static void
put_field(struct tui_model *m, struct tui_box b)
{
	const struct tui_compose *f = m->field;
	struct span text = tui_compose_text(f);
	tui_box_str(b, 0, 1, TUI_ACCENT, tui_sign(b.grid, "\u203a", ">"));
	struct tui_box in = tui_box_part(b, 0, 3, 1, b.cols - 4);
	if (text.n == 0)
		tui_box_str(in, 0, 0, TUI_META, m->panel.hint);
	/* The end of a long one is what is being typed. */
	while (tui_text_columns(text) >= in.cols && text.n > 0) {
		struct tui_glyph g;
		size_t n = tui_text_next(text, &g);
		text = span_sub(text, n, text.n);
	}
	tui_box_put(in, 0, 0, TUI_TEXT, text);
	size_t after = f->n - f->at;
	if (m->focus == TUI_AT_PANEL)
		tui_box_cursor(in, 0, after <= text.n ? tui_text_columns(
		    span_sub(text, 0, text.n - after)) : 0);
}

void
tui_list_panel(struct tui_model *m, struct tui_box b)
{
	struct tui_panel *p = &m->panel;
	size_t head = p->has_input ? 4 : 2;
	tui_box_blank(b);
	tui_box_hit(b, 0, 0, b.rows, b.cols, TUI_HIT_PANEL, TUI_LINES_MAX);
	tui_box_str(b, 0, 1, TUI_STRONG, p->title);
	size_t close = tui_box_right(tui_box_part(b, 0, 0, 1, b.cols - 1), 0,
	    TUI_META, "Esc closes");
	tui_box_hit(b, 0, close, 1, b.cols, TUI_HIT_BACK, 0);
	tui_box_row(tui_box_part(b, 1, 0, 1, b.cols), 0, TUI_META,
	    tui_sign(b.grid, "\u2500", "-"));
	if (p->has_input) {
		put_field(m, tui_box_part(b, 2, 0, 1, b.cols));
		tui_box_row(tui_box_part(b, 3, 0, 1, b.cols), 0, TUI_META,
		    tui_sign(b.grid, "\u2500", "-"));
	}
	struct tui_box rows = tui_box_part(b, head, 0, b.rows, b.cols);
	bound_panel(m, rows);
	long row = -(long)p->top;
	for (size_t i = 0; i < p->n; i++)
		row += (long)put_line(m, rows, row, i);
}
