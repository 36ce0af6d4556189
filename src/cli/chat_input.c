/*
 * chat_input.c: see chat_input.h. The input is not read in steps of the
 * client, so a line may give an input at once.
 */
#include "cli/chat_input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/clean.h"
#include "cli/history.h"
#include "cli/show.h"

#define OF(t, field) \
	((struct chat *)(void *)((char *)(t) - offsetof(struct chat, field)))
#define AGAIN 50	/* lines of /history */

/* ---- typing ---- */

static void
say_typing(struct chat *c, bool on)
{
	struct client_input in = { .type = CLIENT_TYPING };
	c->told = on;
	in.u.typing.chat = c->id;
	in.u.typing.on = on;
	host_input(c->host, &in);
}

static void
on_pause(struct timer *t)
{
	struct chat *c = OF(t, pause);
	if (c->told)
		say_typing(c, false);
}

static void
note_typing(struct chat *c)
{
	struct span line = edit_line(&c->edit);
	if (line.n == 0 || line.p[0] == '/') {
		if (c->told)
			say_typing(c, false);
		return;
	}
	if (!c->told)
		say_typing(c, true);
	timer_start(reactor_wheel(c->host->reactor), &c->pause,
	    CHAT_PAUSE_MS, on_pause);
}

/* ---- lines ---- */

static void
send_line(struct chat *c, struct span text)
{
	struct client_input in = { .type = CLIENT_SEND };
	in.cmd = host_number(c->host);
	in.u.send.to.user = c->with;
	in.u.send.text = text;
	timer_cancel(&c->pause);
	c->told = false;
	host_input(c->host, &in);
}

static void
show_safety(struct chat *c)
{
	char digits[CLIENT_SAFETY_LEN + 1], text[400];
	struct host *h = c->host;
	enum err e = host_read(h);
	if (e == OK) {
		e = client_safety(&h->client, &h->query, &c->with, digits);
		host_read_end(h);
	}
	if (e != OK) {
		chat_say(c, "-- the keys of this person are not known yet");
		return;
	}
	snprintf(text, sizeof(text), "-- Safety number with %s:\n"
	    "    %.23s\n    %.23s\n    %.23s\n"
	    "   If the other screen shows the same: /confirm", c->name,
	    digits, digits + 24, digits + 48);
	chat_say(c, text);
}

static void
confirm(struct chat *c)
{
	struct client_input go = { .type = CLIENT_ACCEPT,
	    .u.user = c->with };
	struct client_input in = { .type = CLIENT_VERIFY };
	if (c->blocked)
		host_input(c->host, &go);
	c->blocked = false;
	in.u.verify.user = c->with;
	in.u.verify.on = true;
	host_input(c->host, &in);
	chat_say(c, "-- marked as verified");
}

static enum err
print_again(struct host *h, const struct client_item *it, void *ctx)
{
	struct chat *c = ctx;
	struct buf out;
	buf_init(&out, (size_t)1 << 20);
	enum err e = show_item(h, it, c->raw ? tty_columns() : 0, &out);
	if (e == OK)
		e = buf_add(&out, "", 1);
	if (e == OK)
		chat_say(c, (const char *)out.p);
	if (out.p != NULL)
		wipe(out.p, out.n);
	buf_fini(&out);
	return e;
}

static void
show_status(struct chat *c)
{
	char text[300];
	struct client_person p = { 0 };
	struct host *h = c->host;
	if (host_read(h) != OK)
		return;
	(void)!client_person(&h->client, &h->query, &c->with, &p);
	host_read_end(h);
	snprintf(text, sizeof(text), "-- %s: %s, %u device%s, %s%s; "
	    "connection %s", c->name, c->presence[0] != '\0' ? c->presence :
	    "presence not known", (unsigned)p.devices,
	    p.devices == 1 ? "" : "s", p.verified ? "verified" :
	    "not verified", p.identity_changed ? ", IDENTITY CHANGED" : "",
	    h->up ? "up" : "down");
	chat_say(c, text);
}

static void
command(struct chat *c, struct span line)
{
	if (span_eq(line, SPAN("/quit")) || span_eq(line, SPAN("/q")))
		c->over = true;
	else if (span_eq(line, SPAN("/verify")))
		show_safety(c);
	else if (span_eq(line, SPAN("/confirm")))
		confirm(c);
	else if (span_eq(line, SPAN("/status")))
		show_status(c);
	else if (span_eq(line, SPAN("/history"))) {
		if (history_last(c->host, &c->with, AGAIN, print_again,
		    c) != OK)
			chat_say(c, "-- the history cannot be read");
	} else
		chat_say(c, span_eq(line, SPAN("/help")) ?
		    "-- /verify   the safety number with this person\n"
		    "   /confirm  it is the same on the other screen\n"
		    "   /status   presence, devices, connection\n"
		    "   /history  the last messages again\n"
		    "   /quit     leave (Ctrl-D on an empty line, too)\n"
		    "   //text    a message that begins with a slash" :
		    "-- there is no such command; /help lists them, // sends "
		    "a message that begins with a slash");
}

static void
take_line(struct chat *c, struct span line)
{
	if (line.n == 0)
		return;
	if (span_starts(line, SPAN("//")))
		send_line(c, span_sub(line, 1, line.n));
	else if (line.p[0] == '/' && c->raw)
		command(c, line);
	else if (!utf8_valid(line))
		chat_say(c, "! not sent: the line is not valid UTF-8");
	else
		send_line(c, line);
}

/* ---- a terminal ---- */

static void
suspend(struct chat *c)
{
	tty_restore();
	raise(SIGTSTP);
	(void)!tty_raw();
	chat_draw(c);
}

static void
on_key(struct chat *c, enum edit_event ev)
{
	switch (ev) {
	case EDIT_LINE:
		take_line(c, edit_line(&c->edit));
		edit_clear(&c->edit, true);
		break;
	case EDIT_END: case EDIT_INTERRUPT: c->over = true; break;
	case EDIT_SUSPEND: suspend(c); break;
	case EDIT_REDRAW:
		if (write(STDOUT_FILENO, "\033[H\033[2J", 7) < 0)
			c->over = true;
		break;
	case EDIT_FULL:
		if (write(STDOUT_FILENO, "\a", 1) < 0)
			c->over = true;
		break;
	case EDIT_NONE: default: note_typing(c); break;
	}
}

static void
on_escape(struct timer *t)
{
	edit_timeout(&OF(t, escape)->edit);
}

static void
take_keys(struct chat *c, struct span in)
{
	while (in.n > 0 && !c->over) {
		enum edit_event ev;
		size_t n = edit_feed(&c->edit, in, &ev);
		in = span_sub(in, n, in.n - n);
		on_key(c, ev);
	}
	if (edit_is_waiting(&c->edit))
		timer_start(reactor_wheel(c->host->reactor), &c->escape,
		    CHAT_ESCAPE_MS, on_escape);
	chat_draw(c);
}

/* ---- a pipe ---- */

static void
hold(struct chat *c)
{
	c->held = true;
	if (c->input_polled)
		reactor_unwatch(c->host->reactor, &c->input);
	c->input_polled = false;
}

/* Lines while there is room for them: what waits is bounded. */
static void
take_lines(struct chat *c)
{
	c->taking = true;	/* steps inside call chat_input_resume */
	while (!c->over && c->waiting < CHAT_LINES_MAX / 2) {
		size_t n = span_find(buf_span(&c->line), '\n');
		if (n == c->line.n && (!c->ended || n == 0))
			break;
		take_line(c, span_sub(buf_span(&c->line), 0, n));
		buf_drop(&c->line, n < c->line.n ? n + 1 : n);
	}
	c->taking = false;
	if (c->ended && c->line.n == 0)
		c->draining = true;
	else if (c->ended || span_find(buf_span(&c->line), '\n') <
	    c->line.n)
		hold(c);	/* the rest when some have gone */
	else if (c->line.n > CLIENT_TEXT_MAX) {
		host_error(c->host, "a line is longer than %u bytes; it was "
		    "not sent", CLIENT_TEXT_MAX);
		c->status = EXIT_FAILED;
		c->over = true;
	}
}

static void
on_input(struct io *io, unsigned ready)
{
	struct chat *c = OF(io, input);
	uint8_t bytes[CHAT_READ_BYTES];
	(void)ready;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && c->raw) {
		take_keys(c, span_of(bytes, (size_t)n));
	} else {
		if (n <= 0) {
			hold(c);
			c->ended = true;
			c->over = c->raw;
		} else if (buf_add(&c->line, bytes, (size_t)n) != OK) {
			c->over = true;
		}
		if (!c->raw)
			take_lines(c);
	}
	wipe(bytes, sizeof(bytes));
}

/* A plain file cannot be waited for: it is read in pieces, on a timer. */
static void
on_file(struct timer *t)
{
	struct chat *c = OF(t, escape);
	on_input(&c->input, IO_READ);
	if (!c->draining && !c->over && !c->held)
		timer_start(reactor_wheel(c->host->reactor), t, 1, on_file);
}

static void
watch(struct chat *c)
{
	if (reactor_watch_level(c->host->reactor, &c->input) == OK)
		c->input_polled = true;
	else
		timer_start(reactor_wheel(c->host->reactor), &c->escape, 1,
		    on_file);
}

void
chat_input_resume(struct chat *c)
{
	if (!c->held || c->draining || c->taking ||
	    c->waiting >= CHAT_LINES_MAX / 4)
		return;
	c->held = false;
	take_lines(c);
	if (!c->held && !c->ended)
		watch(c);
}

enum exit_status
chat_input_open(struct chat *c)
{
	c->raw = c->raw && tty_raw();
	c->input.fd = STDIN_FILENO;
	c->input.on_ready = on_input;
	watch(c);
	return EXIT_OK;
}

void
chat_input_close(struct chat *c)
{
	timer_cancel(&c->typing_end);
	timer_cancel(&c->pause);
	timer_cancel(&c->escape);
	if (c->input_polled)
		reactor_unwatch(c->host->reactor, &c->input);
	c->input_polled = false;
	if (c->raw)
		tty_restore();
}
