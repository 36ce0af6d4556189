/*
 * events.c: the Socket.IO events, one row each.
 */
#include "conformance/args.h"
#include "conformance/peer.h"

/* Larger wishes are not for one client to have, and are ignored. */
#define TIMES_MAX 100000	/* emit-n, volatile-n */
#define BINARY_BYTES_MAX (16u << 20)	/* emit-binary */
#define ASK_MS_MAX 86400000	/* ask-me */
#define KEEP_MAX 256		/* free pieces */

/* An `ask-me` that waits for the answer to its question. */
struct question {
	struct peer *peer;
	int64_t ack;
};

void
events_open(struct peer *p)
{
	pool_init(&p->questions, sizeof(struct question), KEEP_MAX);
}

void
events_close(struct peer *p)
{
	pool_fini(&p->questions);
}

/* All arguments of an event with their bytes, to be sent on. */
static struct edge_args
all_of(const struct edge_event *e, struct span json)
{
	return (struct edge_args){ json, e->parts, e->parts_n };
}

static void
ack_if_asked(struct edge_ref sock, const struct edge_event *e,
    struct span args)
{
	if (e->ack >= 0)
		edge_ack(sock, e->ack, args);
}

/* ---- echoes ---- */

static void
message(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	const struct edge_args args = all_of(e, e->args);

	(void)p;
	edge_emit_with(sock, SPAN("message-back"), &args, false);
}

static void
message_with_ack(struct peer *p, struct edge_ref sock,
    const struct edge_event *e)
{
	const struct edge_args args = all_of(e, e->args);

	(void)p;
	if (e->ack >= 0)
		edge_ack_with(sock, e->ack, &args);
}

/* ---- info ---- */

static void
add_room(void *arg, struct span room)
{
	struct args_out *o = arg;

	if (o->text.n > 0 && o->text.p[o->text.n - 1] != '[')
		args_put(o, SPAN(","));
	args_put_room(o, room);
}

static void
info(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct args_out o;

	(void)p;
	args_out_init(&o);
	args_put(&o, SPAN("{\"id\":"));
	args_put_string(&o, edge_sock_id(sock));
	args_put(&o, edge_is_recovered(sock) ? SPAN(",\"recovered\":true") :
	    SPAN(",\"recovered\":false"));
	args_put(&o, SPAN(",\"nsp\":"));
	args_put_string(&o, edge_sock_nsp(sock));
	args_put(&o, SPAN(",\"transport\":"));
	args_put_string(&o, edge_sock_transport(sock));
	args_put(&o, SPAN(",\"rooms\":["));
	edge_rooms(sock, add_room, &o);
	args_put(&o, SPAN("],\"auth\":"));
	args_put(&o, spaces_auth(sock));
	args_put(&o, SPAN(",\"query\":"));
	args_put(&o, spaces_query(sock));
	args_put(&o, SPAN("}"));
	if (!o.bad)
		ack_if_asked(sock, e, buf_span(&o.text));
	args_out_fini(&o);
}

/* ---- questions ---- */

static void
on_answer(void *arg, struct edge_ref sock, enum edge_answered how,
    const struct edge_args *args)
{
	struct question *q = arg;
	int64_t ack = q->ack;
	struct args_out o;

	pool_put(&q->peer->questions, q);
	if (ack < 0)
		return;
	if (how != EDGE_ANSWERED) {
		edge_ack(sock, ack, SPAN("{\"timedOut\":true}"));
		return;
	}
	args_out_init(&o);
	args_put(&o, SPAN("{\"timedOut\":false,\"answer\":["));
	args_put(&o, args->json);
	args_put(&o, SPAN("]}"));
	if (!o.bad) {
		const struct edge_args back = { buf_span(&o.text), args->parts,
		    args->parts_n };

		edge_ack_with(sock, ack, &back);
	}
	args_out_fini(&o);
}

static void
ask_me(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct span left = e->args, data, ms;
	struct question *q;
	uint64_t wait_ms;

	if (!args_next(&left, &data))
		data = SPAN("null");
	if (!args_next(&left, &ms))
		ms = SPAN("0");
	if (!args_times(ms, ASK_MS_MAX, &wait_ms))
		return;
	q = pool_get(&p->questions);
	if (q == NULL)
		return;
	*q = (struct question){ p, e->ack };
	const struct edge_args args = all_of(e, data);
	/* 0 would wait for ever: to JavaScript it is at once. */
	edge_ask(sock, SPAN("question"), &args, wait_ms > 0 ? wait_ms : 1,
	    on_answer, q);
}

/* ---- rooms ---- */

static void
join(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct args_rooms rooms;
	bool done = args_rooms(e->first, &rooms);

	(void)p;
	for (uint32_t i = 0; done && i < rooms.n; i++)
		done = edge_join(sock, rooms.name[i]) == OK;
	if (done)
		ack_if_asked(sock, e, SPAN("\"joined\""));
	else
		edge_drop(sock);	/* beyond what one client may have */
}

static void
leave(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct args_rooms rooms;

	(void)p;
	if (args_rooms(e->first, &rooms) && rooms.n == 1)
		edge_leave(sock, rooms.name[0]);
	ack_if_asked(sock, e, SPAN("\"left\""));
}

static void
send_to_room(struct peer *p, struct edge_ref sock,
    const struct edge_event *e, bool with_sender)
{
	struct span own = edge_sock_id(sock), left = e->args, room;
	struct args_rooms rooms;

	if (!args_next(&left, &room) || !args_rooms(room, &rooms))
		return;
	const struct edge_to to = { .nsp = e->nsp,
	    .rooms = rooms.name, .rooms_n = rooms.n,
	    .except = &own, .except_n = !with_sender };
	const struct edge_args args = all_of(e, left);
	edge_emit_to(p->edge, &to, SPAN("room-message"), &args);
}

static void
to_room(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	send_to_room(p, sock, e, false);
	ack_if_asked(sock, e, SPAN("\"sent\""));
}

static void
in_room(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	send_to_room(p, sock, e, true);
}

static void
broadcast(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct span own = edge_sock_id(sock);
	const struct edge_to to = { .nsp = e->nsp, .except = &own,
	    .except_n = 1 };
	const struct edge_args args = all_of(e, e->args);

	edge_emit_to(p->edge, &to, SPAN("broadcast-back"), &args);
}

/* ---- many, and large ---- */

/* Emits `name` with 0 ... n-1, as long as the socket is there. */
static void
count_up(struct edge_ref sock, const struct edge_event *e, struct span name,
    bool is_volatile)
{
	uint64_t n;

	if (!args_times(e->first, TIMES_MAX, &n))
		return;
	for (uint64_t i = 0; i < n && edge_is_open(sock); i++) {
		uint8_t digits[24];
		struct wr w = wr_init(digits, sizeof(digits));

		wr_dec(&w, i);
		const struct edge_args args = { .json = wr_done(&w) };
		edge_emit_with(sock, name, &args, is_volatile);
	}
}

static void
emit_n(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	(void)p;
	count_up(sock, e, SPAN("n"), false);
}

static void
volatile_n(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	(void)p;
	count_up(sock, e, SPAN("v"), true);
	edge_emit_one(sock, SPAN("v-done"), SPAN(""));
}

static void
emit_binary(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	struct blob *b;
	uint64_t n;

	(void)p;
	if (!args_times(e->first, BINARY_BYTES_MAX, &n))
		return;
	b = blob_new(n);
	if (b == NULL)
		return;
	for (uint64_t i = 0; i < n; i++)
		b->p[i] = (uint8_t)(i % 251);
	const struct span parts[2] = { blob_span(b),
	    span_sub(blob_span(b), 0, 3) };
	const struct edge_args args = { .json = SPAN(
	    "{\"_placeholder\":true,\"num\":0},"
	    "{\"nested\":{\"_placeholder\":true,\"num\":1}}"),
	    .parts = parts, .parts_n = 2 };
	edge_emit_with(sock, SPAN("binary"), &args, false);
	blob_unref(b);
}

/* ---- ends ---- */

static void
disconnect_me(struct peer *p, struct edge_ref sock,
    const struct edge_event *e)
{
	(void)p;
	edge_disconnect(sock, span_eq(e->first, SPAN("true")));
}

static void
drop_me(struct peer *p, struct edge_ref sock, const struct edge_event *e)
{
	(void)p;
	(void)e;
	edge_drop(sock);
}

/* ---- the table ---- */

static const struct event {
	const char *name;
	void (*run)(struct peer *p, struct edge_ref sock,
	    const struct edge_event *e);
	bool custom;		/* in /custom, too */
} events[] = {
	{ "ask-me", ask_me, false },
	{ "broadcast", broadcast, false },
	{ "disconnect-me", disconnect_me, false },
	{ "drop-me", drop_me, false },
	{ "emit-binary", emit_binary, false },
	{ "emit-n", emit_n, false },
	{ "in-room", in_room, false },
	{ "info", info, false },
	{ "join", join, false },
	{ "leave", leave, false },
	{ "message", message, true },
	{ "message-with-ack", message_with_ack, true },
	{ "to-room", to_room, false },
	{ "volatile-n", volatile_n, false },
};

/* JavaScript writes no blanks, whatever it read: nor is any sent back. */
static void
run(const struct event *v, struct peer *p, struct edge_ref sock,
    const struct edge_event *e)
{
	struct edge_event compact = *e;
	struct args_out args;
	struct span left;

	args_out_init(&args);
	args_put_compact(&args, e->args);
	compact.args = left = buf_span(&args.text);
	if (!args_next(&left, &compact.first))
		compact.first = SPAN("");
	if (args.bad)
		edge_drop(sock);	/* no memory */
	else
		v->run(p, sock, &compact);
	args_out_fini(&args);
}

void
events_on_event(void *arg, struct edge_ref sock, const struct edge_event *e)
{
	bool custom = span_eq(e->nsp, SPAN("/custom"));

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		const struct event *v = &events[i];

		if (span_eq(e->name, span_str(v->name)) &&
		    (v->custom || !custom)) {
			run(v, arg, sock, e);
			return;
		}
	}
}
