/*
 * sock.c: see sock.h.
 *
 * Implementation notes: what arrives passes HTTP until the 101, then frames;
 * a message that came in one frame and one read is handled where it lies, cut
 * ones are collected in `message`.
 */
#include "cli/sock.h"

#include "cli/help.h"
#include "crypto/provider.h"
#include "wire/eio.h"
#include "wire/json.h"
#include "wire/sio.h"

#define OF_DIAL(d) \
	((struct sock *)(void *)((char *)(d) - offsetof(struct sock, dial)))
#define OF_WATCH(t) \
	((struct sock *)(void *)((char *)(t) - offsetof(struct sock, watch)))
#define TARGET SPAN("/socket.io/?EIO=4&transport=websocket")
#define NAME_ARENA 1024

static void
clear_buf(struct buf *b, size_t max)
{
	if (b->p != NULL)
		wipe(b->p, b->n);
	buf_fini(b);
	buf_init(b, max);
}

/* The connection is of no use any more: on_close tells its owner. */
static void
give_up(struct sock *s)
{
	dial_close(&s->dial);
}

static void
on_watch(struct timer *t)
{
	give_up(OF_WATCH(t));
}

static void
watch(struct sock *s, uint64_t ms)
{
	timer_start(reactor_wheel(s->dial.reactor), &s->watch, ms, on_watch);
}

/* ---- writing ---- */

static void
put_frame(struct sock *s, enum ws_op op, struct span data)
{
	uint8_t head[WS_HEAD_MAX + WS_CONTROL_MAX], mask[4];
	if (s->pv->random(s->pv->ctx, mask, sizeof(mask)) != OK) {
		give_up(s);
		return;
	}
	buf_clear(&s->out);
	size_t n = ws_head(head, op, true, false, data.n, mask);
	if (buf_add(&s->out, head, n) != OK ||
	    buf_add_span(&s->out, data) != OK) {
		give_up(s);
		return;
	}
	ws_mask(s->out.p + n, data.n, mask, 0);
	if (dial_write(&s->dial, buf_span(&s->out)) != OK)
		give_up(s);
}

static void
put_packet(struct sock *s, struct span packet)
{
	put_frame(s, WS_OP_TEXT, packet);
}

/* ---- reading: Socket.IO ---- */

static void
take_refusal(struct sock *s, struct span data)
{
	uint8_t mem[NAME_ARENA];
	struct arena a;
	struct span code = { 0 };
	arena_init(&a, mem, sizeof(mem));
	struct span more = json_find(data, SPAN("data"));
	if (more.n == 0 || !json_find_string(more, SPAN("code"), &a, &code))
		code = SPAN("refused");
	snprintf(s->code, sizeof(s->code), "%.*s",
	    (int)(code.n < 60 ? code.n : 60), (const char *)code.p);
	give_up(s);
}

static void
take_sio(struct sock *s, struct span data)
{
	uint8_t mem[NAME_ARENA];
	struct arena a;
	struct sio_packet k;
	struct span arg = { 0 }, args;
	arena_init(&a, mem, sizeof(mem));
	if (sio_decode(data, &a, &k) != OK) {
		give_up(s);
		return;
	}
	switch (k.type) {
	case SIO_CONNECT:
		if (s->state == SOCK_CONNECTING) {
			s->state = SOCK_UP;
			clear_buf(&s->auth, 16384);
			watch(s, s->silence_ms);
			s->ops->on_up(s->ctx);
		}
		break;
	case SIO_CONNECT_ERROR: take_refusal(s, k.data); break;
	case SIO_DISCONNECT: give_up(s); break;
	case SIO_EVENT:
		args = k.args;
		if (s->state == SOCK_UP && k.event.n > 0) {
			if (!sio_arg(&args, &arg))
				arg = SPAN("null");
			s->ops->on_event(s->ctx, k.event, arg);
		}
		break;
	case SIO_ACK:
		args = sio_ack_args(&k);
		if (s->state == SOCK_UP && k.has_id && k.id <= UINT32_MAX) {
			if (!sio_arg(&args, &arg))
				arg = SPAN("null");
			s->ops->on_ack(s->ctx, (uint32_t)k.id, arg);
		}
		break;
	case SIO_BINARY_EVENT: case SIO_BINARY_ACK:
	default: give_up(s); break;	/* the server sends no binary */
	}
}

static void
take_open(struct sock *s, struct span data)
{
	uint8_t mem[NAME_ARENA];
	struct arena a;
	struct eio_open o;
	arena_init(&a, mem, sizeof(mem));
	if (s->state != SOCK_OPENING || eio_decode_open(data, &a, &o) != OK) {
		give_up(s);
		return;
	}
	/* Engine.IO 4: the client waits interval + timeout for a ping. */
	s->silence_ms = (uint64_t)o.ping_interval_ms + o.ping_timeout_ms;
	if (s->silence_ms < 1000 || s->silence_ms > 600000)
		s->silence_ms = 85000;
	s->state = SOCK_CONNECTING;
	size_t room = s->auth.n + 16;
	struct buf b;
	buf_init(&b, room);
	struct wr w;
	enum err e = json_put_begin(&b, room, &w);
	if (e == OK) {
		sio_put_connect(&w, SPAN("/"), buf_span(&s->auth));
		e = json_put_end(&b, &w);
	}
	if (e == OK)
		put_packet(s, buf_span(&b));
	else
		give_up(s);
	clear_buf(&b, 0);
}

static void
take_message(struct sock *s, struct span text, bool binary)
{
	struct eio_packet k;
	if (eio_decode(text, binary, &k) != OK || k.binary) {
		give_up(s);
		return;
	}
	if (s->state == SOCK_UP)
		watch(s, s->silence_ms);
	switch (k.type) {
	case EIO_OPEN: take_open(s, k.data); break;
	case EIO_CLOSE: give_up(s); break;
	case EIO_PING: put_packet(s, SPAN("3")); break;
	case EIO_MESSAGE: take_sio(s, k.data); break;
	case EIO_PONG: case EIO_UPGRADE: case EIO_NOOP: default: break;
	}
}

/* ---- reading: WebSocket ---- */

static void
take_piece(struct sock *s, const struct ws_msg *m)
{
	bool binary = m->op == WS_OP_BINARY;
	if (m->first && m->last) {
		take_message(s, m->data, binary);
		return;
	}
	if (buf_add_span(&s->message, m->data) != OK) {
		give_up(s);
		return;
	}
	if (m->last) {
		take_message(s, buf_span(&s->message), binary);
		clear_buf(&s->message, SOCK_MESSAGE_MAX);
	}
}

static size_t
take_frames(struct sock *s, uint8_t *p, size_t n)
{
	size_t taken = 0;
	while (!s->dial.closing) {
		struct ws_msg m;
		size_t used = 0;
		enum ws_ev ev = ws_next(&s->ws, p + taken, n - taken, &used,
		    &m);
		taken += used;
		switch (ev) {
		case WS_MORE: return taken;
		case WS_DATA: take_piece(s, &m); break;
		case WS_PING: put_frame(s, WS_OP_PONG, m.data); break;
		case WS_PONG: break;
		case WS_CLOSE: case WS_BAD: default: give_up(s); break;
		}
	}
	return n;
}

/* The answer to the upgrade; the bytes behind it are frames. */
static size_t
take_upgrade(struct sock *s, uint8_t *p, size_t n)
{
	size_t taken = 0;
	while (s->state == SOCK_UPGRADING && !s->dial.closing) {
		size_t used = 0;
		struct span piece;
		enum http_ev ev = http_next(&s->http,
		    span_of(p + taken, n - taken), &s->msg, &used, &piece);
		if (ev == HTTP_EV_MORE)
			return taken + used;
		bool good = ev == HTTP_EV_END ||
		    (ev == HTTP_EV_HEAD &&
		    ws_check_answer(&s->msg, tls_sha1, s->key) == OK);
		if (ev == HTTP_EV_HEAD && s->msg.status != 101)
			snprintf(s->code, sizeof(s->code), "http_%u",
			    (unsigned)s->msg.status);
		taken += used;
		if (!good)
			give_up(s);
		else if (ev == HTTP_EV_END)
			s->state = SOCK_OPENING;
	}
	if (s->dial.closing)
		return n;
	return taken + take_frames(s, p + taken, n - taken);
}

/* ---- the connection ---- */

static void
on_open(struct dial *d)
{
	struct sock *s = OF_DIAL(d);
	uint8_t random[16], head[1024];
	struct wr w = wr_init(head, sizeof(head));
	enum err e = s->pv->random(s->pv->ctx, random, sizeof(random));
	ws_put_request(&w, TARGET, span_str(d->where->authority), random,
	    s->key);
	http_put_field_str(&w, "User-Agent", "nightjar/" HELP_VERSION);
	http_put_end(&w);
	http_in_init(&s->http, HTTP_CLIENT, &s->limits);
	ws_init(&s->ws, WS_CLIENT, SOCK_MESSAGE_MAX);
	s->state = SOCK_UPGRADING;
	watch(s, SOCK_HANDSHAKE_MS);
	if (e != OK || !wr_ok(&w) || dial_write(d, wr_done(&w)) != OK)
		give_up(s);
}

static size_t
on_data(struct dial *d, uint8_t *p, size_t n)
{
	struct sock *s = OF_DIAL(d);
	return s->state == SOCK_UPGRADING ? take_upgrade(s, p, n) :
	    take_frames(s, p, n);
}

static void
begin(struct sock *s)
{
	s->again = s->ending = false;
	s->code[0] = '\0';
	s->state = SOCK_DIALING;
	clear_buf(&s->message, SOCK_MESSAGE_MAX);
	dial_start(&s->dial);
}

static void
on_close(struct dial *d, enum dial_end why)
{
	struct sock *s = OF_DIAL(d);
	timer_cancel(&s->watch);
	s->state = SOCK_IDLE;
	if (s->again)
		begin(s);
	else if (!s->ending)
		s->ops->on_down(s->ctx, span_str(s->code), why);
}

static const struct dial_ops ops = {
	.on_open = on_open, .on_data = on_data, .on_close = on_close,
};

void
sock_init(struct sock *s, struct reactor *r, struct where *w,
    const struct provider *pv, const struct sock_ops *with, void *ctx)
{
	memset(s, 0, sizeof(*s));
	dial_init(&s->dial, r, w, &ops);
	s->ops = with;
	s->ctx = ctx;
	s->pv = pv;
	s->limits = http_limits_default;
	buf_init(&s->message, SOCK_MESSAGE_MAX);
	buf_init(&s->auth, 16384);
	buf_init(&s->out, SOCK_MESSAGE_MAX);
}

void
sock_fini(struct sock *s)
{
	timer_cancel(&s->watch);
	clear_buf(&s->message, 0);
	clear_buf(&s->auth, 0);
	clear_buf(&s->out, 0);
	dial_fini(&s->dial);
}

enum err
sock_open(struct sock *s, struct span token, bool has_after, uint64_t after)
{
	struct wr w;
	clear_buf(&s->auth, 16384);
	TRY(json_put_begin(&s->auth, json_put_len(token) + 64, &w));
	wr_str(&w, "{\"token\":");
	json_put_str(&w, token);
	if (has_after) {
		wr_str(&w, ",\"after\":");
		json_put_u64(&w, after);
	}
	wr_str(&w, "}");
	TRY(json_put_end(&s->auth, &w));
	if (s->dial.running) {
		s->again = true;
		dial_close(&s->dial);
	} else {
		begin(s);
	}
	return OK;
}

void
sock_emit(struct sock *s, struct span name, struct span json, uint32_t ack)
{
	struct buf b;
	struct wr w;
	size_t room = name.n * 6 + json.n + 64;
	if (s->state != SOCK_UP || s->dial.closing)
		return;
	buf_init(&b, room);
	enum err e = json_put_begin(&b, room, &w);
	if (e == OK) {
		sio_put_event(&w, SPAN("/"), ack != 0 ? ack : SIO_NO_ID, 0,
		    name, json);
		e = json_put_end(&b, &w);
	}
	if (e == OK)
		put_packet(s, buf_span(&b));
	else
		give_up(s);
	buf_fini(&b);
}

void
sock_close(struct sock *s)
{
	s->again = false;
	s->ending = true;
	dial_close(&s->dial);
}
