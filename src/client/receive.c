/*
 * receive.c: opening of messages. The order of the checks is that of
 * docs/protocol.md, "How it travels". What is shown comes from the event; the
 * server's fields only sort and name.
 */
#include "client/receive.h"

#include "base/text.h"
#include "client/apply.h"
#include "client/cause.h"
#include "client/erase.h"
#include "client/fleet.h"
#include "client/inbox.h"
#include "client/later.h"
#include "client/setup.h"

/* One message under way. */
struct receive {
	const struct message_rec *m;
	uint64_t position;		/* of the event; of an edit: its own */
	struct event_id id;		/* clientMessageId, or a stand-in */
	struct chat chat;
	struct address from;
	bool is_event;			/* between devices: not shown */
	struct event ev;		/* once opened */
	bool reset_due;
};

static void
receive_item(const struct receive *rc, struct client_item *it)
{
	const struct message_rec *m = rc->m;

	*it = (struct client_item){ .chat = m->chat_id, .order = rc->position,
	    .sub = 1, .state = STATE_RECEIVED, .position = rc->position,
	    .event = rc->id, .message = m->message_id, .sender = m->sender_id,
	    .device = rc->from.device, .server_ms = m->timestamp };
}

/* When the server took what the message says now. */
static uint64_t
receive_edited(const struct message_rec *m)
{
	return m->has_edited_at ? m->edited_at : m->timestamp;
}

/* Asks its sender for it again, on a new session where this one is broken. */
static enum err
receive_repair(struct step *s, struct receive *rc, bool reinitiate)
{
	struct arena_mark mark = step_scratch(s);
	bool may = false, fresh = false;
	enum err err = retry_ask(&s->core, &rc->id, &may);

	if (err == OK && may && reinitiate)
		err = sessions_may_reinitiate(&s->core, &rc->from, &fresh);
	step_scratch_end(s, mark);
	TRY(err);
	if (!may)
		return OK;
	if (fresh)
		TRY(item_warn(s, WARN_REPAIR, &rc->from.account,
		    rc->from.device));
	return outnew_control(s, EVENT_RETRY_REQUEST, &rc->chat.user,
	    &rc->from, &rc->id, (struct span){ NULL, 0 }, fresh);
}

enum err
receive_ask_again(struct step *s, const struct address *renewed)
{
	struct span none = { NULL, 0 }, key = none, value;
	struct client_item it;
	struct event_id id;
	struct chat chat;
	struct rd r;
	enum err err;

	while ((err = rec_seek(&s->r, RECORD_ASKED, none, key, false, &key,
	    &value)) == OK) {
		r = rd_init(key);
		rd_bytes(&r, id.b, ID_LEN);
		err = item_find(s, &renewed->account, &id, &it);
		if (err == OK && it.kind == ITEM_REFUSED &&
		    it.device == renewed->device)
			err = person_chat(s, &it.chat, &chat);
		else if (err == OK)
			continue;
		if (err == OK)
			err = outnew_control(s, EVENT_RETRY_REQUEST,
			    &chat.user, renewed, &id, none, false);
		if (err != OK && err != ERR_NOT_FOUND)
			return err;
	}
	return err == ERR_NOT_FOUND ? OK : err;
}

/*
 * It is not accepted: said with its cause, and repaired where that may help.
 * That it is no message of the chat is the server's word, as is its id: what
 * is not shown must not count as had either, or the genuine event of that id
 * could be made to disappear without a gap.
 */
static enum err
receive_refuse(struct step *s, struct receive *rc, enum err cause)
{
	struct client_item it;

	TRY(cause_count(s, "refused", cause));
	if (rc->is_event)
		return OK;
	receive_item(rc, &it);
	it.kind = ITEM_REFUSED;
	it.cause = cause;
	it.edit_server_ms = receive_edited(rc->m);
	TRY(item_put(s, &it));
	switch ((int)cause) {
	case ERR_AUTH:
	case ERR_LIMIT:
	case ERR_NO_SESSION:
	case ERR_PQ_EPOCH:
	case ERR_PREKEY_GONE:
		return receive_repair(s, rc, true);
	case ERR_UNTRUSTED:	/* it was under way while its sender renewed */
	case ERR_DECRYPT:
		return receive_repair(s, rc, false);
	default:
		return OK;
	}
}

/* Where and from whom, for what the event does. */
static struct apply
receive_apply(const struct receive *rc)
{
	return (struct apply){ .chat = rc->m->chat_id,
	    .other = rc->chat.user, .from = rc->from,
	    .position = rc->position, .order = rc->m->position,
	    .message = rc->m->message_id, .server_ms = rc->m->timestamp,
	    .edited_ms = receive_edited(rc->m), .e = &rc->ev };
}

static enum err
receive_other(struct step *s, struct receive *rc, enum client_item_kind kind,
    enum err cause)
{
	struct client_item it;

	receive_item(rc, &it);
	it.kind = kind;
	it.cause = cause;
	return item_put(s, &it);
}

static struct rec_key
receive_trail_key(const struct receive *rc)
{
	struct rec_key k = rec_key();

	rec_key_id(&k, rc->m->chat_id.b);
	rec_key_id(&k, rc->from.account.b);
	rec_key_u32(&k, rc->from.device);
	return k;
}

/* The chain of what a device sent to all: what is named and never came. */
static enum err
receive_trail(struct step *s, struct receive *rc)
{
	struct rec_key k = receive_trail_key(rc), gk = rec_key(), pk;
	struct item_place at = { rc->m->chat_id, rc->position, 0 };
	struct client_item gap, was;
	bool began, used;
	enum err err;

	began = rec_has(&s->r, REC_TRAIL, rec_key_span(&k), &err);
	TRY(err);
	if (!began)
		TRY(rec_put(&s->r, REC_TRAIL, rec_key_span(&k), SPAN("\1")));
	if (!began || !(rc->ev.has & EVENT_HAS_PREV))
		return OK;
	TRY(item_is_used(s, &rc->from.account, &rc->ev.prev, &used));
	rec_key_id(&gk, rc->from.account.b);
	rec_key_id(&gk, rc->ev.prev.b);
	if (!used)	/* or it is missed already */
		used = rec_has(&s->r, REC_GAP, rec_key_span(&gk), &err);
	TRY(err);
	if (used)
		return OK;
	receive_item(rc, &gap);
	gap.kind = ITEM_GAP;
	gap.sub = 0;
	gap.event = rc->ev.prev;
	gap.gap_n = 1;
	/* The place is the server's word: another may be missing there. */
	err = item_get(s, &at, &was);
	if (err != OK && err != ERR_NOT_FOUND)
		return err;
	if (err == OK && was.kind == ITEM_GAP)
		gap.gap_n += was.gap_n;
	pk = rec_key();
	rec_key_id(&pk, gap.chat.b);
	rec_key_u64(&pk, gap.order);
	TRY(rec_put(&s->r, REC_GAP, rec_key_span(&gk), rec_key_span(&pk)));
	return item_put(s, &gap);
}

/* A message that a gap stood for has come after all. */
static enum err
receive_fill_gap(struct step *s, const struct receive *rc)
{
	struct rec_key gk = rec_key();
	struct item_place at = { .sub = 0 };
	struct client_item gap;
	struct span value;
	struct rd r;
	enum err err;

	rec_key_id(&gk, rc->from.account.b);
	rec_key_id(&gk, rc->id.b);
	err = rec_get(&s->r, REC_GAP, rec_key_span(&gk), &value);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	r = rd_init(value);
	rd_bytes(&r, at.chat.b, ID_LEN);
	at.order = rd_u64(&r);
	TRY(rec_del(&s->r, REC_GAP, rec_key_span(&gk)));
	err = item_get(s, &at, &gap);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (gap.kind == ITEM_GAP && gap.gap_n > 1) {
		gap.gap_n--;
		return item_put(s, &gap);
	}
	gap.gap_n = 0;
	gap.kind = ITEM_HIDDEN;
	return item_put(s, &gap);
}

/* The same for the message that an edit or a deletion is about. */
static enum err
receive_fill_target(struct step *s, const struct receive *rc)
{
	struct receive of = *rc;

	of.id = rc->ev.target;
	return receive_fill_gap(s, &of);
}

/* Someone asks for an own event again: by the core's rule, or not at all. */
static enum err
receive_retry_request(struct step *s, struct receive *rc)
{
	struct arena_mark mark = step_scratch(s);
	struct span record;
	enum err err = retry_answer(&s->core, &rc->ev.target, &rc->from);

	step_scratch_end(s, mark);
	if (err != OK)
		return step_is_fatal(err) ? err : OK;
	err = seal_kept(s, &rc->ev.target, &record);
	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	return outnew_control(s, EVENT_RESEND, &rc->chat.user, &rc->from,
	    &rc->ev.target, record, false);
}

/* It was applied, waits for what it is about, or may not be. */
static enum err
receive_applied(struct step *s, const struct receive *rc,
    const struct apply *ap, enum apply_state state, enum err cause)
{
	struct client_ref of = { rc->from.account, ap->e->kind == EVENT_EDIT ?
	    ap->e->target : ap->e->id };

	if (state == APPLY_LATER)
		return later_put(s, ap);
	if (cause != OK)
		return cause_count(s, "dropped", cause);
	TRY(cause_count(s, ap->repaired ? "repaired" : "shown", OK));
	if (ap->e->kind == EVENT_TEXT || ap->e->kind == EVENT_EDIT)
		return later_take(s, &rc->chat.user, &of);
	return OK;
}

/* The refusal has no place any more: what it stood for is no message, or a
 * message that stands elsewhere. */
static enum err
receive_unrefuse(struct step *s, struct client_item *it)
{
	struct item_place at = { it->chat, it->order, it->sub };
	struct client_item now;
	enum err err = item_get(s, &at, &now);

	if (err != OK || now.kind != ITEM_REFUSED)
		return err == ERR_NOT_FOUND ? OK : err;
	return erase_item(s, &now, ITEM_HIDDEN);
}

/* What was asked for: in place of the refusal. */
static enum err
receive_resend(struct step *s, struct receive *rc)
{
	struct arena_mark mark = step_scratch(s);
	struct receive was = *rc;
	enum apply_state state;
	struct client_item it;
	struct apply ap;
	bool asked = false;
	enum err cause, err = event_resend_decode(&rc->ev, &was.ev);

	if (err != OK || !event_is_chained(was.ev.kind))
		return cause_count(s, "dropped", ERR_FORMAT);
	/* Of that account first: nobody else can spend what was asked. */
	err = item_find(s, &rc->from.account, &was.ev.id, &it);
	if (err == ERR_NOT_FOUND || (err == OK && it.kind != ITEM_REFUSED))
		return OK;
	TRY(err);
	err = retry_take(&s->core, &was.ev.id, &asked);
	step_scratch_end(s, mark);
	TRY(err);
	if (!asked)
		return cause_count(s, "dropped", ERR_UNTRUSTED);
	ap = receive_apply(rc);
	ap.e = &was.ev;
	ap.position = ap.order = it.order;
	ap.message = it.message;
	ap.server_ms = it.server_ms;
	ap.edited_ms = it.edit_server_ms;
	ap.from.device = it.device;
	ap.repaired = true;
	was.id = was.ev.id;
	was.position = it.order;
	TRY(receive_fill_gap(s, &was));
	err = apply_event(s, &ap, &state, &cause);
	if (err == ERR_NOT_FOUND) {
		it.kind = ITEM_OTHER;
		it.cause = ERR_VERSION;
		return item_put(s, &it);
	}
	TRY(err);
	TRY(receive_unrefuse(s, &it));
	return receive_applied(s, rc, &ap, state, cause);
}

static enum err
receive_reset(struct step *s, struct receive *rc)
{
	struct arena_mark mark = step_scratch(s);
	struct event_reset reset;
	bool clone = false;
	enum err err = event_reset_decode(rc->ev.body, &reset);

	if (err == OK)
		err = sessions_heard_reset(&s->core, &rc->from, &reset,
		    &clone);
	step_scratch_end(s, mark);
	if (err != OK)
		return step_is_fatal(err) ? err : OK;
	if (!clone)
		return OK;
	/* Authenticated evidence that somebody else uses this device's keys. */
	TRY(setup_alarm(s, &rc->from));
	return item_warn(s, WARN_CLONE, &rc->from.account, rc->from.device);
}

/* An event of the chat, or one that only own devices may send. */
static enum err
receive_chained(struct step *s, struct receive *rc)
{
	struct apply ap = receive_apply(rc);
	enum apply_state state;
	enum err cause, err = apply_event(s, &ap, &state, &cause);
	bool used;

	if (err == ERR_NOT_FOUND && event_is_chained(rc->ev.kind)) {
		TRY(cause_count(s, "shown", ERR_VERSION));
		return receive_other(s, rc, ITEM_OTHER, ERR_VERSION);
	}
	if (err != ERR_NOT_FOUND)
		TRY(err);
	if (err == OK)
		TRY(receive_applied(s, rc, &ap, state, cause));
	TRY(item_is_used(s, &rc->from.account, &rc->id, &used));
	return used ? OK : item_use(s, &rc->from.account, &rc->id);
}

static enum err
receive_act(struct step *s, struct receive *rc)
{
	switch (rc->ev.kind) {
	case EVENT_RETRY_REQUEST:
		TRY(receive_retry_request(s, rc));
		break;
	case EVENT_RESEND:
		TRY(receive_resend(s, rc));
		break;
	case EVENT_SESSION_RESET:
		TRY(receive_reset(s, rc));
		break;
	case EVENT_CERT:
		TRY(fleet_heard_cert(s, &rc->from, rc->ev.body));
		break;
	case EVENT_VIEW_CONFLICT:
		TRY(item_warn(s, WARN_VIEW_CONFLICT, &rc->from.account,
		    rc->from.device));
		break;
	default:
		return receive_chained(s, rc);
	}
	return item_use(s, &rc->from.account, &rc->id);
}

/* The event is authentic: everything that follows from it. */
static enum err
receive_accept(struct step *s, struct receive *rc)
{
	bool conflict = false;

	/* tag 2 is the name under which the server sent it */
	if (!ID_EQ(rc->ev.id, rc->id))
		return receive_refuse(s, rc, ERR_FORMAT);
	/* what all devices must have cannot come to a few only, and what
	 * is between devices cannot come as a message of the chat */
	if (event_is_chained(rc->ev.kind) == rc->is_event) {
		rc->is_event = false;
		return receive_refuse(s, rc, ERR_FORMAT);
	}
	if (!rc->chat.pinned) {
		rc->chat.pinned = true;
		TRY(person_save_chat(s, &rc->chat));
	}
	if ((rc->ev.has & EVENT_HAS_VIEW) &&
	    !ID_EQ(rc->from.account, s->m.user))
		TRY(person_heard_view(s, &rc->from, &rc->ev, &conflict));
	if (event_is_chained(rc->ev.kind)) {
		TRY(receive_fill_gap(s, rc));
		TRY(receive_trail(s, rc));
	}
	/* An edit stands for its message where that is not here, and what
	 * was deleted is not missing. */
	if (rc->ev.kind == EVENT_EDIT || rc->ev.kind == EVENT_DELETE)
		TRY(receive_fill_target(s, rc));
	return receive_act(s, rc);
}

static enum err
receive_b64(struct step *s, struct span text, struct span *out)
{
	uint8_t *p = arena_bytes(s->a, text.n / 4 * 3 + 3);
	size_t n;

	if (p == NULL)
		return ERR_TOO_LARGE;
	if (!base64_decode(text, p, &n))
		return ERR_FORMAT;
	*out = span_of(p, n);
	return OK;
}

/* The content behind an opened envelope; the result stands in rc->ev. */
static enum err
receive_content(struct step *s, struct receive *rc, struct span env)
{
	struct content_place place = { .is_group = false };
	struct content_sender from = { rc->from.account, rc->from.device };
	struct span c;
	uint8_t *plain;

	TRY(receive_b64(s, rc->m->encrypted_content, &c));
	plain = arena_bytes(s->a, c.n + 1);
	if (plain == NULL)
		return ERR_TOO_LARGE;
	TRY(content_conv_direct(s->pv, &s->m.user, &rc->chat.user,
	    &place.conv));
	return content_open(s->pv, &place, &from, c, env, plain, &rc->ev);
}

/* Opens this device's entry on the session, then the content. */
static enum err
receive_open(struct step *s, struct receive *rc, struct span entry,
    uint8_t tries, enum receive_state *state)
{
	struct arena_mark mark = step_scratch(s);
	struct sessions_opened opened = { .refused = OK };
	enum err err = sessions_open(&s->core, &rc->from, entry, &opened);

	if (err == OK && opened.refused != OK)
		err = ERR_FORMAT;
	else if (err == OK) {
		rc->reset_due = opened.reset_due;
		err = receive_content(s, rc, opened.content);
		/* The session is sound: only this content is not. */
		if (err == ERR_AUTH)
			err = ERR_DECRYPT;
		if (err == ERR_UNKNOWN_CRITICAL)
			err = ERR_VERSION;
	}
	step_scratch_end(s, mark);
	if (step_is_fatal(err))
		return err;
	if ((err == ERR_NOT_FOUND || err == ERR_UNTRUSTED) && tries == 0) {
		*state = RECEIVE_AGAIN;
		return person_want(s, &rc->from.account);
	}
	if (err == ERR_NOT_FOUND)
		err = ERR_UNTRUSTED;
	if (err == ERR_VERSION && !rc->is_event)
		return receive_other(s, rc, ITEM_OTHER, ERR_VERSION);
	if (err != OK)
		return receive_refuse(s, rc, err);
	return receive_accept(s, rc);
}

/* Tells the other side which of two sessions is in use. */
static enum err
receive_tell_reset(struct step *s, const struct receive *rc)
{
	struct arena_mark mark = step_scratch(s);
	struct sessions_reset reset = { .due = false };
	uint8_t body[EVENT_RESET_LEN];
	enum err err = sessions_reset_due(&s->core, &rc->from, &reset);

	step_scratch_end(s, mark);
	if (err != OK || !reset.due)
		return step_is_fatal(err) ? err : OK;
	event_reset_encode(&reset.reset, body);
	return outnew_control(s, EVENT_SESSION_RESET, &rc->chat.user,
	    &rc->from, NULL, SPAN_OF(body), false);
}

/* This device's entry in encryptedKeys; empty when there is none. */
static struct span
receive_own_entry(const struct step *s, const struct message_rec *m)
{
	struct user_id user;
	uint32_t device;
	size_t i;

	for (i = 0; i < m->encrypted_keys.n; i++)
		if (shape_address_decode(m->encrypted_keys.p[i].name, &user,
		    &device) && ID_EQ(user, s->m.user) &&
		    device == s->m.device)
			return m->encrypted_keys.p[i].value;
	return (struct span){ NULL, 0 };
}

/* The chat, and the person in it. False: its members must be asked for. */
static enum err
receive_find_chat(struct step *s, struct receive *rc, bool *known)
{
	struct call_new n = { .what = CALL_CHAT_GET, .method = "GET",
	    .chat = rc->m->chat_id };
	enum err err = person_chat(s, &rc->m->chat_id, &rc->chat);
	bool made;

	*known = true;
	if (err != ERR_NOT_FOUND)
		return err;
	if (!ID_EQ(rc->m->sender_id, s->m.user))
		return person_meet(s, &rc->m->chat_id, &rc->m->sender_id,
		    &rc->chat);
	*known = false;
	TRY(call_path(s, "/api/chats/", rc->m->chat_id.b, "", &n.path));
	return call_make(s, &n, &made);
}

/* An own message that this device sent: the server has it. */
static enum err
receive_own(struct step *s, struct receive *rc)
{
	struct msg_send_rep rep = { .message_id = rc->m->message_id,
	    .chat_id = rc->m->chat_id,
	    .timestamp = receive_edited(rc->m),
	    .position = rc->position, .has_prev = rc->position ==
	    rc->m->position, .prev = rc->m->prev };
	struct client_item it;
	bool used;

	TRY(outbox_done(s, &rc->id, &rep));
	TRY(item_is_used(s, &rc->m->sender_id, &rc->id, &used));
	if (used || rc->m->message_type != MSG_TYPE_TEXT)
		return used ? OK : item_use(s, &rc->m->sender_id, &rc->id);
	/* Sent by this device, out of a profile that is older now. */
	TRY(cause_count(s, "refused", ERR_ROLLBACK));
	receive_item(rc, &it);
	it.state = STATE_SENT;
	it.kind = ITEM_REFUSED;
	it.cause = ERR_ROLLBACK;
	return item_put(s, &it);
}

#define JOIN_MS (5ull * 60 * 1000)	/* a linking takes no longer */

/*
 * When this device joined, by the server's clock where the own one is behind:
 * it stands in the session's id (RFC 9562 5.7), made shortly before.
 */
static uint64_t
receive_joined_ms(const struct step *s)
{
	struct rd r = rd_init(ID_SPAN(s->m.session));
	uint64_t begun = (rd_u64(&r) >> 16) + JOIN_MS;

	return begun > s->m.signed_up_ms ? begun : s->m.signed_up_ms;
}

/* Without an entry for this device: an old message, or none of ours. */
static enum err
receive_no_entry(struct step *s, struct receive *rc)
{
	/* Not noted as had: see receive_refuse. */
	if (rc->is_event || rc->m->timestamp <= receive_joined_ms(s))
		return OK;
	return receive_refuse(s, rc, ERR_NO_KEY);
}

/* Everything before the first byte is decrypted. */
static enum err
receive_begin(struct step *s, struct receive *rc, bool *go_on)
{
	const struct message_rec *m = rc->m;

	*go_on = false;
	if (!ID_EQ(m->sender_id, s->m.user) &&
	    !ID_EQ(m->sender_id, rc->chat.user))
		return receive_refuse(s, rc, ERR_FORBIDDEN);
	if (!m->has_encrypted_content)
		return receive_other(s, rc, ITEM_REMOVED, OK);
	if (m->suite != MSG_SUITE_RATCHET && rc->chat.pinned)
		return receive_refuse(s, rc, ERR_SUITE_PINNED);
	if (m->suite != MSG_SUITE_RATCHET)
		return receive_other(s, rc, ITEM_OTHER, ERR_SUITE);
	if (!m->has_client_message_id || !m->has_sender_device_id)
		return receive_refuse(s, rc, ERR_FORMAT);
	*go_on = true;
	return OK;
}

/* An event that says what it is about goes to all devices; others are
 * between devices. */
static bool
receive_is_between(const struct message_rec *m)
{
	return m->message_type == MSG_TYPE_EVENT && !(m->has_metadata &&
	    m->metadata.has_relates_to);
}

enum err
receive_message(struct step *s, const struct message_rec *m,
    uint64_t position, uint8_t tries, enum receive_state *state)
{
	struct receive rc = { .m = m, .position = position,
	    .from = { m->sender_id, m->has_sender_device_id ?
	    m->sender_device_id : 0 }, .is_event = receive_is_between(m) };
	struct span text, entry;
	struct person p;
	bool go_on;
	enum err err;

	*state = RECEIVE_DONE;
	memcpy(rc.id.b, m->has_client_message_id ? m->client_message_id.b :
	    m->message_id.b, ID_LEN);
	if (ID_EQ(m->sender_id, s->m.user) && rc.from.device == s->m.device)
		return receive_own(s, &rc);
	TRY(item_is_used(s, &m->sender_id, &rc.id, &go_on));
	if (go_on)
		return OK;
	*state = RECEIVE_WAIT;
	TRY(receive_find_chat(s, &rc, &go_on));
	TRY(person_load(s, &m->sender_id, &p));
	/* Another identity that waits for the user's word: so does this. */
	if (!go_on || (p.flags & PERSON_CHANGED))
		return OK;
	if (tries != 0) {
		TRY(person_is_wanted(s, &m->sender_id, &go_on));
		if (go_on)
			return OK;
	}
	*state = RECEIVE_DONE;
	TRY(receive_begin(s, &rc, &go_on));
	if (!go_on)
		return OK;
	text = receive_own_entry(s, m);
	if (text.n == 0)
		return receive_no_entry(s, &rc);
	err = receive_b64(s, text, &entry);
	if (err != OK)
		return step_is_fatal(err) ? err :
		    receive_refuse(s, &rc, ERR_FORMAT);
	TRY(receive_open(s, &rc, entry, tries, state));
	return rc.reset_due ? receive_tell_reset(s, &rc) : OK;
}
