/*
 * nightjar_formats.c: known answers of what leaves a device otherwise than as
 * a message: archives, linking, renewed keys, verified marks, recovery keys,
 * backups, settings (made by tests/model) and sealed files. Everything is made
 * here from the same named randomness and has to be the same bytes; then it is
 * read back.
 */
#include "base/text.h"
#include "core/attach.h"
#include "core/backup.h"
#include "core/linking.h"
#include "core/recovery.h"
#include "core/settings.h"
#include "crypto/hash.h"
#include "crypto/named.h"
#include "pub/rotate.h"
#include "pub/verification.h"
#include "vectors/nightjar_private.h"

#define FORMAT "nightjar-model 1 "

/* A member that must be there; NULL counts as a failure and ends the case. */
static const uint8_t *
need(const struct vector_file *f, const char *key, size_t n, struct tally *t)
{
	const uint8_t *p = NULL;

	if (!nightjar_get_n(f, f->root, key, n, t, &p))
		return NULL;
	return p;
}

static bool
get_key(const struct vector_file *f, const char *key,
    struct composite_priv *priv, struct composite_pub *pub, struct tally *t)
{
	const uint8_t *seed = need(f, key, COMPOSITE_PRIV_LEN, t);

	if (seed == NULL)
		return false;
	memcpy(priv->b, seed, sizeof(priv->b));
	return composite_make_pub(f->provider, priv, pub) == OK;
}

static bool
get_id(const struct vector_file *f, const char *key, uint8_t out[static 16],
    struct tally *t)
{
	const uint8_t *id = need(f, key, ID_LEN, t);

	if (id != NULL)
		memcpy(out, id, ID_LEN);
	return id != NULL;
}

static uint64_t
number(const struct vector_file *f, const char *key)
{
	uint64_t v = 0;

	(void)!field_u64(f->root, key, &v);
	return v;
}

/* The file's randomness in place of the provider's. */
static bool
with_random(const struct vector_file *f, yyjson_val *o, struct named *n,
    struct provider *out, struct tally *t)
{
	struct span random;

	if (!nightjar_get(f, o, "random", t, &random))
		return false;
	named_queue(n, f->provider, random, out);
	return true;
}

static void
all_drawn(const struct named *n, struct tally *t)
{
	if (named_left(n) == 0)
		tally_pass(t);
	else
		tally_fail(t, "random", "%zu bytes are left",
		    named_left(n));
}

/* ---- archive.json ---- */

static void
read_back(const struct vector_file *f, struct span plain, size_t *i,
    struct tally *t)
{
	struct archive_reader r = archive_read(plain);
	yyjson_val *records = yyjson_obj_get(f->root, "records");
	struct span bytes, want;
	uint64_t kind_want;
	uint8_t kind;

	while (archive_next(&r, &kind, &bytes)) {
		yyjson_val *o = yyjson_arr_get(records, (*i)++);

		if (!field_u64(o, "kind", &kind_want) ||
		    !nightjar_get(f, o, "bytes", t, &want))
			return;
		nightjar_same(t, "record", "record", bytes, want);
		if (kind != kind_want)
			tally_fail(t, "record", "another kind");
	}
	tally_err(t, "records", archive_end(&r), OK);
}

static void
same_hash(const struct vector_file *f, uint32_t index,
    const uint8_t hash[static SHA256_LEN], struct tally *t)
{
	yyjson_val *v = yyjson_arr_get(yyjson_obj_get(f->root,
	    "chunk_sha256"), index);
	uint8_t want[SHA256_LEN];

	if (yyjson_get_len(v) != 64 ||
	    !hex_decode(span_of(yyjson_get_str(v), 64), want))
		tally_fail(t, "chunk_sha256", "malformed");
	else
		nightjar_same(t, "chunk", "chunk", span_of(hash, 32),
		    SPAN_OF(want));
}

static void
archive_chunk(const struct vector_file *f, const struct archive *a,
    uint32_t index, size_t *next, uint8_t digest[static SHA256_LEN],
    struct tally *t)
{
	yyjson_val *records = yyjson_obj_get(f->root, "records");
	uint8_t *mem = arena_bytes(f->arena, ARCHIVE_PLAIN_LEN);
	uint8_t *out = arena_bytes(f->arena, ARCHIVE_CHUNK_MAX);
	uint8_t hash[SHA256_LEN];
	size_t first = (size_t)number(f, "first_chunk_records"), n = 0;
	size_t end = index == 0 ? first : yyjson_arr_size(records), k = *next;
	struct archive_writer w;
	struct span bytes;
	uint64_t kind;
	bool last = false;

	if (mem == NULL || out == NULL)
		return;
	archive_begin(&w, mem);
	for (; k < end; k++) {
		yyjson_val *o = yyjson_arr_get(records, k);

		if (!field_u64(o, "kind", &kind) ||
		    !nightjar_get(f, o, "bytes", t, &bytes))
			return;
		tally_err(t, "add", archive_add(&w, (uint8_t)kind, bytes),
		    OK);
	}
	tally_err(t, "seal", archive_seal(a, index, index == 1, &w, out, &n),
	    OK);
	tally_err(t, "hash", hash_sha256(f->provider, span_of(out, n), hash),
	    OK);
	same_hash(f, index, hash, t);
	if (index == 1 && nightjar_get(f, f->root, "last_chunk", t, &bytes))
		nightjar_same(t, "last", "chunk", span_of(out, n), bytes);
	tally_err(t, "digest", archive_digest(f->provider, digest,
	    span_of(out, n)), OK);
	tally_err(t, "open", archive_open(a, index, span_of(out, n), mem, &n,
	    &last), OK);
	if (last != (index == 1))
		tally_fail(t, "open", "another end");
	read_back(f, span_of(mem, n), next, t);
}

static void
run_archive(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct archive a;
	struct archive_key key;
	struct user_id me;
	uint8_t digest[SHA256_LEN] = { 0 };
	const uint8_t *k = need(f, "key", 32, t), *want;
	size_t next = 0;

	if (k == NULL || !get_id(f, "account_id", me.b, t) ||
	    !with_random(f, f->root, &named, &p, t))
		return;
	memcpy(key.b, k, sizeof(key.b));
	tally_err(t, "keys", archive_init(&a, &p, &key, &me), OK);
	want = need(f, "commit", 32, t);
	if (want != NULL)
		nightjar_same(t, "keys", "commitment", SPAN_OF(a.commit),
		    span_of(want, 32));
	archive_chunk(f, &a, 0, &next, digest, t);
	archive_chunk(f, &a, 1, &next, digest, t);
	want = need(f, "digest", 32, t);
	if (want != NULL)
		nightjar_same(t, "digest", "digest", SPAN_OF(digest),
		    span_of(want, 32));
	all_drawn(&named, t);
	archive_wipe(&a);
}

/* ---- linking.json ---- */

static bool
get_facts(const struct vector_file *f, struct linking_facts *x,
    struct tally *t)
{
	struct composite_pub aik;
	const uint8_t *secret = need(f, "secret", 32, t);
	const uint8_t *list = need(f, "list_hash", 32, t);
	const uint8_t *key = need(f, "archive_key", 32, t);

	*x = (struct linking_facts){ .device = 5, .flags = DEVICE_MANAGER,
	    .list_version = 17, .position = 987654321, .has_aik_priv = true,
	    .has_archive = true, .device_name = SPAN("Ada\u2019s laptop"),
	    .user_name = SPAN("ada") };
	if (secret == NULL || list == NULL || key == NULL ||
	    !get_id(f, "account_id", x->account.b, t) ||
	    !get_id(f, "archive_id", x->archive.b, t) ||
	    !get_key(f, "aik_seed", &x->aik_priv, &aik, t))
		return false;
	memcpy(x->aik, aik.b, sizeof(x->aik));
	memcpy(x->secret, secret, 32);
	memcpy(x->list_hash, list, 32);
	memcpy(x->archive_key, key, 32);
	return true;
}

static void
same_member(const struct vector_file *f, const char *key, struct span got,
    struct tally *t)
{
	struct span want;

	if (nightjar_get(f, f->root, key, t, &want))
		nightjar_same(t, key, "value", got, want);
}

static void
same_text(const struct vector_file *f, const char *key, const char *got,
    struct tally *t)
{
	const char *want = "";

	if (!field_str(f->root, key, &want))
		tally_fail(t, key, "missing");
	else
		nightjar_same(t, key, "text", span_str(got), span_str(want));
}

/* From the offer to the code, on both sides. */
static bool
run_pairing(const struct vector_file *f, const struct provider *p,
    struct linking *fresh, struct linking *manager, struct tally *t)
{
	char text[LINKING_TEXT_LEN + 1], code[LINKING_CODE_DIGITS + 1];
	uint8_t hash[SHA256_LEN];
	struct any_id mailbox;

	if (!get_id(f, "mailbox", mailbox.b, t))
		return false;
	tally_err(t, "offer", linking_offer(p, &mailbox, fresh), OK);
	same_member(f, "offer", SPAN_OF(fresh->offer), t);
	tally_err(t, "text", linking_text(p, fresh, text), OK);
	same_text(f, "text", text, t);
	tally_err(t, "text", linking_text_parse(span_str(text), &mailbox,
	    hash), OK);
	tally_err(t, "reply", linking_reply(p, &mailbox, hash,
	    SPAN_OF(fresh->offer), manager), OK);
	same_member(f, "reply", SPAN_OF(manager->reply), t);
	tally_err(t, "accept", linking_accept(p, fresh,
	    SPAN_OF(manager->reply)), OK);
	same_member(f, "k_m", SPAN_OF(fresh->k_m), t);
	same_member(f, "k_n", SPAN_OF(manager->k_n), t);
	linking_code(fresh, code);
	same_text(f, "code", code, t);
	tally_err(t, "code", linking_enter_code(manager, span_str(code)), OK);
	return manager->step == LINKING_CODE_RIGHT;
}

static void
run_linking(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct linking fresh, manager;
	struct linking_facts facts, got;
	struct composite_priv dsk;
	struct composite_pub pub;
	uint8_t out[LINKING_ANSWER_MAX], plain[LINKING_ANSWER_MAX];
	struct wr w = wr_init(out, sizeof(out));
	struct span cert, cert_got;
	struct cert c;

	if (!with_random(f, f->root, &named, &p, t) ||
	    !get_facts(f, &facts, t) || !get_key(f, "dsk_seed", &dsk, &pub,
	    t) || !nightjar_get(f, f->root, "cert", t, &cert) ||
	    !run_pairing(f, &p, &fresh, &manager, t))
		return;
	tally_err(t, "provision", linking_provision(&p, &manager, &facts, &w),
	    OK);
	same_member(f, "provisioning", wr_done(&w), t);
	tally_err(t, "provision", linking_open_provisioning(&p, &fresh,
	    wr_done(&w), plain, &got), OK);
	nightjar_same(t, "provision", "secret", SPAN_OF(got.secret),
	    SPAN_OF(facts.secret));
	nightjar_same(t, "provision", "name", got.device_name,
	    facts.device_name);
	w = wr_init(out, sizeof(out));
	tally_err(t, "answer", linking_answer(&p, &fresh, &facts.account,
	    cert, &dsk, &w), OK);
	same_member(f, "answer", wr_done(&w), t);
	tally_err(t, "answer", linking_open_answer(&p, &manager, wr_done(&w),
	    &facts, plain, &cert_got, &c), OK);
	nightjar_same(t, "answer", "certificate", cert_got, cert);
	all_drawn(&named, t);
}

/* ---- rotation.json, verification.json ---- */

static void
run_rotation(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct composite_priv from, to;
	struct composite_pub from_pub, to_pub;
	struct rotate r = { .version = number(f, "version"),
	    .time_ms = number(f, "time_ms") }, got;
	uint8_t *mem = arena_bytes(f->arena, ROTATE_LEN);
	struct wr w = wr_init(mem, mem == NULL ? 0 : ROTATE_LEN);

	if (!with_random(f, f->root, &named, &p, t) ||
	    !get_id(f, "account_id", r.account.b, t) ||
	    !get_key(f, "old_seed", &from, &from_pub, t) ||
	    !get_key(f, "new_seed", &to, &to_pub, t))
		return;
	memcpy(r.old_aik, from_pub.b, sizeof(r.old_aik));
	memcpy(r.new_aik, to_pub.b, sizeof(r.new_aik));
	tally_err(t, "sign", rotate_sign(&p, &from, &to, &r, &w), OK);
	same_member(f, "rotation", wr_done(&w), t);
	tally_err(t, "verify", rotate_verify(&p, wr_done(&w), &r.account,
	    &got), OK);
	all_drawn(&named, t);
}

static void
verification_one(const struct vector_file *f, yyjson_val *o,
    const struct provider *p, const struct composite_priv *dsk,
    struct verification v, const struct cert *c, struct tally *t)
{
	uint8_t mem[VERIFICATION_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	struct verification got;
	struct span want;
	uint64_t method;

	if (!field_u64(o, "method", &method) || !field_bool(o, "withdrawn",
	    &v.withdrawn) || !field_u64(o, "time_ms", &v.time_ms) ||
	    !nightjar_get(f, o, "record", t, &want)) {
		tally_fail(t, "records", "malformed");
		return;
	}
	v.method = (uint8_t)method;
	tally_err(t, "sign", verification_sign(p, dsk, &v, &w), OK);
	nightjar_same(t, "sign", "record", wr_done(&w), want);
	tally_err(t, "verify", verification_verify(p, want, c, v.cert_hash,
	    &got), OK);
}

static void
run_verification(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct verification v = { .device = 3 };
	struct composite_priv dsk;
	struct composite_pub pub;
	const uint8_t *hash = need(f, "peer_aik_hash", 32, t);
	struct span cert_bytes;
	struct cert c;
	yyjson_val *o;
	size_t i, max;

	if (hash == NULL || !with_random(f, f->root, &named, &p, t) ||
	    !get_id(f, "account_id", v.account.b, t) ||
	    !get_id(f, "peer_id", v.peer.b, t) ||
	    !get_key(f, "dsk_seed", &dsk, &pub, t) ||
	    !nightjar_get(f, f->root, "cert", t, &cert_bytes))
		return;
	memcpy(v.peer_aik_hash, hash, 32);
	tally_err(t, "cert", cert_decode(cert_bytes, &c), OK);
	tally_err(t, "cert", cert_hash(&p, cert_bytes, v.cert_hash), OK);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "records"), i, max, o)
		verification_one(f, o, &p, &dsk, v, &c, t);
	all_drawn(&named, t);
}

/* ---- recovery.json ---- */

static void
run_recovery(const struct vector_file *f, struct tally *t)
{
	char text[RECOVERY_TEXT_LEN + 1];
	uint8_t got[RECOVERY_KEY_LEN];
	struct recovery_fault fault;
	const uint8_t *key;
	const char *want;
	yyjson_val *o;
	size_t i, max;

	yyjson_arr_foreach(yyjson_obj_get(f->root, "keys"), i, max, o) {
		if (!nightjar_get_n(f, o, "key", 32, t, &key))
			return;
		if (!field_str(o, "text", &want)) {
			tally_fail(t, "text", "missing");
			return;
		}
		tally_err(t, "text", recovery_text(f->provider, key, text),
		    OK);
		nightjar_same(t, "text", "text", span_str(text),
		    span_str(want));
		tally_err(t, "parse", recovery_parse(f->provider,
		    span_str(want), got, &fault), OK);
		nightjar_same(t, "parse", "key", SPAN_OF(got),
		    span_of(key, 32));
	}
}

/* ---- backup.json, backup-wrap.json ---- */

static bool
get_secrets(const struct vector_file *f, struct backup_secrets *s,
    struct tally *t)
{
	struct composite_pub pub;
	const uint8_t *secret = need(f, "secret", 32, t);
	const uint8_t *list = need(f, "list_hash", 32, t);
	const uint8_t *key = need(f, "archive_key", 32, t);
	const uint8_t *digest = need(f, "archive_digest", 32, t);
	const char *name = "";

	*s = (struct backup_secrets){ .position = number(f, "position"),
	    .has_archive = true, .records = number(f, "records"),
	    .archive_chunks = (uint32_t)number(f, "archive_chunks") };
	if (secret == NULL || list == NULL || key == NULL || digest == NULL ||
	    !get_key(f, "aik_seed", &s->aik_priv, &pub, t) ||
	    !get_id(f, "archive_id", s->archive.b, t) ||
	    !field_str(f->root, "user_name", &name))
		return false;
	memcpy(s->secret, secret, 32);
	memcpy(s->list_hash, list, 32);
	memcpy(s->archive_key.b, key, 32);
	memcpy(s->archive_digest, digest, 32);
	s->user_name = span_str(name);
	return true;
}

static bool
make_wraps(const struct vector_file *f, const struct provider *p,
    const struct user_id *me, const struct backup_key *bk, struct backup *b,
    struct tally *t)
{
	const uint8_t *recovery = need(f, "recovery_key", 32, t);
	struct backup_stretched s;
	const char *words = "";

	if (recovery == NULL || !field_str(f->root, "passphrase", &words))
		return false;
	b->wraps_n = 2;
	memcpy(s.b, recovery, 32);
	tally_err(t, "wrap 1", backup_wrap_begin(p, BACKUP_RECOVERY_KEY,
	    &b->wraps[0]), OK);
	tally_err(t, "wrap 1", backup_wrap_seal(p, me, &s, bk, &b->wraps[0]),
	    OK);
	tally_err(t, "wrap 2", backup_wrap_begin(p, BACKUP_PASSPHRASE,
	    &b->wraps[1]), OK);
	b->wraps[1].m_kib = (uint32_t)number(f, "m_kib");
	tally_err(t, "stretch", backup_stretch(p, &b->wraps[1],
	    span_str(words), &s), OK);
	same_member(f, "stretched", SPAN_OF(s.b), t);
	tally_err(t, "wrap 2", backup_wrap_seal(p, me, &s, bk, &b->wraps[1]),
	    OK);
	return true;
}

static void
run_backup(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct user_id me;
	struct backup_key bk;
	struct backup b = { .head = { number(f, "number"),
	    number(f, "made_ms"), number(f, "list_version") } }, got;
	struct backup_secrets s, s_got;
	const uint8_t *key = need(f, "backup_key", 32, t);
	uint8_t *mem = arena_bytes(f->arena, BACKUP_LEN_MAX);
	uint8_t plain[BACKUP_SEALED_MAX];
	struct wr w = wr_init(mem, mem == NULL ? 0 : BACKUP_LEN_MAX);

	if (key == NULL || !with_random(f, f->root, &named, &p, t) ||
	    !get_id(f, "account_id", me.b, t) || !get_secrets(f, &s, t))
		return;
	memcpy(bk.b, key, sizeof(bk.b));
	if (!make_wraps(f, &p, &me, &bk, &b, t))
		return;
	tally_err(t, "seal", backup_seal(&p, &me, &bk, &b, &s, &w), OK);
	same_member(f, "backup", wr_done(&w), t);
	tally_err(t, "open", backup_open(&p, &me, &bk, wr_done(&w), plain,
	    &got, &s_got), OK);
	nightjar_same(t, "open", "secret", SPAN_OF(s_got.secret),
	    SPAN_OF(s.secret));
	all_drawn(&named, t);
}

static void
run_wrap(const struct vector_file *f, struct tally *t)
{
	struct provider p;
	struct named named;
	struct user_id me;
	struct backup_key bk, got;
	struct backup_wrap k, again;
	struct backup_stretched s;
	uint8_t mem[BACKUP_WRAP_LEN];
	struct wr w = wr_init(mem, sizeof(mem));
	struct span wrap, nonce;
	const uint8_t *key = need(f, "backup_key", 32, t);
	const char *words = "";

	if (key == NULL || !get_id(f, "account_id", me.b, t) ||
	    !nightjar_get(f, f->root, "wrap", t, &wrap) ||
	    !nightjar_get(f, f->root, "nonce", t, &nonce) ||
	    !field_str(f->root, "passphrase_utf8", &words))
		return;
	memcpy(bk.b, key, sizeof(bk.b));
	tally_err(t, "decode", backup_wrap_decode(wrap, &k), OK);
	tally_err(t, "stretch", backup_stretch(f->provider, &k,
	    span_str(words), &s), OK);
	tally_err(t, "open", backup_wrap_open(f->provider, &me, &s, &k, &got),
	    OK);
	nightjar_same(t, "open", "backup key", SPAN_OF(got.b), SPAN_OF(bk.b));
	again = k;
	named_queue(&named, f->provider, nonce, &p);
	tally_err(t, "seal", backup_wrap_seal(&p, &me, &s, &bk, &again), OK);
	tally_err(t, "seal", backup_wrap_encode(&again, &w), OK);
	nightjar_same(t, "seal", "wrap", wr_done(&w), wrap);
}

/* ---- settings.json, attachment.json ---- */

static void
run_settings(const struct vector_file *f, struct tally *t)
{
	const uint8_t *secret = need(f, "secret", 32, t);
	uint8_t *mem = arena_bytes(f->arena, SETTINGS_SEALED_MAX);
	uint8_t *plain = arena_bytes(f->arena, SETTINGS_SEALED_MAX);
	struct provider p;
	struct named named;
	struct user_id me;
	const char *text = "";
	uint64_t version;
	yyjson_val *o;
	size_t i, max;

	if (secret == NULL || mem == NULL || plain == NULL ||
	    !get_id(f, "account_id", me.b, t))
		return;
	yyjson_arr_foreach(yyjson_obj_get(f->root, "cases"), i, max, o) {
		struct wr w = wr_init(mem, SETTINGS_SEALED_MAX);
		struct span want, got;

		if (!field_u64(o, "version", &version) ||
		    !field_str(o, "plain", &text) ||
		    !nightjar_get(f, o, "sealed", t, &want) ||
		    !with_random(f, o, &named, &p, t)) {
			tally_fail(t, "cases", "malformed");
			return;
		}
		tally_err(t, "seal", settings_seal(&p, secret, &me, version,
		    span_str(text), &w), OK);
		nightjar_same(t, "seal", "settings", wr_done(&w), want);
		tally_err(t, "open", settings_open(&p, secret, &me, version,
		    want, plain, &got), OK);
		nightjar_same(t, "open", "settings", got, span_str(text));
		all_drawn(&named, t);
	}
}

static void
run_attachment(const struct vector_file *f, struct tally *t)
{
	const uint8_t *key = need(f, "key", 32, t);
	uint64_t n = number(f, "plain_len"), padded = attach_padded(n);
	uint8_t *plain = arena_bytes(f->arena, ATTACH_CHUNK_LEN);
	uint8_t *again = arena_bytes(f->arena, ATTACH_SEALED_MAX);
	uint8_t hash[SHA256_LEN];
	struct attach a;
	struct span blob, sealed;

	if (key == NULL || plain == NULL || again == NULL ||
	    !nightjar_get(f, f->root, "blob", t, &blob))
		return;
	tally_err(t, "keys", attach_init(&a, f->provider, key), OK);
	same_member(f, "enc_key", SPAN_OF(a.ek), t);
	same_member(f, "nonce_prefix", SPAN_OF(a.np), t);
	same_member(f, "commit", SPAN_OF(a.commit), t);
	if (padded != number(f, "padded_len") || blob.n != attach_blob(padded)
	    || attach_chunks(padded) != 1) {
		tally_fail(t, "sizes", "others");
		return;
	}
	tally_err(t, "commit", attach_check_commit(&a, blob.p), OK);
	sealed = span_sub(blob, SHA256_LEN, blob.n);
	tally_err(t, "open", attach_open(&a, padded, 0, sealed, plain), OK);
	tally_err(t, "hash", hash_sha256(f->provider, span_of(plain,
	    (size_t)n), hash), OK);
	same_member(f, "plain_sha256", SPAN_OF(hash), t);
	tally_err(t, "seal", attach_seal(&a, padded, 0, span_of(plain,
	    (size_t)padded), again), OK);
	nightjar_same(t, "seal", "chunk", span_of(again, sealed.n), sealed);
	attach_wipe(&a);
}

/* ---- which is which ---- */

static const struct {
	const char *format;	/* of tests/model; or NULL */
	const char *member;	/* what only this file has */
	void (*run)(const struct vector_file *, struct tally *);
} kinds[] = {
	{ "archive", NULL, run_archive }, { "backup", NULL, run_backup },
	{ "linking", NULL, run_linking }, { "recovery", NULL, run_recovery },
	{ "rotation", NULL, run_rotation },
	{ "settings", NULL, run_settings },
	{ "verification", NULL, run_verification },
	{ NULL, "nonce_prefix", run_attachment },
	{ NULL, "passphrase_utf8", run_wrap },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static size_t
kind_of(const struct vector_file *f)
{
	const char *format = "";
	bool ours = field_str(f->root, "format", &format) &&
	    strncmp(format, FORMAT, sizeof(FORMAT) - 1) == 0;
	size_t i = 0;

	for (; i < N_KINDS; i++) {
		if (kinds[i].format != NULL && ours &&
		    strcmp(kinds[i].format, format + sizeof(FORMAT) - 1) == 0)
			break;
		if (kinds[i].member != NULL && !ours &&
		    yyjson_obj_get(f->root, kinds[i].member) != NULL)
			break;
	}
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

const struct vector_schema nightjar_formats_schema = {
	"nightjar formats", recognise, run
};
