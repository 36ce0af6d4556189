/*
 * tui_layout.c: see tui_layout.h. The panes, the head and the composer of a
 * chat, bars and the last row; the log is in tui_history.c, the list and the
 * panels in tui_list.c.
 */
#include "cli/tui_layout.h"

#include "cli/tui_history.h"
#include "cli/tui_list.h"
#include "cli/tui_words.h"

#define PANEL_COLS 46u
#define HEAD_ROWS 2u

struct tui_panes
tui_layout_panes(struct tui_model *m, struct tui_grid *g)
{
	struct tui_box all = tui_box_all(g);
	size_t rows = g->rows > 1 ? g->rows - 1 : g->rows;
	struct tui_panes p = { 0 };
	bool panel = m->panel.kind != TUI_PANEL_NONE;
	p.status = tui_box_part(all, rows, 0, 1, g->cols);
	all = tui_box_part(all, 0, 0, rows, g->cols);
	if (g->cols < TUI_TWO_PANES) {
		if (panel && m->focus == TUI_AT_PANEL)
			p.panel = all;
		else if (!m->open || m->focus == TUI_AT_LIST)
			p.list = all;
		else
			p.chat = all;
		return p;
	}
	size_t list = g->cols / 5 < 28 ? 28 : g->cols / 5 > 40 ? 40 :
	    g->cols / 5;
	p.list = tui_box_part(all, 0, 0, rows, list);
	struct tui_box rest = tui_box_part(all, 0, list + 1, rows, g->cols);
	if (panel && g->cols >= TUI_THREE_PANES) {
		p.chat = tui_box_part(rest, 0, 0, rows, rest.cols -
		    PANEL_COLS - 1);
		p.panel = tui_box_part(rest, 0, rest.cols - PANEL_COLS, rows,
		    PANEL_COLS);
	} else if (panel && m->focus == TUI_AT_PANEL) {
		p.panel = rest;
	} else {
		p.chat = rest;
	}
	return p;
}

/* ---- the head ---- */

static const char *
chip(struct tui_model *m, const struct tui_chat *c, bool ascii,
    enum tui_style *style)
{
	if (m->conflict) {
		*style = TUI_DANGER;
		return ascii ? "! Two device lists" : "\u25b2 Two device "
		    "lists";
	}
	if (c->changed || c->stopped) {
		*style = TUI_WARNING;
		return ascii ? "! Key changed" : "\u25b2 Key changed";
	}
	if (c->verified) {
		*style = TUI_VERIFIED;
		return ascii ? "Verified" : "\u2713 Verified";
	}
	*style = TUI_META;
	return "Encrypted";
}

static void
presence(struct tui_model *m, const struct tui_chat *c, char *out, size_t cap)
{
	char ago[TUI_WORD_MAX];
	if (c->gone)
		snprintf(out, cap, "account deleted");
	else if (c->typing_until_ms > m->now_ms && !m->log.follow)
		snprintf(out, cap, "typing");
	else if (c->presence == TUI_ONLINE)
		snprintf(out, cap, "online");
	else if (c->presence == TUI_AWAY)
		snprintf(out, cap, "away");
	else if (c->seen_ms != 0) {
		tui_words_ago(c->seen_ms, m->now_ms, ago);
		snprintf(out, cap, "last seen %s", ago);
	} else {
		out[0] = '\0';
	}
}

static void
put_head(struct tui_model *m, struct tui_box b, const struct tui_chat *c)
{
	char text[TUI_SENTENCE_MAX], span[TUI_WORD_MAX];
	bool ascii = b.grid->ascii;
	enum tui_style style;
	const char *word = chip(m, c, ascii, &style);
	size_t n = tui_text_columns(span_str(word)), col = 1;
	size_t right = b.cols > n + 2 ? b.cols - n - 1 : b.cols;
	if (b.grid->cols < TUI_TWO_PANES) {
		col = tui_box_str(b, 0, 1, TUI_ACCENT, ascii ? "<" :
		    "\u2190") + 1;
		tui_box_hit(b, 0, 0, 1, 3, TUI_HIT_BACK, 1);
	}
	col = tui_box_cut(b, 0, col, right > col + 1 ? right - col - 1 : 0,
	    TUI_STRONG, span_str(c->name));
	presence(m, c, text, sizeof(text));
	if (c->flags & CHAT_MUTED)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%smuted", text[0] != '\0' ? ", " : "");
	if (c->expire_s != 0) {
		tui_words_span(c->expire_s, span);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%sdisappearing after %s", text[0] != '\0' ? ", " : "",
		    span);
	}
	col += 2;
	if (right > col + 1)
		tui_box_cut(b, 0, col, right - col - 1, c->presence ==
		    TUI_ONLINE ? TUI_PRESENCE : TUI_META, span_str(text));
	tui_box_str(b, 0, right, style, word);
	tui_box_hit(b, 0, right, 1, n + 1, TUI_HIT_CHIP, 0);
	tui_box_row(tui_box_part(b, 1, 0, 1, b.cols), 0, TUI_META,
	    tui_sign(b.grid, "\u2500", "-"));
}

/* ---- the bar ---- */

static enum tui_style
bar_text(struct tui_model *m, const char *name, char *out, size_t cap)
{
	switch (tui_model_bar(m)) {
	case TUI_BAR_CONFLICT:
		snprintf(out, cap, "The server shows you and %s different "
		    "device lists. Write nothing private here until that is "
		    "cleared up. Tell the people who run it, and ask %s by "
		    "another way.  [Alt-P details]", name, name);
		return TUI_DANGER;
	case TUI_BAR_STOPPED:
		snprintf(out, cap, "%s's safety number is different now. Most "
		    "often it means that %s lost a device without a recovery "
		    "key and started over. It can also mean that somebody "
		    "answers in %s's place. You had verified %s, so nothing "
		    "is sent until you decide.  [Alt-C compare now]  [Alt-W "
		    "write anyway]", name, name, name, name);
		return TUI_WARNING;
	case TUI_BAR_CHANGED:
		snprintf(out, cap, "%s's safety number is new.  [Alt-C "
		    "compare]", name);
		return TUI_META;
	case TUI_BAR_RENEWED:
		snprintf(out, cap, "%s renewed the account key, so the safety "
		    "number is new. The old key vouches for it; compare again "
		    "when you can.  [Alt-C compare]", name);
		return TUI_META;
	case TUI_BAR_OFFLINE:
		snprintf(out, cap, m->ever_up ? "The server doesn't answer. "
		    "Everything you write is kept and sent as soon as it "
		    "does." : "You're offline. You can read and write; "
		    "messages go out when the line is back.");
		return TUI_EMBER;
	case TUI_BAR_CATCHING_UP: case TUI_BAR_NONE: default:
		out[0] = '\0';
		return TUI_META;
	}
}

/* Draws the bar from row 2 on unless dry; returns its rows. */
static size_t
put_bar(struct tui_model *m, struct tui_box b, bool dry)
{
	char text[TUI_SENTENCE_MAX * 2];
	const struct tui_chat *c = tui_model_current(m);
	enum tui_style style = bar_text(m, c != NULL ? c->name : "?", text,
	    sizeof(text));
	size_t cols = b.cols > 6 ? b.cols - 4 : 2, n = 0;
	if (text[0] == '\0')
		return 0;
	struct tui_wrap w = tui_wrap_init(span_str(text));
	struct span line;
	while (n < 8 && tui_wrap_next(&w, cols, &line)) {
		if (!dry) {
			tui_box_put(b, HEAD_ROWS + n, 3, style, line);
			tui_box_hit(b, HEAD_ROWS + n, 0, 1, b.cols,
			    TUI_HIT_BAR, 0);
			if (n == 0)
				tui_box_str(b, HEAD_ROWS, 1, style, tui_sign(
				    b.grid, "\u25b2", "!"));
		}
		n++;
	}
	if (!dry)
		tui_box_row(tui_box_part(b, HEAD_ROWS + n, 0, 1, b.cols), 0,
		    TUI_META, tui_sign(b.grid, "\u2500", "-"));
	return n + 1;
}

/* ---- the composer ---- */

size_t
tui_layout_compose_cols(struct tui_box chat)
{
	return chat.cols > 7 ? chat.cols - 4 : 3;
}

static bool
has_head(const struct tui_model *m)
{
	return !ID_IS_ZERO(m->reply.event) || !ID_IS_ZERO(m->edit.event);
}

static size_t
compose_lines(struct tui_model *m, struct tui_box b)
{
	struct tui_compose_view v = tui_compose_view(m->compose,
	    tui_layout_compose_cols(b));
	size_t most = b.rows > 14 ? TUI_COMPOSE_LINES : 3;
	return v.lines > most ? most : v.lines;
}

/* Rows of the composer with its hairline. */
static size_t
compose_rows(struct tui_model *m, struct tui_box b)
{
	return 1 + (has_head(m) ? 1u : 0) + compose_lines(m, b);
}

static void
compose_head(struct tui_model *m, struct tui_box b, const char *name)
{
	char text[TUI_PREVIEW_MAX + TUI_NAME_MAX + 64];
	bool edit = !ID_IS_ZERO(m->edit.event);
	snprintf(text, sizeof(text), edit ? "Editing: %s%s" :
	    "Reply to %s: %s", edit ? "" : m->about_mine ? "yourself" : name,
	    m->about);
	tui_box_cut(b, 0, 3, b.cols > 18 ? b.cols - 17 : 0, TUI_ACCENT,
	    span_str(text));
	tui_box_right(tui_box_part(b, 0, 0, 1, b.cols - 1), 0, TUI_META,
	    "Esc ends it");
}

static void
put_compose(struct tui_model *m, struct tui_box b, const char *name)
{
	char text[TUI_NAME_MAX + 32];
	size_t cols = tui_layout_compose_cols(b);
	size_t head = has_head(m) ? 2 : 1, lines = b.rows - head;
	struct tui_compose_view v = tui_compose_view(m->compose, cols);
	size_t first = v.line >= lines ? v.line - lines + 1 : 0;
	bool here = m->focus == TUI_AT_COMPOSE;
	tui_box_row(tui_box_part(b, 0, 0, 1, b.cols), 0, here ? TUI_ACCENT :
	    TUI_META, tui_sign(b.grid, "\u2500", "-"));
	if (head == 2)
		compose_head(m, tui_box_part(b, 1, 0, 1, b.cols), name);
	struct tui_box in = tui_box_part(b, head, 0, lines, b.cols);
	tui_box_hit(in, 0, 0, in.rows, in.cols, TUI_HIT_COMPOSER, first);
	tui_box_str(in, 0, 1, here ? TUI_ACCENT_STRONG : TUI_META,
	    tui_sign(b.grid, "\u203a", ">"));
	struct tui_box field = tui_box_part(in, 0, 3, lines, cols + 1);
	if (m->compose->n == 0) {
		snprintf(text, sizeof(text), "Message %s", name);
		tui_box_cut(field, 0, 0, cols, TUI_META, span_str(text));
	}
	size_t at = 0, n = 0;
	bool more = true;
	struct span line;
	while (tui_compose_line(m->compose, cols, &at, &more, &line)) {
		if (n >= first && n - first < lines)
			tui_box_put(field, n - first, 0, TUI_TEXT, line);
		n++;
	}
	if (here && m->ask == TUI_ASK_NONE)
		tui_box_cursor(field, v.line - first, v.col);
}

/* ---- the chat ---- */

struct tui_box
tui_layout_log_box(struct tui_model *m, struct tui_box chat)
{
	size_t top = HEAD_ROWS + put_bar(m, chat, true);
	size_t low = compose_rows(m, chat) + 1;	/* and the typing row */
	if (top + low >= chat.rows)
		return tui_box_part(chat, HEAD_ROWS, 0, 0, chat.cols);
	return tui_box_part(chat, top, 0, chat.rows - top - low, chat.cols);
}

/* The row between the log and the composer. */
static void
put_between(struct tui_model *m, struct tui_box b, const struct tui_chat *c)
{
	char text[TUI_SENTENCE_MAX];
	const char *down = tui_sign(b.grid, "\u2193", "v");
	if (c->typing_until_ms > m->now_ms) {
		snprintf(text, sizeof(text), "%s is typing%s", c->name,
		    tui_sign(b.grid, "\u2026", "..."));
		tui_box_cut(b, 0, 3, b.cols > 24 ? b.cols - 20 : 0,
		    TUI_META, span_str(text));
	}
	if (m->log.follow || m->log.n == 0)
		return;
	if (m->log.below_n > 0)
		snprintf(text, sizeof(text), "%s %u new  Esc ", down,
		    (unsigned)m->log.below_n);
	else
		snprintf(text, sizeof(text), "%s to the end: Esc ", down);
	size_t col = tui_box_right(b, 0, m->log.below_n > 0 ? TUI_EMBER :
	    TUI_META, text);
	tui_box_hit(b, 0, col, 1, b.cols, TUI_HIT_JUMP, 0);
}

static void
put_chat(struct tui_model *m, struct tui_box b)
{
	const struct tui_chat *c = tui_model_current(m);
	char text[TUI_NAME_MAX + 80];
	if (c == NULL) {
		tui_box_str(b, b.rows / 2, 4, TUI_META, m->chat_n > 0 ?
		    "Choose a chat, or ^N for a new one." :
		    "Quiet so far. ^N finds somebody to talk to.");
		return;
	}
	struct tui_box log = tui_layout_log_box(m, b);
	put_head(m, b, c);
	(void)put_bar(m, b, false);
	if (m->log.n == 0 && m->log.all && log.rows > 1) {
		snprintf(text, sizeof(text), "Quiet so far. Say hello to %s.",
		    c->name);
		tui_box_cut(log, log.rows - 2, 3, log.cols - 4, TUI_META,
		    span_str(text));
		tui_box_str(log, log.rows - 1, 3, TUI_META,
		    "Only the two of you can read it.");
	}
	tui_history_draw(m, log);
	size_t low = compose_rows(m, b);
	if (b.rows > low + HEAD_ROWS) {
		put_between(m, tui_box_part(b, b.rows - low - 1, 0, 1,
		    b.cols), c);
		put_compose(m, tui_box_part(b, b.rows - low, 0, low, b.cols),
		    c->name);
	}
}

/* ---- the last row ---- */

static const char *
ask_text(const struct tui_model *m)
{
	switch (m->ask) {
	case TUI_ASK_DELETE: return m->ask_mine ?
		    "Delete this message?  k Keep   m For me   b For both" :
		    "Delete this message for you?  k Keep   m For me";
	case TUI_ASK_REACT: return m->ascii ? "React with  1 thumb up  2 "
		    "heart  3 laugh  4 wow  5 party  0 none, or type one: " :
		    "React with  1 \U0001f44d  2 \u2764  3 "
		    "\U0001f602  4 \U0001f62e  5 \U0001f389  0 none, or type "
		    "one, Enter: ";
	case TUI_ASK_BLOCK: return "Block this person? They aren't told.  "
		    "y Block   n Keep";
	case TUI_ASK_WRITE_ANYWAY: return "Write without comparing the number?  "
		    "y Write   n Wait";
	case TUI_ASK_REPORT: return "Report this message with its text?  "
		    "y Report   n Keep";
	case TUI_ASK_QUIT: case TUI_ASK_NONE: default: return "";
	}
}

static const char *
hints(const struct tui_model *m)
{
	switch (m->focus) {
	case TUI_AT_LIST: return "Enter open  ^N new  m mute  p pin  a archive"
		    "  Tab chat  F1 help  ^Q quit";
	case TUI_AT_LOG: return "r reply  a react  c copy  e edit  d delete  "
		    "p pin  i details  Esc";
	case TUI_AT_PANEL: return m->panel.has_input ?
		    "Enter choose  Up Down move  Esc close" :
		    "Up Down move  Enter choose  Esc close";
	case TUI_AT_COMPOSE: default: return "Enter send  Alt-Enter new line  "
		    "Up select  Alt-P protection  F1 help";
	}
}

static void
put_status(struct tui_model *m, struct tui_box b)
{
	bool new = m->now_ms <= m->down_since_ms + 1500;
	const char *link = !m->up ? new ? "connecting" : "offline" :
	    !m->caught_up ? "catching up" : "";
	size_t n = tui_text_columns(span_str(link));
	size_t room = b.cols > n + 3 ? b.cols - n - 3 : 0;
	if (n > 0)
		tui_box_right(tui_box_part(b, 0, 0, 1, b.cols - 1), 0,
		    TUI_EMBER, link);
	if (m->ask != TUI_ASK_NONE) {
		size_t col = tui_box_cut(b, 0, 1, room, TUI_ACCENT_STRONG,
		    span_str(ask_text(m)));
		if (m->ask == TUI_ASK_REACT) {
			col = tui_box_put(b, 0, col, TUI_TEXT,
			    tui_compose_text(m->field));
			tui_box_cursor(b, 0, col);
		}
		return;
	}
	if (m->toast[0] != '\0')
		tui_box_cut(b, 0, 1, room, m->toast_bad ? TUI_DANGER :
		    TUI_TEXT, span_str(m->toast));
	else
		tui_box_cut(b, 0, 1, room, TUI_META, span_str(hints(m)));
}

void
tui_layout(struct tui_model *m, struct tui_grid *g)
{
	g->ascii = m->ascii;
	tui_grid_clear(g);
	struct tui_panes p = tui_layout_panes(m, g);
	const char *line = tui_sign(g, "\u2502", "|");
	if (p.list.rows > 0) {
		tui_list_draw(m, p.list);
		if (g->cols >= TUI_TWO_PANES)
			tui_box_column(tui_box_part(tui_box_all(g), 0,
			    p.list.cols, p.list.rows, 1), 0, TUI_META, line);
	}
	if (p.chat.rows > 0)
		put_chat(m, p.chat);
	if (p.panel.rows > 0) {
		tui_list_panel(m, p.panel);
		if (p.chat.rows > 0)
			tui_box_column(tui_box_part(tui_box_all(g), 0,
			    p.panel.col - 1, p.panel.rows, 1), 0, TUI_META,
			    line);
	}
	put_status(m, p.status);
}
