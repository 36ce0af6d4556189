/*
 * marks.c: message:received and message:read. A mark is a cursor: all
 * messages of a chat up to it. Each advance is a row with a position of its
 * own, so that sync tells it to those who were away; it is nobody's `prev`.
 * What others are not to hear, since the person does not want it or for a
 * block between them, is an event of the person's own stream instead.
 */
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/settings.h"
#include "store/msgid.h"
#include "store/txn.h"

/* Larger chats hear of no marks: they would hear of nothing else. */
#define MARKS_MEMBERS_MAX 50
#define READ_IDS_MAX 100

/* One advance that others hear of, or only the person's other devices. */
struct advance {
	struct chat_id chat;
	struct message_id message;
	uint64_t up_to, position;
	bool is_private;
	uint64_t prev;		/* of a private one: in the own stream */
	struct user_id members[MARKS_MEMBERS_MAX];
	size_t members_n;
	struct advance *next;
};

struct marks {
	struct advance *first;
};

static enum err
load_members(struct call *c, struct txn *t, struct advance *a)
{
	struct q_chat_audience_out row;
	struct cursor cu;
	enum err e;

	TRY(q_chat_audience_open(t, &(struct q_chat_audience_in){ a->chat,
	    c->who.user }, &cu));
	while ((e = q_chat_audience_next(&cu, &row)) == OK) {
		if (a->members_n == MARKS_MEMBERS_MAX) {
			query_close(&cu);
			return ERR_LIMIT;
		}
		a->members[a->members_n++] = row.user;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static struct advance *
new_advance(struct call *c, const struct chat_id *chat,
    const struct q_message_newest_of_others_out *m)
{
	struct marks *s = c->state;
	struct advance *a = ARENA_NEW(&c->arena, struct advance);

	if (a == NULL)
		return NULL;
	a->chat = *chat;
	a->message = m->message;
	a->up_to = m->position;
	a->next = s->first;
	s->first = a;
	return a;
}

/* A row for the advance, and who hears of it. */
static enum err
add_advance(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct q_message_newest_of_others_out *m, uint32_t device,
    const char *kind)
{
	struct advance *a = new_advance(c, chat, m);
	struct q_receipt_insert_in in = { .chat = *chat, .user = c->who.user,
	    .device = device, .kind = span_str(kind), .up_to = m->position,
	    .message = m->message, .created_at = c->now_ms };

	if (a == NULL)
		return ERR_TOO_LARGE;
	TRY(load_members(c, t, a));
	in.position = a->position = txn_position(t);
	return q_receipt_insert(t, &in, NULL);
}

static struct read_ev
to_read_ev(const struct call *c, const struct advance *a)
{
	return (struct read_ev){ .chat_id = a->chat, .user_id = c->who.user,
	    .message_id = a->message, .has_message_id = true,
	    .position = a->up_to, .read_at = c->now_ms,
	    .event_position = a->position,
	    .has_event_position = a->position != 0, .prev = a->prev,
	    .has_prev = a->is_private && a->position != 0 };
}

/* For the person's other devices alone: they count what is unread, too. */
static enum err
add_private(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct q_message_newest_of_others_out *m)
{
	struct advance *a = new_advance(c, chat, m);
	struct q_event_insert_in in = { .user = c->who.user,
	    .event = SPAN("message:read"), .created_at = c->now_ms };
	struct q_user_stream_out own;
	struct read_ev ev;

	if (a == NULL)
		return ERR_TOO_LARGE;
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	a->is_private = true;
	a->members[a->members_n++] = c->who.user;
	ev = to_read_ev(c, a);
	TRY(shape_encode_arena(&shape_read_ev, &ev, &c->arena, &in.data));
	in.prev = a->prev = own.position;
	in.position = a->position = txn_position(t);
	return q_event_insert(t, &in, NULL);
}

/* ---- message:received ---- */

enum err
marks_received_check(struct call *c)
{
	c->state = ARENA_NEW(&c->arena, struct marks);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

struct news {
	struct q_chat_undelivered_out *p;
	size_t n;
};

static enum err
load_news(struct call *c, struct txn *t, uint64_t position, struct news *out)
{
	struct q_chat_undelivered_in in = { c->who.user, position };
	struct q_chat_undelivered_out row, *more;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	*out = (struct news){ NULL, 0 };
	TRY(q_chat_undelivered_open(t, &in, &cu));
	while ((e = q_chat_undelivered_next(&cu, &row)) == OK) {
		more = arena_grow(&c->arena, out->p, out->n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->p = more;
		out->p[out->n++] = row;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
receive_in(struct call *c, struct txn *t,
    const struct q_chat_undelivered_out *chat, uint64_t position,
    bool may_show)
{
	uint64_t up_to = position < chat->last_position ? position :
	    chat->last_position;
	struct q_message_newest_of_others_in q = { chat->chat,
	    chat->delivered, up_to, c->who.user };
	struct q_message_newest_of_others_out m;
	struct q_mark_delivered_in mark = { chat->chat, c->who.user, up_to,
	    may_show && !chat->is_blocked };
	enum err e;

	TRY(q_mark_delivered(t, &mark, NULL));
	if (chat->member_count > MARKS_MEMBERS_MAX || !mark.is_shown)
		return OK;
	e = q_message_newest_of_others(t, &q, &m);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	return add_advance(c, t, &chat->chat, &m, c->who.device, "delivered");
}

/* Nobody has received what does not exist yet. */
static enum err
cap_position(struct call *c, struct txn *t, uint64_t *position)
{
	struct q_chat_newest_out chats;
	struct q_user_stream_out own;
	uint64_t newest;

	TRY(q_chat_newest(t, &(struct q_chat_newest_in){ c->who.user },
	    &chats));
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	newest = chats.position > own.position ? chats.position : own.position;
	if (*position > newest)
		*position = newest;
	return OK;
}

enum err
marks_received_write(struct call *c, struct txn *t)
{
	const struct msg_received_req *in = c->req;
	struct q_device_received_in device = { c->who.user, c->who.device,
	    in->position, in->generation, c->now_ms };
	struct settings_flags_rec flags;
	struct marks *s = c->state;
	struct news news;

	s->first = NULL;
	TRY(cap_position(c, t, &device.position));
	TRY(load_news(c, t, device.position, &news));
	if (c->who.device != 0)
		TRY(q_device_received(t, &device, NULL));
	if (news.n == 0)
		return OK;
	TRY(settings_flags(c, t, &flags));
	for (size_t i = 0; i < news.n; i++)
		TRY(receive_in(c, t, &news.p[i], device.position,
		    flags.delivery_receipts));
	return OK;
}

void
marks_received_emit(struct call *c)
{
	const struct marks *s = c->state;

	for (const struct advance *a = s->first; a != NULL; a = a->next) {
		struct receipt_ev ev = { .chat_id = a->chat,
		    .user_id = c->who.user, .device_id = c->who.device,
		    .has_device_id = c->who.device != 0, .position = a->up_to,
		    .kind = RECEIPT_KIND_DELIVERED,
		    .event_position = a->position,
		    .has_event_position = true };
		struct deliver_event out = deliver_event("message:receipt",
		    &shape_receipt_ev, &ev);

		for (size_t i = 0; i < a->members_n; i++)
			if (!ID_EQ(a->members[i], c->who.user))
				deliver_user(c, &a->members[i], &out,
				    a->position, 0);
		deliver_end(&out);
	}
}

/* ---- message:read ---- */

enum err
marks_read_check(struct call *c)
{
	const struct msg_read_req *in = c->req;
	int forms = in->has_message_id + in->has_message_ids +
	    (in->has_chat_id && in->has_position);

	if (forms != 1 || in->has_chat_id != in->has_position)
		return call_invalid(c, "messageId",
		    "must be given, or messageIds, or chatId with position");
	if (in->has_chat_id)
		call_key(c, in->chat_id.b);
	c->state = ARENA_NEW(&c->arena, struct marks);
	return c->state != NULL ? OK : ERR_TOO_LARGE;
}

static enum err
read_up_to(struct call *c, struct txn *t, const struct chat_id *chat,
    uint64_t position)
{
	struct q_chat_get_in get = { *chat, c->who.user };
	struct q_chat_get_out row;
	struct q_message_newest_of_others_in q = { .chat = *chat,
	    .up_to = position, .user = c->who.user };
	struct q_message_newest_of_others_out m;
	struct q_mark_read_in mark = { .chat = *chat, .user = c->who.user,
	    .now = c->now_ms };
	struct settings_flags_rec flags;
	enum err e;

	TRY(q_chat_get(t, &get, &row));
	q.after = row.last_read_position > row.joined_position ?
	    row.last_read_position : row.joined_position;
	e = q_message_newest_of_others(t, &q, &m);
	if (e == ERR_NOT_FOUND)
		return OK;	/* all of it was read before */
	TRY(e);
	TRY(settings_flags(c, t, &flags));
	mark.position = m.position;
	mark.is_shown = flags.read_receipts && !row.is_blocked;
	TRY(q_mark_read(t, &mark, NULL));
	if (row.member_count > MARKS_MEMBERS_MAX || !mark.is_shown)
		return add_private(c, t, chat, &m);
	return add_advance(c, t, chat, &m, 0, "read");
}

/* The ids of one call may lie in several chats: each to its newest. */
static enum err
read_ids(struct call *c, struct txn *t, const struct message_id *ids, size_t n)
{
	struct {
		struct chat_id chat;
		uint64_t position;
	} up_to[READ_IDS_MAX];
	size_t chats = 0, k;

	for (size_t i = 0; i < n && i < READ_IDS_MAX; i++) {
		struct q_message_where_in q = { msgid_position(&ids[i]),
		    ids[i], c->who.user };
		struct q_message_where_out row;

		TRY(q_message_where(t, &q, &row));
		for (k = 0; k < chats; k++)
			if (ID_EQ(up_to[k].chat, row.chat))
				break;
		if (k == chats) {
			up_to[chats].chat = row.chat;
			up_to[chats++].position = 0;
		}
		if (q.position > up_to[k].position)
			up_to[k].position = q.position;
	}
	for (k = 0; k < chats; k++) {
		TRY(read_up_to(c, t, &up_to[k].chat, up_to[k].position));
		call_key(c, up_to[k].chat.b);
	}
	return OK;
}

enum err
marks_read_write(struct call *c, struct txn *t)
{
	const struct msg_read_req *in = c->req;
	struct marks *s = c->state;

	s->first = NULL;
	if (in->has_chat_id)
		return read_up_to(c, t, &in->chat_id, in->position);
	if (in->has_message_id)
		return read_ids(c, t, &in->message_id, 1);
	return read_ids(c, t, in->message_ids.p, in->message_ids.n);
}

void
marks_read_emit(struct call *c)
{
	const struct marks *s = c->state;

	for (const struct advance *a = s->first; a != NULL; a = a->next) {
		struct read_ev ev = to_read_ev(c, a);
		struct read_receipt_ev two = { a->message, c->now_ms };
		struct deliver_event out = deliver_event("message:read",
		    &shape_read_ev, &ev);

		deliver_other_form(&out, "message:read-receipt",
		    &shape_read_receipt_ev, &two);
		deliver_users(c, a->members, a->members_n, &out, a->position,
		    DELIVER_NOT_SENDER);
		deliver_end(&out);
	}
}
