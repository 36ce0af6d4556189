/*
 * sio.c: Socket.IO protocol 5. See sio.h.
 *
 * Implementation notes: a packet is type, attachments and "-" (binary types
 * only), namespace and "," (when it is not "/"), acknowledgement id, JSON:
 * 51-/chat,12["name",{"_placeholder":true,"num":0}].
 */
#include "wire/sio.h"

#include "wire/json.h"
#include "wire/ws.h"

bool
sio_is_reserved(struct span event)
{
	static const char *const names[] = {
		"connect", "connect_error", "disconnect", "disconnecting",
		"newListener", "removeListener"
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (span_eq(event, span_str(names[i])))
			return true;
	return false;
}

/* ------------------------------------------------------------ decoding -- */

static size_t
digits(struct span s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* As JavaScript reads digits: zeros may lead. */
static bool
number(struct span s, uint64_t max, uint64_t *out)
{
	while (s.n > 1 && s.p[0] == '0')
		s = span_sub(s, 1, s.n);
	return span_u64(s, max, out);
}

static bool
take_attachments(struct span *s, uint32_t *out)
{
	size_t n = digits(*s);
	uint64_t v;

	if (n == s->n || s->p[n] != '-' ||
	    !number(span_sub(*s, 0, n), SIO_ATTACHMENTS_MAX, &v) || v == 0)
		return false;
	*out = (uint32_t)v;
	*s = span_sub(*s, n + 1, s->n);
	return true;
}

static bool
take_namespace(struct span *s, struct span *out)
{
	size_t comma;

	*out = SPAN("/");
	if (s->n == 0 || s->p[0] != '/')
		return true;
	comma = span_find(*s, ',');
	*out = span_sub(*s, 0, comma);
	*s = span_sub(*s, comma + 1, s->n);
	return out->n <= SIO_NAMESPACE_MAX;
}

static bool
take_id(struct span *s, struct sio_packet *out)
{
	size_t n = digits(*s);

	if (n == 0)
		return true;
	out->has_id = true;
	if (!number(span_sub(*s, 0, n), SIO_ACK_MAX, &out->id))
		return false;
	*s = span_sub(*s, n, s->n);
	return true;
}

/* ["name", args...]: the name decoded, the arguments as they stand. */
static enum err
take_event(struct span data, struct arena *a, struct sio_packet *out)
{
	struct json j = json_init_any(data);
	size_t from = 0, end = 0;
	struct span arg;

	if (!json_array(&j) || !json_item(&j))
		return ERR_FORMAT;
	if (json_peek(&j) == JSON_NUMBER)
		(void)json_raw(&j, &out->event);
	else if (!json_string(&j, a, &out->event))
		return j.err;
	else if (sio_is_reserved(out->event))
		return ERR_FORMAT;
	while (json_item(&j) && json_raw(&j, &arg)) {
		end = json_at(&j);
		if (from == 0)
			from = end - arg.n;
	}
	TRY(json_end(&j));
	out->args = from == 0 ? span_of(NULL, 0) :
	    span_sub(data, from, end - from);
	return OK;
}

/* The payload that each type takes, as socket.io-parser 4 has it. */
static enum err
check_payload(struct sio_packet *out, struct arena *a)
{
	struct json j = json_init_any(out->data);
	enum json_type type = out->data.n == 0 ? JSON_BAD : json_peek(&j);
	bool fits = false;

	switch (out->type) {
	case SIO_CONNECT:
		fits = out->data.n == 0 || type == JSON_OBJECT;
		break;
	case SIO_DISCONNECT:
		fits = out->data.n == 0;
		break;
	case SIO_CONNECT_ERROR:
		fits = type == JSON_OBJECT || type == JSON_STRING;
		break;
	case SIO_EVENT:
	case SIO_BINARY_EVENT:
		return out->has_data ? take_event(out->data, a, out) : OK;
	case SIO_ACK:
	case SIO_BINARY_ACK:
		fits = !out->has_data || type == JSON_ARRAY;
		break;
	}
	if (!fits)
		return ERR_FORMAT;
	return out->data.n == 0 ? OK : json_check_any(out->data);
}

enum err
sio_decode(struct span msg, struct arena *a, struct sio_packet *out)
{
	struct span s = span_sub(msg, 1, msg.n);
	struct sio_packet p = { .nsp = { NULL, 0 } };

	if (msg.n == 0 || msg.p[0] < '0' || msg.p[0] > '0' + SIO_BINARY_ACK)
		return ERR_FORMAT;
	p.type = (enum sio_type)(msg.p[0] - '0');
	if (p.type >= SIO_BINARY_EVENT && !take_attachments(&s,
	    &p.attachments))
		return ERR_FORMAT;
	if (!take_namespace(&s, &p.nsp) || !take_id(&s, &p))
		return ERR_FORMAT;
	p.data = s;
	p.has_data = s.n > 0;
	TRY(check_payload(&p, a));
	*out = p;
	return OK;
}

bool
sio_arg(struct span *args, struct span *arg_out)
{
	struct json j = json_init_any(*args);
	size_t at;

	if (args->n == 0 || !json_raw(&j, arg_out))
		return false;
	(void)json_peek(&j);		/* over space */
	at = json_at(&j);
	if (at < args->n && args->p[at] == ',')
		at++;
	*args = span_sub(*args, at, args->n);
	return true;
}

struct span
sio_ack_args(const struct sio_packet *p)
{
	struct span args = { NULL, 0 }, arg;
	struct json j = json_init_any(p->data);
	size_t from = 0, end = 0;

	if (!json_array(&j))
		return args;
	while (json_item(&j) && json_raw(&j, &arg)) {
		end = json_at(&j);
		if (from == 0)
			from = end - arg.n;
	}
	return from == 0 ? args : span_sub(p->data, from, end - from);
}

/* What a walk over data looks for. */
struct places {
	struct arena *a;
	uint32_t attachments;
	uint32_t n;		/* placeholders met */
	uint32_t depth;
};

static bool check_value(struct json *j, struct places *w);

/* An object: either a placeholder whose number is an index, or its members. */
static bool
check_object(struct json *j, struct places *w)
{
	bool placeholder = false, index = false, yes;
	struct span name, value;
	uint64_t num;

	(void)json_object(j);
	while (json_member(j, w->a, &name)) {
		struct json look = *j;

		if (span_eq(name, SPAN("_placeholder")))
			placeholder = json_peek(&look) == JSON_BOOL &&
			    json_bool(&look, &yes) && yes;
		else if (span_eq(name, SPAN("num")))
			index = json_raw(&look, &value) && span_u64(value,
			    w->attachments, &num) && num < w->attachments;
		if (!check_value(j, w))
			return false;
	}
	w->n += placeholder;
	return j->why == NULL && (!placeholder || index);
}

static bool
check_array(struct json *j, struct places *w)
{
	(void)json_array(j);
	while (json_item(j))
		if (!check_value(j, w))
			return false;
	return j->why == NULL;
}

static bool
check_value(struct json *j, struct places *w)
{
	enum json_type type = json_peek(j);
	bool fits;

	switch (type) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		if (w->depth == SIO_BINARY_DEPTH_MAX)
			return false;
		w->depth++;
		fits = type == JSON_OBJECT ? check_object(j, w) :
		    check_array(j, w);
		w->depth--;
		return fits;
	case JSON_BAD:
	case JSON_NULL:
	case JSON_BOOL:
	case JSON_NUMBER:
	case JSON_STRING:
	default:
		return json_skip(j);
	}
}

enum err
sio_check_placeholders(struct span data, uint32_t attachments,
    struct arena *a, uint32_t *n_out)
{
	struct places w = { a, attachments, 0, 0 };
	struct json j = json_init_any(data);

	if (!check_value(&j, &w))
		return j.err == ERR_TOO_LARGE ? j.err : ERR_FORMAT;
	*n_out = w.n;
	return json_end(&j);
}

/* ------------------------------------------------------------- writing -- */

static bool
is_main(struct span nsp)
{
	return nsp.n == 0 || span_eq(nsp, SPAN("/"));
}

/* "4", type, attachments, namespace. */
static void
put_head(struct wr *w, enum sio_type type, uint32_t attachments,
    struct span nsp)
{
	wr_u8(w, '4');
	wr_u8(w, (uint8_t)('0' + (int)type));
	if (type >= SIO_BINARY_EVENT) {
		wr_dec(w, attachments);
		wr_u8(w, '-');
	}
	if (!is_main(nsp)) {
		wr_span(w, nsp);
		wr_u8(w, ',');
	}
}

void
sio_put_connect(struct wr *w, struct span nsp, struct span json)
{
	put_head(w, SIO_CONNECT, 0, nsp);
	wr_span(w, json);
}

void
sio_put_connect_error(struct wr *w, struct span nsp, struct span message,
    struct span data)
{
	put_head(w, SIO_CONNECT_ERROR, 0, nsp);
	wr_str(w, "{\"message\":");
	json_put_str(w, message);
	if (data.n > 0) {
		wr_str(w, ",\"data\":");
		wr_span(w, data);
	}
	wr_u8(w, '}');
}

void
sio_put_disconnect(struct wr *w, struct span nsp)
{
	put_head(w, SIO_DISCONNECT, 0, nsp);
}

void
sio_put_event(struct wr *w, struct span nsp, uint64_t id,
    uint32_t attachments, struct span name, struct span args)
{
	put_head(w, attachments > 0 ? SIO_BINARY_EVENT : SIO_EVENT,
	    attachments, nsp);
	if (id != SIO_NO_ID)
		wr_dec(w, id);
	wr_u8(w, '[');
	json_put_str(w, name);
	if (args.n > 0) {
		wr_u8(w, ',');
		wr_span(w, args);
	}
	wr_u8(w, ']');
}

void
sio_put_ack(struct wr *w, struct span nsp, uint64_t id, uint32_t attachments,
    struct span args)
{
	put_head(w, attachments > 0 ? SIO_BINARY_ACK : SIO_ACK, attachments,
	    nsp);
	wr_dec(w, id);
	wr_u8(w, '[');
	wr_span(w, args);
	wr_u8(w, ']');
}

static size_t
dec_len(uint64_t v)
{
	size_t n = 1;

	while ((v /= 10) > 0)
		n++;
	return n;
}

/* Bytes of the text packet. */
static size_t
text_len(const struct sio_frames *f)
{
	size_t n = 2 + (is_main(f->nsp) ? 0 : f->nsp.n + 1) + 2;

	if (f->parts_n > 0)
		n += dec_len(f->parts_n) + 1;
	if (f->id != SIO_NO_ID)
		n += dec_len(f->id);
	if (!f->is_ack)
		n += json_put_len(f->name);
	n += f->args.n + f->last.n;
	/* commas: between those of the three that are there */
	n += !f->is_ack && f->args.n > 0;
	n += (!f->is_ack || f->args.n > 0) && f->last.n > 0;
	return n;
}

size_t
sio_frames_len(const struct sio_frames *f)
{
	size_t n = text_len(f);

	n += ws_head_len(n, false);
	for (uint32_t i = 0; i < f->parts_n; i++)
		n += ws_head_len(f->parts[i].n, false) + f->parts[i].n;
	return n;
}

static void
put_text(struct wr *w, const struct sio_frames *f)
{
	enum sio_type type = f->is_ack ? SIO_ACK : SIO_EVENT;

	if (f->parts_n > 0)
		type = f->is_ack ? SIO_BINARY_ACK : SIO_BINARY_EVENT;
	put_head(w, type, f->parts_n, f->nsp);
	if (f->id != SIO_NO_ID)
		wr_dec(w, f->id);
	wr_u8(w, '[');
	if (!f->is_ack)
		json_put_str(w, f->name);
	if (!f->is_ack && f->args.n > 0)
		wr_u8(w, ',');
	wr_span(w, f->args);
	if ((!f->is_ack || f->args.n > 0) && f->last.n > 0)
		wr_u8(w, ',');
	wr_span(w, f->last);
	wr_u8(w, ']');
}

void
sio_frames_put(uint8_t *out, const struct sio_frames *f)
{
	size_t n = text_len(f);
	struct wr w = wr_init(out, sio_frames_len(f));
	uint8_t head[WS_HEAD_MAX];

	wr_bytes(&w, head, ws_head(head, WS_OP_TEXT, true, false, n, NULL));
	put_text(&w, f);
	for (uint32_t i = 0; i < f->parts_n; i++) {
		wr_bytes(&w, head, ws_head(head, WS_OP_BINARY, true, false,
		    f->parts[i].n, NULL));
		wr_span(&w, f->parts[i]);
	}
}
