/*
 * tui_draw.c: see tui_draw.h.
 *
 * Implementation notes: tty_raw saves and sets the terminal first, so that its
 * handlers put back what was there before ncurses; ncurses never reads (the
 * reactor does, tui_keys.c). What it writes goes through its own buffer; the
 * few sequences of ours go out around its refresh.
 */
#include "cli/tui_draw.h"

#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

#include "base/text.h"
#include "cli/tty.h"

#define MODES_ON "\033[22;2t\033[?2004h\033[?1004h"
#define MODES_OFF "\033[?1004l\033[?2004l\033[23;2t"
#define MOUSE_ON "\033[?1000h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1000l"

static SCREEN *screen;
static struct tui_grid shown;
static bool ascii_only, mouse = true;
static unsigned titled = UINT32_MAX;
static attr_t attrs[TUI_STYLES];

/*
 * Middle tones: readable on white and on black alike (4.5:1 for text, but the
 * presence dot, which is a sign: 3:1).
 */
static const struct look {
	short c256, c8;		/* -1: the terminal's own */
	attr_t attr, mono;	/* with colours, and without */
} looks[TUI_STYLES] = {
	[TUI_TEXT] = { -1, -1, A_NORMAL, A_NORMAL },
	[TUI_META] = { 243, -2, A_NORMAL, A_DIM },
	[TUI_STRONG] = { -1, -1, A_BOLD, A_BOLD },
	[TUI_ACCENT] = { 98, COLOR_MAGENTA, A_NORMAL, A_NORMAL },
	[TUI_ACCENT_STRONG] = { 98, COLOR_MAGENTA, A_BOLD, A_BOLD |
	    A_UNDERLINE },
	[TUI_EMBER] = { 130, COLOR_YELLOW, A_NORMAL, A_BOLD },
	[TUI_BADGE] = { 130, COLOR_YELLOW, A_BOLD | A_REVERSE, A_BOLD |
	    A_REVERSE },
	[TUI_VERIFIED] = { 30, COLOR_CYAN, A_NORMAL, A_NORMAL },
	[TUI_PRESENCE] = { 28, COLOR_GREEN, A_NORMAL, A_NORMAL },
	[TUI_WARNING] = { 130, COLOR_YELLOW, A_BOLD, A_BOLD },
	[TUI_DANGER] = { 160, COLOR_RED, A_BOLD, A_BOLD },
	[TUI_CODE] = { 30, COLOR_CYAN, A_NORMAL, A_NORMAL },
	[TUI_QUOTE] = { 243, -2, A_ITALIC, A_DIM },
	[TUI_FOUND] = { 98, COLOR_MAGENTA, A_UNDERLINE, A_UNDERLINE },
	[TUI_SELECTED] = { 98, COLOR_MAGENTA, A_BOLD, A_BOLD },
	[TUI_QR] = { -3, -3, A_NORMAL, A_NORMAL },
};

bool
tui_draw_can(void)
{
	const char *term = getenv("TERM");
	int err = 0;
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	    term != NULL && *term != '\0' && strcmp(term, "dumb") != 0 &&
	    setupterm(NULL, STDOUT_FILENO, &err) == 0 && err == 1 &&
	    tigetstr("cup") != NULL && tigetstr("clear") != NULL;
}

static void
send(const char *bytes)
{
	size_t at = 0, n = strlen(bytes);
	fflush(stdout);
	while (at < n) {
		ssize_t w = write(STDOUT_FILENO, bytes + at, n - at);
		if (w < 0 && errno != EINTR && errno != EAGAIN)
			return;
		at += w > 0 ? (size_t)w : 0;
	}
}

static void
set_styles(void)
{
	bool color = tty_has_color() && has_colors() && start_color() == OK;
	if (color)
		use_default_colors();
	for (int i = 0; i < TUI_STYLES; i++) {
		const struct look *k = &looks[i];
		if (!color) {
			attrs[i] = k->mono;
			continue;
		}
		short fg = COLORS >= 256 ? k->c256 : k->c8, bg = -1;
		attrs[i] = k->attr;
		if (fg == -3) {
			fg = COLORS >= 256 ? 231 : COLOR_WHITE;
			bg = COLORS >= 256 ? 16 : COLOR_BLACK;
		} else if (fg == -2) {	/* grey: only 16 colours have it */
			fg = COLORS >= 16 ? 8 : -1;
			attrs[i] |= fg == -1 ? A_DIM : 0;
		}
		if (init_pair((short)(i + 1), fg, bg) != ERR)
			attrs[i] |= COLOR_PAIR(i + 1);
	}
}

/* What undoes a full screen, for whatever ends the process. */
static void
set_leave(void)
{
	char bytes[TTY_LEAVE_MAX];
	const char *names[] = { "sgr0", "cnorm", "rmcup" };
	size_t n = (size_t)snprintf(bytes, sizeof(bytes), "%s%s", MOUSE_OFF,
	    MODES_OFF);
	for (size_t i = 0; i < 3; i++) {
		const char *s = tigetstr(names[i]);
		if (s == NULL || (intptr_t)s == -1 || strlen(s) + n + 1 >
		    sizeof(bytes) || strchr(s, '$') != NULL)
			continue;
		memcpy(bytes + n, s, strlen(s));
		n += strlen(s);
	}
	bytes[n] = '\0';
	tty_on_leave(bytes);
}

enum err
tui_draw_open(bool ascii)
{
	ascii_only = ascii;
	if (!tty_raw())
		return ERR_UNAVAILABLE;
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL) {
		tty_restore();
		return ERR_UNAVAILABLE;
	}
	set_leave();
	raw();
	noecho();
	nonl();
	typeahead(-1);
	leaveok(stdscr, FALSE);
	set_styles();
	send(MODES_ON);
	send(mouse ? MOUSE_ON : "");
	tui_draw_again();
	return 0;
}

void
tui_draw_close(void)
{
	if (screen == NULL)
		return;
	tui_draw_pause();
	delscreen(screen);
	screen = NULL;
	tui_grid_fini(&shown);
	tty_restore();
}

void
tui_draw_size(size_t *rows_out, size_t *cols_out)
{
	struct winsize w = { 0 };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_row == 0 ||
	    w.ws_col == 0) {
		w.ws_row = 24;
		w.ws_col = 80;
	}
	*rows_out = w.ws_row < TUI_ROWS_MAX ? w.ws_row : TUI_ROWS_MAX;
	*cols_out = w.ws_col < TUI_COLS_MAX ? w.ws_col : TUI_COLS_MAX;
}

void
tui_draw_resize(void)
{
	size_t rows, cols;
	if (screen == NULL)
		return;
	tui_draw_size(&rows, &cols);
	if (resizeterm((int)rows, (int)cols) == ERR)
		return;
	tui_draw_again();
}

void
tui_draw_again(void)
{
	tui_grid_fini(&shown);
	werase(stdscr);
	clearok(stdscr, TRUE);
}

void
tui_draw_pause(void)
{
	send(MOUSE_OFF MODES_OFF);
	endwin();
	tty_on_leave("");
	titled = UINT32_MAX;
}

void
tui_draw_resume(void)
{
	/* The terminal's settings may be another program's now. */
	set_leave();
	reset_prog_mode();
	raw();
	noecho();
	send(MODES_ON);
	send(mouse ? MOUSE_ON : "");
	tui_draw_resize();
	tui_draw_again();
}

void
tui_draw_mouse(bool on)
{
	mouse = on;
	send(on ? MOUSE_ON : MOUSE_OFF);
}

/* ---- cells ---- */

/* Unknown to this libc: ncurses would draw something else for it. */
static wchar_t
drawable(uint32_t code)
{
	return wcwidth((wchar_t)code) < 0 ? 0xfffd : (wchar_t)code;
}

static void
put_cell(int row, int col, const struct tui_cell *c)
{
	wchar_t text[TUI_CODES + 1] = { 0 };
	cchar_t cc;
	attr_t a = attrs[c->style];
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		text[n++] = drawable(c->code[i]);
	if (ascii_only && (c->code[0] > 0x7e || c->n > 1)) {
		text[0] = c->code[0] > 0x7e ? '?' : (wchar_t)c->code[0];
		text[1] = 0;
	}
	/* The pair is not among the attributes for setcchar. */
	short pair = (short)PAIR_NUMBER(a);
	if (setcchar(&cc, text, a & ~A_COLOR, pair, NULL) == ERR)
		return;
	mvadd_wch(row, col, &cc);
	if (ascii_only && c->cols == 2)
		mvadd_wch(row, col + 1, &cc);
}

static bool
is_same(const struct tui_cell *a, const struct tui_cell *b)
{
	if (a->n != b->n || a->cols != b->cols || a->style != b->style)
		return false;
	return memcmp(a->code, b->code, a->n * sizeof(a->code[0])) == 0;
}

static void
put_row(const struct tui_grid *g, size_t row, bool all)
{
	const struct tui_cell *now = &g->cell[row * g->cols];
	struct tui_cell *was = &shown.cell[row * g->cols];
	for (size_t i = 0; i < g->cols; i++) {
		bool other = all || !is_same(&now[i], &was[i]);
		/* Whoever draws the left half draws the right one. */
		if (other && now[i].n > 0)
			put_cell((int)row, (int)i, &now[i]);
		else if (other && i > 0 && now[i - 1].cols == 2)
			put_cell((int)row, (int)i - 1, &now[i - 1]);
	}
	memcpy(was, now, g->cols * sizeof(*now));
}

void
tui_draw(const struct tui_grid *g)
{
	if (screen == NULL)
		return;
	bool all = shown.rows != g->rows || shown.cols != g->cols;
	if (all && tui_grid_size(&shown, g->rows, g->cols) != 0)
		return;
	for (size_t r = 0; r < g->rows; r++)
		put_row(g, r, all);
	curs_set(g->cursor ? 1 : 0);
	if (g->cursor)
		move((int)g->cursor_row, (int)g->cursor_col);
	refresh();
}

/* ---- beside the cells ---- */

bool
tui_draw_copy(struct span text)
{
	if (text.n > TUI_COPY_MAX)
		return false;
	size_t n = BASE64_LEN(text.n);
	char *out = malloc(n + 16);
	if (out == NULL)
		return false;
	memcpy(out, "\033]52;c;", 7);
	base64_encode(text, out + 7);
	memcpy(out + 7 + n, "\a", 2);
	send(out);
	wipe(out, n + 16);
	free(out);
	return true;
}

void
tui_draw_bell(void)
{
	send("\a");
}

void
tui_draw_title(unsigned unread)
{
	char text[64];
	const char *term = getenv("TERM");
	if (unread == titled || term == NULL ||
	    strncmp(term, "linux", 5) == 0)
		return;
	titled = unread;
	/* xterm: OSC 2. Nothing of a message, not even a name: titles are
	 * seen by others. */
	snprintf(text, sizeof(text), unread > 0 ? "\033]2;Nightjar (%u)\a" :
	    "\033]2;Nightjar\a", unread);
	send(text);
}
