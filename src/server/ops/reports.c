/*
 * reports.c: what a person reports of another one, for operators. It holds
 * what the reporter chose to give, and nothing else: the server can not read
 * the messages that are named, but knows that they were sent so.
 */
#include "server/ops.h"
#include "store/msgid.h"
#include "store/txn.h"

#define LIST_DEFAULT 50
/* Reports of one person in a day. */
#define REPORTS_DAY_MAX 20
#define DAY_MS ((uint64_t)86400 * 1000)

/* ---- POST /api/reports ---- */

enum err
reports_add_check(struct call *c)
{
	const struct report_req *in = c->req;

	if (ID_EQ(in->user_id, c->who.user))
		return call_invalid(c, "userId", "must be somebody else");
	for (size_t i = 0; i < in->messages.n; i++)
		for (size_t k = 0; k < i; k++)
			if (ID_EQ(in->messages.p[i].message_id,
			    in->messages.p[k].message_id))
				return call_invalid(c, "messages",
				    "must name each message once");
	return OK;
}

/* They are messages of the reported person that the reporter has. */
static enum err
check_messages(struct call *c, struct txn *t)
{
	const struct report_req *in = c->req;

	for (size_t i = 0; i < in->messages.n; i++) {
		const struct message_id *id = &in->messages.p[i].message_id;
		struct q_message_delete_get_in q = { msgid_position(id), *id,
		    c->who.user };
		struct q_message_delete_get_out row;
		enum err e = q_message_delete_get(t, &q, &row);

		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		if (e == ERR_NOT_FOUND || !ID_EQ(row.sender, in->user_id))
			return call_invalid(c, "messages",
			    "must be messages of this person to you");
	}
	return OK;
}

enum err
reports_add_write(struct call *c, struct txn *t)
{
	const struct report_req *in = c->req;
	struct report_rep *out = c->rep;
	struct report_messages_rec m = { in->messages };
	struct q_reports_recent_in recent = { c->who.user,
	    c->now_ms > DAY_MS ? c->now_ms - DAY_MS : 0, REPORTS_DAY_MAX };
	struct q_report_insert_in add = { .reporter = c->who.user,
	    .user = in->user_id, .reason = span_str(shape_name(
	    &shape_names_report_reason, in->reason)),
	    .comment = in->comment, .now = c->now_ms };
	struct q_reports_recent_out count;
	struct q_user_stream_out user;
	enum err e;

	e = q_user_stream(t, &(struct q_user_stream_in){ in->user_id },
	    &user);
	if (e == ERR_NOT_FOUND)
		return call_fail(c, e, "There is no such person");
	TRY(e);
	TRY(check_messages(c, t));
	TRY(q_reports_recent(t, &recent, &count));
	if (count.count >= REPORTS_DAY_MAX) {
		call_retry_after(c, (uint32_t)(DAY_MS / 1000));
		return call_fail(c, ERR_RATE_LIMITED,
		    "So many reports in a day are not taken");
	}
	call_new_id(c, add.report.b);
	TRY(shape_encode_arena(&shape_report_messages_rec, &m, &c->arena,
	    &add.messages));
	TRY(q_report_insert(t, &add, NULL));
	out->id = add.report;
	call_status(c, 201);
	return OK;
}

/* ---- for operators ---- */

static enum err
check_role(struct call *c)
{
	if (c->who.role == USER_ROLE_OPERATOR ||
	    c->who.role == USER_ROLE_ADMIN)
		return OK;
	return call_fail(c, ERR_FORBIDDEN, "Only operators see reports");
}

/* The cursor: "<time>.<id>" of the last report that was given. */
static bool
cursor_decode(struct span text, struct q_report_list_in *out)
{
	size_t dot = span_find(text, '.');

	return dot < text.n &&
	    span_u64(span_sub(text, 0, dot), SHAPE_U53_MAX, &out->after) &&
	    id_decode(span_sub(text, dot + 1, text.n), out->after_id.b);
}

static enum err
cursor_encode(struct call *c, const struct report_rec *last, struct span *out)
{
	char id[ID_TEXT_LEN + 1];
	uint8_t *p = arena_bytes(&c->arena, 20 + 1 + ID_TEXT_LEN);
	struct wr w;

	if (p == NULL)
		return ERR_TOO_LARGE;
	w = wr_init(p, 20 + 1 + ID_TEXT_LEN);
	id_encode(last->id.b, id);
	wr_dec(&w, last->created_at);
	wr_u8(&w, '.');
	wr_str(&w, id);
	*out = wr_done(&w);
	return OK;
}

enum err
reports_list_check(struct call *c)
{
	const struct list_req *req = c->req;
	struct q_report_list_in *in = ARENA_NEW(&c->arena,
	    struct q_report_list_in);

	if (in == NULL)
		return ERR_TOO_LARGE;
	TRY(check_role(c));
	c->state = in;
	in->limit = req->has_limit ? req->limit : LIST_DEFAULT;
	if (req->has_cursor && !cursor_decode(req->cursor, in))
		return call_invalid(c, "cursor", "must be a nextCursor");
	return OK;
}

static enum err
to_record(struct call *c, const struct q_report_list_out *row,
    struct report_rec *out)
{
	struct report_messages_rec m;
	uint32_t reason;

	if (!shape_value(&shape_names_report_reason, row->reason, &reason) ||
	    shape_decode(&shape_report_messages_rec, row->messages, &c->arena,
	    &m, NULL) != OK)
		return ERR_STORE;
	*out = (struct report_rec){ .id = row->report,
	    .reporter_id = row->reporter,
	    .has_reporter_id = !ID_IS_ZERO(row->reporter),
	    .reporter = row->reporter_name,
	    .has_reporter = row->reporter_name.p != NULL,
	    .user_id = row->user, .has_user_id = !ID_IS_ZERO(row->user),
	    .username = row->username,
	    .has_username = row->username.p != NULL,
	    .reason = (enum report_reason)reason, .comment = row->comment,
	    .has_comment = row->comment.p != NULL, .messages = m.messages,
	    .created_at = row->created_at };
	return OK;
}

enum err
reports_list_read(struct call *c, struct txn *t)
{
	const struct q_report_list_in *in = c->state;
	struct report_list_rep *out = c->rep;
	struct q_report_list_out row;
	struct cursor cu;
	enum err e;

	out->reports.p = arena_alloc(&c->arena,
	    in->limit * sizeof(*out->reports.p));
	if (out->reports.p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_report_list_open(t, in, &cu));
	while ((e = q_report_list_next(&cu, &row)) == OK &&
	    out->reports.n < in->limit) {
		e = to_record(c, &row, &out->reports.p[out->reports.n++]);
		if (e != OK)
			break;
	}
	query_close(&cu);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	if (out->reports.n < in->limit)
		return OK;
	out->has_next_cursor = true;
	return cursor_encode(c, &out->reports.p[out->reports.n - 1],
	    &out->next_cursor);
}

enum err
reports_drop_check(struct call *c)
{
	return check_role(c);
}

enum err
reports_drop_write(struct call *c, struct txn *t)
{
	const struct report_id_req *in = c->req;
	uint64_t rows;

	TRY(q_report_delete(t, &(struct q_report_delete_in){ in->id },
	    &rows));
	return rows == 0 ? ERR_NOT_FOUND : OK;
}
