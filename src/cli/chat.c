/*
 * chat.c: see chat.h; exports chat_draw, chat_say to chat_input.c. Drawing,
 * entries, marks; chat_input.c has the keys and what is done with a line.
 */
#include "cli/chat.h"

#include <errno.h>
#include <unistd.h>

#include "cli/chat_input.h"
#include "cli/history.h"
#include "cli/show.h"

#define OUT_MAX ((size_t)1 << 20)

/* ---- drawing ---- */

static void
flush_out(struct chat *c)
{
	size_t at = 0;
	while (at < c->out.n) {
		ssize_t n = write(STDOUT_FILENO, c->out.p + at,
		    c->out.n - at);
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			c->over = true;		/* the terminal is gone */
			break;
		}
		at += n > 0 ? (size_t)n : 0;
	}
	if (c->out.p != NULL)
		wipe(c->out.p, c->out.n);
	buf_clear(&c->out);
}

static const char *
state_word(const struct chat *c)
{
	if (c->waiting > 0)
		return "sending";
	if (c->sent == 0)
		return NULL;
	return c->read >= c->sent ? "read" :
	    c->delivered >= c->sent ? "delivered" : "sent";
}

/* "bob (online, typing) [read]> " */
static enum err
put_prompt(const struct chat *c, struct buf *out)
{
	const char *state = state_word(c);
	TRY(buf_add_str(out, c->name));
	if (!c->host->up) {
		TRY(buf_add_str(out, " (no connection)"));
	} else if (c->typing) {
		TRY(buf_add_str(out, " (typing)"));
	} else if (c->presence[0] != '\0') {
		TRY(buf_add_str(out, " ("));
		TRY(buf_add_str(out, c->presence));
		TRY(buf_add_str(out, ")"));
	}
	if (state != NULL) {
		TRY(buf_add_str(out, " ["));
		TRY(buf_add_str(out, state));
		TRY(buf_add_str(out, "]"));
	}
	return buf_add_str(out, "> ");
}

void
chat_draw(struct chat *c)
{
	struct buf prompt;
	c->moved = false;
	if (!c->raw || c->over)
		return;
	buf_init(&prompt, 1024);
	if (put_prompt(c, &prompt) == OK &&
	    edit_draw(&c->edit, buf_span(&prompt), tty_columns(),
	    &c->out) == OK)
		c->prompt_on = true;
	buf_fini(&prompt);
	flush_out(c);
}

/* Wipes the prompt's row, so that lines can be printed in its place. */
static enum err
make_room(struct chat *c)
{
	if (!c->prompt_on)
		return OK;
	c->prompt_on = false;
	return buf_add_str(&c->out, EDIT_WIPE_ROW);
}

void
chat_say(struct chat *c, const char *text)
{
	enum err e = make_room(c);
	if (e == OK)
		e = buf_add_str(&c->out, text);
	if (e == OK)
		e = buf_add_str(&c->out, "\n");
	if (e != OK)
		buf_clear(&c->out);
	c->moved = true;
	flush_out(c);
}

/* ---- entries ---- */

static enum err
print_item(struct chat *c, const struct client_item *it)
{
	TRY(make_room(c));
	TRY(c->host->args->json ? show_item_json(c->host, it, &c->out) :
	    show_item(c->host, it, c->raw ? tty_columns() : 0, &c->out));
	TRY(buf_add_str(&c->out, "\n"));
	c->moved = true;
	return OK;
}

/* Remembers what the prompt and the marks need of an entry. */
static void
note_item(struct chat *c, const struct client_item *it)
{
	bool mine = ID_EQ(it->sender, c->me);
	if (!mine && it->position > c->arrived)
		c->arrived = it->position;
	if (!mine)
		return;
	if (it->position > c->sent)
		c->sent = it->position;
	if (it->flags & ITEM_DELIVERED && it->position > c->delivered)
		c->delivered = it->position;
	if (it->flags & ITEM_READ && it->position > c->read)
		c->read = it->position;
}

/* Which of our messages are under way, whoever of this profile sends them. */
static void
note_waiting(struct chat *c, const struct client_item *it)
{
	uint32_t i = 0;
	if (!ID_EQ(it->sender, c->me))
		return;
	while (i < c->waiting && !ID_EQ(c->waits[i], it->event))
		i++;
	if (it->state == STATE_WAITING && i == c->waiting &&
	    i < CHAT_LINES_MAX)
		c->waits[c->waiting++] = it->event;
	else if (it->state != STATE_WAITING && i < c->waiting)
		c->waits[i] = c->waits[--c->waiting];
}

static bool
is_here(const struct chat *c, const struct client_item *it)
{
	struct chat_id before;
	/* Until the server has named the chat, the person's id stands. */
	memcpy(before.b, c->with.b, ID_LEN);
	return ID_EQ(it->chat, c->id) || ID_EQ(it->chat, before);
}

/* Of another's message the first form, of our own the final one. */
static bool
is_news(const struct chat *c, const struct client_item *it)
{
	if (it->kind == ITEM_HIDDEN)
		return false;
	/* What the other did to a message that was shown is shown, too. */
	if (!ID_EQ(it->sender, c->me))
		return !(it->flags & ITEM_READ) || it->edit_number != 0 ||
		    it->kind == ITEM_DELETED;
	return it->state == STATE_FAILED || (it->state == STATE_SENT &&
	    !(it->flags & (ITEM_DELIVERED | ITEM_READ)) &&
	    it->position > c->sent);
}

static void
on_item(struct chat *c, const struct client_item *it)
{
	if (!is_here(c, it))
		return;
	bool news = is_news(c, it);
	note_item(c, it);
	note_waiting(c, it);
	if (it->state == STATE_FAILED)
		c->status = EXIT_REFUSED;
	c->moved = true;
	if (!ID_EQ(it->sender, c->me))
		c->typing = false;
	if (news && print_item(c, it) != OK)
		buf_clear(&c->out);
	flush_out(c);
}

static void
on_mark(struct chat *c, const struct client_mark *m)
{
	if (!ID_EQ(m->chat, c->id) || !ID_EQ(m->user, c->with))
		return;
	uint64_t *to = m->kind == MARK_READ ? &c->read : &c->delivered;
	if (m->position > *to)
		*to = m->position;
	if (c->delivered < c->read)
		c->delivered = c->read;
	c->moved = true;
	if (c->raw || c->host->args->quiet)
		return;
	struct buf out;
	struct client_show s = { .type = SHOW_MARK, .u.mark = *m };
	buf_init(&out, 4096);
	if (c->host->args->json && show_event_json(c->host, &s, &out) == OK &&
	    show_line(&out) != OK)
		c->over = true;
	buf_fini(&out);
}

static void
on_journal(struct host *h, const struct client_show *s)
{
	struct chat *c = h->ops->ctx;
	struct buf out;
	if (s->type == SHOW_MESSAGE) {
		on_item(c, &s->u.item);
		return;
	}
	if (s->type == SHOW_MARK) {
		on_mark(c, &s->u.mark);
		return;
	}
	const struct user_id *who = s->type == SHOW_WARNING ?
	    &s->u.warning.user : &s->u.person.user;
	if (s->type == SHOW_REACTION || s->type == SHOW_PIN) {
		bool pin = s->type == SHOW_PIN;
		if (!ID_EQ(pin ? s->u.pin.chat : s->u.reaction.chat, c->id))
			return;
		who = &c->with;
	}
	if (!ID_EQ(*who, c->with) && !ID_EQ(*who, c->me) &&
	    !ID_IS_ZERO(*who))
		return;
	if (s->type == SHOW_IDENTITY && s->u.person.blocked)
		c->blocked = true;
	buf_init(&out, 4096);
	bool json = h->args->json;
	enum err e = json ? show_event_json(h, s, &out) :
	    show_event(h, s, &out);
	if (e == OK)
		e = buf_add(&out, "", 1);
	if (e == OK)
		chat_say(c, (const char *)out.p);
	buf_fini(&out);
}

static void
on_typing_end(struct timer *t)
{
	struct chat *c = (void *)((char *)t - offsetof(struct chat,
	    typing_end));
	c->typing = false;
	chat_draw(c);
}

/* Something that was asked for here went wrong. */
static void
on_error(struct chat *c, const struct client_show *s)
{
	char text[HOST_MESSAGE_MAX + 64];
	if (s->cmd == 0 || s->type != SHOW_ERROR)
		return;
	c->status = EXIT_REFUSED;
	snprintf(text, sizeof(text), "! not done: %s",
	    err_text(s->u.error.err));
	if (s->u.error.err == ERR_IDENTITY_CHANGED) {
		c->blocked = true;
		snprintf(text, sizeof(text), "! not sent: the identity of %s "
		    "has changed. Compare the digits of /verify, then "
		    "/confirm", c->name);
	}
	chat_say(c, text);
}

static void
on_show(struct host *h, const struct client_show *s)
{
	struct chat *c = h->ops->ctx;
	if (s->type == SHOW_TYPING && ID_EQ(s->u.typing.user, c->with) &&
	    ID_EQ(s->u.typing.chat, c->id)) {
		c->typing = s->u.typing.on;
		if (c->typing)
			timer_start(reactor_wheel(h->reactor), &c->typing_end,
			    CHAT_TYPING_MS, on_typing_end);
		c->moved = true;
	} else if (s->type == SHOW_PRESENCE &&
	    ID_EQ(s->u.presence.user, c->with)) {
		struct span st = span_sub(s->u.presence.status, 0,
		    sizeof(c->presence) - 1);
		memcpy(c->presence, st.p, st.n);
		c->presence[st.n] = '\0';
		c->moved = true;
	} else if (s->type == SHOW_LINK) {
		c->moved = true;
		if (!s->u.link.up)
			c->presence[0] = '\0';
	} else {
		on_error(c, s);
	}
}

/* After each step: what was shown is read; the prompt is drawn anew. */
static void
on_idle(struct host *h)
{
	struct chat *c = h->ops->ctx;
	if (c->reading && c->arrived > c->read_to && h->up) {
		struct client_input in = { .type = CLIENT_READ };
		in.u.read.chat = c->id;
		in.u.read.position = c->arrived;
		c->read_to = c->arrived;
		host_input(h, &in);
	}
	chat_input_resume(c);
	if (c->moved)
		chat_draw(c);
}

static void
on_resize(struct host *h)
{
	struct chat *c = h->ops->ctx;
	if (c->prompt_on && edit_resize(&c->edit, tty_columns(), &c->out) !=
	    OK)
		buf_clear(&c->out);
	chat_draw(c);
}

/* ---- running ---- */

static enum err
print_past(struct host *h, const struct client_item *it, void *ctx)
{
	struct chat *c = ctx;
	(void)h;
	note_item(c, it);
	TRY(print_item(c, it));
	flush_out(c);
	return OK;
}

static bool
is_over(struct host *h, const void *ctx)
{
	const struct chat *c = ctx;
	(void)h;
	return c->over || (c->draining && c->waiting == 0);
}

static enum err
learn(struct chat *c)
{
	struct client_status s = { 0 };
	struct client_person p = { 0 };
	struct host *h = c->host;
	TRY(host_read(h));
	enum err e = client_status(&h->client, &h->query, &s);
	c->me = s.user;
	if (e == OK && client_person(&h->client, &h->query, &c->with,
	    &p) == OK)
		c->blocked = p.blocked;
	host_read_end(h);
	show_name(h, &c->with, c->name);
	return e;
}

static void
greet(struct chat *c)
{
	char text[200];
	if (!c->raw || c->host->args->quiet)
		return;
	snprintf(text, sizeof(text), "-- %s, end-to-end encrypted. /help says "
	    "what there is; Ctrl-D ends.", c->name);
	chat_say(c, text);
}

enum exit_status
chat_run(struct chat *c, struct host *h, const struct user_id *with,
    size_t limit)
{
	struct host_ops ops = { .on_journal = on_journal, .on_show = on_show,
	    .on_idle = on_idle, .on_resize = on_resize, .ctx = c };
	memset(c, 0, sizeof(*c));
	c->host = h;
	c->with = *with;
	c->raw = isatty(STDIN_FILENO) && tty_columns() > 0;
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->line, CLIENT_TEXT_MAX + CHAT_READ_BYTES);
	edit_init(&c->edit);
	enum exit_status st = host_chat(h, with, &c->id);
	enum err e = st == EXIT_OK ? learn(c) : OK;
	if (st == EXIT_OK && e == OK)
		e = history_last(h, with, limit, print_past, c);
	if (e != OK) {
		host_error(h, "the history cannot be shown (%s)",
		    err_text(e));
		st = EXIT_FAILED;
	}
	if (st == EXIT_OK) {
		c->reading = true;
		c->moved = true;
		h->ops = &ops;
		/* First the keys are ours, then somebody is told of them. */
		st = chat_input_open(c);
		greet(c);
	}
	if (st == EXIT_OK) {
		on_idle(h);
		st = host_wait(h, is_over, c, 0);
	}
	/* Ctrl-C in the editor and SIGINT are the usual way to leave. */
	if (st == EXIT_INTERRUPTED && c->raw)
		st = EXIT_OK;
	h->ops = NULL;
	chat_input_close(c);
	if (c->prompt_on && buf_add_str(&c->out, "\r\n") == OK)
		flush_out(c);
	buf_fini(&c->out);
	if (c->line.p != NULL)
		wipe(c->line.p, c->line.n);
	buf_fini(&c->line);
	edit_fini(&c->edit);
	return st == EXIT_OK ? c->status : st;
}
