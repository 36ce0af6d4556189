/*
 * edit.c: see edit.h. A "character" here is what the cursor steps over: a
 * code point with the zero-width ones after it, and what a joiner ties to it.
 */
#include "cli/edit.h"

#include "base/text.h"
#include "cli/clean.h"

#define ZWJ 0x200du
#define PASTE_END SPAN("\033[201~")

void
edit_init(struct edit *e)
{
	memset(e, 0, sizeof(*e));
}

void
edit_fini(struct edit *e)
{
	wipe(e, sizeof(*e));
}

/* ---- moving over characters ---- */

static uint32_t
code_at(const struct edit *e, size_t at, size_t *n_out)
{
	uint32_t code;
	*n_out = utf8_next(span_of(e->line + at, e->n - at), &code);
	return code;
}

/* Start of the code point before `at` (> 0). */
static size_t
code_before(const struct edit *e, size_t at)
{
	do
		at--;
	while (at > 0 && (e->line[at] & 0xc0) == 0x80);
	return at;
}

/* Drawn with the character before it (skin tones have a width, too). */
static bool
is_tied(uint32_t code)
{
	return code != '\n' && (code == ZWJ ||
	    (code >= 0x1f3fb && code <= 0x1f3ff) ||
	    clean_width(clean_code(code)) == 0);
}

static size_t
step_back(const struct edit *e, size_t at)
{
	while (at > 0) {
		size_t n;
		at = code_before(e, at);
		if (is_tied(code_at(e, at, &n)) && at > 0)
			continue;
		if (at == 0 || code_at(e, code_before(e, at), &n) != ZWJ)
			break;
	}
	return at;
}

static size_t
step_on(const struct edit *e, size_t at)
{
	bool tie = false;
	size_t n;
	if (at >= e->n)
		return e->n;
	tie = code_at(e, at, &n) == ZWJ;
	at += n;
	while (at < e->n) {
		uint32_t code = code_at(e, at, &n);
		if (!tie && !is_tied(code))
			break;
		tie = code == ZWJ;
		at += n;
	}
	return at;
}

static bool
is_blank(const struct edit *e, size_t at)
{
	return e->line[at] == ' ' || e->line[at] == '\n';
}

static size_t
word_back(const struct edit *e, size_t at)
{
	while (at > 0 && is_blank(e, code_before(e, at)))
		at = code_before(e, at);
	while (at > 0 && !is_blank(e, code_before(e, at)))
		at = code_before(e, at);
	return at;
}

static size_t
word_on(const struct edit *e, size_t at)
{
	while (at < e->n && is_blank(e, at))
		at++;
	while (at < e->n && !is_blank(e, at))
		at++;
	return at;
}

/* ---- changing the line ---- */

static void
cut(struct edit *e, size_t from, size_t to)
{
	memmove(e->line + from, e->line + to, e->n - to);
	e->n -= to - from;
	wipe(e->line + e->n, to - from);
	e->at = from;
}

static bool
insert(struct edit *e, const uint8_t *p, size_t n)
{
	if (n > sizeof(e->line) - e->n)
		return false;
	memmove(e->line + e->at + n, e->line + e->at, e->n - e->at);
	memcpy(e->line + e->at, p, n);
	e->n += n;
	e->at += n;
	return true;
}

void
edit_clear(struct edit *e, bool remember)
{
	size_t need = e->n + 1;
	bool fits = need <= sizeof(e->past);
	/* NUL divides the entries, so a line with one cannot be kept. */
	bool plain = memchr(e->line, 0, e->n) == NULL;
	if (remember && e->n > 0 && fits && plain) {
		while (sizeof(e->past) - e->past_n < need) {
			size_t n = strlen((const char *)e->past) + 1;
			memmove(e->past, e->past + n, e->past_n - n);
			e->past_n -= n;
		}
		memcpy(e->past + e->past_n, e->line, e->n);
		e->past[e->past_n + e->n] = 0;
		e->past_n += need;
	}
	wipe(e->line, e->n);
	wipe(e->draft, e->draft_n);
	e->n = e->at = e->first = e->draft_n = 0;
	e->past_at = e->past_n;
}

static void
set_line(struct edit *e, const uint8_t *p, size_t n)
{
	wipe(e->line, e->n);
	memcpy(e->line, p, n);
	e->n = e->at = n;
	e->first = 0;
}

static void
past_back(struct edit *e)
{
	if (e->past_at == 0)
		return;
	if (e->past_at == e->past_n) {
		memcpy(e->draft, e->line, e->n);
		e->draft_n = e->n;
	}
	size_t at = e->past_at - 1;
	while (at > 0 && e->past[at - 1] != 0)
		at--;
	set_line(e, e->past + at, e->past_at - 1 - at);
	e->past_at = at;
}

static void
past_on(struct edit *e)
{
	if (e->past_at == e->past_n)
		return;
	e->past_at += strlen((const char *)e->past + e->past_at) + 1;
	if (e->past_at == e->past_n)
		set_line(e, e->draft, e->draft_n);
	else
		set_line(e, e->past + e->past_at,
		    strlen((const char *)e->past + e->past_at));
}

/* ---- keys ---- */

static enum edit_event
on_control(struct edit *e, uint8_t c)
{
	switch (c) {
	case 'A' & 31: e->at = 0; break;
	case 'B' & 31: e->at = step_back(e, e->at); break;
	case 'C' & 31: return EDIT_INTERRUPT;
	case 'D' & 31:
		if (e->n == 0)
			return EDIT_END;
		cut(e, e->at, step_on(e, e->at));
		break;
	case 'E' & 31: e->at = e->n; break;
	case 'F' & 31: e->at = step_on(e, e->at); break;
	case '\b': case 0x7f: cut(e, step_back(e, e->at), e->at); break;
	case 'K' & 31: cut(e, e->at, e->n); break;
	case 'L' & 31: return EDIT_REDRAW;
	case '\r': case '\n': return EDIT_LINE;
	case 'N' & 31: past_on(e); break;
	case 'P' & 31: past_back(e); break;
	case 'U' & 31: cut(e, 0, e->at); break;
	case 'W' & 31: cut(e, word_back(e, e->at), e->at); break;
	case 'Z' & 31: return EDIT_SUSPEND;
	case '\t': return insert(e, &c, 1) ? EDIT_NONE : EDIT_FULL;
	default: break;		/* not a key of ours: nothing is inserted */
	}
	return EDIT_NONE;
}

static const struct {
	const char *seq;	/* after ESC */
	uint8_t control;	/* what it does, as a control character */
} keys[] = {
	{ "[A", 'P' & 31 }, { "[B", 'N' & 31 }, { "[C", 'F' & 31 },
	{ "[D", 'B' & 31 }, { "[F", 'E' & 31 }, { "[H", 'A' & 31 },
	{ "OA", 'P' & 31 }, { "OB", 'N' & 31 }, { "OC", 'F' & 31 },
	{ "OD", 'B' & 31 }, { "OF", 'E' & 31 }, { "OH", 'A' & 31 },
	{ "[1~", 'A' & 31 }, { "[4~", 'E' & 31 },
	{ "[7~", 'A' & 31 }, { "[8~", 'E' & 31 },
};

/* A complete escape sequence is in e->seq (without ESC: from 1 on). */
static void
on_sequence(struct edit *e)
{
	struct span s = span_of(e->seq + 1, e->seq_n - 1);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_eq(s, span_str(keys[i].seq)))
			on_control(e, keys[i].control);
	if (span_eq(s, SPAN("[3~")))
		cut(e, e->at, step_on(e, e->at));
	else if (span_eq(s, SPAN("[200~")))
		e->paste = true;
	else if (span_eq(s, SPAN("[1;5D")) || span_eq(s, SPAN("b")))
		e->at = word_back(e, e->at);
	else if (span_eq(s, SPAN("[1;5C")) || span_eq(s, SPAN("f")))
		e->at = word_on(e, e->at);
	else if (span_eq(s, SPAN("\x7f")))
		cut(e, word_back(e, e->at), e->at);
}

/* Whether e->seq, which begins with ESC, is complete. ECMA-48 5.4. */
static bool
is_complete(const struct edit *e)
{
	if (e->seq_n < 2)
		return false;
	uint8_t last = e->seq[e->seq_n - 1];
	if (e->seq[1] == 'O')
		return e->seq_n == 3;
	if (e->seq[1] != '[')
		return true;
	return e->seq_n > 2 && last >= 0x40 && last <= 0x7e;
}

static enum edit_event
on_escape(struct edit *e, uint8_t c)
{
	if (e->seq_n == sizeof(e->seq)) {
		e->seq_n = 0;	/* no key of any terminal: forget it */
		return EDIT_NONE;
	}
	e->seq[e->seq_n++] = c;
	if (is_complete(e)) {
		on_sequence(e);
		e->seq_n = 0;
	}
	return EDIT_NONE;
}

/* Bytes of a character whose first byte is c; 0: none begins so. */
static size_t
utf8_need(uint8_t c)
{
	return c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 :
	    c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
}

/* Collects a character; bad bytes are dropped. */
static enum edit_event
on_text(struct edit *e, uint8_t c)
{
	if (e->seq_n > 0 && (c & 0xc0) != 0x80)
		e->seq_n = 0;
	e->seq[e->seq_n++] = c;
	size_t need = utf8_need(e->seq[0]);
	if (need == 0) {
		e->seq_n = 0;
		return EDIT_NONE;
	}
	if (e->seq_n < need)
		return EDIT_NONE;
	bool fits = true;
	if (utf8_valid(span_of(e->seq, e->seq_n)))
		fits = insert(e, e->seq, e->seq_n);
	e->seq_n = 0;
	return fits ? EDIT_NONE : EDIT_FULL;
}

/* In a paste everything is text, up to the sequence that ends it. */
static enum edit_event
on_paste(struct edit *e, uint8_t c)
{
	bool escape = e->seq_n > 0 && e->seq[0] == 27;
	if (c != 27 && !escape) {
		if (c == '\r')
			c = '\n';
		if (c < 32 && c != '\n' && c != '\t')
			return EDIT_NONE;
		return on_text(e, c);
	}
	if (c == 27)
		e->seq_n = 0;
	e->seq[e->seq_n++] = c;
	struct span s = span_of(e->seq, e->seq_n);
	if (span_eq(s, PASTE_END))
		e->paste = false;
	if (!e->paste || !span_starts(PASTE_END, s))
		e->seq_n = 0;	/* an escape sequence in a paste is dropped */
	return EDIT_NONE;
}

size_t
edit_feed(struct edit *e, struct span in, enum edit_event *event_out)
{
	*event_out = EDIT_NONE;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		bool escape = e->seq_n > 0 && e->seq[0] == 27;
		if (e->paste)
			*event_out = on_paste(e, c);
		else if (escape || c == 27) {
			/* ESC in the midst of a key begins a new one. */
			if (c == 27)
				e->seq_n = 0;
			*event_out = on_escape(e, c);
		} else if (c < 32 || c == 127) {
			e->seq_n = 0;
			*event_out = on_control(e, c);
		} else {
			*event_out = on_text(e, c);
		}
		if (*event_out != EDIT_NONE)
			return i + 1;
	}
	return in.n;
}

void
edit_timeout(struct edit *e)
{
	if (!e->paste)
		e->seq_n = 0;
}

/* ---- drawing ---- */

/* Columns of the line's bytes [from, to). */
static size_t
columns(const struct edit *e, size_t from, size_t to)
{
	size_t cols = 0;
	while (from < to) {
		size_t n;
		uint32_t code = code_at(e, from, &n);
		cols += code == '\n' ? 1 : clean_width(clean_code(code));
		from += n;
	}
	return cols;
}

static enum err
put_char(const struct edit *e, size_t from, size_t to, struct buf *out)
{
	while (from < to) {
		uint8_t b[4];
		size_t n;
		uint32_t code = code_at(e, from, &n);
		/* A line feed in the message is shown, not printed. */
		code = code == '\n' ? 0x21b5 : clean_code(code);
		TRY(buf_add(out, b, utf8_put(code, b)));
		from += n;
	}
	return OK;
}

/* "ESC [ n c"; nothing for 0. ECMA-48 8.3: CUB is D, CUU is A. */
static enum err
put_move(size_t n, char c, struct buf *out)
{
	uint8_t text[24];
	struct wr w = wr_init(text, sizeof(text));
	if (n == 0)
		return OK;
	wr_str(&w, "\033[");
	wr_dec(&w, n);
	wr_u8(&w, (uint8_t)c);
	return buf_add_span(out, wr_done(&w));
}

enum err
edit_resize(struct edit *e, size_t cols, struct buf *out)
{
	size_t above = cols > 0 ? e->cursor / cols : 0;
	e->cursor = 0;
	TRY(buf_add_str(out, "\r"));
	TRY(put_move(above, 'A', out));
	return buf_add_str(out, "\033[J");	/* ED: all below goes */
}

enum err
edit_draw(struct edit *e, struct span prompt, size_t cols, struct buf *out)
{
	size_t used = clean_columns(prompt);
	/* One column stays free: terminals differ in what the last one does. */
	size_t room = cols > used + 5 ? cols - used - 1 : 4;
	if (e->first > e->at)
		e->first = e->at;
	while (columns(e, e->first, e->at) > room)
		e->first = step_on(e, e->first);
	/* After deleting: show again what fits on the left. */
	while (e->first > 0 &&
	    columns(e, step_back(e, e->first), e->n) <= room)
		e->first = step_back(e, e->first);
	TRY(buf_add_str(out, EDIT_WIPE_ROW));
	TRY(buf_add_span(out, prompt));
	size_t at = e->first, drawn = 0;
	while (at < e->n) {
		size_t next = step_on(e, at);
		size_t w = columns(e, at, next);
		if (drawn + w > room)
			break;
		TRY(put_char(e, at, next, out));
		drawn += w;
		at = next;
	}
	size_t before = columns(e, e->first, e->at);
	e->cursor = used + before;
	return put_move(drawn - before, 'D', out);
}
