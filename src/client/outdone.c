/*
 * outdone.c: what follows when the server has an own event, or will never
 * take it; see outbox.h.
 */
#include "client/apply.h"
#include "client/cause.h"
#include "client/erase.h"
#include "client/inbox.h"
#include "client/outbox.h"
#include "client/react.h"
#include "client/task.h"

static enum client_show_type
outdone_show_type(const struct out *o)
{
	return o->kind == EVENT_PIN ? SHOW_PIN : SHOW_REACTION;
}

/* A message, or the entry that shows a change of the timer. */
static enum err
outdone_message(struct step *s, const struct out *o,
    const struct msg_send_rep *rep)
{
	struct client_item it;
	enum err err = item_find(s, &s->m.user, &o->event, &it);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	it.state = STATE_SENT;
	it.cause = OK;
	it.position = rep->position;
	it.message = rep->message_id;
	it.server_ms = rep->timestamp;
	/* An older profile may not know yet in which chat it went. */
	TRY(item_move(s, &it, &rep->chat_id, rep->position));
	if (it.kind != ITEM_TEXT || it.expire_s == 0)
		return OK;
	TRY(erase_note(s, &it, s->now));
	return item_save(s, &it);
}

static enum err
outdone_timer(struct step *s, const struct out *o, uint64_t position,
    struct chat *c)
{
	if (c->timer_waits && ID_EQ(c->timer_event, o->event))
		c->timer_waits = false;
	if (position > c->timer_position) {
		c->timer_position = position;
		c->expire_s = o->expire_s;
	}
	return person_save_chat(s, c);
}

/* The edit that waits is over, unless another one waits behind it. */
static enum err
outdone_unmark(struct step *s, const struct out *o, struct client_item *it)
{
	struct out *other = ARENA_NEW(s->a, struct out);
	enum err err;

	if (other == NULL)
		return ERR_TOO_LARGE;
	err = outnew_find_open(s, &o->user, EVENT_EDIT, &o->target, other);
	if (err == ERR_NOT_FOUND)
		it->flags &= ~(uint32_t)ITEM_CHANGING;
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
outdone_edit(struct step *s, const struct out *o, uint64_t edited_ms)
{
	struct client_item it;
	enum err err = item_find(s, &s->m.user, &o->target, &it);

	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	TRY(outdone_unmark(s, o, &it));
	if (it.kind != ITEM_TEXT)
		return OK;
	/* Another own device's may have come after it. */
	if (edited_ms > it.edit_server_ms) {
		it.edit_number = o->edit_number;
		it.edited_ms = o->time_ms;
		it.edit_server_ms = edited_ms;
		it.edit_device = s->m.device;
		it.text = o->body;
		it.mentions = o->mentions;
		memcpy(it.history_before, o->history, EVENT_HISTORY_LEN);
		TRY(apply_history(s, o->history, &o->target, o->body,
		    it.history));
	}
	return item_put(s, &it);
}

/*
 * What it is about went while it was under way: the copy that is kept for who
 * asks again goes, too.
 */
static enum err
outdone_unkeep(struct step *s, const struct out *o)
{
	struct client_item it;
	enum err err = item_find(s, &o->author, &o->target, &it);

	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && it.kind != ITEM_HIDDEN && it.kind != ITEM_DELETED)
		return OK;
	return rec_del(&s->r, REC_SENT, ID_SPAN(o->event));
}

/* All devices have been told: now the server drops it, too. */
static enum err
outdone_delete(struct step *s, const struct out *o)
{
	struct span path;

	if (ID_IS_ZERO(o->about))
		return step_show_done(s, o->cmd);
	TRY(call_path(s, "/api/messages/", o->about.b, "?scope=all", &path));
	return task_put(s, TASK_DELETE, path, (struct span){ NULL, 0 },
	    o->cmd);
}

enum err
outdone_sent(struct step *s, const struct out *o,
    const struct msg_send_rep *rep)
{
	struct client_ref to = { o->author, o->target };
	struct chat c;

	if (o->only.device != 0)
		return OK;
	TRY(person_meet(s, &rep->chat_id, &o->user, &c));
	c.pinned = true;
	/* The server keeps the newest edit alone: none is named by what
	 * comes after it. */
	if (o->kind != EVENT_EDIT) {
		c.has_last = true;
		c.last = o->event;
	}
	TRY(person_save_chat(s, &c));
	/* The link of the chat that only the acknowledgement tells. */
	TRY(inbox_link(s, &rep->chat_id, rep->position,
	    rep->has_prev ? rep->prev : 0));
	if (o->kind == EVENT_TEXT || o->kind == EVENT_TIMER)
		TRY(outdone_message(s, o, rep));
	else
		TRY(item_use(s, &s->m.user, &o->event));
	if (o->kind == EVENT_EDIT || o->kind == EVENT_REACTION)
		TRY(outdone_unkeep(s, o));
	if (o->kind == EVENT_TIMER)
		TRY(outdone_timer(s, o, rep->position, &c));
	else if (o->kind == EVENT_EDIT)
		TRY(outdone_edit(s, o, rep->timestamp));
	else if (o->kind == EVENT_DELETE)
		return outdone_delete(s, o);
	else if (o->kind == EVENT_REACTION || o->kind == EVENT_PIN)
		TRY(react_sent(s, outdone_show_type(o), &rep->chat_id, &to,
		    &o->event, rep->position));
	return step_show_done(s, o->cmd);
}

static enum err
outdone_failed_item(struct step *s, const struct out *o, enum err cause)
{
	struct client_item it;
	struct chat c;
	enum err err = item_find(s, &s->m.user, &o->event, &it);

	if (err == OK && it.kind != ITEM_HIDDEN && it.kind != ITEM_DELETED) {
		it.state = STATE_FAILED;
		it.cause = cause;
		err = item_put(s, &it);
	}
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (o->kind != EVENT_TIMER)
		return OK;
	err = person_chat(s, &o->chat, &c);
	if (err == OK && c.timer_waits && ID_EQ(c.timer_event, o->event)) {
		c.timer_waits = false;
		err = person_save_chat(s, &c);
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
outdone_failed(struct step *s, const struct out *o, enum err cause)
{
	struct client_ref to = { o->author, o->target };

	if (o->only.device != 0)
		return OK;
	TRY(cause_count(s, "unsent", cause));
	/* Nobody has it: no copy is kept for who asks again. (A text is shown
	 * with its cause, and goes with what is shown.) */
	if (o->kind == EVENT_EDIT || o->kind == EVENT_REACTION)
		TRY(rec_del(&s->r, REC_SENT, ID_SPAN(o->event)));
	if (o->kind == EVENT_TEXT || o->kind == EVENT_TIMER)
		TRY(outdone_failed_item(s, o, cause));
	else if (o->kind == EVENT_EDIT)
		TRY(outdone_edit(s, o, 0));
	else if (o->kind == EVENT_REACTION || o->kind == EVENT_PIN)
		TRY(react_sent(s, outdone_show_type(o), &o->chat, &to,
		    &o->event, 0));
	return o->cmd == 0 ? OK : step_show_error(s, o->cmd, cause,
	    (struct span){ NULL, 0 });
}
