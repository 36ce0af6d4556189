/*
 * presence.c: who is there: what a connection is told first, what its people
 * are told of it, presence:set, and how the people of a chat are
 * that somebody begins to look at.
 */
#include "server/presence.h"

#include "server/deliver.h"
#include "server/ops.h"
#include "store/txn.h"

/* Everybody who shares a chat with this person. */
static enum err
presence_peers(struct call *c, struct txn *t, const struct user_id *user,
    struct presence_state *s)
{
	struct q_chat_peers_out row;
	struct cursor cu = { 0 };
	size_t cap = 0;
	enum err e;

	s->peers = NULL;
	s->peers_n = 0;
	TRY(q_chat_peers_open(t, &(struct q_chat_peers_in){ *user }, &cu));
	while ((e = q_chat_peers_next(&cu, &row)) == OK) {
		if (s->peers_n == PRESENCE_PEERS_MAX) {
			query_close(&cu);
			return OK;
		}
		if (s->peers_n == cap) {
			size_t more = cap == 0 ? 32 : 2 * cap;
			struct user_id *p = arena_alloc(&c->arena,
			    more * sizeof(*p));

			if (p == NULL) {
				query_close(&cu);
				return ERR_TOO_LARGE;
			}
			if (cap > 0)
				memcpy(p, s->peers, cap * sizeof(*p));
			s->peers = p;
			cap = more;
		}
		s->peers[s->peers_n++] = row.peer;
	}
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
	TRY(presence_peers(c, t, &c->who.user, s));
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
	return presence_peers(c, t, &c->who.user, s);
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
	return presence_peers(c, t, &c->who.user, c->state);
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
presence_announce_emit(struct call *c)
{
	const struct presence_state *s = c->state;
	struct presence_ev ev[DELIVER_NAMES];
	struct deliver_event out = presence_event(c, &c->who.user, s->status,
	    ev);

	deliver_users(c, s->peers, s->peers_n, &out, 0, 0);
	deliver_end(&out);
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

/* Who is in the chat, if the caller is. */
enum err
presence_join_read(struct call *c, struct txn *t)
{
	const struct chat_id_req *in = c->req;
	struct presence_state *s = ARENA_NEW(&c->arena,
	    struct presence_state);
	struct q_chat_head_out head;
	struct q_chat_member_ids_out row;
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
	TRY(q_chat_member_ids_open(t, &(struct q_chat_member_ids_in){
	    in->chat_id }, &cu));
	while ((e = q_chat_member_ids_next(&cu, &row)) == OK)
		if (s->peers_n < PRESENCE_VIEW_MAX &&
		    !ID_EQ(row.user, c->who.user))
			s->peers[s->peers_n++] = row.user;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* Who looks at a chat hears how its people are now. */
void
presence_join_emit(struct call *c)
{
	const struct presence_state *s = c->state;

	for (size_t i = 0; i < s->peers_n; i++) {
		struct presence_ev ev[DELIVER_NAMES];
		struct deliver_event out = presence_event(c, &s->peers[i],
		    call_presence_of(c, &s->peers[i]), ev);

		deliver_caller(c, &out);
		deliver_end(&out);
	}
}
