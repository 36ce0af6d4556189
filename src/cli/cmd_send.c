/*
 * cmd_send.c: sends one message and waits for the acknowledgement, which the
 * server gives when the message is durable. No socket: see stand.h.
 */
#include "cli/cmd.h"
#include "cli/pick.h"
#include "cli/show.h"

struct sending {
	struct buf text;
	struct buf out;		/* JSON of what was sent */
	bool given;		/* to the client */
	struct user_id to;
	struct event_id event;	/* zero: not in the outbox yet */
	uint32_t expire_s;
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
	if (h->args->reply_to != NULL)
		st = pick_message(h, &p, h->args->reply_to,
		    &in.u.send.reply_to);
	if (st != EXIT_OK)
		return st;
	m->to = p.user;
	in.u.send.to.user = p.user;
	in.u.send.expire_s = m->expire_s;
	in.u.send.text = buf_span(&m->text);
	m->given = true;
	st = host_command(h, &in);
	if (st == EXIT_NETWORK)
		host_error(h, "the message waits in this profile and is sent "
		    "by its next command that reaches the server");
	if (h->reply.err == ERR_FORBIDDEN)
		host_note(h, "not sent: \"%s\" cannot be written to from "
		    "this account", name);
	return st;
}

enum exit_status
cmd_send(struct host *h, const struct args *a)
{
	struct sending m = { .event = { { 0 } } };
	struct host_ops ops = { .on_journal = on_journal, .ctx = &m };
	buf_init(&m.text, CLIENT_TEXT_MAX);
	buf_init(&m.out, (size_t)1 << 20);
	enum exit_status st = pick_text(h, a, 1, &m.text);
	if (st == EXIT_OK && a->expire != NULL &&
	    !pick_seconds(a->expire, &m.expire_s)) {
		host_error(h, "\"%.40s\" is no time: 30s, 5m, 2h, 7d, 4w (at "
		    "most a year)", a->expire);
		st = EXIT_USAGE;
	}
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
