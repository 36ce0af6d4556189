/*
 * recover.c: connection state recovery. Events that were sent get an offset,
 * a last argument that clients report when they come back, and stay in a log;
 * a socket that ended against its client's will is kept for a while: its id
 * and its rooms. Who names one of these (by a secret pid) and an offset that
 * is still in the log goes on from there.
 * exports edge_recover_*
 *
 * Implementation notes: like socket.io's adapter in memory, the log is one
 * ring for all, since most events are for many, and who missed what is found
 * by the rooms that each event went to. Events stay a minute longer than
 * sockets, because an offset may be of an event from before the end.
 */
#include <assert.h>

#include "base/text.h"
#include "edge/recover.h"
#include "wire/json.h"

#define LOG_MORE_MS 60000	/* events stay longer than sockets */
#define OFFSET_RAW 9
#define AUTH_BYTES 256		/* of decoded strings in an auth object */

static uint64_t
now_ms(const struct recovery *v)
{
	return reactor_now_ms(v->edge->reactor);
}

static struct logged *
entry(const struct recovery *v, size_t i)
{
	return &v->log[(v->first + i) % v->max];
}

/* ---- What is kept ---- */

static size_t
kept_bytes(const struct kept *t)
{
	return sizeof *t + t->rooms->n + t->missed.n;
}

static size_t
logged_bytes(const struct logged *g)
{
	return sizeof *g + (g->frames == NULL ? 0 : g->frames->n) +
	    g->targets->n;
}

/* No client can name it any more; who has its pid now is another's. */
static void
hide(struct recovery *v, struct kept *t)
{
	if (map_find(&v->by_pid, t->pid) == t)
		(void)map_remove(&v->by_pid, t->pid);
	list_remove(&t->link);
}

static void
count(struct recovery *v, struct kept *t)
{
	v->edge->stats.kept_socks++;
	v->edge->stats.kept_bytes += kept_bytes(t);
}

static struct missed *
missed_at(const struct kept *t, size_t i)
{
	return &((struct missed *)(void *)t->missed.p)[i];
}

static size_t
missed_n(const struct kept *t)
{
	return t->missed.n / sizeof(struct missed);
}

void
edge_recover_drop(struct recovery *v, struct kept *t)
{
	hide(v, t);
	v->edge->stats.kept_socks--;
	v->edge->stats.kept_bytes -= kept_bytes(t);
	for (size_t i = 0; i < missed_n(t); i++)
		blob_unref(missed_at(t, i)->frames);
	buf_fini(&t->missed);
	blob_unref(t->rooms);
	edge_nsp_unref(t->nsp);
	slab_put(&v->kepts, t);
}

static void
drop_event(struct recovery *v)
{
	struct logged *g = entry(v, 0);

	v->edge->stats.kept_events--;
	v->edge->stats.kept_bytes -= logged_bytes(g);
	blob_unref(g->frames);
	blob_unref(g->targets);
	edge_nsp_unref(g->nsp);
	v->first = (v->first + 1) % v->max;
	v->n--;
}

static void on_expiry(struct timer *t);

static struct kept *
oldest(const struct recovery *v)
{
	return list_is_empty(&v->order) ? NULL :
	    LIST_ITEM(v->order.next, struct kept, link);
}

/* To when the oldest of either kind is over. */
static void
set_timer(struct recovery *v)
{
	uint64_t now = now_ms(v), at = UINT64_MAX, log_at;
	const struct kept *t = oldest(v);

	if (t != NULL)
		at = t->until_ms;
	if (v->n > 0) {
		log_at = entry(v, 0)->at_ms + v->edge->conf.recovery_ms +
		    LOG_MORE_MS;
		at = log_at < at ? log_at : at;
	}
	if (at == UINT64_MAX)
		timer_cancel(&v->timer);
	else
		timer_start(reactor_wheel(v->edge->reactor), &v->timer,
		    at > now ? at - now + 1 : 1, on_expiry);
}

static void
on_expiry(struct timer *timer)
{
	struct recovery *v = (struct recovery *)(void *)((char *)timer -
	    offsetof(struct recovery, timer));
	uint64_t now = now_ms(v);
	struct kept *t;

	while ((t = oldest(v)) != NULL && t->until_ms < now)
		edge_recover_drop(v, t);
	while (v->n > 0 && entry(v, 0)->at_ms + v->edge->conf.recovery_ms +
	    LOG_MORE_MS < now)
		drop_event(v);
	set_timer(v);
}

/* Over the limit of bytes: the oldest go, events first. */
static void
shrink(struct recovery *v)
{
	const struct edge_conf *c = &v->edge->conf;
	struct edge_stats *st = &v->edge->stats;
	struct kept *t;

	while (st->kept_bytes > c->recovery_bytes_max) {
		st->kept_over++;
		if (v->n > 0)
			drop_event(v);
		else if ((t = oldest(v)) != NULL)
			edge_recover_drop(v, t);
		else
			break;
	}
}

enum err
edge_recover_open(struct edge *e)
{
	const struct edge_conf *c = &e->conf;
	struct recovery *v;
	enum err err;

	if (c->recovery_ms == 0)
		return OK;
	if (c->recovery_socks_max == 0 || c->recovery_events_max == 0)
		return ERR_ARG;
	if ((v = calloc(1, sizeof *v)) == NULL)
		return ERR_NOMEM;
	v->edge = e;
	v->max = c->recovery_events_max;
	list_init(&v->order);
	map_init(&v->by_pid, SIO_PID, c->recovery_socks_max, e->sio->seed);
	sys_random(&v->next, sizeof v->next);
	v->next >>= 8;			/* 7 bytes of it are sent */
	v->log = sys_reserve(v->max * sizeof v->log[0]);
	err = v->log == NULL ? ERR_NOMEM : slab_open(&v->kepts,
	    sizeof(struct kept), c->recovery_socks_max);
	if (err != OK) {
		if (v->log != NULL)
			sys_unreserve(v->log, v->max * sizeof v->log[0]);
		free(v);
		return err;
	}
	e->sio->recovery = v;
	return OK;
}

void
edge_recover_close(struct edge *e)
{
	struct recovery *v = e->sio->recovery;
	struct kept *t;

	if (v == NULL)
		return;
	while ((t = oldest(v)) != NULL)
		edge_recover_drop(v, t);
	while (v->n > 0)
		drop_event(v);
	timer_cancel(&v->timer);
	assert(v->kepts.n == 0);
	slab_close(&v->kepts);
	map_fini(&v->by_pid);
	sys_unreserve(v->log, v->max * sizeof v->log[0]);
	free(v);
	e->sio->recovery = NULL;
}

/* ---- Offsets and the log ---- */

static void
put_offset(uint64_t offset, char out[static SIO_OFFSET])
{
	uint8_t raw[OFFSET_RAW] = { 0 };
	struct wr w = wr_init(raw + 1, 8);
	size_t n;

	wr_u64(&w, offset);
	n = base64url_encode(SPAN_OF(raw), out);
	assert(n == SIO_OFFSET);
}

static bool
take_offset(struct span text, uint64_t *out)
{
	uint8_t raw[OFFSET_RAW];
	struct rd r;
	size_t n;

	if (text.n != SIO_OFFSET || !base64url_decode(text, raw, &n) ||
	    n != OFFSET_RAW || raw[0] != 0)
		return false;
	r = rd_init(span_of(raw + 1, 8));
	*out = rd_u64(&r);
	return true;
}

uint64_t
edge_recover_offset(struct edge *e, char out[static SIO_OFFSET + 2])
{
	struct recovery *v = e->sio->recovery;
	/* Siblings' do not meet: the first 2 bytes are the reactor's. */
	uint64_t offset = (uint64_t)reactor_index(e->reactor) << 48 |
	    (v->next++ & 0xffffffffffffULL);

	out[0] = out[SIO_OFFSET + 1] = '"';
	put_offset(offset, out + 1);
	return offset;
}

/* Takes references of its own. */
static void
log_one(struct nsp *n, const struct logged *what)
{
	struct recovery *v = n->edge->sio->recovery;
	struct logged *g;

	if (v->n == v->max) {
		v->edge->stats.kept_over++;
		drop_event(v);
	}
	g = entry(v, v->n++);
	*g = *what;
	g->nsp = n;
	g->at_ms = now_ms(v);
	n->refs++;
	if (g->frames != NULL)
		blob_ref(g->frames);
	blob_ref(g->targets);
	v->total++;
	v->edge->stats.kept_events++;
	v->edge->stats.kept_bytes += logged_bytes(g);
	shrink(v);
	if (!timer_is_running(&v->timer))
		set_timer(v);
}

void
edge_recover_log(struct nsp *n, uint64_t offset, struct blob *frames,
    struct blob *targets)
{
	if (n->edge->sio->recovery != NULL)
		log_one(n, &(struct logged){ .frames = frames,
		    .targets = targets, .offset = offset });
}

static bool
have_one(struct span a, struct span b)
{
	struct span name, other, rest;

	while (edge_emit_next(&a, &name)) {
		rest = b;
		while (edge_emit_next(&rest, &other)) {
			if (span_eq(name, other))
				return true;
		}
	}
	return false;
}

/* Did an event go to who was in these rooms? */
static bool
was_for(const struct logged *g, struct span rooms)
{
	struct targets t;

	edge_emit_decode(blob_span(g->targets), &t);
	return (t.rooms_n == 0 || have_one(rooms, t.rooms)) &&
	    !have_one(rooms, t.except);
}

/* Where in the log the event of that offset is; v->n: not there. */
static size_t
find_event(const struct recovery *v, const struct kept *t, uint64_t offset)
{
	for (size_t i = v->n; i-- > 0;) {
		const struct logged *g = entry(v, i);

		if (g->offset == offset && g->nsp == t->nsp &&
		    (!g->copy || was_for(g, blob_span(t->rooms))))
			return i;
	}
	return v->n;
}

static bool
was_missed(const struct kept *t, uint64_t offset)
{
	for (size_t i = 0; i < missed_n(t); i++) {
		if (missed_at(t, i)->offset == offset)
			return true;
	}
	return false;
}

void
edge_recover_walk(const struct recovery *v, const struct kept *t,
    void (*fn)(void *arg, const struct missed *m), void *arg)
{
	/* How many have left the log at its front. */
	uint64_t before = v->total - v->n;
	size_t at = t->mark > before ? (size_t)(t->mark - before) : 0;

	for (size_t i = 0; i < missed_n(t); i++)
		fn(arg, missed_at(t, i));
	if (!t->foreign)
		at = find_event(v, t, t->offset) + 1;
	for (; at < v->n; at++) {
		const struct logged *g = entry(v, at);

		if (g->frames != NULL && g->nsp == t->nsp &&
		    was_for(g, blob_span(t->rooms)) &&
		    !was_missed(t, g->offset))
			fn(arg, &(struct missed){ g->frames, g->offset });
	}
}

/* ---- Leaving ---- */

static struct blob *
encode_rooms(const struct sock *k)
{
	struct span name;
	struct blob *b;
	struct wr w;
	uint64_t at = 0;
	size_t n = 0;

	while (edge_rooms_next(k, &at, &name))
		n += 2 + name.n;
	if ((b = blob_new(n)) == NULL)
		return NULL;
	w = wr_init(b->p, n);
	at = 0;
	while (edge_rooms_next(k, &at, &name))
		wr_vec16(&w, name);
	return b;
}

/* Findable again, at its place in time. */
static bool
show(struct recovery *v, struct kept *t)
{
	struct list *at = &v->order;

	if (map_put(&v->by_pid, t->pid, t) != OK)
		return false;
	while (at->prev != &v->order &&
	    LIST_ITEM(at->prev, struct kept, link)->until_ms > t->until_ms)
		at = at->prev;
	list_push(at, &t->link);
	set_timer(v);
	return true;
}

struct kept *
edge_recover_new(struct recovery *v)
{
	if (v->kepts.n == v->kepts.max && oldest(v) != NULL) {
		v->edge->stats.kept_over++;
		edge_recover_drop(v, oldest(v));
	}
	return slab_get(&v->kepts);
}

void
edge_recover_show(struct recovery *v, struct kept *t)
{
	count(v, t);
	if (!show(v, t))
		edge_recover_drop(v, t);
	else
		shrink(v);
}

void
edge_recover_keep(struct sock *k)
{
	struct edge *e = k->nsp->edge;
	struct recovery *v = e->sio->recovery;
	struct kept *t;

	if (v == NULL || e->draining || k->more == NULL || !k->more->has_pid)
		return;
	if ((t = edge_recover_new(v)) == NULL)
		return;
	if ((t->rooms = encode_rooms(k)) == NULL) {
		slab_put(&v->kepts, t);
		return;
	}
	t->nsp = k->nsp;
	t->nsp->refs++;
	t->until_ms = now_ms(v) + e->conf.recovery_ms;
	memcpy(t->id, k->id, sizeof t->id);
	memcpy(t->pid, k->more->pid, sizeof t->pid);
	edge_recover_show(v, t);
}

/* ---- Coming back ---- */

bool
edge_recover_names(struct span auth, struct arena *a, struct span *pid,
    uint64_t *offset)
{
	struct span text;

	return auth.n > 0 && json_find_string(auth, SPAN("pid"), a, pid) &&
	    json_find_string(auth, SPAN("offset"), a, &text) &&
	    pid->n == SIO_PID && take_offset(text, offset);
}

/* Is all that it has missed since that offset still here? */
static bool
can_go_on(const struct recovery *v, const struct kept *t, uint64_t offset)
{
	if (t->foreign)
		return t->offset == offset && t->mark >= v->total - v->n;
	return find_event(v, t, offset) < v->n;
}

struct kept *
edge_recover_take(struct recovery *v, struct span nsp, struct span pid,
    uint64_t offset)
{
	struct kept *t = map_find(&v->by_pid, pid.p);

	if (t == NULL || !span_eq(edge_nsp_name(t->nsp), nsp) ||
	    t->until_ms < now_ms(v) || !can_go_on(v, t, offset))
		return NULL;
	hide(v, t);
	t->offset = offset;
	return t;
}

bool
edge_recover_find(struct sock *k, struct span auth)
{
	struct recovery *v = k->nsp->edge->sio->recovery;
	uint8_t mem[AUTH_BYTES];
	struct span pid;
	uint64_t offset;
	struct arena a;
	struct kept *t;

	arena_init(&a, mem, sizeof mem);
	if (v == NULL || !edge_recover_names(auth, &a, &pid, &offset) ||
	    edge_sio_more(k) == NULL || (t = edge_recover_take(v,
	    edge_nsp_name(k->nsp), pid, offset)) == NULL)
		return false;
	k->more->restore = t;
	k->more->recovered = true;
	return true;
}

void
edge_recover_put_back(struct sock *k)
{
	struct recovery *v = k->nsp->edge->sio->recovery;
	struct kept *t = k->more == NULL ? NULL : k->more->restore;

	if (t == NULL)
		return;
	k->more->restore = NULL;
	if (!show(v, t))
		edge_recover_drop(v, t);
}

/* What comes from a sibling's log is noted in ours, where this socket's next
 * offset will be looked for. */
struct resend {
	struct sock *sock;
	struct kept *kept;
	struct blob *own;	/* targets: its own room; or NULL */
	struct buf sent;	/* struct missed each */
};

static void
resend(void *arg, const struct missed *m)
{
	struct resend *r = arg;

	if (r->sock->state != SOCK_OPEN)
		return;
	/* Without memory it is not noted: then it is not gone on from. */
	if (r->own == NULL || buf_add(&r->sent, m, sizeof *m) == OK)
		edge_sio_send_blob(r->sock, m->frames, false);
}

static void
note_all(struct resend *r)
{
	const struct missed *m = (const struct missed *)(void *)r->sent.p;
	struct nsp *n = r->sock->nsp;

	log_one(n, &(struct logged){ .targets = r->own,
	    .offset = r->kept->offset, .copy = true });
	for (size_t i = 0; i < r->sent.n / sizeof *m; i++)
		log_one(n, &(struct logged){ .frames = m[i].frames,
		    .targets = r->own, .offset = m[i].offset, .copy = true });
}

static void
send_missed(struct recovery *v, struct sock *k, struct kept *t)
{
	struct span own = SPAN_OF(k->id);
	struct resend r = { .sock = k, .kept = t };

	if (!t->foreign) {
		edge_recover_walk(v, t, resend, &r);
		return;
	}
	buf_init(&r.sent, v->max * sizeof(struct missed));
	r.own = edge_emit_targets(&(struct edge_to){
	    .nsp = edge_nsp_name(k->nsp), .rooms = &own, .rooms_n = 1 });
	edge_recover_walk(v, t, resend, &r);
	if (r.own != NULL)
		note_all(&r);
	blob_unref(r.own);
	buf_fini(&r.sent);
}

bool
edge_recover_restore(struct sock *k)
{
	struct recovery *v = k->nsp->edge->sio->recovery;
	struct kept *t = k->more->restore;
	struct span rooms = blob_span(t->rooms), name;

	if (!can_go_on(v, t, t->offset))
		return false;
	k->more->restore = NULL;
	memcpy(k->id, t->id, sizeof k->id);
	memcpy(k->more->pid, t->pid, sizeof t->pid);
	k->more->has_pid = true;
	while (edge_emit_next(&rooms, &name)) {
		/* Over a limit now: it is not in that room any more. */
		if (edge_rooms_add(k, name) != OK)
			continue;
	}
	send_missed(v, k, t);
	v->edge->stats.recovered++;
	edge_recover_drop(v, t);
	return true;
}
