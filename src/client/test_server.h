/*
 * test_server.h: for tests only: a server in memory that does what docs/api.md
 * says, of what clients use. Included by test_world.h, which has the clients
 * and the network between.
 */
#ifndef CLIENT_TEST_SERVER_H
#define CLIENT_TEST_SERVER_H

#include "client/test_store.h"

/* -------------------------------------------------------------- server */

static inline int
fake_who(const struct fake *f, const struct user_id *user)
{
	int i;

	for (i = 0; i < FAKE_NODES; i++)
		if (ID_EQ(f->node[i].user, *user))
			return i;
	return -1;
}

static inline void
fake_new_token(struct fake *f, int i)
{
	struct fake_node *n = &f->node[i];
	char claims[80], sid[ID_TEXT_LEN + 1];
	struct wr w = wr_init(claims, sizeof(claims));
	struct wr t = wr_init(n->token, sizeof(n->token) - 1);

	(void)f;
	id_encode(n->user.b, sid);	/* one session for each account */
	wr_str(&w, "{\"sid\":\"");
	wr_str(&w, sid);
	wr_str(&w, "\"}");
	wr_str(&t, "e30.");
	t.n += base64url_encode(wr_done(&w), n->token + t.n);
	wr_str(&t, ".signature");
	wr_dec(&t, 1000 + n->tokens++);
	n->token[t.n] = '\0';
}

static inline int
fake_chat(const struct fake *f, const struct chat_id *id)
{
	int i;

	for (i = 0; i < f->chats; i++)
		if (ID_EQ(f->chat[i].id, *id))
			return i;
	return -1;
}

static inline bool
fake_sees(const struct fake *f, const struct chat_id *id, int who)
{
	int chat = fake_chat(f, id);

	return f->chat[chat].a == who || f->chat[chat].b == who;
}

/* What `to` may see of a message. */
static inline struct span
fake_view(struct fake *f, struct arena *a, const struct fake_message *msg,
    int to)
{
	struct message_rec m = msg->m;
	struct shape_pair own[8];
	size_t i, n = 0;

	for (i = 0; i < m.encrypted_keys.n; i++) {
		struct user_id user;
		uint32_t device;

		if (shape_address_decode(m.encrypted_keys.p[i].name, &user,
		    &device) && ID_EQ(user, f->node[to].user))
			own[n++] = m.encrypted_keys.p[i];
	}
	m.encrypted_keys.p = own;
	m.encrypted_keys.n = n;
	if (f->tamper != NULL)
		f->tamper(f, &m, to);
	return fake_json(a, &shape_message_rec, &m);
}

static inline void
fake_deliver_event(struct fake *f, const char *name, struct span json, int to)
{
	unsigned times = fake_rnd(f, 100) < f->dup ? 2 : 1;

	if (!f->node[to].up || fake_rnd(f, 100) < f->drop)
		return;
	while (times-- > 0)
		fake_send_event(f, to, name, json,
		    fake_rnd(f, 100) < f->reorder ? fake_rnd(f, 400) :
		    1 + fake_rnd(f, 3));
}

static inline void
fake_deliver(struct fake *f, struct arena *a, size_t index, int to)
{
	fake_deliver_event(f, "message:new", fake_view(f, a, &f->msg[index],
	    to), to);
}

/* message:edited or message:deleted, as `to` sees it. */
static inline struct span
fake_change_view(struct fake *f, struct arena *a,
    const struct fake_change *c, int to)
{
	const struct message_rec *m = &f->msg[c->msg].m;
	struct deleted_ev d = { .message_id = m->message_id,
	    .chat_id = m->chat_id, .user_id = m->sender_id,
	    .scope = DELETE_SCOPE_ALL, .deleted_at = f->now,
	    .has_position = true, .position = c->position, .has_prev = true,
	    .prev = c->prev };
	struct wr w;

	if (c->removed)
		return fake_json(a, &shape_deleted_ev, &d);
	w = wr_init(arena_bytes(a, 200000), 200000);
	wr_str(&w, "{\"message\":");
	wr_span(&w, fake_view(f, a, &f->msg[c->msg], to));
	wr_str(&w, ",\"position\":");
	wr_dec(&w, c->position);
	wr_str(&w, ",\"prev\":");
	wr_dec(&w, c->prev);
	wr_str(&w, "}");
	return wr_done(&w);
}

/* The event that comes next after a position, of those who may see it. */
static inline bool
fake_next_event(struct fake *f, struct arena *a, int who, uint64_t after,
    struct sync_event_rec *out)
{
	const struct fake_message *m = NULL;
	const struct fake_change *c = NULL;
	uint64_t best = UINT64_MAX;
	size_t i;

	for (i = 0; i < f->msgs && m == NULL; i++)
		if (f->msg[i].m.position > after &&
		    fake_sees(f, &f->msg[i].m.chat_id, who)) {
			m = &f->msg[i];
			best = m->m.position;
		}
	for (i = 0; i < f->changes; i++)
		if (f->change[i].position > after && f->change[i].position <
		    best && fake_sees(f, &f->msg[f->change[i].msg].m.chat_id,
		    who)) {
			c = &f->change[i];
			best = c->position;
		}
	if (c != NULL)
		*out = (struct sync_event_rec){ c->position, c->prev,
		    c->removed ? SPAN("message:deleted") :
		    SPAN("message:edited"), fake_change_view(f, a, c, who) };
	else if (m != NULL)
		*out = (struct sync_event_rec){ best, m->m.prev,
		    SPAN("message:new"), fake_view(f, a, m, who) };
	return best != UINT64_MAX;
}

/* docs/protocol.md, Sealing: a resend repeats the bytes. */
static inline void
fake_check_again(const struct fake_message *m, const struct msg_send_req *req)
{
	const struct shape_pair *was = m->m.encrypted_keys.p;

	if (!span_eq(m->m.encrypted_content, req->encrypted_content) ||
	    !span_eq(m->m.iv, req->iv) || req->encrypted_keys.n != 1 ||
	    !span_eq(was->name, req->encrypted_keys.p[0].name) ||
	    !span_eq(was->value, req->encrypted_keys.p[0].value) ||
	    m->m.suite != req->suite ||
	    m->m.message_type != req->message_type)
		abort();
}

/* The devices have changed again since this one was sealed. */
static inline bool
fake_refuses(struct fake *f)
{
	if (f->refuse_devices == 0)
		return false;
	f->refuse_devices--;
	return true;
}

/* message:send; the acknowledgement's JSON. */
static inline struct span
fake_take_message(struct fake *f, struct arena *a, int from, struct span json)
{
	struct msg_send_req req;
	struct msg_send_rep rep = { .has_prev = true };
	struct fake_message *m = NULL;
	struct shape_error why;
	size_t i;
	int chat, other;

	if (shape_decode(&shape_msg_send_req, json, a, &req, &why) != OK)
		abort();
	chat = fake_chat(f, &req.chat_id);
	if (chat < 0)
		return SPAN("{\"error\":{\"code\":\"not_found\","
		    "\"message\":\"no\"}}");
	other = f->chat[chat].a == from ? f->chat[chat].b : f->chat[chat].a;
	for (i = 0; i < f->msgs; i++)
		if (ID_EQ(f->msg[i].m.client_message_id,
		    req.client_message_id))
			m = &f->msg[i];
	if (f->replay_ms != 0 && req.has_sent_at && req.sent_at +
	    f->replay_ms < f->now)
		return SPAN("{\"error\":{\"code\":\"replayed\","
		    "\"message\":\"too old\"}}");
	if (m == NULL && fake_refuses(f))
		return SPAN("{\"error\":{\"code\":\"devices_changed\","
		    "\"message\":\"other devices\"}}");
	if (m == NULL) {
		struct user_id user;
		uint32_t device;

		/* One device each: exactly the other's. */
		if (req.encrypted_keys.n != 1 || !shape_address_decode(
		    req.encrypted_keys.p[0].name, &user, &device) ||
		    !ID_EQ(user, f->node[other].user) ||
		    device != f->node[other].device)
			return SPAN("{\"error\":{\"code\":\"devices_changed\","
			    "\"message\":\"other devices\"}}");
		if (f->msgs == FAKE_MESSAGES)
			abort();
		m = &f->msg[f->msgs++];
		m->m = (struct message_rec){ .has_client_message_id = true,
		    .client_message_id = req.client_message_id,
		    .chat_id = req.chat_id,
		    .sender_id = f->node[from].user,
		    .has_sender_device_id = true,
		    .sender_device_id = f->node[from].device,
		    .suite = req.suite, .has_encrypted_content = true,
		    .encrypted_content = fake_dup(req.encrypted_content),
		    .has_iv = true, .iv = fake_dup(req.iv),
		    .timestamp = f->now, .position = ++f->position,
		    .message_type = req.message_type,
		    .has_metadata = req.has_metadata,
		    .metadata = req.metadata };
		for (i = 0; i < 16; i++)
			m->m.message_id.b[i] = (uint8_t)fake_rnd(f, 256);
		m->pairs[0].name = fake_dup(req.encrypted_keys.p[0].name);
		m->pairs[0].value = fake_dup(req.encrypted_keys.p[0].value);
		m->m.encrypted_keys.p = m->pairs;
		m->m.encrypted_keys.n = 1;
		f->chat[chat].said = true;
		m->m.prev = f->chat[chat].last;
		/* An event for some devices is nobody's prev. */
		if (req.message_type != MSG_TYPE_EVENT || req.has_metadata)
			f->chat[chat].last = m->m.position;
		fake_deliver(f, a, f->msgs - 1, other);
	} else {
		fake_check_again(m, &req);
	}
	rep.message_id = m->m.message_id;
	rep.chat_id = m->m.chat_id;
	rep.timestamp = m->m.timestamp;
	rep.position = m->m.position;
	rep.prev = m->m.prev;
	return fake_json(a, &shape_msg_send_rep, &rep);
}

/* A later event about message i, told to both of its chat. */
static inline const struct fake_change *
fake_changed(struct fake *f, struct arena *a, size_t i,
    const struct event_id *event, bool removed)
{
	struct fake_change *c = &f->change[f->changes++];
	int chat = fake_chat(f, &f->msg[i].m.chat_id), k;

	if (f->changes == 64)
		abort();
	*c = (struct fake_change){ .msg = i, .position = ++f->position,
	    .prev = f->chat[chat].last, .at = f->now,
	    .removed = removed };
	if (event != NULL)
		c->event = *event;
	f->chat[chat].last = c->position;
	for (k = 0; k < FAKE_NODES; k++)
		if (f->chat[chat].a == k || f->chat[chat].b == k)
			fake_deliver_event(f, removed ? "message:deleted" :
			    "message:edited", fake_change_view(f, a, c, k), k);
	return c;
}

/* message:edit; the acknowledgement's JSON. */
static inline struct span
fake_take_edit(struct fake *f, struct arena *a, int from, struct span json)
{
	const struct fake_change *c = NULL;
	struct fake_message *m = NULL;
	struct msg_edit_req req;
	struct msg_edit_rep rep;
	size_t i;

	if (shape_decode(&shape_msg_edit_req, json, a, &req, NULL) != OK)
		abort();
	for (i = 0; i < f->msgs; i++)
		if (ID_EQ(f->msg[i].m.message_id, req.message_id))
			m = &f->msg[i];
	if (m == NULL || !ID_EQ(m->m.sender_id, f->node[from].user) ||
	    !m->m.has_encrypted_content)
		return SPAN("{\"error\":{\"code\":\"not_found\","
		    "\"message\":\"no\"}}");
	if (f->refuse_edit != OK)
		return SPAN("{\"error\":{\"code\":\"conflict\","
		    "\"message\":\"too late\"}}");
	for (i = 0; i < f->changes; i++)
		if (ID_EQ(f->change[i].event, req.client_message_id))
			c = &f->change[i];
	if (c == NULL && fake_refuses(f))
		return SPAN("{\"error\":{\"code\":\"devices_changed\","
		    "\"message\":\"other devices\"}}");
	if (c == NULL) {
		m->m.client_message_id = req.client_message_id;
		m->m.encrypted_content = fake_dup(req.encrypted_content);
		m->m.iv = fake_dup(req.iv);
		m->m.has_edited_at = true;
		m->m.edited_at = f->now;
		m->pairs[0].name = fake_dup(req.encrypted_keys.p[0].name);
		m->pairs[0].value = fake_dup(req.encrypted_keys.p[0].value);
		c = fake_changed(f, a, (size_t)(m - f->msg),
		    &req.client_message_id, false);
	}
	rep.message_id = m->m.message_id;
	rep.chat_id = m->m.chat_id;
	rep.edited_at = c->at;
	rep.position = c->position;
	rep.prev = c->prev;
	return fake_json(a, &shape_msg_edit_rep, &rep);
}

/* DELETE of a message for all. */
static inline struct span
fake_remove(struct fake *f, struct arena *a, int who, struct span path)
{
	struct message_id id;
	size_t i;

	f->removals++;
	if (!id_decode(span_sub(path, 14, 36), id.b))
		abort();
	for (i = 0; i < f->msgs; i++) {
		struct message_rec *m = &f->msg[i].m;

		if (!ID_EQ(m->message_id, id) ||
		    !ID_EQ(m->sender_id, f->node[who].user))
			continue;
		if (m->has_encrypted_content) {
			m->has_encrypted_content = m->has_iv = false;
			m->encrypted_keys.n = 0;
			m->has_deleted_at = true;
			m->deleted_at = f->now;
			(void)fake_changed(f, a, i, NULL, true);
		}
		return SPAN("{}");
	}
	return SPAN("");
}

/* message:read: the other one hears of it. */
static inline struct span
fake_take_read(struct fake *f, struct arena *a, int from, struct span json)
{
	struct msg_read_req req;
	struct read_ev ev = { .user_id = f->node[from].user,
	    .read_at = f->now };
	int chat;

	if (shape_decode(&shape_msg_read_req, json, a, &req, NULL) != OK)
		abort();
	chat = fake_chat(f, &req.chat_id);
	ev.chat_id = req.chat_id;
	ev.position = req.position;
	fake_deliver_event(f, "message:read", fake_json(a, &shape_read_ev,
	    &ev), f->chat[chat].a == from ? f->chat[chat].b :
	    f->chat[chat].a);
	return SPAN("{}");
}

/* GET and PUT of the settings; one account's are enough. */
static inline struct span
fake_settings(struct fake *f, struct arena *a, struct span body)
{
	struct settings_rep rep = { .version = f->settings, .has_data =
	    f->blob.n != 0, .data = f->blob, .flags = f->flags };
	struct settings_put_rep put;
	struct settings_put_req req;

	if (body.n == 0)
		return fake_json(a, &shape_settings_rep, &rep);
	if (shape_decode(&shape_settings_put_req, body, a, &req, NULL) != OK)
		abort();
	if (f->conflict || req.version != f->settings) {
		f->conflict = false;
		f->settings++;
		f->status = 409;
		return SPAN("");
	}
	if (req.has_flags && req.flags.has_typing) {
		f->flags.has_typing = true;
		f->flags.typing = req.flags.typing;
	}
	if (req.has_flags && req.flags.has_searchable) {
		f->flags.has_searchable = true;
		f->flags.searchable = req.flags.searchable;
	}
	if (req.has_data)
		f->blob = fake_dup(req.data);
	put.version = ++f->settings;
	return fake_json(a, &shape_settings_put_rep, &put);
}

static inline struct span
fake_bundles(struct fake *f, struct arena *a, struct fake_node *n)
{
	struct merkle_hash h[FAKE_LEAVES], path[2][MERKLE_DEPTH_MAX];
	struct leaf_rec leaves[2];
	struct bundle_rec b = { .device_id = n->device, .has_cert = true,
	    .cert = n->cert, .header = n->header };
	struct prekey_bundles_rep rep = { .list = n->list };
	size_t i, k = n->next_leaf < n->leaves_n ? n->next_leaf++ : 1;
	size_t at[2];

	at[0] = 0;
	at[1] = k;
	for (i = 0; i < n->leaves_n; i++)
		if (merkle_leaf(&f->pv, n->leaves[i], &h[i]) != OK)
			abort();
	for (i = 0; i < 2; i++) {
		if (merkle_path(&f->pv, h, n->leaves_n, at[i], path[i]) != OK)
			abort();
		leaves[i] = (struct leaf_rec){ .index = (uint32_t)at[i],
		    .leaf = n->leaves[at[i]], .path = span_of(path[i],
		    32 * merkle_depth(n->leaves_n)) };
	}
	b.leaves.p = leaves;
	b.leaves.n = 2;
	rep.bundles.p = &b;
	rep.bundles.n = n->leaves_n != 0 ? 1 : 0;
	return fake_json(a, &shape_prekey_bundles_rep, &rep);
}

static inline struct span
fake_sync(struct fake *f, struct arena *a, int who, uint64_t after)
{
	struct sync_event_rec *ev = arena_alloc(a, 51 * sizeof(*ev));
	struct sync_rep rep = { .position = f->position };
	size_t n = 0;

	while (fake_next_event(f, a, who, after, &ev[n])) {
		if (n == 50) {
			rep.more = true;
			rep.position = ev[n - 1].position;
			break;
		}
		after = ev[n++].position;
	}
	rep.events.p = ev;
	rep.events.n = n;
	return fake_json(a, &shape_sync_rep, &rep);
}

/* A chat as its members see it. */
static inline struct chat_rec
fake_chat_rec(const struct fake *f, struct arena *a, int chat)
{
	struct member_rec *members = arena_alloc(a, 2 * sizeof(*members));
	struct chat_rec rec = { .chat_id = f->chat[chat].id,
	    .type = CHAT_TYPE_DIRECT, .created_at = f->now,
	    .position = f->chat[chat].last, .last_message_at = f->now,
	    .has_last_message_at = f->chat[chat].said, .member_count = 2,
	    .has_members = true };
	int i;

	for (i = 0; i < 2; i++) {
		int m = i == 0 ? f->chat[chat].a : f->chat[chat].b;

		members[i] = (struct member_rec){ .user_id = f->node[m].user,
		    .username = span_str(f->node[m].name),
		    .joined_at = f->now };
	}
	rec.members.p = members;
	rec.members.n = 2;
	return rec;
}

static inline struct span
fake_created(const struct fake *f, struct arena *a, int chat)
{
	struct chat_ev ev = { .chat = fake_chat_rec(f, a, chat),
	    .has_position = true, .position = f->chat[chat].made,
	    .has_prev = true };

	return fake_json(a, &shape_chat_ev, &ev);
}

static inline struct span
fake_open_chat(struct fake *f, struct arena *a, int who,
    struct span body)
{
	struct chat_create_req req;
	struct chat_rec rec;
	int i, other, chat = -1;

	if (shape_decode(&shape_chat_create_req, body, a, &req, NULL) != OK)
		abort();
	other = fake_who(f, &req.member_ids.p[0]);
	for (i = 0; i < f->chats; i++)
		if ((f->chat[i].a == who && f->chat[i].b == other) ||
		    (f->chat[i].b == who && f->chat[i].a == other))
			chat = i;
	if (chat < 0) {
		chat = f->chats++;
		f->chat[chat].a = who;
		f->chat[chat].b = other;
		/* Making it is its first event. */
		f->chat[chat].made = f->chat[chat].last = ++f->position;
		for (i = 0; i < 16; i++)
			f->chat[chat].id.b[i] = (uint8_t)fake_rnd(f, 256);
		if (f->node[other].up)
			fake_send_event(f, other, "chat:created",
			    fake_created(f, a, chat), 1);
	}
	rec = fake_chat_rec(f, a, chat);
	return fake_json(a, &shape_chat_rec, &rec);
}

/* Does a list follow from the one that is here? A new account key may. */
static inline bool
fake_follows(struct fake *f, const struct fake_node *n, struct span list)
{
	struct devlist was, next;
	uint8_t was_hash[SHA256_LEN], next_hash[SHA256_LEN];
	enum err err;

	if (devlist_verify(&f->pv, list, &n->user, &next) != OK)
		abort();
	if (n->list.n == 0)
		return true;
	if (devlist_decode(n->list, &was, NULL) != OK ||
	    devlist_hash(&f->pv, n->list, was_hash) != OK ||
	    devlist_hash(&f->pv, list, next_hash) != OK)
		abort();
	err = devlist_succeeds(&was, was_hash, &next, next_hash);
	return err == OK || err == ERR_IDENTITY_CHANGED;
}

/* PUT of keys: what follows is taken; the clients' checks are tested. */
static inline struct span
fake_take_list(struct fake *f, struct arena *a, struct fake_node *n,
    struct span body)
{
	struct device_list_put_req req;
	struct device_list_put_rep rep = { .version = 1 };

	if (shape_decode(&shape_device_list_put_req, body, a, &req,
	    NULL) != OK)
		abort();
	if (f->refuse_lists != 0) {
		f->refuse_lists--;
		f->status = 400;
		return SPAN("");
	}
	if (!fake_follows(f, n, req.list)) {	/* one version, once */
		f->status = 409;
		return SPAN("");
	}
	n->list = fake_dup(req.list);
	if (req.certs.n != 0)
		n->cert = fake_dup(req.certs.p[0]);
	n->device = req.device_id;
	return fake_json(a, &shape_device_list_put_rep, &rep);
}

static inline struct span
fake_take_prekeys(struct fake *f, struct arena *a, struct fake_node *n,
    struct span body)
{
	struct shape_param id = { SPAN("id"), SPAN("1") };
	struct prekeys_put_req req;
	struct prekeys_put_rep rep = { .left = 62 };
	size_t i;

	if (shape_decode_call(&shape_prekeys_put_req, &id, 1, body, a, &req,
	    NULL) != OK)
		abort();
	if (span_eq(n->header, req.header)) {
		f->status = 409;
		return SPAN("");
	}
	n->header = fake_dup(req.header);
	n->leaves_n = req.leaves.n;
	n->next_leaf = 2;
	for (i = 0; i < req.leaves.n; i++)
		n->leaves[i] = fake_dup(req.leaves.p[i]);
	return fake_json(a, &shape_prekeys_put_rep, &rep);
}

/* The data of an answer; empty: 404. */
static inline struct span
fake_rest(struct fake *f, struct arena *a, int who, struct span path,
    struct span body)
{
	struct span rest, users = SPAN("/api/users/");
	struct user_devices_rep devices = { .has_list = true };
	struct user_get_rep user = { .has_last_seen = false };
	struct refresh_rep refresh = { .has_refresh_token = true,
	    .refresh_token = SPAN("refresh") };
	struct fake_node *n;
	struct user_id id;
	uint64_t after;
	int i;

	if (span_starts(path, SPAN("/api/users/me/device-list")))
		return fake_take_list(f, a, &f->node[who], body);
	if (span_starts(path, SPAN("/api/devices/")))
		return fake_take_prekeys(f, a, &f->node[who], body);
	if (span_starts(path, SPAN("/api/auth/device"))) {
		f->node[who].bound = true;
		return SPAN("{}");
	}
	if (span_starts(path, SPAN("/api/auth/refresh"))) {
		fake_new_token(f, who);
		refresh.access_token = span_str(f->node[who].token);
		return fake_json(a, &shape_refresh_rep, &refresh);
	}
	if (span_starts(path, SPAN("/api/messages/")))
		return fake_remove(f, a, who, path);
	if (span_starts(path, SPAN("/api/settings")))
		return fake_settings(f, a, body);
	if (span_starts(path, SPAN("/api/blocks"))) {
		f->blocks += path.n > 11 || body.n != 0;
		return path.n == 11 && body.n == 0 ? SPAN("{\"blocks\":[]}") :
		    SPAN("{}");
	}
	if (span_starts(path, SPAN("/api/reports"))) {
		f->reports++;
		return SPAN("{}");
	}
	if (span_starts(path, SPAN("/api/chats/")) && body.n != 0) {
		f->patches++;
		return SPAN("{}");
	}
	if (span_starts(path, SPAN("/api/chats")) && body.n != 0)
		return fake_open_chat(f, a, who, body);
	if (span_starts(path, SPAN("/api/sync?after="))) {
		rest = span_sub(path, 16, path.n);
		rest = span_sub(rest, 0, span_find(rest, '&'));
		return span_u64(rest, JSON_U53_MAX, &after) ?
		    fake_sync(f, a, who, after) : SPAN("");
	}
	rest = span_sub(path, users.n, path.n);
	if (!span_starts(path, users) || !id_decode(span_sub(rest, 0, 36),
	    id.b) || (i = fake_who(f, &id)) < 0)
		return SPAN("");
	n = &f->node[i];
	rest = span_sub(rest, 36, rest.n);
	if (span_starts(rest, SPAN("/prekey-bundles")))
		return fake_bundles(f, a, n);
	if (span_starts(rest, SPAN("/devices"))) {
		devices.has_list = n->list.n != 0;
		devices.list = n->list;
		devices.certs.p = &n->cert;
		devices.certs.n = n->cert.n != 0 ? 1 : 0;
		return fake_json(a, &shape_user_devices_rep, &devices);
	}
	user.id = n->user;
	user.username = span_str(n->name);
	user.created_at = f->now;
	user.is_active = true;
	return fake_json(a, &shape_user_get_rep, &user);
}

#endif
