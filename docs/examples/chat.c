/* chat.c: a Socket.IO server. Say something to those in a room of yours. */
#include "edge/edge.h"
#include "wire/json.h"

static void
on_request(void *arg, struct edge_ref request, const struct edge_request *req)
{
	(void)arg, (void)req;
	edge_answer(request, &(struct edge_answer){ .status = 404 });
}

static void
on_connect(void *arg, struct edge_ref sock, const struct edge_connect *c)
{
	(void)arg;
	if (!span_eq(c->nsp, SPAN("/"))) {
		edge_refuse(sock, SPAN("Invalid namespace"), SPAN(""));
		return;
	}
	edge_accept(sock);
	edge_emit_one(sock, SPAN("welcome"), c->auth);
}

/* join(room, cb)   say(room, anything..., cb?) */
static void
on_event(void *arg, struct edge_ref sock, const struct edge_event *e)
{
	struct edge **edge = arg;
	struct span me = edge_sock_id(sock), room;
	const struct edge_args args = { e->args, e->parts, e->parts_n };
	struct json j = json_init(e->first);
	bool done = json_string(&j, NULL, &room);

	if (done && span_eq(e->name, SPAN("join")))
		done = edge_join(sock, room) == OK;
	else if (done && span_eq(e->name, SPAN("say")))
		edge_emit_to(*edge, &(struct edge_to){ .nsp = e->nsp,
		    .rooms = &room, .rooms_n = 1, .except = &me,
		    .except_n = 1 }, SPAN("said"), &args);
	edge_ack(sock, e->ack, done ? SPAN("true") : SPAN("false"));
}

static void
on_close(void *arg, struct edge_ref sock, enum edge_end why)
{
	(void)arg, (void)sock, (void)why;
}

int
main(int argc, char **argv)
{
	struct edge *edge;
	struct edge_app app = { .arg = &edge, .on_request = on_request,
	    .on_connect = on_connect, .on_event = on_event,
	    .on_close = on_close };
	struct edge_conf conf;
	struct reactor *reactor;
	struct sys_addr addr;
	uint64_t port;

	edge_conf_default(&conf);
	conf.cors = EDGE_CORS_ANY;
	if (argc != 2 || !span_u64(span_str(argv[1]), UINT16_MAX, &port) ||
	    !sys_addr_decode("127.0.0.1", (uint16_t)port, &addr) ||
	    reactor_open(0, &reactor) != OK ||
	    edge_open(reactor, &conf, &app, &edge) != OK ||
	    edge_listen(edge, &addr, NULL, NULL) != OK)
		return 1;
	sys_ignore_sigpipe();
	reactor_run(reactor);
}
