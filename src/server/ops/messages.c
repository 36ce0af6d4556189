/*
 * messages.c: sending and reading messages. The server stores what it can not
 * read; it checks the envelope: who, where, which devices, which sizes.
 */
#include "base/sys.h"
#include "server/conf.h"
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/chats.h"
#include "server/ops/envelope.h"
#include "server/ops/messages.h"
#include "server/ops/records.h"
#include "store/msgid.h"
#include "wire/json.h"

#define HISTORY_DEFAULT 50

/* ---- send: what check, write and emit hand on ---- */

struct sending {
	const struct msg_send_req *in;
	struct msg_send_rep out;
	struct envelope envelope;
	bool is_blocked;	/* one of two has blocked the other */
	bool is_partial;	/* for the devices that it names alone */
	bool is_new;		/* it was not there before */
	struct chat_id chat;
	uint64_t prev;
	struct span keys_json, metadata_json;
	struct user_id *members;
	size_t members_n;
	struct chats_made made;	/* a direct chat that came with it */
	struct chat_rec made_rec;
};

/* ---- send: check ---- */

static enum err
check_suite(struct call *c, const struct msg_send_req *in,
    const struct envelope *e)
{
	const struct metadata_rec *m = &in->metadata;

	if (in->has_chat_id == in->has_recipient_id)
		return call_invalid(c, "chatId",
		    "must be given, or else recipientId");
	if (e->suite != MSG_SUITE_OTHER && !in->has_chat_id)
		return call_invalid(c, "chatId", "must be given in this suite");
	if (e->suite != MSG_SUITE_OTHER && !in->has_client_message_id)
		return call_invalid(c, "clientMessageId",
		    "must be given in this suite");
	if ((e->suite == MSG_SUITE_RATCHET || e->suite == MSG_SUITE_GROUP) &&
	    in->has_metadata && (m->has_reply_to || m->has_mentions ||
	    m->has_file_name || m->has_file_size || m->has_hybrid))
		return call_invalid(c, "metadata", "must hold nothing but "
		    "relatesTo and expiresIn in this suite");
	return envelope_check(c, e);
}

enum err
messages_begin(struct call *c, const struct msg_send_req *in)
{
	struct sending *s = ARENA_NEW(&c->arena, struct sending);
	bool is_event;

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	s->in = in;
	s->envelope = (struct envelope){
		.suite = in->has_suite ? in->suite : MSG_SUITE_OTHER,
		.type = in->has_message_type ? in->message_type :
		    MSG_TYPE_TEXT, .content = in->encrypted_content,
		.iv = in->iv, .has_iv = in->has_iv,
		.keys = in->encrypted_keys };
	is_event = s->envelope.type == MSG_TYPE_EVENT;
	/* An event about something is everybody's; another one, of some. */
	s->is_partial = s->envelope.suite == MSG_SUITE_RATCHET && is_event &&
	    !(in->has_metadata && in->metadata.has_relates_to);
	TRY(check_suite(c, in, &s->envelope));
	TRY(envelope_age_check(c, in->has_sent_at, in->sent_at));
	if (in->has_encrypted_keys && in->encrypted_keys.n > 0)
		TRY(records_keys_encode(&c->arena, &in->encrypted_keys,
		    &s->keys_json));
	if (in->has_metadata)
		TRY(shape_encode_arena(&shape_metadata_rec, &in->metadata,
		    &c->arena, &s->metadata_json));
	if (in->has_chat_id)
		call_key(c, in->chat_id.b);
	return OK;
}

enum err
messages_send_check(struct call *c)
{
	return messages_begin(c, c->req);
}

/* ---- send: write ---- */

/* Who is in the chat, and may the caller write there? */
static enum err
load_roster(struct call *c, struct txn *t, struct sending *s)
{
	struct q_chat_roster_out row;
	struct cursor cu;
	bool is_in = false, may = false;
	size_t cap = 0;
	enum err e;

	s->members_n = 0;
	s->members = NULL;
	TRY(q_chat_roster_open(t, &(struct q_chat_roster_in){ s->chat }, &cu));
	while ((e = q_chat_roster_next(&cu, &row)) == OK) {
		if (s->members_n == cap) {
			struct user_id *more = arena_alloc(&c->arena,
			    (cap + 4) * 2 * sizeof(*more));

			if (more == NULL) {
				query_close(&cu);
				return ERR_TOO_LARGE;
			}
			if (cap > 0)
				memcpy(more, s->members, cap * sizeof(*more));
			s->members = more;
			cap = (cap + 4) * 2;
		}
		s->members[s->members_n++] = row.user;
		s->prev = row.last_position;
		s->is_blocked = row.is_blocked;
		if (!ID_EQ(row.user, c->who.user))
			continue;
		is_in = true;
		may = !span_eq(row.type, SPAN("channel")) ||
		    span_eq(row.role, SPAN("admin"));
	}
	if (e != ERR_NOT_FOUND)
		return e;
	if (!is_in)
		return ERR_NOT_FOUND;
	return may ? OK : call_fail(c, ERR_FORBIDDEN,
	    "Only admins write in a channel");
}

static void
fill_reply(struct call *c, const struct message_id *id, uint64_t at,
    uint64_t position, uint64_t prev)
{
	struct sending *s = c->state;
	struct msg_send_rep *out = &s->out;

	out->message_id = *id;
	out->chat_id = s->chat;
	out->timestamp = at;
	out->position = position;
	out->prev = prev;
	out->has_prev = true;
}

/* The stored message of this clientMessageId. ERR_NOT_FOUND: none. */
static enum err
find_stored(struct call *c, struct txn *t)
{
	struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	struct q_message_by_client_in q = { c->who.user,
	    in->client_message_id };
	struct q_message_by_client_out row;

	TRY(q_message_by_client(t, &q, &row));
	if (!ID_EQ(row.chat, s->chat))
		return call_fail(c, ERR_CONFLICT,
		    "This clientMessageId was used in another chat");
	fill_reply(c, &row.message, row.created_at, row.position, row.prev);
	s->is_new = false;
	return OK;
}

static enum err
insert(struct call *c, struct txn *t)
{
	struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	struct q_message_insert_in m = {
		.position = txn_position(t), .chat = s->chat,
		.sender = c->who.user, .sender_device = c->who.device,
		.client_message = in->client_message_id,
		.suite = span_str(shape_name(&shape_names_msg_suite,
		    s->envelope.suite)),
		.type = span_str(shape_name(&shape_names_msg_type,
		    s->envelope.type)),
		.content = in->encrypted_content, .keys = s->keys_json,
		.iv = in->iv, .metadata = s->metadata_json, .prev = s->prev,
		.is_partial = s->is_partial, .created_at = c->now_ms,
	};
	uint64_t rows, ttl_s;
	uint32_t random;

	sys_random(&random, sizeof(random));
	m.message = msgid_make(c->now_ms, m.position, random);
	ttl_s = in->has_metadata && in->metadata.has_expires_in ?
	    in->metadata.expires_in : 0;
	m.expires_at = ttl_s == 0 ? 0 : c->now_ms + ttl_s * 1000;
	if (in->has_nonce)
		TRY(envelope_nonce_take(c, t, in->nonce));
	TRY(q_message_insert(t, &m, &rows));
	if (rows == 0) {
		txn_position_back(t, m.position);
		return find_stored(c, t);
	}
	s->is_new = true;
	fill_reply(c, &m.message, c->now_ms, m.position, s->prev);
	return OK;
}

enum err
messages_store(struct call *c, struct txn *t, struct msg_send_rep *out)
{
	struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	enum err e = ERR_NOT_FOUND;

	s->made = (struct chats_made){ .chat = in->chat_id };
	if (in->has_recipient_id) {
		e = chats_direct(c, t, &in->recipient_id, &s->made);
		if (e == ERR_NOT_FOUND)
			return call_fail(c, e, "There is no such person");
		TRY(e);
		if (s->made.position != 0)
			TRY(records_chat(c, t, &s->made.chat, &c->who.user,
			    true, &s->made_rec));
		e = ERR_NOT_FOUND;
	}
	s->chat = s->made.chat;
	call_key(c, s->chat.b);
	TRY(load_roster(c, t, s));
	/* Sent again after the devices changed, it is still there. */
	if (s->envelope.suite == MSG_SUITE_RATCHET || s->is_blocked)
		e = find_stored(c, t);
	if (e == ERR_NOT_FOUND && s->is_blocked)
		return chats_refuse_blocked(c);
	if (e == ERR_NOT_FOUND && s->envelope.suite == MSG_SUITE_RATCHET)
		TRY(envelope_devices(c, t, &s->chat, &s->envelope,
		    s->is_partial));
	if (e == ERR_NOT_FOUND)
		e = insert(c, t);
	TRY(e);
	if (s->is_new)
		call_status(c, 201);
	*out = s->out;
	return OK;
}

enum err
messages_send_write(struct call *c, struct txn *t)
{
	return messages_store(c, t, c->rep);
}

/* ---- send: emit ---- */

static struct message_rec
to_record(struct call *c)
{
	const struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	const struct msg_send_rep *rep = &s->out;

	return (struct message_rec){
		.message_id = rep->message_id, .chat_id = s->chat,
		.client_message_id = in->client_message_id,
		.has_client_message_id = in->has_client_message_id,
		.sender_id = c->who.user, .sender_device_id = c->who.device,
		.has_sender_device_id = c->who.device != 0,
		.suite = s->envelope.suite, .encrypted_content = in->encrypted_content,
		.has_encrypted_content = true, .iv = in->iv,
		.has_iv = in->has_iv, .timestamp = rep->timestamp,
		.position = rep->position, .prev = rep->prev,
		.message_type = s->envelope.type, .metadata = in->metadata,
		.has_metadata = in->has_metadata,
	};
}

/* To the devices of one member that an event names. */
static void
deliver_named(struct call *c, const struct user_id *user,
    struct deliver_event *ev, const struct shape_pair_list *own,
    uint64_t position)
{
	struct user_id named;
	uint32_t device;

	for (size_t i = 0; i < own->n; i++)
		if (shape_address_decode(own->p[i].name, &named, &device))
			deliver_device(c, user, device, ev, position);
}

/* message:new or message:receive; two: room for the second form. */
static struct deliver_event
new_event(const struct message_rec *m, struct message_rec *two)
{
	struct deliver_event ev = deliver_event("message:new",
	    &shape_message_rec, m);

	*two = *m;
	two->id = m->message_id;
	two->created_at = m->timestamp;
	two->has_id = two->has_created_at = true;
	deliver_other_form(&ev, "message:receive", &shape_message_rec, two);
	return ev;
}

static void
deliver_message(struct call *c, const struct user_id *user,
    struct message_rec *m)
{
	const struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	struct deliver_event ev;
	struct message_rec two;

	if (!deliver_is_online(c, user) ||
	    records_own_keys(&c->arena, &in->encrypted_keys, user,
	    &m->encrypted_keys) != OK)
		return;
	if (s->is_partial && m->encrypted_keys.n == 0)
		return;
	ev = new_event(m, &two);
	if (s->is_partial)
		deliver_named(c, user, &ev, &m->encrypted_keys, m->position);
	else
		deliver_user(c, user, &ev, m->position, DELIVER_NOT_SENDER);
	deliver_end(&ev);
}

/* Nobody has entries of his own: one frame serves everybody. */
static void
deliver_to_all(struct call *c, const struct message_rec *m)
{
	const struct sending *s = c->state;
	struct message_rec two;
	struct deliver_event ev = new_event(m, &two);

	deliver_users(c, s->members, s->members_n, &ev, m->position,
	    DELIVER_NOT_SENDER);
	deliver_end(&ev);
}

void
messages_tell(struct call *c)
{
	const struct sending *s = c->state;
	const struct msg_send_req *in = s->in;
	const struct msg_send_rep *rep = &s->out;
	struct message_rec m = to_record(c);
	struct delivered_ev done = { rep->message_id, s->chat, rep->timestamp,
	    rep->position };
	struct deliver_event ev = deliver_event("message:delivered",
	    &shape_delivered_ev, &done);

	if (s->made.position != 0)
		chats_announce(c, &s->made, &s->made_rec);
	if (s->is_new && in->encrypted_keys.n == 0)
		deliver_to_all(c, &m);
	for (size_t i = 0; s->is_new && in->encrypted_keys.n > 0 &&
	    i < s->members_n; i++)
		deliver_message(c, &s->members[i], &m);
	deliver_caller(c, &ev);
	deliver_end(&ev);
}

void
messages_send_emit(struct call *c)
{
	messages_tell(c);
}

/* ---- GET /api/messages/:messageId ---- */

_Static_assert(sizeof(message_row) == sizeof(struct q_message_get_out) &&
    sizeof(message_row) == sizeof(struct q_messages_before_out),
    "the queries of messages have the same columns");

enum err
messages_get_read(struct call *c, struct txn *t)
{
	const struct msg_get_req *in = c->req;
	struct q_message_get_in q = { msgid_position(&in->message_id),
	    in->message_id, c->who.user };
	struct q_message_get_out got;
	message_row row;

	TRY(q_message_get(t, &q, &got));
	memcpy(&row, &got, sizeof(row));
	if (!records_is_for(&c->arena, &row, &c->who.user, c->who.device))
		return ERR_NOT_FOUND;
	return records_message(&c->arena, &row, &c->who.user, c->rep);
}

/* ---- GET /api/chats/:chatId/messages ---- */

struct history {
	uint64_t before, limit;
};

enum err
messages_history_check(struct call *c)
{
	const struct history_req *in = c->req;
	struct history *h = ARENA_NEW(&c->arena, struct history);

	if (h == NULL)
		return ERR_TOO_LARGE;
	c->state = h;
	h->limit = in->has_limit ? in->limit : HISTORY_DEFAULT;
	h->before = SHAPE_U53_MAX;
	if (in->has_cursor && in->has_after)
		return call_invalid(c, "cursor", "must be absent with after");
	if (in->has_cursor && !span_u64(in->cursor, SHAPE_U53_MAX, &h->before))
		return call_invalid(c, "cursor", "must be a nextCursor");
	return OK;
}

/*
 * The page's rows, whoever they are for. *more_out: it ended since it was
 * full, so there may be more.
 */
static enum err
load_page(struct call *c, struct txn *t, uint64_t joined, message_row *rows,
    size_t *n_out, bool *more_out)
{
	const struct history_req *in = c->req;
	const struct history *h = c->state;
	struct q_messages_before_in before = { in->chat_id, joined, h->before,
	    h->limit, c->who.user };
	struct q_messages_after_in after = { in->chat_id,
	    in->after > joined ? in->after : joined, h->limit, c->who.user };
	struct q_messages_before_out row;
	struct cursor cu;
	size_t n = 0, bytes = 0;
	enum err e = OK;

	if (in->has_after)
		TRY(q_messages_after_open(t, &after, &cu));
	else
		TRY(q_messages_before_open(t, &before, &cu));
	while (n < h->limit && bytes < RECORDS_PAGE_BYTES) {
		if (in->has_after) {
			e = q_messages_after_next(&cu, &rows[n]);
		} else {
			e = q_messages_before_next(&cu, &row);
			if (e == OK)
				memcpy(&rows[n], &row, sizeof(row));
		}
		if (e != OK)
			break;
		bytes += json_put_len(rows[n++].content);
	}
	query_close(&cu);
	*n_out = n;
	*more_out = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
messages_history_read(struct call *c, struct txn *t)
{
	const struct history_req *in = c->req;
	const struct history *h = c->state;
	struct history_rep *out = c->rep;
	struct q_chat_get_in chat = { in->chat_id, c->who.user };
	struct q_chat_get_out head;
	message_row *rows;
	struct wr w;
	size_t n;
	bool more;

	TRY(q_chat_get(t, &chat, &head));
	rows = arena_alloc(&c->arena, h->limit * sizeof(*rows));
	out->messages.p = arena_alloc(&c->arena,
	    h->limit * sizeof(*out->messages.p));
	if (rows == NULL || out->messages.p == NULL)
		return ERR_TOO_LARGE;
	TRY(load_page(c, t, head.joined_position, rows, &n, &more));
	for (size_t i = 0; i < n; i++)
		if (records_is_for(&c->arena, &rows[i], &c->who.user,
		    c->who.device))
			TRY(records_message(&c->arena, &rows[i], &c->who.user,
			    &out->messages.p[out->messages.n++]));
	if (!more || in->has_after)
		return OK;
	w = wr_init(arena_alloc(&c->arena, 20), 20);
	if (w.p == NULL)
		return ERR_TOO_LARGE;
	wr_dec(&w, rows[n - 1].position);
	out->next_cursor = wr_done(&w);
	out->has_next_cursor = true;
	return OK;
}
