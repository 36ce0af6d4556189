/*
 * tty.h: the terminal: questions, passwords without echo, raw mode for the
 * line editor. Whatever ends the process restores the terminal: exit by
 * atexit, a crash by handlers of the fatal signals. One terminal a process.
 */
#ifndef CLI_TTY_H
#define CLI_TTY_H

#include "base/bytes.h"

/*
 * Asks on the controlling terminal (not on the standard input, which may be
 * a pipe) and reads one line without its end.
 *   echo   in   false: what is typed is not shown
 *   out    out  `cap` bytes; *n_out of them are the answer, no NUL
 * ERR_FORBIDDEN: there is no terminal. ERR_TOO_LARGE: a longer line.
 * ERR_EXPIRED: the terminal was closed, or Ctrl-C.
 */
MUST_USE enum err tty_ask(const char *question, bool echo, char *out,
    size_t cap, size_t *n_out);
/* "yes" typed whole; false for all else and where nobody can be asked. */
bool tty_ask_yes(const char *question);
bool tty_is_there(void);

/* Raw mode on the standard input; false when that is no terminal. */
bool tty_raw(void);
void tty_restore(void);
/*
 * What is written to the terminal before its settings are put back, whatever
 * ends the process: leaves a full screen. Empty: nothing. At most
 * TTY_LEAVE_MAX bytes, else nothing.
 */
#define TTY_LEAVE_MAX 256
void tty_on_leave(const char *bytes);
/* Columns of the standard output's terminal; 80 when not known, 0: none. */
size_t tty_columns(void);
/* Colours are wanted: no NO_COLOR (no-color.org), a terminal that has them. */
bool tty_has_color(void);
/* The locale is UTF-8, so that a terminal of it draws more than ASCII. */
bool tty_has_signs(void);

/*
 * Start of the program: locale, no core dumps, no debugger of the same user,
 * umask 077, SIGPIPE ignored, restoring handlers.
 */
void tty_setup(void);

#endif
