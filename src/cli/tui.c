/*
 * tui.c: see tui.h. Opening and closing, the host's callbacks, one drawing a
 * tick.
 */
#include "cli/tui.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/tty.h"
#include "cli/tui_act.h"
#include "cli/tui_draw.h"
#include "cli/tui_input.h"
#include "cli/tui_load.h"
#include "cli/tui_panels.h"
#include "cli/tui_words.h"

#define OF(t, field) \
	((struct tui *)(void *)((char *)(t) - offsetof(struct tui, field)))
#define READ_BYTES 4096
#define MINUTE_MS 60000u

bool
tui_can(void)
{
	return tui_draw_can();
}

void
tui_touch(struct tui *t)
{
	reactor_flush(t->h->reactor, &t->draw);
}

void
tui_toast(struct tui *t, bool bad, const char *format, ...)
{
	char text[TUI_LINE_MAX];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	t->m.now_ms = sys_unix_ms();
	tui_model_toast(&t->m, bad, text);
	tui_touch(t);
}

struct tui_box
tui_log_box(struct tui *t)
{
	struct tui_panes p = tui_layout_panes(&t->m, &t->grid);
	if (p.chat.rows == 0 || !t->m.open)
		return (struct tui_box){ .grid = &t->grid };
	return tui_layout_log_box(&t->m, p.chat);
}

/* ---- drawing ---- */

static void on_change(struct timer *timer);

/* Wakes when something on the screen changes by itself. */
static void
plan(struct tui *t)
{
	uint64_t at = tui_model_next_change(&t->m);
	uint64_t wait = MINUTE_MS - t->m.now_ms % MINUTE_MS;
	if (at != 0 && at <= t->m.now_ms)
		wait = 20;
	else if (at != 0 && at - t->m.now_ms < wait)
		wait = at - t->m.now_ms;
	timer_start(reactor_wheel(t->h->reactor), &t->change, wait,
	    on_change);
}

static void
on_change(struct timer *timer)
{
	tui_touch(OF(timer, change));
}

/* The end of a tick in which something changed. */
static void
draw(struct flush *f)
{
	struct tui *t = (void *)((char *)f - offsetof(struct tui, draw));
	if (t->over)
		return;
	t->m.now_ms = sys_unix_ms();
	tui_model_expire(&t->m);
	tui_load_stale(t);
	if (!ID_IS_ZERO(t->open_next)) {
		struct user_id who = t->open_next;
		t->open_next = (struct user_id){ 0 };
		tui_act_open(t, &who);
	}
	tui_act_seen(t);
	tui_load_stale(t);
	tui_panels_default(t);
	if (t->panel_stale && t->m.panel.kind != TUI_PANEL_SEARCH &&
	    t->m.panel.kind != TUI_PANEL_PEOPLE)
		tui_panels_refresh(t);
	t->panel_stale = false;
	tui_layout(&t->m, &t->grid);
	tui_draw(&t->grid);
	tui_draw_title(tui_model_unread(&t->m));
	/* All that was asked for meanwhile is in this drawing. */
	reactor_flush_cancel(f);
	plan(t);
}

static void
on_resize(struct host *h)
{
	struct tui *t = h->ops->ctx;
	size_t rows, cols;
	tui_draw_size(&rows, &cols);
	tui_draw_resize();
	if (tui_grid_size(&t->grid, rows, cols) != OK)
		t->over = true;
	/* A panel that was only beside the chat gives way. */
	tui_panels_default(t);
	tui_touch(t);
}

/* ---- what happens ---- */

static void
on_message(struct tui *t, const struct client_item *it)
{
	const struct tui_chat *c = tui_model_chat_by_id(&t->m, &it->chat);
	struct user_id who = it->sender;
	struct client_person p;
	struct arena_mark m = arena_mark(&t->h->query);
	if (c != NULL)
		who = c->user;
	else if (client_person_by_chat(&t->h->client, &t->h->query,
	    &it->chat, &p) == OK)
		who = p.user;
	else if (ID_EQ(who, t->m.me))
		memcpy(who.b, it->chat.b, ID_LEN);
	arena_wipe(&t->h->query, m);
	if (t->m.open && ID_EQ(who, t->m.with))
		tui_load_item(t, it);
	struct tui_chat *row = tui_model_chat(&t->m, &who);
	if (row != NULL && ID_EQ(it->sender, who))
		row->typing_until_ms = 0;
	tui_load_later(t, &who);
}

static void
on_mark(struct tui *t, const struct client_mark *k)
{
	const struct tui_chat *c = tui_model_chat_by_id(&t->m, &k->chat);
	if (c == NULL)
		return;
	struct user_id who = c->user;
	if (t->m.open && ID_EQ(who, t->m.with) && ID_EQ(k->user, who))
		tui_log_mark(&t->m.log, &t->m.me, k->position,
		    k->kind == MARK_READ);
	tui_load_later(t, &who);
}

static void
on_about(struct tui *t, const struct client_ref *to)
{
	struct host *h = t->h;
	struct tui_entry *e = tui_log_find(&t->m.log, to);
	struct client_item it;
	if (e == NULL)
		return;
	struct arena_mark m = arena_mark(&h->query);
	if (client_item(&h->client, &h->query, &to->sender, &to->event,
	    &it) == OK)
		tui_load_item(t, &it);
	arena_wipe(&h->query, m);
}

static void
on_person(struct tui *t, const struct client_show *s)
{
	const struct user_id *who = s->type == SHOW_WARNING ?
	    &s->u.warning.user : &s->u.person.user;
	bool here = t->m.open && ID_EQ(*who, t->m.with);
	if (s->type == SHOW_WARNING && s->u.warning.kind ==
	    WARN_VIEW_CONFLICT && here)
		t->m.conflict = true;
	if (s->type == SHOW_WARNING && s->u.warning.kind != WARN_REPAIR)
		tui_toast(t, true, "%s",
		    tui_words_warning(s->u.warning.kind));
	const struct tui_chat *c = tui_model_chat(&t->m, who);
	if (s->type == SHOW_DEVICES && ID_EQ(*who, t->m.me))
		tui_toast(t, false, "Your devices have changed. F5 shows "
		    "them.");
	else if (s->type == SHOW_DEVICES && here && c != NULL)
		tui_toast(t, false, "%s's devices have changed. F4 shows "
		    "them.", c->name);
	if (s->type == SHOW_GONE && c != NULL)
		tui_toast(t, true, "%s deleted the account. What was said "
		    "stays here.", c->name);
	if (!ID_IS_ZERO(*who))
		tui_load_later(t, who);
	t->panel_stale = true;
}

static void
on_journal(struct host *h, const struct client_show *s)
{
	struct tui *t = h->ops->ctx;
	if (s->type == SHOW_MESSAGE)
		on_message(t, &s->u.item);
	else if (s->type == SHOW_MARK)
		on_mark(t, &s->u.mark);
	else if (s->type == SHOW_REACTION)
		on_about(t, &s->u.reaction.to);
	else if (s->type == SHOW_PIN)
		on_about(t, &s->u.pin.to);
	else
		on_person(t, s);
	tui_touch(t);
}

static void
on_presence(struct tui *t, const struct client_show *s)
{
	struct tui_chat *c = tui_model_chat(&t->m, &s->u.presence.user);
	if (c == NULL)
		return;
	c->presence = span_eq(s->u.presence.status, SPAN("online")) ?
	    TUI_ONLINE : span_eq(s->u.presence.status, SPAN("away")) ?
	    TUI_AWAY : TUI_OFFLINE;
	c->seen_ms = s->u.presence.time_ms;
	if (c->presence == TUI_OFFLINE && c->seen_ms == 0)
		c->seen_ms = t->m.now_ms;
}

static void
on_link(struct tui *t, const struct client_show *s)
{
	if (t->m.up && !s->u.link.up)
		t->m.down_since_ms = sys_unix_ms();
	t->m.up = s->u.link.up;
	t->m.caught_up = s->u.link.caught_up;
	t->m.ever_up = t->m.ever_up || t->m.up;
	for (size_t i = 0; i < t->m.chat_n && !t->m.up; i++) {
		t->m.chat[i].presence = TUI_OFFLINE;
		t->m.chat[i].typing_until_ms = 0;
	}
}

static void
on_typing(struct tui *t, const struct client_show *s)
{
	struct tui_chat *c = tui_model_chat(&t->m, &s->u.typing.user);
	if (c != NULL)
		c->typing_until_ms = s->u.typing.on ? sys_unix_ms() +
		    TUI_TYPING_MS : 0;
}

static void
on_show(struct host *h, const struct client_show *s)
{
	struct tui *t = h->ops->ctx;
	const struct tui_chat *c;
	if (s->type == SHOW_TYPING)
		on_typing(t, s);
	else if (s->type == SHOW_PRESENCE)
		on_presence(t, s);
	else if (s->type == SHOW_LINK)
		on_link(t, s);
	else if (s->type == SHOW_FOUND)
		tui_panels_found(t, s);
	else if (s->type == SHOW_BLOCKED)
		tui_load_later(t, &s->u.blocked.user);
	else if (s->type == SHOW_CHAT_STATE && (c = tui_model_chat_by_id(
	    &t->m, &s->u.chat.chat)) != NULL)
		tui_load_later(t, &c->user);
	else if (s->type == SHOW_KEYS_MISSING || s->type == SHOW_REVOKED)
		tui_toast(t, true, s->type == SHOW_REVOKED ?
		    "This device was taken off the account." :
		    "The keys of this account are not on this machine.");
	else if (s->type == SHOW_SETTINGS || s->type == SHOW_RENEW_DUE)
		t->panel_stale = true;
	tui_act_answer(t, s);
	tui_touch(t);
}

/* Something of the host's own: not on this screen, but after it. */
static void
on_say(const struct host *h, const char *text)
{
	struct tui *t = h->ops->ctx;
	snprintf(t->last_words, sizeof(t->last_words), "%s", text);
}

/* ---- keys ---- */

static void
on_escape(struct timer *timer)
{
	struct tui *t = OF(timer, escape);
	struct tui_key k;
	tui_keys_timeout(&t->keys, &k);
	if (k.name != TUI_KEY_NONE)
		tui_input_key(t, &k);
}

static void
on_input(struct io *io, unsigned ready)
{
	struct tui *t = OF(io, input);
	uint8_t bytes[READ_BYTES];
	(void)ready;
	ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		t->over = true;		/* the terminal is gone */
		return;
	}
	struct span in = span_of(bytes, (size_t)n);
	timer_cancel(&t->escape);
	t->m.now_ms = sys_unix_ms();
	while (in.n > 0 && !t->over) {
		struct tui_key k;
		size_t took = tui_keys_feed(&t->keys, in, &k);
		in = span_sub(in, took, in.n);
		if (k.name != TUI_KEY_NONE)
			tui_input_key(t, &k);
	}
	if (tui_keys_is_waiting(&t->keys))
		timer_start(reactor_wheel(t->h->reactor), &t->escape,
		    TUI_ESCAPE_MS, on_escape);
	wipe(bytes, sizeof(bytes));
}

/* ---- job control ---- */

void
tui_suspend(struct tui *t)
{
	tui_act_save_draft(t);
	tui_draw_pause();
	tty_restore();
	raise(SIGSTOP);
	if (!tty_raw())
		t->over = true;
	tui_draw_resume();
	on_resize(t->h);
}

static void
on_signal(struct io *io, unsigned ready)
{
	struct tui *t = OF(io, signals);
	struct signalfd_siginfo si;
	(void)ready;
	while (read(io->fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == (uint32_t)SIGTSTP) {
			tui_suspend(t);
		} else if (si.ssi_signo == (uint32_t)SIGCONT) {
			/* Stopped without a word: somebody wrote here. */
			tui_draw_resume();
			on_resize(t->h);
		}
	}
}

/* Never runs: the signal is blocked and comes by the descriptor. */
static void
on_tstp(int sig)
{
	(void)sig;
}

static enum err
take_signals(struct tui *t)
{
	/* Where it has no handler ncurses sets one, and ignores the signal
	 * while it draws: a stop that comes just then would be lost. */
	struct sigaction act = { .sa_handler = on_tstp };
	sigset_t set;
	if (sigaction(SIGTSTP, &act, NULL) != 0)
		return ERR_IO;
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_IO;
	t->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (t->signals.fd < 0)
		return ERR_IO;
	t->signals.on_ready = on_signal;
	TRY(reactor_watch_level(t->h->reactor, &t->signals));
	t->signals_on = true;
	return OK;
}

/* ---- running ---- */

static enum err
open_all(struct tui *t)
{
	size_t rows, cols;
	TRY(tui_model_init(&t->m));
	t->m.now_ms = t->m.down_since_ms = sys_unix_ms();
	t->m.ascii = !tty_has_signs();
	TRY(tui_load_all(t));
	TRY(take_signals(t));
	t->input.fd = STDIN_FILENO;
	t->input.on_ready = on_input;
	TRY(reactor_watch_level(t->h->reactor, &t->input));
	t->input_on = true;
	tui_draw_size(&rows, &cols);
	TRY(tui_grid_size(&t->grid, rows, cols));
	return tui_draw_open(t->m.ascii);
}

static void
close_all(struct tui *t)
{
	timer_cancel(&t->escape);
	timer_cancel(&t->change);
	reactor_flush_cancel(&t->draw);
	if (t->input_on)
		reactor_unwatch(t->h->reactor, &t->input);
	if (t->signals_on)
		reactor_unwatch(t->h->reactor, &t->signals);
	if (t->signals_on)
		sys_close(t->signals.fd);
	tui_draw_close();
	tui_grid_fini(&t->grid);
	tui_model_fini(&t->m);
	wipe(&t->keys, sizeof(t->keys));
}

static bool
never(struct host *h, const void *ctx)
{
	(void)h;
	(void)ctx;
	return false;
}

static bool
goes_on(const struct tui *t)
{
	const struct host *h = t->h;
	return !t->over && h->fatal == EXIT_OK && !h->interrupted &&
	    !h->signed_out && !h->blocked_trust;
}

enum exit_status
tui_run(struct host *h, const struct user_id *user)
{
	struct tui *t = calloc(1, sizeof(*t));
	struct host_ops ops = { .on_journal = on_journal, .on_show = on_show,
	    .on_resize = on_resize, .on_say = on_say, .ctx = t };
	if (t == NULL)
		return EXIT_FAILED;
	t->h = h;
	t->focused = t->mouse = true;
	t->draw.run = draw;
	enum err e = open_all(t);
	h->ops = &ops;
	if (e == OK) {
		t->m.up = t->m.ever_up = t->m.caught_up = h->up;
		if (user != NULL)
			tui_act_open(t, user);
		tui_touch(t);
		while (goes_on(t))
			reactor_tick(h->reactor, 1000);
		tui_act_leave(t);
	}
	close_all(t);
	h->ops = NULL;
	enum exit_status st = EXIT_OK;
	if (t->last_words[0] != '\0')
		host_error(h, "%s", t->last_words);
	if (e != OK) {
		host_error(h, "the full screen can't be shown (%s); --plain "
		    "needs less", err_text(e));
		st = EXIT_FAILED;
	} else if (h->fatal != EXIT_OK) {
		st = h->fatal;
	} else if (h->signed_out || h->blocked_trust) {
		st = host_wait(h, never, NULL, 0);	/* says why */
	}
	wipe(t, sizeof(*t));
	free(t);
	return st;
}
