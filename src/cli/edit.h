/*
 * edit.h: the line editor of `chat`: bytes of the keyboard in, an edited line
 * and the bytes that draw it out. It does no I/O and keeps nothing on the
 * heap; the host draws edit_draw() after each change and around everything
 * else that it prints. The line is one row that scrolls sideways, so that it
 * can be wiped and drawn again whatever the terminal does.
 *
 * Keys: arrows, Home, End, Delete, Backspace, Ctrl-A E B F D K U W L P N,
 * Alt-B F, Ctrl-Left Right, bracketed paste (line feeds in it are part of the
 * message), Enter.
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "base/bytes.h"

#define EDIT_LINE_MAX 65536u	/* bytes of one message, as the client's */
#define EDIT_PAST_BYTES 65536u	/* lines typed before, oldest dropped */
#define EDIT_SEQ_MAX 16u	/* an escape sequence longer than that is none */

enum edit_event {
	EDIT_NONE,	/* nothing more to tell; draw */
	EDIT_LINE,	/* Enter: edit_line() is the line; then edit_clear() */
	EDIT_END,	/* Ctrl-D on an empty line */
	EDIT_INTERRUPT,	/* Ctrl-C */
	EDIT_SUSPEND,	/* Ctrl-Z */
	EDIT_REDRAW,	/* Ctrl-L: clear the screen */
	EDIT_FULL	/* there was no room: ring the bell */
};

struct edit {
	uint8_t line[EDIT_LINE_MAX];
	size_t n, at;			/* bytes; the cursor's byte */
	uint8_t past[EDIT_PAST_BYTES];	/* u8 text, each ends with NUL */
	size_t past_n;
	size_t past_at;			/* of the shown one; past_n: none */
	uint8_t draft[EDIT_LINE_MAX];	/* what was typed before looking */
	size_t draft_n;
	uint8_t seq[EDIT_SEQ_MAX];	/* an unfinished key */
	size_t seq_n;
	bool paste;			/* inside a bracketed paste */
	size_t first;			/* leftmost byte that is shown */
	size_t cursor;			/* column it was drawn at */
};

void edit_init(struct edit *e);
/* Wipes everything that was typed. */
void edit_fini(struct edit *e);

/*
 * edit_feed(e, in, event_out):
 * Takes bytes from the front of `in` until there is an event; returns how
 * many it took. Call again with the rest until all are taken.
 */
size_t edit_feed(struct edit *e, struct span in, enum edit_event *event_out);
/*
 * No byte came for a while: an Escape that was pressed alone is not the
 * beginning of a key any more.
 */
void edit_timeout(struct edit *e);
/* Whether an unfinished key waits for edit_timeout. */
static inline bool
edit_is_waiting(const struct edit *e)
{
	return e->seq_n > 0;
}

/* The line as UTF-8 without its end. */
static inline struct span
edit_line(const struct edit *e)
{
	return (struct span){ e->line, e->n };
}

/* Wipes the line; `remember`: it is found again with the up arrow. */
void edit_clear(struct edit *e, bool remember);

/*
 * Bytes that draw prompt and line on the present row and place the cursor.
 * cols: width of the terminal. ERR_TOO_LARGE, ERR_NOMEM: of the buffer.
 */
MUST_USE enum err edit_draw(struct edit *e, struct span prompt, size_t cols,
    struct buf *out);
/*
 * Bytes that go back to the first row of what was drawn, after the terminal's
 * width changed to `cols`: one that became narrower has broken the row into
 * several, whose rows above the cursor would stay. Then edit_draw().
 */
MUST_USE enum err edit_resize(struct edit *e, size_t cols, struct buf *out);
/* Bytes that wipe the row, before something else is printed. */
#define EDIT_WIPE_ROW "\r\033[K"

#endif
