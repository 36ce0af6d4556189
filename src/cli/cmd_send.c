/*
 * cmd_send.c: sends one message and waits for the acknowledgement, which the
 * server gives when the message is durable. No socket: see stand.h.
 */
#include <errno.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cmd.h"
#include "cli/show.h"

struct sending {
	struct buf text;
	struct buf out;		/* JSON of what was sent */
	bool given;		/* to the client */
	struct user_id to;
	struct event_id event;	/* zero: not in the outbox yet */
};

/*
 * Our message, once in the outbox, may also be sent by another process of
 * this profile: what counts is that its entry says so.
 */
static void
on_journal(struct host *h, const struct client_show *s)
{
	struct sending *m = h->ops->ctx;
	const struct client_item *it = &s->u.item;
	if (s->type == SHOW_IDENTITY && s->u.person.blocked &&
	    ID_EQ(s->u.person.user, m->to)) {
		h->reply.err = ERR_IDENTITY_CHANGED;
		h->reply.done = true;
	}
	if (s->type != SHOW_MESSAGE || it->kind != ITEM_TEXT ||
	    !m->given)
		return;
	bool mine = it->state == STATE_WAITING || it->state == STATE_SENT;
	if (ID_IS_ZERO(m->event) && mine &&
	    span_eq(it->text, buf_span(&m->text)))
		m->event = it->event;
	if (it->state != STATE_SENT || !ID_EQ(it->event, m->event))
		return;
	h->reply.done = true;
	if (h->args->json && m->out.n == 0 &&
	    show_item_json(h, it, &m->out) != OK)
		buf_clear(&m->out);
}

static enum err
read_all(struct buf *out)
{
	uint8_t piece[4096];
	for (;;) {
		ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		if (n == 0)
			return OK;
		TRY(buf_add(out, piece, (size_t)n));
	}
}

/* The text: words joined, or the standard input without its last newline. */
static enum err
take_text(const struct args *a, struct buf *out)
{
	bool pipe = a->operand_n == 1 ? !isatty(STDIN_FILENO) :
	    a->operand_n == 2 && strcmp(a->operand[1], "-") == 0;
	if (pipe) {
		TRY(read_all(out));
		if (out->n > 0 && out->p[out->n - 1] == '\n')
			out->n--;
	}
	for (size_t i = 1; i < a->operand_n && !pipe; i++) {
		if (i > 1)
			TRY(buf_add(out, " ", 1));
		TRY(buf_add_str(out, a->operand[i]));
	}
	return out->n == 0 ? ERR_NOT_FOUND :
	    utf8_valid(buf_span(out)) ? OK : ERR_FORMAT;
}

static enum exit_status
check_text(struct host *h, enum err e)
{
	if (e == OK)
		return EXIT_OK;
	if (e == ERR_NOT_FOUND)
		host_error(h, "there is no text to send; give it after the "
		    "name, or - and the text on the standard input");
	else if (e == ERR_FORMAT)
		host_error(h, "the text is not valid UTF-8");
	else if (e == ERR_TOO_LARGE)
		host_error(h, "the text is longer than %u bytes",
		    CLIENT_TEXT_MAX);
	else
		host_error(h, "the text cannot be read (%s)", err_text(e));
	return EXIT_USAGE;
}

static enum exit_status
send_text(struct host *h, const char *name, struct sending *m)
{
	struct client_input in = { .type = CLIENT_SEND };
	struct client_person p;
	enum exit_status st = host_find(h, name, &p);
	if (st != EXIT_OK)
		return st;
	if (p.blocked) {
		host_error(h, "not sent: the identity of \"%s\" has changed. "
		    "Compare the safety number (%s), confirm it, then send "
		    "again", name, host_hint(h, "verify %s", name));
		return EXIT_UNTRUSTED;
	}
	m->to = p.user;
	in.u.send.to.user = p.user;
	in.u.send.text = buf_span(&m->text);
	m->given = true;
	st = host_command(h, &in);
	if (st == EXIT_NETWORK)
		host_error(h, "the message waits in this profile and is sent "
		    "by its next command that reaches the server");
	return st;
}

enum exit_status
cmd_send(struct host *h, const struct args *a)
{
	struct sending m = { .event = { { 0 } } };
	struct host_ops ops = { .on_journal = on_journal, .ctx = &m };
	buf_init(&m.text, CLIENT_TEXT_MAX);
	buf_init(&m.out, (size_t)1 << 20);
	enum exit_status st = check_text(h, take_text(a, &m.text));
	if (st == EXIT_OK)
		st = host_open(h, a, false);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_start(h, &ops, false);
	if (st == EXIT_OK)
		st = send_text(h, a->operand[0], &m);
	if (st == EXIT_OK && m.out.n > 0 && show_line(&m.out) != OK)
		st = EXIT_FAILED;
	h->ops = NULL;
	if (m.text.p != NULL)
		wipe(m.text.p, m.text.n);
	buf_fini(&m.text);
	buf_fini(&m.out);
	return st;
}
