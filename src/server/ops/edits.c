/*
 * edits.c: a new ciphertext in place of a message's. The message stays what
 * and where it was; the edit is an event of the chat with a position of its
 * own, so that who was away learns of it by sync. What the server lets through
 * is the sender's word alone, and not for long.
 */
#include "server/conf.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/chats.h"
#include "server/ops/envelope.h"
#include "server/ops/records.h"
#include "store/msgid.h"

/* Who hears of it; hidden_at: when he hid the message, 0: he has not. */
struct reader {
	struct user_id user;
	uint64_t hidden_at;
};

struct edit {
	struct envelope envelope;
	struct span keys_json;
	struct edited_ev ev;
	struct reader *readers;
	size_t readers_n;
	bool is_new;			/* it was not done before */
};

enum err
edits_check(struct call *c)
{
	const struct msg_edit_req *in = c->req;
	struct edit *s = ARENA_NEW(&c->arena, struct edit);

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	TRY(envelope_age_check(c, in->has_sent_at, in->sent_at));
	s->envelope = (struct envelope){ .type = MSG_TYPE_TEXT,
	    .content = in->encrypted_content, .iv = in->iv,
	    .has_iv = in->has_iv, .keys = in->encrypted_keys };
	if (in->encrypted_keys.n > 0)
		TRY(records_keys_encode(&c->arena, &in->encrypted_keys,
		    &s->keys_json));
	return OK;
}

/* The same edit as before: ERR_NOT_FOUND when it is not. */
static enum err
find_done(struct call *c, struct txn *t, const struct chat_id *chat)
{
	const struct msg_edit_req *in = c->req;
	struct msg_edit_rep *out = c->rep;
	struct q_message_edit_find_in q = { c->who.user,
	    in->client_message_id };
	struct q_message_edit_find_out row;

	if (!in->has_client_message_id)
		return ERR_NOT_FOUND;
	TRY(q_message_edit_find(t, &q, &row));
	if (row.message_position != msgid_position(&in->message_id))
		return call_fail(c, ERR_CONFLICT,
		    "This clientMessageId was used for another message");
	*out = (struct msg_edit_rep){ .message_id = in->message_id,
	    .chat_id = *chat, .edited_at = row.created_at,
	    .position = row.position, .prev = row.prev };
	return OK;
}

/* May the caller edit this message, and now? */
static enum err
may_edit(struct call *c, const struct q_message_edit_get_out *row)
{
	bool mine = ID_EQ(row->sender, c->who.user);

	/* What is for some devices is not there for all others. */
	if (row->deleted_at != 0 || (row->is_partial && !mine))
		return ERR_NOT_FOUND;
	if (!mine)
		return call_fail(c, ERR_FORBIDDEN,
		    "Only its sender edits a message");
	if (span_eq(row->type, SPAN("event")))
		return call_fail(c, ERR_FORBIDDEN, "An event is not edited");
	return OK;
}

/* Is what is to be stored right for the message that is there? */
static enum err
check_content(struct call *c, struct txn *t,
    const struct q_message_edit_get_out *row)
{
	const struct msg_edit_req *in = c->req;
	struct edit *s = c->state;
	struct q_message_by_client_out other;
	uint32_t suite;
	enum err e;

	if (!shape_value(&shape_names_msg_suite, row->suite, &suite))
		return ERR_STORE;
	s->envelope.suite = (enum msg_suite)suite;
	TRY(envelope_check(c, &s->envelope));
	if (!in->has_client_message_id)
		return suite == MSG_SUITE_OTHER ? OK : call_invalid(c,
		    "clientMessageId", "must be given in this suite");
	e = q_message_by_client(t, &(struct q_message_by_client_in){
	    c->who.user, in->client_message_id }, &other);
	if (e == OK)
		return call_fail(c, ERR_CONFLICT,
		    "This clientMessageId is that of a message");
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
mark_hiders(struct call *c, struct txn *t, struct edit *s)
{
	const struct msg_edit_req *in = c->req;
	struct q_message_hiders_in q = { msgid_position(&in->message_id) };
	struct q_message_hiders_out row;
	struct cursor cu;
	enum err e;

	TRY(q_message_hiders_open(t, &q, &cu));
	while ((e = q_message_hiders_next(&cu, &row)) == OK)
		for (size_t i = 0; i < s->readers_n; i++)
			if (ID_EQ(s->readers[i].user, row.user))
				s->readers[i].hidden_at = row.created_at;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_readers(struct call *c, struct txn *t, struct edit *s,
    const struct chat_id *chat)
{
	struct q_chat_member_ids_out row;
	struct reader *more;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	s->readers = NULL;
	s->readers_n = 0;
	TRY(q_chat_member_ids_open(t, &(struct q_chat_member_ids_in){ *chat },
	    &cu));
	while ((e = q_chat_member_ids_next(&cu, &row)) == OK) {
		more = arena_grow(&c->arena, s->readers, s->readers_n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		s->readers = more;
		s->readers[s->readers_n++] = (struct reader){ row.user, 0 };
	}
	if (e != ERR_NOT_FOUND)
		return e;
	return mark_hiders(c, t, s);
}

/* message:edited, of the chat: it names the message, and no more. */
static enum err
add_event(struct call *c, struct txn *t,
    const struct q_message_edit_get_out *row)
{
	const struct msg_edit_req *in = c->req;
	struct msg_edit_rep *out = c->rep;
	struct msg_get_req which = { in->message_id };
	struct q_event_insert_in ev = { .position = txn_position(t),
	    .chat = row->chat, .prev = row->last_position,
	    .event = SPAN("message:edited"), .created_at = c->now_ms };
	struct q_message_edit_insert_in done = { c->who.user,
	    in->client_message_id, msgid_position(&in->message_id),
	    ev.position, ev.prev, c->now_ms };

	*out = (struct msg_edit_rep){ .message_id = in->message_id,
	    .chat_id = row->chat, .edited_at = c->now_ms,
	    .position = ev.position, .prev = ev.prev };
	TRY(shape_encode_arena(&shape_msg_get_req, &which, &c->arena,
	    &ev.data));
	TRY(q_event_insert(t, &ev, NULL));
	if (in->has_client_message_id)
		TRY(q_message_edit_insert(t, &done, NULL));
	return OK;
}

static enum err
store_edit(struct call *c, struct txn *t)
{
	const struct msg_edit_req *in = c->req;
	struct edit *s = c->state;
	struct q_message_edit_in q = { .position =
	    msgid_position(&in->message_id), .message = in->message_id,
	    .sender_device = c->who.device,
	    .client_message = in->client_message_id,
	    .content = in->encrypted_content, .keys = s->keys_json,
	    .iv = in->iv, .now = c->now_ms };
	uint64_t rows;

	TRY(q_message_edit(t, &q, &rows));
	return rows == 0 ? ERR_NOT_FOUND : OK;
}

/* The message as it is now, but for the keys of its readers. */
static enum err
to_record(struct call *c, const struct q_message_edit_get_out *row,
    struct edited_ev *ev)
{
	const struct msg_edit_req *in = c->req;
	const struct edit *s = c->state;
	const struct msg_edit_rep *rep = c->rep;
	struct message_rec *m = &ev->message;

	*ev = (struct edited_ev){ .position = rep->position,
	    .has_position = true, .prev = rep->prev, .has_prev = true };
	*m = (struct message_rec){ .message_id = in->message_id,
		.client_message_id = in->has_client_message_id ?
		    in->client_message_id : row->client_message,
		.chat_id = row->chat, .sender_id = c->who.user,
		.sender_device_id = c->who.device,
		.has_sender_device_id = c->who.device != 0,
		.suite = s->envelope.suite, .message_type = MSG_TYPE_TEXT,
		.encrypted_content = in->encrypted_content,
		.has_encrypted_content = true, .iv = in->iv,
		.has_iv = in->has_iv, .timestamp = row->created_at,
		.position = msgid_position(&in->message_id),
		.prev = row->prev, .edited_at = c->now_ms,
		.has_edited_at = true };
	m->has_client_message_id = !ID_IS_ZERO(m->client_message_id);
	return records_words(&c->arena, row->type, row->metadata, m);
}

enum err
edits_write(struct call *c, struct txn *t)
{
	const struct msg_edit_req *in = c->req;
	struct edit *s = c->state;
	struct q_message_edit_get_in q = { msgid_position(&in->message_id),
	    in->message_id, c->who.user };
	struct q_message_edit_get_out row;
	enum err e;

	s->is_new = false;
	TRY(q_message_edit_get(t, &q, &row));
	TRY(may_edit(c, &row));
	call_key(c, row.chat.b);
	e = find_done(c, t, &row.chat);
	if (e != ERR_NOT_FOUND)
		return e;
	if (row.is_blocked)
		return chats_refuse_blocked(c);
	if (c->now_ms - row.created_at > c->conf->messages_edit_ms &&
	    c->now_ms > row.created_at)
		return call_fail(c, ERR_FORBIDDEN,
		    "It is too late to edit this message");
	TRY(check_content(c, t, &row));
	if (s->envelope.suite == MSG_SUITE_RATCHET)
		TRY(envelope_devices(c, t, &row.chat, &s->envelope, false));
	if (in->has_nonce)
		TRY(envelope_nonce_take(c, t, in->nonce));
	TRY(store_edit(c, t));
	TRY(add_event(c, t, &row));
	TRY(load_readers(c, t, s, &row.chat));
	s->is_new = true;
	return to_record(c, &row, &s->ev);
}

/* What one reader has of it: his own keys; a tombstone of what he has hidden,
 * as he sees it in sync. */
static void
tell_one(struct call *c, const struct reader *r, const struct edited_ev *all,
    const struct shape_pair_list *keys)
{
	struct edited_ev ev = *all;
	struct message_rec *m = &ev.message;
	struct deliver_event out = deliver_event("message:edited",
	    &shape_edited_ev, &ev);

	if (!deliver_is_online(c, &r->user))
		return;
	if (r->hidden_at != 0) {
		m->has_encrypted_content = m->has_iv = m->has_metadata = false;
		m->deleted_at = r->hidden_at;
		m->has_deleted_at = true;
	} else if (records_own_keys(&c->arena, keys, &r->user,
	    &m->encrypted_keys) != OK) {
		return;
	}
	deliver_user(c, &r->user, &out, ev.position, DELIVER_NOT_SENDER);
	deliver_end(&out);
}

void
edits_emit(struct call *c)
{
	const struct edit *s = c->state;
	const struct shape_pair_list *keys = &s->envelope.keys;
	struct deliver_event out = deliver_event("message:edited",
	    &shape_edited_ev, &s->ev);

	/* Without keys one frame serves all who have not hidden it. */
	for (size_t i = 0; s->is_new && i < s->readers_n; i++) {
		const struct reader *r = &s->readers[i];

		if (keys->n == 0 && r->hidden_at == 0)
			deliver_user(c, &r->user, &out, s->ev.position,
			    DELIVER_NOT_SENDER);
		else
			tell_one(c, r, &s->ev, keys);
	}
	deliver_end(&out);
}
