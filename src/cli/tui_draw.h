/*
 * tui_draw.h: brings a grid to the terminal, by ncurses: the only file that
 * knows it. Only cells that changed are written. One terminal a process.
 * Colours obey NO_COLOR (no-color.org) and what the terminal has; text and
 * background stay the terminal's own, so light and dark are as its owner
 * wants them.
 */
#ifndef CLI_TUI_DRAW_H
#define CLI_TUI_DRAW_H

#include "cli/tui_grid.h"

/* Whether there is a terminal here that a full screen can be drawn on. */
bool tui_draw_can(void);
/*
 * Takes the terminal: raw keys, the other screen, mouse, focus, bracketed
 * paste. Whatever ends the process puts it back (tty.h). ascii: signs outside
 * of ASCII are drawn as "?". ERR_UNAVAILABLE: it cannot.
 */
MUST_USE enum err tui_draw_open(bool ascii);
void tui_draw_close(void);
void tui_draw_size(size_t *rows_out, size_t *cols_out);
/* The terminal has another size now. */
void tui_draw_resize(void);
/* What changed since the last grid; all of it after resize and resume. */
void tui_draw(const struct tui_grid *g);
/* Gives the terminal back for a while, and takes it again. */
void tui_draw_pause(void);
void tui_draw_resume(void);
/* All cells anew, in case something else has written there. */
void tui_draw_again(void);
/* The mouse is ours, or the terminal's for selecting text. */
void tui_draw_mouse(bool on);
/*
 * Gives text to the clipboard (xterm, OSC 52); terminals may refuse that
 * silently. At most TUI_COPY_MAX bytes; false: longer.
 */
#define TUI_COPY_MAX 49152u
bool tui_draw_copy(struct span text);
void tui_draw_bell(void);
/* A sign in the window's title: how many are unread. */
void tui_draw_title(unsigned unread);

#endif
