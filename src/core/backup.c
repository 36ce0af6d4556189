/*
 * backup.c: wraps of a backup key and what it seals, see backup.h.
 */
#include "core/backup.h"

#include "base/text.h"
#include "base/tlv.h"
#include "core/pad.h"
#include "crypto/hkdf.h"

#define WRAP_LABEL "NJ1 backup-wrap"
#define TYPE_WRAP 0x19
#define TYPE_BACKUP 0x1F
#define BACKUP_VERSION 1
/* A wrap up to and with its commit: what its AD holds. */
#define WRAP_HEAD_LEN (1 + 1 + 4 + 1 + 1 + BACKUP_SALT_LEN + SHA256_LEN)
#define SALT_AT (1 + 1 + 8 + 8 + 8)
#define SALT_LEN 32
#define COMMIT_AT (SALT_AT + SALT_LEN)
_Static_assert(BACKUP_WRAP_LEN == 116 && BACKUP_HEAD_LEN == COMMIT_AT +
    SHA256_LEN, "docs/protocol.md, Backup");

enum { TAG_AIK_PRIV = 2, TAG_SECRET = 4, TAG_LIST_HASH = 6, TAG_POSITION = 8,
	TAG_ARCHIVE = 10, TAG_USER_NAME = 11 };
#define NEEDED (1u << TAG_AIK_PRIV | 1u << TAG_SECRET | \
	1u << TAG_LIST_HASH | 1u << TAG_POSITION)
#define ARCHIVE_FIELD_LEN (ID_LEN + ARCHIVE_KEY_LEN + 4 + SHA256_LEN + 8)

enum err
backup_generate(const struct provider *p, struct backup_key *out)
{
	enum err e = p->random(p->ctx, out->b, sizeof(out->b));

	if (e != OK)
		wipe(out, sizeof(*out));
	return e;
}

/* ---- wraps ---- */

/* docs/protocol.md, Backup: bounds are enforced before any work. */
static enum err
check_bounds(const struct backup_wrap *k)
{
	static const uint8_t zeros[BACKUP_SALT_LEN];

	switch (k->kdf) {
	case BACKUP_RECOVERY_KEY:
		return k->m_kib == 0 && k->t == 0 && k->p == 0 &&
		    memcmp(k->salt, zeros, sizeof(zeros)) == 0 ?
		    OK : ERR_FORMAT;
	case BACKUP_PASSPHRASE:
		return k->m_kib >= BACKUP_M_KIB_MIN &&
		    k->m_kib <= BACKUP_M_KIB_MAX && k->t >= 1 &&
		    k->t <= BACKUP_T_MAX && k->p >= 1 && k->p <= BACKUP_P_MAX ?
		    OK : ERR_LIMIT;
	default:
		return ERR_VERSION;
	}
}

static void
read_wrap(struct rd *r, struct backup_wrap *k)
{
	if (rd_u8(r) != TYPE_WRAP)
		r->bad = true;
	k->kdf = rd_u8(r);
	k->m_kib = rd_u32(r);
	k->t = rd_u8(r);
	k->p = rd_u8(r);
	rd_bytes(r, k->salt, sizeof(k->salt));
	rd_bytes(r, k->commit, sizeof(k->commit));
	rd_bytes(r, k->nonce, sizeof(k->nonce));
	rd_bytes(r, k->wrapped, sizeof(k->wrapped));
}

enum err
backup_wrap_decode(struct span bytes, struct backup_wrap *out)
{
	struct rd r = rd_init(bytes);
	enum err e;

	memset(out, 0, sizeof(*out));
	read_wrap(&r, out);
	e = rd_done(&r) ? check_bounds(out) : ERR_FORMAT;
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

static void
write_wrap_head(const struct backup_wrap *k, struct wr *w)
{
	wr_u8(w, TYPE_WRAP);
	wr_u8(w, k->kdf);
	wr_u32(w, k->m_kib);
	wr_u8(w, k->t);
	wr_u8(w, k->p);
	wr_bytes(w, k->salt, sizeof(k->salt));
	wr_bytes(w, k->commit, sizeof(k->commit));
}

enum err
backup_wrap_encode(const struct backup_wrap *k, struct wr *w)
{
	if (check_bounds(k) != OK)
		return ERR_ARG;
	write_wrap_head(k, w);
	wr_bytes(w, k->nonce, sizeof(k->nonce));
	wr_bytes(w, k->wrapped, sizeof(k->wrapped));
	return wr_ok(w) ? OK : ERR_SPACE;
}

enum err
backup_wrap_begin(const struct provider *p, enum backup_kdf kdf,
    struct backup_wrap *out)
{
	memset(out, 0, sizeof(*out));
	out->kdf = (uint8_t)kdf;
	if (kdf == BACKUP_RECOVERY_KEY)
		return OK;
	if (kdf != BACKUP_PASSPHRASE)
		return ERR_ARG;
	out->m_kib = BACKUP_M_KIB;
	out->t = BACKUP_T;
	out->p = BACKUP_P;
	return p->random(p->ctx, out->salt, sizeof(out->salt));
}

enum err
backup_stretch(const struct provider *p, const struct backup_wrap *k,
    struct span passphrase, struct backup_stretched *out)
{
	enum err e = check_bounds(k);

	memset(out, 0, sizeof(*out));
	if (e != OK)
		return e;
	if (k->kdf != BACKUP_PASSPHRASE)
		return ERR_ARG;
	if (passphrase.n > BACKUP_PASSPHRASE_MAX)
		return ERR_TOO_LARGE;
	e = p->argon2id(p->ctx, passphrase, SPAN_OF(k->salt), k->m_kib, k->t,
	    k->p, out->b, sizeof(out->b));
	if (e != OK)
		wipe(out, sizeof(*out));
	return e;
}

/* kek[32] || commit[32] */
static enum err
wrap_keys(const struct provider *p, const struct backup_stretched *s,
    uint8_t out[static AES256_KEY_LEN + SHA256_LEN])
{
	return hkdf_derive(p, (struct span){ 0 }, SPAN_OF(s->b),
	    SPAN(WRAP_LABEL), out, AES256_KEY_LEN + SHA256_LEN);
}

#define WRAP_AD_MAX (sizeof(WRAP_LABEL) - 1 + ID_LEN + WRAP_HEAD_LEN)

static struct span
wrap_ad(const struct user_id *account, const struct backup_wrap *k,
    uint8_t mem[static WRAP_AD_MAX])
{
	struct wr w = wr_init(mem, WRAP_AD_MAX);

	wr_span(&w, SPAN(WRAP_LABEL));
	wr_bytes(&w, account->b, ID_LEN);
	write_wrap_head(k, &w);
	return wr_done(&w);
}

enum err
backup_wrap_seal(const struct provider *p, const struct user_id *account,
    const struct backup_stretched *s, const struct backup_key *bk,
    struct backup_wrap *k)
{
	uint8_t okm[AES256_KEY_LEN + SHA256_LEN], ad[WRAP_AD_MAX];
	enum err e;

	if (check_bounds(k) != OK)
		return ERR_ARG;
	TRY(p->random(p->ctx, k->nonce, sizeof(k->nonce)));
	e = wrap_keys(p, s, okm);
	if (e == OK) {
		memcpy(k->commit, &okm[AES256_KEY_LEN], SHA256_LEN);
		e = p->gcm_seal(p->ctx, okm, k->nonce,
		    wrap_ad(account, k, ad), SPAN_OF(bk->b), k->wrapped);
	}
	wipe(okm, sizeof(okm));
	return e;
}

enum err
backup_wrap_open(const struct provider *p, const struct user_id *account,
    const struct backup_stretched *s, const struct backup_wrap *k,
    struct backup_key *bk_out)
{
	uint8_t okm[AES256_KEY_LEN + SHA256_LEN], ad[WRAP_AD_MAX];
	enum err e = check_bounds(k);

	memset(bk_out, 0, sizeof(*bk_out));
	if (e == OK)
		e = wrap_keys(p, s, okm);
	if (e != OK)
		return e;
	/* docs/protocol.md, Backup: commit first, in constant time. */
	if (!ct_eq(&okm[AES256_KEY_LEN], k->commit, SHA256_LEN))
		e = ERR_NO_KEY;
	else
		e = p->gcm_open(p->ctx, okm, k->nonce,
		    wrap_ad(account, k, ad), SPAN_OF(k->wrapped), bk_out->b);
	wipe(okm, sizeof(okm));
	if (e != OK)
		wipe(bk_out, sizeof(*bk_out));
	return e;
}

/* ---- the secrets ---- */

static bool
secrets_are_good(const struct backup_secrets *s)
{
	return s->user_name.n <= BACKUP_NAME_MAX && utf8_valid(s->user_name) &&
	    (!s->has_archive || (s->archive_chunks >= 1 &&
	    s->archive_chunks <= ARCHIVE_CHUNKS_MAX));
}

enum err
backup_encode_secrets(const struct backup_secrets *s, struct wr *w)
{
	uint8_t mem[ARCHIVE_FIELD_LEN];
	struct wr t = wr_init(mem, sizeof(mem));

	if (!secrets_are_good(s))
		return ERR_ARG;
	tlv_put(w, TAG_AIK_PRIV, SPAN_OF(s->aik_priv.b));
	tlv_put(w, TAG_SECRET, SPAN_OF(s->secret));
	tlv_put(w, TAG_LIST_HASH, SPAN_OF(s->list_hash));
	tlv_put_u64(w, TAG_POSITION, s->position);
	if (s->has_archive) {
		wr_bytes(&t, s->archive.b, ID_LEN);
		wr_bytes(&t, s->archive_key.b, ARCHIVE_KEY_LEN);
		wr_u32(&t, s->archive_chunks);
		wr_bytes(&t, s->archive_digest, SHA256_LEN);
		wr_u64(&t, s->records);
		tlv_put(w, TAG_ARCHIVE, wr_done(&t));
		wipe(mem, sizeof(mem));
	}
	if (s->user_name.n != 0)
		tlv_put(w, TAG_USER_NAME, s->user_name);
	return wr_ok(w) ? OK : ERR_SPACE;
}

static enum err
get_secret(uint32_t tag, struct span v, struct backup_secrets *s)
{
	struct rd r = rd_init(v);

	switch (tag) {
	case TAG_AIK_PRIV:
		rd_bytes(&r, s->aik_priv.b, sizeof(s->aik_priv.b));
		break;
	case TAG_SECRET:
		rd_bytes(&r, s->secret, sizeof(s->secret));
		break;
	case TAG_LIST_HASH:
		rd_bytes(&r, s->list_hash, sizeof(s->list_hash));
		break;
	case TAG_POSITION:
		s->position = rd_u64(&r);
		break;
	case TAG_ARCHIVE:
		s->has_archive = true;
		rd_bytes(&r, s->archive.b, ID_LEN);
		rd_bytes(&r, s->archive_key.b, ARCHIVE_KEY_LEN);
		s->archive_chunks = rd_u32(&r);
		rd_bytes(&r, s->archive_digest, SHA256_LEN);
		s->records = rd_u64(&r);
		break;
	case TAG_USER_NAME:
		s->user_name = rd_rest(&r);
		return s->user_name.n == 0 ? ERR_FORMAT : OK;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
backup_decode_secrets(struct span record, struct backup_secrets *out)
{
	struct tlv t = tlv_init(record);
	uint32_t tag, seen = 0;
	struct span v;
	enum err e = OK;

	memset(out, 0, sizeof(*out));
	while (e == OK && tlv_next(&t, &tag, &v)) {
		e = get_secret(tag, v, out);
		seen |= tag < 32 ? 1u << tag : 0;
	}
	if (e == OK)
		e = tlv_end(&t);
	if (e == OK && ((seen & NEEDED) != NEEDED || !secrets_are_good(out)))
		e = ERR_FORMAT;
	if (e != OK)
		wipe(out, sizeof(*out));
	return e;
}

/* ---- the whole ---- */

/* key[32] || nonce[12] || commit[32] */
#define WHOLE_OKM_LEN (AES256_KEY_LEN + GCM_NONCE_LEN + SHA256_LEN)

static enum err
whole_keys(const struct provider *p, const struct user_id *account,
    const struct backup_key *bk, const uint8_t salt[static SALT_LEN],
    uint8_t out[static WHOLE_OKM_LEN])
{
	struct span ikm = SPAN_OF(bk->b);
	struct span info[3] = { SPAN("NJ1 backup"), ID_SPAN(*account),
	    span_of(salt, SALT_LEN) };

	return hkdf_derive_parts(p, (struct span){ 0 }, &ikm, 1, info, 3, out,
	    WHOLE_OKM_LEN);
}

#define WHOLE_AD_MAX (sizeof("NJ1 backup") - 1 + BACKUP_HEAD_LEN)

static struct span
whole_ad(const uint8_t *head, uint8_t mem[static WHOLE_AD_MAX])
{
	struct wr w = wr_init(mem, WHOLE_AD_MAX);

	wr_span(&w, SPAN("NJ1 backup"));
	wr_bytes(&w, head, BACKUP_HEAD_LEN);
	return wr_done(&w);
}

/* Head and sealed secrets; keys and padded secrets are the caller's to wipe. */
static enum err
seal_parts(const struct provider *p, const struct user_id *account,
    const struct backup_key *bk, const struct backup_head *h,
    struct span padded, uint8_t okm[static WHOLE_OKM_LEN], struct wr *w)
{
	uint8_t head[BACKUP_HEAD_LEN], ad[WHOLE_AD_MAX];
	struct wr x = wr_init(head, sizeof(head));
	uint8_t *room, *salt;

	wr_u8(&x, TYPE_BACKUP);
	wr_u8(&x, BACKUP_VERSION);
	wr_u64(&x, h->number);
	wr_u64(&x, h->made_ms);
	wr_u64(&x, h->list_version);
	salt = wr_room(&x, SALT_LEN);
	if (salt == NULL)
		return ERR_INTERNAL;
	TRY(p->random(p->ctx, salt, SALT_LEN));
	TRY(whole_keys(p, account, bk, salt, okm));
	wr_bytes(&x, &okm[AES256_KEY_LEN + GCM_NONCE_LEN], SHA256_LEN);
	wr_span(w, wr_done(&x));
	wr_u16(w, (uint16_t)(padded.n + GCM_TAG_LEN));
	room = wr_room(w, padded.n + GCM_TAG_LEN);
	if (room == NULL)
		return ERR_SPACE;
	return p->gcm_seal(p->ctx, okm, &okm[AES256_KEY_LEN],
	    whole_ad(head, ad), padded, room);
}

enum err
backup_seal(const struct provider *p, const struct user_id *account,
    const struct backup_key *bk, const struct backup *b,
    const struct backup_secrets *s, struct wr *w)
{
	uint8_t record[BACKUP_SEALED_MAX], padded[BACKUP_SEALED_MAX];
	uint8_t okm[WHOLE_OKM_LEN];
	struct wr t = wr_init(record, sizeof(record));
	struct wr x = wr_init(padded, sizeof(padded) - GCM_TAG_LEN);
	enum err e;

	if (b->wraps_n < 1 || b->wraps_n > BACKUP_WRAPS_MAX)
		return ERR_ARG;
	e = backup_encode_secrets(s, &t);
	if (e == OK)
		e = pad_write(&x, wr_done(&t));
	if (e == OK)
		e = seal_parts(p, account, bk, &b->head, wr_done(&x), okm, w);
	wipe(record, sizeof(record));
	wipe(padded, sizeof(padded));
	wipe(okm, sizeof(okm));
	if (e != OK)
		return e;
	wr_u8(w, b->wraps_n);
	for (uint8_t i = 0; i < b->wraps_n; i++)
		TRY(backup_wrap_encode(&b->wraps[i], w));
	return OK;
}

static enum err
decode(struct span bytes, struct backup *out, struct span *sealed_out)
{
	struct rd r = rd_init(bytes);
	uint8_t type = rd_u8(&r), version = rd_u8(&r);
	enum err e = OK;

	if (!r.bad && type == TYPE_BACKUP && version != BACKUP_VERSION)
		return ERR_VERSION;
	out->head.number = rd_u64(&r);
	out->head.made_ms = rd_u64(&r);
	out->head.list_version = rd_u64(&r);
	(void)rd_span(&r, SALT_LEN + SHA256_LEN);
	*sealed_out = rd_vec16(&r);
	out->wraps_n = rd_u8(&r);
	if (r.bad || type != TYPE_BACKUP || out->wraps_n < 1 ||
	    out->wraps_n > BACKUP_WRAPS_MAX || sealed_out->n < GCM_TAG_LEN ||
	    sealed_out->n > BACKUP_SEALED_MAX)
		return ERR_FORMAT;
	for (uint8_t i = 0; e == OK && i < out->wraps_n; i++)
		e = backup_wrap_decode(rd_span(&r, BACKUP_WRAP_LEN),
		    &out->wraps[i]);
	return e != OK ? e : rd_done(&r) ? OK : ERR_FORMAT;
}

enum err
backup_decode(struct span bytes, struct backup *out)
{
	struct span sealed;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = decode(bytes, out, &sealed);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

static enum err
open_sealed(const struct provider *p, const struct user_id *account,
    const struct backup_key *bk, const uint8_t *head, struct span sealed,
    uint8_t *plain)
{
	uint8_t okm[WHOLE_OKM_LEN], ad[WHOLE_AD_MAX];
	struct span h = span_of(head, BACKUP_HEAD_LEN);
	enum err e = whole_keys(p, account, bk,
	    span_sub(h, SALT_AT, SALT_LEN).p, okm);

	if (e == OK && !ct_eq(&okm[AES256_KEY_LEN + GCM_NONCE_LEN],
	    span_sub(h, COMMIT_AT, SHA256_LEN).p, SHA256_LEN))
		e = ERR_NO_KEY;
	if (e == OK)
		e = p->gcm_open(p->ctx, okm, &okm[AES256_KEY_LEN],
		    whole_ad(head, ad), sealed, plain);
	wipe(okm, sizeof(okm));
	return e;
}

enum err
backup_open(const struct provider *p, const struct user_id *account,
    const struct backup_key *bk, struct span bytes, uint8_t *plain,
    struct backup *b_out, struct backup_secrets *out)
{
	struct span sealed, record;
	enum err e;

	memset(b_out, 0, sizeof(*b_out));
	memset(out, 0, sizeof(*out));
	e = decode(bytes, b_out, &sealed);
	if (e == OK)
		e = open_sealed(p, account, bk, bytes.p, sealed, plain);
	if (e == OK)
		e = pad_read(span_of(plain, sealed.n - GCM_TAG_LEN), &record);
	if (e == OK)
		e = backup_decode_secrets(record, out);
	if (e != OK)
		memset(b_out, 0, sizeof(*b_out));
	return e;
}
