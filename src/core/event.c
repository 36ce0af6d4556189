/*
 * event.c: codec of events and the table of their kinds, see event.h.
 */
#include "core/event.h"

#include "base/text.h"

enum {
	TAG_KIND = 1, TAG_ID = 2, TAG_CONV = 3, TAG_TIME = 4, TAG_BODY = 6,
	TAG_PREV = 8, TAG_VIEW = 9, TAG_EXPIRE = 10, TAG_REPLY = 12,
	TAG_MENTIONS = 13, TAG_ATTACHMENTS = 14, TAG_TARGET = 16,
	TAG_CLIENT = 17, TAG_EDIT = 18, TAG_REPLY_AUTHOR = 20,
	TAG_HISTORY = 22
};

/* What the body of a kind has to be. */
enum body { BODY_NONE, BODY_TEXT, BODY_REACTION, BODY_PIN, BODY_HIDE,
	BODY_BYTES, BODY_RESET, BODY_VIEW_CONFLICT };

struct kind {
	uint8_t kind;
	uint32_t needs, may;		/* EVENT_HAS_* */
	enum body body;
};

#define ALWAYS (EVENT_HAS_VIEW | EVENT_HAS_CLIENT)
#define SHOWN (EVENT_HAS_PREV | EVENT_HAS_EXPIRE | EVENT_HAS_MENTIONS)
#define REPLY (EVENT_HAS_REPLY | EVENT_HAS_REPLY_AUTHOR)
#define DEVICES 0u	/* between devices: outside the prev chain */

static const struct kind kinds[] = {
	{ EVENT_TEXT, EVENT_HAS_BODY, SHOWN | REPLY, BODY_TEXT },
	{ EVENT_ATTACHMENT, EVENT_HAS_ATTACHMENTS,
	    SHOWN | REPLY | EVENT_HAS_BODY, BODY_TEXT },
	{ EVENT_EDIT, EVENT_HAS_BODY | EVENT_HAS_TARGET | EVENT_HAS_EDIT |
	    EVENT_HAS_HISTORY, SHOWN | EVENT_HAS_ATTACHMENTS, BODY_TEXT },
	{ EVENT_DELETE, EVENT_HAS_TARGET, EVENT_HAS_PREV, BODY_NONE },
	{ EVENT_REACTION, EVENT_HAS_TARGET | EVENT_HAS_BODY, EVENT_HAS_PREV,
	    BODY_REACTION },
	{ EVENT_TIMER, EVENT_HAS_EXPIRE, EVENT_HAS_PREV, BODY_NONE },
	{ EVENT_PROFILE, EVENT_HAS_BODY, EVENT_HAS_PREV, BODY_BYTES },
	{ EVENT_CALL, EVENT_HAS_BODY, EVENT_HAS_PREV, BODY_BYTES },
	{ EVENT_PIN, EVENT_HAS_TARGET | EVENT_HAS_BODY, EVENT_HAS_PREV,
	    BODY_PIN },
	{ EVENT_SKDM, EVENT_HAS_BODY, DEVICES, BODY_BYTES },
	{ EVENT_ROSTER, EVENT_HAS_BODY, DEVICES, BODY_BYTES },
	{ EVENT_RETRY_REQUEST, EVENT_HAS_TARGET, DEVICES, BODY_NONE },
	{ EVENT_SESSION_RESET, EVENT_HAS_BODY, DEVICES, BODY_RESET },
	{ EVENT_READ_SYNC, EVENT_HAS_BODY, DEVICES, BODY_BYTES },
	{ EVENT_VIEW_CONFLICT, EVENT_HAS_BODY, DEVICES, BODY_VIEW_CONFLICT },
	{ EVENT_RESEND, EVENT_HAS_BODY | EVENT_HAS_TARGET, DEVICES,
	    BODY_BYTES },
	{ EVENT_HIDE, EVENT_HAS_TARGET | EVENT_HAS_BODY, DEVICES,
	    BODY_HIDE },
	{ EVENT_CERT, EVENT_HAS_BODY, DEVICES, BODY_BYTES },
	{ EVENT_POLL, EVENT_HAS_BODY, SHOWN, BODY_BYTES },
};

static const struct kind *
find_kind(uint8_t kind)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].kind == kind)
			return &kinds[i];
	return NULL;
}

bool
event_is_pairwise_in_group(uint8_t kind)
{
	return (kind >= EVENT_SKDM && kind <= EVENT_SESSION_RESET) ||
	    kind == EVENT_VIEW_CONFLICT || kind == EVENT_RESEND;
}

bool
event_is_chained(uint8_t kind)
{
	const struct kind *k = find_kind(kind);

	return k != NULL && (k->may & EVENT_HAS_PREV) != 0;
}

static bool
is_text(struct span s, size_t min, size_t max)
{
	return s.n >= min && s.n <= max && utf8_valid(s);
}

static bool
body_is_good(const struct event *e, enum body body)
{
	if ((e->has & EVENT_HAS_BODY) == 0)
		return true;
	switch (body) {
	case BODY_TEXT:
		return is_text(e->body, 1, EVENT_TEXT_MAX);
	case BODY_REACTION:
		/* An empty one takes the reaction back. */
		return e->body.n >= ID_LEN && is_text(span_sub(e->body,
		    ID_LEN, e->body.n), 0, EVENT_REACTION_MAX);
	case BODY_PIN:
		return e->body.n == ID_LEN + 1 && e->body.p[ID_LEN] <= 1;
	case BODY_HIDE:
		return e->body.n == ID_LEN;
	case BODY_BYTES:
		return e->body.n >= 1;
	case BODY_RESET:
		return e->body.n == EVENT_RESET_LEN;
	case BODY_VIEW_CONFLICT:
		return e->body.n == EVENT_VIEW_CONFLICT_LEN;
	case BODY_NONE:
		break;
	}
	return false;
}

/* Items of vec16, each of min to max bytes, 1 to items_max of them. */
static bool
items_are_good(struct span s, size_t min, size_t max, size_t items_max)
{
	struct rd r = rd_init(s);
	size_t items = 0;

	while (r.n != 0) {
		struct span item = rd_vec16(&r);

		if (r.bad || item.n < min || item.n > max)
			return false;
		items++;
	}
	return items >= 1 && items <= items_max;
}

static bool
lists_are_good(const struct event *e)
{
	if ((e->has & EVENT_HAS_MENTIONS) != 0 &&
	    !items_are_good(e->mentions, ID_LEN, ID_LEN, EVENT_MENTIONS_MAX))
		return false;
	return (e->has & EVENT_HAS_ATTACHMENTS) == 0 ||
	    items_are_good(e->attachments, 1, UINT16_MAX,
	    EVENT_ATTACHMENTS_MAX);
}

/* Does it have what its kind demands, and nothing else? */
static enum err
check(const struct event *e)
{
	const struct kind *k = find_kind(e->kind);
	bool good;

	if (e->kind == 0)
		return ERR_FORMAT;
	if (k == NULL)
		return ERR_UNKNOWN_CRITICAL;
	good = (e->has & k->needs) == k->needs &&
	    (e->has & ~(k->needs | k->may | ALWAYS)) == 0 &&
	    body_is_good(e, k->body) && lists_are_good(e);
	if ((e->has & EVENT_HAS_EXPIRE) != 0)
		good = good && e->expire_s <= EVENT_EXPIRE_S_MAX;
	if ((e->has & EVENT_HAS_EDIT) != 0)
		good = good && e->edit_number >= 1;
	if ((e->has & EVENT_HAS_REPLY) == 0 ||
	    (e->has & EVENT_HAS_REPLY_AUTHOR) == 0)
		good = good && (e->has & REPLY) == 0;
	if ((e->has & EVENT_HAS_CLIENT) != 0)
		good = good && is_text(e->client, 1, EVENT_CLIENT_MAX);
	return good ? OK : ERR_FORMAT;
}

static bool
get_bytes(struct span v, void *out, size_t n)
{
	if (v.n != n)
		return false;
	memcpy(out, v.p, n);
	return true;
}

static bool
get_span(struct span v, struct span *out)
{
	*out = v;
	return true;
}

static enum err
get_field(uint32_t tag, struct span v, struct event *e)
{
	bool good;

	switch (tag) {
	case TAG_KIND:
		good = tlv_u8(v, &e->kind);
		break;
	case TAG_ID:
		good = get_bytes(v, e->id.b, ID_LEN);
		break;
	case TAG_CONV:
		good = get_bytes(v, e->conv.b, CONV_LEN);
		break;
	case TAG_TIME:
		good = tlv_u64(v, &e->time_ms);
		break;
	case TAG_BODY:
		good = get_span(v, &e->body);
		break;
	case TAG_PREV:
		good = get_bytes(v, e->prev.b, ID_LEN);
		break;
	case TAG_VIEW:
		good = get_bytes(v, e->view, EVENT_VIEW_LEN);
		break;
	case TAG_EXPIRE:
		good = tlv_u32(v, &e->expire_s);
		break;
	case TAG_REPLY:
		good = get_bytes(v, e->reply_to.b, ID_LEN);
		break;
	case TAG_MENTIONS:
		good = get_span(v, &e->mentions);
		break;
	case TAG_ATTACHMENTS:
		good = get_span(v, &e->attachments);
		break;
	case TAG_TARGET:
		good = get_bytes(v, e->target.b, ID_LEN);
		break;
	case TAG_CLIENT:
		good = get_span(v, &e->client);
		break;
	case TAG_EDIT:
		good = tlv_u32(v, &e->edit_number);
		break;
	case TAG_REPLY_AUTHOR:
		good = get_bytes(v, e->reply_author.b, ID_LEN);
		break;
	case TAG_HISTORY:
		good = get_bytes(v, e->history, EVENT_HISTORY_LEN);
		break;
	default:
		return tlv_unknown(tag);
	}
	return good ? OK : ERR_FORMAT;
}

/* The fields that every event has. */
#define TAGS_FIXED (1u << TAG_KIND | 1u << TAG_ID | 1u << TAG_CONV | \
	1u << TAG_TIME)
#define TAGS_OPTIONAL (EVENT_HAS_BODY | EVENT_HAS_PREV | EVENT_HAS_VIEW | \
	EVENT_HAS_EXPIRE | EVENT_HAS_REPLY | EVENT_HAS_MENTIONS | \
	EVENT_HAS_ATTACHMENTS | EVENT_HAS_TARGET | EVENT_HAS_CLIENT | \
	EVENT_HAS_EDIT | EVENT_HAS_REPLY_AUTHOR | EVENT_HAS_HISTORY)

enum err
event_decode(struct span record, struct event *out)
{
	struct tlv t = tlv_init(record);
	struct span v;
	uint32_t tag, seen = 0;
	enum err e = record.n <= EVENT_LEN_MAX ? OK : ERR_FORMAT;

	memset(out, 0, sizeof(*out));
	while (e == OK && tlv_next(&t, &tag, &v)) {
		if (tag < 32)
			seen |= 1u << tag;
		e = get_field(tag, v, out);
	}
	if (e == OK)
		e = tlv_end(&t);
	if (e == OK && (seen & TAGS_FIXED) != TAGS_FIXED)
		e = ERR_FORMAT;
	out->has = seen & TAGS_OPTIONAL;
	if (e == OK)
		e = check(out);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

static void
put_if(struct wr *w, const struct event *e, uint32_t tag, struct span v)
{
	if ((e->has & 1u << tag) != 0)
		tlv_put(w, tag, v);
}

enum err
event_encode(const struct event *e, struct wr *w)
{
	if (check(e) != OK)
		return ERR_ARG;
	tlv_put_u8(w, TAG_KIND, e->kind);
	tlv_put(w, TAG_ID, ID_SPAN(e->id));
	tlv_put(w, TAG_CONV, ID_SPAN(e->conv));
	tlv_put_u64(w, TAG_TIME, e->time_ms);
	put_if(w, e, TAG_BODY, e->body);
	put_if(w, e, TAG_PREV, ID_SPAN(e->prev));
	put_if(w, e, TAG_VIEW, SPAN_OF(e->view));
	if ((e->has & EVENT_HAS_EXPIRE) != 0)
		tlv_put_u32(w, TAG_EXPIRE, e->expire_s);
	put_if(w, e, TAG_REPLY, ID_SPAN(e->reply_to));
	put_if(w, e, TAG_MENTIONS, e->mentions);
	put_if(w, e, TAG_ATTACHMENTS, e->attachments);
	put_if(w, e, TAG_TARGET, ID_SPAN(e->target));
	put_if(w, e, TAG_CLIENT, e->client);
	if ((e->has & EVENT_HAS_EDIT) != 0)
		tlv_put_u32(w, TAG_EDIT, e->edit_number);
	put_if(w, e, TAG_REPLY_AUTHOR, ID_SPAN(e->reply_author));
	put_if(w, e, TAG_HISTORY, SPAN_OF(e->history));
	return wr_ok(w) ? OK : ERR_SPACE;
}

bool
event_next_mention(struct span *mentions, struct user_id *out)
{
	struct rd r = rd_init(*mentions);
	struct span item = rd_vec16(&r);

	if (r.bad || item.n != ID_LEN)
		return false;
	memcpy(out->b, item.p, ID_LEN);
	*mentions = rd_rest(&r);
	return true;
}

enum err
event_about_encode(uint8_t kind, const struct event_about *b, struct wr *w)
{
	wr_bytes(w, b->author.b, ID_LEN);
	if (kind == EVENT_PIN)
		wr_u8(w, b->on);
	if (kind == EVENT_REACTION)
		wr_span(w, b->text);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
event_about_decode(const struct event *e, struct event_about *out)
{
	struct rd r = rd_init(e->body);

	*out = (struct event_about){ .on = false };
	rd_bytes(&r, out->author.b, ID_LEN);
	if (e->kind == EVENT_PIN)
		out->on = rd_u8(&r) != 0;
	if (e->kind == EVENT_REACTION)
		out->text = rd_rest(&r);
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
event_resend_decode(const struct event *resend, struct event *out)
{
	TRY(event_decode(resend->body, out));
	if (out->kind != EVENT_RESEND && ID_EQ(out->id, resend->target) &&
	    ID_EQ(out->conv, resend->conv))
		return OK;
	memset(out, 0, sizeof(*out));
	return ERR_FORMAT;
}

enum { RESET_BY_SENDER = 1, RESET_BY_RECEIVER = 2 };

void
event_reset_encode(const struct event_reset *r,
    uint8_t out[static EVENT_RESET_LEN])
{
	struct wr w = wr_init(out, EVENT_RESET_LEN);

	wr_bytes(&w, r->sid, sizeof(r->sid));
	wr_u8(&w, r->receiver_initiated ? RESET_BY_RECEIVER : RESET_BY_SENDER);
}

enum err
event_reset_decode(struct span body, struct event_reset *out)
{
	struct rd r = rd_init(body);
	struct event_reset v;
	uint8_t by;

	rd_bytes(&r, v.sid, sizeof(v.sid));
	by = rd_u8(&r);
	if (!rd_done(&r) || by < RESET_BY_SENDER || by > RESET_BY_RECEIVER)
		return ERR_FORMAT;
	v.receiver_initiated = by == RESET_BY_RECEIVER;
	*out = v;
	return OK;
}
