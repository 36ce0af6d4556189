/*
 * session.c: the stored form of a session and its rank, see session.h.
 */
#include "core/session.h"

#include "base/tlv.h"

enum {
	TAG_PEER = 2, TAG_SID = 4, TAG_CREATED = 6, TAG_BORN = 8,
	TAG_FLAGS = 10, TAG_OWN_CERT = 12, TAG_PEER_CERT = 14, TAG_SEAL = 16,
	TAG_TIMES = 18, TAG_SETUP = 20
};

enum { FLAG_INITIATOR = 1, FLAG_CONFIRMED = 2, FLAG_RESET_SENT = 4,
	FLAGS_ALL = 7 };

#define TIMES_LEN (4 * 8)
#define SETUP_LEN (8 + 4 + 1 + 4 + X25519_LEN + MLKEM_CT_LEN)
/* Without the ratchet, with room for tags and lengths. */
#define FIXED_LEN_MAX (ADDRESS_LEN + SESSION_SID_LEN + 8 + 8 + 1 + \
	3 * 32 + TIMES_LEN + SETUP_LEN + 10 * 5)

int
session_order(const struct session_meta *a, const struct session_meta *b)
{
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return memcmp(a->sid.b, b->sid.b, SESSION_SID_LEN);
}

void
session_wipe(struct session *s)
{
	ratchet_wipe(&s->ratchet);
	wipe(&s->m, sizeof(s->m));
}

struct session *
session_new(struct arena *a)
{
	const size_t align = _Alignof(struct session);
	uint8_t *p = arena_bytes(a, sizeof(struct session) + align);
	struct session *s;

	if (p == NULL)
		return NULL;
	p += (align - (uintptr_t)p % align) % align;
	s = (struct session *)(void *)p;
	memset(&s->m, 0, sizeof(s->m));
	memset(s->ratchet.t, 0, sizeof(s->ratchet.t));
	memset(&s->ratchet.h, 0, sizeof(s->ratchet.h));
	s->ratchet.skipped_n = 0;
	return s;
}

size_t
session_encoded_len(const struct session *s)
{
	return 1 + 2 + FIXED_LEN_MAX + ratchet_store_len(&s->ratchet);
}

/* An initiator repeats its set-up until it is confirmed. */
static bool
needs_setup(const struct session_meta *s)
{
	return s->initiator && !s->confirmed;
}

static void
put_fixed(const struct session_meta *s, struct wr *w)
{
	uint8_t tmp[SETUP_LEN];
	struct wr t = wr_init(tmp, sizeof(tmp));

	wr_bytes(&t, s->peer.account.b, ID_LEN);
	wr_u32(&t, s->peer.device);
	tlv_put(w, TAG_PEER, wr_done(&t));
	tlv_put(w, TAG_SID, SPAN_OF(s->sid.b));
	tlv_put_u64(w, TAG_CREATED, s->created_ms);
	tlv_put_u64(w, TAG_BORN, s->born);
	tlv_put_u8(w, TAG_FLAGS, (uint8_t)(
	    (s->initiator ? FLAG_INITIATOR : 0) |
	    (s->confirmed ? FLAG_CONFIRMED : 0) |
	    (s->reset_sent ? FLAG_RESET_SENT : 0)));
	tlv_put(w, TAG_OWN_CERT, SPAN_OF(s->own_cert));
	tlv_put(w, TAG_PEER_CERT, SPAN_OF(s->peer_cert));
	tlv_put(w, TAG_SEAL, SPAN_OF(s->seal));
	t = wr_init(tmp, sizeof(tmp));
	wr_u64(&t, s->heard_ms);
	wr_u64(&t, s->unanswered_ms);
	wr_u64(&t, s->own_gone_ms);
	wr_u64(&t, s->peer_gone_ms);
	tlv_put(w, TAG_TIMES, wr_done(&t));
	if (needs_setup(s)) {
		t = wr_init(tmp, sizeof(tmp));
		wr_u64(&t, s->setup.devlist_version);
		wr_u32(&t, s->setup.batch);
		wr_u8(&t, s->setup.leaf_type);
		wr_u32(&t, s->setup.otp_id);
		wr_bytes(&t, s->setup.ek, X25519_LEN);
		wr_bytes(&t, s->setup.ct, MLKEM_CT_LEN);
		tlv_put(w, TAG_SETUP, wr_done(&t));
	}
}

_Static_assert(1 + 2 + FIXED_LEN_MAX <= SESSION_META_LEN_MAX, "too small");

static enum err
put_meta(const struct session_meta *m, struct wr *w)
{
	uint8_t tmp[FIXED_LEN_MAX];
	struct wr t = wr_init(tmp, sizeof(tmp));

	put_fixed(m, &t);
	wr_u8(w, SESSION_FORMAT);
	wr_vec16(w, wr_done(&t));
	wipe(tmp, sizeof(tmp));
	return wr_ok(&t) ? OK : ERR_INTERNAL;
}

enum err
session_encode_meta(const struct session_meta *m, struct span ratchet,
    struct wr *w)
{
	TRY(put_meta(m, w));
	wr_span(w, ratchet);
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
session_encode(const struct session *s, struct wr *w)
{
	TRY(put_meta(&s->m, w));
	return ratchet_store_encode(&s->ratchet, w);
}

static void
get_times(struct rd *r, struct session_meta *s)
{
	s->heard_ms = rd_u64(r);
	s->unanswered_ms = rd_u64(r);
	s->own_gone_ms = rd_u64(r);
	s->peer_gone_ms = rd_u64(r);
}

static void
get_setup(struct rd *r, struct session_setup *u)
{
	u->devlist_version = rd_u64(r);
	u->batch = rd_u32(r);
	u->leaf_type = rd_u8(r);
	u->otp_id = rd_u32(r);
	rd_bytes(r, u->ek, X25519_LEN);
	rd_bytes(r, u->ct, MLKEM_CT_LEN);
}

static void
get_flags(struct rd *r, struct session_meta *s)
{
	uint8_t f = rd_u8(r);

	if ((f & ~FLAGS_ALL) != 0)
		r->bad = true;
	s->initiator = (f & FLAG_INITIATOR) != 0;
	s->confirmed = (f & FLAG_CONFIRMED) != 0;
	s->reset_sent = (f & FLAG_RESET_SENT) != 0;
}

static enum err
get_field(uint32_t tag, struct span v, struct session_meta *s)
{
	struct rd r = rd_init(v);

	switch (tag) {
	case TAG_PEER:
		rd_bytes(&r, s->peer.account.b, ID_LEN);
		s->peer.device = rd_u32(&r);
		break;
	case TAG_SID:
		rd_bytes(&r, s->sid.b, SESSION_SID_LEN);
		break;
	case TAG_CREATED:
		s->created_ms = rd_u64(&r);
		break;
	case TAG_BORN:
		s->born = rd_u64(&r);
		break;
	case TAG_FLAGS:
		get_flags(&r, s);
		break;
	case TAG_OWN_CERT:
		rd_bytes(&r, s->own_cert, SHA256_LEN);
		break;
	case TAG_PEER_CERT:
		rd_bytes(&r, s->peer_cert, SHA256_LEN);
		break;
	case TAG_SEAL:
		rd_bytes(&r, s->seal, KEY_LEN);
		break;
	case TAG_TIMES:
		get_times(&r, s);
		break;
	case TAG_SETUP:
		get_setup(&r, &s->setup);
		break;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
get_fixed(struct span record, struct session_meta *s)
{
	const uint32_t needed = 1u << TAG_PEER | 1u << TAG_SID |
	    1u << TAG_CREATED | 1u << TAG_BORN | 1u << TAG_FLAGS |
	    1u << TAG_OWN_CERT | 1u << TAG_PEER_CERT | 1u << TAG_SEAL |
	    1u << TAG_TIMES;
	struct tlv t = tlv_init(record);
	uint32_t tag, seen = 0;
	struct span v;

	while (tlv_next(&t, &tag, &v)) {
		if (tag < 32)
			seen |= 1u << tag;
		TRY(get_field(tag, v, s));
	}
	TRY(tlv_end(&t));
	return (seen & needed) == needed &&
	    ((seen >> TAG_SETUP & 1) != 0) == needs_setup(s) ?
	    OK : ERR_FORMAT;
}

enum err
session_peek(struct span record, struct session_meta *m,
    struct span *ratchet_out)
{
	struct rd r = rd_init(record);
	uint8_t format = rd_u8(&r);
	struct span fixed = rd_vec16(&r);
	enum err e = OK;

	memset(m, 0, sizeof(*m));
	if (r.bad)
		e = ERR_FORMAT;
	else if (format != SESSION_FORMAT)
		e = ERR_VERSION;
	if (e == OK)
		e = get_fixed(fixed, m);
	if (e != OK)
		wipe(m, sizeof(*m));
	else
		*ratchet_out = rd_rest(&r);
	return e;
}

enum err
session_decode(struct span record, struct session *s)
{
	struct span rest;
	enum err e = session_peek(record, &s->m, &rest);

	s->ratchet.skipped_n = 0;
	if (e == OK)
		e = ratchet_store_decode(rest, &s->ratchet);
	if (e != OK)
		session_wipe(s);
	return e;
}
