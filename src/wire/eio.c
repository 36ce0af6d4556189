/*
 * eio.c: Engine.IO protocol 4. See eio.h.
 */
#include "wire/eio.h"

#include "base/text.h"
#include "wire/json.h"

#define SEPARATOR 0x1e		/* between the packets of a polling body */

enum err
eio_decode(struct span msg, bool binary, struct eio_packet *out)
{
	if (binary) {
		*out = (struct eio_packet){ EIO_MESSAGE, true, msg };
		return OK;
	}
	if (msg.n == 0 || msg.p[0] < '0' || msg.p[0] > '0' + EIO_NOOP)
		return ERR_FORMAT;
	*out = (struct eio_packet){ (enum eio_type)(msg.p[0] - '0'), false,
	    span_sub(msg, 1, msg.n) };
	return OK;
}

/* "b" and base64 (as Node reads it): a binary message. */
static enum err
take_binary(struct span text, struct arena *a, struct eio_packet *out)
{
	uint8_t *p = arena_bytes(a, BASE64_ANY_MAX(text.n));

	if (p == NULL)
		return ERR_TOO_LARGE;
	*out = (struct eio_packet){ EIO_MESSAGE, true,
	    span_of(p, base64_decode_any(text, p)) };
	return OK;
}

bool
eio_next(struct span *body, struct arena *a, struct eio_packet *out,
    enum err *err)
{
	size_t end;
	struct span packet;

	*err = OK;
	if (body->p == NULL)
		return false;
	end = span_find(*body, SEPARATOR);
	packet = span_sub(*body, 0, end);
	*body = end == body->n ? span_of(NULL, 0) :
	    span_sub(*body, end + 1, body->n);
	if (packet.n > 0 && packet.p[0] == 'b')
		*err = take_binary(span_sub(packet, 1, packet.n), a, out);
	else
		*err = eio_decode(packet, false, out);
	return *err == OK;
}

size_t
eio_len(const struct eio_packet *p)
{
	return 2 + (p->binary ? BASE64_LEN(p->data.n) : p->data.n);
}

void
eio_put(struct wr *w, const struct eio_packet *p)
{
	uint8_t *room;

	if (w->n > 0)
		wr_u8(w, SEPARATOR);
	if (!p->binary) {
		wr_u8(w, (uint8_t)('0' + (int)p->type));
		wr_span(w, p->data);
		return;
	}
	wr_u8(w, 'b');
	room = wr_room(w, BASE64_LEN(p->data.n));
	if (room != NULL)
		(void)base64_encode(p->data, (char *)room);
}

void
eio_put_open(struct wr *w, const struct eio_open *o)
{
	wr_str(w, "0{\"sid\":");
	json_put_str(w, o->sid);
	wr_str(w, o->upgrade_websocket ? ",\"upgrades\":[\"websocket\"]" :
	    ",\"upgrades\":[]");
	wr_str(w, ",\"pingInterval\":");
	wr_dec(w, o->ping_interval_ms);
	wr_str(w, ",\"pingTimeout\":");
	wr_dec(w, o->ping_timeout_ms);
	wr_str(w, ",\"maxPayload\":");
	wr_dec(w, o->max_payload);
	wr_u8(w, '}');
}

static bool
take_upgrades(struct json *j, struct arena *a, bool *websocket)
{
	struct span name;

	if (!json_array(j))
		return false;
	while (json_item(j))
		if (!json_string(j, a, &name))
			return false;
		else if (span_eq(name, SPAN("websocket")))
			*websocket = true;
	return j->why == NULL;
}

enum err
eio_decode_open(struct span data, struct arena *a, struct eio_open *out)
{
	struct json j = json_init(data);
	struct eio_open o = { .sid = { NULL, 0 } };
	uint64_t interval = 0, timeout = 0, payload = UINT32_MAX;
	struct span name;

	if (!json_object(&j))
		return ERR_FORMAT;
	while (json_member(&j, a, &name)) {
		if (span_eq(name, SPAN("sid")))
			(void)json_string(&j, a, &o.sid);
		else if (span_eq(name, SPAN("upgrades")))
			(void)take_upgrades(&j, a, &o.upgrade_websocket);
		else if (span_eq(name, SPAN("pingInterval")))
			(void)json_u64(&j, UINT32_MAX, &interval);
		else if (span_eq(name, SPAN("pingTimeout")))
			(void)json_u64(&j, UINT32_MAX, &timeout);
		else if (span_eq(name, SPAN("maxPayload")))
			(void)json_u64(&j, UINT32_MAX, &payload);
		else
			(void)json_skip(&j);
	}
	TRY(json_end(&j));
	if (o.sid.n == 0 || o.sid.n > EIO_SID_MAX || interval == 0 ||
	    timeout == 0)
		return ERR_FORMAT;
	o.ping_interval_ms = (uint32_t)interval;
	o.ping_timeout_ms = (uint32_t)timeout;
	o.max_payload = (uint32_t)payload;
	*out = o;
	return OK;
}

void
eio_put_error(struct wr *w, enum eio_error e)
{
	static const char *const text[] = {
		[EIO_ERR_TRANSPORT] = "Transport unknown",
		[EIO_ERR_SID] = "Session ID unknown",
		[EIO_ERR_METHOD] = "Bad handshake method",
		[EIO_ERR_REQUEST] = "Bad request",
		[EIO_ERR_FORBIDDEN] = "Forbidden",
		[EIO_ERR_VERSION] = "Unsupported protocol version"
	};

	wr_str(w, "{\"code\":");
	wr_dec(w, (uint64_t)e);
	wr_str(w, ",\"message\":");
	json_put_str(w, span_str(text[e]));
	wr_u8(w, '}');
}
