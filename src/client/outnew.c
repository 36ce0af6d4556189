/*
 * outnew.c: what comes into the outbox, see outbox.h.
 */
#include "base/text.h"
#include "client/apply.h"
#include "client/outbox.h"

static enum err
outnew_id(struct step *s, struct event_id *out)
{
	uint8_t random[16];

	TRY(s->pv->random(s->pv->ctx, random, sizeof(random)));
	id_v4(out->b, random);
	return OK;
}

/* A number, and the record. */
static enum err
outnew_put(struct step *s, struct out *o)
{
	TRY(outnew_id(s, &o->event));
	o->number = ++s->m.out;
	s->m.out_n++;
	s->c->dirty = true;
	return outrec_save(s, o);
}

enum err
outnew_target(struct step *s, const struct client_target *to, struct out *o)
{
	struct person p;
	struct chat c;

	if (!ID_IS_ZERO(to->chat)) {
		TRY(person_chat(s, &to->chat, &c));
		o->user = c.user;
		o->chat = to->chat;
		return OK;
	}
	if (ID_IS_ZERO(to->user))
		return ERR_VALIDATION;
	o->user = to->user;
	TRY(person_load(s, &to->user, &p));
	o->chat = p.chat;
	return OK;
}

enum err
outnew_may(struct step *s, const struct user_id *user)
{
	struct person p;

	if (!(s->m.flags & META_KEYS))
		return s->m.flags & META_KEYS_MISSING ? ERR_NO_KEY :
		    ERR_UNTRUSTED;
	TRY(person_load(s, user, &p));
	if (p.flags & PERSON_BLOCKED)
		return ERR_BLOCKED;
	return s->m.out_n >= CLIENT_OUTBOX_MAX ? ERR_BUSY : OK;
}

/* A message that is answered has to be in the chat. */
static enum err
outnew_check_reply(struct step *s, const struct client_ref *to,
    const struct out *o)
{
	struct client_item it;

	if (ID_IS_ZERO(to->sender) && ID_IS_ZERO(to->event))
		return OK;
	TRY(item_find(s, &to->sender, &to->event, &it));
	if (it.kind == ITEM_HIDDEN)
		return ERR_NOT_FOUND;
	/* Before there is a chat, the other's id stands for it. */
	return ID_EQ(it.chat, o->chat) || memcmp(it.chat.b, o->user.b,
	    ID_LEN) == 0 ? OK : ERR_NOT_FOUND;
}

static enum err
outnew_check_text(struct step *s, const struct client_input *in,
    struct out *o)
{
	struct span text = in->u.send.text;

	if (!(s->m.flags & META_KEYS))
		return outnew_may(s, &o->user);
	if (text.n == 0 || !utf8_valid(text))
		return ERR_VALIDATION;
	if (text.n > CLIENT_TEXT_MAX)
		return ERR_LIMIT;
	if (in->u.send.expire_s > EVENT_EXPIRE_S_MAX)
		return ERR_VALIDATION;
	TRY(outnew_target(s, &in->u.send.to, o));
	TRY(outnew_may(s, &o->user));
	return outnew_check_reply(s, &in->u.send.reply_to, o);
}

/* An entry of the history needs a chat; before there is one, the other's id
 * stands for it and the entry moves when the chat is known. */
static struct chat_id
outnew_shown_chat(const struct out *o)
{
	struct chat_id id = o->chat;

	if (ID_IS_ZERO(id))
		memcpy(id.b, o->user.b, ID_LEN);
	return id;
}

/* The entry that shows what was queued, at the end of its chat. */
static enum err
outnew_show(struct step *s, const struct out *o, enum client_item_kind kind)
{
	struct client_item it = { .kind = kind, .state = STATE_WAITING,
	    .sub = 1, .sender = s->m.user, .device = s->m.device,
	    .sender_ms = o->time_ms, .server_ms = o->time_ms,
	    .chat = outnew_shown_chat(o), .event = o->event,
	    .order = ITEM_ORDER_WAITING + o->number,
	    .reply_to = o->reply_to, .mentions = o->mentions,
	    .expire_s = o->expire_s };

	if (kind == ITEM_TEXT) {
		it.text = o->body;
		TRY(apply_history(s, it.history_before, &o->event, o->body,
		    it.history));
	}
	return item_put(s, &it);
}

enum err
outnew_text(struct step *s, const struct client_input *in)
{
	struct out o = { .kind = EVENT_TEXT, .cmd = in->cmd,
	    .time_ms = s->now, .body = in->u.send.text,
	    .reply_to = in->u.send.reply_to };
	struct chat c;
	enum err err = outnew_check_text(s, in, &o);

	if (step_is_fatal(err))
		return err;
	if (err != OK)
		return step_show_error(s, in->cmd, err,
		    (struct span){ NULL, 0 });
	TRY(apply_mentions(s, &o.user, o.body, &o.mentions));
	err = person_chat(s, &o.chat, &c);
	o.expire_s = apply_expire(in->u.send.expire_s, err == OK ?
	    person_timer(&c) : 0);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	o.lane = o.user;
	TRY(outnew_put(s, &o));
	return outnew_show(s, &o, ITEM_TEXT);
}

enum err
outnew_event(struct step *s, struct out *o)
{
	o->lane = o->user;
	o->time_ms = s->now;
	TRY(outnew_put(s, o));
	return o->kind == EVENT_TIMER ? outnew_show(s, o, ITEM_TIMER) : OK;
}

enum err
outnew_control(struct step *s, uint8_t kind, const struct user_id *chat_with,
    const struct address *to, const struct event_id *target,
    struct span body, bool fresh)
{
	struct out o = { .kind = kind, .user = *chat_with, .only = *to,
	    .time_ms = s->now, .body = body, .fresh = fresh };
	struct person p;

	if (s->m.out_n >= CLIENT_OUTBOX_MAX)
		return OK;
	TRY(person_load(s, chat_with, &p));
	o.chat = p.chat;
	if (target != NULL)
		o.target = *target;
	return outnew_put(s, &o);
}

/* The same control event for every device of an account but this one. */
static enum err
outnew_control_all(struct step *s, uint8_t kind,
    const struct user_id *chat_with, const struct user_id *account,
    const struct event_id *target, struct span body)
{
	struct arena_mark m = step_scratch(s);
	struct peer *peer = ARENA_NEW(&s->scratch, struct peer);
	struct address to = { .account = *account };
	enum err err;
	uint8_t i;

	if (peer == NULL)
		return ERR_TOO_LARGE;
	err = peer_load(&s->core, account, peer);
	for (i = 0; err == OK && i < peer->list.n; i++) {
		to.device = peer->list.entries[i].device;
		if (!ID_EQ(*account, s->m.user) || to.device != s->m.device)
			err = outnew_control(s, kind, chat_with, &to, target,
			    body, false);
	}
	step_scratch_end(s, m);
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
outnew_conflicts(struct step *s)
{
	struct span user, body;
	struct user_id account;
	enum err err;

	while ((err = rec_seek(&s->r, REC_CONFLICT, (struct span){ NULL, 0 },
	    (struct span){ NULL, 0 }, false, &user, &body)) == OK) {
		struct rd r = rd_init(user);

		rd_bytes(&r, account.b, ID_LEN);
		TRY(outnew_control_all(s, EVENT_VIEW_CONFLICT, &account,
		    &account, NULL, body));
		TRY(rec_del(&s->r, REC_CONFLICT, user));
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
outnew_hide(struct step *s, const struct user_id *chat_with,
    const struct client_ref *to)
{
	struct event_about about = { .author = to->sender };
	uint8_t body[EVENT_ABOUT_MAX];
	struct wr w = wr_init(body, sizeof(body));

	TRY(event_about_encode(EVENT_HIDE, &about, &w));
	return outnew_control_all(s, EVENT_HIDE, chat_with, &s->m.user,
	    &to->event, wr_done(&w));
}

enum err
outnew_find_open(struct step *s, const struct user_id *user, uint8_t kind,
    const struct event_id *event, struct out *o)
{
	struct span from = { NULL, 0 };
	struct rec_key k;
	enum err err;

	while ((err = outrec_next(s, ID_SPAN(*user), from, o)) == OK) {
		const struct event_id *is = kind == EVENT_TEXT ? &o->event :
		    &o->target;

		/* Bytes that nobody was given yet may be made anew. */
		if (o->tries == 0 && o->kind == kind && ID_EQ(*is, *event)) {
			o->c = (struct span){ NULL, 0 };
			o->n = 0;
			return OK;
		}
		from = outrec_key(o, &k);
	}
	return err;
}
