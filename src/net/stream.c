/*
 * stream.c: see stream.h. On its reactor's thread.
 *
 * Implementation notes. The queue is a list of references: to a blob, or to a
 * chunk that small writes are copied into one behind the other. An idle
 * stream has neither. Descriptors are edge-triggered, so READABLE says that
 * the kernel may hold more than we took; it is cleared when a read says so:
 * SYS_AGAIN or, on a plain stream, fewer bytes than asked for (more to come
 * is then a new edge), unless the peer has ended: its end would come without
 * one. A stream that keeps coming yields after READS_MAX reads and goes on in
 * the next tick. TLS seals one record of many small pieces into the
 * reactor's buffer, which is free whenever a flush runs.
 */
#include <assert.h>

#include "net/out_file.h"
#include "net/stream.h"

#define READS_MAX 16
#define BURST_MAX (1u << 20)
#define PLAIN_MAX 16384	/* bytes of data in a record (RFC 8446 5.1) */

enum state {
	ST_NONE, ST_CONNECTING, ST_HANDSHAKE, ST_OPEN, ST_FINISHING, ST_ENDED
};

#define FL_PAUSED   1u
#define FL_READABLE 2u		/* the kernel or TLS may hold more */
#define FL_PEER_END 4u		/* its end is due: read until there */
#define FL_EOF      8u		/* its end was read */
#define FL_SHUT     16u		/* our half is ended */
#define FL_TOLD     32u		/* on_open was called */

struct stream_out {
	struct stream_out *next;
	struct blob *blob;	/* or NULL: chunk */
	uint8_t *chunk;
	struct out_file *file;	/* or NULL; [at, n) are of its buffer */
	uint32_t at, n;		/* [at, n) is still to be written */
};
_Static_assert(sizeof(struct stream_out) <= REACTOR_REF_BYTES, "its pool");

static struct stream *
of_io(struct io *io)
{
	return (struct stream *)(void *)((char *)io -
	    offsetof(struct stream, io));
}

static struct stream *
of_flush(struct flush *f)
{
	return (struct stream *)(void *)((char *)f -
	    offsetof(struct stream, flush));
}

static const uint8_t *
out_bytes(const struct stream_out *o)
{
	return (o->blob != NULL ? o->blob->p : o->file != NULL ?
	    o->file->buf : o->chunk) + o->at;
}

/* Of whose file nothing is in its buffer. */
static bool
is_unread_file(const struct stream_out *o)
{
	return o->file != NULL && o->at == o->n;
}

static void
drop_first(struct stream *s)
{
	struct stream_out *o = s->first;

	s->first = o->next;
	if (s->first == NULL)
		s->last = NULL;
	if (o->file != NULL)
		s->out_bytes -= STREAM_FILE_WEIGHT;
	out_file_free(o->file);
	blob_unref(o->blob);
	pool_put(reactor_pool_chunks(s->reactor), o->chunk);
	pool_put(reactor_pool_refs(s->reactor), o);
}

/* n bytes of the queue have been written. */
static void
consume(struct stream *s, size_t n)
{
	s->written += (uint32_t)n;
	while (n > 0) {
		struct stream_out *o = s->first;
		size_t left = o->n - o->at;
		size_t k = n < left ? n : left;

		o->at += (uint32_t)k;
		n -= k;
		if (o->file == NULL) {
			assert(k <= s->out_bytes);
			s->out_bytes -= (uint32_t)k;
		}
		if (o->at == o->n && (o->file == NULL || o->file->left == 0))
			drop_first(s);
	}
}

/*
 * It is over: nothing of it is left but the call of on_close. close_notify is
 * for a peer that has all: an answer that is ended by it is complete.
 */
static void
end(struct stream *s, enum stream_end why)
{
	bool cut = s->first != NULL || why == STREAM_RESET ||
	    (why == STREAM_CLOSED && s->state == ST_OPEN);

	if (s->state == ST_NONE || s->state == ST_ENDED)
		return;
	s->state = ST_ENDED;
	s->end = (uint8_t)why;
	while (s->first != NULL)
		drop_first(s);
	s->out_bytes = 0;
	reactor_unwatch(s->reactor, &s->io);
	if (s->tls != NULL) {
		if (cut)
			tls_cut(s->tls);
		else
			tls_end(s->tls);
		tls_close(s->tls);
		s->tls = NULL;
	}
	sys_close(s->io.fd);
	s->io.fd = -1;
	reactor_flush(s->reactor, &s->flush);
}

static bool
is_live(const struct stream *s)
{
	return s->state == ST_OPEN || s->state == ST_FINISHING;
}

/* ---- Reading ---- */

static long
read_once(struct stream *s)
{
	uint8_t *buf = reactor_buf(s->reactor);
	long n;

	bool drained;

	if (s->tls != NULL) {
		n = tls_read(s->tls, buf, REACTOR_BUF);
		drained = tls_is_drained(s->tls);
	} else {
		n = sys_recv(s->io.fd, buf, REACTOR_BUF);
		drained = n < REACTOR_BUF;
	}
	if (n > 0 && drained && (s->flags & FL_PEER_END) == 0)
		s->flags &= (uint8_t)~FL_READABLE;
	return n;
}

static void
peer_ended(struct stream *s)
{
	s->flags |= FL_EOF;
	s->flags &= (uint8_t)~FL_READABLE;
	if (s->state == ST_FINISHING) {
		if (s->flags & FL_SHUT)
			end(s, STREAM_CLOSED);
	} else if (s->ops->on_eof != NULL) {
		s->ops->on_eof(s);
	} else {
		end(s, STREAM_EOF);
	}
}

static bool
wants_bytes(const struct stream *s)
{
	return is_live(s) && (s->flags & FL_READABLE) != 0 &&
	    (s->flags & (FL_PAUSED | FL_EOF)) == 0;
}

/* TLS has read a piece of a record and not asked again: no edge will tell of
 * the peer's end, which is behind it. */
static bool
end_is_unread(const struct stream *s)
{
	return (s->flags & FL_PEER_END) != 0 && s->tls != NULL &&
	    tls_is_drained(s->tls);
}

static void
read_some(struct stream *s)
{
	for (int i = 0; wants_bytes(s); i++) {
		long n;

		if (i == READS_MAX) {	/* the others' turn */
			reactor_flush(s->reactor, &s->flush);
			return;
		}
		n = read_once(s);
		if (n == SYS_AGAIN) {
			if (!end_is_unread(s))
				s->flags &= (uint8_t)~FL_READABLE;
		} else if (n < 0) {
			end(s, STREAM_RESET);
		} else if (n == 0) {
			peer_ended(s);
		} else if (s->state == ST_OPEN) {
			s->ops->on_data(s, span_of(reactor_buf(s->reactor),
			    (size_t)n));
		}	/* else finishing: nobody wants it any more */
	}
}

/* ---- Writing ---- */

static long
write_plain(struct stream *s)
{
	struct sys_iov iov[SYS_IOV_MAX];
	struct stream_out *o;
	size_t n = 0;

	for (o = s->first; o != NULL && n < SYS_IOV_MAX && !is_unread_file(o);
	    o = o->next)
		iov[n++] = (struct sys_iov){ out_bytes(o), o->n - o->at };
	/* A head and the file behind it are one segment where they fit. */
	return o != NULL && o->file != NULL ?
	    sys_sendv_more(s->io.fd, iov, n) : sys_sendv(s->io.fd, iov, n);
}

/* One record, or only what waits in TLS. */
static long
write_tls(struct stream *s)
{
	struct sys_iov iov[SYS_IOV_MAX];
	size_t n = 0, bytes = 0;

	for (struct stream_out *o = s->first; o != NULL && n < SYS_IOV_MAX &&
	    bytes < PLAIN_MAX && !is_unread_file(o); o = o->next) {
		iov[n++] = (struct sys_iov){ out_bytes(o), o->n - o->at };
		bytes += o->n - o->at;
	}
	return tls_writev(s->tls, iov, n, reactor_buf(s->reactor));
}

/* The queue is empty and the owner wants no more: end our half. */
static void
shut(struct stream *s)
{
	if (s->flags & FL_SHUT)
		return;
	if (s->tls != NULL) {
		tls_end(s->tls);
		if (tls_is_waiting(s->tls))
			return;		/* for IO_WRITE, then again */
	}
	s->flags |= FL_SHUT;
	if (s->flags & FL_EOF) {
		end(s, STREAM_CLOSED);
		return;
	}
	sys_shutdown_write(s->io.fd);
}

static bool
has_output(const struct stream *s)
{
	return s->first != NULL || (s->tls != NULL && tls_is_waiting(s->tls));
}

/* Writes something of the queue: bytes, SYS_AGAIN or SYS_ERROR. */
static long
write_once(struct stream *s)
{
	struct stream_out *o = s->first;
	long n;

	if (o != NULL && is_unread_file(o)) {
		if (!out_file_is_same(o->file))
			return SYS_ERROR;
		n = out_file_send(o->file, s->tls, s->io.fd);
		if (n > 0) {	/* without our touching it */
			s->written += (uint32_t)n;
			if (o->file->left == 0)
				drop_first(s);
		}
		if (n != SYS_UNSUPPORTED)
			return n;
		o->at = 0;
		if ((o->n = out_file_fill(o->file)) == 0)
			return SYS_ERROR;
	}
	n = s->tls != NULL ? write_tls(s) : write_plain(s);
	if (n > 0)
		consume(s, (size_t)n);
	return n;
}

static void
write_some(struct stream *s)
{
	bool wrote = false;
	uint32_t from = s->written;

	while (is_live(s) && has_output(s)) {
		long n;

		if (s->written - from >= BURST_MAX) {
			reactor_flush(s->reactor, &s->flush);
			return;		/* the others' turn */
		}
		n = write_once(s);
		if (n == SYS_AGAIN)
			return;		/* IO_WRITE will come */
		if (n < 0) {
			end(s, STREAM_RESET);
			return;
		}
		wrote = true;
	}
	if (!is_live(s))
		return;
	if (s->state == ST_FINISHING)
		shut(s);
	else if (wrote && s->ops->on_drained != NULL)
		s->ops->on_drained(s);
}

/* ---- Events ---- */

static void
on_flush(struct flush *f)
{
	struct stream *s = of_flush(f);

	if (s->state == ST_ENDED) {
		s->state = ST_NONE;
		s->ops->on_close(s, (enum stream_end)s->end);
		return;
	}
	read_some(s);
	write_some(s);
}

static void
opened(struct stream *s)
{
	s->state = ST_OPEN;
	s->flags |= FL_READABLE;	/* TLS may hold bytes already */
	if (s->first != NULL)
		reactor_flush(s->reactor, &s->flush);
	if (s->ops->on_open != NULL)
		s->ops->on_open(s);
}

/* Brings the stream as far as it gets without waiting. */
static void
advance(struct stream *s)
{
	if (s->state == ST_CONNECTING) {
		enum err e = sys_connected(s->io.fd);

		if (e == ERR_BUSY)
			return;
		if (e != OK) {
			end(s, STREAM_RESET);
			return;
		}
		s->state = s->tls != NULL ? ST_HANDSHAKE : ST_OPEN;
		if (s->tls == NULL)
			opened(s);
	}
	if (s->state == ST_HANDSHAKE) {
		int done = tls_handshake(s->tls);

		if (done == TLS_ERROR)
			end(s, STREAM_TLS);
		else if (done == 1)
			opened(s);
	}
}

static void
on_ready(struct io *io, unsigned ready)
{
	struct stream *s = of_io(io);

	if (ready & (IO_END | IO_HUP))
		s->flags |= FL_PEER_END;
	if (ready & (IO_READ | IO_HUP) || s->tls != NULL)
		s->flags |= FL_READABLE;
	if ((s->flags & FL_TOLD) == 0 && s->state == ST_OPEN) {
		s->flags |= FL_TOLD;	/* a plain accepted one */
		opened(s);
	}
	if (s->state == ST_CONNECTING || s->state == ST_HANDSHAKE) {
		s->flags |= FL_TOLD;
		advance(s);
	}
	/* A paused or half-closed stream reads nothing, so ask here. */
	if (is_live(s) && (ready & IO_HUP) != 0 && !wants_bytes(s)) {
		end(s, STREAM_RESET);
		return;
	}
	read_some(s);
	if (is_live(s) && has_output(s) && (ready & IO_WRITE || s->tls))
		reactor_flush(s->reactor, &s->flush);
}

static enum err
begin(struct stream *s, struct reactor *r, int fd,
    const struct stream_ops *ops, uint32_t out_max)
{
	assert(s->state == ST_NONE);
	assert(!list_is_in(&s->flush.link));
	*s = (struct stream){ .io = { fd, on_ready }, .flush.run = on_flush,
	    .reactor = r, .ops = ops, .out_max = out_max };
	return reactor_watch(r, &s->io);
}

enum err
stream_accept(struct stream *s, struct reactor *r, int fd,
    struct tls_ctx *tls, const struct stream_ops *ops, uint32_t out_max)
{
	struct tls_conn *t = NULL;
	enum err e = OK;

	if (tls != NULL)
		e = tls_accept(tls, fd, &t);
	if (e == OK)
		e = begin(s, r, fd, ops, out_max);
	if (e != OK) {
		tls_close(t);
		sys_close(fd);
		return e;
	}
	if (t != NULL)	/* without an engine OpenSSL goes on: it works too */
		tls_set_engine(t, reactor_records(r));
	s->tls = t;
	s->state = t != NULL ? ST_HANDSHAKE : ST_OPEN;
	return OK;
}

enum err
stream_connect(struct stream *s, struct reactor *r, const struct sys_addr *to,
    struct tls_ctx *tls, const char *host, void *verify_arg,
    const struct stream_ops *ops, uint32_t out_max)
{
	struct tls_conn *t = NULL;
	enum err e = OK;
	int fd;

	TRY(sys_connect(to, &fd));
	if (tls != NULL)
		e = tls_connect(tls, fd, host, verify_arg, &t);
	if (e == OK)
		e = begin(s, r, fd, ops, out_max);
	if (e != OK) {
		tls_close(t);
		sys_close(fd);
		return e;
	}
	s->tls = t;
	s->state = ST_CONNECTING;
	return OK;
}

static struct stream_out *
push_out(struct stream *s)
{
	struct stream_out *o = pool_get(reactor_pool_refs(s->reactor));

	if (o == NULL)
		return NULL;
	*o = (struct stream_out){ 0 };
	if (s->last != NULL)
		s->last->next = o;
	else
		s->first = o;
	s->last = o;
	return o;
}

static bool
takes(const struct stream *s)
{
	return s->state == ST_OPEN || s->state == ST_CONNECTING ||
	    s->state == ST_HANDSHAKE;
}

enum err
stream_write(struct stream *s, struct span bytes)
{
	assert(reactor_self() == s->reactor);
	if (!takes(s) || bytes.n == 0)
		return OK;
	if (bytes.n > s->out_max || s->out_bytes > s->out_max - bytes.n)
		return ERR_BUSY;
	reactor_flush(s->reactor, &s->flush);
	while (bytes.n > 0) {
		struct stream_out *o = s->last;
		size_t n;

		if (o == NULL || o->chunk == NULL ||
		    o->n == REACTOR_CHUNK_BYTES) {
			uint8_t *c = pool_get(reactor_pool_chunks(s->reactor));

			if (c == NULL || (o = push_out(s)) == NULL) {
				pool_put(reactor_pool_chunks(s->reactor), c);
				/* Half a message is worse than none. */
				end(s, STREAM_RESET);
				return ERR_NOMEM;
			}
			o->chunk = c;
		}
		n = REACTOR_CHUNK_BYTES - o->n;
		if (n > bytes.n)
			n = bytes.n;
		memcpy(o->chunk + o->n, bytes.p, n);
		o->n += (uint32_t)n;
		s->out_bytes += (uint32_t)n;
		bytes = span_sub(bytes, n, bytes.n);
	}
	return OK;
}

enum err
stream_write_part(struct stream *s, struct blob *b, uint32_t at, uint32_t n)
{
	struct stream_out *o;

	assert(reactor_self() == s->reactor);
	assert(at <= b->n);
	assert(n <= b->n - at);
	if (!takes(s) || n == 0)
		return OK;
	if (n > s->out_max || s->out_bytes > s->out_max - n)
		return ERR_BUSY;
	if ((o = push_out(s)) == NULL)
		return ERR_NOMEM;
	o->blob = blob_ref(b);
	o->at = at;
	o->n = at + n;
	s->out_bytes += n;
	reactor_flush(s->reactor, &s->flush);
	return OK;
}

enum err
stream_write_blob(struct stream *s, struct blob *b)
{
	return stream_write_part(s, b, 0, b->n);
}

static bool
takes_file(const struct stream *s)
{
	return STREAM_FILE_WEIGHT <= s->out_max &&
	    s->out_bytes <= s->out_max - STREAM_FILE_WEIGHT;
}

/* of: NULL is no memory. */
static enum err
push_file(struct stream *s, struct out_file *of)
{
	struct stream_out *o;

	if (of == NULL)
		return ERR_NOMEM;
	if ((o = push_out(s)) == NULL) {
		out_file_free(of);
		return ERR_NOMEM;
	}
	o->file = of;
	s->out_bytes += STREAM_FILE_WEIGHT;
	reactor_flush(s->reactor, &s->flush);
	return OK;
}

enum err
stream_write_file(struct stream *s, const struct sys_file *f, uint64_t at,
    uint64_t n)
{
	struct out_file *of = NULL;
	enum err e = OK;

	assert(reactor_self() == s->reactor);
	assert(at <= f->id.size);
	assert(n <= f->id.size - at);
	if (takes(s) && n > 0) {
		e = takes_file(s) ? ERR_NOMEM : ERR_BUSY;
		if (e == ERR_NOMEM)
			of = out_file_new(f, at, n);
	}
	if (of == NULL) {
		sys_close(f->fd);
		return e;
	}
	return push_file(s, of);
}

enum err
stream_write_same_file(struct stream *s, uint64_t at, uint64_t n)
{
	const struct out_file *last = NULL;

	assert(reactor_self() == s->reactor);
	if (!takes(s) || n == 0)
		return OK;
	for (const struct stream_out *o = s->first; o != NULL; o = o->next)
		if (o->file != NULL)
			last = o->file;
	if (last == NULL)
		return ERR_CONFLICT;
	return takes_file(s) ? push_file(s, out_file_again(last, at, n)) :
	    ERR_BUSY;
}

uint32_t
stream_progress(const struct stream *s)
{
	return s->written - (uint32_t)sys_unacked(s->io.fd);
}

void
stream_set_max(struct stream *s, uint32_t out_max)
{
	s->out_max = out_max;
}

void
stream_pause(struct stream *s)
{
	s->flags |= FL_PAUSED;
}

void
stream_resume(struct stream *s)
{
	s->flags &= (uint8_t)~FL_PAUSED;
	if (wants_bytes(s))
		reactor_flush(s->reactor, &s->flush);
}

void
stream_finish(struct stream *s)
{
	if (s->state == ST_CONNECTING || s->state == ST_HANDSHAKE)
		end(s, STREAM_CLOSED);
	if (s->state != ST_OPEN)
		return;
	s->state = ST_FINISHING;
	s->flags &= (uint8_t)~FL_PAUSED;
	reactor_flush(s->reactor, &s->flush);
}

void
stream_close(struct stream *s)
{
	end(s, STREAM_CLOSED);
}

bool
stream_is_closing(const struct stream *s)
{
	return !takes(s);
}

/* ---- From one reactor to another ---- */

enum err
stream_release(struct stream *s, struct stream_parts *parts_out)
{
	struct stream_parts p = { .fd = s->io.fd, .held = true,
	    .tls = s->tls, .first = s->first, .last = s->last,
	    .out_bytes = s->out_bytes };

	assert(reactor_self() == s->reactor);
	if (s->state != ST_OPEN)
		return ERR_CONFLICT;
	for (const struct stream_out *o = s->first; o != NULL; o = o->next) {
		p.refs_n++;
		p.chunks_n += o->chunk != NULL;
	}
	pool_leave(reactor_pool_refs(s->reactor), p.refs_n);
	pool_leave(reactor_pool_chunks(s->reactor), p.chunks_n);
	if (s->tls != NULL)
		tls_set_engine(s->tls, NULL);
	reactor_unwatch(s->reactor, &s->io);
	reactor_flush_cancel(&s->flush);
	s->state = ST_NONE;
	s->first = s->last = NULL;
	s->out_bytes = 0;
	s->tls = NULL;
	s->io.fd = -1;
	*parts_out = p;
	return OK;
}

enum err
stream_adopt(struct stream *s, struct reactor *r, struct stream_parts *parts,
    const struct stream_ops *ops, uint32_t out_max)
{
	enum err e;

	assert(reactor_self() == r);
	assert(parts->held);
	if (parts->tls != NULL && tls_is_own(parts->tls)) {
		if (reactor_records(r) == NULL) {
			stream_parts_close(r, parts);
			return ERR_NOMEM;
		}
		tls_set_engine(parts->tls, reactor_records(r));
	}
	if ((e = begin(s, r, parts->fd, ops, out_max)) != OK) {
		stream_parts_close(r, parts);
		return e;
	}
	pool_join(reactor_pool_refs(r), parts->refs_n);
	pool_join(reactor_pool_chunks(r), parts->chunks_n);
	s->tls = parts->tls;
	s->first = parts->first;
	s->last = parts->last;
	s->out_bytes = parts->out_bytes;
	s->state = ST_OPEN;
	/* TLS may hold bytes that no descriptor will ever tell of. */
	s->flags = FL_TOLD | FL_READABLE;
	reactor_flush(r, &s->flush);
	*parts = (struct stream_parts){ .fd = -1 };
	return OK;
}

void
stream_parts_close(struct reactor *r, struct stream_parts *parts)
{
	struct stream s = { .reactor = r, .first = parts->first,
	    .last = parts->last, .out_bytes = parts->out_bytes };

	if (!parts->held)
		return;
	pool_join(reactor_pool_refs(r), parts->refs_n);
	pool_join(reactor_pool_chunks(r), parts->chunks_n);
	while (s.first != NULL)
		drop_first(&s);
	if (parts->tls != NULL) {
		tls_set_engine(parts->tls, reactor_records(r));
		tls_cut(parts->tls);
		tls_close(parts->tls);
	}
	sys_close(parts->fd);
	*parts = (struct stream_parts){ .fd = -1 };
}
