/*
 * tty.c: see tty.h. The saved settings are process-wide, since a signal
 * handler and atexit have nothing else to find them by.
 */
#include "cli/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"

static struct termios saved;		/* of fd `saved_fd` */
static volatile sig_atomic_t changed;	/* saved has to be put back */
static int saved_fd = -1;
static bool paste;
static bool signs;
static char leave[TTY_LEAVE_MAX];	/* what a full screen needs undone */
static volatile sig_atomic_t leave_n;

/* Async-signal-safe (POSIX 2.4.3: tcsetattr, write). */
static void
put_back(void)
{
	if (!changed)
		return;
	changed = 0;
	ssize_t n = 0;
	if (leave_n > 0)
		n = write(STDOUT_FILENO, leave, (size_t)leave_n);
	else if (paste)
		n = write(STDOUT_FILENO, PASTE_OFF, sizeof(PASTE_OFF) - 1);
	(void)n;	/* where it is gone, there is nothing to restore */
	tcsetattr(saved_fd, TCSANOW, &saved);
}

static void
on_fatal(int sig)
{
	put_back();
	/* SA_RESETHAND: now it ends the process as it would have. */
	raise(sig);
}

static void
no_dumps(void)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void
tty_setup(void)
{
	static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGHUP, SIGILL,
	    SIGINT, SIGQUIT, SIGSEGV, SIGTERM };
	struct sigaction act = { .sa_handler = on_fatal,
	    .sa_flags = (int)SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	no_dumps();
	umask(077);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &act, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	atexit(put_back);
	/* Text is UTF-8 whatever the locale: widths have to follow. */
	signs = setlocale(LC_CTYPE, "") != NULL &&
	    strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!signs)
		setlocale(LC_CTYPE, "C.UTF-8");
}

bool
tty_has_signs(void)
{
	return signs;
}

bool
tty_has_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return (no == NULL || *no == '\0') && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

bool
tty_is_there(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Reads a line byte by byte: what follows belongs to whoever reads next. */
static enum err
read_line(int fd, char *out, size_t cap, size_t *n_out)
{
	size_t n = 0;
	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return ERR_EXPIRED;
		if (c == '\n')
			break;
		if (n == cap)
			return ERR_TOO_LARGE;
		out[n++] = c;
	}
	*n_out = n;
	return OK;
}

enum err
tty_ask(const char *question, bool echo, char *out, size_t cap,
    size_t *n_out)
{
	enum err e = OK;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return ERR_FORBIDDEN;
	if (!echo && tcgetattr(fd, &saved) == 0) {
		struct termios quiet = saved;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		saved_fd = fd;
		changed = 1;
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
	size_t left = strlen(question);
	if (write(fd, question, left) != (ssize_t)left)
		e = ERR_EXPIRED;
	if (e == OK)
		e = read_line(fd, out, cap, n_out);
	if (!echo) {
		put_back();
		if (write(fd, "\n", 1) != 1)
			e = ERR_EXPIRED;
	}
	close(fd);
	return e;
}

bool
tty_ask_yes(const char *question)
{
	char answer[8];
	size_t n = 0;
	if (tty_ask(question, true, answer, sizeof(answer), &n) != OK)
		return false;
	return span_eq_nocase(span_of(answer, n), SPAN("yes"));
}

bool
tty_raw(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &saved) != 0)
		return false;
	struct termios raw = saved;
	raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	saved_fd = STDIN_FILENO;
	paste = true;
	changed = 1;
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0 ||
	    write(STDOUT_FILENO, PASTE_ON, sizeof(PASTE_ON) - 1) < 0) {
		tty_restore();
		return false;
	}
	return true;
}

void
tty_on_leave(const char *bytes)
{
	size_t n = strlen(bytes);
	leave_n = 0;
	if (n > sizeof(leave))
		return;
	memcpy(leave, bytes, n);
	leave_n = (sig_atomic_t)n;
}

void
tty_restore(void)
{
	put_back();
	paste = false;
}

size_t
tty_columns(void)
{
	struct winsize w;
	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) != 0 || w.ws_col == 0)
		return 80;
	return w.ws_col;
}
