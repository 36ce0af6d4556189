/*
 * users.c: people: one by id, many by a part of their name.
 */
#include "server/ops.h"
#include "store/txn.h"

#define SEARCH_MAX 20
#define SEARCH_CHARS 64
#define SEARCH_LOOKED_AT 50000	/* names, when no prefix fits */

/* ---- one ---- */

enum err
users_get_read(struct call *c, struct txn *t)
{
	const struct user_get_req *in = c->req;
	struct user_get_rep *out = c->rep;
	struct q_chat_shared_out shared;
	struct q_user_get_out row;
	bool near = ID_EQ(in->id, c->who.user);
	enum err e;

	TRY(q_user_get(t, &(struct q_user_get_in){ in->id }, &row));
	if (!near) {
		e = q_chat_shared(t, &(struct q_chat_shared_in){ c->who.user,
		    in->id }, &shared);
		if (e != OK && e != ERR_NOT_FOUND)
			return e;
		near = e == OK;
	}
	out->id = in->id;
	out->username = row.username;
	out->created_at = row.created_at;
	out->is_active = row.is_active;
	out->status = PRESENCE_OFFLINE;
	if (near) {
		out->last_seen = row.last_seen;
		out->has_last_seen = row.last_seen != 0;
	}
	/* Presence, too, is for people who share a chat. */
	c->state = near ? c : NULL;
	call_key(c, in->id.b);
	return OK;
}

/* The directory is the reactor's: the reply is completed there. */
void
users_get_emit(struct call *c)
{
	struct user_get_rep *out = c->rep;

	if (c->state != NULL)
		out->status = call_presence_of(c, &out->id);
}

/* ---- many ---- */

struct search {
	char from[SEARCH_CHARS + 1];
	size_t n;
};

enum err
users_search_check(struct call *c)
{
	const struct user_search_req *in = c->req;
	struct search *s = ARENA_NEW(&c->arena, struct search);

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	if (in->q.n > SEARCH_CHARS || !shape_is_class(SHAPE_USERNAME, in->q))
		return OK;		/* no name has such characters */
	for (size_t i = 0; i < in->q.n; i++) {
		uint8_t ch = in->q.p[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (uint8_t)(ch - 'A' + 'a');
		s->from[s->n++] = (char)ch;
	}
	return OK;
}

static bool
users_search_has(const struct user_search_rep *out, const struct user_id *id)
{
	for (size_t i = 0; i < out->users.n; i++)
		if (ID_EQ(out->users.p[i].id, *id))
			return true;
	return false;
}

/* Names that begin so; in order, so the exact one comes first. */
static enum err
users_search_prefix(struct txn *t, const struct search *s, uint32_t limit,
    struct user_search_rep *out)
{
	struct q_user_search_prefix_out row;
	struct cursor cu = { 0 };
	char to[SEARCH_CHARS + 1];
	enum err e;

	/* '{' follows 'z', the greatest character of a name. */
	memcpy(to, s->from, s->n);
	to[s->n] = '{';
	TRY(q_user_search_prefix_open(t, &(struct q_user_search_prefix_in){
	    span_of(s->from, s->n), span_of(to, s->n + 1), limit }, &cu));
	while ((e = q_user_search_prefix_next(&cu, &row)) == OK)
		if (out->users.n < limit)
			out->users.p[out->users.n++] = (struct user_hit_rec){
			    row.user, row.username };
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Names that hold it elsewhere, among the first SEARCH_LOOKED_AT. */
static enum err
users_search_like(struct txn *t, const struct search *s, uint32_t limit,
    struct user_search_rep *out)
{
	char pattern[2 * SEARCH_CHARS + 2];
	struct wr w = wr_init(pattern, sizeof(pattern));
	struct q_user_search_like_out row;
	struct cursor cu = { 0 };
	enum err e;

	wr_u8(&w, '%');
	for (size_t i = 0; i < s->n; i++) {
		if (s->from[i] == '_')
			wr_u8(&w, '\\');
		wr_u8(&w, (uint8_t)s->from[i]);
	}
	wr_u8(&w, '%');
	TRY(q_user_search_like_open(t, &(struct q_user_search_like_in){
	    wr_done(&w), 2 * limit, SEARCH_LOOKED_AT }, &cu));
	while ((e = q_user_search_like_next(&cu, &row)) == OK)
		if (out->users.n < limit && !users_search_has(out, &row.user))
			out->users.p[out->users.n++] = (struct user_hit_rec){
			    row.user, row.username };
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
users_search_read(struct call *c, struct txn *t)
{
	const struct user_search_req *in = c->req;
	const struct search *s = c->state;
	struct user_search_rep *out = c->rep;
	uint32_t limit = in->has_limit ? in->limit : SEARCH_MAX;

	out->users.p = arena_alloc(&c->arena,
	    limit * sizeof(struct user_hit_rec));
	if (out->users.p == NULL)
		return ERR_TOO_LARGE;
	if (s->n == 0)
		return OK;
	TRY(users_search_prefix(t, s, limit, out));
	if (out->users.n < limit && s->n >= 3)
		TRY(users_search_like(t, s, limit, out));
	return OK;
}
