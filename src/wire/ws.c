/*
 * ws.c: RFC 6455: frames in and out, handshake of both sides. See ws.h.
 *
 * Implementation notes: a frame's first two bytes are judged as soon as they
 * are there, the rest of its head when it is whole. The mask is kept rotated
 * to the next byte of the payload, so a payload may come in any pieces.
 */
#include "wire/ws.h"

#include "wire/http.h"
#include "wire/ws_ext.h"

#define BIT_FIN 0x80
#define BIT_RSV1 0x40
#define BITS_RSV23 0x30
#define BIT_MASK 0x80
#define LEN_16 126		/* RFC 6455 5.2: 16 bits follow */
#define LEN_64 127

typedef uint8_t lane __attribute__((vector_size(16)));
#define LANES 4

void
ws_init(struct ws *w, enum ws_role role, uint32_t message_max)
{
	memset(w, 0, sizeof *w);
	w->role = (uint8_t)role;
	w->message_max = message_max == 0 ? UINT32_MAX : message_max;
	w->peer_code = WS_CODE_LOST;
}

static enum ws_ev
bad(struct ws *w, enum ws_code code, const char *why)
{
	w->bad_code = (uint16_t)code;
	w->bad_why = why;
	return WS_BAD;
}

/*
 * Four lanes of 16 bytes at a time: SSE2 and NEON have them as registers (with
 * AVX two make one), and without any the compiler takes them apart.
 */
void
ws_mask(uint8_t *p, size_t n, const uint8_t mask[static 4], size_t from)
{
	uint8_t m[sizeof(lane)];
	lane wide, v[LANES];
	size_t i = 0;

	for (size_t k = 0; k < sizeof m; k++)
		m[k] = mask[(from + k) & 3];
	memcpy(&wide, m, sizeof wide);
	for (; n - i >= sizeof v; i += sizeof v) {
		memcpy(v, &p[i], sizeof v);
		for (size_t k = 0; k < LANES; k++)
			v[k] ^= wide;
		memcpy(&p[i], v, sizeof v);
	}
	for (; n - i >= sizeof wide; i += sizeof wide) {
		memcpy(v, &p[i], sizeof wide);
		v[0] ^= wide;
		memcpy(&p[i], v, sizeof wide);
	}
	for (; i < n; i++)
		p[i] ^= m[i & (sizeof m - 1)];
}

bool
ws_code_ok(uint16_t code)
{
	/* 1004 to 1006 and 1015 never travel (RFC 6455 7.4.1). */
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* The first two bytes of a frame: NULL, or why they are refused. */
static const char *
judge(const struct ws *w, uint8_t b0, uint8_t b1)
{
	uint8_t op = b0 & 0xf;
	bool control = op >= WS_OP_CLOSE;

	/* RFC 6455 5.2: reserved bits are zero but for a negotiated RSV1,
	 * which stands on a message's first frame (RFC 7692 6). */
	if ((b0 & BITS_RSV23) != 0 || ((b0 & BIT_RSV1) != 0 &&
	    (!w->deflate || control || op == WS_OP_CONT)))
		return "reserved bit set";
	if ((op > WS_OP_BINARY && op < WS_OP_CLOSE) || op > WS_OP_PONG)
		return "reserved opcode";
	/* 5.1: clients mask, servers do not. */
	if (((b1 & BIT_MASK) != 0) != (w->role == WS_SERVER))
		return w->role == WS_SERVER ? "unmasked frame from a client" :
		    "masked frame from a server";
	/* 5.5: control frames are whole and short. */
	if (control && (b0 & BIT_FIN) == 0)
		return "fragmented control frame";
	if (control && (b1 & 0x7f) > WS_CONTROL_MAX)
		return "control frame too long";
	/* 5.4: fragments of two messages are not mixed. */
	if (op == WS_OP_CONT && w->op == 0)
		return "continuation of no message";
	if (!control && op != WS_OP_CONT && w->op != 0)
		return "new message inside another";
	return NULL;
}

/* Bytes of the head whose second byte is given. */
static size_t
head_bytes(uint8_t b1)
{
	size_t n = 2;

	if ((b1 & 0x7f) == LEN_16)
		n += 2;
	else if ((b1 & 0x7f) == LEN_64)
		n += 8;
	return n + ((b1 & BIT_MASK) != 0 ? 4 : 0);
}

/* The payload's length; false when not in its shortest form (5.2). */
static bool
head_length(struct rd *r, uint8_t b1, uint64_t *out)
{
	uint64_t n = b1 & 0x7f, least = 0;

	if (n == LEN_16) {
		n = rd_u16(r);
		least = LEN_16;
	} else if (n == LEN_64) {
		n = rd_u64(r);
		least = 0x10000;
	}
	*out = n;
	return n >= least && n >> 63 == 0;
}

static enum ws_ev
take_close(struct ws *w, struct span data, struct ws_msg *msg)
{
	struct rd r = rd_init(data);

	msg->code = WS_CODE_NONE;
	if (data.n == 1)
		return bad(w, WS_CODE_PROTOCOL, "close code cut short");
	if (data.n >= 2) {
		msg->code = rd_u16(&r);
		if (!ws_code_ok(msg->code))
			return bad(w, WS_CODE_PROTOCOL, "bad close code");
		msg->data = rd_rest(&r);
		if (!utf8_valid(msg->data))
			return bad(w, WS_CODE_DATA, "reason is not UTF-8");
	}
	w->peer_code = msg->code;
	w->closed = true;
	return WS_CLOSE;
}

/* A control frame of n payload bytes at p, which are all there. */
static enum ws_ev
take_control(struct ws *w, uint8_t *p, size_t n, uint8_t op,
    struct ws_msg *msg)
{
	uint8_t mask[4];

	if (w->masked) {
		memcpy(mask, &w->mask, sizeof mask);
		ws_mask(p, n, mask, 0);
	}
	msg->op = op;
	msg->data = span_of(p, n);
	if (op == WS_OP_CLOSE)
		return take_close(w, msg->data, msg);
	return op == WS_OP_PING ? WS_PING : WS_PONG;
}

/* Opens the data frame whose head was read. */
static enum ws_ev
open_frame(struct ws *w, uint8_t b0, uint64_t n)
{
	uint8_t op = b0 & 0xf;
	uint64_t max = w->message_max;

	if (op == WS_OP_CONT ? w->compressed : (b0 & BIT_RSV1) != 0)
		max += max / 8 + 256;
	if (n > max || w->total > max - n)
		return bad(w, WS_CODE_TOO_BIG, "message too large");
	if (op != WS_OP_CONT) {
		w->op = op;
		w->first = true;
		w->compressed = (b0 & BIT_RSV1) != 0;
		w->utf8 = (struct utf8){ 0 };
	}
	w->fin = (b0 & BIT_FIN) != 0;
	w->in_frame = true;
	w->left = n;
	w->total += n;
	return WS_DATA;
}

/*
 * A frame's head at in[n], and a control frame's payload. WS_DATA: a data
 * frame is open now.
 */
static enum ws_ev
take_head(struct ws *w, uint8_t *in, size_t n, size_t *used,
    struct ws_msg *msg)
{
	struct rd r = rd_init(span_of(in, n));
	uint8_t b0, b1;
	const char *why;
	uint64_t len;
	size_t head;

	if (n < 2)
		return WS_MORE;
	b0 = rd_u8(&r);
	b1 = rd_u8(&r);
	why = judge(w, b0, b1);
	if (why != NULL)
		return bad(w, WS_CODE_PROTOCOL, why);
	head = head_bytes(b1);
	if (n < head)
		return WS_MORE;
	if (!head_length(&r, b1, &len))
		return bad(w, WS_CODE_PROTOCOL, "length not in minimal form");
	w->masked = (b1 & BIT_MASK) != 0;
	if (w->masked)
		rd_bytes(&r, &w->mask, sizeof w->mask);
	if ((b0 & 0xf) < WS_OP_CLOSE) {
		*used += head;
		return open_frame(w, b0, len);
	}
	if (n - head < len)
		return WS_MORE;
	*used += head + (size_t)len;
	return take_control(w, &in[head], (size_t)len, b0 & 0xf, msg);
}

static void
unmask_piece(struct ws *w, uint8_t *p, size_t n)
{
	uint8_t mask[4], next[4];

	memcpy(mask, &w->mask, sizeof mask);
	ws_mask(p, n, mask, 0);
	for (size_t i = 0; i < 4; i++)
		next[i] = mask[(i + n) & 3];
	memcpy(&w->mask, next, sizeof next);
}

/* The next n bytes of the open frame, at p. */
static enum ws_ev
take_piece(struct ws *w, uint8_t *p, size_t n, struct ws_msg *msg)
{
	bool check = w->op == WS_OP_TEXT && !w->compressed;

	if (w->masked && n > 0)
		unmask_piece(w, p, n);
	w->left -= n;
	msg->data = span_of(p, n);
	msg->op = w->op;
	msg->first = w->first;
	msg->last = w->fin && w->left == 0;
	msg->compressed = w->compressed;
	/* RFC 6455 8.1; a character may lie across pieces and frames. */
	if (check && (!utf8_feed(&w->utf8, msg->data) ||
	    (msg->last && !utf8_end(&w->utf8))))
		return bad(w, WS_CODE_DATA, "text is not UTF-8");
	w->first = false;
	if (w->left == 0)
		w->in_frame = false;
	if (msg->last) {
		w->op = 0;
		w->total = 0;
	}
	return WS_DATA;
}

enum ws_ev
ws_next(struct ws *w, uint8_t *in, size_t n, size_t *used, struct ws_msg *msg)
{
	enum ws_ev ev;
	size_t piece;

	*used = 0;
	memset(msg, 0, sizeof *msg);
	if (w->bad_code != 0)
		return WS_BAD;
	w->heard |= n > 0;
	if (w->closed) {	/* 5.5.1: nothing follows a close frame */
		*used = n;
		return WS_MORE;
	}
	for (;;) {
		if (!w->in_frame) {
			ev = take_head(w, &in[*used], n - *used, used, msg);
			if (ev != WS_DATA)
				return ev;
		}
		piece = n - *used < w->left ? n - *used : (size_t)w->left;
		if (piece == 0 && w->left > 0)
			return WS_MORE;
		if (piece == 0 && !w->fin) {	/* an empty fragment */
			w->in_frame = false;
			continue;
		}
		*used += piece;
		return take_piece(w, &in[*used - piece], piece, msg);
	}
}

/* ------------------------------------------------------------- writing -- */

size_t
ws_head_len(uint64_t n, bool masked)
{
	return (n < LEN_16 ? 2U : n <= UINT16_MAX ? 4U : 10U) +
	    (masked ? 4U : 0U);
}

size_t
ws_head(uint8_t out[static WS_HEAD_MAX], enum ws_op op, bool fin, bool rsv1,
    uint64_t n, const uint8_t *mask)
{
	struct wr w = wr_init(out, WS_HEAD_MAX);
	uint8_t bit = mask != NULL ? BIT_MASK : 0;

	wr_u8(&w, (uint8_t)((fin ? BIT_FIN : 0) | (rsv1 ? BIT_RSV1 : 0) |
	    (uint8_t)op));
	if (n < LEN_16) {
		wr_u8(&w, (uint8_t)(bit | (uint8_t)n));
	} else if (n <= UINT16_MAX) {
		wr_u8(&w, bit | LEN_16);
		wr_u16(&w, (uint16_t)n);
	} else {
		wr_u8(&w, bit | LEN_64);
		wr_u64(&w, n);
	}
	if (mask != NULL)
		wr_bytes(&w, mask, 4);
	return w.n;
}

void
ws_put(struct wr *w, enum ws_op op, struct span data, const uint8_t *mask)
{
	uint8_t head[WS_HEAD_MAX];
	size_t n = ws_head(head, op, true, false, data.n, mask);
	uint8_t *to;

	wr_bytes(w, head, n);
	to = wr_room(w, data.n);
	if (to == NULL || data.n == 0)
		return;
	memcpy(to, data.p, data.n);
	if (mask != NULL)
		ws_mask(to, data.n, mask, 0);
}

void
ws_put_close(struct wr *w, uint16_t code, const char *reason,
    const uint8_t *mask)
{
	uint8_t payload[WS_CONTROL_MAX];
	struct wr p = wr_init(payload, sizeof payload);
	size_t n = reason == NULL ? 0 : strlen(reason);

	if (code != 0) {
		wr_u16(&p, code);
		if (n > WS_CONTROL_MAX - 2) {
			n = WS_CONTROL_MAX - 2;
			while (n > 0 && ((uint8_t)reason[n] & 0xc0) == 0x80)
				n--;	/* not inside a character */
		}
		wr_bytes(&p, reason, n);
	}
	ws_put(w, WS_OP_CLOSE, wr_done(&p), mask);
}

/* ----------------------------------------------------------- handshake -- */

/* RFC 6455 4.2.1, items 1 to 6. */
enum err
ws_check_request(const struct http_msg *m, struct span *key_out)
{
	struct span key = http_find(m, "sec-websocket-key");
	uint8_t raw[18];
	size_t n;

	if (m->method != HTTP_M_GET || m->minor < 1 || m->has_body ||
	    !m->upgrade || !http_has_token(m, "upgrade", "websocket"))
		return ERR_FORMAT;
	if (http_count(m, "sec-websocket-version") != 1 ||
	    !span_eq(http_find(m, "sec-websocket-version"), SPAN("13")))
		return ERR_FORMAT;
	if (http_count(m, "sec-websocket-key") != 1 || key.n != WS_KEY_LEN ||
	    !base64_decode(key, raw, &n) || n != 16)
		return ERR_FORMAT;
	/* 4.1, item 10; 9.1: what is not of their form fails it, too. */
	if (!ws_ext_ok(m) || !ws_ext_protocols_ok(m))
		return ERR_FORMAT;
	*key_out = key;
	return OK;
}

int
ws_refusal(const struct http_msg *m)
{
	return m->method == HTTP_M_GET && (!m->upgrade ||
	    !http_has_token(m, "upgrade", "websocket") ||
	    (http_count(m, "sec-websocket-version") == 1 &&
	    !span_eq(http_find(m, "sec-websocket-version"), SPAN("13")))) ?
	    426 : 400;
}

enum err
ws_accept(ws_sha1_fn sha1, struct span key, uint8_t out[static WS_ACCEPT_LEN])
{
	/* RFC 6455 1.3: the GUID that every server appends. */
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[WS_KEY_LEN + sizeof guid - 1], digest[20];
	struct wr w = wr_init(text, sizeof text);

	wr_span(&w, key);
	wr_str(&w, guid);
	if (!wr_ok(&w))
		return ERR_FORMAT;
	TRY(sha1(wr_done(&w), digest));
	(void)base64_encode(SPAN_OF(digest), (char *)out);
	return OK;
}

void
ws_put_answer(struct wr *w, const uint8_t accept[static WS_ACCEPT_LEN],
    struct span protocol)
{
	http_put_status(w, 101);
	http_put_field_str(w, "Upgrade", "websocket");
	http_put_field_str(w, "Connection", "Upgrade");
	http_put_field(w, "Sec-WebSocket-Accept", span_of(accept,
	    WS_ACCEPT_LEN));
	if (protocol.n > 0)
		http_put_field(w, "Sec-WebSocket-Protocol", protocol);
}

void
ws_put_request(struct wr *w, struct span target, struct span host,
    const uint8_t random[static 16], uint8_t key_out[static WS_KEY_LEN])
{
	(void)base64_encode(span_of(random, 16), (char *)key_out);
	http_put_request(w, "GET", target, host);
	http_put_field_str(w, "Upgrade", "websocket");
	http_put_field_str(w, "Connection", "Upgrade");
	http_put_field(w, "Sec-WebSocket-Key", span_of(key_out, WS_KEY_LEN));
	http_put_field_str(w, "Sec-WebSocket-Version", "13");
}

/* RFC 6455 4.1, the client's six checks; we offer no extension or protocol. */
enum err
ws_check_answer(const struct http_msg *m, ws_sha1_fn sha1,
    const uint8_t key[static WS_KEY_LEN])
{
	uint8_t accept[WS_ACCEPT_LEN];

	if (m->status != 101 || !m->upgrade ||
	    !span_eq_nocase(http_find(m, "upgrade"), SPAN("websocket")) ||
	    http_count(m, "sec-websocket-accept") != 1 ||
	    http_count(m, "sec-websocket-extensions") != 0 ||
	    http_count(m, "sec-websocket-protocol") != 0)
		return ERR_FORMAT;
	TRY(ws_accept(sha1, span_of(key, WS_KEY_LEN), accept));
	return span_eq(http_find(m, "sec-websocket-accept"),
	    SPAN_OF(accept)) ? OK : ERR_FORMAT;
}
