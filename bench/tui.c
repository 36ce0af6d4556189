/*
 * tui.c: what a redraw of the full-screen client costs: 10,000 messages are
 * loaded, the screen is a pty of 200x60 that a child empties and counts.
 * Prints CPU time and bytes for each kind of redraw; nothing of the network
 * or the profile takes part.
 *
 *	bench-tui [MESSAGES]
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/tty.h"
#include "cli/tui_draw.h"
#include "cli/tui_history.h"
#include "cli/tui_layout.h"

#define ROWS 60
#define COLS 200
#define ROUNDS 300

static struct tui_model m;
static struct tui_grid g;
static int count_fd;		/* bytes so far, asked from the child */

static double
cpu_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The child: the terminal. Writes the count after each quiet moment. */
static void
be_terminal(int master, int out)
{
	uint8_t b[65536];
	uint64_t n = 0;
	for (;;) {
		ssize_t got = read(master, b, sizeof(b));
		if (got <= 0)
			_exit(0);
		n += (uint64_t)got;
		if (pwrite(out, &n, sizeof(n), 0) != (ssize_t)sizeof(n))
			_exit(1);
	}
}

static uint64_t
bytes_so_far(void)
{
	uint64_t n = 0, was;
	do {
		struct timespec t = { .tv_nsec = 30000000 };
		was = n;
		nanosleep(&t, NULL);
		if (pread(count_fd, &n, sizeof(n), 0) < 0)
			return 0;
	} while (n != was);
	return n;
}

static int
open_terminal(void)
{
	struct winsize w = { .ws_row = ROWS, .ws_col = COLS };
	char path[] = "/tmp/bench-tui-XXXXXX";
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	count_fd = mkstemp(path);
	if (master < 0 || count_fd < 0 || grantpt(master) != 0 ||
	    unlockpt(master) != 0)
		return -1;
	unlink(path);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &w) != 0)
		return -1;
	if (fork() == 0)
		be_terminal(master, count_fd);
	close(master);
	int report = dup(STDOUT_FILENO);
	if (dup2(slave, STDIN_FILENO) < 0 || dup2(slave, STDOUT_FILENO) < 0)
		return -1;
	return report;
}

static int
fill(uint32_t n)
{
	static const char *const texts[] = { "Yes, right after this call.",
	    "A text that is long enough to be broken into several lines, so "
	    "that its height depends on the width of the terminal that it is "
	    "drawn on; with `code` and https://example.org/a/link in it.",
	    "\u6f22\u5b57 and \U0001f989", "one\ntwo\nthree" };
	for (uint32_t i = 1; i <= n; i++) {
		struct client_item it = { .order = i * 10ull, .sub = 1,
		    .kind = ITEM_TEXT, .state = i % 2 ? STATE_SENT :
		    STATE_RECEIVED, .position = i, .server_ms =
		    1773316800000ull + i * 60000ull,
		    .text = span_str(texts[i % 4]) };
		it.sender.b[0] = i % 2 ? 1 : 2;
		memcpy(it.event.b, &i, sizeof(i));
		it.event.b[15] = 1;
		if (tui_log_put_older(&m.log, &it) != OK)
			return 1;
	}
	/* They came oldest first: turned into the order of pages. */
	for (uint32_t i = 0; i < n / 2; i++) {
		struct tui_entry t = m.log.entry[i];
		m.log.entry[i] = m.log.entry[n - 1 - i];
		m.log.entry[n - 1 - i] = t;
	}
	tui_log_settle(&m.log, n);
	m.log.all = true;
	return 0;
}

static int
make_model(uint32_t n)
{
	if (tui_model_init(&m) != OK)
		return 1;
	m.now_ms = 1773316800000ull + n * 60000ull;
	m.me.b[0] = 1;
	m.up = m.caught_up = m.open = true;
	m.with.b[0] = 2;
	m.focus = TUI_AT_COMPOSE;
	for (uint8_t i = 2; i < 52; i++) {
		struct tui_chat c = { .last_ms = m.now_ms - i };
		c.user.b[0] = c.chat.b[0] = i;
		snprintf(c.name, sizeof(c.name), "person %u", (unsigned)i);
		snprintf(c.preview, sizeof(c.preview), "what was said last");
		if (tui_model_chat_put(&m, &c) != OK)
			return 1;
	}
	return fill(n);
}

static struct tui_box
log_box(void)
{
	return tui_layout_log_box(&m, tui_layout_panes(&m, &g).chat);
}

static void
act(int what, int round)
{
	struct tui_key k = { .name = TUI_KEY_CHAR, .code = 'x' };
	if (what == 0)
		(void)tui_compose_key(m.compose, &k, 100);
	else if (what == 1)
		tui_history_scroll(&m, log_box(), -3);
	else if (what == 2)
		tui_history_scroll(&m, log_box(), -50);
	else if (what == 3)
		tui_history_jump(&m, log_box(), (size_t)round * 7919 %
		    m.log.n);
	else
		tui_draw_again();
}

int
main(int argc, char **argv)
{
	static const char *const names[] = { "a key", "wheel", "page",
	    "jump", "all anew" };
	double ms[5];
	uint64_t bytes[5];
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10000;
	setenv("TERM", "xterm-256color", 1);
	setlocale(LC_CTYPE, "C.UTF-8");
	int report = open_terminal();
	if (report < 0 || make_model(n) != 0 ||
	    tui_grid_size(&g, ROWS, COLS) != OK || tui_draw_open(false) != OK)
		return 1;
	tui_layout(&m, &g);
	tui_draw(&g);
	for (int what = 0; what < 5; what++) {
		uint64_t before = bytes_so_far();
		double begin = cpu_ms();
		for (int i = 0; i < ROUNDS; i++) {
			act(what, i);
			tui_layout(&m, &g);
			tui_draw(&g);
		}
		ms[what] = (cpu_ms() - begin) / ROUNDS;
		bytes[what] = (bytes_so_far() - before) / ROUNDS;
	}
	tui_draw_close();
	dprintf(report, "%u messages, %dx%d\n", (unsigned)m.log.n, COLS,
	    ROWS);
	for (int i = 0; i < 5; i++)
		dprintf(report, "%-9s %7.3f ms CPU %7llu bytes\n", names[i],
		    ms[i], (unsigned long long)bytes[i]);
	return 0;
}
