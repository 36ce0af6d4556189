/*
 * frame.c: the way of a call through its stages.
 *
 * Implementation notes: frame_run loops over the stages as long as they stay
 * on this thread. A stage that hands the frame over (store, work pool, another
 * reactor) says so by *gone, and must not touch it afterwards; what takes it
 * back (frame_stored, frame_worked, frame_moved) calls frame_run again.
 */
#include "server/frame.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "server/ops.h"
#include "store/txn.h"

#define FRAME_RETRY_S 1		/* of 503 */

/* Passwords and tokens pass here: what is given back is wiped. */
static void *
frame_grow(void *p, size_t n)
{
	if (p == NULL)
		return malloc(n);
	wipe(p, n);
	free(p);
	return NULL;
}

struct frame *
frame_new(struct shard *s, const struct op *op, enum origin origin)
{
	const struct conf *conf = atomic_load_explicit(&s->server->conf,
	    memory_order_acquire);
	struct frame *f;

	assert(reactor_self() == s->reactor);
	if (s->frames_n >= conf->edge_calls_max && origin != ORIGIN_INTERNAL)
		return NULL;
	f = pool_get(&s->frames);
	if (f == NULL)
		return NULL;
	memset(f, 0, offsetof(struct frame, faults));
	f->faults.n = 0;
	s->frames_n++;
	arena_init_growing(&f->call.arena, f->mem, sizeof(f->mem),
	    CALL_ARENA_MAX, frame_grow);
	f->call.op = op;
	f->call.conf = conf;
	f->call.now_ms = reactor_unix_ms(s->reactor);
	f->home = f->at = s;
	f->origin = origin;
	f->ack = -1;
	f->file_fd = -1;
	f->status = 200;
	f->began_us = sys_mono_us();
	return f;
}

struct frame *
frame_internal(struct shard *s, const struct op *op, const struct caller *who,
    frame_fn done)
{
	struct frame *f = frame_new(s, op, ORIGIN_INTERNAL);

	if (f == NULL)
		return NULL;
	f->call.who = *who;
	f->done = done;
	call_key(&f->call, who->user.b);
	f->stage = STAGE_CHECK;
	f->call.req = arena_alloc(&f->call.arena, op->req->size + 1);
	f->call.rep = arena_alloc(&f->call.arena, op->rep->size + 1);
	if (f->call.req == NULL || f->call.rep == NULL) {
		frame_free(f);
		return NULL;
	}
	return f;
}

void
frame_free(struct frame *f)
{
	struct shard *s = f->home;

	wait_end(f);
	if (f->file_fd >= 0)
		sys_close(f->file_fd);
	arena_fini(&f->call.arena);
	wipe(f->mem, sizeof(f->mem));
	s->frames_n--;
	pool_put(&s->frames, f);
}

struct span
frame_request_id(struct frame *f)
{
	if (f->request_id_n == 0) {
		struct any_id id;

		call_new_id(&f->call, id.b);
		id_encode(id.b, f->request_id);
		f->request_id_n = ID_TEXT_LEN;
	}
	return span_of(f->request_id, f->request_id_n);
}

bool
frame_copy(struct frame *f, struct span in, struct span *out)
{
	if (arena_dup(&f->call.arena, in, out) == OK)
		return true;
	frame_fail(f, ERR_TOO_LARGE);
	return false;
}

struct shard *
frame_shard_of(struct server *s, const uint8_t key[static ID_LEN])
{
	uint64_t h = s->seed;

	for (size_t i = 0; i < ID_LEN; i++)
		h = (h ^ key[i]) * 0x100000001b3ULL;
	return &s->shards[(h >> 32) % s->shards_n];
}

/* ---- other threads ---- */

static struct shard *
frame_shard(struct frame *f, struct reactor *r)
{
	return &f->home->server->shards[reactor_index(r)];
}

static void
frame_moved(struct reactor *r, struct mail *m)
{
	struct frame *f = LIST_ITEM(m, struct frame, box.mail);

	f->at = frame_shard(f, r);
	f->taken(f);
}

void
frame_move(struct frame *f, struct shard *to, frame_fn next)
{
	f->taken = next;
	f->box.mail.run = frame_moved;
	reactor_post(to->reactor, &f->box.mail);
}

static void
piece_back(struct reactor *r, struct mail *m)
{
	struct piece *p = LIST_ITEM(m, struct piece, mail);
	struct frame *f = p->frame;

	(void)r;
	if (--f->waiting == 0)
		f->taken(f);
}

static void
piece_run(struct reactor *r, struct mail *m)
{
	struct piece *p = LIST_ITEM(m, struct piece, mail);

	(void)r;
	p->frame->each(p->shard, p->frame);
	m->run = piece_back;
	reactor_post(p->frame->at->reactor, m);
}

bool
frame_everywhere(struct frame *f, shard_fn each, frame_fn taken)
{
	struct server *s = f->home->server;
	struct shard *at = f->at;
	/* The last: what it tells others of it comes after we have. */
	unsigned last = frame_shard_of(s, f->call.who.user.b)->index;

	f->each = each;
	f->taken = taken;
	f->waiting = s->shards_n - 1;
	bool done = f->waiting == 0;
	each(at, f);
	for (unsigned k = 1; k <= s->shards_n; k++) {
		unsigned i = (last + k) % s->shards_n;
		struct piece *p = &f->pieces[i];

		if (&s->shards[i] == at)
			continue;
		*p = (struct piece){ { NULL, piece_run }, &s->shards[i], f };
		reactor_post(s->shards[i].reactor, &p->mail);
	}
	return done;
}

/* ---- STAGE_AUTH ---- */

enum err
frame_token(struct frame *f, struct span token)
{
	TRY(jwt_decode(f->home->server->keys, token, JWT_ACCESS,
	    f->call.now_ms / 1000, &f->claims));
	f->has_claims = true;
	return OK;
}

/* On a store reader: the session and its user. */
static enum err
frame_session_read(struct store_job *j, struct txn *t)
{
	struct frame *f = LIST_ITEM(j, struct frame, box.job);
	struct q_session_caller_out row;
	struct q_session_caller_in in = { f->claims.session, f->call.now_ms };
	uint32_t role;

	arena_reset(&f->call.arena, f->mark);
	enum err e = q_session_caller(t, &in, &row);
	if (e == ERR_NOT_FOUND)
		return ERR_INVALID_TOKEN;
	TRY(e);
	if (!ID_EQ(row.user, f->claims.user) || !row.is_active ||
	    row.username.n > USERNAME_MAX ||
	    !shape_value(&shape_names_user_role, row.role, &role))
		return ERR_INVALID_TOKEN;
	struct caller *w = &f->call.who;
	memset(w, 0, sizeof(*w));
	w->user = row.user;
	w->session = f->claims.session;
	w->device = row.device;
	w->role = (enum user_role)role;
	w->username_n = (uint8_t)row.username.n;
	memcpy(w->username, row.username.p, row.username.n);
	w->is_known = true;
	return OK;
}

static void
frame_session_done(struct reactor *r, struct mail *m)
{
	struct frame *f = LIST_ITEM(m, struct frame, box.job.done);
	enum err e = f->box.job.err;

	(void)r;
	arena_reset(&f->call.arena, f->mark);
	if (e == OK && f->epoch != f->home->sessions.epoch) {
		/* A session ended meanwhile, maybe this one: look again. */
		memset(&f->call.who, 0, sizeof(f->call.who));
		if (++f->tries < FRAME_AUTH_TRIES) {
			frame_run(f);
			return;
		}
		e = ERR_BUSY;
	}
	if (e != OK) {
		memset(&f->call.who, 0, sizeof(f->call.who));
		frame_fail(f, e);
		return;
	}
	sessions_put(&f->home->sessions, &f->call.who);
	frame_run(f);
}

static enum err
frame_auth(struct frame *f, bool *gone)
{
	const struct caller *who;

	if (f->call.op->who == WHO_ANYONE)
		return OK;
	if (f->call.who.is_known) {	/* a socket's, or read just now */
		if (f->has_claims)
			f->call.who.expires_ms = f->claims.expires_s * 1000;
		call_key(&f->call, f->call.who.user.b);
		return OK;
	}
	if (!f->has_claims)
		return ERR_INVALID_TOKEN;
	who = sessions_find(&f->home->sessions, &f->claims.session);
	if (who != NULL) {
		if (!ID_EQ(who->user, f->claims.user))
			return ERR_INVALID_TOKEN;
		f->call.who = *who;
		f->call.who.expires_ms = f->claims.expires_s * 1000;
		call_key(&f->call, who->user.b);
		return OK;
	}
	metric_add(&f->home->metrics.sessions_missed, 1);
	f->epoch = f->home->sessions.epoch;
	f->mark = arena_mark(&f->call.arena);
	f->box.job = (struct store_job){ .done = { NULL, frame_session_done },
	    .home = f->home->reactor, .read = frame_session_read,
	    .arena = &f->call.arena };
	memcpy(f->box.job.key, f->claims.user.b, ID_LEN);
	TRY(store_submit(f->home->server->store, &f->box.job));
	*gone = true;
	return OK;
}

/* ---- STAGE_CHECK ---- */

static enum err
frame_decode(struct frame *f)
{
	struct call *c = &f->call;

	c->req = arena_alloc(&c->arena, c->op->req->size + 1);
	c->rep = arena_alloc(&c->arena, c->op->rep->size + 1);
	if (c->req == NULL || c->rep == NULL)
		return ERR_TOO_LARGE;
	return shape_decode_call(c->op->req, f->params, f->params_n, f->body,
	    &c->arena, c->req, &f->faults);
}

static enum err
frame_check(struct frame *f)
{
	struct call *c = &f->call;

	if (f->origin != ORIGIN_INTERNAL) {
		if (c->op->who == WHO_DEVICE && c->who.device == 0)
			return call_fail(c, ERR_FORBIDDEN,
			    "This session speaks for no device");
		TRY(rate_take(&f->home->server->limit, c->conf,
		    (enum rate_class)c->op->rate, &c->who, &f->addr,
		    f->began_us, &f->limit));
		f->is_rated = true;
		TRY(frame_decode(f));
	}
	return c->op->check != NULL ? c->op->check(c) : OK;
}

/* ---- STAGE_READ, STAGE_WORK, STAGE_WRITE ---- */

static void
frame_zero_rep(struct frame *f)
{
	if (f->call.rep != NULL)
		memset(f->call.rep, 0, f->call.op->rep->size);
}

/* After the last of its steps a call with events goes where these leave. */
static void
frame_set_home(struct frame *f)
{
	if (f->call.op->emit != NULL)
		f->box.job.home = frame_shard_of(f->home->server,
		    f->call.key)->reactor;
}

static enum err
frame_read_step(struct store_job *j, struct txn *t)
{
	struct frame *f = LIST_ITEM(j, struct frame, box.job);

	arena_reset(&f->call.arena, f->mark);
	frame_zero_rep(f);
	f->lacks = f->again = false;
	TRY(f->call.op->read(&f->call, t));
	if (f->again)
		return OK;
	if (j->write != NULL)
		f->mark = arena_mark(&f->call.arena);
	else if (f->call.op->work == NULL)
		frame_set_home(f);
	return OK;
}

static enum err
frame_write_step(struct store_job *j, struct txn *t)
{
	struct frame *f = LIST_ITEM(j, struct frame, box.job);

	arena_reset(&f->call.arena, f->mark);
	frame_zero_rep(f);
	f->faults.n = 0;
	f->late = OK;
	TRY(f->call.op->write(&f->call, t));
	frame_set_home(f);
	return OK;
}

static void
frame_stored(struct reactor *r, struct mail *m)
{
	struct frame *f = LIST_ITEM(m, struct frame, box.job.done);

	f->at = frame_shard(f, r);
	if (f->box.job.err == OK && f->again) {
		f->again = false;
		arena_reset(&f->call.arena, f->mark);
		f->stage = STAGE_READ;
	}
	if (f->box.job.err != OK)
		frame_fail(f, f->box.job.err);
	else if (!f->lacks || !wait_park(f))
		frame_run(f);
}

static enum err
frame_store(struct frame *f, bool read, bool write, bool *gone)
{
	f->mark = arena_mark(&f->call.arena);
	f->box.job = (struct store_job){ .done = { NULL, frame_stored },
	    .home = f->home->reactor, .arena = &f->call.arena,
	    .read = read ? frame_read_step : NULL,
	    .write = write ? frame_write_step : NULL };
	memcpy(f->box.job.key, f->call.key, ID_LEN);
	TRY(store_submit(f->home->server->store, &f->box.job));
	*gone = true;
	return OK;
}

static void
frame_work_run(struct work_job *j)
{
	struct frame *f = LIST_ITEM(j, struct frame, box.work);

	f->err = f->call.op->work(&f->call);
}

static void
frame_worked(struct reactor *r, struct mail *m)
{
	struct frame *f = LIST_ITEM(m, struct frame, box.work.done);
	enum err e = f->err;

	(void)r;
	f->err = OK;
	if (e != OK)
		frame_fail(f, e);
	else
		frame_run(f);
}

static enum err
frame_work(struct frame *f, bool *gone)
{
	f->box.work = (struct work_job){ .done = { NULL, frame_worked },
	    .home = f->home->reactor, .run = frame_work_run };
	TRY(work_submit(f->home->server->work, &f->box.work));
	*gone = true;
	return OK;
}

/* ---- STAGE_EMIT ---- */

static void
frame_taken(struct frame *f)
{
	if (f->then != NULL)
		f->then(f);
	frame_run(f);
}

static enum err
frame_emit(struct frame *f, bool *gone)
{
	struct shard *to = frame_shard_of(f->home->server, f->call.key);

	if (f->at != to) {
		f->stage = STAGE_EMIT;
		frame_move(f, to, frame_run);
		*gone = true;
		return OK;
	}
	f->call.op->emit(&f->call);
	if (f->after_emit == NULL)
		return OK;
	if (!frame_everywhere(f, f->after_emit, frame_taken))
		*gone = true;
	else if (f->then != NULL)
		f->then(f);
	return OK;
}

/* ---- all of it ---- */

static void
frame_log(struct frame *f, uint64_t us)
{
	const struct call *c = &f->call;
	enum log_level level = f->err != OK ? err_level(f->err) :
	    f->origin == ORIGIN_REST ? LOG_INFO : LOG_DEBUG;
	struct log l;

	if (!log_begin(&l, level, "call"))
		return;
	log_str(&l, "op", c->op->name);
	log_str(&l, "result", err_name(f->err));
	log_u64(&l, "us", us);
	log_span(&l, "requestId", frame_request_id(f));
	if (c->who.is_known)
		log_id(&l, "user", c->who.user.b);
	if (f->origin != ORIGIN_INTERNAL) {
		char text[SYS_ADDR_TEXT];

		sys_addr_text(&f->addr, text);
		log_ip(&l, "address", text);
	}
	log_end(&l);
}

/* What follows an answered call (call_follow). */
static void
frame_follow(const struct frame *f)
{
	struct frame *g = frame_internal(f->home, f->follow, &f->call.who,
	    NULL);

	if (g == NULL)
		return;
	g->addr = f->addr;
	if (f->follow_fill != NULL &&
	    f->follow_fill(&f->call, f->follow_arg, &g->call) != OK)
		frame_free(g);
	else
		frame_run(g);
}

static void
frame_end(struct frame *f)
{
	struct call *c = &f->call;
	uint64_t us = sys_mono_us() - f->began_us;

	assert(reactor_self() == f->home->reactor);
	if (f->err == OK)
		f->err = f->late;
	/* Sends that failed are not counted. */
	if (f->err != OK && c->op->rate == RATE_MESSAGE && f->is_rated)
		rate_give(&f->home->server->limit, c->conf, RATE_MESSAGE,
		    &c->who, &f->addr);
	if (f->err != OK && err_status(f->err) == 503 && f->retry_s == 0)
		f->retry_s = FRAME_RETRY_S;
	if (f->err == ERR_RATE_LIMITED && f->retry_s == 0)
		f->retry_s = f->limit.retry_s > 0 ? f->limit.retry_s : 1;
	if (f->err == OK && f->has_presence)
		socket_presence(f);
	if (f->err == OK && f->view != NULL)
		socket_view(f);
	metrics_count(&f->home->metrics, c->op, f->err, us);
	frame_log(f, us);
	if (f->origin == ORIGIN_INTERNAL) {
		if (f->done != NULL)
			f->done(f);
	} else if (f->origin == ORIGIN_CONNECT) {
		socket_opened(f);
	} else {
		answer_send(f);
	}
	if (f->follow != NULL)
		frame_follow(f);
	frame_free(f);
}

/* One stage; f->stage has moved on to the next already. */
static enum err
frame_stage(struct frame *f, enum stage stage, bool *gone)
{
	const struct op *op = f->call.op;

	switch (stage) {
	case STAGE_AUTH:
		f->stage = STAGE_AUTH;
		TRY(frame_auth(f, gone));
		if (!*gone)
			f->stage = STAGE_CHECK;
		return OK;
	case STAGE_CHECK:
		return frame_check(f);
	case STAGE_OPEN:
		if (f->origin == ORIGIN_CONNECT)
			return socket_open(f, gone);
		return OK;
	case STAGE_READ:
		if (op->read == NULL && (op->write == NULL || op->work != NULL))
			return OK;
		if (op->work == NULL)
			f->stage = STAGE_EMIT;
		return frame_store(f, op->read != NULL,
		    op->work == NULL && op->write != NULL, gone);
	case STAGE_WORK:
		return op->work == NULL ? OK : frame_work(f, gone);
	case STAGE_WRITE:
		if (op->write == NULL)
			return OK;
		return frame_store(f, false, true, gone);
	case STAGE_EMIT:
		return op->emit == NULL ? OK : frame_emit(f, gone);
	case STAGE_END:
		break;
	}
	return OK;
}

void
frame_run(struct frame *f)
{
	while (f->stage != STAGE_END) {
		enum stage stage = f->stage;
		bool gone = false;

		f->stage = (enum stage)(stage + 1);
		enum err e = frame_stage(f, stage, &gone);
		if (gone)
			return;
		if (e != OK) {
			frame_fail(f, e);
			return;
		}
	}
	if (f->at != f->home)
		frame_move(f, f->home, frame_run);
	else
		frame_end(f);
}

void
frame_fail(struct frame *f, enum err e)
{
	assert(e != OK);
	f->err = e;
	/*
	 * A bad token is no way around the limit: it counts for its address,
	 * and an address that is over it hears so instead.
	 */
	if (f->at == f->home && f->stage <= STAGE_CHECK &&
	    f->origin != ORIGIN_INTERNAL && !f->call.who.is_known &&
	    (e == ERR_INVALID_TOKEN || e == ERR_TOKEN_EXPIRED) &&
	    rate_take(&f->home->server->limit, f->call.conf, RATE_REST,
	    &f->call.who, &f->addr, f->began_us, &f->limit) != OK)
		f->err = ERR_RATE_LIMITED;
	f->stage = STAGE_END;
	frame_run(f);
}
