/*
 * record.c: see record.h. On the thread of the engine.
 *
 * Implementation notes. A context of the engine remembers by id which key it
 * has; ids are the engine's own and never reused, so that no connection can
 * get another's key. EVP takes content in pieces, so a record is sealed
 * straight from where its content lies. Opening is in place.
 */
#include <assert.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "net/record.h"

#define TAG 16
#define SUITES 3

struct suite {
	uint16_t id;
	uint8_t key_n, hash_n;
	const char *cipher, *hash;
};
static const struct suite suites[SUITES] = {
	{ RECORD_AES_128_GCM_SHA256, 16, 32, "AES-128-GCM", "SHA256" },
	{ RECORD_AES_256_GCM_SHA384, 32, 48, "AES-256-GCM", "SHA384" },
	{ RECORD_CHACHA20_POLY1305_SHA256, 32, 32, "ChaCha20-Poly1305",
	    "SHA256" },
};

/* A context and which key it has. */
struct slot {
	EVP_CIPHER_CTX *ctx;
	uint64_t id;
};

struct record_engine {
	EVP_KDF_CTX *kdf;
	uint64_t last_id;
	size_t held;
	struct slot seal[SUITES], open[SUITES];
};

/* SUITES when there is none such. */
static unsigned
suite_of(uint16_t id)
{
	unsigned i = 0;

	while (i < SUITES && suites[i].id != id)
		i++;
	return i;
}

static bool
slots_open(struct record_engine *e)
{
	for (unsigned i = 0; i < SUITES; i++) {
		EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, suites[i].cipher,
		    NULL);
		bool ok;

		e->seal[i].ctx = EVP_CIPHER_CTX_new();
		e->open[i].ctx = EVP_CIPHER_CTX_new();
		ok = c != NULL && e->seal[i].ctx != NULL &&
		    e->open[i].ctx != NULL && EVP_EncryptInit_ex2(
		    e->seal[i].ctx, c, NULL, NULL, NULL) == 1 &&
		    EVP_DecryptInit_ex2(e->open[i].ctx, c, NULL, NULL,
		    NULL) == 1;
		EVP_CIPHER_free(c);
		if (!ok)
			return false;
	}
	return true;
}

enum err
record_engine_new(struct record_engine **out)
{
	struct record_engine *e = calloc(1, sizeof(*e));
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);

	if (e != NULL && kdf != NULL)
		e->kdf = EVP_KDF_CTX_new(kdf);
	EVP_KDF_free(kdf);
	if (e == NULL || e->kdf == NULL || !slots_open(e)) {
		record_engine_free(e);
		ERR_clear_error();
		return ERR_PROVIDER;
	}
	*out = e;
	return OK;
}

void
record_engine_free(struct record_engine *e)
{
	if (e == NULL)
		return;
	for (unsigned i = 0; i < SUITES; i++) {
		EVP_CIPHER_CTX_free(e->seal[i].ctx);
		EVP_CIPHER_CTX_free(e->open[i].ctx);
	}
	EVP_KDF_CTX_free(e->kdf);
	free(e);
}

bool
record_engine_hold(struct record_engine *e, size_t n)
{
	if (n > RECORD_HELD_MAX || e->held > RECORD_HELD_MAX - n)
		return false;
	e->held += n;
	return true;
}

void
record_engine_join(struct record_engine *e, size_t n)
{
	e->held += n;
}

void
record_engine_drop(struct record_engine *e, size_t n)
{
	assert(e->held >= n);
	e->held -= n;
}

size_t
record_engine_held(const struct record_engine *e)
{
	return e->held;
}

/* ---- Keys ---- */

/* HKDF-Expand-Label with an empty context (RFC 8446 7.1). */
static bool
expand(struct record_engine *e, const struct suite *s,
    const uint8_t *secret, const char *label, uint8_t *out, size_t n)
{
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	char prefix[] = "tls13 ";
	OSSL_PARAM p[6];
	char hash[8], name[16];
	uint8_t in[RECORD_SECRET_MAX];
	bool ok;

	memcpy(in, secret, s->hash_n);
	memcpy(hash, s->hash, strlen(s->hash) + 1);
	memcpy(name, label, strlen(label) + 1);
	p[0] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	p[1] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, hash,
	    0);
	p[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, in,
	    s->hash_n);
	p[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PREFIX,
	    prefix, sizeof(prefix) - 1);
	p[4] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_LABEL, name,
	    strlen(name));
	p[5] = OSSL_PARAM_construct_end();
	ok = EVP_KDF_derive(e->kdf, out, n, p) == 1;
	EVP_KDF_CTX_reset(e->kdf);	/* it holds a copy of the secret */
	wipe(in, sizeof(in));
	return ok;
}

/* RFC 8446 7.3: key and nonce from the secret. */
static enum err
derive(struct record_engine *e, const struct suite *s, struct record_keys *k)
{
	if (!expand(e, s, k->secret, "key", k->key, s->key_n) ||
	    !expand(e, s, k->secret, "iv", k->iv, sizeof(k->iv))) {
		ERR_clear_error();
		return ERR_PROVIDER;
	}
	k->seq = 0;
	k->id = 0;
	return OK;
}

/* RFC 8446 7.2: the next generation; the old one is gone. */
static enum err
step(struct record_engine *e, const struct suite *s, struct record_keys *k)
{
	uint8_t next[RECORD_SECRET_MAX];
	enum err er = ERR_PROVIDER;

	if (expand(e, s, k->secret, "traffic upd", next, s->hash_n)) {
		memcpy(k->secret, next, s->hash_n);
		er = derive(e, s, k);
	}
	wipe(next, sizeof(next));
	ERR_clear_error();
	return er;
}

/* The context of slot has k's key and the nonce of its next record (5.3). */
static bool
ready(struct record_engine *e, struct slot *slot, struct record_keys *k,
    int enc)
{
	bool same = k->id != 0 && k->id == slot->id;
	uint8_t iv[12];

	if (k->id == 0)
		k->id = ++e->last_id;
	memcpy(iv, k->iv, sizeof(iv));
	for (unsigned i = 0; i < 8; i++)
		iv[4 + i] ^= (uint8_t)(k->seq >> (56 - 8 * i));
	slot->id = 0;
	if (EVP_CipherInit_ex2(slot->ctx, NULL, same ? NULL : k->key, iv,
	    enc, NULL) != 1)
		return false;
	slot->id = k->id;
	return true;
}

/* Its key stays in no context. */
static void
forget(struct slot *slot, struct record_keys *k, int enc)
{
	static const uint8_t none[32];

	if (k->id != 0 && slot->id == k->id) {
		(void)EVP_CipherInit_ex2(slot->ctx, NULL, none, none, enc,
		    NULL);
		slot->id = 0;
	}
	k->id = 0;
}

enum err
record_init(struct record *r, struct record_engine *e, uint16_t suite,
    struct span in_secret, struct span out_secret, uint64_t in_seq,
    uint64_t out_seq)
{
	unsigned i = suite_of(suite);
	enum err er;

	if (i == SUITES || in_secret.n != suites[i].hash_n ||
	    out_secret.n != suites[i].hash_n)
		return ERR_ARG;
	*r = (struct record){ .suite = suite, .key_uses = RECORD_KEY_USES,
	    .plain_max = RECORD_PLAIN_MAX };
	memcpy(r->in.secret, in_secret.p, in_secret.n);
	memcpy(r->out.secret, out_secret.p, out_secret.n);
	if ((er = derive(e, &suites[i], &r->in)) != OK ||
	    (er = derive(e, &suites[i], &r->out)) != OK) {
		wipe(r, sizeof(*r));
		return er;
	}
	r->in.seq = in_seq;
	r->out.seq = out_seq;
	return OK;
}

void
record_limit(struct record *r, size_t plain_max)
{
	assert(plain_max > 0);
	assert(plain_max <= RECORD_PLAIN_MAX);
	r->plain_max = (uint16_t)plain_max;
}

void
record_leave(struct record *r, struct record_engine *e)
{
	unsigned i = suite_of(r->suite);

	if (i == SUITES)
		return;
	forget(&e->open[i], &r->in, 0);
	forget(&e->seal[i], &r->out, 1);
}

void
record_fini(struct record *r, struct record_engine *e)
{
	if (e != NULL)
		record_leave(r, e);
	wipe(r, sizeof(*r));
}

/* ---- Opening ---- */

static enum record_is
bad(struct record *r, enum record_alert alert)
{
	r->alert = (uint8_t)alert;
	return RECORD_IS_BAD;
}

enum err
record_length(struct record *r, const uint8_t *p, size_t *n_out)
{
	size_t n = (size_t)p[3] << 8 | p[4];

	/*
	 * RFC 8446 5: change_cipher_spec may come up to the peer's Finished
	 * only, and everything else is protected by now. The version is to be
	 * ignored (5.1); it is authenticated.
	 */
	if (p[0] != RECORD_DATA) {
		(void)bad(r, ALERT_UNEXPECTED_MESSAGE);
		return ERR_FORMAT;
	}
	if (n > RECORD_BODY_MAX) {
		(void)bad(r, ALERT_RECORD_OVERFLOW);
		return ERR_FORMAT;
	}
	*n_out = RECORD_HEAD + n;
	return OK;
}

/* RFC 8446 4.6.3: request_update is 0 or 1; anything after it in the same
 * record would have been sealed with the old key (5.1). */
static enum record_is
on_key_update(struct record *r, struct record_engine *e, size_t more)
{
	uint8_t request = r->part[4];

	r->part_n = 0;
	if (more > 0)
		return bad(r, ALERT_UNEXPECTED_MESSAGE);
	if (request > 1)
		return bad(r, ALERT_ILLEGAL_PARAMETER);
	forget(&e->open[suite_of(r->suite)], &r->in, 0);
	if (step(e, &suites[suite_of(r->suite)], &r->in) != OK)
		return bad(r, ALERT_INTERNAL_ERROR);
	r->asked = r->ask_update = false;
	if (request == 1)
		r->owe_update = true;
	return RECORD_IS_OURS;
}

/*
 * Of all handshake messages a client may only send KeyUpdate now: we ask for
 * no certificate, and tickets are a server's (RFC 8446 4.6). It may come in
 * pieces (5.1), so it is gathered: type 24, length 1, request_update.
 */
static enum record_is
on_handshake(struct record *r, struct record_engine *e, struct span s)
{
	static const uint8_t head[4] = { 24, 0, 0, 1 };

	if (s.n == 0)
		return bad(r, ALERT_UNEXPECTED_MESSAGE);	/* 5.1 */
	for (size_t i = 0; i < s.n; i++) {
		uint8_t b = s.p[i];

		if (r->part_n == 0 && b != head[0])
			return bad(r, ALERT_UNEXPECTED_MESSAGE);
		if (r->part_n < 4 && b != head[r->part_n])
			return bad(r, ALERT_DECODE_ERROR);
		r->part[r->part_n++] = b;
		if (r->part_n == sizeof(r->part))
			return on_key_update(r, e, s.n - i - 1);
	}
	return RECORD_IS_OURS;
}

/* RFC 8446 6: one alert fills a record; its level is without meaning. */
static enum record_is
on_alert(struct record *r, struct span s)
{
	if (s.n == 0)
		return bad(r, ALERT_UNEXPECTED_MESSAGE);	/* 5.1 */
	if (s.n != 2)
		return bad(r, ALERT_DECODE_ERROR);
	if (s.p[1] == ALERT_CLOSE_NOTIFY)
		return RECORD_IS_END;
	if (s.p[1] == ALERT_USER_CANCELED)
		return RECORD_IS_OURS;	/* close_notify follows (6.1) */
	r->mute = true;		/* 6.2: no further alert is due */
	return bad(r, ALERT_CLOSE_NOTIFY);
}

static bool
decrypt(struct record *r, struct record_engine *e, uint8_t *p, size_t n)
{
	struct slot *slot = &e->open[suite_of(r->suite)];
	size_t body = n - RECORD_HEAD - TAG;
	int k;

	return r->in.seq < UINT64_MAX && ready(e, slot, &r->in, 0) &&
	    EVP_DecryptUpdate(slot->ctx, NULL, &k, p, RECORD_HEAD) == 1 &&
	    EVP_DecryptUpdate(slot->ctx, p + RECORD_HEAD, &k,
	    p + RECORD_HEAD, (int)body) == 1 &&
	    EVP_CIPHER_CTX_ctrl(slot->ctx, EVP_CTRL_AEAD_SET_TAG, TAG,
	    p + RECORD_HEAD + body) == 1 &&
	    EVP_DecryptFinal_ex(slot->ctx, p + RECORD_HEAD + body, &k) == 1;
}

/* A record was genuine; is it one of many without data? */
static enum record_is
judge(struct record *r, struct record_engine *e, uint8_t type, struct span s)
{
	enum record_is is;

	/* RFC 8446 5.1: a message in pieces is interrupted by nothing. */
	if (r->part_n > 0 && type != RECORD_HANDSHAKE)
		return bad(r, ALERT_UNEXPECTED_MESSAGE);
	if (type == RECORD_DATA && s.n > 0) {
		r->idle = 0;
		return RECORD_IS_DATA;
	}
	if (type == RECORD_DATA)
		is = RECORD_IS_DATA;
	else if (type == RECORD_HANDSHAKE)
		is = on_handshake(r, e, s);
	else if (type == RECORD_ALERT)
		is = on_alert(r, s);
	else
		is = bad(r, ALERT_UNEXPECTED_MESSAGE);
	if ((is == RECORD_IS_DATA || is == RECORD_IS_OURS) &&
	    ++r->idle > RECORD_IDLE_MAX)
		return bad(r, ALERT_UNEXPECTED_MESSAGE);
	return is;
}

enum record_is
record_open(struct record *r, struct record_engine *e, uint8_t *p, size_t n,
    struct span *plain_out)
{
	size_t end = n - TAG;	/* of TLSInnerPlaintext (RFC 8446 5.2) */
	enum record_is is;
	struct span s;

	assert(n >= RECORD_HEAD);
	assert(n <= RECORD_MAX);
	if (n < RECORD_HEAD + 1 + TAG || !decrypt(r, e, p, n)) {
		wipe(p, n);
		ERR_clear_error();
		return bad(r, ALERT_BAD_RECORD_MAC);
	}
	if (++r->in.seq >= r->key_uses && !r->asked)
		r->ask_update = true;
	if (end - RECORD_HEAD > RECORD_PLAIN_MAX + 1) {
		wipe(p, n);
		return bad(r, ALERT_RECORD_OVERFLOW);
	}
	/* RFC 8446 5.4: zeros after the type are padding, and it is none. */
	while (end > RECORD_HEAD && p[end - 1] == 0)
		end--;
	if (end == RECORD_HEAD) {
		wipe(p, n);
		return bad(r, ALERT_UNEXPECTED_MESSAGE);
	}
	s = span_of(p + RECORD_HEAD, end - 1 - RECORD_HEAD);
	is = s.n > r->plain_max ? bad(r, ALERT_RECORD_OVERFLOW) :
	    judge(r, e, p[end - 1], s);
	if (is == RECORD_IS_BAD)
		wipe(p, n);
	else if (is == RECORD_IS_DATA)
		*plain_out = s;
	return is;
}

/* ---- Sealing ---- */

enum err
record_seal(struct record *r, struct record_engine *e, enum record_type type,
    const struct sys_iov *iov, size_t iov_n, uint8_t *out, size_t *n_out)
{
	struct slot *slot = &e->seal[suite_of(r->suite)];
	uint8_t inner = (uint8_t)type;
	size_t n = 0, at = RECORD_HEAD;
	bool ok;
	int k;

	for (size_t i = 0; i < iov_n; i++)
		n += iov[i].n;
	assert(n <= r->plain_max);
	out[0] = RECORD_DATA;
	out[1] = 3;		/* legacy_record_version (RFC 8446 5.2) */
	out[2] = 3;
	out[3] = (uint8_t)((n + 1 + TAG) >> 8);
	out[4] = (uint8_t)(n + 1 + TAG);
	ok = r->out.seq < UINT64_MAX && ready(e, slot, &r->out, 1) &&
	    EVP_EncryptUpdate(slot->ctx, NULL, &k, out, RECORD_HEAD) == 1;
	for (size_t i = 0; ok && i < iov_n; i++) {
		ok = EVP_EncryptUpdate(slot->ctx, out + at, &k, iov[i].p,
		    (int)iov[i].n) == 1;
		at += iov[i].n;
	}
	ok = ok && EVP_EncryptUpdate(slot->ctx, out + at, &k, &inner,
	    1) == 1 && EVP_EncryptFinal_ex(slot->ctx, out + at + 1,
	    &k) == 1 && EVP_CIPHER_CTX_ctrl(slot->ctx, EVP_CTRL_AEAD_GET_TAG,
	    TAG, out + at + 1) == 1;
	if (!ok) {
		wipe(out, at);
		ERR_clear_error();
		return ERR_PROVIDER;
	}
	r->out.seq++;
	*n_out = at + 1 + TAG;
	return OK;
}

bool
record_wants_update(const struct record *r)
{
	return r->owe_update || r->ask_update || r->out.seq >= r->key_uses;
}

enum err
record_update(struct record *r, struct record_engine *e, uint8_t *out,
    size_t *n_out)
{
	const uint8_t m[5] = { 24, 0, 0, 1, r->ask_update ? 1 : 0 };
	const struct sys_iov iov = { m, sizeof(m) };

	TRY(record_seal(r, e, RECORD_HANDSHAKE, &iov, 1, out, n_out));
	r->asked = r->asked || r->ask_update;
	r->owe_update = r->ask_update = false;
	forget(&e->seal[suite_of(r->suite)], &r->out, 1);
	return step(e, &suites[suite_of(r->suite)], &r->out);
}

enum err
record_alert(struct record *r, struct record_engine *e, uint8_t alert,
    uint8_t *out, size_t *n_out)
{
	/* RFC 8446 6: level warning (1) for close_notify, else fatal (2). */
	const uint8_t m[2] = { alert == ALERT_CLOSE_NOTIFY ? 1 : 2, alert };
	const struct sys_iov iov = { m, sizeof(m) };

	return record_seal(r, e, RECORD_ALERT, &iov, 1, out, n_out);
}
