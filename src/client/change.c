/*
 * change.c: see change.h. What a command does is shown at once where it can be
 * taken back (reactions, pins, the timer) or is final (taking a message away);
 * an edit is shown when the server has it.
 */
#include "client/change.h"

#include "base/text.h"
#include "client/apply.h"
#include "client/erase.h"
#include "client/outbox.h"
#include "client/react.h"

/* The message a command is about, and an event to the people of its chat. */
struct change {
	struct client_item it;
	struct out *o;
};

static enum err
change_begin(struct step *s, const struct client_ref *ref, uint64_t cmd,
    struct change *ch)
{
	struct chat c;
	enum err err;

	ch->o = ARENA_NEW(s->a, struct out);
	if (ch->o == NULL)
		return ERR_TOO_LARGE;
	TRY(item_find(s, &ref->sender, &ref->event, &ch->it));
	if (ch->it.kind == ITEM_HIDDEN || ch->it.sub == 0)
		return ERR_NOT_FOUND;
	ch->o->cmd = cmd;
	ch->o->target = ref->event;
	ch->o->author = ref->sender;
	err = person_chat(s, &ch->it.chat, &c);
	if (err == ERR_NOT_FOUND) {
		/* Its chat is still to be made: the other's id stands in. */
		memcpy(ch->o->user.b, ch->it.chat.b, ID_LEN);
		return OK;
	}
	TRY(err);
	ch->o->user = c.user;
	ch->o->chat = c.id;
	return OK;
}

static bool
change_is_own(const struct step *s, const struct client_item *it)
{
	return ID_EQ(it->sender, s->m.user);
}

/* Takes another text into an entry that nobody has seen yet. */
static enum err
change_unsent(struct step *s, struct change *ch, struct span text)
{
	struct out *o = ARENA_NEW(s->a, struct out);

	if (o == NULL)
		return ERR_TOO_LARGE;
	TRY(outnew_find_open(s, &ch->o->user, EVENT_TEXT, &ch->it.event, o));
	o->body = ch->it.text = text;
	TRY(apply_mentions(s, &o->user, text, &o->mentions));
	ch->it.mentions = o->mentions;
	TRY(apply_history(s, ch->it.history_before, &ch->it.event, text,
	    ch->it.history));
	TRY(outrec_save(s, o));
	TRY(item_put(s, &ch->it));
	return step_show_done(s, ch->o->cmd);
}

/* An edit that waits unencrypted says the newer text. */
static enum err
change_waiting_edit(struct step *s, struct change *ch, struct span text)
{
	struct out *o = ARENA_NEW(s->a, struct out);

	if (o == NULL)
		return ERR_TOO_LARGE;
	if (!(ch->it.flags & ITEM_CHANGING))
		return ERR_NOT_FOUND;
	TRY(outnew_find_open(s, &ch->o->user, EVENT_EDIT, &ch->it.event, o));
	o->body = text;
	TRY(apply_mentions(s, &o->user, text, &o->mentions));
	/* Who asked for the one before hears of this one in its place. */
	TRY(step_show_done(s, o->cmd));
	o->cmd = ch->o->cmd;
	return outrec_save(s, o);
}

static enum err
change_edit(struct step *s, const struct client_input *in)
{
	struct span text = in->u.edit.text;
	struct change ch;
	enum err err;

	if (text.n == 0 || !utf8_valid(text))
		return ERR_VALIDATION;
	if (text.n > CLIENT_TEXT_MAX)
		return ERR_LIMIT;
	TRY(change_begin(s, &in->u.edit.ref, in->cmd, &ch));
	TRY(outnew_may(s, &ch.o->user));
	if (!change_is_own(s, &ch.it))
		return ERR_FORBIDDEN;
	if (ch.it.kind != ITEM_TEXT || ch.it.state == STATE_FAILED)
		return ERR_NOT_FOUND;
	err = ch.it.state == STATE_WAITING ? change_unsent(s, &ch, text) :
	    change_waiting_edit(s, &ch, text);
	if (err != ERR_NOT_FOUND)
		return err;
	/* By the clock of the events, as everybody will see it. */
	if (s->now > ch.it.sender_ms + APPLY_EDIT_MS)
		return ERR_EXPIRED;
	ch.o->kind = EVENT_EDIT;
	ch.o->body = text;
	ch.o->expire_s = ch.it.expire_s;
	TRY(apply_mentions(s, &ch.o->user, text, &ch.o->mentions));
	TRY(outnew_event(s, ch.o));
	ch.it.flags |= ITEM_CHANGING;
	return item_put(s, &ch.it);
}

/* What waits unencrypted and is about a message that goes: never sent. */
static enum err
change_drop_waiting(struct step *s, struct change *ch)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	enum err err = OK;

	if (o == NULL)
		return ERR_TOO_LARGE;
	while (err == OK && (ch->it.flags & ITEM_CHANGING)) {
		err = outnew_find_open(s, &ch->o->user, EVENT_EDIT,
		    &ch->it.event, o);
		if (err == OK)
			err = outrec_drop(s, o);
		if (err == OK)
			err = step_show_done(s, o->cmd);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Was it never encrypted? Then it is as if it had not been written. */
static enum err
change_cancel(struct step *s, struct change *ch, bool *done)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	enum err err;

	*done = false;
	if (o == NULL)
		return ERR_TOO_LARGE;
	if (ch->it.state == STATE_FAILED)
		*done = true;
	if (ch->it.state != STATE_WAITING)
		return OK;
	err = outnew_find_open(s, &ch->o->user, EVENT_TEXT, &ch->it.event, o);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	*done = true;
	TRY(outrec_drop(s, o));
	return o->cmd == 0 ? OK : step_show_error(s, o->cmd, ERR_NOT_FOUND,
	    (struct span){ NULL, 0 });
}

static enum err
change_delete(struct step *s, const struct client_input *in)
{
	struct change ch;
	bool both = in->u.erase.for_both, done;

	TRY(change_begin(s, &in->u.erase.ref, in->cmd, &ch));
	if (both && !change_is_own(s, &ch.it))
		return ERR_FORBIDDEN;
	if (both && ch.it.kind == ITEM_DELETED)
		return step_show_done(s, in->cmd);
	if (both && ch.it.kind != ITEM_TEXT && ch.it.kind != ITEM_OTHER)
		return ERR_NOT_FOUND;
	TRY(change_drop_waiting(s, &ch));
	TRY(change_cancel(s, &ch, &done));
	if (done || !both) {
		if (!done)
			TRY(outnew_hide(s, &ch.o->user, &in->u.erase.ref));
		TRY(erase_item(s, &ch.it, ITEM_HIDDEN));
		return step_show_done(s, in->cmd);
	}
	if (!(s->m.flags & META_KEYS))
		return ERR_NO_KEY;
	ch.o->kind = EVENT_DELETE;
	TRY(outnew_event(s, ch.o));
	return erase_item(s, &ch.it, ITEM_DELETED);
}

static enum err
change_about(struct step *s, const struct client_input *in)
{
	bool is_pin = in->type == CLIENT_PIN;
	struct react r = { .type = is_pin ? SHOW_PIN : SHOW_REACTION,
	    .to = is_pin ? in->u.pin.ref : in->u.react.ref,
	    .user = s->m.user, .time_ms = s->now };
	struct event_about about = { .author = r.to.sender };
	struct change ch;
	struct wr w;

	if (!is_pin && (in->u.react.text.n > CLIENT_REACTION_MAX ||
	    !utf8_valid(in->u.react.text)))
		return ERR_VALIDATION;
	TRY(change_begin(s, &r.to, in->cmd, &ch));
	TRY(outnew_may(s, &ch.o->user));
	if (ch.it.kind != ITEM_TEXT || ch.it.state == STATE_FAILED ||
	    ID_IS_ZERO(ch.o->chat))
		return ERR_NOT_FOUND;
	r.chat = ch.it.chat;
	about.on = is_pin && in->u.pin.on;
	if (!is_pin)
		r.text = about.text = in->u.react.text;
	else if (about.on)
		r.text = SPAN("1");
	ch.o->kind = is_pin ? EVENT_PIN : EVENT_REACTION;
	TRY(step_wr(s, EVENT_ABOUT_MAX, &w));
	TRY(event_about_encode(ch.o->kind, &about, &w));
	ch.o->body = wr_done(&w);
	TRY(outnew_event(s, ch.o));
	return react_wait(s, &r, &ch.o->event);
}

static enum err
change_timer(struct step *s, const struct client_input *in)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	struct chat c;

	if (o == NULL)
		return ERR_TOO_LARGE;
	if (in->u.expire.expire_s > EVENT_EXPIRE_S_MAX)
		return ERR_VALIDATION;
	TRY(outnew_target(s, &in->u.expire.to, o));
	TRY(outnew_may(s, &o->user));
	TRY(person_chat(s, &o->chat, &c));
	o->kind = EVENT_TIMER;
	o->cmd = in->cmd;
	o->expire_s = in->u.expire.expire_s;
	TRY(outnew_event(s, o));
	c.timer_waits = true;
	c.timer_event = o->event;
	c.timer_next = o->expire_s;
	return person_save_chat(s, &c);
}

enum err
change_take(struct step *s, const struct client_input *in)
{
	enum err err;

	if (in->type == CLIENT_EDIT)
		err = change_edit(s, in);
	else if (in->type == CLIENT_DELETE)
		err = change_delete(s, in);
	else if (in->type == CLIENT_TIMER_SET)
		err = change_timer(s, in);
	else
		err = change_about(s, in);
	if (err == OK || step_is_fatal(err))
		return err;
	return step_show_error(s, in->cmd, err, (struct span){ NULL, 0 });
}
