/*
 * nightjar.c: known answers of the protocol's own formats, made by a model
 * that is independent of this code: derivations, public objects, safety
 * numbers, content and key envelopes; the session is in nightjar_session.c.
 */
#include "base/text.h"
#include "core/content.h"
#include "core/pad.h"
#include "core/safety.h"
#include "crypto/hash.h"
#include "pub/devlist.h"
#include "pub/prekey_batch.h"
#include "vectors/nightjar_private.h"

#define HEX_MAX 16384

void
nightjar_same(struct tally *t, const char *id, const char *what,
    struct span got, struct span want)
{
	if (span_eq(got, want))
		tally_pass(t);
	else
		tally_fail(t, id, "another %s", what);
}

bool
nightjar_get(const struct vector_file *f, yyjson_val *o, const char *key,
    struct tally *t, struct span *out)
{
	if (field_hex(f, o, key, out))
		return true;
	tally_fail(t, key, "missing");
	return false;
}

bool
nightjar_get_n(const struct vector_file *f, yyjson_val *o, const char *key,
    size_t n, struct tally *t, const uint8_t **out)
{
	if (field_hex_n(f, o, key, n, out))
		return true;
	tally_fail(t, key, "missing or of another length");
	return false;
}

/* ---- kdf.json ---- */

static void
run_tuple_hash(const struct vector_file *f, yyjson_val *o, struct tally *t)
{
	struct span parts[HASH_PARTS_MAX];
	size_t n = 0, i, max;
	yyjson_val *v;
	const uint8_t *want;
	uint8_t out[SHA256_LEN];
	const char *label = "";
	enum err e;

	yyjson_arr_foreach(yyjson_obj_get(o, "parts"), i, max, v) {
		size_t text_n = yyjson_get_len(v);
		uint8_t *p = arena_bytes(f->arena, text_n / 2 + 1);

		if (p == NULL || n == HASH_PARTS_MAX ||
		    !hex_decode(span_of(yyjson_get_str(v), text_n), p)) {
			tally_fail(t, "parts", "malformed");
			return;
		}
		parts[n++] = span_of(p, text_n / 2);
	}
	if (!field_str(o, "label", &label) || !nightjar_get_n(f, o, "out", 32,
	    t, &want))
		return;
	e = hash_tuple(f->provider, label, parts, n, out);
	if (e != OK)
		tally_err(t, label, e, OK);
	else
		nightjar_same(t, label, "tuple hash", SPAN_OF(out),
		    span_of(want, 32));
}

static void
run_varint(const struct vector_file *f, yyjson_val *o, struct tally *t)
{
	uint8_t mem[4];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span want;
	struct rd r;
	uint64_t n;

	if (!field_u64(o, "n", &n) || !nightjar_get(f, o, "hex", t, &want))
		return;
	wr_varint(&w, (uint32_t)n);
	nightjar_same(t, "varint", "encoding", wr_done(&w), want);
	r = rd_init(want);
	if (rd_varint(&r) == n && rd_done(&r))
		tally_pass(t);
	else
		tally_fail(t, "varint", "%u does not decode", (unsigned)n);
}

static void
run_varint_bad(yyjson_val *v, struct tally *t)
{
	uint8_t mem[16];
	struct span text = span_of(yyjson_get_str(v), yyjson_get_len(v));
	struct rd r;

	if (text.n > 2 * sizeof(mem) || !hex_decode(text, mem)) {
		tally_fail(t, "varint_must_reject", "malformed");
		return;
	}
	r = rd_init(span_of(mem, text.n / 2));
	(void)rd_varint(&r);
	if (rd_done(&r))
		tally_fail(t, yyjson_get_str(v), "was accepted");
	else
		tally_pass(t);
}

static void
run_kdf_chain(const struct vector_file *f, yyjson_val *o, struct tally *t)
{
	const struct provider *p = f->provider;
	const uint8_t *rk0, *dh, *new_rk, *ck0, *next_ck, *mk0, *salt, *key0,
	    *nonce0;
	uint8_t rk[KEY_LEN], ck[KEY_LEN], mk[KEY_LEN], key[AES256_KEY_LEN];
	uint8_t nonce[GCM_NONCE_LEN];
	struct span pq;
	uint64_t epoch;

	if (!nightjar_get_n(f, o, "rk", 32, t, &rk0) || !nightjar_get_n(f, o,
	    "dh", 32, t, &dh) ||
	    !nightjar_get(f, o, "pq", t, &pq) || !field_u64(o, "pq_epoch",
	    &epoch) ||
	    !nightjar_get_n(f, o, "new_rk", 32, t, &new_rk) ||
	    !nightjar_get_n(f, o, "ck", 32, t, &ck0) ||
	    !nightjar_get_n(f, o, "next_ck", 32, t, &next_ck) ||
	    !nightjar_get_n(f, o, "mk", 32, t, &mk0) ||
	    !nightjar_get_n(f, o, "salt", SALT_LEN, t, &salt) ||
	    !nightjar_get_n(f, o, "aes_key", 32, t, &key0) ||
	    !nightjar_get_n(f, o, "nonce", 12, t, &nonce0))
		return;
	memcpy(rk, rk0, sizeof(rk));
	tally_err(t, "root", kdf_root(p, rk, dh, pq.n == 0 ? NULL : pq.p,
	    (uint32_t)epoch, ck), OK);
	nightjar_same(t, "root", "root key", SPAN_OF(rk), span_of(new_rk, 32));
	nightjar_same(t, "root", "chain key", SPAN_OF(ck), span_of(ck0, 32));
	tally_err(t, "mk", kdf_message_key(p, ck, mk), OK);
	nightjar_same(t, "mk", "message key", SPAN_OF(mk), span_of(mk0, 32));
	tally_err(t, "step", kdf_chain_step(p, ck), OK);
	nightjar_same(t, "step", "chain key", SPAN_OF(ck), span_of(next_ck,
	    32));
	tally_err(t, "seal", kdf_seal_key(p, mk, salt, key, nonce), OK);
	nightjar_same(t, "seal", "key", SPAN_OF(key), span_of(key0, 32));
	nightjar_same(t, "seal", "nonce", SPAN_OF(nonce), span_of(nonce0, 12));
}

static void
run_padding(yyjson_val *o, struct tally *t)
{
	uint64_t n, padded;

	if (field_u64(o, "n", &n) && field_u64(o, "padded", &padded) &&
	    pad_size((size_t)n) == padded)
		tally_pass(t);
	else
		tally_fail(t, "padding", "another size");
}

static void
run_kdf(const struct vector_file *f, struct tally *t)
{
	yyjson_val *v;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(f->root, "tuple_hash"), i, max, v)
		run_tuple_hash(f, v, t);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "varint"), i, max, v)
		run_varint(f, v, t);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "varint_must_reject"), i,
	    max, v)
		run_varint_bad(v, t);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "kdf_chain"), i, max, v)
		run_kdf_chain(f, v, t);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "padding"), i, max, v)
		run_padding(v, t);
}

/* ---- identity.json ---- */

/* A seed, its public key, and the deterministic signature over body. */
static void
run_signer(const struct vector_file *f, const char *who, const char *context,
    struct span body, const char *sig_key, struct tally *t)
{
	static const uint8_t no_rnd[32];
	char name[32];
	const uint8_t *seed, *pub;
	struct composite_priv priv;
	struct composite_pub got;
	struct composite_sig sig;
	struct span want;

	(void)snprintf(name, sizeof(name), "%s_seed", who);
	if (!nightjar_get_n(f, f->root, name, COMPOSITE_PRIV_LEN, t, &seed))
		return;
	(void)snprintf(name, sizeof(name), "%s_cpk", who);
	if (!nightjar_get_n(f, f->root, name, COMPOSITE_PUB_LEN, t, &pub) ||
	    !nightjar_get(f, f->root, sig_key, t, &want))
		return;
	memcpy(priv.b, seed, sizeof(priv.b));
	tally_err(t, who, composite_make_pub(f->provider, &priv, &got), OK);
	nightjar_same(t, who, "public key", SPAN_OF(got.b),
	    span_of(pub, COMPOSITE_PUB_LEN));
	tally_err(t, who, composite_sign(f->provider, &priv,
	    span_str(context), body, no_rnd, &sig), OK);
	nightjar_same(t, who, "signature", SPAN_OF(sig.b), want);
}

/* body || signature, as it travels. */
static struct span
signed_object(const struct vector_file *f, struct span body, struct span sig)
{
	uint8_t *p = arena_bytes(f->arena, body.n + sig.n);
	struct wr w = wr_init(p, p == NULL ? 0 : body.n + sig.n);

	wr_span(&w, body);
	wr_span(&w, sig);
	return wr_done(&w);
}

static void
run_cert(const struct vector_file *f, struct span bytes, struct cert *c,
    uint8_t hash[static SHA256_LEN], struct tally *t)
{
	uint8_t mem[CERT_LEN_MAX], aik_hash[SHA256_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	const uint8_t *want, *want_aik, *aik;

	if (!nightjar_get_n(f, f->root, "cert_hash", 32, t, &want) ||
	    !nightjar_get_n(f, f->root, "aik_hash_r", 32, t, &want_aik) ||
	    !nightjar_get_n(f, f->root, "aik_r_cpk", COMPOSITE_PUB_LEN, t,
	    &aik))
		return;
	tally_err(t, "cert", cert_decode(bytes, c), OK);
	tally_err(t, "cert", cert_check(c), OK);
	tally_err(t, "cert", cert_encode(c, &w), OK);
	nightjar_same(t, "cert", "encoding", wr_done(&w), bytes);
	tally_err(t, "cert", cert_hash(f->provider, bytes, hash), OK);
	nightjar_same(t, "cert", "hash", span_of(hash, 32), span_of(want, 32));
	tally_err(t, "cert", cert_aik_hash(f->provider, aik, aik_hash), OK);
	nightjar_same(t, "cert", "account key hash", SPAN_OF(aik_hash),
	    span_of(want_aik, 32));
	nightjar_same(t, "cert", "account key hash within",
	    SPAN_OF(c->aik_hash),
	    span_of(want_aik, 32));
}

static void
run_list(const struct vector_file *f, struct span cert_bytes,
    const struct cert *c, struct tally *t)
{
	uint8_t mem[DEVLIST_BODY_MAX], hash[SHA256_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span body, sig, whole;
	struct devlist l;
	const uint8_t *want;

	if (!nightjar_get(f, f->root, "device_list", t, &body) ||
	    !nightjar_get(f, f->root, "device_list_sig_deterministic", t,
	    &sig) ||
	    !nightjar_get_n(f, f->root, "devlist_hash", 32, t, &want))
		return;
	run_signer(f, "aik_r", "NJ1/devlist", body,
	    "device_list_sig_deterministic", t);
	whole = signed_object(f, body, sig);
	tally_err(t, "list", devlist_verify(f->provider, whole, &c->account,
	    &l), OK);
	tally_err(t, "list", devlist_encode(&l, &w), OK);
	nightjar_same(t, "list", "encoding", wr_done(&w), body);
	tally_err(t, "list", devlist_hash(f->provider, whole, hash), OK);
	nightjar_same(t, "list", "hash", SPAN_OF(hash), span_of(want, 32));
	tally_err(t, "list", devlist_check_cert(f->provider, &l, cert_bytes,
	    c), OK);
}

static bool
hex_items(const struct vector_file *f, yyjson_val *arr, struct span *out,
    size_t max_n, size_t *n_out)
{
	size_t i, max;
	yyjson_val *v;

	*n_out = 0;
	yyjson_arr_foreach(arr, i, max, v) {
		size_t n = yyjson_get_len(v);
		uint8_t *p = arena_bytes(f->arena, n / 2 + 1);

		if (*n_out == max_n || p == NULL || !yyjson_is_str(v) ||
		    !hex_decode(span_of(yyjson_get_str(v), n), p))
			return false;
		out[(*n_out)++] = span_of(p, n / 2);
	}
	return true;
}

static void
run_leaf(const struct vector_file *f, const struct batch *b, uint16_t index,
    struct span leaf, yyjson_val *path, struct tally *t)
{
	struct span hashes[MERKLE_DEPTH_MAX];
	uint8_t mem[MERKLE_DEPTH_MAX * SHA256_LEN], enc[LEAF_LEN_MAX];
	struct wr w = wr_init(mem, sizeof(mem)), we = wr_init(enc, sizeof(enc));
	struct leaf l;
	size_t n;

	if (!hex_items(f, path, hashes, MERKLE_DEPTH_MAX, &n)) {
		tally_fail(t, "paths", "malformed");
		return;
	}
	for (size_t i = 0; i < n; i++)
		wr_span(&w, hashes[i]);
	tally_err(t, "leaf", batch_leaf_verify(f->provider, b, index, leaf,
	    wr_done(&w), &l), OK);
	tally_err(t, "leaf", batch_leaf_encode(&l, &we), OK);
	nightjar_same(t, "leaf", "encoding", wr_done(&we), leaf);
}

static void
run_batch(const struct vector_file *f, const struct cert *c,
    const uint8_t hash[static SHA256_LEN], struct tally *t)
{
	struct span body, sig, whole, leaves[MERKLE_LEAVES_MAX];
	uint8_t mem[BATCH_BODY_LEN], got[SHA256_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	const uint8_t *want;
	struct batch b;
	size_t n;

	if (!nightjar_get(f, f->root, "batch_header", t, &body) ||
	    !nightjar_get(f, f->root, "batch_sig_deterministic", t, &sig) ||
	    !nightjar_get_n(f, f->root, "batch_hash", 32, t, &want))
		return;
	run_signer(f, "dsk_r", "NJ1/prekeys", body, "batch_sig_deterministic",
	    t);
	whole = signed_object(f, body, sig);
	tally_err(t, "batch", batch_verify(f->provider, whole, c, hash, &b),
	    OK);
	tally_err(t, "batch", batch_encode(&b, &w), OK);
	nightjar_same(t, "batch", "encoding", wr_done(&w), body);
	tally_err(t, "batch", batch_hash(f->provider, whole, got), OK);
	nightjar_same(t, "batch", "hash", SPAN_OF(got), span_of(want, 32));
	if (!hex_items(f, yyjson_obj_get(f->root, "leaves"), leaves,
	    MERKLE_LEAVES_MAX, &n)) {
		tally_fail(t, "leaves", "malformed");
		return;
	}
	tally_err(t, "batch", batch_check_leaves(f->provider, &b, leaves, n),
	    OK);
	for (uint16_t i = 0; i < n; i++)
		run_leaf(f, &b, i, leaves[i], yyjson_arr_get(
		    yyjson_obj_get(f->root, "paths"), i), t);
}

static void
run_identity(const struct vector_file *f, struct tally *t)
{
	struct span bytes;
	uint8_t hash[SHA256_LEN] = { 0 };
	struct cert c = { 0 };

	if (!nightjar_get(f, f->root, "device_cert", t, &bytes))
		return;
	run_cert(f, bytes, &c, hash, t);
	run_list(f, bytes, &c, t);
	run_batch(f, &c, hash, t);
}

/* ---- safety-number.json ---- */

static bool
print_of(const struct vector_file *f, const char *account_key,
    const char *aik_key, const char *print_key, struct tally *t,
    struct safety_print *out)
{
	const uint8_t *account, *aik, *want;
	struct user_id id;

	if (!nightjar_get_n(f, f->root, account_key, ID_LEN, t, &account) ||
	    !nightjar_get_n(f, f->root, aik_key, COMPOSITE_PUB_LEN, t, &aik) ||
	    !nightjar_get_n(f, f->root, print_key, SAFETY_PRINT_LEN, t, &want))
		return false;
	memcpy(id.b, account, ID_LEN);
	tally_err(t, print_key, safety_fingerprint(f->provider, aik, &id, out),
	    OK);
	nightjar_same(t, print_key, "fingerprint", SPAN_OF(out->b),
	    span_of(want, SAFETY_PRINT_LEN));
	return true;
}

static void
run_safety(const struct vector_file *f, struct tally *t)
{
	struct safety_print i, r;
	char number[SAFETY_DIGITS + 1];
	uint8_t qr[SAFETY_QR_LEN];
	struct span qr_i, qr_r;
	const char *want = "";

	if (!print_of(f, "account_i", "aik_i_cpk", "fingerprint_i", t, &i) ||
	    !print_of(f, "account_r", "aik_r_cpk", "fingerprint_r", t, &r) ||
	    !field_str(f->root, "display", &want) ||
	    !nightjar_get(f, f->root, "qr_shown_by_i", t, &qr_i) ||
	    !nightjar_get(f, f->root, "qr_shown_by_r", t, &qr_r))
		return;
	safety_number(&i, &r, number);
	nightjar_same(t, "display", "number", span_str(number), span_str(want));
	safety_number(&r, &i, number);
	nightjar_same(t, "display", "number", span_str(number), span_str(want));
	safety_qr(&i, &r, qr);
	nightjar_same(t, "qr", "code of I", SPAN_OF(qr), qr_i);
	safety_qr(&r, &i, qr);
	nightjar_same(t, "qr", "code of R", SPAN_OF(qr), qr_r);
	tally_err(t, "qr", safety_check_qr(&i, &r, qr_r), OK);
	tally_err(t, "qr", safety_check_qr(&i, &r, qr_i), ERR_UNTRUSTED);
}

/* ---- content.json ---- */

static void
run_content_one(const struct vector_file *f, yyjson_val *o, struct tally *t)
{
	const uint8_t *conv, *sender, *id, *cek, *nonce, *kc;
	struct span event, content, env;
	struct conv_id conv_id;
	struct content_sender from;
	struct event_id event_id;
	struct envelope got_env;
	uint8_t got_nonce[GCM_NONCE_LEN];
	uint8_t *mem = arena_bytes(f->arena, HEX_MAX);
	struct wr w = wr_init(mem, mem == NULL ? 0 : HEX_MAX);
	struct rd r;

	if (!nightjar_get_n(f, o, "conv", CONV_LEN, t, &conv) ||
	    !nightjar_get_n(f, o, "sender", ID_LEN + 4, t, &sender) ||
	    !nightjar_get_n(f, o, "event_id", ID_LEN, t, &id) ||
	    !nightjar_get_n(f, o, "cek", KEY_LEN, t, &cek) ||
	    !nightjar_get_n(f, o, "nonce", GCM_NONCE_LEN, t, &nonce) ||
	    !nightjar_get_n(f, o, "kc", CONTENT_KC_LEN, t, &kc) ||
	    !nightjar_get(f, o, "event", t, &event) ||
	    !nightjar_get(f, o, "content", t, &content) ||
	    !nightjar_get(f, o, "key_envelope", t, &env))
		return;
	memcpy(conv_id.b, conv, CONV_LEN);
	memcpy(event_id.b, id, ID_LEN);
	r = rd_init(span_of(sender, ID_LEN + 4));
	rd_bytes(&r, from.account.b, ID_LEN);
	from.device = rd_u32(&r);
	tally_err(t, "seal", content_seal_with(f->provider, &conv_id, &from,
	    &event_id, cek, event, &w, &got_env, got_nonce), OK);
	nightjar_same(t, "seal", "content", wr_done(&w), content);
	nightjar_same(t, "seal", "commitment", span_sub(wr_done(&w), 0,
	    CONTENT_KC_LEN),
	    span_of(kc, CONTENT_KC_LEN));
	nightjar_same(t, "seal", "envelope", SPAN_OF(got_env.b), env);
	nightjar_same(t, "seal", "nonce", SPAN_OF(got_nonce), span_of(nonce,
	    12));
}

static void
run_content(const struct vector_file *f, struct tally *t)
{
	const uint8_t *i, *r, *want;
	struct user_id a, b;
	struct conv_id got;
	yyjson_val *v;
	size_t k, max;

	if (!nightjar_get_n(f, f->root, "account_i", ID_LEN, t, &i) ||
	    !nightjar_get_n(f, f->root, "account_r", ID_LEN, t, &r) ||
	    !nightjar_get_n(f, f->root, "conv_direct", CONV_LEN, t, &want))
		return;
	memcpy(a.b, i, ID_LEN);
	memcpy(b.b, r, ID_LEN);
	tally_err(t, "conv", content_conv_direct(f->provider, &a, &b, &got),
	    OK);
	nightjar_same(t, "conv", "id", SPAN_OF(got.b), span_of(want, CONV_LEN));
	tally_err(t, "conv", content_conv_direct(f->provider, &b, &a, &got),
	    OK);
	nightjar_same(t, "conv", "id", SPAN_OF(got.b), span_of(want, CONV_LEN));
	yyjson_arr_foreach(yyjson_obj_get(f->root, "tests"), k, max, v)
		run_content_one(f, v, t);
}

/* ---- which is which ---- */

static const struct {
	const char *member;
	void (*run)(const struct vector_file *, struct tally *);
} kinds[] = {
	{ "kdf_chain", run_kdf }, { "device_cert", run_identity },
	{ "fingerprint_i", run_safety }, { "conv_direct", run_content },
	{ "accept_random", nightjar_session_run },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t
kind_of(const struct vector_file *f)
{
	size_t i = 0;

	while (i < N_KINDS && yyjson_obj_get(f->root, kinds[i].member) == NULL)
		i++;
	return i;
}

static bool
recognise(const struct vector_file *f)
{
	return kind_of(f) < N_KINDS;
}

static void
run(const struct vector_file *f, struct tally *t)
{
	kinds[kind_of(f)].run(f, t);
}

const struct vector_schema nightjar_schema = {
	"nightjar", recognise, run
};
