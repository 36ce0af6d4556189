/*
 * chats.c: making chats and looking at them.
 */
#include "server/ops/chats.h"

#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/records.h"
#include "wire/json.h"

#define LIST_DEFAULT 50
#define GROUP_MAX 1000

/* ---- POST /api/chats ---- */

enum err
chats_create_check(struct call *c)
{
	const struct chat_create_req *in = c->req;

	if (in->type == CHAT_TYPE_DIRECT) {
		if (in->member_ids.n != 1)
			return call_invalid(c, "memberIds",
			    "must name the other person, and nobody else");
		if (in->has_name)
			return call_invalid(c, "name",
			    "must be absent: a direct chat has none");
		return OK;
	}
	if (!in->has_name)
		return call_invalid(c, "name", "must be given");
	if (in->member_ids.n >= GROUP_MAX)
		return call_invalid(c, "memberIds", "must be fewer");
	for (size_t i = 0; i < in->member_ids.n; i++) {
		if (ID_EQ(in->member_ids.p[i], c->who.user))
			return call_invalid(c, "memberIds",
			    "must not name the caller");
		for (size_t k = 0; k < i; k++)
			if (ID_EQ(in->member_ids.p[i], in->member_ids.p[k]))
				return call_invalid(c, "memberIds",
				    "must name each person once");
	}
	return OK;
}

static enum err
add_member(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct user_id *user, const char *role)
{
	struct q_chat_member_insert_in in = { .chat = *chat, .user = *user,
	    .role = span_str(role), .joined_at = c->now_ms };

	return q_chat_member_insert(t, &in, NULL);
}

/* chat:created is the first event of the chat; its readers look it up. */
static enum err
add_created(struct call *c, struct txn *t, const struct chat_id *chat,
    uint64_t *position_out)
{
	struct q_event_insert_in in = { .position = txn_position(t),
	    .chat = *chat, .event = SPAN("chat:created"), .data = SPAN("{}"),
	    .created_at = c->now_ms };

	*position_out = in.position;
	return q_event_insert(t, &in, NULL);
}

/* Is this account there? */
static enum err
find_user(struct txn *t, const struct user_id *user)
{
	struct q_user_stream_in in = { *user };
	struct q_user_stream_out row;

	return q_user_stream(t, &in, &row);
}

enum err
chats_refuse_blocked(struct call *c)
{
	return call_fail(c, ERR_FORBIDDEN, "Nobody writes in this chat now");
}

/* Nobody begins a chat beyond a block, or adds somebody to one. */
static enum err
check_block(struct call *c, struct txn *t, const struct user_id *other)
{
	struct q_block_between_out row;

	TRY(q_block_between(t, &(struct q_block_between_in){ c->who.user,
	    *other }, &row));
	return row.by_user || row.by_other ? chats_refuse_blocked(c) : OK;
}

enum err
chats_direct(struct call *c, struct txn *t, const struct user_id *other,
    struct chats_made *out)
{
	uint8_t key[RECORDS_DIRECT_KEY_LEN];
	struct q_chat_by_direct_key_in find = { SPAN_OF(key) };
	struct q_chat_by_direct_key_out found;
	struct q_chat_insert_in in = { .type = SPAN("direct"),
	    .created_by = c->who.user, .created_at = c->now_ms,
	    .direct_key = SPAN_OF(key) };
	enum err e;

	records_direct_key(&c->who.user, other, key);
	*out = (struct chats_made){ .position = 0 };
	e = q_chat_by_direct_key(t, &find, &found);
	if (e == OK)
		out->chat = found.chat;
	if (e != ERR_NOT_FOUND)
		return e;
	TRY(find_user(t, other));
	TRY(check_block(c, t, other));
	call_new_id(c, in.chat.b);
	out->chat = in.chat;
	TRY(q_chat_insert(t, &in, NULL));
	TRY(add_member(c, t, &in.chat, &c->who.user, "member"));
	if (!ID_EQ(*other, c->who.user))
		TRY(add_member(c, t, &in.chat, other, "member"));
	return add_created(c, t, &in.chat, &out->position);
}

static enum err
make_group(struct call *c, struct txn *t, struct chats_made *out)
{
	const struct chat_create_req *req = c->req;
	struct q_chat_insert_in in = { .name = req->name,
	    .type = span_str(shape_name(&shape_names_chat_type, req->type)),
	    .created_by = c->who.user, .created_at = c->now_ms };
	enum err e;

	/* All of them first: nothing is written for a wrong request. */
	for (size_t i = 0; i < req->member_ids.n; i++) {
		e = find_user(t, &req->member_ids.p[i]);
		if (e == ERR_NOT_FOUND)
			return call_invalid(c, "memberIds",
			    "must name people who exist");
		TRY(e);
		TRY(check_block(c, t, &req->member_ids.p[i]));
	}
	call_new_id(c, in.chat.b);
	out->chat = in.chat;
	TRY(q_chat_insert(t, &in, NULL));
	TRY(add_member(c, t, &in.chat, &c->who.user, "admin"));
	for (size_t i = 0; i < req->member_ids.n; i++)
		TRY(add_member(c, t, &in.chat, &req->member_ids.p[i],
		    "member"));
	return add_created(c, t, &in.chat, &out->position);
}

enum err
chats_create_write(struct call *c, struct txn *t)
{
	const struct chat_create_req *req = c->req;
	struct chats_made *made = ARENA_NEW(&c->arena, struct chats_made);
	enum err e;

	if (made == NULL)
		return ERR_TOO_LARGE;
	if (req->type == CHAT_TYPE_DIRECT) {
		e = chats_direct(c, t, &req->member_ids.p[0], made);
		if (e == ERR_NOT_FOUND)
			return call_fail(c, e, "There is no such person");
		TRY(e);
	} else {
		TRY(make_group(c, t, made));
	}
	TRY(records_chat(c, t, &made->chat, &c->who.user, true, c->rep));
	if (made->position != 0)
		call_status(c, 201);
	c->state = made;
	call_key(c, made->chat.b);
	return OK;
}

void
chats_announce(struct call *c, const struct chats_made *made,
    const struct chat_rec *rec)
{
	struct chat_ev ev = { .chat = *rec, .position = made->position,
	    .has_position = true, .prev = 0, .has_prev = true };

	ev.chat.unread = 0;
	ev.chat.has_pinned = ev.chat.has_archived = ev.chat.has_notify =
	    false;
	for (size_t i = 0; i < rec->members.n; i++) {
		ev.chat.role = rec->members.p[i].role;
		struct deliver_event out = deliver_event("chat:created",
		    &shape_chat_ev, &ev);
		deliver_user(c, &rec->members.p[i].user_id, &out,
		    made->position, DELIVER_NOT_SENDER);
		deliver_end(&out);
	}
}

void
chats_create_emit(struct call *c)
{
	const struct chats_made *made = c->state;

	if (made->position != 0)
		chats_announce(c, made, c->rep);
}

/* ---- GET /api/chats/:chatId ---- */

enum err
chats_get_read(struct call *c, struct txn *t)
{
	const struct chat_id_req *in = c->req;

	return records_chat(c, t, &in->chat_id, &c->who.user, true, c->rep);
}

/* ---- GET /api/chats ---- */

/* The cursor: "<time>.<chat>" of the last chat that was given. */
static bool
cursor_decode(struct span text, struct q_chat_list_in *out)
{
	size_t dot = span_find(text, '.');

	return dot < text.n &&
	    span_u64(span_sub(text, 0, dot), SHAPE_U53_MAX, &out->before) &&
	    id_decode(span_sub(text, dot + 1, text.n), out->before_id.b);
}

static enum err
cursor_encode(struct call *c, uint64_t at, const struct chat_id *chat,
    struct span *out)
{
	char id[ID_TEXT_LEN + 1];
	struct wr w;
	uint8_t *p = arena_bytes(&c->arena, 20 + 1 + ID_TEXT_LEN);

	if (p == NULL)
		return ERR_TOO_LARGE;
	w = wr_init(p, 20 + 1 + ID_TEXT_LEN);
	id_encode(chat->b, id);
	wr_dec(&w, at);
	wr_u8(&w, '.');
	wr_str(&w, id);
	*out = wr_done(&w);
	return OK;
}

enum err
chats_list_check(struct call *c)
{
	const struct list_req *req = c->req;
	struct q_chat_list_in *in = ARENA_NEW(&c->arena,
	    struct q_chat_list_in);

	if (in == NULL)
		return ERR_TOO_LARGE;
	c->state = in;
	in->user = c->who.user;
	in->before = SHAPE_U53_MAX;
	in->limit = req->has_limit ? req->limit : LIST_DEFAULT;
	if (req->has_cursor && !cursor_decode(req->cursor, in))
		return call_invalid(c, "cursor", "must be a nextCursor");
	return OK;
}

enum err
chats_page(struct call *c, struct txn *t, const struct q_chat_list_in *in,
    struct chats_page *out)
{
	struct q_chat_list_out *rows, row;
	struct cursor cu;
	size_t n = 0;
	enum err e;

	rows = arena_alloc(&c->arena, in->limit * sizeof(*rows));
	out->chats.p = arena_alloc(&c->arena,
	    in->limit * sizeof(*out->chats.p));
	if (rows == NULL || out->chats.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_chat_list_open(t, in, &cu));
	while ((e = q_chat_list_next(&cu, &row)) == OK && n < in->limit)
		rows[n++] = row;
	query_close(&cu);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < n; i++)
		TRY(records_chat(c, t, &rows[i].chat, &c->who.user, false,
		    &out->chats.p[out->chats.n++]));
	if (n < in->limit)
		return OK;
	return cursor_encode(c, rows[n - 1].last_message_at != 0 ?
	    rows[n - 1].last_message_at : rows[n - 1].created_at,
	    &rows[n - 1].chat, &out->next_cursor);
}

enum err
chats_list_read(struct call *c, struct txn *t)
{
	struct chat_list_rep *out = c->rep;
	struct chats_page page = { .chats = { NULL, 0 } };

	TRY(chats_page(c, t, c->state, &page));
	out->chats = page.chats;
	out->next_cursor = page.next_cursor;
	out->has_next_cursor = page.next_cursor.n > 0;
	return OK;
}

/* ---- PATCH /api/chats/:chatId/me ---- */

/* What is given replaces what was; c->rep is the whole. */
static void
merge_me(const struct chat_me_req *in, struct chat_me_rec *out)
{
	if (in->has_muted)
		out->muted = in->muted;
	if (in->has_pinned)
		out->pinned = in->pinned;
	if (in->has_archived)
		out->archived = in->archived;
	if (in->has_notify)
		out->notify = in->notify;
}

/* chat:me, in the person's own stream. */
static enum err
add_me_event(struct call *c, struct txn *t, struct chat_me_rec *ev)
{
	struct q_event_insert_in in = { .user = c->who.user,
	    .event = SPAN("chat:me"), .created_at = c->now_ms };
	struct q_user_stream_out own;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	TRY(shape_encode_arena(&shape_chat_me_rec, ev, &c->arena, &in.data));
	in.prev = own.position;
	in.position = txn_position(t);
	TRY(q_event_insert(t, &in, NULL));
	ev->position = in.position;
	ev->prev = in.prev;
	ev->has_position = ev->has_prev = true;
	return OK;
}

enum err
chats_me_write(struct call *c, struct txn *t)
{
	const struct chat_me_req *in = c->req;
	struct chat_me_rec *out = c->rep, was;
	struct q_chat_get_in get = { in->chat_id, c->who.user };
	struct q_chat_get_out row;
	uint32_t notify;

	TRY(q_chat_get(t, &get, &row));
	if (!shape_value(&shape_names_chat_notify, row.notify, &notify))
		return ERR_STORE;
	was = *out = (struct chat_me_rec){ .chat_id = in->chat_id,
	    .muted = row.is_muted, .pinned = row.is_pinned,
	    .archived = row.is_archived, .notify = (enum chat_notify)notify };
	merge_me(in, out);
	if (out->muted == was.muted && out->pinned == was.pinned &&
	    out->archived == was.archived && out->notify == was.notify)
		return OK;
	struct q_chat_me_set_in set = { in->chat_id, c->who.user, out->muted,
	    out->pinned, out->archived, span_str(shape_name(
	    &shape_names_chat_notify, out->notify)) };
	TRY(q_chat_me_set(t, &set, NULL));
	return add_me_event(c, t, out);
}

void
chats_me_emit(struct call *c)
{
	const struct chat_me_rec *ev = c->rep;
	struct deliver_event out = deliver_event("chat:me",
	    &shape_chat_me_rec, ev);

	if (ev->has_position)
		deliver_user(c, &c->who.user, &out, ev->position,
		    DELIVER_NOT_SENDER);
	deliver_end(&out);
}
