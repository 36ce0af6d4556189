/*
 * http_fuzz.c: laws of the HTTP reader. (1) However the input is split, the
 * events are the same. (2) A head that was taken, written anew from what was
 * understood, is taken again and means the same. (3) A request that was taken
 * whole is one for llhttp too, of the same bytes (chunk extensions apart): what
 * we let through is framed alike by another reader, so nothing can be smuggled
 * between the two.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include <llhttp.h>

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

/* What llhttp made of a request: the characters of each part, in order. */
struct other {
	struct trace url, names, values, body;
	bool ended;
};

static struct other other;

static int
on_url(llhttp_t *ll, const char *p, size_t n)
{
	(void)ll;
	put(&other.url, p, n);
	return 0;
}

static int
on_name(llhttp_t *ll, const char *p, size_t n)
{
	(void)ll;
	put(&other.names, p, n);
	return 0;
}

static int
on_value(llhttp_t *ll, const char *p, size_t n)
{
	(void)ll;
	put(&other.values, p, n);
	return 0;
}

/* llhttp leaves the white space behind a value to its caller. */
static int
on_value_end(llhttp_t *ll)
{
	struct trace *t = &other.values;

	(void)ll;
	while (t->n > t->body && (t->p[t->n - 1] == ' ' ||
	    t->p[t->n - 1] == '\t'))
		t->n--;
	t->body = t->n;		/* where the next one begins */
	return 0;
}

static int
on_body(llhttp_t *ll, const char *p, size_t n)
{
	(void)ll;
	put(&other.body, p, n);
	return 0;
}

static int
on_ended(llhttp_t *ll)
{
	(void)ll;
	other.ended = true;
	return 0;
}

static void
same(const struct trace *t, struct span s, size_t *at)
{
	if (s.n > t->n - *at || (s.n > 0 && memcmp(&t->p[*at], s.p, s.n) != 0))
		abort();
	*at += s.n;
}

/* Law 3. m: the head of the request that is the whole of in; body: of it. */
static void
ask_llhttp(const struct http_msg *m, struct span in, struct span body)
{
	size_t url = 0, names = 0, values = 0, content = 0;
	llhttp_settings_t set;
	llhttp_t ll;
	llhttp_errno_t e;

	llhttp_settings_init(&set);
	set.on_url = on_url;
	set.on_header_field = on_name;
	set.on_header_value = on_value;
	set.on_header_value_complete = on_value_end;
	set.on_body = on_body;
	set.on_message_complete = on_ended;
	other.url.n = other.names.n = other.body.n = 0;
	other.values.n = other.values.body = 0;
	other.ended = false;
	llhttp_init(&ll, HTTP_REQUEST, &set);
	e = llhttp_execute(&ll, (const char *)in.p, in.n);
	/* White space around an extension (RFC 9112 7.1.1: BWS, to be read) is
	 * refused there, and so are some characters of quoted values. */
	if (m->chunked && (e == HPE_INVALID_CHUNK_SIZE || (e == HPE_STRICT &&
	    strstr(llhttp_get_error_reason(&ll), "chunk ext") != NULL)))
		return;
	if ((e != HPE_OK && e != HPE_PAUSED_UPGRADE) || !other.ended)
		abort();
	same(&other.url, m->target, &url);
	for (size_t i = 0; i < m->field_n; i++) {
		same(&other.names, m->field[i].name, &names);
		same(&other.values, m->field[i].value, &values);
	}
	same(&other.body, body, &content);
	/* llhttp also tells of trailers, which we drop. */
	if (url != other.url.n || content != other.body.n ||
	    (!m->chunked && (names != other.names.n ||
	    values != other.values.n)))
		abort();
}

/* Reads in as one piece and asks about each request that was taken. */
static void
compare(struct span in)
{
	static struct http_msg head;
	struct trace *content = &split;	/* not in use meanwhile */
	struct http_in h;
	struct span piece;
	size_t from = 0, at = 0, used;
	enum http_ev ev;

	http_in_init(&h, HTTP_SERVER, &limits);
	while ((ev = http_next(&h, span_sub(in, at, in.n), &head, &used,
	    &piece)) != HTTP_EV_MORE && ev != HTTP_EV_BAD) {
		at += used;
		if (ev == HTTP_EV_HEAD)
			content->n = 0;
		else if (ev == HTTP_EV_BODY)
			put(content, piece.p, piece.n);
		if (ev != HTTP_EV_END)
			continue;
		ask_llhttp(&head, span_sub(in, from, at),
		    span_of(content->p, content->n));
		from = at;
	}
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
	if (role == HTTP_SERVER)
		compare(wr_done(&in));
	run(role, head, wr_done(&in), in.n, &whole);
	run(role, head, wr_done(&in), each, &split);
	if (whole.n != split.n || memcmp(whole.p, split.p, whole.n) != 0)
		abort();
	return 0;
}
