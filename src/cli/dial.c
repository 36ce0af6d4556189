/*
 * dial.c: see dial.h.
 */
#include "cli/dial.h"

#define DIAL_OF(s) \
	((struct dial *)(void *)((char *)(s) - offsetof(struct dial, stream)))
#define DIAL_OF_LIMIT(t) \
	((struct dial *)(void *)((char *)(t) - offsetof(struct dial, limit)))

static void try_next(struct dial *d);

static void
end(struct dial *d, enum dial_end why)
{
	timer_cancel(&d->limit);
	d->running = d->open = d->live = false;
	if (d->in.p != NULL)
		wipe(d->in.p, d->in.n);
	buf_fini(&d->in);
	buf_init(&d->in, DIAL_IN_MAX);
	d->ops->on_close(d, why);
}

static void
on_limit(struct timer *t)
{
	struct dial *d = DIAL_OF_LIMIT(t);
	d->late = true;
	stream_close(&d->stream);
}

static void
on_open(struct stream *s)
{
	struct dial *d = DIAL_OF(s);
	timer_cancel(&d->limit);
	d->open = true;
	d->ops->on_open(d);
}

static void
on_data(struct stream *s, struct span bytes)
{
	struct dial *d = DIAL_OF(s);
	if (d->closing)
		return;
	if (buf_add_span(&d->in, bytes) != OK) {
		stream_close(s);	/* more than any message may have */
		return;
	}
	size_t took = d->ops->on_data(d, d->in.p, d->in.n);
	buf_drop(&d->in, took);
}

static void
on_close(struct stream *s, enum stream_end why)
{
	struct dial *d = DIAL_OF(s);
	d->live = false;
	if (d->closing)
		end(d, DIAL_CLOSED);
	else if (d->open)
		end(d, DIAL_LOST);
	else if (why == STREAM_TLS && d->where->refused)
		end(d, DIAL_UNTRUSTED);
	else if (d->tried < d->where->addr_n)
		try_next(d);
	else
		end(d, why == STREAM_TLS ? DIAL_TLS : DIAL_UNREACHED);
}

static const struct stream_ops ops = {
	.on_open = on_open, .on_data = on_data, .on_close = on_close,
};

/* Failing here, too, is told later: the owner is still in dial_start. */
static void
on_failed(struct timer *t)
{
	struct dial *d = DIAL_OF_LIMIT(t);
	end(d, d->closing ? DIAL_CLOSED : DIAL_UNREACHED);
}

static void
try_next(struct dial *d)
{
	struct where *w = d->where;
	w->refused = false;
	while (d->tried < w->addr_n && !d->closing) {
		struct sys_addr *a = &w->addr[(w->addr_at + d->tried++) %
		    w->addr_n];
		if (stream_connect(&d->stream, d->reactor, a,
		    w->tls ? w->ctx : NULL, w->host, w, &ops,
		    DIAL_OUT_MAX) != OK)
			continue;
		d->live = true;
		d->late = false;
		timer_start(reactor_wheel(d->reactor), &d->limit,
		    DIAL_CONNECT_MS, on_limit);
		return;
	}
	timer_start(reactor_wheel(d->reactor), &d->limit, 1, on_failed);
}

void
dial_init(struct dial *d, struct reactor *r, struct where *w,
    const struct dial_ops *with)
{
	memset(d, 0, sizeof(*d));
	d->reactor = r;
	d->where = w;
	d->ops = with;
	buf_init(&d->in, DIAL_IN_MAX);
}

void
dial_fini(struct dial *d)
{
	timer_cancel(&d->limit);
	if (d->in.p != NULL)
		wipe(d->in.p, d->in.n);
	buf_fini(&d->in);
}

void
dial_start(struct dial *d)
{
	d->running = true;
	d->open = d->closing = false;
	d->tried = 0;
	try_next(d);
}

enum err
dial_write(struct dial *d, struct span bytes)
{
	return d->open && !d->closing ? stream_write(&d->stream, bytes) :
	    ERR_UNAVAILABLE;
}

void
dial_close(struct dial *d)
{
	if (!d->running || d->closing)
		return;
	d->closing = true;
	if (d->live)
		stream_close(&d->stream);
}
