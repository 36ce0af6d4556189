/*
 * outbox.c: the queue of what is to be sent. Lanes are independent of each
 * other; within the lane of a person one message is under way at a time, so
 * that the order of writing is the order of the chat.
 */
#include "client/outbox.h"

#include "base/text.h"
#include "client/inbox.h"
#include "wire/json.h"

#define OUTBOX_CONTROL_MAX 32u		/* control events moved in one step */
#define OUTBOX_CONTROL_TRIES 20u
#define OUTBOX_PRUNE_MAX 200u

static bool
outbox_is_waiting(const struct client *c, const struct out *o)
{
	size_t i;

	for (i = 0; i < CLIENT_SENDS_MAX; i++)
		if (c->waits[i].ack != 0 && c->waits[i].out == o->number &&
		    ID_EQ(c->waits[i].lane, o->lane))
			return true;
	return false;
}

static struct client_wait *
outbox_wait_slot(struct client *c)
{
	size_t i;

	for (i = 0; i < CLIENT_SENDS_MAX; i++)
		if (c->waits[i].ack == 0)
			return &c->waits[i];
	return NULL;
}

/* Will not be sent, ever: shown with its cause. */
static enum err
outbox_fail(struct step *s, struct out *o, enum err cause)
{
	TRY(outrec_drop(s, o));
	s->c->dirty = true;
	return outdone_failed(s, o, cause);
}

/* The direct chat's id, asked from the server once. */
static enum err
outbox_find_chat(struct step *s, struct out *o)
{
	struct chat_create_req req = { .type = CHAT_TYPE_DIRECT };
	struct call_new n = { .what = CALL_CHAT, .method = "POST",
	    .path = SPAN("/api/chats"), .user = o->user };
	struct client_item it;
	struct person p;
	enum err err;
	bool made;

	TRY(person_load(s, &o->user, &p));
	if (ID_IS_ZERO(p.chat)) {
		req.member_ids.p = &o->user;
		req.member_ids.n = 1;
		TRY(step_json(s, &shape_chat_create_req, &req, &n.body));
		return call_make(s, &n, &made);
	}
	o->chat = p.chat;
	TRY(outrec_save(s, o));
	if (o->only.device != 0)
		return OK;
	err = item_find(s, &s->m.user, &o->event, &it);
	if (err == OK)	/* out of the stand-in chat, into the real one */
		return item_move(s, &it, &p.chat, it.order);
	return err == ERR_NOT_FOUND ? OK : err;
}

static bool
outbox_is_edit(const struct out *o)
{
	return o->kind == EVENT_EDIT && o->only.device == 0;
}

/*
 * What it is about, by the server's name: lanes keep the order, so an own
 * message that it is about was sent before, or has failed.
 */
static enum err
outbox_find_about(struct step *s, struct out *o, enum err *cause)
{
	struct client_item it;
	enum err err;

	*cause = OK;
	if (o->only.device != 0 || o->kind == EVENT_TEXT ||
	    o->kind == EVENT_TIMER || !ID_IS_ZERO(o->about))
		return OK;
	err = item_find(s, &o->author, &o->target, &it);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err != OK || it.state == STATE_FAILED || (o->kind !=
	    EVENT_DELETE && it.kind != ITEM_TEXT) ||
	    (o->kind == EVENT_EDIT && ID_IS_ZERO(it.message))) {
		*cause = ERR_NOT_FOUND;
		return OK;
	}
	o->about = it.message;
	return OK;
}

/* Nothing new goes to whom the person has blocked since. */
static enum err
outbox_is_allowed(struct step *s, const struct out *o, enum err *cause)
{
	struct person p;

	*cause = OK;
	if (o->only.device != 0 || o->kind == EVENT_DELETE || o->tries != 0)
		return OK;
	TRY(person_load(s, &o->user, &p));
	if (p.flags & PERSON_BLOCKED)
		*cause = ERR_BLOCKED;
	return OK;
}

static enum err
outbox_emit(struct step *s, struct out *o)
{
	struct client_wait *wait = outbox_wait_slot(s->c);
	struct span json;

	if (!s->c->acknowledged || wait == NULL)
		return OK;
	if (s->now < s->c->send_at_ms) {
		step_wake(s, s->c->send_at_ms);
		return OK;
	}
	TRY(seal_json(s, o, &json));
	o->tries++;
	TRY(outrec_save(s, o));
	wait->lane = o->lane;
	wait->out = o->number;
	wait->sent_ms = s->now;
	step_wake(s, s->now + OUTBOX_ACK_MS);
	return step_emit(s, outbox_is_edit(o) ? "message:edit" :
	    "message:send", json, &wait->ack);
}

/* One entry, as far as it goes. */
static enum err
outbox_advance(struct step *s, struct out *o)
{
	enum seal_state state = SEAL_WAIT;
	enum err cause = OK;

	if (outbox_is_waiting(s->c, o))
		return OK;
	if (ID_IS_ZERO(o->chat)) {
		TRY(outbox_find_chat(s, o));
		if (ID_IS_ZERO(o->chat))
			return OK;
	}
	if (o->only.device != 0 && o->tries > OUTBOX_CONTROL_TRIES)
		return outbox_fail(s, o, ERR_UNAVAILABLE);
	TRY(outbox_is_allowed(s, o, &cause));
	if (cause == OK)
		TRY(outbox_find_about(s, o, &cause));
	if (cause != OK)
		return outbox_fail(s, o, cause);
	TRY(seal_prepare(s, o, &state, &cause));
	if (state == SEAL_FAILED)
		return outbox_fail(s, o, cause);
	return state == SEAL_READY ? outbox_emit(s, o) : OK;
}

/* The control lane: all of it, up to a limit. */
static enum err
outbox_pump_control(struct step *s)
{
	static const struct user_id zero;
	struct out *o = ARENA_NEW(s->a, struct out);
	struct span from = { NULL, 0 };
	struct rec_key k;
	unsigned n = 0;
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	while (n++ < OUTBOX_CONTROL_MAX && (err = outrec_next(s,
	    ID_SPAN(zero), from, o)) != ERR_NOT_FOUND) {
		TRY(err);
		from = outrec_key(o, &k);
		TRY(outbox_advance(s, o));
	}
	return OK;
}

static void
outbox_expire_waits(struct step *s)
{
	size_t i;

	for (i = 0; i < CLIENT_SENDS_MAX; i++) {
		struct client_wait *w = &s->c->waits[i];

		if (w->ack == 0)
			continue;
		if (s->now >= w->sent_ms + OUTBOX_ACK_MS)
			*w = (struct client_wait){ .ack = 0 };
		else
			step_wake(s, w->sent_ms + OUTBOX_ACK_MS);
	}
}

enum err
outbox_pump(struct step *s)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	struct span from = { NULL, 0 };
	struct rec_key k = rec_key();
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	if (s->m.out_n == 0 || !(s->m.flags & META_KEYS) ||
	    (s->m.flags & META_KEYS_MISSING))
		return OK;
	outbox_expire_waits(s);
	TRY(outbox_pump_control(s));
	/* Behind the control lane: the first entry of each person's lane. */
	rec_key_bytes(&k, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	rec_key_u64(&k, UINT64_MAX);
	from = rec_key_span(&k);
	while ((err = outrec_next(s, (struct span){ NULL, 0 }, from, o)) !=
	    ERR_NOT_FOUND) {
		TRY(err);
		k = rec_key();
		rec_key_id(&k, o->lane.b);
		rec_key_u64(&k, UINT64_MAX);
		from = rec_key_span(&k);
		TRY(outbox_advance(s, o));
	}
	return OK;
}

enum err
outbox_unseal(struct step *s)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	struct span from = { NULL, 0 };
	struct rec_key k;
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	while ((err = outrec_next(s, (struct span){ NULL, 0 }, from, o)) !=
	    ERR_NOT_FOUND) {
		TRY(err);
		from = outrec_key(o, &k);
		if (o->n == 0)
			continue;
		o->n = 0;
		TRY(outrec_save(s, o));
	}
	return OK;
}

static enum err
outbox_load(struct step *s, const struct client_wait *w, struct out *o)
{
	struct rec_key k = rec_key();
	struct span value;

	rec_key_id(&k, w->lane.b);
	rec_key_u64(&k, w->out);
	TRY(rec_get(&s->r, REC_OUT, rec_key_span(&k), &value));
	return outrec_load(s, rec_key_span(&k), value, o);
}

/* The accounts that devices_changed names are to be looked at anew. */
static enum err
outbox_changed(struct step *s, struct out *o)
{
	if (++o->changed > OUTBOX_CHANGED_MAX)
		return outbox_fail(s, o, ERR_DEVICES_CHANGED);
	TRY(outrec_save(s, o));
	TRY(person_want(s, &o->user));
	return person_want(s, &s->m.user);
}

/* The server said no. What may pass is tried again, the rest is shown. */
static enum err
outbox_refused(struct step *s, struct out *o, struct span json)
{
	struct error_ack ack;
	enum err cause = ERR_INTERNAL;
	uint64_t ms;

	if (shape_decode(&shape_error_ack, json, s->a, &ack, NULL) == OK)
		cause = err_by_code((const char *)ack.error.code.p,
		    ack.error.code.n);
	switch ((int)cause) {
	case ERR_DEVICES_CHANGED:
		return outbox_changed(s, o);
	case ERR_INVALID_TOKEN:
	case ERR_TOKEN_EXPIRED:
		call_refused_token(s, call_token_tag(s->m.access));
		return OK;
	case ERR_FORBIDDEN:
	case ERR_NOT_FOUND:
	case ERR_VALIDATION:
	case ERR_BAD_REQUEST:
	case ERR_TOO_LARGE:
	case ERR_CONFLICT:
	case ERR_EXPIRED:
	case ERR_LIMIT:
	case ERR_SUITE:
		return outbox_fail(s, o, cause);
	case ERR_REPLAY:
		/* Our clock or the server's is wrong; `sentAt` is optional. */
		if (!s->c->clock_wrong) {
			s->c->clock_wrong = true;
			return OK;
		}
		break;
	default:
		break;
	}
	TRY(step_backoff(s, s->c->send_failures, &ms));
	s->c->send_failures++;
	s->c->send_at_ms = s->now + ms;
	step_wake(s, s->c->send_at_ms);
	return OK;
}

/* What the server says of what it took. */
static enum err
outbox_reply(struct step *s, const struct out *o, struct span json,
    struct msg_send_rep *rep)
{
	struct msg_edit_rep edit;

	if (!outbox_is_edit(o))
		return shape_decode(&shape_msg_send_rep, json, s->a, rep,
		    NULL);
	TRY(shape_decode(&shape_msg_edit_rep, json, s->a, &edit, NULL));
	*rep = (struct msg_send_rep){ .message_id = edit.message_id,
	    .chat_id = edit.chat_id, .timestamp = edit.edited_at,
	    .position = edit.position, .has_prev = true, .prev = edit.prev };
	return OK;
}

enum err
outbox_ack(struct step *s, uint32_t ack, struct span json)
{
	struct client_wait *w = NULL;
	struct msg_send_rep rep;
	struct out *o = ARENA_NEW(s->a, struct out);
	enum err err;
	size_t i;

	for (i = 0; i < CLIENT_SENDS_MAX && ack != 0; i++)
		if (s->c->waits[i].ack == ack)
			w = &s->c->waits[i];
	if (w == NULL)
		return OK;
	s->c->dirty = true;
	if (o == NULL)
		return ERR_TOO_LARGE;
	err = outbox_load(s, w, o);
	*w = (struct client_wait){ .ack = 0 };
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (outbox_reply(s, o, json, &rep) != OK)
		return outbox_refused(s, o, json);
	s->c->send_failures = 0;
	return outbox_done(s, &o->event, &rep);
}

/* Of those without an entry in the history: all control events, and the first
 * of each lane, the only one that can be under way. */
static enum err
outbox_find_unshown(struct step *s, const struct event_id *event,
    struct out *o)
{
	static const struct user_id control;
	struct span from = { NULL, 0 };
	struct rec_key k;
	enum err err;

	while ((err = outrec_next(s, (struct span){ NULL, 0 }, from, o)) ==
	    OK) {
		if (ID_EQ(o->event, *event))
			return OK;
		from = outrec_key(o, &k);
		if (ID_EQ(o->lane, control))
			continue;
		k = rec_key();
		rec_key_id(&k, o->lane.b);
		rec_key_u64(&k, UINT64_MAX);
		from = rec_key_span(&k);
	}
	return err;
}

/* The entry of the outbox with this event id. ERR_NOT_FOUND. */
static enum err
outbox_find(struct step *s, const struct event_id *event, struct out *o)
{
	struct client_item it;
	struct rec_key k = rec_key();
	struct span value;
	struct chat c;
	enum err err = item_find(s, &s->m.user, event, &it);

	if (err == ERR_NOT_FOUND)
		return outbox_find_unshown(s, event, o);
	TRY(err);
	/* A shown one: its order is its number. */
	if (it.order < ITEM_ORDER_WAITING)
		return ERR_NOT_FOUND;
	err = person_chat(s, &it.chat, &c);
	if (err == ERR_NOT_FOUND)
		memcpy(c.user.b, it.chat.b, ID_LEN);
	else
		TRY(err);
	rec_key_id(&k, c.user.b);
	rec_key_u64(&k, it.order - ITEM_ORDER_WAITING);
	TRY(rec_get(&s->r, REC_OUT, rec_key_span(&k), &value));
	return outrec_load(s, rec_key_span(&k), value, o);
}

enum err
outbox_done(struct step *s, const struct event_id *event,
    const struct msg_send_rep *rep)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	err = outbox_find(s, event, o);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	TRY(outrec_drop(s, o));
	s->c->dirty = true;
	return outdone_sent(s, o, rep);
}

enum err
outbox_heard_bundles(struct step *s, const struct call_answer *a)
{
	struct prekey_bundles_rep rep;
	struct out *o = ARENA_NEW(s->a, struct out);
	struct address to = { .account = a->call->user };
	struct span from = { NULL, 0 };
	struct rec_key k;
	bool taken;
	size_t i;
	enum err err;

	if (a->err != OK)
		return a->err == ERR_NOT_FOUND ?
		    person_want(s, &a->call->user) : OK;
	if (o == NULL)
		return ERR_TOO_LARGE;
	if (shape_decode(&shape_prekey_bundles_rep, a->data, s->a, &rep,
	    NULL) != OK)
		return OK;
	TRY(person_take_list(s, &to.account, rep.list, &taken));
	for (i = 0; i < rep.bundles.n; i++) {
		const struct bundle_rec *b = &rep.bundles.p[i];
		struct bundle_bytes in = { .header = b->header };
		struct arena_mark m = step_scratch(s);
		size_t j;

		if (b->has_cert)
			in.cert = b->cert;
		for (j = 0; j < 2 && j < b->leaves.n; j++) {
			in.index[j] = (uint16_t)b->leaves.p[j].index;
			in.leaf[j] = b->leaves.p[j].leaf;
			in.path[j] = b->leaves.p[j].path;
		}
		to.device = b->device_id;
		err = sessions_initiate(&s->core, &to, &in);
		step_scratch_end(s, m);
		if (step_is_fatal(err))
			return err;
		if (err != OK)
			TRY(item_warn(s, WARN_LIST_REFUSED, &to.account,
			    to.device));
	}
	/* Who waited for a session of our own has one now. */
	while ((err = outrec_next(s, SPAN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
	    from, o)) == OK) {
		from = outrec_key(o, &k);
		if (o->fresh && ID_EQ(o->only.account, to.account)) {
			o->fresh = false;
			TRY(outrec_save(s, o));
		}
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

enum err
outbox_heard_chat(struct step *s, const struct call_answer *a)
{
	struct out *o = ARENA_NEW(s->a, struct out);
	struct chat_rec rec;
	struct chat c;
	enum err err;

	if (o == NULL)
		return ERR_TOO_LARGE;
	if (a->err == OK && shape_decode(&shape_chat_rec, a->data, s->a, &rec,
	    NULL) == OK) {
		struct client_show *show;

		TRY(person_heard_chat(s, &rec));
		TRY(person_meet(s, &rec.chat_id, &a->call->user, &c));
		show = step_show(s, SHOW_CHAT, a->call->cmd);
		if (show == NULL)
			return ERR_TOO_LARGE;
		show->u.chat.chat = rec.chat_id;
		show->u.chat.user = a->call->user;
		return OK;
	}
	if (a->status < 400 || a->status >= 500 || a->status == 401 ||
	    a->status == 429)
		return OK;
	/* No such person, or not for us: what waits for it will never go. */
	if (a->call->cmd != 0)
		TRY(step_show_error(s, a->call->cmd, a->err,
		    a->error.message));
	while ((err = outrec_next(s, ID_SPAN(a->call->user),
	    (struct span){ NULL, 0 }, o)) == OK)
		TRY(outbox_fail(s, o, a->err));
	return err == ERR_NOT_FOUND ? OK : err;
}

void
outbox_reconnected(struct step *s)
{
	memset(s->c->waits, 0, sizeof(s->c->waits));
	s->c->send_at_ms = 0;
	s->c->dirty = true;
}

enum err
outbox_is_empty(struct step *s, bool *out)
{
	*out = s->m.out_n == 0;
	return OK;
}

enum err
outbox_prune(struct step *s)
{
	struct span key = { NULL, 0 }, value;
	unsigned n = 0;
	enum err err;

	while (n++ < OUTBOX_PRUNE_MAX && (err = rec_seek(&s->r, REC_SENT,
	    (struct span){ NULL, 0 }, key, false, &key, &value)) !=
	    ERR_NOT_FOUND) {
		struct rd r = rd_init(value);

		TRY(err);
		if (s->now >= rd_u64(&r) + RETRY_MS)
			TRY(rec_del(&s->r, REC_SENT, key));
	}
	return OK;
}
