/*
 * keyfile.c: see keyfile.h.
 */
#include "cli/keyfile.h"

#include <sys/stat.h>

#include "base/sys.h"

#define MAGIC SPAN("NJPK\001")
#define SALT_LEN 16
#define WRAPPED_LEN (SEAL_KEY_LEN + GCM_TAG_LEN)
#define FILE_MAX 128
/* What a file may ask for: a changed one must not hang the program. */
#define M_KIB_MAX (1u << 21)
#define T_MAX 64u
#define P_MAX 64u

enum form { FORM_PLAIN, FORM_PASSPHRASE };

struct cost {
	uint32_t m_kib, t, p;
};

static enum err
stretch(const struct provider *pv, struct span passphrase, struct span salt,
    const struct cost *c, uint8_t out[static AES256_KEY_LEN + GCM_NONCE_LEN])
{
	return pv->argon2id(pv->ctx, passphrase, salt, c->m_kib, c->t, c->p,
	    out, AES256_KEY_LEN + GCM_NONCE_LEN);
}

/* Writes the form with a passphrase behind the magic. */
static enum err
wrap(const struct provider *pv, struct span passphrase,
    const struct seal_key *key, struct wr *w)
{
	static const struct cost c = { KEYFILE_M_KIB, KEYFILE_T, KEYFILE_P };
	uint8_t derived[AES256_KEY_LEN + GCM_NONCE_LEN];
	wr_u8(w, FORM_PASSPHRASE);
	uint8_t *salt = wr_room(w, SALT_LEN);
	if (salt == NULL)
		return ERR_SPACE;
	TRY(pv->random(pv->ctx, salt, SALT_LEN));
	wr_u32(w, c.m_kib);
	wr_u32(w, c.t);
	wr_u32(w, c.p);
	struct span ad = wr_done(w);
	uint8_t *to = wr_room(w, WRAPPED_LEN);
	if (to == NULL)
		return ERR_SPACE;
	enum err e = stretch(pv, passphrase, span_of(salt, SALT_LEN), &c,
	    derived);
	if (e == OK)
		e = pv->gcm_seal(pv->ctx, derived, derived + AES256_KEY_LEN,
		    ad, SPAN_OF(key->b), to);
	wipe(derived, sizeof(derived));
	return e;
}

enum err
keyfile_make(const struct provider *pv, const char *path,
    struct span passphrase, struct seal_key *key_out)
{
	uint8_t file[FILE_MAX];
	struct seal_key key;
	struct wr w = wr_init(file, sizeof(file));
	TRY(pv->random(pv->ctx, key.b, sizeof(key.b)));
	enum err e = OK;
	wr_span(&w, MAGIC);
	if (passphrase.n == 0) {
		wr_u8(&w, FORM_PLAIN);
		wr_bytes(&w, key.b, sizeof(key.b));
	} else {
		e = wrap(pv, passphrase, &key, &w);
	}
	if (e == OK)
		e = sys_file_create(path, wr_done(&w), 0600);
	if (e == OK)
		*key_out = key;
	wipe(&key, sizeof(key));
	wipe(file, sizeof(file));
	return e;
}

/* Behind magic and form byte. */
static enum err
unwrap(const struct provider *pv, struct span file, keyfile_ask_fn ask,
    void *ctx, struct seal_key *out)
{
	uint8_t derived[AES256_KEY_LEN + GCM_NONCE_LEN];
	char phrase[KEYFILE_PASSPHRASE_MAX];
	size_t n = 0, head = MAGIC.n + 1;
	struct rd r = rd_init(span_sub(file, head, file.n));
	struct span salt = rd_span(&r, SALT_LEN);
	struct cost c = { .m_kib = rd_u32(&r), .t = rd_u32(&r),
	    .p = rd_u32(&r) };
	struct span ad = span_sub(file, 0, file.n - r.n);
	struct span wrapped = rd_span(&r, WRAPPED_LEN);
	if (!rd_done(&r) || c.m_kib > M_KIB_MAX || c.t > T_MAX ||
	    c.p > P_MAX || c.t == 0 || c.p == 0 || c.m_kib < 8 * c.p)
		return ERR_FORMAT;
	if (ask == NULL)
		return ERR_FORBIDDEN;
	enum err e = ask(ctx, phrase, &n);
	if (e == OK)
		e = stretch(pv, span_of(phrase, n), salt, &c, derived);
	if (e == OK)
		e = pv->gcm_open(pv->ctx, derived, derived + AES256_KEY_LEN,
		    ad, wrapped, out->b);
	wipe(derived, sizeof(derived));
	wipe(phrase, sizeof(phrase));
	return e == ERR_AUTH ? ERR_INVALID_CREDENTIALS : e;
}

enum err
keyfile_read(const struct provider *pv, const char *path, keyfile_ask_fn ask,
    void *ctx, struct seal_key *key_out)
{
	struct buf file;
	struct stat st;
	enum err e = OK;
	/* A key that others can read is no secret: say so, do not go on. */
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		return ERR_UNTRUSTED;
	buf_init(&file, FILE_MAX);
	e = sys_file_read(path, &file);
	if (e == ERR_TOO_LARGE)
		e = ERR_FORMAT;
	struct span s = buf_span(&file);
	struct rd r = rd_init(s);
	struct span magic = rd_span(&r, MAGIC.n);
	uint8_t form = rd_u8(&r);
	if (e == OK && (r.bad || !span_eq(magic, MAGIC)))
		e = ERR_FORMAT;
	if (e == OK && form == FORM_PLAIN) {
		if (r.n == SEAL_KEY_LEN)
			rd_bytes(&r, key_out->b, SEAL_KEY_LEN);
		else
			e = ERR_FORMAT;
	} else if (e == OK) {
		e = form == FORM_PASSPHRASE ?
		    unwrap(pv, s, ask, ctx, key_out) : ERR_FORMAT;
	}
	if (file.p != NULL)
		wipe(file.p, file.n);
	buf_fini(&file);
	return e;
}
