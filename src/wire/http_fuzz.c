/*
 * http_fuzz.c: laws of the HTTP reader. (1) However the input is split, the
 * events are the same. (2) A head that was taken, written anew from what was
 * understood, is taken again and means the same.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/http.h"

#define TRACE_MAX (1 << 16)

struct trace {
	uint8_t p[TRACE_MAX];
	size_t n;
	size_t body;		/* where the present body begins */
	bool in_body;
};

static struct trace whole, split;
static struct http_msg msg;
static const struct http_limits limits = { 2048, 512, 16, 512 };

static void
put(struct trace *t, const void *p, size_t n)
{
	if (t->n + n > sizeof t->p)
		abort();
	if (n > 0)
		memcpy(&t->p[t->n], p, n);
	t->n += n;
}

/* Law 2: written from its parts, it is the same message. */
static void
write_again(enum http_role role, bool head)
{
	static struct http_msg again;
	static struct http_in h;
	static const struct http_limits wide = { 8192, 4096, 32, 512 };
	uint8_t mem[8192];
	struct wr w = wr_init(mem, sizeof mem);
	struct span body;
	size_t used;

	if (role == HTTP_CLIENT) {
		http_put_status(&w, msg.status);
	} else {
		wr_span(&w, msg.method_text);
		wr_u8(&w, ' ');
		wr_span(&w, msg.target);
		wr_str(&w, msg.minor == 1 ? " HTTP/1.1\r\n" :
		    " HTTP/1.0\r\n");
	}
	for (size_t i = 0; i < msg.field_n; i++) {
		wr_span(&w, msg.field[i].name);
		wr_str(&w, ": ");
		wr_span(&w, msg.field[i].value);
		http_put_end(&w);
	}
	http_put_end(&w);
	if (!wr_ok(&w) || (role == HTTP_CLIENT && msg.minor == 0))
		return;
	http_in_init(&h, role, &wide);
	http_in_expect_head(&h, head);
	if (http_next(&h, wr_done(&w), &again, &used, &body) != HTTP_EV_HEAD)
		abort();
	if (again.field_n != msg.field_n || again.method != msg.method ||
	    again.status != msg.status || again.length != msg.length ||
	    again.chunked != msg.chunked ||
	    again.keep_alive != msg.keep_alive ||
	    !span_eq(again.path, msg.path) ||
	    !span_eq(again.query, msg.query) ||
	    !span_eq(again.host, msg.host) ||
	    again.has_body != msg.has_body)
		abort();
}

static bool
step(struct http_in *h, struct trace *t, struct span in, size_t *used)
{
	struct span body;
	enum http_ev ev = http_next(h, in, &msg, used, &body);

	if (*used > in.n)
		abort();
	if (ev == HTTP_EV_BODY) {
		if (body.n == 0 || body.p < in.p ||
		    &body.p[body.n] > &in.p[in.n])
			abort();
		if (!t->in_body)
			t->body = t->n;
		t->in_body = true;
		put(t, body.p, body.n);
		return true;
	}
	if (ev == HTTP_EV_MORE)
		return false;
	/* Of a body that is refused, more or less was handed out before. */
	if (ev == HTTP_EV_BAD && t->in_body)
		t->n = t->body;
	t->in_body = false;
	put(t, &"-HBEX"[ev], 1);
	if (ev == HTTP_EV_HEAD) {
		write_again(h->role, h->head_answer);
		put(t, msg.method_text.p, msg.method_text.n);
		put(t, msg.path.p, msg.path.n);
		put(t, &msg.status, sizeof msg.status);
		put(t, &msg.length, sizeof msg.length);
		for (size_t i = 0; i < msg.field_n; i++) {
			put(t, msg.field[i].name.p, msg.field[i].name.n);
			put(t, msg.field[i].value.p, msg.field[i].value.n);
		}
	}
	if (ev == HTTP_EV_BAD)
		put(t, &h->bad_status, sizeof h->bad_status);
	return ev != HTTP_EV_BAD;
}

static void
run(enum http_role role, bool head, struct span in, size_t each,
    struct trace *t)
{
	struct http_in h;
	size_t from = 0, to = 0, used;
	uint8_t *copy;

	t->n = 0;
	t->in_body = false;
	http_in_init(&h, role, &limits);
	http_in_expect_head(&h, head);
	do {
		bool on;

		to = in.n - to < each ? in.n : to + each;
		/* In memory of its own, so that a read beyond it is seen. */
		copy = malloc(to - from + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, &in.p[from], to - from);
		struct span rest = span_of(copy, to - from);
		do {
			on = step(&h, t, rest, &used);
			from += used;
			rest = span_sub(rest, used, rest.n);
		} while (on);
		free(copy);
	} while (to < in.n && h.bad_status == 0);
	put(t, &"-HBEX"[http_eof(&h)], 1);
}

/* Well-formed beginnings, chosen by the input: they lead into every state. */
static const char *const start[] = { "", "GET / HTTP/1.1\r\nHost: a\r\n",
	"POST /p?q HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	"PUT /%41 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n",
	"", "HTTP/1.1 200 OK\r\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 3\r\n"
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t mem[8192 + 256];
	struct wr in = wr_init(mem, sizeof mem);
	enum http_role role;
	bool head;
	size_t each;

	if (size < 3 || size > 8192)
		return 0;
	role = data[0] & 4 ? HTTP_CLIENT : HTTP_SERVER;
	head = (data[0] & 8) != 0;
	each = (size_t)data[1] + 1;
	wr_str(&in, start[data[0] & 7]);
	wr_bytes(&in, &data[2], size - 2);
	run(role, head, wr_done(&in), in.n, &whole);
	run(role, head, wr_done(&in), each, &split);
	if (whole.n != split.n || memcmp(whole.p, split.p, whole.n) != 0)
		abort();
	return 0;
}
