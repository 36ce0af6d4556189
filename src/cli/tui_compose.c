/*
 * tui_compose.c: see tui_compose.h.
 */
#include "cli/tui_compose.h"

#include <stdlib.h>

#include "base/text.h"
#include "cli/tui_text.h"

#define TONE_FIRST 0x1f3fbu
#define TONE_LAST 0x1f3ffu
#define ZWJ 0x200du

void
tui_compose_init(struct tui_compose *c)
{
	memset(c, 0, sizeof(*c));
}

static void
drop_undo(struct tui_undo *u)
{
	if (u->p != NULL)
		wipe(u->p, u->n);
	free(u->p);
	*u = (struct tui_undo){ 0 };
}

static void
forget_undo(struct tui_compose *c)
{
	while (c->undo_n > 0)
		drop_undo(&c->undo[--c->undo_n]);
	c->typing = false;
}

void
tui_compose_fini(struct tui_compose *c)
{
	forget_undo(c);
	wipe(c, sizeof(*c));
}

/* ---- taking back ---- */

/* Keeps the text as it is before a change; characters in a row are one. */
static void
keep(struct tui_compose *c, bool typing)
{
	if (typing && c->typing)
		return;
	c->typing = typing;
	if (c->undo_n == TUI_UNDO_MAX) {
		drop_undo(&c->undo[0]);
		memmove(c->undo, c->undo + 1,
		    (TUI_UNDO_MAX - 1) * sizeof(c->undo[0]));
		c->undo_n--;
	}
	struct tui_undo u = { .n = c->n, .at = c->at };
	if (c->n > 0) {
		u.p = malloc(c->n);
		if (u.p == NULL)
			return;		/* then it cannot be taken back */
		memcpy(u.p, c->text, c->n);
	}
	c->undo[c->undo_n++] = u;
}

static bool
undo(struct tui_compose *c)
{
	if (c->undo_n == 0)
		return false;
	struct tui_undo *u = &c->undo[--c->undo_n];
	wipe(c->text, c->n);
	if (u->n > 0)
		memcpy(c->text, u->p, u->n);
	c->n = u->n;
	c->at = u->at;
	drop_undo(u);
	c->typing = false;
	return true;
}

/* ---- moving ---- */

/*
 * What is stepped over at once: a glyph, and the glyphs that a joiner ties to
 * it, so that half a family of emoji is never deleted.
 */
static bool
is_tied(struct span s, size_t at)
{
	uint32_t code;
	size_t from = at;
	if (at == 0 || at >= s.n)
		return false;
	utf8_next(span_sub(s, at, s.n), &code);
	if (code == ZWJ || (code >= TONE_FIRST && code <= TONE_LAST))
		return true;
	do
		from--;
	while (from > 0 && (s.p[from] & 0xc0) == 0x80);
	utf8_next(span_sub(s, from, s.n), &code);
	return code == ZWJ;
}

static size_t
step_back(const struct tui_compose *c, size_t at)
{
	struct span s = tui_compose_text(c);
	while (at > 0) {
		at = tui_text_back(s, at);
		if (!is_tied(s, at))
			break;
	}
	return at;
}

static size_t
step_on(const struct tui_compose *c, size_t at)
{
	struct span s = tui_compose_text(c);
	struct tui_glyph g;
	while (at < s.n) {
		at += tui_text_next(span_sub(s, at, s.n), &g);
		if (!is_tied(s, at))
			break;
	}
	return at;
}

static bool
is_blank(const struct tui_compose *c, size_t at)
{
	return c->text[at] == ' ' || c->text[at] == '\n' ||
	    c->text[at] == '\t';
}

static size_t
word_back(const struct tui_compose *c, size_t at)
{
	while (at > 0 && is_blank(c, at - 1))
		at--;
	while (at > 0 && !is_blank(c, at - 1))
		at--;
	return at;
}

static size_t
word_on(const struct tui_compose *c, size_t at)
{
	while (at < c->n && is_blank(c, at))
		at++;
	while (at < c->n && !is_blank(c, at))
		at++;
	return at;
}

static size_t
line_start(const struct tui_compose *c, size_t at)
{
	while (at > 0 && c->text[at - 1] != '\n')
		at--;
	return at;
}

static size_t
line_end(const struct tui_compose *c, size_t at)
{
	while (at < c->n && c->text[at] != '\n')
		at++;
	return at;
}

/* ---- changing ---- */

static void
erase(struct tui_compose *c, size_t from, size_t to)
{
	memmove(c->text + from, c->text + to, c->n - to);
	c->n -= to - from;
	wipe(c->text + c->n, to - from);
	c->at = from;
}

static enum tui_compose_result
delete(struct tui_compose *c, size_t from, size_t to)
{
	if (from == to)
		return TUI_COMPOSE_MOVED;
	keep(c, false);
	erase(c, from, to);
	return TUI_COMPOSE_CHANGED;
}

/* Deletes and keeps it for yank; cuts in a row come back together. */
static enum tui_compose_result
cut(struct tui_compose *c, size_t from, size_t to, bool *cutting)
{
	size_t n = to - from;
	if (n == 0)
		return TUI_COMPOSE_MOVED;
	if (!c->cutting || c->cut_n + n > sizeof(c->cut)) {
		wipe(c->cut, c->cut_n);
		c->cut_n = 0;
	}
	if (from < c->at) {	/* backwards: in front */
		memmove(c->cut + n, c->cut, c->cut_n);
		memcpy(c->cut, c->text + from, n);
	} else {
		memcpy(c->cut + c->cut_n, c->text + from, n);
	}
	c->cut_n += n;
	*cutting = true;
	return delete(c, from, to);
}

bool
tui_compose_insert(struct tui_compose *c, struct span s)
{
	if (s.n > sizeof(c->text) - c->n)
		return false;
	memmove(c->text + c->at + s.n, c->text + c->at, c->n - c->at);
	if (s.n > 0)
		memcpy(c->text + c->at, s.p, s.n);
	c->n += s.n;
	c->at += s.n;
	return true;
}

static enum tui_compose_result
insert(struct tui_compose *c, struct span s, bool typing)
{
	if (s.n > sizeof(c->text) - c->n)
		return TUI_COMPOSE_FULL;
	keep(c, typing);
	return tui_compose_insert(c, s) ? TUI_COMPOSE_CHANGED :
	    TUI_COMPOSE_FULL;
}

void
tui_compose_set(struct tui_compose *c, struct span s)
{
	size_t n = s.n < sizeof(c->text) ? s.n : sizeof(c->text);
	while (n > 0 && n < s.n && (s.p[n] & 0xc0) == 0x80)
		n--;
	wipe(c->text, c->n);
	if (n > 0)
		memmove(c->text, s.p, n);
	c->n = c->at = n;
	c->past_at = c->past_n;
	c->has_goal = false;
	forget_undo(c);
}

void
tui_compose_clear(struct tui_compose *c, bool remember)
{
	size_t need = c->n + 1;
	/* NUL divides the entries, so a text with one cannot be kept. */
	bool plain = memchr(c->text, 0, c->n) == NULL;
	if (remember && c->n > 0 && need <= sizeof(c->past) && plain) {
		while (sizeof(c->past) - c->past_n < need) {
			size_t n = strlen((const char *)c->past) + 1;
			memmove(c->past, c->past + n, c->past_n - n);
			c->past_n -= n;
		}
		memcpy(c->past + c->past_n, c->text, c->n);
		c->past[c->past_n + c->n] = 0;
		c->past_n += need;
	}
	wipe(c->draft, c->draft_n);
	c->draft_n = 0;
	tui_compose_set(c, (struct span){ 0 });
}

static void
show_past(struct tui_compose *c, const uint8_t *p, size_t n)
{
	size_t at = c->past_at;
	tui_compose_set(c, span_of(p, n));
	c->past_at = at;
}

bool
tui_compose_past(struct tui_compose *c, bool back)
{
	if (back ? c->past_at == 0 : c->past_at == c->past_n)
		return false;
	if (!back) {
		c->past_at += strlen((const char *)c->past + c->past_at) + 1;
		if (c->past_at == c->past_n)
			show_past(c, c->draft, c->draft_n);
		else
			show_past(c, c->past + c->past_at, strlen(
			    (const char *)c->past + c->past_at));
		return true;
	}
	if (c->past_at == c->past_n) {
		memcpy(c->draft, c->text, c->n);
		c->draft_n = c->n;
	}
	size_t at = c->past_at - 1, end = at;
	while (at > 0 && c->past[at - 1] != 0)
		at--;
	c->past_at = at;
	show_past(c, c->past + at, end - at);
	return true;
}

/* ---- lines ---- */

bool
tui_compose_line(const struct tui_compose *c, size_t cols, size_t *at,
    bool *more, struct span *line_out)
{
	size_t i = *at, used = 0, word = 0;
	if (!*more)
		return false;
	while (i < c->n) {
		struct tui_glyph g;
		size_t n = tui_text_next(span_of(c->text + i, c->n - i), &g);
		if (g.feed) {
			*line_out = span_of(c->text + *at, i - *at);
			*at = i + n;
			return true;
		}
		bool blank = c->text[i] == ' ';
		if (used + g.cols > cols && i > *at && !blank) {
			size_t end = word > *at ? word : i;
			*line_out = span_of(c->text + *at, end - *at);
			*at = end;
			return true;
		}
		used += g.cols;
		i += n;
		if (blank)
			word = i;
	}
	*line_out = span_of(c->text + *at, c->n - *at);
	*at = c->n;
	*more = false;
	return true;
}

struct tui_compose_view
tui_compose_view(const struct tui_compose *c, size_t cols)
{
	struct tui_compose_view v = { 0 };
	size_t at = 0;
	bool more = true;
	struct span line;
	cols = cols < 2 ? 2 : cols;
	while (tui_compose_line(c, cols, &at, &more, &line)) {
		size_t from = (size_t)(line.p - c->text);
		if (c->n == 0)
			from = 0;
		if (c->at >= from) {
			v.line = v.lines;
			v.col = tui_text_columns(span_of(c->text + from,
			    c->at - from < line.n ? c->at - from : line.n));
		}
		v.lines++;
	}
	if (v.col > cols)
		v.col = cols;	/* spaces that hang over the edge */
	return v;
}

size_t
tui_compose_place(const struct tui_compose *c, size_t cols, size_t want,
    size_t col)
{
	size_t at = 0, n = 0;
	bool more = true;
	struct span line;
	cols = cols < 2 ? 2 : cols;
	while (tui_compose_line(c, cols, &at, &more, &line)) {
		if (n++ != want)
			continue;
		struct span fit = tui_text_fit(line, col);
		size_t place = at - (at - (size_t)(line.p - c->text)) + fit.n;
		/* After the last byte of a broken line is the next one's. */
		if (fit.n == line.n && line.n > 0 && place == at && more)
			place = step_back(c, place);
		return c->n == 0 ? 0 : place;
	}
	return c->n;
}

/* To the line above or below; NONE where there is none. */
static enum tui_compose_result
move_line(struct tui_compose *c, size_t cols, bool up, bool *goal)
{
	struct tui_compose_view v = tui_compose_view(c, cols);
	if (!c->has_goal)
		c->goal = v.col;
	*goal = true;
	if (up ? v.line == 0 : v.line + 1 >= v.lines)
		return TUI_COMPOSE_NONE;
	c->at = tui_compose_place(c, cols, up ? v.line - 1 : v.line + 1,
	    c->goal);
	return TUI_COMPOSE_MOVED;
}

/* ---- keys ---- */

/* The two characters before the cursor change places. */
static enum tui_compose_result
transpose(struct tui_compose *c)
{
	size_t to = c->at == c->n ? c->at : step_on(c, c->at);
	size_t mid = to > 0 ? step_back(c, to) : 0;
	size_t from = mid > 0 ? step_back(c, mid) : 0;
	uint8_t b[256];
	if (from == mid || to - mid > sizeof(b) || c->text[from] == '\n' ||
	    c->text[mid] == '\n')
		return TUI_COMPOSE_MOVED;
	keep(c, false);
	size_t n = to - mid;
	memcpy(b, c->text + mid, n);
	memmove(c->text + from + n, c->text + from, mid - from);
	memcpy(c->text + from, b, n);
	c->at = to;
	return TUI_COMPOSE_CHANGED;
}

static enum tui_compose_result
move_to(struct tui_compose *c, size_t at)
{
	c->at = at;
	return TUI_COMPOSE_MOVED;
}

static enum tui_compose_result
on_control(struct tui_compose *c, uint32_t code, bool *cutting)
{
	size_t end = line_end(c, c->at);
	switch (code) {
	case 'a': return move_to(c, line_start(c, c->at));
	case 'b': return move_to(c, step_back(c, c->at));
	case 'd': return delete(c, c->at, step_on(c, c->at));
	case 'e': return move_to(c, end);
	case 'f': return move_to(c, step_on(c, c->at));
	case 'j': return insert(c, SPAN("\n"), false);
	case 'k': return cut(c, c->at, end == c->at && end < c->n ? end + 1 :
		    end, cutting);
	case 'n': return tui_compose_past(c, false) ? TUI_COMPOSE_CHANGED :
		    TUI_COMPOSE_MOVED;
	case 'p': return tui_compose_past(c, true) ? TUI_COMPOSE_CHANGED :
		    TUI_COMPOSE_MOVED;
	case 't': return transpose(c);
	case 'u': return cut(c, line_start(c, c->at), c->at, cutting);
	case 'w': return cut(c, word_back(c, c->at), c->at, cutting);
	case 'y': return insert(c, span_of(c->cut, c->cut_n), false);
	case '_': return undo(c) ? TUI_COMPOSE_CHANGED : TUI_COMPOSE_MOVED;
	default: return TUI_COMPOSE_NONE;
	}
}

static enum tui_compose_result
on_alt(struct tui_compose *c, uint32_t code, bool *cutting)
{
	switch (code) {
	case 'b': return move_to(c, word_back(c, c->at));
	case 'f': return move_to(c, word_on(c, c->at));
	case 'd': return cut(c, c->at, word_on(c, c->at), cutting);
	case '<': return move_to(c, 0);
	case '>': return move_to(c, c->n);
	default: return TUI_COMPOSE_NONE;
	}
}

static enum tui_compose_result
on_named(struct tui_compose *c, const struct tui_key *k, size_t cols,
    bool *cutting, bool *goal)
{
	bool word = k->mods & (TUI_CTRL | TUI_ALT);
	switch (k->name) {
	case TUI_KEY_LEFT: return move_to(c, word ? word_back(c, c->at) :
		    step_back(c, c->at));
	case TUI_KEY_RIGHT: return move_to(c, word ? word_on(c, c->at) :
		    step_on(c, c->at));
	case TUI_KEY_HOME: return move_to(c, word ? 0 :
		    line_start(c, c->at));
	case TUI_KEY_END: return move_to(c, word ? c->n :
		    line_end(c, c->at));
	case TUI_KEY_UP: case TUI_KEY_DOWN:
		return k->mods != 0 ? TUI_COMPOSE_NONE : move_line(c, cols,
		    k->name == TUI_KEY_UP, goal);
	case TUI_KEY_BACKSPACE: return word ? cut(c, word_back(c, c->at),
		    c->at, cutting) : delete(c, step_back(c, c->at), c->at);
	case TUI_KEY_DELETE: return word ? cut(c, c->at, word_on(c, c->at),
		    cutting) : delete(c, c->at, step_on(c, c->at));
	case TUI_KEY_ENTER: return k->pasted || k->mods != 0 ?
		    insert(c, SPAN("\n"), k->pasted) : TUI_COMPOSE_NONE;
	case TUI_KEY_TAB: return k->pasted ? insert(c, SPAN("\t"), true) :
		    TUI_COMPOSE_NONE;
	case TUI_KEY_NONE: case TUI_KEY_CHAR: case TUI_KEY_CTRL:
	case TUI_KEY_ESC: case TUI_KEY_PGUP: case TUI_KEY_PGDN:
	case TUI_KEY_INSERT: case TUI_KEY_F: case TUI_KEY_MOUSE:
	case TUI_KEY_FOCUS: case TUI_KEY_PASTE:
	default: return TUI_COMPOSE_NONE;
	}
}

enum tui_compose_result
tui_compose_key(struct tui_compose *c, const struct tui_key *k, size_t cols)
{
	bool cutting = false, goal = false;
	enum tui_compose_result r;
	uint8_t b[4];
	if (k->name == TUI_KEY_CTRL && k->mods == 0)
		r = on_control(c, k->code, &cutting);
	else if (k->name == TUI_KEY_CHAR && k->mods & TUI_ALT)
		r = on_alt(c, k->code, &cutting);
	else if (k->name == TUI_KEY_CHAR)
		r = insert(c, span_of(b, utf8_put(k->code, b)), true);
	else
		r = on_named(c, k, cols, &cutting, &goal);
	c->cutting = cutting;
	c->has_goal = goal && r == TUI_COMPOSE_MOVED;
	if (r == TUI_COMPOSE_MOVED)
		c->typing = false;
	return r;
}
