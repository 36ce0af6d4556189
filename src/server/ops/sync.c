/*
 * sync.c: everything that happened to somebody behind a position, in order,
 * across all chats: what a client asks after it was away.
 */
#include <stdlib.h>

#include "server/ops.h"
#include "server/ops/records.h"
#include "store/msgid.h"
#include "wire/json.h"

/*
 * Implementation notes
 *
 * First positions alone are merged: of each chat with news its messages,
 * marks and events, and of the person's own stream. All come from indexes,
 * and only the lowest `limit` + 1 are kept, so neither the number of chats
 * nor their length costs memory. Then the rows are read one by one, until
 * the answer is full.
 */
#define SYNC_DEFAULT 100
/* Bytes that the place of an event adds to its text. */
#define PLACE_MAX 80
#define SYNC_BYTES_MAX ((size_t)2 << 20)

enum source { FROM_MESSAGES, FROM_RECEIPTS, FROM_EVENTS };

struct item {
	uint64_t position;
	enum source source;
};

struct merge {
	struct item *p;		/* room for 2 * keep */
	size_t n, keep;
	uint64_t newest;	/* of all that concerns the reader */
};

static int
compare(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->position < y->position ? -1 : x->position > y->position;
}

static void
merge_cut(struct merge *m)
{
	qsort(m->p, m->n, sizeof(*m->p), compare);
	if (m->n > m->keep)
		m->n = m->keep;
}

static void
merge_add(struct merge *m, uint64_t position, enum source source)
{
	if (m->n == 2 * m->keep)
		merge_cut(m);
	m->p[m->n++] = (struct item){ position, source };
}

/* One source of one chat: at most `keep` of its lowest positions. */
#define ADD_ALL(m, t, query, in, source) do { \
	struct q_##query##_out row_; \
	struct cursor cu_; \
	enum err e_; \
	TRY(q_##query##_open(t, in, &cu_)); \
	while ((e_ = q_##query##_next(&cu_, &row_)) == OK) \
		merge_add(m, row_.position, source); \
	if (e_ != ERR_NOT_FOUND) \
		return e_; \
} while (0)

static enum err
add_chat(struct merge *m, struct txn *t, const struct chat_id *chat,
    uint64_t after)
{
	struct q_sync_messages_in messages = { *chat, after, m->keep };
	struct q_sync_receipts_in receipts = { *chat, after, m->keep };
	struct q_sync_events_chat_in events = { *chat, after, m->keep };

	ADD_ALL(m, t, sync_messages, &messages, FROM_MESSAGES);
	ADD_ALL(m, t, sync_receipts, &receipts, FROM_RECEIPTS);
	ADD_ALL(m, t, sync_events_chat, &events, FROM_EVENTS);
	return OK;
}

static enum err
add_stream(struct merge *m, struct txn *t, const struct user_id *user,
    uint64_t after)
{
	struct q_sync_events_user_in in = { *user, after, m->keep };
	struct q_user_stream_out own;

	TRY(q_user_stream(t, &(struct q_user_stream_in){ *user }, &own));
	if (own.position > m->newest)
		m->newest = own.position;
	if (own.position > after)
		ADD_ALL(m, t, sync_events_user, &in, FROM_EVENTS);
	return OK;
}

static enum err
merge_all(struct merge *m, struct call *c, struct txn *t, uint64_t after)
{
	struct q_chat_news_in in = { c->who.user, after };
	struct q_chat_news_out row;
	struct cursor cu;
	enum err e;

	TRY(q_chat_news_open(t, &in, &cu));
	while ((e = q_chat_news_next(&cu, &row)) == OK) {
		if (row.newest_position > m->newest)
			m->newest = row.newest_position;
		e = add_chat(m, t, &row.chat, row.joined_position > after ?
		    row.joined_position : after);
		if (e != OK) {
			query_close(&cu);
			return e;
		}
	}
	if (e != ERR_NOT_FOUND)
		return e;
	TRY(add_stream(m, t, &c->who.user, after));
	merge_cut(m);
	return OK;
}

/* ---- rows to events; ERR_NOT_FOUND: not for this reader ---- */

static enum err
load_message(struct call *c, struct txn *t, uint64_t position,
    struct message_rec *out)
{
	struct q_sync_message_in in = { position, c->who.user };
	struct q_sync_message_out got;
	message_row row;

	_Static_assert(sizeof(row) == sizeof(got),
	    "the queries of messages have the same columns");
	TRY(q_sync_message(t, &in, &got));
	memcpy(&row, &got, sizeof(row));
	if (!records_is_for(&c->arena, &row, &c->who.user, c->who.device))
		return ERR_NOT_FOUND;
	return records_message(&c->arena, &row, &c->who.user, out);
}

static enum err
message_event(struct call *c, struct txn *t, uint64_t position,
    struct sync_event_rec *out)
{
	struct message_rec rec;

	TRY(load_message(c, t, position, &rec));
	out->event = SPAN("message:new");
	out->prev = rec.prev;
	return shape_encode_arena(&shape_message_rec, &rec, &c->arena,
	    &out->data);
}

static enum err
receipt_event(struct call *c, struct txn *t, uint64_t position,
    struct sync_event_rec *out)
{
	struct q_sync_receipt_in in = { position, c->who.user };
	struct q_sync_receipt_out row;
	struct receipt_ev got;
	struct read_ev read;

	TRY(q_sync_receipt(t, &in, &row));
	if (span_eq(row.kind, SPAN("read"))) {
		read = (struct read_ev){ .chat_id = row.chat,
		    .user_id = row.user, .message_id = row.message,
		    .has_message_id = true, .position = row.up_to,
		    .read_at = row.created_at, .event_position = position,
		    .has_event_position = true };
		out->event = SPAN("message:read");
		return shape_encode_arena(&shape_read_ev, &read, &c->arena,
		    &out->data);
	}
	if (ID_EQ(row.user, c->who.user))
		return ERR_NOT_FOUND;
	got = (struct receipt_ev){ .chat_id = row.chat, .user_id = row.user,
	    .device_id = row.device, .has_device_id = row.device != 0,
	    .position = row.up_to, .kind = RECEIPT_KIND_DELIVERED,
	    .event_position = position, .has_event_position = true };
	out->event = SPAN("message:receipt");
	return shape_encode_arena(&shape_receipt_ev, &got, &c->arena,
	    &out->data);
}

static enum err
created_event(struct call *c, struct txn *t,
    const struct q_sync_event_out *row, struct sync_event_rec *out)
{
	struct chat_ev ev = { .position = out->position, .has_position = true,
	    .prev = row->prev, .has_prev = true };

	TRY(records_chat(c, t, &row->chat, &c->who.user, true, &ev.chat));
	return shape_encode_arena(&shape_chat_ev, &ev, &c->arena, &out->data);
}

/* The message as it is now, whichever of its edits this was. */
static enum err
edited_event(struct call *c, struct txn *t,
    const struct q_sync_event_out *row, struct sync_event_rec *out)
{
	struct edited_ev ev = { .position = out->position,
	    .has_position = true, .prev = row->prev, .has_prev = true };
	struct msg_get_req which;

	if (shape_decode(&shape_msg_get_req, row->data, &c->arena, &which,
	    NULL) != OK)
		return ERR_STORE;
	TRY(load_message(c, t, msgid_position(&which.message_id),
	    &ev.message));
	return shape_encode_arena(&shape_edited_ev, &ev, &c->arena,
	    &out->data);
}

/* All others are stored as they are told, but for where they stand. */
static enum err
plain_event(struct call *c, const struct q_sync_event_out *row,
    struct sync_event_rec *out)
{
	bool is_read = span_eq(row->event, SPAN("message:read"));
	size_t n = row->data.n;
	uint8_t *p = arena_bytes(&c->arena, n + PLACE_MAX);
	struct wr w;

	if (p == NULL)
		return ERR_TOO_LARGE;
	if (n < 2 || row->data.p[n - 1] != '}')
		return ERR_STORE;
	w = wr_init(p, n + PLACE_MAX);
	wr_bytes(&w, row->data.p, n - 1);
	if (n > 2)
		wr_u8(&w, ',');
	json_put_name(&w, is_read ? "eventPosition" : "position");
	json_put_u64(&w, out->position);
	wr_u8(&w, ',');
	json_put_name(&w, "prev");
	json_put_u64(&w, row->prev);
	wr_u8(&w, '}');
	out->data = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_STORE;
}

static enum err
event_event(struct call *c, struct txn *t, uint64_t position,
    struct sync_event_rec *out)
{
	struct q_sync_event_in in = { position };
	struct q_sync_event_out row;

	TRY(q_sync_event(t, &in, &row));
	out->event = row.event;
	out->prev = row.prev;
	if (span_eq(row.event, SPAN("chat:created")))
		return created_event(c, t, &row, out);
	if (span_eq(row.event, SPAN("message:edited")))
		return edited_event(c, t, &row, out);
	return plain_event(c, &row, out);
}

static enum err
load_event(struct call *c, struct txn *t, const struct item *i,
    struct sync_event_rec *out)
{
	*out = (struct sync_event_rec){ .position = i->position };
	switch (i->source) {
	case FROM_MESSAGES:
		return message_event(c, t, i->position, out);
	case FROM_RECEIPTS:
		return receipt_event(c, t, i->position, out);
	case FROM_EVENTS:
		break;
	}
	return event_event(c, t, i->position, out);
}

enum err
sync_read(struct call *c, struct txn *t)
{
	const struct sync_req *in = c->req;
	struct sync_rep *out = c->rep;
	size_t limit = in->has_limit ? in->limit : SYNC_DEFAULT, bytes = 0, i;
	struct merge m = { .keep = limit + 1, .newest = in->after };
	enum err e;

	m.p = arena_alloc(&c->arena, 2 * m.keep * sizeof(*m.p));
	out->events.p = arena_alloc(&c->arena,
	    limit * sizeof(*out->events.p));
	if (m.p == NULL || out->events.p == NULL)
		return ERR_TOO_LARGE;
	TRY(merge_all(&m, c, t, in->after));
	out->position = in->after;
	for (i = 0; i < m.n && i < limit && bytes < SYNC_BYTES_MAX; i++) {
		e = load_event(c, t, &m.p[i], &out->events.p[out->events.n]);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		if (e == OK)
			bytes += out->events.p[out->events.n++].data.n;
		out->position = m.p[i].position;
	}
	out->more = i < m.n;
	if (!out->more)
		out->position = m.newest;
	return OK;
}
