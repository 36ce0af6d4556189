/*
 * test_server.h: for tests only: profiles in memory, and a server in memory
 * that does what docs/api.md says, of what clients use. Included by
 * test_world.h, which has the clients and the network between.
 */
#ifndef CLIENT_TEST_SERVER_H
#define CLIENT_TEST_SERVER_H

#include <stdlib.h>

#include "base/list.h"
#include "base/text.h"
#include "client/client.h"
#include "crypto/host.h"
#include "crypto/named.h"
#include "crypto/openssl.h"
#include "pub/devlist.h"
#include "pub/prekey_batch.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define FAKE_NODES 3
#define FAKE_LEAVES 64
#define FAKE_MESSAGES 8192
#define FAKE_ACTIONS 8192

struct fake_record {
	uint8_t kind;
	struct span key, value;		/* malloc'ed */
};

/* A profile on "disk". */
struct fake_store {
	struct fake_record *r;
	size_t n, cap;
};

/* A message as the server has it. */
struct fake_message {
	struct message_rec m;		/* spans malloc'ed */
	struct shape_pair pairs[8];
};

enum fake_action_type { ACT_TIMER, ACT_ANSWER, ACT_EVENT, ACT_ACK, ACT_UP,
	ACT_START, ACT_DOWN };

struct fake_action {
	enum fake_action_type type;
	uint64_t at, order;
	int node;
	uint32_t id, status, link;
	char *name, *json;
};

struct fake_node {
	struct fake_store store;
	struct client c;
	bool alive, up, caught_up;
	uint32_t options;		/* 0: CLIENT_LISTEN */
	uint32_t link;			/* number of the present connection */
	uint32_t life;			/* number of the present process */
	uint64_t timer;
	struct user_id user;
	char name[16];
	/* Server's side of this account. */
	struct span list, cert, header, leaves[FAKE_LEAVES];
	size_t leaves_n, next_leaf;
	uint32_t device;
	uint8_t dsk_hash[32];
	bool bound;
	char token[128];
	unsigned tokens;
	/* What the test looks at. */
	unsigned ready, refused, repaired, errors, warnings, crashes;
};

struct fake {
	struct provider ossl, pv;
	struct named named;
	uint64_t now, order, rnd;
	uint64_t position;
	struct fake_node node[FAKE_NODES];
	struct { struct chat_id id; int a, b; uint64_t made, last;
	    bool said; } chat[8];
	int chats;
	struct fake_message *msg;
	size_t msgs;
	struct fake_action act[FAKE_ACTIONS];
	size_t acts;
	/* Faults, in percent. */
	unsigned drop, dup, reorder, crash, lose_answer, cut;
	/* Changes a message on its way to node `to`; may be NULL. */
	void (*tamper)(struct fake *f, struct message_rec *m, int to);
	bool silent;			/* a connection repeats nothing */
	uint32_t status;		/* of a refusal under way; 0: 404 */
	unsigned refuse_lists;		/* so many next ones, with 400 */
	uint8_t *mem;
};

static inline uint64_t
fake_rnd(struct fake *f, uint64_t n)
{
	f->rnd ^= f->rnd << 13;
	f->rnd ^= f->rnd >> 7;
	f->rnd ^= f->rnd << 17;
	return f->rnd % n;
}

/*
 * The heap of a test: what is not given back by the end of its world is swept
 * then, so that a test may drop what it looked at.
 */
struct fake_mem {
	struct list in;
	uint8_t p[];
};
static struct list fake_heap = { &fake_heap, &fake_heap };

static inline void *
fake_alloc(size_t n)
{
	struct fake_mem *m = calloc(1, sizeof(*m) + n + 1);

	if (m == NULL)
		abort();
	list_push(&fake_heap, &m->in);
	return m->p;
}

static inline void
fake_drop(const void *p)
{
	union { const void *c; char *p; } u = { p };
	struct fake_mem *m;

	if (p == NULL)
		return;
	m = (struct fake_mem *)(void *)(u.p - offsetof(struct fake_mem, p));
	list_remove(&m->in);
	free(m);
}

static inline void
fake_sweep(void)
{
	struct list *l;

	while ((l = list_pop(&fake_heap)) != NULL)
		free(LIST_ITEM(l, struct fake_mem, in));
}

static inline struct span
fake_dup(struct span s)
{
	uint8_t *p = fake_alloc(s.n);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

static inline void
fake_free(struct span s)
{
	fake_drop(s.p);
}

/* ------------------------------------------------------------ records */

static inline size_t
fake_lower(const struct fake_store *st, uint8_t kind, struct span key)
{
	size_t lo = 0, hi = st->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct fake_record *r = &st->r[mid];

		if (r->kind < kind || (r->kind == kind &&
		    span_cmp(r->key, key) < 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static inline bool
fake_is(const struct fake_store *st, size_t i, uint8_t kind, struct span key)
{
	return i < st->n && st->r[i].kind == kind &&
	    span_eq(st->r[i].key, key);
}

static inline enum err
fake_load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *out)
{
	const struct fake_store *st = ctx;
	size_t i = fake_lower(st, kind, key);

	if (!fake_is(st, i, kind, key))
		return ERR_NOT_FOUND;
	return arena_dup(a, st->r[i].value, out);
}

static inline enum err
fake_seek(void *ctx, uint8_t kind, struct span prefix, struct span from,
    bool back, struct arena *a, struct span *key_out, struct span *value_out)
{
	const struct fake_store *st = ctx;
	const struct fake_record *best = NULL;
	size_t i, lo = fake_lower(st, kind, prefix);

	/* Plain on purpose: the meaning of `seek`, without cleverness. */
	if (!back && from.n != 0)
		lo = fake_lower(st, kind, from);
	for (i = lo; i < st->n && st->r[i].kind == kind; i++) {
		const struct fake_record *r = &st->r[i];

		if (!span_starts(r->key, prefix)) {
			if (back || from.n == 0 ||
			    span_cmp(r->key, prefix) > 0)
				break;
			continue;
		}
		if (from.n != 0 && (back ? span_cmp(r->key, from) >= 0 :
		    span_cmp(r->key, from) <= 0)) {
			if (back)
				break;
			continue;
		}
		best = r;
		if (!back)
			break;
	}
	if (best == NULL)
		return ERR_NOT_FOUND;
	if (arena_dup(a, best->key, key_out) != OK)
		return ERR_TOO_LARGE;
	return arena_dup(a, best->value, value_out);
}

static inline void
fake_put(struct fake_store *st, uint8_t kind, bool del, struct span key,
    struct span value)
{
	size_t i = fake_lower(st, kind, key);

	if (fake_is(st, i, kind, key)) {
		fake_free(st->r[i].value);
		if (!del) {
			st->r[i].value = fake_dup(value);
			return;
		}
		fake_free(st->r[i].key);
		memmove(&st->r[i], &st->r[i + 1],
		    (st->n - i - 1) * sizeof(*st->r));
		st->n--;
		return;
	}
	if (del)
		return;
	if (st->n == st->cap) {
		st->cap = st->cap ? 2 * st->cap : 256;
		st->r = realloc(st->r, st->cap * sizeof(*st->r));
		if (st->r == NULL)
			abort();
	}
	memmove(&st->r[i + 1], &st->r[i], (st->n - i) * sizeof(*st->r));
	st->r[i] = (struct fake_record){ kind, fake_dup(key),
	    fake_dup(value) };
	st->n++;
}

/* ------------------------------------------------------------- actions */

static inline struct fake_action *
fake_later(struct fake *f, enum fake_action_type t, int node, uint64_t in_ms)
{
	struct fake_action *a;

	if (f->acts == FAKE_ACTIONS)
		abort();
	a = &f->act[f->acts++];
	*a = (struct fake_action){ .type = t, .node = node,
	    .at = f->now + in_ms, .order = f->order++ };
	return a;
}

static inline char *
fake_text(struct span s)
{
	union { const uint8_t *c; char *p; } u = { fake_dup(s).p };

	return u.p;
}

static inline void
fake_send_event(struct fake *f, int to, const char *name, struct span json,
    uint64_t in_ms)
{
	struct fake_action *a = fake_later(f, ACT_EVENT, to, in_ms);

	a->link = f->node[to].link;
	a->name = fake_text(span_str(name));
	a->json = fake_text(json);
}

static inline struct span
fake_json(struct arena *a, const struct shape *shape, const void *rec)
{
	struct span out;

	if (shape_encode_arena(shape, rec, a, &out) != OK)
		abort();
	return out;
}

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
fake_deliver(struct fake *f, struct arena *a, size_t index, int to)
{
	const struct fake_message *m = &f->msg[index];
	unsigned times = fake_rnd(f, 100) < f->dup ? 2 : 1;

	if (!f->node[to].up || fake_rnd(f, 100) < f->drop)
		return;
	while (times-- > 0)
		fake_send_event(f, to, "message:new", fake_view(f, a, m, to),
		    fake_rnd(f, 100) < f->reorder ? fake_rnd(f, 400) :
		    1 + fake_rnd(f, 3));
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
		    .message_type = req.message_type };
		for (i = 0; i < 16; i++)
			m->m.message_id.b[i] = (uint8_t)fake_rnd(f, 256);
		m->pairs[0].name = fake_dup(req.encrypted_keys.p[0].name);
		m->pairs[0].value = fake_dup(req.encrypted_keys.p[0].value);
		m->m.encrypted_keys.p = m->pairs;
		m->m.encrypted_keys.n = 1;
		f->chat[chat].said = true;
		m->m.prev = f->chat[chat].last;
		/* An event for some devices is nobody's prev. */
		if (req.message_type != MSG_TYPE_EVENT)
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
	struct sync_event_rec *ev = arena_alloc(a, 50 * sizeof(*ev));
	struct sync_rep rep = { .position = f->position };
	size_t i, n = 0;

	for (i = 0; i < f->msgs; i++) {
		const struct fake_message *m = &f->msg[i];
		int chat = fake_chat(f, &m->m.chat_id);

		if (m->m.position <= after || (f->chat[chat].a != who &&
		    f->chat[chat].b != who))
			continue;
		if (n == 50) {
			rep.more = true;
			rep.position = ev[n - 1].position;
			break;
		}
		ev[n++] = (struct sync_event_rec){ m->m.position, m->m.prev,
		    SPAN("message:new"), fake_view(f, a, m, who) };
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
