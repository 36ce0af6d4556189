/*
 * tui_history.c: see tui_history.h.
 *
 * Implementation notes: one function lays an entry out, drawing or only
 * counting its rows (dry), so that both always agree. Rows are counted from
 * the top of the box and may lie outside of it.
 */
#include "cli/tui_history.h"

#include "cli/tui_words.h"

#define RUN_MS (5 * 60 * 1000ull)	/* one person's messages in a row */
#define COLUMN_MAX 108u			/* wider panes leave margins */
#define BLOCK_MAX 76u

struct place {
	struct tui_model *m;
	struct tui_box b;	/* the column of the messages */
	bool dry;
	long row;		/* of what is drawn next */
	size_t i;
	struct tui_entry *e;
	bool mine, selected, lit;
	size_t left, width;	/* of the block */
};

/* ---- drawing one row at a time ---- */

static bool
is_seen(const struct place *p)
{
	return !p->dry && p->row >= 0 && (size_t)p->row < p->b.rows;
}

static void
put(struct place *p, size_t col, enum tui_style style, struct span s)
{
	if (is_seen(p))
		tui_box_put(p->b, (size_t)p->row, col, style, s);
}

static void
centered(struct place *p, enum tui_style style, const char *s)
{
	size_t n = tui_text_columns(span_str(s));
	put(p, n < p->b.cols ? (p->b.cols - n) / 2 : 0, style, span_str(s));
}

/* The bar at the side of a block, and what the mouse finds there. */
static void
gutter(struct place *p, enum tui_hit_kind hit)
{
	bool ascii = p->b.grid->ascii;
	if (!is_seen(p))
		return;
	size_t row = (size_t)p->row, col = p->mine ? p->b.cols - 1 : 0;
	enum tui_style style = p->selected ? TUI_SELECTED : p->mine ?
	    TUI_ACCENT : TUI_META;
	tui_box_str(p->b, row, col, style, p->selected ? ascii ? "#" :
	    "\u2503" : ascii ? "|" : "\u2502");
	if (p->lit)
		tui_box_tint(tui_box_part(p->b, row, p->left, 1, p->width),
		    0, TUI_FOUND);
	tui_box_hit(p->b, row, 0, 1, p->b.cols, hit, p->i);
}

/* ---- what stands before an entry ---- */

static uint64_t
time_of(const struct client_item *it)
{
	return it->server_ms != 0 ? it->server_ms : it->sender_ms;
}

static bool
is_bubble(const struct client_item *it)
{
	return it->kind == ITEM_TEXT || it->kind == ITEM_DELETED;
}

/* Entry i goes on with the run of the one before. */
static bool
is_run(const struct tui_model *m, size_t i)
{
	if (i == 0 || i >= m->log.n)
		return false;
	const struct client_item *a = &m->log.entry[i - 1].it;
	const struct client_item *b = &m->log.entry[i].it;
	uint64_t ta = time_of(a), tb = time_of(b);
	return is_bubble(a) && is_bubble(b) && ID_EQ(a->sender, b->sender) &&
	    (tb < ta || tb - ta < RUN_MS) && tui_words_same_day(ta, tb);
}

static void
unread_line(struct place *p)
{
	char text[TUI_WORD_MAX];
	uint32_t n = tui_log_unread_n(&p->m->log, &p->m->me);
	snprintf(text, sizeof(text), " %u new message%s ", (unsigned)n,
	    n == 1 ? "" : "s");
	p->row++;
	if (is_seen(p))
		tui_box_row(tui_box_part(p->b, (size_t)p->row, 0, 1,
		    p->b.cols), 0, TUI_EMBER, tui_sign(p->b.grid, "\u2500",
		    "-"));
	centered(p, TUI_EMBER, text);
	p->row++;
}

static void
before(struct place *p)
{
	char day[TUI_WORD_MAX];
	struct tui_log *l = &p->m->log;
	uint64_t t = time_of(&p->e->it);
	bool first = p->i == 0;
	bool other_day = first || !tui_words_same_day(t,
	    time_of(&l->entry[p->i - 1].it));
	bool line = l->unread_on && tui_log_unread(l, &p->m->me) == p->i;
	if (other_day) {
		p->row += first ? 0 : 1;
		tui_words_day(t, p->m->now_ms, day);
		centered(p, TUI_META, day);
		p->row++;
	}
	if (line)
		unread_line(p);
	if (!is_run(p->m, p->i) || line)
		p->row++;
}

/* ---- texts ---- */

static bool
is_link(struct span s)
{
	return span_starts(s, SPAN("https://")) ||
	    span_starts(s, SPAN("http://"));
}

/* "@name" of mine at the front of s; its bytes, or 0. */
static size_t
mention_n(const struct place *p, struct span s)
{
	struct span name = span_str(p->m->me_name);
	if (s.n < name.n + 1 || s.p[0] != '@' || name.n == 0 ||
	    !span_eq_nocase(span_sub(s, 1, name.n), name))
		return 0;
	return name.n + 1;
}

static bool
is_word_start(struct span line, size_t at)
{
	return at == 0 || line.p[at - 1] == ' ' || line.p[at - 1] == '(';
}

/*
 * The piece of a line from `at` on that has one style: `code`, a link, a
 * mention of me, or plain text up to the next of these.
 */
static size_t
piece(const struct place *p, struct span line, size_t at,
    enum tui_style *style)
{
	struct span s = span_sub(line, at, line.n);
	*style = TUI_TEXT;
	if (s.p[0] == '`') {
		size_t end = span_find(span_sub(s, 1, s.n), '`');
		if (end > 0 && end + 1 < s.n) {
			*style = TUI_CODE;
			return end + 2;
		}
	} else if (is_word_start(line, at) && is_link(s)) {
		*style = TUI_ACCENT;
		return span_find(s, ' ');
	} else if (is_word_start(line, at) && mention_n(p, s) > 0) {
		*style = TUI_EMBER;
		return mention_n(p, s);
	}
	size_t n = 1;
	while (n < s.n && s.p[n] != '`' && !(is_word_start(s, n) &&
	    (s.p[n] == '@' || s.p[n] == 'h')))
		n++;
	return n;
}

static void
text_line(struct place *p, struct span line, bool code)
{
	size_t at = 0, col = p->left;
	if (!is_seen(p))
		return;
	while (at < line.n) {
		enum tui_style style;
		size_t n = code ? line.n : piece(p, line, at, &style);
		if (code)
			style = TUI_CODE;
		col = tui_box_put(p->b, (size_t)p->row, col, style,
		    span_sub(line, at, n));
		at += n;
	}
}

/*
 * The lines of a text as they are shown: those of a block between two lines of
 * ``` are code, and the two themselves (the first may name a language) are not
 * shown. A fence that nothing closes is text.
 */
struct lines {
	struct tui_wrap w;
	const uint8_t *start;	/* of the text */
	bool code;
};

static struct lines
lines_init(struct span text)
{
	return (struct lines){ tui_wrap_init(text), text.p, false };
}

static bool
is_fence(struct span line, bool closes)
{
	size_t i = 3;
	if (!span_starts(line, SPAN("```")))
		return false;
	while (i < line.n && line.p[i] != '`' && line.p[i] != '\n' &&
	    !(closes && line.p[i] != ' '))
		i++;
	return i == line.n || line.p[i] == '\n';
}

/* Is there another fence in what follows, and something before it? */
static bool
is_closed(struct span rest)
{
	for (size_t at = 0; at < rest.n;
	    at += span_find(span_sub(rest, at, rest.n), '\n') + 1)
		if (is_fence(span_sub(rest, at, rest.n), true))
			return at > 0;
	return false;
}

static bool
lines_next(struct lines *l, size_t cols, struct span *line_out)
{
	while (tui_wrap_next(&l->w, cols, line_out)) {
		bool begins = line_out->p == l->start ||
		    (line_out->n > 0 && line_out->p[-1] == '\n');
		if (!begins || !is_fence(*line_out, l->code))
			return true;
		if (!l->code && !is_closed(l->w.rest))
			return true;
		l->code = !l->code;
	}
	return false;
}

/* Lines of the text as shown, and the widest; folded ones count 30. */
struct measure {
	size_t lines, widest, last;
	bool folded;
};

static struct measure
measure(const struct place *p, struct span text, size_t cols)
{
	struct measure r = { 0 };
	struct lines w = lines_init(text);
	struct span line;
	while (lines_next(&w, cols, &line)) {
		if (r.lines == TUI_FOLD_LINES && !p->e->open) {
			r.folded = true;
			r.last = 0;
			break;
		}
		r.last = tui_text_columns(line);
		if (r.last > r.widest)
			r.widest = r.last;
		r.lines++;
	}
	return r;
}

static void
text_lines(struct place *p, struct span text, size_t cols,
    const struct measure *ms)
{
	struct lines w = lines_init(text);
	struct span line;
	for (size_t n = 0; n < ms->lines && lines_next(&w, cols, &line);
	    n++) {
		text_line(p, line, w.code);
		gutter(p, TUI_HIT_ITEM);
		p->row++;
	}
	if (ms->folded) {
		put(p, p->left, TUI_ACCENT, span_str(tui_sign(p->b.grid,
		    "\u2026 Enter shows all of it", ".. Enter shows all")));
		gutter(p, TUI_HIT_ITEM);
		p->row++;
	}
}

/* ---- what stands beside and below a text ---- */

static void
add(char *out, size_t cap, const char *s)
{
	size_t n = strlen(out);
	if (*s != '\0')
		snprintf(out + n, cap - n, "%s%s", n > 0 ? " " : "", s);
}

/* "Pinned Edited 14:05 device 2 ●"; empty where the run's end says it. */
static void
meta_text(const struct place *p, char *out, size_t cap)
{
	const struct client_item *it = &p->e->it;
	const struct tui_log *l = &p->m->log;
	char word[TUI_WORD_MAX];
	const struct client_item *next = p->i + 1 < l->n ?
	    &l->entry[p->i + 1].it : NULL;
	bool same = next != NULL && is_run(p->m, p->i + 1) &&
	    next->state == it->state && ((next->flags ^ it->flags) &
	    (ITEM_DELIVERED | ITEM_READ)) == 0 && next->device == it->device;
	bool special = it->edit_number > 0 || it->expire_s != 0 ||
	    it->flags & (ITEM_PINNED | ITEM_LATE | ITEM_CHANGING);
	out[0] = '\0';
	if (same && !special && !p->selected)
		return;
	if (it->flags & ITEM_PINNED)
		add(out, cap, "Pinned");
	if (it->edit_number > 0)
		add(out, cap, it->flags & ITEM_CHANGING ? "Changing" :
		    "Edited");
	if (it->flags & ITEM_LATE)
		add(out, cap, "(clock differs)");
	tui_words_clock(time_of(it), word);
	add(out, cap, word);
	if (p->mine ? p->m->me_devices > 1 : p->m->with_devices > 1) {
		snprintf(word, sizeof(word), "device %u",
		    (unsigned)it->device);
		add(out, cap, word);
	}
	if (it->expires_at_ms > p->m->now_ms) {
		uint64_t s = (it->expires_at_ms - p->m->now_ms + 999) / 1000;
		tui_words_span(s, word);
		add(out, cap, word);
		add(out, cap, "left");
	} else if (it->expire_s != 0) {
		add(out, cap, tui_sign(p->b.grid, "\u231b", "timer"));
	}
	if (p->mine)
		add(out, cap, tui_words_state(it, p->b.grid->ascii));
}

static void
reactions_text(const struct place *p, char *out, size_t cap)
{
	out[0] = '\0';
	for (size_t i = 0; i < p->e->react_n; i++) {
		const struct tui_react *r = &p->e->react[i];
		char one[CLIENT_REACTION_MAX + 16];
		const char *in = r->mine ? "[" : " ";
		const char *end = r->mine ? "]" : " ";
		if (r->n > 1)
			snprintf(one, sizeof(one), "%s%s %u%s", in, r->text,
			    (unsigned)r->n, end);
		else
			snprintf(one, sizeof(one), "%s%s%s", in, r->text, end);
		size_t n = strlen(out);
		snprintf(out + n, cap - n, "%s", one);
	}
}

static void
quote_text(const struct place *p, char *out, size_t cap)
{
	const struct tui_entry *e = p->e;
	bool me = ID_EQ(e->it.reply_to.sender, p->m->me);
	const struct tui_chat *c = tui_model_current(p->m);
	const char *who = me ? "You" : c != NULL ? c->name : "";
	snprintf(out, cap, "%s%s: %.*s", tui_sign(p->b.grid, "\u250a ", "> "),
	    who, e->quote_gone ? 28 : (int)e->quote_n, e->quote_gone ?
	    "(a message that is not here)" : (const char *)e->quote);
}

/* ---- blocks ---- */

/* Where the block begins, given how wide it is. */
static void
set_width(struct place *p, size_t width)
{
	p->width = width;
	p->left = p->mine ? p->b.cols > width + 2 ?
	    p->b.cols - width - 2 : 0 : 2;
}

static size_t
limit(const struct place *p)
{
	size_t cols = p->b.cols * 82 / 100;
	if (cols < 30)
		cols = p->b.cols > 6 ? p->b.cols - 4 : 2;
	return cols < BLOCK_MAX ? cols : BLOCK_MAX;
}

static size_t
larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

static void
trailing(struct place *p, const char *meta, const char *react)
{
	if (*meta != '\0') {
		size_t n = tui_text_columns(span_str(meta));
		put(p, p->left + (p->width > n ? p->width - n : 0), TUI_META,
		    span_str(meta));
		gutter(p, TUI_HIT_ITEM);
		p->row++;
	}
	if (*react != '\0') {
		put(p, p->left, TUI_TEXT, span_str(react));
		gutter(p, TUI_HIT_ITEM);
		p->row++;
	}
}

static void
unsent(struct place *p)
{
	const struct client_item *it = &p->e->it;
	const struct tui_chat *c = tui_model_current(p->m);
	const char *why = it->state == STATE_FAILED ?
	    tui_words_unsent(it->cause) : it->state == STATE_WAITING &&
	    c != NULL && c->stopped ? "Kept here until you decide" : NULL;
	if (why == NULL)
		return;
	size_t n = tui_text_columns(span_str(why));
	put(p, p->b.cols > n + 2 ? p->b.cols - n - 2 : 0,
	    it->state == STATE_FAILED ? TUI_DANGER : TUI_WARNING,
	    span_str(why));
	gutter(p, TUI_HIT_ITEM);
	p->row++;
}

static void
bubble(struct place *p)
{
	char meta[200], react[700], quote[TUI_QUOTE_MAX + 160];
	struct span text = p->e->it.text;
	size_t max = limit(p);
	struct measure ms = measure(p, text, max);
	meta_text(p, meta, sizeof(meta));
	reactions_text(p, react, sizeof(react));
	size_t meta_n = tui_text_columns(span_str(meta));
	bool inside = *meta != '\0' && !ms.folded &&
	    ms.last + 2 + meta_n <= max;
	size_t width = larger(ms.widest, inside ? ms.last + 2 + meta_n :
	    meta_n);
	width = larger(width, tui_text_columns(span_str(react)));
	bool quotes = !ID_IS_ZERO(p->e->it.reply_to.event);
	if (quotes) {
		quote_text(p, quote, sizeof(quote));
		width = larger(width, tui_text_columns(span_str(quote)));
	}
	set_width(p, width < max ? width : max);
	if (quotes) {
		if (is_seen(p))
			tui_box_cut(p->b, (size_t)p->row, p->left, p->width,
			    TUI_QUOTE, span_str(quote));
		gutter(p, TUI_HIT_QUOTE);
		p->row++;
	}
	text_lines(p, text, max, &ms);
	if (inside) {
		p->row--;
		put(p, p->left + p->width - meta_n, TUI_META,
		    span_str(meta));
		p->row++;
	}
	trailing(p, inside ? "" : meta, react);
	unsent(p);
}

/* A deleted message keeps its place and its side. */
static void
tombstone(struct place *p, const char *text)
{
	char meta[200];
	meta_text(p, meta, sizeof(meta));
	size_t n = tui_text_columns(span_str(text));
	size_t meta_n = tui_text_columns(span_str(meta));
	set_width(p, n + (meta_n > 0 ? 2 + meta_n : 0));
	put(p, p->left, TUI_QUOTE, span_str(text));
	put(p, p->left + n + 2, TUI_META, span_str(meta));
	gutter(p, TUI_HIT_ITEM);
	p->row++;
}

/* Something in place of a message: what, and what it means. */
static void
notice(struct place *p, char *text)
{
	struct span s = span_str(text), line;
	size_t head = span_find(s, '\n');
	bool grave = p->e->it.kind == ITEM_REFUSED;
	size_t max = p->b.cols > 6 ? p->b.cols - 4 : 2;
	max = max < BLOCK_MAX ? max : BLOCK_MAX;
	bool mine = p->mine;
	p->mine = false;
	set_width(p, max);
	const char *sign = grave ? tui_sign(p->b.grid, "\u25b2 ", "! ") :
	    tui_sign(p->b.grid, "\u00b7 ", "* ");
	size_t sign_n = tui_text_columns(span_str(sign));
	for (int part = 0; part < 2; part++) {
		struct tui_wrap w = tui_wrap_init(part == 0 ?
		    span_sub(s, 0, head) : span_sub(s, head + 1, s.n));
		if (part == 1 && head == s.n)
			break;
		put(p, p->left, TUI_WARNING, part == 0 ? span_str(sign) :
		    (struct span){ 0 });
		while (tui_wrap_next(&w, max - sign_n, &line)) {
			put(p, p->left + sign_n, part == 0 && head < s.n ?
			    grave ? TUI_WARNING : TUI_STRONG : TUI_META,
			    line);
			gutter(p, TUI_HIT_ITEM);
			p->row++;
		}
	}
	p->mine = mine;
}

/* Lays entry i out from `row` on; returns the row after it. */
static long
entry(struct tui_model *m, struct tui_box b, size_t i, long row, bool dry)
{
	char text[TUI_SENTENCE_MAX];
	struct tui_log *l = &m->log;
	const struct tui_chat *c = tui_model_current(m);
	struct tui_entry *e = &l->entry[i];
	struct place p = { .m = m, .b = b, .dry = dry, .row = row, .i = i,
	    .e = e, .mine = ID_EQ(e->it.sender, m->me) };
	p.selected = l->selecting && l->sel == i;
	p.lit = l->lit_until_ms > m->now_ms &&
	    ID_EQ(l->lit.event, e->it.event) &&
	    ID_EQ(l->lit.sender, e->it.sender);
	before(&p);
	if (!tui_words_absent(&e->it, c != NULL ? c->name : "?", p.mine,
	    text)) {
		bubble(&p);
	} else if (e->it.kind == ITEM_DELETED) {
		tombstone(&p, text);
	} else if (e->it.kind == ITEM_TIMER) {
		centered(&p, p.selected ? TUI_SELECTED : TUI_META, text);
		p.row++;
	} else {
		notice(&p, text);
	}
	return p.row;
}

/* ---- the view ---- */

/* The column of the messages: centred where the pane is very wide. */
static struct tui_box
column(struct tui_box b)
{
	if (b.cols > COLUMN_MAX + 2)
		return tui_box_part(b, 0, (b.cols - COLUMN_MAX) / 2, b.rows,
		    COLUMN_MAX);
	return tui_box_part(b, 0, 1, b.rows, b.cols > 2 ? b.cols - 2 : 1);
}

size_t
tui_history_rows(struct tui_model *m, struct tui_box b, size_t i)
{
	return (size_t)entry(m, column(b), i, 0, true);
}

/* Keeps the anchor within the log, and the first entry at the top or below. */
static void
bound(struct tui_model *m, struct tui_box b)
{
	struct tui_log *l = &m->log;
	if (l->n == 0)
		return;
	if (l->follow || l->bottom >= l->n) {
		l->bottom = l->n - 1;
		l->skip = 0;
	}
	size_t rows = tui_history_rows(m, b, l->bottom);
	if (l->skip >= rows)
		l->skip = rows - 1;
	size_t sum = rows - l->skip, i = l->bottom;
	while (sum < b.rows && i > 0)
		sum += tui_history_rows(m, b, --i);
	if (i > 0 || sum >= b.rows)
		return;
	/* Not enough above: down, as far as there is something. */
	size_t down = b.rows - sum;
	while (down > 0 && (l->skip > 0 || l->bottom + 1 < l->n)) {
		if (l->skip == 0)
			l->skip = tui_history_rows(m, b, ++l->bottom);
		size_t n = down < l->skip ? down : l->skip;
		l->skip -= n;
		down -= n;
	}
	l->follow = l->skip == 0 && l->bottom + 1 == l->n;
}

/* Moves the view down, at most to the end. */
static void
down(struct tui_model *m, struct tui_box b, long by)
{
	struct tui_log *l = &m->log;
	for (; by > 0 && !l->follow; by--) {
		if (l->skip == 0 && l->bottom + 1 < l->n)
			l->skip = tui_history_rows(m, b, ++l->bottom);
		if (l->skip > 0)
			l->skip--;
		l->follow = l->skip == 0 && l->bottom + 1 == l->n;
	}
}

void
tui_history_scroll(struct tui_model *m, struct tui_box b, long by)
{
	struct tui_log *l = &m->log;
	if (l->n == 0)
		return;
	bound(m, b);
	for (; by < 0; by++) {
		l->follow = false;
		l->skip++;
		if (l->skip >= tui_history_rows(m, b, l->bottom)) {
			if (l->bottom == 0) {
				l->skip--;
				break;
			}
			l->bottom--;
			l->skip = 0;
		}
	}
	down(m, b, by);
	bound(m, b);
	if (l->follow)
		l->below_n = 0;
}

/* Row of the top of entry i, which is not below the view. */
static long
top_of(struct tui_model *m, struct tui_box b, size_t i)
{
	struct tui_log *l = &m->log;
	long row = (long)b.rows + (long)l->skip;
	for (size_t k = l->bottom + 1; k-- > i; )
		row -= (long)tui_history_rows(m, b, k);
	return row;
}

void
tui_history_show(struct tui_model *m, struct tui_box b, size_t i)
{
	struct tui_log *l = &m->log;
	if (i >= l->n)
		return;
	bound(m, b);
	if (i > l->bottom || (i == l->bottom && l->skip > 0)) {
		l->bottom = i;
		l->skip = 0;
		l->follow = i + 1 == l->n;
	} else {
		long top = top_of(m, b, i);
		long rows = (long)tui_history_rows(m, b, i);
		if (rows > (long)b.rows)
			top += rows - (long)b.rows;
		if (top < 0)
			tui_history_scroll(m, b, top);
	}
	bound(m, b);
}

void
tui_history_jump(struct tui_model *m, struct tui_box b, size_t i)
{
	struct tui_log *l = &m->log;
	if (i >= l->n)
		return;
	l->follow = false;
	l->bottom = i;
	l->skip = 0;
	size_t rows = tui_history_rows(m, b, i);
	size_t below = b.rows * 2 / 3;
	/* Its end at the edge; then down by what should stand below it. */
	if (below > rows)
		down(m, b, (long)(below - rows));
	bound(m, b);
}

size_t
tui_history_above(struct tui_model *m, struct tui_box b)
{
	struct tui_log *l = &m->log;
	if (l->n == 0)
		return 0;
	bound(m, b);
	size_t i = l->bottom, sum = tui_history_rows(m, b, i);
	while (i > 0 && sum < b.rows + l->skip)
		sum += tui_history_rows(m, b, --i);
	return i;
}

void
tui_history_draw(struct tui_model *m, struct tui_box b)
{
	struct tui_log *l = &m->log;
	struct tui_box col = column(b);
	if (l->n == 0 || b.rows == 0)
		return;
	tui_box_hit(b, 0, 0, b.rows, b.cols, TUI_HIT_LOG, 0);
	bound(m, b);
	long row = (long)b.rows + (long)l->skip;
	for (size_t i = l->bottom + 1; i-- > 0 && row > 0; ) {
		row -= entry(m, col, i, 0, true);
		entry(m, col, i, row, false);
	}
}
