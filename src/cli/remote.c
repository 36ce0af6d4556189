/*
 * remote.c: see remote.h.
 */
#include "cli/remote.h"

#include <errno.h>
#include <unistd.h>

#include "cli/help.h"

#define OF_DIAL(d) \
	((struct remote *)(void *)((char *)(d) - offsetof(struct remote, dial)))
#define OF_LIMIT(t) \
	((struct remote *)(void *)((char *)(t) - offsetof(struct remote, limit)))
#define OF_LATER(t) \
	((struct remote *)(void *)((char *)(t) - offsetof(struct remote, later)))

static void pump(struct remote *m);

static void
clear_buf(struct buf *b)
{
	if (b->p != NULL)
		wipe(b->p, b->n);	/* tokens, passwords */
	buf_fini(b);
}

/* Takes the first call out and tells its owner. */
static void
finish(struct remote *m, const struct remote_answer *a)
{
	struct remote_call done = m->call[m->first];
	timer_cancel(&m->limit);
	clear_buf(&done.request);
	m->call[m->first] = (struct remote_call){ 0 };
	m->first = (m->first + 1) % REMOTE_CALLS_MAX;
	m->n--;
	m->sent = false;
	done.fn(done.ctx, done.id, a);
	clear_buf(&m->body);
	buf_init(&m->body, REMOTE_ANSWER_MAX);
}

static void
on_limit(struct timer *t)
{
	dial_close(&OF_LIMIT(t)->dial);
}

static void
send_first(struct remote *m)
{
	struct buf *b = &m->call[m->first].request;
	m->sent = true;
	m->keep = false;
	m->answer = (struct remote_answer){ 0 };
	http_in_init(&m->http, HTTP_CLIENT, m->call[m->first].to_file ?
	    &m->file_limits : &m->limits);
	if (dial_write(&m->dial, buf_span(b)) != OK)
		dial_close(&m->dial);
}

/* Sends the next call, on a new connection where there is none. */
static void
pump(struct remote *m)
{
	if (m->n == 0 || m->sent || m->closed)
		return;
	if (!timer_is_running(&m->limit))
		timer_start(reactor_wheel(m->dial.reactor), &m->limit,
		    m->timeout_ms, on_limit);
	if (!m->dial.running)
		dial_start(&m->dial);
	else if (m->dial.open && !m->dial.closing)
		send_first(m);
	/* Else it is being made, or unmade: on_open, on_close go on. */
}

static void
on_open(struct dial *d)
{
	pump(OF_DIAL(d));
}

static void
take_head(struct remote *m)
{
	uint64_t v;
	m->answer.status = m->msg.status;
	m->keep = m->msg.keep_alive;
	struct span after = http_find(&m->msg, "retry-after");
	if (after.n > 0 && span_u64(after, 86400, &v))
		m->answer.retry_after_s = (uint32_t)v;
}

/* Into the file or into memory. What moves has its time anew. */
static bool
take_body(struct remote *m, struct span piece)
{
	const struct remote_call *c = &m->call[m->first];

	if (!c->to_file || m->answer.status != 200)
		return buf_add_span(&m->body, piece) == OK;
	timer_cancel(&m->limit);
	timer_start(reactor_wheel(m->dial.reactor), &m->limit,
	    m->timeout_ms, on_limit);
	m->answer.written += piece.n;
	while (piece.n > 0) {
		ssize_t n = write(c->fd, piece.p, piece.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		piece = span_sub(piece, (size_t)n, piece.n);
	}
	return true;
}

/* The answer is whole. */
static void
take_end(struct remote *m)
{
	bool keep = m->keep;
	m->answer.body = buf_span(&m->body);
	struct remote_answer a = m->answer;
	if (!keep)
		dial_close(&m->dial);
	finish(m, &a);
	pump(m);
}

static size_t
on_data(struct dial *d, uint8_t *p, size_t n)
{
	struct remote *m = OF_DIAL(d);
	size_t taken = 0;
	while (m->sent) {
		size_t used = 0;
		struct span piece = { 0 };
		enum http_ev ev = http_next(&m->http,
		    span_of(p + taken, n - taken), &m->msg, &used, &piece);
		taken += used;
		if (ev == HTTP_EV_MORE)
			return taken;
		if (ev == HTTP_EV_HEAD) {
			take_head(m);
		} else if (ev == HTTP_EV_BODY) {
			if (!take_body(m, piece))
				ev = HTTP_EV_BAD;
		} else if (ev == HTTP_EV_END) {
			/* 100 Continue and such are not the answer. */
			if (m->answer.status >= 200) {
				take_end(m);
				return taken;
			}
		}
		if (ev == HTTP_EV_BAD) {
			m->answer = (struct remote_answer){ 0 };
			dial_close(d);
			return n;
		}
	}
	/* Bytes that nobody asked for: this connection is not to be used. */
	dial_close(d);
	return n;
}

static void
on_close(struct dial *d, enum dial_end why)
{
	struct remote *m = OF_DIAL(d);
	bool connecting = m->n > 0 && !m->sent;
	/* A body that lasts until the end of the connection (RFC 9112 6.3). */
	if (m->sent && m->answer.status >= 200 &&
	    http_eof(&m->http) == HTTP_EV_END) {
		m->keep = true;		/* it is closed already */
		take_end(m);
		return;
	}
	struct remote_answer none = { .why = why };
	if (m->sent) {
		finish(m, &none);
	} else if (connecting && why != DIAL_LOST && why != DIAL_CLOSED) {
		finish(m, &none);
	} else if (connecting && why == DIAL_CLOSED &&
	    !timer_is_running(&m->limit)) {
		finish(m, &none);	/* out of time */
	}
	pump(m);
}

static const struct dial_ops ops = {
	.on_open = on_open, .on_data = on_data, .on_close = on_close,
};

void
remote_init(struct remote *m, struct reactor *r, struct where *w,
    uint64_t timeout_ms)
{
	memset(m, 0, sizeof(*m));
	dial_init(&m->dial, r, w, &ops);
	m->limits = http_limits_default;
	m->limits.body_max = REMOTE_ANSWER_MAX;
	m->file_limits = http_limits_default;
	m->file_limits.body_max = REMOTE_FILE_MAX;
	m->timeout_ms = timeout_ms;
	buf_init(&m->body, REMOTE_ANSWER_MAX);
}

void
remote_close(struct remote *m)
{
	m->closed = true;
	dial_close(&m->dial);
}

void
remote_fini(struct remote *m)
{
	timer_cancel(&m->limit);
	timer_cancel(&m->later);
	for (uint32_t i = 0; i < REMOTE_CALLS_MAX; i++)
		clear_buf(&m->call[i].request);
	clear_buf(&m->body);
	dial_fini(&m->dial);
}

/* The whole message: head and body. */
static enum err
build(struct buf *b, const struct where *w, const char *method,
    struct span path, struct span token, struct span body)
{
	size_t room = path.n + token.n + body.n + 1024;
	TRY(buf_reserve(b, room));
	struct wr wr = wr_init(b->p, room);
	http_put_request(&wr, method, path, span_str(w->authority));
	http_put_field_str(&wr, "User-Agent", "nightjar/" HELP_VERSION);
	http_put_field_str(&wr, "Accept", "application/json");
	if (token.n > 0) {
		wr_str(&wr, "Authorization: Bearer ");
		wr_span(&wr, token);
		wr_str(&wr, "\r\n");
	}
	if (body.n > 0)
		http_put_field_str(&wr, "Content-Type", "application/json");
	if (body.n > 0 || method[0] == 'P')
		http_put_field_u64(&wr, "Content-Length", body.n);
	http_put_end(&wr);
	wr_span(&wr, body);
	if (!wr_ok(&wr))
		return ERR_TOO_LARGE;
	b->n = wr.n;
	return OK;
}

static void
on_later(struct timer *t)
{
	pump(OF_LATER(t));
}

enum err
remote_call(struct remote *m, const char *method, struct span path,
    struct span token, struct span body, uint64_t id, remote_fn fn, void *ctx)
{
	if (m->n == REMOTE_CALLS_MAX)
		return ERR_BUSY;
	struct remote_call *c =
	    &m->call[(m->first + m->n) % REMOTE_CALLS_MAX];
	buf_init(&c->request, REMOTE_REQUEST_MAX);
	enum err e = build(&c->request, m->dial.where, method, path, token,
	    body);
	if (e != OK) {
		clear_buf(&c->request);
		return e;
	}
	c->used = true;
	c->id = id;
	c->fn = fn;
	c->ctx = ctx;
	m->n++;
	/* In a tick to come, so that no callback runs inside this call. */
	if (!timer_is_running(&m->later))
		timer_start(reactor_wheel(m->dial.reactor), &m->later, 1,
		    on_later);
	return OK;
}

enum err
remote_fetch(struct remote *m, struct span path, struct span token, int fd,
    uint64_t id, remote_fn fn, void *ctx)
{
	const struct span none = { NULL, 0 };

	TRY(remote_call(m, "GET", path, token, none, id, fn, ctx));
	struct remote_call *c =
	    &m->call[(m->first + m->n - 1) % REMOTE_CALLS_MAX];
	c->to_file = true;
	c->fd = fd;
	return OK;
}
