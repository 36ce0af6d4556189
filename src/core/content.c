/*
 * content.c: events as they travel in suite `ratchet`, see content.h.
 */
#include "core/content.h"

#include "core/pad.h"
#include "crypto/hash.h"
#include "crypto/hkdf.h"

/* What HKDF gives for one CEK. */
struct content_keys {
	uint8_t key[AES256_KEY_LEN];
	uint8_t nonce[GCM_NONCE_LEN];
	uint8_t kc[CONTENT_KC_LEN];
};

enum err
content_conv_direct(const struct provider *p, const struct user_id *a,
    const struct user_id *b, struct conv_id *out)
{
	bool a_first = memcmp(a->b, b->b, ID_LEN) <= 0;
	uint8_t hash[SHA256_LEN];

	TRY(hash_tuple2(p, "NJ1 direct", ID_SPAN(*(a_first ? a : b)),
	    ID_SPAN(*(a_first ? b : a)), hash));
	memcpy(out->b, hash, CONV_LEN);
	return OK;
}

struct conv_id
content_conv_group(const struct chat_id *chat)
{
	struct conv_id c;

	memcpy(c.b, chat->b, CONV_LEN);
	return c;
}

static enum err
derive(const struct provider *p, const struct conv_id *conv,
    const struct content_sender *from, const struct event_id *id,
    const uint8_t cek[static KEY_LEN], struct content_keys *out)
{
	uint8_t sender[ID_LEN + 4], th[SHA256_LEN], okm[32 + 12 + 32];
	struct wr w = wr_init(sender, sizeof(sender));
	struct span parts[3] = { ID_SPAN(*conv), SPAN_OF(sender),
	    ID_SPAN(*id) };
	struct span ikm = span_of(cek, KEY_LEN);
	struct span info[2] = { SPAN("NJ1 envelope"), SPAN_OF(th) };
	struct rd r;
	enum err e;

	wr_bytes(&w, from->account.b, ID_LEN);
	wr_u32(&w, from->device);
	e = hash_tuple(p, "NJ1 envelope", parts, 3, th);
	if (e == OK)
		e = hkdf_derive_parts(p, (struct span){ 0 }, &ikm, 1, info, 2,
		    okm, sizeof(okm));
	if (e == OK) {
		r = rd_init(SPAN_OF(okm));
		rd_bytes(&r, out->key, sizeof(out->key));
		rd_bytes(&r, out->nonce, sizeof(out->nonce));
		rd_bytes(&r, out->kc, sizeof(out->kc));
	}
	wipe(okm, sizeof(okm));
	return e;
}

static size_t
make_ad(const uint8_t *kc, uint8_t ad[static 12 + CONTENT_KC_LEN])
{
	struct wr w = wr_init(ad, 12 + CONTENT_KC_LEN);

	wr_span(&w, SPAN("NJ1 envelope"));
	wr_bytes(&w, kc, CONTENT_KC_LEN);
	return w.n;
}

static enum err
seal_record(const struct provider *p, const struct content_keys *k,
    struct span record, struct wr *c_out)
{
	uint8_t ad[12 + CONTENT_KC_LEN];
	size_t n = pad_len(record.n);
	struct wr pad;
	uint8_t *room;

	wr_bytes(c_out, k->kc, sizeof(k->kc));
	room = wr_room(c_out, n + GCM_TAG_LEN);
	if (room == NULL)
		return ERR_SPACE;
	pad = wr_init(room, n);
	TRY(pad_write(&pad, record));
	return p->gcm_seal(p->ctx, k->key, k->nonce,
	    span_of(ad, make_ad(k->kc, ad)), span_of(room, n), room);
}

enum err
content_seal_with(const struct provider *p, const struct conv_id *conv,
    const struct content_sender *from, const struct event_id *id,
    const uint8_t cek[static KEY_LEN], struct span record, struct wr *c_out,
    struct envelope *env_out, uint8_t nonce_out[static GCM_NONCE_LEN])
{
	struct content_keys k;
	uint8_t digest[SHA256_LEN];
	struct wr w = wr_init(env_out->b, ENVELOPE_LEN);
	size_t from_n = c_out->n;
	enum err e;

	e = record.n > EVENT_LEN_MAX ? ERR_TOO_LARGE :
	    derive(p, conv, from, id, cek, &k);
	if (e == OK)
		e = seal_record(p, &k, record, c_out);
	if (e == OK)
		e = hash_tuple1(p, "NJ1 content",
		    span_sub(wr_done(c_out), from_n, c_out->n - from_n),
		    digest);
	wr_u8(&w, ENVELOPE_TYPE);
	wr_bytes(&w, cek, KEY_LEN);
	wr_bytes(&w, id->b, ID_LEN);
	wr_bytes(&w, digest, sizeof(digest));
	if (e != OK) {
		wipe(env_out, sizeof(*env_out));
		c_out->n = from_n;
	} else {
		memcpy(nonce_out, k.nonce, GCM_NONCE_LEN);
	}
	wipe(&k, sizeof(k));
	return e;
}

/*
 * docs/protocol.md, How it travels: in a group, this suite carries only kinds
 * 20-23, 26 and 27, and every event is of its own conversation.
 */
static enum err
check_place(const struct content_place *place, const struct event *ev)
{
	if (!ID_EQ(ev->conv, place->conv))
		return ERR_AUTH;
	if (place->is_group && !event_is_pairwise_in_group(ev->kind))
		return ERR_FORBIDDEN;
	return OK;
}

enum err
content_seal(const struct provider *p, const struct content_place *place,
    const struct content_sender *from, struct span record, struct wr *c_out,
    struct envelope *env_out, uint8_t nonce_out[static GCM_NONCE_LEN])
{
	uint8_t cek[KEY_LEN];
	struct event ev;
	enum err e;

	memset(env_out, 0, sizeof(*env_out));
	if (event_decode(record, &ev) != OK || check_place(place, &ev) != OK)
		return ERR_ARG;
	/* A new CEK for every encryption: no two ever share key and nonce. */
	e = p->random(p->ctx, cek, sizeof(cek));
	if (e == OK)
		e = content_seal_with(p, &place->conv, from, &ev.id, cek,
		    record, c_out, env_out, nonce_out);
	wipe(cek, sizeof(cek));
	return e;
}

static enum err
read_envelope(struct span env, const uint8_t **cek_out, struct event_id *id_out,
    const uint8_t **digest_out)
{
	struct rd r = rd_init(env);
	uint8_t type = rd_u8(&r);

	*cek_out = rd_span(&r, KEY_LEN).p;
	rd_bytes(&r, id_out->b, ID_LEN);
	*digest_out = rd_span(&r, SHA256_LEN).p;
	if (!rd_done(&r) || type != ENVELOPE_TYPE)
		return ERR_FORMAT;
	return OK;
}

enum err
content_envelope_id(struct span env, struct event_id *out)
{
	const uint8_t *cek, *digest;
	struct event_id id;

	TRY(read_envelope(env, &cek, &id, &digest));
	*out = id;
	return OK;
}

/* Commitment, then tag, then padding. */
static enum err
open_record(const struct provider *p, const struct content_keys *k,
    struct span c, uint8_t *plain_out, struct span *record_out)
{
	uint8_t ad[12 + CONTENT_KC_LEN];
	struct span sealed = span_sub(c, CONTENT_KC_LEN, c.n);

	if (!ct_eq(k->kc, c.p, CONTENT_KC_LEN))
		return ERR_AUTH;
	TRY(p->gcm_open(p->ctx, k->key, k->nonce,
	    span_of(ad, make_ad(k->kc, ad)), sealed, plain_out));
	return pad_read(span_of(plain_out, sealed.n - GCM_TAG_LEN),
	    record_out);
}

enum err
content_open(const struct provider *p, const struct content_place *place,
    const struct content_sender *from, struct span c, struct span env,
    uint8_t *plain_out, struct event *event_out)
{
	const uint8_t *cek, *digest;
	uint8_t own[SHA256_LEN];
	struct content_keys k = { 0 };
	struct event_id id;
	struct span record = { 0 };
	struct event ev;
	enum err e;

	if (c.n <= CONTENT_KC_LEN + GCM_TAG_LEN || c.n > CONTENT_LEN_MAX)
		return ERR_FORMAT;
	e = read_envelope(env, &cek, &id, &digest);
	if (e == OK)
		e = hash_tuple1(p, "NJ1 content", c, own);
	/* (2) The digest binds this one ciphertext to its sender. */
	if (e == OK && !ct_eq(own, digest, sizeof(own)))
		e = ERR_AUTH;
	if (e == OK)
		e = derive(p, &place->conv, from, &id, cek, &k);
	if (e == OK)
		e = open_record(p, &k, c, plain_out, &record);
	/* (3) Its id and conversation are those that the keys were made of. */
	if (e == OK)
		e = event_decode(record, &ev);
	if (e == OK && !ID_EQ(ev.id, id))
		e = ERR_AUTH;
	if (e == OK)
		e = check_place(place, &ev);
	if (e == OK)
		*event_out = ev;
	else
		wipe(plain_out, c.n);
	wipe(&k, sizeof(k));
	return e;
}
