/*
 * stand.c: see stand.h.
 */
#include "cli/stand.h"

#include "wire/json.h"
#include "wire/shapes.h"

#define OF_LATER(t) \
	((struct stand *)(void *)((char *)(t) - offsetof(struct stand, later)))
#define PATH_MAX_BYTES 128
#define ACK_BYTES 16384

static void
clear_buf(struct buf *b, size_t max)
{
	if (b->p != NULL)
		wipe(b->p, b->n);
	buf_fini(b);
	buf_init(b, max);
}

void
stand_init(struct stand *t, struct remote *m,
    const struct sock_ops *ops, void *ctx)
{
	memset(t, 0, sizeof(*t));
	t->remote = m;
	t->ops = ops;
	t->ctx = ctx;
	buf_init(&t->token, 8192);
	buf_init(&t->hello, 1024);
}

void
stand_fini(struct stand *t)
{
	timer_cancel(&t->later);
	clear_buf(&t->token, 0);
	clear_buf(&t->hello, 0);
}

static void
on_later(struct timer *timer)
{
	struct stand *t = OF_LATER(timer);
	t->up = true;
	t->ops->on_up(t->ctx);
	if (t->up)
		t->ops->on_event(t->ctx, SPAN("connection:acknowledged"),
		    buf_span(&t->hello));
}

enum err
stand_open(struct stand *t, struct span token, struct span hello)
{
	t->up = false;
	buf_clear(&t->token);
	buf_clear(&t->hello);
	TRY(buf_add_span(&t->token, token));
	TRY(buf_add_span(&t->hello, hello));
	timer_start(reactor_wheel(t->remote->dial.reactor), &t->later, 1,
	    on_later);
	return OK;
}

/*
 * The answer as an acknowledgement: `data` of a success, else {"error":...}.
 * Without an answer there is none: the client sends the same bytes again.
 */
static void
on_answer(void *ctx, uint64_t id, const struct remote_answer *a)
{
	struct stand *t = ctx;
	struct span data = json_find(a->body, SPAN("data"));
	struct span error = json_find(a->body, SPAN("error"));
	uint8_t text[ACK_BYTES];
	struct wr w = wr_init(text, sizeof(text));
	if (!t->up)
		return;
	if (a->status == 0 || json_check(a->body) != OK) {
		t->up = false;
		t->ops->on_down(t->ctx, (struct span){ 0 }, a->why);
		return;
	}
	if (a->status < 300 && data.n > 0) {
		t->ops->on_ack(t->ctx, (uint32_t)id, data);
		return;
	}
	wr_str(&w, "{\"error\":");
	wr_span(&w, error);
	wr_str(&w, "}");
	if (error.n == 0 || !wr_ok(&w)) {
		w = wr_init(text, sizeof(text));
		wr_str(&w, "{\"error\":{\"code\":\"unavailable\","
		    "\"message\":\"\"}}");
	}
	t->ops->on_ack(t->ctx, (uint32_t)id, wr_done(&w));
}

/* The same object without the id of that name, which goes into the path. */
static enum err
split(struct span json, struct span id, struct span *id_out, struct wr *w)
{
	struct json j = json_init(json);
	struct span name, value;
	bool first = true;
	*id_out = (struct span){ 0 };
	if (json_object(&j)) {
		while (json_member(&j, NULL, &name)) {
			if (span_eq(name, id)) {
				json_string(&j, NULL, id_out);
				continue;
			}
			if (!json_raw(&j, &value))
				break;
			wr_str(w, first ? "{" : ",");
			json_put_str(w, name);
			wr_str(w, ":");
			wr_span(w, value);
			first = false;
		}
	}
	wr_str(w, first ? "{}" : "}");
	TRY(json_end(&j));
	return id_out->n > 0 && wr_ok(w) ? OK : ERR_FORMAT;
}

void
stand_emit(struct stand *t, struct span name, struct span json, uint32_t ack)
{
	uint8_t path[PATH_MAX_BYTES];
	struct wr p = wr_init(path, sizeof(path)), w;
	struct buf body;
	struct span id;
	bool edit = span_eq(name, SPAN("message:edit"));
	if (!t->up || (!edit && !span_eq(name, SPAN("message:send"))))
		return;		/* typing and marks: not from here */
	buf_init(&body, json.n + 64);
	enum err e = json_put_begin(&body, json.n + 64, &w);
	if (e == OK)
		e = split(json, edit ? SPAN("messageId") : SPAN("chatId"),
		    &id, &w);
	if (e == OK)
		e = json_put_end(&body, &w);
	if (e == OK) {
		wr_str(&p, edit ? "/api/messages/" : "/api/chats/");
		http_put_coded(&p, id);
		wr_str(&p, edit ? "" : "/messages");
		e = wr_ok(&p) ? remote_call(t->remote, edit ? "PUT" : "POST",
		    wr_done(&p),
		    buf_span(&t->token), buf_span(&body), ack, on_answer, t) :
		    ERR_TOO_LARGE;
	}
	buf_fini(&body);
	/* Not sent: the client's own limit of waiting repeats it. */
	if (e != OK)
		t->up = false;
}

void
stand_close(struct stand *t)
{
	timer_cancel(&t->later);
	t->up = false;
	clear_buf(&t->token, 8192);
}
