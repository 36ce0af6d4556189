/*
 * nightjar_session.c: known answers of a whole session: set-up from both
 * sides, then hundreds of messages with losses, reordering, repeated keys and
 * an asked rekey. Everything random in them has a name; a queue of named
 * randomness serves it in the order in which the core asks.
 */
#include "core/handshake.h"
#include "crypto/hash.h"
#include "crypto/named.h"
#include "vectors/nightjar_private.h"

#define RANDOM_MAX 256

struct side {
	struct address who;
	uint8_t aik_hash[SHA256_LEN], cert_hash[SHA256_LEN];
	const uint8_t *ikx, *ikk, *spk, *kem, *otp;
	struct session *s;
};

struct replay {
	const struct vector_file *f;
	struct tally *t;
	struct side i, r;
	uint64_t now_ms;
	yyjson_val *sent[256];		/* encrypt events by id */
};

/* A provider whose randomness is what an event names, in its order. */
static bool
named_random(const struct vector_file *f, yyjson_val *arr, struct named *n,
    uint8_t mem[static RANDOM_MAX], struct provider *out)
{
	struct wr w = wr_init(mem, RANDOM_MAX);
	size_t i, max;
	yyjson_val *v;
	struct span hex;

	yyjson_arr_foreach(arr, i, max, v) {
		if (!field_hex(f, v, "hex", &hex))
			return false;
		wr_span(&w, hex);
	}
	named_queue(n, f->provider, wr_done(&w), out);
	return wr_ok(&w);
}

static bool
read_id(struct replay *p, const char *side, struct side *s)
{
	yyjson_val *o = yyjson_obj_get(p->f->root, side);
	const uint8_t *id;
	struct rd r;

	if (!nightjar_get_n(p->f, o, "id", HANDSHAKE_ID_LEN, p->t, &id) ||
	    !nightjar_get_n(p->f, o, "ikx_priv", 32, p->t, &s->ikx))
		return false;
	r = rd_init(span_of(id, HANDSHAKE_ID_LEN));
	rd_bytes(&r, s->who.account.b, ID_LEN);
	rd_bytes(&r, s->aik_hash, SHA256_LEN);
	s->who.device = rd_u32(&r);
	rd_bytes(&r, s->cert_hash, SHA256_LEN);
	s->s = ARENA_NEW(p->f->arena, struct session);
	return s->s != NULL;
}

static bool
read_sides(struct replay *p)
{
	yyjson_val *i = yyjson_obj_get(p->f->root, "initiator");
	yyjson_val *r = yyjson_obj_get(p->f->root, "responder");

	return read_id(p, "initiator", &p->i) && read_id(p, "responder",
	    &p->r) && nightjar_get_n(p->f, i, "ikk_seed", 64, p->t,
	    &p->i.ikk) &&
	    nightjar_get_n(p->f, r, "spk_priv", 32, p->t, &p->r.spk) &&
	    nightjar_get_n(p->f, r, "kem_seed", 64, p->t, &p->r.kem) &&
	    nightjar_get_n(p->f, r, "otp_x25519_priv", 32, p->t, &p->r.otp) &&
	    field_u64(p->f->root, "created_ms", &p->now_ms);
}

static bool
make_bundle(struct replay *p, struct bundle *b)
{
	const struct provider *pr = p->f->provider;
	struct span spk, kem, header;
	enum err e;

	if (!nightjar_get(p->f, p->f->root, "leaf_spk", p->t, &spk) ||
	    !nightjar_get(p->f, p->f->root, "leaf_kem", p->t, &kem) ||
	    !nightjar_get(p->f, p->f->root, "batch_header", p->t, &header) ||
	    spk.n != LEAF_SPK_LEN || kem.n > LEAF_LEN_MAX)
		return false;
	b->cert.account = p->r.who.account;
	b->cert.device = p->r.who.device;
	memcpy(b->cert.aik_hash, p->r.aik_hash, SHA256_LEN);
	memcpy(b->cert_hash, p->r.cert_hash, SHA256_LEN);
	memcpy(b->spk_bytes, spk.p, spk.n);
	memcpy(b->kem_bytes, kem.p, kem.n);
	b->kem_n = kem.n;
	b->batch.id = 1;
	e = pr->x25519_pub(pr->ctx, p->r.ikx, b->cert.ikx);
	if (e == OK)
		e = hash_tuple1(pr, "NJ1 batch", header, b->batch_hash);
	if (e == OK)
		e = batch_leaf_decode(spk, &b->spk);
	if (e == OK)
		e = batch_leaf_decode(kem, &b->kem);
	tally_err(p->t, "bundle", e, OK);
	return e == OK;
}

/* The initiator's side: EK and ct0 from named randomness. */
static bool
run_initiate(struct replay *p, struct bundle *b)
{
	yyjson_val *o = yyjson_obj_get(p->f->root, "initiator");
	struct identity *id = ARENA_NEW(p->f->arena, struct identity);
	uint8_t mem[RANDOM_MAX];
	struct wr w = wr_init(mem, sizeof(mem));
	struct provider pr;
	struct named n;
	struct span ek, m, ct0;
	enum err e;

	if (id == NULL || !nightjar_get(p->f, o, "ek_priv", p->t, &ek) ||
	    !nightjar_get(p->f, o, "kem_m", p->t, &m) ||
	    !nightjar_get(p->f, p->f->root, "ct0", p->t, &ct0))
		return false;
	wr_span(&w, ek);
	wr_span(&w, m);
	named_queue(&n, p->f->provider, wr_done(&w), &pr);
	id->me = p->i.who;
	memcpy(id->aik_hash, p->i.aik_hash, SHA256_LEN);
	memcpy(id->keys.cert_hash, p->i.cert_hash, SHA256_LEN);
	memcpy(id->keys.ikx_priv, p->i.ikx, X25519_LEN);
	memcpy(id->keys.ikk_seed, p->i.ikk, MLKEM_SEED_LEN);
	e = handshake_initiate(&pr, id, b, p->now_ms, p->now_ms, p->i.s);
	tally_err(p->t, "initiate", e, OK);
	nightjar_same(p->t, "initiate", "ct0", SPAN_OF(p->i.s->m.setup.ct),
	    ct0);
	return e == OK;
}

static bool
run_accept(struct replay *p, const struct bundle *b)
{
	const struct provider *real = p->f->provider;
	struct device_keys *keys = ARENA_NEW(p->f->arena, struct device_keys);
	struct cert *peer = ARENA_NEW(p->f->arena, struct cert);
	struct prekey_batch batch = { .id = 1 };
	struct prekey_otp otp;
	struct prekey_msg m = { .from = p->i.who, .created_ms = p->now_ms,
	    .setup = p->i.s->m.setup };
	uint8_t mem[RANDOM_MAX];
	struct provider pr;
	struct named n;
	enum err e;

	if (keys == NULL || peer == NULL || !named_random(p->f,
	    yyjson_obj_get(p->f->root, "accept_random"), &n, mem, &pr))
		return false;
	memcpy(m.cert_hash, p->i.cert_hash, SHA256_LEN);
	memcpy(keys->ikx_priv, p->r.ikx, X25519_LEN);
	memcpy(keys->cert_hash, p->r.cert_hash, SHA256_LEN);
	memcpy(batch.hash, b->batch_hash, SHA256_LEN);
	memcpy(batch.spk_priv, p->r.spk, X25519_LEN);
	memcpy(otp.x25519_priv, p->r.otp, X25519_LEN);
	memcpy(otp.kem_seed, p->r.kem, MLKEM_SEED_LEN);
	memcpy(peer->aik_hash, p->i.aik_hash, SHA256_LEN);
	e = real->x25519_pub(real->ctx, p->r.spk, batch.spk_pub);
	if (e == OK)
		e = real->x25519_pub(real->ctx, p->i.ikx, peer->ikx);
	if (e == OK)
		e = real->mlkem_pub(real->ctx, p->i.ikk, peer->ikk);
	if (e == OK)
		e = handshake_accept(&pr, &p->r.who, keys, p->r.aik_hash,
		    &batch, &otp, &m, peer, p->now_ms, p->r.s);
	tally_err(p->t, "accept", e, OK);
	return e == OK && named_left(&n) == 0;
}

/* T, RK0, SEAL and SID, on this side. */
static void
check_derived(struct replay *p, const struct session *s)
{
	yyjson_val *o = p->f->root;
	struct span want;

	if (nightjar_get(p->f, o, "T", p->t, &want))
		nightjar_same(p->t, "setup", "transcript",
		    SPAN_OF(s->ratchet.t), want);
	if (nightjar_get(p->f, o, "RK0", p->t, &want))
		nightjar_same(p->t, "setup", "root key",
		    SPAN_OF(s->ratchet.h.rk),
		    want);
	if (nightjar_get(p->f, o, "SEAL", p->t, &want))
		nightjar_same(p->t, "setup", "sealing key", SPAN_OF(s->m.seal),
		    want);
	if (nightjar_get(p->f, o, "SID", p->t, &want))
		nightjar_same(p->t, "setup", "session id", SPAN_OF(s->m.sid.b),
		    want);
}

static void
check_state(struct replay *p, const char *id, yyjson_val *ev,
    const struct session *s)
{
	static const char *const names[] = { "IDLE", "EK", "READY", "CT" };
	const struct pqm *q = &s->ratchet.h.pq;
	const char *state = "";
	uint64_t epoch = 0;

	if (field_str(ev, "pq_state_after", &state) &&
	    field_u64(ev, "pq_epoch_after", &epoch) && q->epoch == epoch &&
	    strcmp(names[q->state], state) == 0)
		tally_pass(p->t);
	else
		tally_fail(p->t, id, "epoch %u in state %s, not %u in %s",
		    (unsigned)q->epoch, names[q->state], (unsigned)epoch,
		    state);
}

static void
run_encrypt(struct replay *p, const char *id, yyjson_val *ev, struct side *s)
{
	uint8_t mem[RANDOM_MAX], out[2048];
	struct wr w = wr_init(out, sizeof(out));
	struct span plain, want;
	struct provider pr;
	struct named n;

	if (!nightjar_get(p->f, ev, "plaintext", p->t, &plain) ||
	    !nightjar_get(p->f, ev, "message", p->t, &want) ||
	    !named_random(p->f, yyjson_obj_get(ev, "random"), &n, mem, &pr))
		return;
	tally_err(p->t, id, ratchet_seal(&pr, &s->s->ratchet, plain, p->now_ms,
	    &w), OK);
	nightjar_same(p->t, id, "message", wr_done(&w), want);
	if (named_left(&n) != 0)
		tally_fail(p->t, id, "randomness is left");
	check_state(p, id, ev, s->s);
}

static void
run_decrypt(struct replay *p, const char *id, yyjson_val *ev,
    yyjson_val *sent, struct side *s)
{
	uint8_t mem[RANDOM_MAX], out[2048];
	struct span plain, msg, content = { 0 };
	struct ratchet_info info = { 0 };
	struct provider pr;
	struct named n;
	uint64_t f = 0;

	if (!nightjar_get(p->f, ev, "plaintext", p->t, &plain) ||
	    !nightjar_get(p->f, sent, "message", p->t, &msg) ||
	    !field_u64(sent, "f", &f) || msg.n > sizeof(out) ||
	    !named_random(p->f, yyjson_obj_get(ev, "random"), &n, mem, &pr))
		return;
	tally_err(p->t, id, ratchet_open(&pr, &s->s->ratchet, msg, p->now_ms,
	    out, &content, &info), OK);
	nightjar_same(p->t, id, "plaintext", content, plain);
	if (named_left(&n) != 0 || (uint64_t)info.flag != f || info.spoiled)
		tally_fail(p->t, id, "randomness is left, or another flag");
	check_state(p, id, ev, s->s);
}

static void
run_event(struct replay *p, yyjson_val *ev)
{
	const char *op = "", *who = "";
	char id[24];
	uint64_t n = 0;
	struct side *s;

	(void)field_str(ev, "who", &who);
	(void)field_u64(ev, "id", &n);
	s = strcmp(who, "I") == 0 ? &p->i : &p->r;
	if (!field_str(ev, "op", &op) || n >= sizeof(p->sent) /
	    sizeof(p->sent[0])) {
		tally_fail(p->t, "events", "malformed");
		return;
	}
	(void)snprintf(id, sizeof(id), "%s %u", op, (unsigned)n);
	if (strcmp(op, "encrypt") == 0) {
		p->sent[n] = ev;
		run_encrypt(p, id, ev, s);
	} else if (strcmp(op, "decrypt") == 0) {
		run_decrypt(p, id, ev, p->sent[n], s);
	} else if (strcmp(op, "rekey") == 0) {
		pqm_rekey(&s->s->ratchet.h.pq);
	} else if (strcmp(op, "lost") != 0) {
		tally_fail(p->t, id, "an unknown event");
	}
}

void
nightjar_session_run(const struct vector_file *f, struct tally *t)
{
	struct replay p = { .f = f, .t = t };
	struct bundle *b = ARENA_NEW(f->arena, struct bundle);
	yyjson_val *v;
	size_t i, max;

	if (b == NULL || !read_sides(&p) || !make_bundle(&p, b) ||
	    !run_initiate(&p, b) || !run_accept(&p, b)) {
		tally_fail(t, "setup", "could not be run");
		return;
	}
	check_derived(&p, p.i.s);
	check_derived(&p, p.r.s);
	yyjson_arr_foreach(yyjson_obj_get(f->root, "events"), i, max, v)
		run_event(&p, v);
}
