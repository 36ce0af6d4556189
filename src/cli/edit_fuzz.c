/*
 * edit_fuzz.c: laws of the line editor under any bytes of a keyboard. (1) The
 * line is UTF-8, the cursor stands between characters of it, no buffer is
 * exceeded. (2) However the bytes are split, line, cursor and events are the
 * same. (3) What is drawn holds no control character but those of the editor
 * itself, and fits the row.
 *
 * Input: u8 columns | u8 split | keys.
 */
#include "base/fuzz.h"

#include <locale.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/clean.h"
#include "cli/edit.h"

static struct edit whole, split;

static void
check_state(const struct edit *e)
{
	if (e->n > sizeof(e->line) || e->at > e->n || e->first > e->n ||
	    e->past_n > sizeof(e->past) || e->past_at > e->past_n ||
	    e->draft_n > sizeof(e->draft) || e->seq_n > sizeof(e->seq))
		abort();
	if (!utf8_valid(edit_line(e)) || (e->at < e->n &&
	    (e->line[e->at] & 0xc0) == 0x80))
		abort();
	if (e->past_n > 0 && e->past[e->past_n - 1] != 0)
		abort();
}

/* An escape sequence of ours: ESC [ digits* (K|D|A|J); its length, or 0. */
static size_t
own_sequence(struct span s)
{
	size_t n = 2;
	if (s.n < 3 || s.p[0] != 27 || s.p[1] != '[')
		return 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n < s.n && memchr("KDAJ", s.p[n], 4) != NULL ? n + 1 : 0;
}

static void
check_drawing(struct edit *e, size_t cols)
{
	struct buf out;
	size_t width = 0;
	buf_init(&out, (size_t)1 << 20);
	if (edit_draw(e, SPAN("bob> "), cols, &out) != OK)
		abort();
	struct span s = buf_span(&out);
	while (s.n > 0) {
		uint32_t code;
		size_t n = own_sequence(s);
		if (n == 0 && s.p[0] == '\r')
			n = 1;
		if (n == 0) {
			n = utf8_next(s, &code);
			if (code < 32 || (code >= 0x7f && code < 0xa0) ||
			    clean_code(code) != code)
				abort();
			width += clean_width(code);
		}
		s = span_sub(s, n, s.n - n);
	}
	/* "bob> " and four columns are drawn on however narrow a one. */
	if (width > (cols > 10 ? cols : 10) || e->cursor > width)
		abort();
	buf_fini(&out);
}

/* Takes one event's worth of keys; what the chat does with the event. */
static size_t
feed(struct edit *e, struct span in, uint64_t *trace)
{
	enum edit_event ev;
	size_t n = edit_feed(e, in, &ev);
	if (n > in.n || (n == 0 && in.n > 0))
		abort();
	check_state(e);
	if (ev != EDIT_NONE)
		*trace = *trace * 31 + (uint64_t)ev + e->n;
	if (ev == EDIT_LINE)
		edit_clear(e, true);
	return n;
}

static void
run(struct edit *e, struct span in, size_t piece, uint64_t *trace)
{
	while (in.n > 0) {
		size_t n = feed(e, span_sub(in, 0, piece), trace);
		in = span_sub(in, n, in.n - n);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	uint64_t a = 1, b = 1;
	if (!ready && setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		abort();
	ready = true;
	if (size < 2 || size > 4096)
		return 0;
	struct span keys = span_of(data + 2, size - 2);
	edit_init(&whole);
	edit_init(&split);
	run(&whole, keys, keys.n, &a);
	run(&split, keys, 1 + (size_t)data[1] % 7, &b);
	if (a != b || whole.at != split.at || whole.paste != split.paste ||
	    !span_eq(edit_line(&whole), edit_line(&split)) ||
	    !span_eq(span_of(whole.past, whole.past_n),
	    span_of(split.past, split.past_n)))
		abort();
	check_drawing(&whole, 1 + (size_t)data[0]);
	edit_timeout(&whole);
	check_state(&whole);
	check_drawing(&whole, 80);
	return 0;
}
