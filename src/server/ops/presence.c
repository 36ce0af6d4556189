/*
 * presence.c: who is there: what a connection is told first, what its people
 * are told of it, presence:set, and how the people of a chat are
 * that somebody begins to look at.
 */
#include "server/presence.h"

#include "server/deliver.h"
#include "server/ops.h"
#include "store/txn.h"

static enum err
presence_open(struct call *c, struct txn *t, enum presence_which which,
    struct cursor *cu)
{
	const struct user_id *me = &c->who.user;

	switch (which) {
	case PRESENCE_TO_ALL:
		return q_chat_peers_all_open(t,
		    &(struct q_chat_peers_all_in){ *me }, cu);
	case PRESENCE_SEEN:
		return q_chat_peers_seen_open(t,
		    &(struct q_chat_peers_seen_in){ *me }, cu);
	case PRESENCE_TO:
		break;
	}
	return q_chat_peers_open(t, &(struct q_chat_peers_in){ *me }, cu);
}

static enum err
presence_next(enum presence_which which, struct cursor *cu,
    struct user_id *out)
{
	struct q_chat_peers_out to;
	struct q_chat_peers_all_out all;
	struct q_chat_peers_seen_out seen;

	switch (which) {
	case PRESENCE_TO_ALL:
		TRY(q_chat_peers_all_next(cu, &all));
		*out = all.peer;
		return OK;
	case PRESENCE_SEEN:
		TRY(q_chat_peers_seen_next(cu, &seen));
		*out = seen.peer;
		return OK;
	case PRESENCE_TO:
		break;
	}
	TRY(q_chat_peers_next(cu, &to));
	*out = to.peer;
	return OK;
}

enum err
presence_peers(struct call *c, struct txn *t, enum presence_which which,
    struct presence_state *s)
{
	struct user_id peer, *more;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	s->peers = NULL;
	s->peers_n = 0;
	TRY(presence_open(c, t, which, &cu));
	while ((e = presence_next(which, &cu, &peer)) == OK) {
		if (s->peers_n == PRESENCE_PEERS_MAX)
			break;
		more = arena_grow(&c->arena, s->peers, s->peers_n, &cap,
		    sizeof(*more));
		if (more == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		s->peers = more;
		s->peers[s->peers_n++] = peer;
	}
	if (e == OK)
		query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- a connection ---- */

enum err
presence_connect_read(struct call *c, struct txn *t)
{
	struct acknowledged_ev *out = c->rep;
	struct presence_state *s = ARENA_NEW(&c->arena,
	    struct presence_state);
	struct q_chat_newest_out chats;
	struct q_user_stream_out own;
	struct q_device_get_out device;
	enum err e;

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	TRY(presence_peers(c, t, PRESENCE_SEEN, s));
	TRY(q_chat_newest(t, &(struct q_chat_newest_in){ c->who.user },
	    &chats));
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user },
	    &own));
	out->user_id = c->who.user;
	out->session_id = c->who.session;
	out->position = chats.position > own.position ? chats.position :
	    own.position;
	if (c->who.device == 0)
		return OK;
	out->device_id = c->who.device;
	out->has_device_id = true;
	e = q_device_get(t, &(struct q_device_get_in){ c->who.user,
	    c->who.device }, &device);
	if (e == OK) {
		out->generation = device.generation;
		out->has_generation = true;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Of a socket that has authenticated by an event. */
enum err
presence_authenticate_read(struct call *c, struct txn *t)
{
	struct authenticated_ev *out = c->rep;
	struct presence_state *s = ARENA_NEW(&c->arena,
	    struct presence_state);

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	out->success = true;
	out->user_id = c->who.user;
	out->has_user_id = true;
	return presence_peers(c, t, PRESENCE_SEEN, s);
}

/* ---- what others hear ---- */

/*
 * presence:update or user:status, whose form knows no away: who is, is there;
 * ev has to stay until deliver_end.
 */
static struct deliver_event
presence_event(const struct call *c, const struct user_id *user,
    enum presence_status status, struct presence_ev ev[static DELIVER_NAMES])
{
	struct deliver_event out;

	ev[DELIVER_HANDSHAKE] = (struct presence_ev){ .user_id = *user,
	    .status = status, .timestamp = c->now_ms, .has_timestamp = true };
	ev[DELIVER_FIRST_EVENT] = (struct presence_ev){ .user_id = *user,
	    .status = status == PRESENCE_AWAY ? PRESENCE_ONLINE : status };
	out = deliver_event("presence:update", &shape_presence_ev,
	    &ev[DELIVER_HANDSHAKE]);
	deliver_other_form(&out, "user:status", &shape_presence_ev,
	    &ev[DELIVER_FIRST_EVENT]);
	return out;
}

enum err
presence_announce_read(struct call *c, struct txn *t)
{
	return presence_peers(c, t, PRESENCE_TO, c->state);
}

enum err
presence_announce_write(struct call *c, struct txn *t)
{
	const struct presence_state *s = c->state;

	if (s->status != PRESENCE_OFFLINE)
		return OK;
	return q_user_seen(t, &(struct q_user_seen_in){ c->who.user,
	    c->now_ms }, NULL);
}

void
presence_tell(struct call *c, const struct user_id *user,
    enum presence_status status, const struct user_id *to, size_t n)
{
	struct presence_ev ev[DELIVER_NAMES];
	struct deliver_event out = presence_event(c, user, status, ev);

	deliver_users(c, to, n, &out, 0, 0);
	deliver_end(&out);
}

void
presence_announce_emit(struct call *c)
{
	const struct presence_state *s = c->state;

	presence_tell(c, &c->who.user, s->status, s->peers, s->peers_n);
}

/* ---- presence:set ---- */

enum err
presence_set_check(struct call *c)
{
	const struct presence_set_req *in = c->req;

	call_presence(c, in->status == PRESENCE_OWN_AWAY);
	return OK;
}

/* ---- chat:join ---- */

/*
 * Who is in the chat, if the caller is; those whose presence he sees come
 * first. Who looks at a chat hears how its people are now: of the others, that
 * they are not there.
 */
enum err
presence_join_read(struct call *c, struct txn *t)
{
	const struct chat_id_req *in = c->req;
	struct presence_state *s = ARENA_NEW(&c->arena,
	    struct presence_state);
	struct q_chat_view_in view = { in->chat_id, c->who.user,
	    PRESENCE_VIEW_MAX };
	struct q_chat_head_out head;
	struct q_chat_view_out row;
	struct cursor cu = { 0 };
	enum err e;

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	TRY(q_chat_head(t, &(struct q_chat_head_in){ in->chat_id,
	    c->who.user }, &head));
	s->peers = arena_alloc(&c->arena,
	    PRESENCE_VIEW_MAX * sizeof(*s->peers));
	if (s->peers == NULL)
		return ERR_TOO_LARGE;
	TRY(q_chat_view_open(t, &view, &cu));
	while ((e = q_chat_view_next(&cu, &row)) == OK) {
		s->peers[s->peers_n++] = row.user;
		if (!row.is_seen)
			continue;
		s->peers[s->peers_n - 1] = s->peers[s->seen_n];
		s->peers[s->seen_n++] = row.user;
	}
	call_tell_presence(c, s);
	return e == ERR_NOT_FOUND ? OK : e;
}
