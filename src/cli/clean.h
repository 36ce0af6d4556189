/*
 * clean.h: other people's text made safe to print on a terminal, and how
 * wide it is there. Whatever was sent, what comes out moves no cursor, sends
 * no escape sequence, reverses no line and cannot pass for a line of ours:
 * what would is replaced by a visible sign. Freestanding but for wcwidth().
 */
#ifndef CLI_CLEAN_H
#define CLI_CLEAN_H

#include "base/bytes.h"

/* Zero-width characters that may follow each other; more are dropped. */
#define CLEAN_MARKS_MAX 8

/*
 * clean_text(in, indent, col, cols, out):
 * Adds the printable form of `in` to `out`.
 *   in      in      bytes that claim to be UTF-8 (bad ones become U+FFFD)
 *   indent  in      spaces that begin every line but the first
 *   col     in      where on the line the text starts
 *   cols    in      width of the terminal: longer lines are broken here, not
 *                   by the terminal, so that what follows keeps its indent;
 *                   0: lines are not broken
 * Line feeds stay (a CR before one goes), tabs are one space, other control
 * characters appear as Unicode control pictures; format characters that
 * reorder or hide text (Unicode bidi controls, tags, invisible operators),
 * private use and noncharacters appear as U+FFFD.
 * ERR_TOO_LARGE, ERR_NOMEM: of the buffer.
 */
MUST_USE enum err clean_text(struct span in, size_t indent, size_t col,
    size_t cols, struct buf *out);
/* The same on one line: a line feed appears as U+2424. For names. */
MUST_USE enum err clean_line(struct span in, struct buf *out);
/* The character that stands for `code`; code itself when it is harmless. */
uint32_t clean_code(uint32_t code);
/* Columns of a clean character: 0, 1 or 2. */
unsigned clean_width(uint32_t code);
/* Columns of clean text without line feeds. */
size_t clean_columns(struct span s);

#endif
