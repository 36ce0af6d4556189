/*
 * zip.c: permessage-deflate on a connection that negotiated it: what comes is
 * inflated into the connection's hold, what goes is deflated into a blob.
 * exports edge_zip_*
 * Source: RFC 7692.
 *
 * A stream (wire/deflate.h) is made when the first message needs it, and kept
 * only where context takeover was agreed on: an idle connection without it
 * has none.
 */
#include "edge/private.h"
#include "wire/deflate.h"

struct ws_zip {
	struct deflate_params params;
	struct deflate_in *in;
	struct deflate_out *out;
	struct utf8 utf8;		/* of the text that is being inflated */
};

static void *
mem_get(void *arg, size_t n)
{
	(void)arg;
	return malloc(n);
}

static void
mem_put(void *arg, void *p)
{
	(void)arg;
	free(p);
}

static const struct deflate_mem heap = { mem_get, mem_put, NULL };

enum err
edge_zip_open(struct conn *c, const struct http_msg *head)
{
	struct edge *e = c->edge;
	struct deflate_params p;
	enum err err = deflate_choose(head, e->conf.deflate_bits, &p);

	if (err != OK)
		return err == ERR_NOT_FOUND ? OK : err;
	if (e->stats.deflates >= e->conf.deflates_max ||
	    (c->zip = calloc(1, sizeof *c->zip)) == NULL) {
		e->stats.deflates_over++;
		return OK;
	}
	c->zip->params = p;
	e->stats.deflates++;
	return OK;
}

void
edge_zip_put_answer(const struct conn *c, struct wr *w)
{
	if (c->zip != NULL)
		deflate_put_answer(w, &c->zip->params);
}

void
edge_zip_close(struct conn *c)
{
	if (c->zip == NULL)
		return;
	deflate_in_close(c->zip->in);
	deflate_out_close(c->zip->out);
	free(c->zip);
	c->zip = NULL;
	c->edge->stats.deflates--;
}

/* RFC 7692 6.2, RFC 6455 8.1: it is the inflated text that is UTF-8. */
static bool
text_ok(struct ws_zip *z, const struct ws_msg *m, struct span text, bool end)
{
	if (m->op != WS_OP_TEXT)
		return true;
	return utf8_feed(&z->utf8, text) && (!end || utf8_end(&z->utf8));
}

/* More of the message. */
static enum err
keep(struct conn *c, const struct ws_msg *m, struct span text)
{
	if (text.n > c->in.ws.message_max - hold_span(c->message).n)
		return ERR_TOO_LARGE;
	if (!text_ok(c->zip, m, text, false))
		return ERR_FORMAT;
	return hold_add(&c->edge->holds, &c->message, text);
}

static enum err
inflate_all(struct conn *c, const struct ws_msg *m)
{
	uint8_t *room = c->edge->scratch;
	struct ws_zip *z = c->zip;
	struct span in = m->data;
	size_t n;

	do {
		enum err err;

		TRY(deflate_in_read(z->in, &in, m->last, room, EDGE_SCRATCH,
		    &n));
		err = keep(c, m, span_of(room, n));
		wipe(room, n);	/* as of the reactor's buffer: conn.c */
		TRY(err);
	} while (in.n > 0 || n == EDGE_SCRATCH);
	return text_ok(z, m, SPAN(""), m->last) ? OK : ERR_FORMAT;
}

enum err
edge_zip_add(struct conn *c, const struct ws_msg *m)
{
	struct ws_zip *z = c->zip;

	if (m->first)
		z->utf8 = (struct utf8){ 0 };
	if (z->in == NULL)
		TRY(deflate_in_open(&z->in, &heap, z->params.client_bits));
	TRY(inflate_all(c, m));
	if (m->last && z->params.client_no_takeover) {
		deflate_in_close(z->in);
		z->in = NULL;
	}
	return OK;
}

static bool
send_blob(struct conn *c, enum ws_op op, struct blob *b, size_t n)
{
	uint8_t head[WS_HEAD_MAX];
	size_t k = ws_head(head, op, true, true, n, NULL);

	memmove(b->p + k, b->p + WS_HEAD_MAX, n);
	memcpy(b->p, head, k);
	b->n = (uint32_t)(k + n);
	return edge_conn_write_blob(c, b);
}

bool
edge_zip_send(struct conn *c, enum ws_op op, struct span message)
{
	struct ws_zip *z = c->zip;
	struct blob *b;
	size_t room, n;
	bool ok;

	if (z->out == NULL &&
	    deflate_out_open(&z->out, &heap, z->params.server_bits) != OK)
		return false;
	room = deflate_out_bound(z->out, message.n);
	if ((b = blob_new(WS_HEAD_MAX + room)) == NULL)
		return false;
	ok = deflate_out_write(z->out, message, b->p + WS_HEAD_MAX, room,
	    &n) == OK && send_blob(c, op, b, n);
	blob_unref(b);
	if (z->params.server_no_takeover) {
		deflate_out_close(z->out);
		z->out = NULL;
	}
	return ok;
}
