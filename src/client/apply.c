/*
 * apply.c: see apply.h. Nothing here believes the server: who may do what
 * follows from the account whose session the event came on.
 */
#include "client/apply.h"

#include "client/erase.h"
#include "client/react.h"
#include "crypto/hash.h"

uint32_t
apply_expire(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a != 0 ? a : b;
	return a < b ? a : b;
}

enum err
apply_history(struct step *s, const uint8_t before[static EVENT_HISTORY_LEN],
    const struct event_id *target, struct span text,
    uint8_t out[static EVENT_HISTORY_LEN])
{
	struct span parts[3];

	parts[0] = span_of(before, EVENT_HISTORY_LEN);
	parts[1] = ID_SPAN(*target);
	parts[2] = text;
	return hash_tuple(s->pv, "NJ1 edit", parts, 3, out);
}

/* The ids out of an event's mentions, one after the other. */
static enum err
apply_take_mentions(struct step *s, const struct event *e,
    struct client_item *it)
{
	struct span left = e->mentions;
	struct user_id user;
	struct wr w;

	it->flags &= ~(uint32_t)ITEM_MENTIONS_ME;
	it->mentions = (struct span){ NULL, 0 };
	if (!(e->has & EVENT_HAS_MENTIONS))
		return OK;
	TRY(step_wr(s, (size_t)EVENT_MENTIONS_MAX * ID_LEN, &w));
	while (event_next_mention(&left, &user)) {
		wr_bytes(&w, user.b, ID_LEN);
		if (ID_EQ(user, s->m.user))
			it->flags |= ITEM_MENTIONS_ME;
	}
	it->mentions = wr_done(&w);
	return OK;
}

/* An entry for a message of this sender at the event's place. */
static void
apply_item(const struct step *s, const struct apply *ap,
    struct client_item *it)
{
	const struct event *e = ap->e;
	uint64_t apart = e->time_ms > ap->server_ms ?
	    e->time_ms - ap->server_ms : ap->server_ms - e->time_ms;

	*it = (struct client_item){ .chat = ap->chat, .order = ap->order,
	    .sub = 1, .position = ap->order, .event = e->id,
	    .message = ap->message, .sender = ap->from.account,
	    .device = ap->from.device, .server_ms = ap->server_ms,
	    .sender_ms = e->time_ms, .kind = ITEM_TEXT };
	it->state = ID_EQ(ap->from.account, s->m.user) ? STATE_SENT :
	    STATE_RECEIVED;
	if (apart > ITEM_LATE_MS)
		it->flags |= ITEM_LATE;
	if (ap->repaired)
		it->flags |= ITEM_REPAIRED;
}

/* The timer of what is sent now: the event's own or the chat's. */
static enum err
apply_timer_of(struct step *s, const struct apply *ap, uint32_t *out)
{
	struct chat c;
	enum err err = person_chat(s, &ap->chat, &c);

	*out = ap->e->has & EVENT_HAS_EXPIRE ? ap->e->expire_s : 0;
	if (err == OK)
		*out = apply_expire(*out, person_timer(&c));
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
apply_is_blocked(struct step *s, const struct apply *ap, bool *out)
{
	struct person p;

	TRY(person_load(s, &ap->from.account, &p));
	*out = (p.flags & PERSON_BLOCKED) &&
	    !ID_EQ(ap->from.account, s->m.user);
	return OK;
}

/* Text as it is shown: of a message, or of an edit in its place. */
static enum err
apply_text(struct step *s, const struct apply *ap, struct client_item *it)
{
	const struct event *e = ap->e;
	static const uint8_t first[EVENT_HISTORY_LEN];

	it->text = e->body;
	TRY(apply_take_mentions(s, e, it));
	memcpy(it->history_before, e->kind == EVENT_EDIT ? e->history : first,
	    EVENT_HISTORY_LEN);
	TRY(apply_history(s, it->history_before, &it->event, e->body,
	    it->history));
	if (e->has & EVENT_HAS_REPLY) {
		it->reply_to.sender = e->reply_author;
		it->reply_to.event = e->reply_to;
	}
	TRY(apply_timer_of(s, ap, &it->expire_s));
	TRY(item_settle(s, it));
	TRY(erase_note(s, it, e->time_ms));
	return item_put(s, it);
}

static enum err
apply_message(struct step *s, const struct apply *ap, enum err *cause)
{
	struct client_item it;
	bool blocked;

	apply_item(s, ap, &it);
	TRY(apply_is_blocked(s, ap, &blocked));
	if (!blocked)
		return apply_text(s, ap, &it);
	/* Its id is used up; nothing of it is kept. */
	it.kind = ITEM_HIDDEN;
	*cause = ERR_BLOCKED;
	return item_put(s, &it);
}

/* An edit whose message is not here stands for it. */
static enum err
apply_edit_alone(struct step *s, const struct apply *ap,
    struct client_item *it, enum err *cause)
{
	bool blocked;

	it->event = ap->e->target;
	it->edit_number = ap->e->edit_number;
	it->edited_ms = ap->e->time_ms;
	it->edit_server_ms = ap->edited_ms;
	it->edit_device = ap->from.device;
	TRY(apply_is_blocked(s, ap, &blocked));
	if (!blocked)
		return apply_text(s, ap, it);
	it->kind = ITEM_HIDDEN;
	*cause = ERR_BLOCKED;
	return item_put(s, it);
}

/*
 * Does it come after what is shown? The server keeps one text, the last that
 * it took, and so does everybody; but a device's own edits count up, and none
 * comes after one that was made from it, whatever the server says of when.
 */
static bool
apply_edit_is_newer(const struct client_item *it, const struct apply *ap,
    const uint8_t after[static EVENT_HISTORY_LEN])
{
	if (it->edit_number == 0)
		return true;
	if (ap->edited_ms < it->edit_server_ms)
		return false;
	if (ap->from.device == it->edit_device &&
	    ap->e->edit_number <= it->edit_number)
		return false;
	return memcmp(after, it->history_before, EVENT_HISTORY_LEN) != 0;
}

/* Is it in the chat that the event came in? Two names of the server's for the
 * chat with one person are one chat, as is what stood for it before. */
static enum err
apply_is_here(struct step *s, const struct apply *ap,
    const struct client_item *it, bool *out)
{
	struct chat c;
	enum err err;

	*out = ID_EQ(it->chat, ap->chat);
	if (*out)
		return OK;
	err = person_chat(s, &it->chat, &c);
	*out = err == OK ? ID_EQ(c.user, ap->other) :
	    memcmp(it->chat.b, ap->other.b, ID_LEN) == 0;
	return err == ERR_NOT_FOUND ? OK : err;
}

/* Both sides count from the same texts, where this one saw them. */
static void
apply_check_history(struct client_item *it, const struct event *e)
{
	const uint8_t *seen = e->edit_number == it->edit_number ?
	    it->history_before : it->history;

	/* One of them did not come here: there is nothing to compare. */
	if (e->edit_number > it->edit_number + 1)
		return;
	/* Fewer: made from another text than what is shown, or long ago. */
	if (e->edit_number < it->edit_number || memcmp(seen, e->history, EVENT_HISTORY_LEN) != 0)
		it->flags |= ITEM_OTHER_HISTORY;
}

static enum err
apply_edit(struct step *s, const struct apply *ap, enum apply_state *state,
    enum err *cause)
{
	const struct event *e = ap->e;
	uint8_t after[EVENT_HISTORY_LEN];
	struct client_item it, fresh;
	bool here;
	enum err err = item_find(s, &ap->from.account, &e->target, &it);

	TRY(apply_history(s, e->history, &e->target, e->body, after));
	apply_item(s, ap, &fresh);
	if (err == ERR_NOT_FOUND)
		return apply_edit_alone(s, ap, &fresh, cause);
	TRY(err);
	TRY(apply_is_here(s, ap, &it, &here));
	if (!here) {
		*state = APPLY_DROPPED;
		*cause = ERR_FORBIDDEN;
		return OK;
	}
	if (it.kind == ITEM_REFUSED || it.kind == ITEM_REMOVED) {
		/* It was lost, and here is what it says now. */
		fresh.order = it.order;
		fresh.position = it.position;
		fresh.message = it.message;
		fresh.server_ms = it.server_ms;
		fresh.seq = it.seq;
		fresh.flags |= ITEM_REPAIRED;
		return apply_edit_alone(s, ap, &fresh, cause);
	}
	*state = APPLY_DROPPED;
	*cause = it.kind != ITEM_TEXT || !apply_edit_is_newer(&it, ap, after) ?
	    ERR_STALE : OK;
	if (*cause == OK && e->time_ms > it.sender_ms + APPLY_EDIT_MS)
		*cause = ERR_EXPIRED;
	if (*cause != OK)
		return OK;
	*state = APPLY_DONE;
	apply_check_history(&it, e);
	it.edit_number = e->edit_number;
	it.edited_ms = e->time_ms;
	it.edit_server_ms = ap->edited_ms;
	it.text = e->body;
	it.edit_device = ap->from.device;
	memcpy(it.history_before, e->history, EVENT_HISTORY_LEN);
	memcpy(it.history, after, EVENT_HISTORY_LEN);
	TRY(apply_take_mentions(s, e, &it));
	return item_put(s, &it);
}

/* Takes a message off: its sender's delete, or a hide of an own device. */
static enum err
apply_erase(struct step *s, const struct apply *ap,
    const struct client_ref *to, enum client_item_kind kind,
    enum apply_state *state, enum err *cause)
{
	struct client_item it;
	bool here;
	enum err err = item_find(s, &to->sender, &to->event, &it);

	if (err == ERR_NOT_FOUND) {
		*state = APPLY_LATER;
		return OK;
	}
	TRY(err);
	TRY(apply_is_here(s, ap, &it, &here));
	if (!here) {
		*state = APPLY_DROPPED;
		*cause = ERR_FORBIDDEN;
		return OK;
	}
	if (it.kind == ITEM_HIDDEN || it.kind == kind)
		return OK;
	return erase_item(s, &it, kind);
}

/* Reactions and pins: of a member's message, by a member. */
static enum err
apply_about(struct step *s, const struct apply *ap, enum apply_state *state,
    enum err *cause)
{
	struct react r = { .type = ap->e->kind == EVENT_PIN ? SHOW_PIN :
	    SHOW_REACTION, .chat = ap->chat, .user = ap->from.account,
	    .position = ap->position, .time_ms = ap->e->time_ms };
	struct event_about about;
	struct client_item it;
	bool blocked;
	enum err err;

	TRY(apply_is_blocked(s, ap, &blocked));
	*state = APPLY_DROPPED;
	*cause = blocked ? ERR_BLOCKED : ERR_FORMAT;
	if (blocked || event_about_decode(ap->e, &about) != OK)
		return OK;
	r.to = (struct client_ref){ about.author, ap->e->target };
	*cause = ERR_FORBIDDEN;
	if (!ID_EQ(about.author, s->m.user) &&
	    !ID_EQ(about.author, ap->other))
		return OK;
	err = item_find(s, &r.to.sender, &r.to.event, &it);
	*cause = ERR_STALE;
	if (err == ERR_NOT_FOUND) {
		*state = APPLY_LATER;
		return OK;
	}
	TRY(err);
	if (!ID_EQ(it.chat, ap->chat) || it.kind == ITEM_HIDDEN ||
	    it.kind == ITEM_DELETED)
		return OK;
	*state = APPLY_DONE;
	*cause = OK;
	if (ap->e->kind == EVENT_PIN)
		r.text = about.on ? SPAN("1") : SPAN("");
	else
		r.text = about.text;
	return react_hear(s, &r);
}

/* The chat's timer: the last change in the order of the chat holds. */
static enum err
apply_timer(struct step *s, const struct apply *ap)
{
	struct client_item it;
	struct chat c;

	TRY(person_chat(s, &ap->chat, &c));
	if (ap->position > c.timer_position) {
		c.timer_position = ap->position;
		c.expire_s = ap->e->expire_s;
		TRY(person_save_chat(s, &c));
	}
	apply_item(s, ap, &it);
	it.kind = ITEM_TIMER;
	it.expire_s = ap->e->expire_s;
	return item_put(s, &it);
}

static enum err
apply_hide(struct step *s, const struct apply *ap, enum apply_state *state,
    enum err *cause)
{
	struct event_about about;
	struct client_ref ref;

	*state = APPLY_DROPPED;
	*cause = ERR_FORBIDDEN;
	if (!ID_EQ(ap->from.account, s->m.user))
		return OK;
	*cause = ERR_FORMAT;
	if (event_about_decode(ap->e, &about) != OK)
		return OK;
	*state = APPLY_DONE;
	*cause = OK;
	ref = (struct client_ref){ about.author, ap->e->target };
	return apply_erase(s, ap, &ref, ITEM_HIDDEN, state, cause);
}

enum err
apply_event(struct step *s, const struct apply *ap, enum apply_state *state,
    enum err *cause)
{
	struct client_ref own = { ap->from.account, ap->e->target };

	*state = APPLY_DONE;
	*cause = OK;
	switch (ap->e->kind) {
	case EVENT_TEXT:
		return apply_message(s, ap, cause);
	case EVENT_EDIT:
		return apply_edit(s, ap, state, cause);
	case EVENT_DELETE:
		TRY(apply_erase(s, ap, &own, ITEM_DELETED, state, cause));
		if (*state != APPLY_LATER)
			return OK;
		/* It never came and never will: its id is used up. */
		*state = APPLY_DONE;
		return item_use(s, &own.sender, &own.event);
	case EVENT_REACTION:
	case EVENT_PIN:
		return apply_about(s, ap, state, cause);
	case EVENT_TIMER:
		return apply_timer(s, ap);
	case EVENT_HIDE:
		return apply_hide(s, ap, state, cause);
	default:
		return ERR_NOT_FOUND;
	}
}

/* User names: docs/api.md, Limits. */
static bool
apply_is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_';
}

static struct span
apply_name_at(struct span text, size_t at)
{
	size_t n = 0;

	while (at + n < text.n && n <= CLIENT_NAME_MAX &&
	    apply_is_name(text.p[at + n]))
		n++;
	return span_sub(text, at, n);
}

enum err
apply_mentions(struct step *s, const struct user_id *other, struct span text,
    struct span *out)
{
	struct person them, me;
	bool has[2] = { false, false };
	struct wr w;
	size_t i;

	*out = (struct span){ NULL, 0 };
	TRY(person_load(s, other, &them));
	TRY(person_load(s, &s->m.user, &me));
	if (me.name.n == 0)
		me.name = s->m.name;
	TRY(step_wr(s, sizeof(has) / sizeof(has[0]) * ID_LEN, &w));
	for (i = 0; i < text.n; i++) {
		struct span name;

		if (text.p[i] != '@' || (i > 0 && apply_is_name(text.p[i - 1])))
			continue;
		name = apply_name_at(text, i + 1);
		if (name.n == 0)
			continue;
		if (!has[0] && span_eq_nocase(name, them.name)) {
			has[0] = true;
			wr_bytes(&w, other->b, ID_LEN);
		} else if (!has[1] && !ID_EQ(*other, s->m.user) &&
		    span_eq_nocase(name, me.name)) {
			has[1] = true;
			wr_bytes(&w, s->m.user.b, ID_LEN);
		}
	}
	*out = wr_done(&w);
	return OK;
}
