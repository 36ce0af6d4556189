/*
 * ws_fuzz.c: laws of the WebSocket reader. (1) However the input is split, the
 * same whole messages, control frames and close code come of it. (2) Those,
 * written by the other role, are read as the same.
 */
#include "base/fuzz.h"

#include <stdlib.h>

#include "wire/ws.h"

#define TRACE_MAX (1 << 17)
#define WRITE_MAX (1 << 18)

struct trace {
	uint8_t p[TRACE_MAX];
	size_t n;
	size_t open;		/* where the unfinished message begins */
};

static struct trace whole, split, third;
static uint8_t written[WRITE_MAX];
static struct wr again;

static void
put(struct trace *t, const void *p, size_t n)
{
	if (t->n + n > sizeof t->p)
		abort();
	if (n > 0)
		memcpy(&t->p[t->n], p, n);
	t->n += n;
}

/* One whole message or control frame, as the other role writes it. */
static void
write_it(enum ws_role role, enum ws_op op, struct span data)
{
	static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };

	ws_put(&again, op, data, role == WS_SERVER ? mask : NULL);
}

static void
control(struct trace *t, const struct ws *w, enum ws_ev ev,
    const struct ws_msg *m, bool write)
{
	uint8_t payload[WS_CONTROL_MAX + 2];
	struct wr c = wr_init(payload, sizeof payload);
	size_t part = t->n - t->open;
	static uint8_t open[TRACE_MAX];

	/* It goes in front of the message that it interrupts. */
	memcpy(open, &t->p[t->open], part);
	t->n = t->open;
	put(t, &"--PQC"[ev], 1);
	put(t, &m->code, sizeof m->code);
	put(t, m->data.p, m->data.n);
	t->open = t->n;
	put(t, open, part);
	if (!write)
		return;
	if (ev == WS_CLOSE && m->code != WS_CODE_NONE)
		wr_u16(&c, m->code);
	wr_span(&c, m->data);
	write_it(w->role, m->op, wr_done(&c));
}

static bool
step(struct ws *w, struct trace *t, uint8_t *in, size_t n, size_t *used,
    bool write)
{
	struct ws_msg m;
	enum ws_ev ev = ws_next(w, in, n, used, &m);

	if (*used > n)
		abort();
	if (ev == WS_MORE)
		return false;
	if (ev == WS_BAD) {
		t->n = t->open;		/* what was unfinished is void */
		put(t, "X", 1);
		put(t, &w->bad_code, sizeof w->bad_code);
		return false;
	}
	if (ev != WS_DATA) {
		control(t, w, ev, &m, write);
		return true;
	}
	if (m.first)
		put(t, m.compressed ? "Z" : m.op == WS_OP_TEXT ? "T" : "B", 1);
	put(t, m.data.p, m.data.n);
	if (m.last) {
		if (write && !m.compressed)
			write_it(w->role, m.op, span_of(&t->p[t->open + 1],
			    t->n - t->open - 1));
		t->open = t->n;
	}
	return true;
}

static void
run(enum ws_role role, bool deflate, struct span in, size_t each,
    struct trace *t, bool write)
{
	size_t from = 0, to = 0, used;
	struct ws w;

	t->n = t->open = 0;
	ws_init(&w, role, 4096);
	w.deflate = deflate;
	do {
		uint8_t *copy, *at;
		size_t n;

		to = in.n - to < each ? in.n : to + each;
		n = to - from;
		copy = at = malloc(n + 1);
		if (copy == NULL)
			abort();
		memcpy(copy, &in.p[from], n);
		while (step(&w, t, at, n, &used, write)) {
			at = &at[used];
			n -= used;
			from += used;
		}
		from += used;
		free(copy);
	} while (to < in.n && w.bad_code == 0);
	t->n = w.bad_code != 0 ? t->n : t->open;
}

static void
compare(const struct trace *a, const struct trace *b)
{
	if (a->n != b->n || memcmp(a->p, b->p, a->n) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum ws_role role;
	struct span in;
	bool deflate;

	if (size < 2 || size > 8192)
		return 0;
	role = data[0] & 1 ? WS_CLIENT : WS_SERVER;
	deflate = (data[0] & 2) != 0;
	in = span_of(&data[2], size - 2);
	again = wr_init(written, sizeof written);
	run(role, deflate, in, in.n + 1, &whole, true);
	run(role, deflate, in, (size_t)data[1] + 1, &split, false);
	compare(&whole, &split);
	/* Without refusals and compression, the rewritten one is the same. */
	if (!deflate && wr_ok(&again)) {
		size_t bad = whole.n >= 3 && whole.p[whole.n - 3] == 'X' ? 3 :
		    0;

		run(role, false, wr_done(&again), again.n + 1, &third, false);
		if (third.n != whole.n && third.n + bad != whole.n)
			abort();
		if (memcmp(third.p, whole.p, third.n) != 0)
			abort();
	}
	return 0;
}
