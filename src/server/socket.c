/*
 * socket.c: Socket.IO connections: who they are, their way into the directory
 * and out of it, their events.
 *
 * Implementation notes: a connection is in the directory, and every reactor
 * has heard so, before its catch-up is read: an event committed earlier is in
 * the catch-up, a later one is delivered live and held back meanwhile. What
 * was both read and held is dropped by its position.
 *
 * A connection without a token is accepted at once and has a while to emit
 * `authenticate`; until then it is nobody's and hears nothing. It then goes
 * the same way as one whose token came with the handshake, but for the names
 * and payloads of what it is told (enum deliver_names).
 */
#include "server/sock.h"

#include <assert.h>
#include <stdlib.h>

#include "server/browser.h"
#include "server/ops.h"
#include "server/presence.h"
#include "wire/json.h"

#define SOCKET_CATCH_UP_MAX 1000

static const struct event {
	const char *name;
	enum op_id op;
	const char *fail_event;
} events[] = {
#define HTTP(...)
#define EVENT(dialect, name, op, fail) { name, OP_##op, fail },
#include "server/names.def"
#undef EVENT
#undef HTTP
};

/* ---- sockets ---- */

/* Kept apart: few sockets wait, and they do not for long. */
struct sock_wait {
	struct timer timer;
	struct shard *shard;
	struct sock *sock;
};

static void
sock_end_wait(struct sock *k)
{
	if (k->wait == NULL)
		return;
	timer_cancel(&k->wait->timer);
	free(k->wait);
	k->wait = NULL;
}

static void
sock_free(struct shard *s, struct sock *k)
{
	sock_end_wait(k);
	for (size_t i = 0; i < k->held_n; i++)
		blob_unref(k->held[i].blob);
	free(k->held);
	pool_put(&s->socks, k);
}

void
socket_give(struct shard *s, struct sock *k, struct blob *b, uint64_t position)
{
	if (k->state == SOCK_LIVE) {
		edge_emit(k->ref, b);
		metric_add(&s->metrics.deliveries, 1);
		return;
	}
	if (k->state != SOCK_HOLDING || k->held_over)
		return;
	if (k->held == NULL)
		k->held = calloc(SOCK_HELD_MAX, sizeof(*k->held));
	if (k->held == NULL || k->held_n == SOCK_HELD_MAX) {
		k->held_over = true;
		return;
	}
	k->held[k->held_n++] = (struct held){ blob_ref(b), position };
}

void
socket_end(struct shard *s, struct sock *k, const char *reason)
{
	uint8_t text[128];
	struct wr w = wr_init(text, sizeof(text));

	(void)s;
	if (k->state == SOCK_ENDING)
		return;
	wr_u8(&w, '{');
	json_put_name(&w, "reason");
	json_put_str(&w, span_str(reason));
	wr_u8(&w, '}');
	if (k->accepted) {
		edge_emit_one(k->ref, SPAN("session:ended"), wr_done(&w));
		edge_disconnect(k->ref, true);
	}
	k->state = SOCK_ENDING;
}

static void
sock_sync_now(struct shard *s, struct sock *k, uint64_t position)
{
	uint8_t text[64];
	struct wr w = wr_init(text, sizeof(text));

	wr_u8(&w, '{');
	json_put_name(&w, "position");
	json_put_u64(&w, position);
	wr_u8(&w, '}');
	edge_emit_one(k->ref, SPAN("sync:now"), wr_done(&w));
	metric_add(&s->metrics.resyncs, 1);
}

/* The catch-up is through: what was held follows, then it is live. */
static void
sock_go_live(struct shard *s, struct sock *k, uint64_t caught_up)
{
	k->state = SOCK_LIVE;
	if (k->held_over)
		sock_sync_now(s, k, caught_up);
	for (size_t i = 0; i < k->held_n; i++) {
		const struct held *h = &k->held[i];

		if (h->position == 0 || h->position > caught_up)
			edge_emit(k->ref, h->blob);
		blob_unref(h->blob);
	}
	free(k->held);
	k->held = NULL;
	k->held_n = 0;
	k->held_over = false;
}

/* ---- presence ---- */

/* The home of a user announces; it alone sees all changes in one order. */
static void
socket_announce(struct shard *s, const struct user_id *user,
    enum directory_state before, enum directory_state after)
{
	static const enum presence_status names[] = {
		[DIRECTORY_OFFLINE] = PRESENCE_OFFLINE,
		[DIRECTORY_AWAY] = PRESENCE_AWAY,
		[DIRECTORY_ONLINE] = PRESENCE_ONLINE,
	};
	struct caller who = { .user = *user, .is_known = true };

	if (before == after || s->stopping ||
	    frame_shard_of(s->server, user->b) != s)
		return;
	struct frame *f = frame_internal(s, ops_get(OP_announce), &who, NULL);
	if (f == NULL)
		return;
	struct presence_state *p = ARENA_NEW(&f->call.arena,
	    struct presence_state);
	if (p == NULL) {
		frame_free(f);
		return;
	}
	p->status = names[after];
	f->call.state = p;
	frame_run(f);
}

static void
socket_hear(struct shard *s, struct frame *f)
{
	enum directory_state before, after;

	if (s == f->home)
		return;		/* its directory is where this comes from */
	if (directory_hear(&s->directory, f->home->index, &f->call.who.user,
	    f->state, f->kinds, f->delta, &before, &after) == OK)
		socket_announce(s, &f->call.who.user, before, after);
}

/*
 * A connection of this shard has changed: tell the others, without waiting.
 * before: the user's presence as it was.
 */
static void
socket_tell(struct shard *s, const struct caller *who,
    enum directory_state before, int delta)
{
	if (s->stopping)
		return;		/* all of us go, and nobody is told */
	socket_announce(s, &who->user, before,
	    directory_state(&s->directory, &who->user));
	struct frame *f = frame_internal(s, ops_get(OP_disconnect), who,
	    NULL);
	if (f == NULL)
		return;
	f->state = directory_here(&s->directory, &who->user);
	f->kinds = directory_kinds(&s->directory, &who->user);
	f->delta = delta;
	f->stage = STAGE_END;
	if (frame_everywhere(f, socket_hear, frame_run))
		frame_run(f);
}

static void
socket_leave(struct shard *s, struct sock *k)
{
	if (k->conn.user == NULL)
		return;
	struct caller who = k->who;
	enum directory_state before = directory_state(&s->directory,
	    &who.user);

	directory_remove(&s->directory, &k->conn);
	metric_set(&s->metrics.users_online, s->directory.here);
	metric_set(&s->metrics.sockets,
	    metric_get(&s->metrics.sockets) - 1);
	socket_tell(s, &who, before, -1);
}

void
socket_presence(struct frame *f)
{
	struct shard *s = f->home;
	struct sock *k = f->origin == ORIGIN_EVENT ? edge_user(f->ref) : NULL;
	enum directory_state before;

	if (k == NULL || k->conn.user == NULL || k->conn.is_away == f->is_away)
		return;
	before = directory_state(&s->directory, &k->who.user);
	directory_set_away(&s->directory, &k->conn, f->is_away);
	socket_tell(s, &k->who, before, 0);
}

/* ---- sessions that end or change ---- */

void
socket_end_sessions(struct shard *s, struct frame *f)
{
	const struct directory_user *u;

	for (size_t i = 0; i < f->sessions_n; i++)
		sessions_forget(&s->sessions, &f->sessions[i]);
	metric_set(&s->metrics.sessions_cached, s->sessions.by_id.n);
	u = directory_find(&s->directory, &f->sessions_user);
	if (u == NULL)
		return;
	const struct list *head = &u->conns;
	for (struct list *l = head->next, *next; l != head; l = next) {
		struct sock *k = sock_of(l);

		next = l->next;
		for (size_t i = 0; i < f->sessions_n; i++)
			if (ID_EQ(k->who.session, f->sessions[i]))
				socket_end(s, k, f->sessions_reason);
	}
}

void
socket_set_device(struct shard *s, struct frame *f)
{
	const struct directory_user *u = directory_find(&s->directory,
	    &f->sessions_user);

	sessions_set_device(&s->sessions, &f->sessions[0],
	    f->sessions_device);
	if (u == NULL)
		return;
	const struct list *head = &u->conns;
	for (struct list *l = head->next; l != head; l = l->next) {
		struct sock *k = sock_of(l);

		if (ID_EQ(k->who.session, f->sessions[0]))
			k->who.device = f->sessions_device;
	}
}

/* ---- coming in ---- */

bool
socket_page(void *arg, const struct edge_request *req)
{
	struct shard *s = arg;
	struct span origin = http_find(req->head, "Origin");

	/* Which of two would count could be seen differently by a proxy. */
	if (http_count(req->head, "Origin") == 1 &&
	    (browser_is_own(origin, req->host, req->tls) ||
	    browser_is_listed(atomic_load_explicit(&s->server->conf,
	    memory_order_acquire), origin)))
		return true;
	metric_add(&s->metrics.sockets_refused, 1);
	return false;
}

int
socket_handshake(void *arg, struct edge_handshake *h)
{
	return h->origin.n == 0 || socket_page(arg, h->request) ? 0 : 403;
}

/* Whose pages may read what polling is answered: as with REST. */
bool
socket_origin(void *arg, struct span origin)
{
	struct shard *s = arg;

	return browser_is_listed(atomic_load_explicit(&s->server->conf,
	    memory_order_acquire), origin);
}

static void
socket_refuse(struct shard *s, struct edge_ref ref, enum err e,
    const char *message)
{
	uint8_t text[128];
	struct wr w = wr_init(text, sizeof(text));

	if (message == NULL)
		message = err_status(e) == 401 ? "Authentication failed" :
		    err_text(e);
	wr_u8(&w, '{');
	json_put_name(&w, "code");
	json_put_str(&w, span_str(err_code(e)));
	wr_u8(&w, '}');
	edge_refuse(ref, span_str(message), wr_done(&w));
	metric_add(&s->metrics.sockets_refused, 1);
}

static struct sock *
sock_new(struct shard *s, struct edge_ref ref, const struct edge_connect *c)
{
	struct sock *k = pool_get(&s->socks);

	if (k == NULL)
		return NULL;
	memset(k, 0, sizeof(*k));
	k->ref = ref;
	k->addr = c->addr;
	edge_set_user(ref, k);
	return k;
}

static void
sock_late(struct timer *t)
{
	struct sock_wait *w = LIST_ITEM(t, struct sock_wait, timer);

	socket_end(w->shard, w->sock, "authentication_timeout");
}

/* Without a token: it is accepted, and `authenticate` has to follow. */
static void
socket_wait(struct shard *s, struct edge_ref ref, const struct edge_connect *c)
{
	const struct conf *conf = atomic_load_explicit(&s->server->conf,
	    memory_order_acquire);
	struct sock_wait *w = calloc(1, sizeof(*w));
	struct sock *k = w == NULL ? NULL : sock_new(s, ref, c);

	if (k == NULL) {
		free(w);
		socket_refuse(s, ref, ERR_BUSY, NULL);
		return;
	}
	w->shard = s;
	w->sock = k;
	k->wait = w;
	k->state = SOCK_WAITING;
	k->conn.kind = DELIVER_FIRST_EVENT;
	timer_start(reactor_wheel(s->reactor), &w->timer,
	    conf->edge_authenticate_ms, sock_late);
	edge_accept_guest(ref);
	k->accepted = true;
}

/* A call of op, which lets the socket in; NULL: too many are under way. */
static struct frame *
socket_join(struct shard *s, struct sock *k, enum op_id op)
{
	struct frame *f = frame_new(s, ops_get(op), ORIGIN_CONNECT);

	if (f == NULL)
		return NULL;
	f->ref = k->ref;
	f->addr = k->addr;
	f->sock = k;
	k->busy = true;
	return f;
}

/* Looks at the token in the body, an object, and goes on. */
static void
socket_join_run(struct frame *f, struct span body)
{
	struct span token = { NULL, 0 };
	enum err e = ERR_INVALID_TOKEN;

	if (!frame_copy(f, body, &f->body))
		return;
	if (json_find_string(f->body, SPAN("token"), &f->call.arena, &token))
		e = frame_token(f, token);
	if (e != OK)
		frame_fail(f, e);
	else
		frame_run(f);
}

void
socket_connect(void *arg, struct edge_ref ref, const struct edge_connect *c)
{
	struct shard *s = arg;
	struct span token = json_find(c->auth, SPAN("token"));

	if (!span_eq(c->nsp, SPAN("/"))) {
		socket_refuse(s, ref, ERR_NOT_FOUND, "Invalid namespace");
		return;
	}
	if (token.n == 0 || span_eq(token, SPAN("null"))) {
		socket_wait(s, ref, c);
		return;
	}
	struct sock *k = sock_new(s, ref, c);
	struct frame *f = k == NULL ? NULL : socket_join(s, k, OP_connect);
	if (f == NULL) {
		edge_set_user(ref, NULL);
		pool_put(&s->socks, k);
		socket_refuse(s, ref, ERR_BUSY, NULL);
		return;
	}
	socket_join_run(f, c->auth);
}

enum err
socket_open(struct frame *f, bool *gone)
{
	struct shard *s = f->home;
	struct sock *k = f->sock;
	const struct user_id *user = &f->call.who.user;
	uint32_t max = f->call.conf->limits_sockets;
	enum directory_state before = directory_state(&s->directory, user);

	if (k->closed)
		return ERR_UNAVAILABLE;
	if (max != 0 && directory_conns(&s->directory, user) >= max)
		return call_fail(&f->call, ERR_RATE_LIMITED,
		    "This account has too many connections");
	k->who = f->call.who;
	k->state = SOCK_HOLDING;
	TRY(directory_add(&s->directory, user, &k->conn));
	metric_add(&s->metrics.sockets, 1);
	metric_set(&s->metrics.users_online, s->directory.here);
	socket_announce(s, user, before, directory_state(&s->directory,
	    user));
	f->state = directory_here(&s->directory, user);
	f->kinds = directory_kinds(&s->directory, user);
	f->delta = 1;
	*gone = !frame_everywhere(f, socket_hear, frame_run);
	return OK;
}

/* Emits what the catch-up found, then what came meanwhile. */
static void
socket_caught_up(struct frame *f)
{
	struct shard *s = f->home;
	struct sock *k = f->sock;
	const struct sync_req *req = f->call.req;
	const struct sync_rep *rep = f->call.rep;
	uint64_t position = req->after;

	k->busy = false;
	if (k->closed) {
		sock_free(s, k);
		return;
	}
	if (k->state == SOCK_ENDING)
		return;
	if (f->err == OK) {
		for (size_t i = 0; i < rep->events.n; i++)
			edge_emit_one(k->ref, rep->events.p[i].event,
			    rep->events.p[i].data);
		position = rep->position;
	}
	if (f->err != OK || rep->more) {
		/* What is held lies behind a gap: the client asks sync. */
		k->held_over = true;
	}
	sock_go_live(s, k, position);
}

static void
socket_catch_up(struct frame *f, uint64_t after)
{
	struct shard *s = f->home;
	struct sock *k = f->sock;
	const struct op *op = ops_find("sync");
	struct frame *g = op == NULL ? NULL : frame_internal(s, op, &k->who,
	    socket_caught_up);

	if (g == NULL) {
		k->held_over = true;
		sock_go_live(s, k, after);
		return;
	}
	struct sync_req *req = g->call.req;
	req->after = after;
	req->limit = SOCKET_CATCH_UP_MAX;
	req->has_limit = true;
	g->sock = k;
	k->busy = true;
	frame_run(g);
}

/* To one socket, by the names and words that it hears. */
static void
socket_tell_one(struct frame *f, enum deliver_names names,
    const struct user_id *user, enum presence_status status)
{
	bool first = names == DELIVER_FIRST_EVENT;
	struct presence_ev ev = { .user_id = *user,
	    .status = first && status == PRESENCE_AWAY ? PRESENCE_ONLINE :
	    status, .timestamp = f->call.now_ms, .has_timestamp = !first };
	struct arena_mark mark = arena_mark(&f->call.arena);
	struct span json;

	if (shape_encode_arena(&shape_presence_ev, &ev, &f->call.arena,
	    &json) == OK)
		edge_emit_one(f->ref, first ? SPAN("user:status") :
		    SPAN("presence:update"), json);
	arena_reset(&f->call.arena, mark);
}

/* Who of my people is there: one event for each that is. */
static void
socket_tell_peers(struct frame *f)
{
	const struct presence_state *p = f->call.state;

	for (size_t i = 0; p != NULL && i < p->peers_n; i++) {
		enum presence_status status = call_presence_of(&f->call,
		    &p->peers[i]);

		if (status != PRESENCE_OFFLINE)
			socket_tell_one(f, (enum deliver_names)
			    f->sock->conn.kind, &p->peers[i], status);
	}
}

void
socket_view(struct frame *f)
{
	const struct presence_state *p = f->view;

	for (size_t i = 0; f->origin == ORIGIN_EVENT && i < p->peers_n; i++)
		socket_tell_one(f, f->names, &p->peers[i], i < p->seen_n ?
		    call_presence_of(&f->call, &p->peers[i]) :
		    PRESENCE_OFFLINE);
}

static void
socket_welcome(struct frame *f)
{
	const struct connect_req *req = f->call.req;
	const struct acknowledged_ev *rep = f->call.rep;
	struct span json;

	edge_accept(f->ref);
	f->sock->accepted = true;
	if (shape_encode_arena(&shape_acknowledged_ev, rep, &f->call.arena,
	    &json) == OK)
		edge_emit_one(f->ref, SPAN("connection:acknowledged"), json);
	socket_tell_peers(f);
	if (req->has_after)
		socket_catch_up(f, req->after);
	else
		sock_go_live(f->home, f->sock, rep->position);
}

/* The answer to `authenticate`: an event, and an acknowledgement if asked. */
static void
socket_authenticated(struct frame *f, const struct authenticated_ev *ev)
{
	struct span json;

	if (shape_encode_arena(&shape_authenticated_ev, ev, &f->call.arena,
	    &json) != OK)
		return;
	if (f->ack >= 0)
		edge_ack(f->ref, f->ack, json);
	edge_emit_one(f->ref, SPAN("authenticated"), json);
}

static void
socket_not_authenticated(struct frame *f, enum err e)
{
	struct authenticated_ev ev = { .success = false, .has_error = true,
	    .error.code = span_str(err_code(e)),
	    .error.message = span_str(f->message != NULL ? f->message :
	    err_text(e)) };

	socket_authenticated(f, &ev);
	f->sock->state = SOCK_ENDING;
	metric_add(&f->home->metrics.sockets_refused, 1);
	edge_disconnect(f->ref, true);	/* on_close follows */
}

/* Of OP_authenticate; the socket was accepted long before. */
static void
socket_joined(struct frame *f)
{
	struct sock *k = f->sock;

	if (f->err == OK && k->state == SOCK_HOLDING) {
		edge_promote(k->ref);
		socket_authenticated(f, f->call.rep);
		socket_tell_peers(f);
		sock_go_live(f->home, k, 0);
		return;
	}
	socket_leave(f->home, k);
	if (k->closed)
		sock_free(f->home, k);
	else if (k->state != SOCK_ENDING)
		socket_not_authenticated(f, f->err);
}

void
socket_opened(struct frame *f)
{
	struct shard *s = f->home;
	struct sock *k = f->sock;
	enum err e = f->err;

	k->busy = false;
	if (f->call.op == ops_get(OP_authenticate)) {
		socket_joined(f);
		return;
	}
	if (e == OK && k->state == SOCK_ENDING)
		e = ERR_INVALID_TOKEN;
	if (e == OK && !k->closed) {
		socket_welcome(f);
		return;
	}
	socket_leave(s, k);
	if (!k->closed) {
		edge_set_user(k->ref, NULL);
		socket_refuse(s, k->ref, e, f->message);
	}
	sock_free(s, k);
}

void
socket_close(void *arg, struct edge_ref ref, enum edge_end why)
{
	struct shard *s = arg;
	struct sock *k = edge_user(ref);

	(void)why;
	if (k == NULL)
		return;
	edge_set_user(ref, NULL);
	k->closed = true;
	k->state = SOCK_ENDING;
	socket_leave(s, k);
	if (!k->busy)
		sock_free(s, k);
}

/* ---- events ---- */

static const struct event *
socket_find_event(struct span name)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (span_eq(name, span_str(events[i].name)))
			return &events[i];
	return NULL;
}

static void
socket_refuse_event(struct edge_ref ref, int64_t ack, enum err e,
    const char *message)
{
	uint8_t text[256];
	struct wr w = wr_init(text, sizeof(text));

	if (ack < 0)
		return;
	wr_str(&w, "{\"error\":{\"code\":");
	json_put_str(&w, span_str(err_code(e)));
	wr_str(&w, ",\"message\":");
	json_put_str(&w, span_str(message != NULL ? message : err_text(e)));
	wr_str(&w, "}}");
	edge_ack(ref, ack, wr_done(&w));
}

/* An event before anybody has authenticated. */
static void
socket_early(struct shard *s, struct sock *k, const struct edge_event *e)
{
	struct frame *f;

	if (!span_eq(e->name, SPAN("authenticate"))) {
		metric_add(&s->metrics.requests_refused, 1);
		socket_refuse_event(k->ref, e->ack, ERR_INVALID_TOKEN,
		    "Authenticate first");
		if (++k->early_n > SOCK_EARLY_MAX)
			socket_end(s, k, "not_authenticated");
		return;
	}
	sock_end_wait(k);
	f = socket_join(s, k, OP_authenticate);
	if (f == NULL) {
		socket_refuse_event(k->ref, e->ack, ERR_BUSY, NULL);
		socket_end(s, k, "busy");
		return;
	}
	f->ack = e->ack;
	socket_join_run(f, e->first);
}

void
socket_event(void *arg, struct edge_ref ref, const struct edge_event *e)
{
	struct shard *s = arg;
	struct sock *k = edge_user(ref);
	const struct event *ev = socket_find_event(e->name);

	if (k == NULL || k->state == SOCK_ENDING || k->state == SOCK_NEW)
		return;
	if (k->state == SOCK_WAITING && !k->busy) {
		socket_early(s, k, e);
		return;
	}
	if (span_eq(e->name, SPAN("authenticate"))) {
		socket_refuse_event(ref, e->ack, ERR_CONFLICT,
		    "This socket has authenticated already");
		return;
	}
	if (!k->who.is_known) {
		socket_refuse_event(ref, e->ack, ERR_INVALID_TOKEN,
		    "Wait for authenticated");
		return;
	}
	if (ev == NULL) {
		metric_add(&s->metrics.requests_not_found, 1);
		socket_refuse_event(ref, e->ack, ERR_NOT_FOUND,
		    "There is no such event");
		return;
	}
	struct frame *f = frame_new(s, ops_get(ev->op), ORIGIN_EVENT);
	if (f == NULL) {
		metric_add(&s->metrics.requests_refused, 1);
		socket_refuse_event(ref, e->ack, ERR_BUSY, NULL);
		return;
	}
	f->ref = ref;
	f->addr = k->addr;
	f->ack = e->ack;
	f->names = (enum deliver_names)k->conn.kind;
	f->fail_event = ev->fail_event;
	f->call.who = k->who;
	if (frame_copy(f, e->first, &f->body))
		frame_run(f);
}
