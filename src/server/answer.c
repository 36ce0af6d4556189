/*
 * answer.c: replies and errors in the caller's dialect: the envelope of REST,
 * the acknowledgement of a socket call, headers.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/browser.h"
#include "wire/json.h"

/* Bytes around a reply: envelope and the like. */
#define ANSWER_AROUND 64
/* Replies above this go out as a blob of their own, not copied again. */
#define ANSWER_COPY_MAX 4096
#define ANSWER_ERROR_MAX 8192
#define ANSWER_HEADERS_MAX 18

void
answer_error(struct frame *f, struct wr *w)
{
	const char *text = f->message != NULL ? f->message : err_text(f->err);

	wr_u8(w, '{');
	json_put_name(w, "code");
	json_put_str(w, span_str(err_code(f->err)));
	wr_u8(w, ',');
	json_put_name(w, "message");
	json_put_str(w, span_str(text));
	if (f->details.n > 0) {
		wr_u8(w, ',');
		json_put_name(w, "details");
		wr_span(w, f->details);
	} else if (f->faults.n > 0) {
		wr_u8(w, ',');
		json_put_name(w, "details");
		shape_error_encode(&f->faults, w);
	}
	wr_u8(w, '}');
}

/* ---- sockets ---- */

static struct span
answer_ack_ok(struct frame *f)
{
	const struct shape *rep = f->call.op->rep;
	struct span out = SPAN("{\"success\":true}");
	struct span json;

	if (rep != &shape_none && shape_encode_arena(rep, f->call.rep,
	    &f->call.arena, &json) == OK)
		out = json;
	return out;
}

static void
answer_fail_event(struct frame *f)
{
	struct message_error_ev ev = { .code = span_str(err_code(f->err)),
	    .message = span_str(f->message != NULL ? f->message :
	    err_text(f->err)) };
	struct span id, json;

	/* Which send it was, as far as the payload says. */
	if (json_find_string(f->body, SPAN("clientMessageId"), NULL, &id) &&
	    id_decode(id, ev.client_message_id.b))
		ev.has_client_message_id = true;
	if (f->details.n > 0) {
		ev.details = f->details;
		ev.has_details = true;
	}
	if (shape_encode_arena(&shape_message_error_ev, &ev, &f->call.arena,
	    &json) == OK)
		edge_emit_one(f->ref, span_str(f->fail_event), json);
}

static void
answer_event(struct frame *f)
{
	if (f->err == OK) {
		if (f->ack >= 0)
			edge_ack(f->ref, f->ack, answer_ack_ok(f));
		return;
	}
	if (f->ack >= 0) {
		uint8_t text[ANSWER_ERROR_MAX];
		size_t room = ANSWER_AROUND + f->details.n;
		uint8_t *p = room < sizeof(text) / 2 ? text :
		    arena_bytes(&f->call.arena, room + sizeof(text));
		struct wr w = wr_init(p, p == text ? sizeof(text) :
		    p == NULL ? 0 : room + sizeof(text));

		wr_str(&w, "{\"error\":");
		answer_error(f, &w);
		wr_u8(&w, '}');
		if (wr_ok(&w))
			edge_ack(f->ref, f->ack, wr_done(&w));
	}
	if (f->fail_event != NULL)
		answer_fail_event(f);
}

/* ---- REST ---- */

struct headers {
	struct http_field h[ANSWER_HEADERS_MAX];
	size_t n;
	char text[256];		/* numbers */
	size_t text_n;
};

static void
header_add(struct headers *hs, const char *name, struct span value)
{
	if (hs->n < ANSWER_HEADERS_MAX)
		hs->h[hs->n++] = (struct http_field){ span_str(name), value };
}

static void
header_add_u64(struct headers *hs, const char *name, uint64_t v)
{
	struct wr w = wr_init(hs->text + hs->text_n,
	    sizeof(hs->text) - hs->text_n);

	wr_dec(&w, v);
	if (wr_ok(&w)) {
		hs->text_n += w.n;
		header_add(hs, name, wr_done(&w));
	}
}

static void
answer_headers(struct frame *f, struct headers *hs, const char *type)
{
	hs->n = hs->text_n = 0;
	header_add(hs, "Content-Type", span_str(type));
	if (f->page != NULL && f->err == OK) {
		header_add(hs, "Cache-Control", span_str(f->page->cache));
		header_add(hs, "ETag", span_str(f->page->etag));
	} else {
		header_add(hs, "Cache-Control", SPAN("no-store"));
	}
	header_add(hs, "X-Request-Id", frame_request_id(f));
	if (f->limit.limit > 0) {
		header_add_u64(hs, "RateLimit-Limit", f->limit.limit);
		header_add_u64(hs, "RateLimit-Remaining", f->limit.remaining);
		header_add_u64(hs, "RateLimit-Reset", f->limit.reset_s);
	}
	if (f->retry_s > 0)
		header_add_u64(hs, "Retry-After", f->retry_s);
	if (err_status(f->err) == 401 && f->err != OK)
		header_add(hs, "WWW-Authenticate", SPAN("Bearer"));
	if (hs->n + BROWSER_HEADERS_MAX <= ANSWER_HEADERS_MAX)
		hs->n += browser_headers(f, &hs->h[hs->n]);
}

#define ANSWER_JSON "application/json; charset=utf-8"

static void
answer_rest_error(struct frame *f)
{
	size_t room = ANSWER_ERROR_MAX + f->details.n;
	struct blob *b = blob_new(room);
	struct headers hs;

	if (b == NULL)
		return;		/* edge answers 503 in time */
	struct wr w = wr_init(b->p, room);
	wr_str(&w, "{\"success\":false,\"error\":");
	answer_error(f, &w);
	wr_u8(&w, ',');
	json_put_name(&w, "requestId");
	json_put_str(&w, frame_request_id(f));
	wr_u8(&w, '}');
	answer_headers(f, &hs, ANSWER_JSON);
	edge_answer(f->ref, &(struct edge_answer){
	    .status = err_status(f->err), .headers = hs.h,
	    .headers_n = hs.n, .body = wr_done(&w) });
	blob_unref(b);
}

/* Of {"name":[...]} the list alone. */
static void
answer_list(const struct shape *s, const void *rep, struct wr *w)
{
	size_t from = w->n, skip = s->rows[0].name_n + sizeof("{\"\":") - 1;

	assert(s->rows_n == 1 && s->rows[0].kind == SHAPE_LIST);
	shape_encode(s, rep, w);
	if (!wr_ok(w))
		return;
	w->n -= skip + 1;
	memmove(w->p + from, w->p + from + skip, w->n - from);
}

static void
answer_rest_body(struct frame *f, struct wr *w)
{
	const struct op *op = f->call.op;
	bool api = f->dialect == DIALECT_api || f->dialect == DIALECT_list;

	if (op->rep == &shape_none) {
		wr_str(w, "{\"success\":true,\"message\":");
		json_put_str(w, span_str(op->message != NULL ? op->message :
		    "OK"));
		wr_u8(w, '}');
		return;
	}
	if (api)
		wr_str(w, "{\"success\":true,\"data\":");
	if (f->dialect == DIALECT_list)
		answer_list(op->rep, f->call.rep, w);
	else
		shape_encode(op->rep, f->call.rep, w);
	if (api)
		wr_u8(w, '}');
}

/* A file, sent at the pace of its reader. */
static void
answer_file(struct frame *f, struct headers *hs)
{
	struct edge_piece piece = { .n = f->file_n };
	char name[128];
	struct wr w = wr_init(name, sizeof(name));

	wr_str(&w, "attachment; filename=\"");
	wr_str(&w, f->file_name);
	wr_u8(&w, '"');
	header_add(hs, "Content-Disposition", wr_done(&w));
	if (sys_file_of(f->file_fd, &piece.file) != OK) {
		f->err = ERR_IO;
		answer_rest_error(f);
		return;
	}
	f->file_fd = -1;	/* edge's */
	edge_answer(f->ref, &(struct edge_answer){
	    .status = (int)f->status, .headers = hs->h, .headers_n = hs->n,
	    .pieces = &piece, .pieces_n = 1 });
}

static void
answer_rest_ok(struct frame *f)
{
	struct edge_answer a = { .status = (int)f->status };
	const struct op *op = f->call.op;
	struct blob *b = NULL;
	struct headers hs;

	answer_headers(f, &hs, f->page != NULL ? f->page->content_type :
	    f->raw_type != NULL ? f->raw_type : ANSWER_JSON);
	a.headers = hs.h;
	a.headers_n = hs.n;
	if (f->page != NULL) {
		a.blob = f->page->body;
		edge_answer(f->ref, &a);
		return;
	}
	if (f->file_name != NULL) {
		answer_file(f, &hs);
		return;
	}
	if (f->raw_type != NULL) {
		a.body = f->raw_body;
		edge_answer(f->ref, &a);
		return;
	}
	size_t room = ANSWER_AROUND + (op->message != NULL ?
	    strlen(op->message) : 0);
	if (op->rep != &shape_none)
		room += shape_encode_len(op->rep, f->call.rep);
	uint8_t *p = room <= ANSWER_COPY_MAX ?
	    arena_bytes(&f->call.arena, room) : NULL;
	if (p == NULL) {
		b = blob_new(room);
		if (b == NULL)
			return;
		p = b->p;
	}
	struct wr w = wr_init(p, room);
	answer_rest_body(f, &w);
	if (!wr_ok(&w)) {
		blob_unref(b);
		f->err = ERR_INTERNAL;
		answer_rest_error(f);
		return;
	}
	if (b != NULL) {
		b->n = (uint32_t)w.n;
		a.blob = b;
	} else {
		a.body = wr_done(&w);
	}
	edge_answer(f->ref, &a);
	blob_unref(b);
}

void
answer_send(struct frame *f)
{
	if (f->origin == ORIGIN_EVENT)
		answer_event(f);
	else if (f->err != OK)
		answer_rest_error(f);
	else
		answer_rest_ok(f);
}

void
answer_refuse(struct shard *s, struct edge_ref ref, enum err e, int status,
    struct span request_id, const char *allow, const char *why)
{
	uint8_t text[1024], says[256];
	struct wr m = wr_init(says, sizeof(says));
	struct wr w = wr_init(text, sizeof(text));
	struct http_field h[6];
	size_t n = 0;

	metric_add(e == ERR_NOT_FOUND ? &s->metrics.requests_not_found :
	    &s->metrics.requests_refused, 1);
	wr_str(&w, "{\"success\":false,\"error\":{\"code\":");
	json_put_str(&w, span_str(err_code(e)));
	wr_str(&w, ",\"message\":");
	wr_str(&m, err_text(e));
	if (why != NULL) {
		wr_str(&m, ": ");
		wr_str(&m, why);
	}
	json_put_str(&w, wr_done(&m));
	wr_str(&w, "},\"requestId\":");
	json_put_str(&w, request_id);
	wr_u8(&w, '}');
	h[n++] = (struct http_field){ SPAN("Content-Type"),
	    SPAN(ANSWER_JSON) };
	h[n++] = (struct http_field){ SPAN("Cache-Control"),
	    SPAN("no-store") };
	h[n++] = (struct http_field){ SPAN("X-Request-Id"), request_id };
	if (allow != NULL)
		h[n++] = (struct http_field){ SPAN("Allow"),
		    span_str(allow) };
	if (status == 503)
		h[n++] = (struct http_field){ SPAN("Retry-After"),
		    SPAN("1") };
	edge_answer(ref, &(struct edge_answer){ .status = status,
	    .headers = h, .headers_n = n, .body = wr_done(&w) });
}
