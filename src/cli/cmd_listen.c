/*
 * cmd_listen.c: prints what comes in, from the profile's journal: also what
 * another process of this profile received.
 */
#include "cli/cmd.h"
#include "cli/show.h"

struct listening {
	struct user_id only;	/* zero: everybody */
	struct client_person person;
	uint64_t left;		/* 0: no limit */
	bool limited, done;
	bool say_away;		/* on the connection that came up */
	struct buf out;
	enum err err;
};

static bool
is_of(struct host *h, const struct listening *l, const struct chat_id *chat)
{
	struct client_person p;
	if (ID_IS_ZERO(l->only))
		return true;
	return client_person_by_chat(&h->client, &h->query, chat, &p) == OK &&
	    ID_EQ(p.user, l->only);
}

/* Was it changed after it was shown? */
static bool
is_change(const struct client_item *it)
{
	return it->edit_number != 0 || it->kind == ITEM_DELETED ||
	    (it->flags & ITEM_SERVER_REMOVED);
}

static bool
is_wanted(struct host *h, const struct listening *l,
    const struct client_show *s)
{
	const struct client_item *it = &s->u.item;
	const struct user_id *who = &s->u.person.user;
	if (s->type == SHOW_WARNING)
		who = &s->u.warning.user;
	if (s->type == SHOW_MARK)
		return h->args->json && ID_IS_ZERO(l->only);
	if (s->type == SHOW_REACTION)
		return is_of(h, l, &s->u.reaction.chat);
	if (s->type == SHOW_PIN)
		return is_of(h, l, &s->u.pin.chat);
	if (s->type != SHOW_MESSAGE)
		return ID_IS_ZERO(l->only) || ID_EQ(l->only, *who);
	/* What somebody sent to us, once, and what becomes of it. */
	if (it->state != STATE_RECEIVED || it->kind == ITEM_HIDDEN ||
	    ((it->flags & ITEM_READ) && !is_change(it)))
		return false;
	return is_of(h, l, &it->chat);
}

static enum err
print(struct host *h, struct listening *l, const struct client_show *s)
{
	bool json = h->args->json;
	if (s->type == SHOW_MESSAGE)
		TRY(json ? show_item_json(h, &s->u.item, &l->out) :
		    show_item(h, &s->u.item, 0, &l->out));
	else
		TRY(json ? show_event_json(h, s, &l->out) :
		    show_event(h, s, &l->out));
	return show_line(&l->out);
}

static void
on_journal(struct host *h, const struct client_show *s)
{
	struct listening *l = h->ops->ctx;
	if (l->done || l->err != OK || !is_wanted(h, l, s))
		return;
	if (s->type != SHOW_MESSAGE && h->args->quiet && !h->args->json)
		return;
	l->err = print(h, l, s);
	if (s->type == SHOW_MESSAGE && !is_change(&s->u.item) && l->limited &&
	    --l->left == 0)
		l->done = true;
}

/* Each connection is online until it says otherwise. */
static void
on_show(struct host *h, const struct client_show *s)
{
	struct listening *l = h->ops->ctx;
	if (s->type == SHOW_LINK)
		l->say_away = h->args->away && s->u.link.up;
}

static void
on_idle(struct host *h)
{
	struct listening *l = h->ops->ctx;
	struct client_input in = { .type = CLIENT_AWAY, .u.on = true };
	if (!l->say_away)
		return;
	l->say_away = false;
	host_input(h, &in);
}

static bool
is_over(struct host *h, const void *ctx)
{
	const struct listening *l = ctx;
	(void)h;
	return l->done || l->err != OK;
}

enum exit_status
cmd_listen(struct host *h, const struct args *a)
{
	struct listening l = { 0 };
	struct host_ops ops = { .on_journal = on_journal, .on_show = on_show,
	    .on_idle = on_idle, .ctx = &l };
	unsigned long count = 0;
	buf_init(&l.out, (size_t)1 << 20);
	if (a->count != NULL && args_number(a->count, 1, 1000000000, &count)) {
		l.limited = true;
		l.left = count;
	}
	enum exit_status st = host_open(h, a, false);
	if (st == EXIT_OK)
		st = host_net(h);
	if (st == EXIT_OK)
		st = host_start(h, &ops, true);
	if (st == EXIT_OK && a->operand_n > 0)
		st = host_find(h, a->operand[0], &l.person);
	if (st == EXIT_OK) {
		l.only = l.person.user;
		st = host_wait(h, is_over, &l, 0);
	}
	/* The reader went away: nobody to say anything to. */
	if (l.err != OK)
		st = EXIT_FAILED;
	h->ops = NULL;
	buf_fini(&l.out);
	return st;
}
