/*
 * direct.c: messages between two, without the notion of a chat: views on the
 * direct chat of the two people, of the suite `other`. What has been deleted,
 * or hidden by the reader, is not in them.
 */
#include "server/ops.h"
#include "server/ops/messages.h"
#include "server/ops/records.h"
#include "store/txn.h"
#include "wire/json.h"

#define CONVERSATIONS_DEFAULT 100
#define PAGE_DEFAULT 50

/* ---- GET /api/messages/conversations ---- */

static enum err
count_unread(struct txn *t, const struct q_direct_list_out *row,
    const struct user_id *reader, uint32_t *out)
{
	struct q_direct_unread_in in = { row->chat, row->read_position >
	    row->joined_position ? row->read_position : row->joined_position,
	    *reader };
	struct q_direct_unread_out count;

	TRY(q_direct_unread(t, &in, &count));
	*out = count.count;
	return OK;
}

enum err
direct_list_read(struct call *c, struct txn *t)
{
	const struct conversations_req *in = c->req;
	struct conversations_rep *out = c->rep;
	struct conversation_rec_list *l = &out->conversations;
	struct q_direct_list_in q = { c->who.user, in->has_limit ? in->limit :
	    CONVERSATIONS_DEFAULT, in->offset };
	struct q_direct_list_out row;
	struct cursor cu;
	size_t bytes = 0;
	enum err e = OK;

	l->n = 0;
	l->p = arena_alloc(&c->arena, q.limit * sizeof(*l->p));
	if (l->p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_direct_list_open(t, &q, &cu));
	while (bytes < RECORDS_PAGE_BYTES && l->n < q.limit &&
	    (e = q_direct_list_next(&cu, &row)) == OK) {
		struct conversation_rec *r = &l->p[l->n++];

		*r = (struct conversation_rec){ .user_id = row.other,
		    .username = row.username, .last_message = row.content,
		    .last_message_time = row.created_at };
		bytes += json_put_len(row.content);
		e = count_unread(t, &row, &c->who.user, &r->unread_count);
		if (e != OK)
			break;
	}
	query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- GET /api/messages/conversation/:userId ---- */

/* One of the two people, with the marks in this chat. */
struct side {
	struct user_id user;
	uint64_t joined, read;	/* read: as far as the caller may know */
	uint64_t read_at;	/* of the newest mark; 0: not known */
};

struct page {
	struct chat_id chat;
	struct side me, other;
	uint64_t *positions;		/* of the answer's messages */
};

static enum err
load_sides(struct txn *t, struct page *p)
{
	struct q_direct_marks_out row;
	struct cursor cu;
	enum err e;

	TRY(q_direct_marks_open(t, &(struct q_direct_marks_in){ p->chat },
	    &cu));
	while ((e = q_direct_marks_next(&cu, &row)) == OK) {
		struct side *s = ID_EQ(row.user, p->me.user) ? &p->me :
		    &p->other;

		s->joined = row.joined_position;
		s->read = s == &p->me ? row.read_position : row.shown_read;
		s->read_at = s == &p->me ? row.read_at : 0;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_page(struct call *c, struct txn *t, struct page *p, uint64_t limit,
    uint64_t offset, struct direct_message_rec_list *l)
{
	struct q_direct_page_in q = { p->chat, p->me.joined, p->me.user,
	    limit, offset };
	struct q_direct_page_out row;
	struct cursor cu;
	size_t bytes = 0;
	enum err e = OK;

	l->p = arena_alloc(&c->arena, limit * sizeof(*l->p));
	p->positions = arena_alloc(&c->arena, limit * sizeof(*p->positions));
	if (l->p == NULL || p->positions == NULL)
		return ERR_TOO_LARGE;
	TRY(q_direct_page_open(t, &q, &cu));
	while (bytes < RECORDS_PAGE_BYTES && l->n < limit &&
	    (e = q_direct_page_next(&cu, &row)) == OK) {
		bool mine = ID_EQ(row.sender, p->me.user);

		p->positions[l->n] = row.position;
		l->p[l->n++] = (struct direct_message_rec){
		    .id = row.message, .sender_id = row.sender,
		    .recipient_id = mine ? p->other.user : p->me.user,
		    .encrypted_content = row.content, .iv = row.iv,
		    .has_iv = row.iv.p != NULL,
		    .created_at = row.created_at };
		bytes += json_put_len(row.content);
	}
	query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Was it sent to this person, who has read it? */
static bool
is_read_by(const struct page *p, const struct side *s,
    const struct direct_message_rec_list *l, size_t i)
{
	return ID_EQ(l->p[i].recipient_id, s->user) &&
	    !ID_EQ(l->p[i].sender_id, s->user) && p->positions[i] <= s->read;
}

/*
 * readAt of what was sent to one person: the first mark that passed it. Marks
 * are read from the oldest message that has one to the newest, no further.
 */
static enum err
load_reads(struct txn *t, const struct page *p, const struct side *s,
    struct direct_message_rec_list *l)
{
	struct q_direct_reads_in q = { p->chat, UINT64_MAX };
	struct q_direct_reads_out row;
	uint64_t newest = 0, up_to = 0;
	struct cursor cu;
	enum err e = OK;

	for (size_t i = 0; i < l->n; i++) {
		if (!is_read_by(p, s, l, i))
			continue;
		if (p->positions[i] < q.from)
			q.from = p->positions[i];
		if (p->positions[i] > newest)
			newest = p->positions[i];
	}
	if (newest == 0)
		return OK;
	TRY(q_direct_reads_open(t, &q, &cu));
	while (up_to < newest &&
	    (e = q_direct_reads_next(&cu, &row)) == OK) {
		if (!ID_EQ(row.user, s->user))
			continue;
		up_to = row.up_to;
		for (size_t i = 0; i < l->n; i++) {
			if (l->p[i].has_read_at || !is_read_by(p, s, l, i) ||
			    p->positions[i] > up_to)
				continue;
			l->p[i].read_at = row.created_at;
			l->p[i].has_read_at = true;
		}
	}
	query_close(&cu);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	/* Marks that nobody else hears of are no rows: the newest stands. */
	for (size_t i = 0; i < l->n; i++)
		if (s->read_at != 0 && !l->p[i].has_read_at &&
		    is_read_by(p, s, l, i)) {
			l->p[i].read_at = s->read_at;
			l->p[i].has_read_at = true;
		}
	return OK;
}

/* Their chat. ERR_NOT_FOUND, with words: there is no such person. */
static enum err
find_chat(struct call *c, struct txn *t, struct page *p, bool *found_out)
{
	uint8_t key[RECORDS_DIRECT_KEY_LEN];
	struct q_chat_by_direct_key_out row;
	struct q_user_stream_out user;
	enum err e;

	e = q_user_stream(t, &(struct q_user_stream_in){ p->other.user },
	    &user);
	if (e == ERR_NOT_FOUND)
		return call_fail(c, e, "There is no such person");
	TRY(e);
	records_direct_key(&p->me.user, &p->other.user, key);
	e = q_chat_by_direct_key(t, &(struct q_chat_by_direct_key_in){
	    SPAN_OF(key) }, &row);
	*found_out = e == OK;
	if (e == OK)
		p->chat = row.chat;
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
direct_page_read(struct call *c, struct txn *t)
{
	const struct conversation_req *in = c->req;
	struct conversation_rep *out = c->rep;
	struct page p = { .me.user = c->who.user, .other.user = in->user_id };
	struct q_direct_total_in total = { .reader = c->who.user };
	struct q_direct_total_out count;
	bool found = false;

	TRY(find_chat(c, t, &p, &found));
	if (!found)
		return OK;
	TRY(load_sides(t, &p));
	total.chat = p.chat;
	total.after = p.me.joined;
	TRY(q_direct_total(t, &total, &count));
	out->total = count.total;
	TRY(load_page(c, t, &p, in->has_limit ? in->limit : PAGE_DEFAULT,
	    in->offset, &out->messages));
	TRY(load_reads(t, &p, &p.me, &out->messages));
	return load_reads(t, &p, &p.other, &out->messages);
}

/* ---- POST /api/messages ---- */

enum err
direct_post_check(struct call *c)
{
	const struct msg_post_req *in = c->req;
	struct msg_send_req *send = ARENA_NEW(&c->arena, struct msg_send_req);

	if (send == NULL)
		return ERR_TOO_LARGE;
	send->recipient_id = in->recipient_id;
	send->has_recipient_id = true;
	send->encrypted_content = in->encrypted_content;
	send->iv = in->iv;
	send->has_iv = true;
	send->client_message_id = in->client_message_id;
	send->has_client_message_id = in->has_client_message_id;
	return messages_begin(c, send);
}

enum err
direct_post_write(struct call *c, struct txn *t)
{
	const struct msg_post_req *in = c->req;
	struct msg_post_rep *out = c->rep;
	struct msg_send_rep sent;

	TRY(messages_store(c, t, &sent));
	out->id = sent.message_id;
	out->sender_id = c->who.user;
	out->recipient_id = in->recipient_id;
	out->created_at = sent.timestamp;
	return OK;
}

void
direct_post_emit(struct call *c)
{
	messages_tell(c);
}
