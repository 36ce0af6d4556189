/*
 * linking.c: linking a new device, see linking.h. What the manager tells it is
 * in linking_facts.c, the stored state in linking_state.c.
 */
#include "core/linking.h"

#include "base/text.h"
#include "core/pad.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"
#include "crypto/strict.h"

#define TYPE_OFFER 0x1B
#define TYPE_PROVISIONING 0x1C
#define TYPE_REPLY 0x1E
#define LINKING_VERSION 1
#define X25519_AT 2
#define MLKEM_AT (X25519_AT + X25519_LEN)
#define MAILBOX_AT (MLKEM_AT + MLKEM_EK_LEN)
#define CT_AT (X25519_AT + X25519_LEN)
#define CODE_MOD 1000000u
#define SAS_LEN 8
#define TEXT_HEAD "nightjar:link?m="
#define TEXT_HASH "&h="
#define MAILBOX_TEXT 22
#define HASH_TEXT 43
_Static_assert(LINKING_OFFER_LEN == 1250 && LINKING_REPLY_LEN == 1122 &&
    LINKING_TEXT_LEN == 84, "docs/protocol.md, Linking a device");

/* Each key seals once, so its nonce is all zero. */
static const uint8_t zero_nonce[GCM_NONCE_LEN];

void
linking_wipe(struct linking *s)
{
	wipe(s, sizeof(*s));
}

/* After bytes that are not what they have to be there is nothing to go on. */
static enum err
fail(struct linking *s, enum err e)
{
	if (e != OK && e != ERR_PROVIDER) {
		linking_wipe(s);
		s->step = LINKING_FAILED;
	}
	return e;
}

static enum err
check_head(struct span bytes, uint8_t type, size_t n)
{
	if (bytes.n >= 2 && bytes.p[0] == type &&
	    bytes.p[1] != LINKING_VERSION)
		return ERR_VERSION;
	return bytes.n == n && bytes.p[0] == type ? OK : ERR_FORMAT;
}

enum err
linking_check_offer(struct span offer)
{
	TRY(check_head(offer, TYPE_OFFER, LINKING_OFFER_LEN));
	/* docs/protocol.md, Notation: canonical points, the modulus check. */
	return strict_x25519(span_sub(offer, X25519_AT, X25519_LEN).p) &&
	    strict_mlkem(span_sub(offer, MLKEM_AT, MLKEM_EK_LEN).p) ?
	    OK : ERR_FORMAT;
}

enum err
linking_check_reply(struct span reply)
{
	TRY(check_head(reply, TYPE_REPLY, LINKING_REPLY_LEN));
	return strict_x25519(span_sub(reply, X25519_AT, X25519_LEN).p) ?
	    OK : ERR_FORMAT;
}

struct any_id
linking_mailbox(const struct linking *s)
{
	struct any_id id;

	memcpy(id.b, &s->offer[MAILBOX_AT], ID_LEN);
	return id;
}

enum err
linking_offer(const struct provider *p, const struct any_id *mailbox,
    struct linking *s)
{
	struct wr w = wr_init(s->offer, sizeof(s->offer));
	uint8_t *x25519, *mlkem, *nonce;
	enum err e;

	linking_wipe(s);
	wr_u8(&w, TYPE_OFFER);
	wr_u8(&w, LINKING_VERSION);
	x25519 = wr_room(&w, X25519_LEN);
	mlkem = wr_room(&w, MLKEM_EK_LEN);
	wr_bytes(&w, mailbox->b, ID_LEN);
	nonce = wr_room(&w, 16);
	if (x25519 == NULL || mlkem == NULL || nonce == NULL)
		return ERR_INTERNAL;
	e = p->random(p->ctx, s->x25519_priv, X25519_LEN);
	if (e == OK)
		e = p->random(p->ctx, s->mlkem_seed, MLKEM_SEED_LEN);
	if (e == OK)
		e = p->random(p->ctx, nonce, 16);
	if (e == OK)
		e = p->x25519_pub(p->ctx, s->x25519_priv, x25519);
	if (e == OK)
		e = p->mlkem_pub(p->ctx, s->mlkem_seed, mlkem);
	if (e != OK)
		linking_wipe(s);
	else
		s->step = LINKING_OFFERED;
	return e;
}

enum err
linking_text(const struct provider *p, const struct linking *s,
    char out[static LINKING_TEXT_LEN + 1])
{
	uint8_t hash[SHA256_LEN];
	struct wr w = wr_init(out, LINKING_TEXT_LEN + 1);
	char b64[HASH_TEXT + 1];

	TRY(hash_sha256(p, SPAN_OF(s->offer), hash));
	wr_str(&w, TEXT_HEAD);
	wr_bytes(&w, b64, base64url_encode(span_of(&s->offer[MAILBOX_AT],
	    ID_LEN), b64));
	wr_str(&w, TEXT_HASH);
	wr_bytes(&w, b64, base64url_encode(SPAN_OF(hash), b64));
	wr_u8(&w, '\0');
	return wr_ok(&w) ? OK : ERR_INTERNAL;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum err
linking_text_parse(struct span text, struct any_id *mailbox_out,
    uint8_t hash_out[static SHA256_LEN])
{
	uint8_t mailbox[ID_LEN + 3], hash[SHA256_LEN + 3];
	struct span m, h;
	size_t m_n, h_n;

	while (text.n > 0 && is_blank(text.p[text.n - 1]))
		text.n--;
	while (text.n > 0 && is_blank(text.p[0]))
		text = span_sub(text, 1, text.n - 1);
	if (text.n != LINKING_TEXT_LEN || !span_starts(text, SPAN(TEXT_HEAD)))
		return ERR_FORMAT;
	m = span_sub(text, sizeof(TEXT_HEAD) - 1, MAILBOX_TEXT);
	h = span_sub(text, LINKING_TEXT_LEN - HASH_TEXT, HASH_TEXT);
	if (!span_starts(span_sub(text, sizeof(TEXT_HEAD) - 1 + MAILBOX_TEXT,
	    text.n), SPAN(TEXT_HASH)) ||
	    !base64url_decode(m, mailbox, &m_n) || m_n != ID_LEN ||
	    !base64url_decode(h, hash, &h_n) || h_n != SHA256_LEN)
		return ERR_FORMAT;
	memcpy(mailbox_out->b, mailbox, ID_LEN);
	memcpy(hash_out, hash, SHA256_LEN);
	return OK;
}

/* k_m, k_n and the code from the two shared secrets and the transcript. */
static enum err
derive(const struct provider *p, struct linking *s,
    const uint8_t z[static X25519_LEN], const uint8_t ss[static MLKEM_SS_LEN])
{
	uint8_t th[SHA256_LEN], okm[2 * AES256_KEY_LEN + SAS_LEN];
	struct span ikm[2] = { span_of(z, X25519_LEN),
	    span_of(ss, MLKEM_SS_LEN) };
	struct span info[2] = { SPAN("NJ1 link"), SPAN_OF(th) };
	struct rd r = rd_init(SPAN_OF(okm));
	enum err e;

	TRY(hash_tuple2(p, "NJ1 link", SPAN_OF(s->offer), SPAN_OF(s->reply),
	    th));
	e = hkdf_derive_parts(p, (struct span){ 0 }, ikm, 2, info, 2, okm,
	    sizeof(okm));
	if (e == OK) {
		rd_bytes(&r, s->k_m, AES256_KEY_LEN);
		rd_bytes(&r, s->k_n, AES256_KEY_LEN);
		s->code = (uint32_t)(rd_u64(&r) % CODE_MOD);
	}
	wipe(okm, sizeof(okm));
	return e;
}

enum err
linking_accept(const struct provider *p, struct linking *s, struct span reply)
{
	uint8_t z[X25519_LEN], ss[MLKEM_SS_LEN];
	enum err e;

	if (s->step != LINKING_OFFERED)
		return ERR_CONFLICT;
	e = linking_check_reply(reply);
	if (e != OK)
		return fail(s, e);
	memcpy(s->reply, reply.p, LINKING_REPLY_LEN);
	e = p->x25519(p->ctx, s->x25519_priv, &s->reply[X25519_AT], z);
	if (e == OK)
		e = p->mlkem_decaps(p->ctx, s->mlkem_seed, &s->reply[CT_AT],
		    ss);
	if (e == OK)
		e = derive(p, s, z, ss);
	wipe(z, sizeof(z));
	wipe(ss, sizeof(ss));
	if (e != OK)
		return fail(s, e);
	provider_forget(p, s->x25519_priv, X25519_LEN);
	provider_forget(p, s->mlkem_seed, MLKEM_SEED_LEN);
	wipe(s->x25519_priv, X25519_LEN);
	wipe(s->mlkem_seed, MLKEM_SEED_LEN);
	s->step = LINKING_SHOWN;
	return OK;
}

enum err
linking_reply(const struct provider *p, const struct any_id *mailbox,
    const uint8_t hash[static SHA256_LEN], struct span offer,
    struct linking *s)
{
	uint8_t have[SHA256_LEN], priv[X25519_LEN], z[X25519_LEN];
	uint8_t ss[MLKEM_SS_LEN];
	enum err e;

	linking_wipe(s);
	TRY(hash_sha256(p, offer, have));
	if (!ct_eq(have, hash, SHA256_LEN))
		return ERR_UNTRUSTED;
	TRY(linking_check_offer(offer));
	memcpy(s->offer, offer.p, LINKING_OFFER_LEN);
	if (!ct_eq(&s->offer[MAILBOX_AT], mailbox->b, ID_LEN)) {
		linking_wipe(s);
		return ERR_UNTRUSTED;
	}
	s->reply[0] = TYPE_REPLY;
	s->reply[1] = LINKING_VERSION;
	e = p->random(p->ctx, priv, X25519_LEN);
	if (e == OK)
		e = p->x25519_pub(p->ctx, priv, &s->reply[X25519_AT]);
	if (e == OK)
		e = p->x25519(p->ctx, priv, &s->offer[X25519_AT], z);
	if (e == OK)
		e = p->mlkem_encaps(p->ctx, &s->offer[MLKEM_AT], NULL,
		    &s->reply[CT_AT], ss);
	if (e == OK)
		e = derive(p, s, z, ss);
	provider_forget(p, priv, sizeof(priv));
	wipe(priv, sizeof(priv));
	wipe(z, sizeof(z));
	wipe(ss, sizeof(ss));
	if (e != OK)
		linking_wipe(s);
	else
		s->step = LINKING_REPLIED;
	return e;
}

static void
put_code(uint32_t code, uint8_t out[static LINKING_CODE_DIGITS])
{
	for (size_t i = LINKING_CODE_DIGITS; i-- > 0; code /= 10)
		out[i] = (uint8_t)('0' + code % 10);
}

void
linking_code(const struct linking *s, char out[static LINKING_CODE_DIGITS + 1])
{
	uint8_t digits[LINKING_CODE_DIGITS];

	put_code(s->code, digits);
	memcpy(out, digits, LINKING_CODE_DIGITS);
	out[LINKING_CODE_DIGITS] = '\0';
}

enum err
linking_enter_code(struct linking *s, struct span typed)
{
	uint8_t want[LINKING_CODE_DIGITS], got[LINKING_CODE_DIGITS];
	size_t n = 0;

	if (s->step != LINKING_REPLIED)
		return ERR_CONFLICT;
	for (size_t i = 0; i < typed.n; i++) {
		uint8_t c = typed.p[i];

		if (is_blank(c) || c == '-')
			continue;
		if (c < '0' || c > '9' || n == LINKING_CODE_DIGITS)
			return ERR_FORMAT;
		got[n++] = c;
	}
	if (n != LINKING_CODE_DIGITS)
		return ERR_FORMAT;
	put_code(s->code, want);
	/* docs/protocol.md, Linking a device: there is one try. */
	if (!ct_eq(want, got, sizeof(want)))
		return fail(s, ERR_UNTRUSTED);
	s->step = LINKING_CODE_RIGHT;
	return OK;
}

enum err
linking_provision(const struct provider *p, struct linking *s,
    const struct linking_facts *f, struct wr *w)
{
	uint8_t tlv[LINKING_PROVISIONING_MAX], padded[LINKING_PROVISIONING_MAX];
	struct wr t = wr_init(tlv, sizeof(tlv));
	struct wr x = wr_init(padded, sizeof(padded));
	uint8_t *room = NULL;
	enum err e;

	if (s->step != LINKING_CODE_RIGHT)
		return ERR_CONFLICT;
	e = linking_encode_facts(f, &t);
	if (e == OK)
		e = pad_write(&x, wr_done(&t));
	if (e == OK) {
		wr_u8(w, TYPE_PROVISIONING);
		wr_u8(w, LINKING_VERSION);
		room = wr_room(w, x.n + GCM_TAG_LEN);
		e = room == NULL ? ERR_SPACE : p->gcm_seal(p->ctx, s->k_m,
		    zero_nonce, SPAN("NJ1 link m"), wr_done(&x), room);
	}
	wipe(tlv, sizeof(tlv));
	wipe(padded, sizeof(padded));
	if (e == OK) {
		wipe(s->k_m, sizeof(s->k_m));	/* it seals once */
		s->step = LINKING_SENT;
	}
	return e;
}

enum err
linking_open_provisioning(const struct provider *p, struct linking *s,
    struct span bytes, uint8_t *plain, struct linking_facts *out)
{
	struct span sealed, tlv;
	enum err e = OK;

	*out = (struct linking_facts){ .device = 0 };
	if (s->step != LINKING_SHOWN)
		return ERR_CONFLICT;
	if (bytes.n < 2 + GCM_TAG_LEN || bytes.n > LINKING_PROVISIONING_MAX)
		e = ERR_FORMAT;
	if (e == OK)
		e = check_head(bytes, TYPE_PROVISIONING, bytes.n);
	if (e != OK)
		return fail(s, e);
	sealed = span_sub(bytes, 2, bytes.n);
	e = p->gcm_open(p->ctx, s->k_m, zero_nonce, SPAN("NJ1 link m"),
	    sealed, plain);
	if (e == OK)
		e = pad_read(span_of(plain, sealed.n - GCM_TAG_LEN), &tlv);
	if (e == OK)
		e = linking_decode_facts(tlv, out);
	if (e != OK)
		return fail(s, e);
	wipe(s->k_m, sizeof(s->k_m));
	s->step = LINKING_PROVISIONED;
	return OK;
}

/* What the new device signs: that this certificate is its own, here and now. */
static enum err
proof_message(const struct provider *p, const struct linking *s,
    const struct user_id *account, struct span cert,
    uint8_t out[static SHA256_LEN])
{
	uint8_t hash[SHA256_LEN];
	struct span parts[4] = { SPAN_OF(s->offer), SPAN_OF(s->reply),
	    ID_SPAN(*account), SPAN_OF(hash) };

	TRY(cert_hash(p, cert, hash));
	return hash_tuple(p, "NJ1 link-proof", parts, 4, out);
}

enum err
linking_answer(const struct provider *p, struct linking *s,
    const struct user_id *account, struct span cert,
    const struct composite_priv *dsk, struct wr *w)
{
	uint8_t msg[SHA256_LEN], plain[CERT_LEN_MAX + COMPOSITE_SIG_LEN];
	struct wr x = wr_init(plain, sizeof(plain));
	struct composite_sig proof;
	uint8_t *room;

	if (s->step != LINKING_PROVISIONED)
		return ERR_CONFLICT;
	TRY(proof_message(p, s, account, cert, msg));
	TRY(composite_sign(p, dsk, SPAN("NJ1/link"), SPAN_OF(msg), NULL,
	    &proof));
	wr_span(&x, cert);
	wr_bytes(&x, proof.b, sizeof(proof.b));
	if (!wr_ok(&x))
		return ERR_ARG;
	room = wr_room(w, x.n + GCM_TAG_LEN);
	if (room == NULL)
		return ERR_SPACE;
	TRY(p->gcm_seal(p->ctx, s->k_n, zero_nonce, SPAN("NJ1 link n"),
	    wr_done(&x), room));
	wipe(s->k_n, sizeof(s->k_n));
	s->step = LINKING_ANSWERED;
	return OK;
}

/* Is it the certificate that was asked for, and does its owner have its key? */
static enum err
check_answer(const struct provider *p, const struct linking *s,
    struct span plain, const struct linking_facts *want,
    struct span *cert_out, struct cert *c)
{
	uint8_t msg[SHA256_LEN], aik_hash[SHA256_LEN];
	struct span proof;

	if (plain.n <= COMPOSITE_SIG_LEN)
		return ERR_FORMAT;
	*cert_out = span_sub(plain, 0, plain.n - COMPOSITE_SIG_LEN);
	proof = span_sub(plain, cert_out->n, COMPOSITE_SIG_LEN);
	TRY(cert_decode(*cert_out, c));
	TRY(cert_check(c));
	TRY(cert_aik_hash(p, want->aik, aik_hash));
	if (!ID_EQ(c->account, want->account) || c->device != want->device ||
	    c->flags != want->flags ||
	    memcmp(c->aik_hash, aik_hash, SHA256_LEN) != 0)
		return ERR_FORBIDDEN;
	TRY(proof_message(p, s, &want->account, *cert_out, msg));
	return composite_verify(p, c->dsk, SPAN("NJ1/link"), SPAN_OF(msg),
	    proof.p);
}

enum err
linking_open_answer(const struct provider *p, struct linking *s,
    struct span bytes, const struct linking_facts *want, uint8_t *plain,
    struct span *cert_out, struct cert *c_out)
{
	enum err e = OK;

	memset(c_out, 0, sizeof(*c_out));
	*cert_out = (struct span){ NULL, 0 };
	if (s->step != LINKING_SENT)
		return ERR_CONFLICT;
	if (bytes.n < GCM_TAG_LEN || bytes.n > LINKING_ANSWER_MAX)
		e = ERR_FORMAT;
	if (e == OK)
		e = p->gcm_open(p->ctx, s->k_n, zero_nonce,
		    SPAN("NJ1 link n"), bytes, plain);
	if (e == OK)
		e = check_answer(p, s, span_of(plain, bytes.n - GCM_TAG_LEN),
		    want, cert_out, c_out);
	if (e != OK) {
		memset(c_out, 0, sizeof(*c_out));
		*cert_out = (struct span){ NULL, 0 };
		return fail(s, e);
	}
	wipe(s->k_n, sizeof(s->k_n));
	s->step = LINKING_DONE;
	return OK;
}
