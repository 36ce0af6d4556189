/*
 * identity.c: this device and its account, see identity.h.
 */
#include "core/identity_private.h"

#include "base/tlv.h"
#include "core/peer.h"
#include "core/sessions.h"
#include "crypto/hash.h"

enum {
	TAG_ME = 2, TAG_AIK = 4, TAG_AIK_PRIV = 6, TAG_CERT_HASH = 8,
	TAG_STATE = 10, TAG_NEXT_CERT = 12, TAG_NEXT_AIK = 14,
	TAG_PREV_AIK = 16
};

enum { TAG_DSK = 2, TAG_IKX = 4, TAG_IKK = 6, TAG_REPLACED = 8,
	TAG_CERT = 10 };

#define STATE_LEN (4 + 8 + 8 + 8)
#define ACCOUNT_LEN_MAX (ADDRESS_LEN + COMPOSITE_PUB_LEN + \
	COMPOSITE_PRIV_LEN + 32 + STATE_LEN + 32 + 2 * COMPOSITE_PRIV_LEN + 8 * 5)
#define DEVICE_LEN_MAX (COMPOSITE_PRIV_LEN + 32 + 64 + 8 + CERT_LEN_MAX + 5 * 5)

void
identity_wipe_keys(struct device_keys *k)
{
	wipe(k, sizeof(*k));
}

void
identity_wipe(struct identity *id)
{
	wipe(id, sizeof(*id));
}

enum err
identity_save(struct core *c, const struct identity *id)
{
	uint8_t rec[ACCOUNT_LEN_MAX], tmp[STATE_LEN];
	struct wr w = wr_init(rec, sizeof(rec));
	struct wr t = wr_init(tmp, sizeof(tmp));
	enum err e;

	wr_bytes(&t, id->me.account.b, ID_LEN);
	wr_u32(&t, id->me.device);
	tlv_put(&w, TAG_ME, wr_done(&t));
	tlv_put(&w, TAG_AIK, SPAN_OF(id->aik));
	if (id->is_manager)
		tlv_put(&w, TAG_AIK_PRIV, SPAN_OF(id->aik_priv.b));
	tlv_put(&w, TAG_CERT_HASH, SPAN_OF(id->keys.cert_hash));
	t = wr_init(tmp, sizeof(tmp));
	wr_u32(&t, id->batch_last);
	wr_u64(&t, id->batch_ms);
	wr_u64(&t, id->stale_below);
	wr_u64(&t, id->created_ms);
	tlv_put(&w, TAG_STATE, wr_done(&t));
	if (id->has_next_cert)
		tlv_put(&w, TAG_NEXT_CERT, SPAN_OF(id->next_cert_hash));
	if (id->has_next_aik)
		tlv_put(&w, TAG_NEXT_AIK, SPAN_OF(id->next_aik.b));
	if (id->has_prev_aik)
		tlv_put(&w, TAG_PREV_AIK, SPAN_OF(id->prev_aik.b));
	e = !wr_ok(&w) ? ERR_INTERNAL : c->store->put(c->store->ctx,
	    RECORD_ACCOUNT, (struct span){ 0 }, wr_done(&w),
	    c->store->generation);
	wipe(rec, sizeof(rec));
	return e;
}

static enum err
get_account_field(uint32_t tag, struct span v, struct identity *id)
{
	struct rd r = rd_init(v);

	switch (tag) {
	case TAG_ME:
		rd_bytes(&r, id->me.account.b, ID_LEN);
		id->me.device = rd_u32(&r);
		break;
	case TAG_AIK:
		rd_bytes(&r, id->aik, sizeof(id->aik));
		break;
	case TAG_AIK_PRIV:
		rd_bytes(&r, id->aik_priv.b, sizeof(id->aik_priv.b));
		id->is_manager = true;
		break;
	case TAG_CERT_HASH:
		rd_bytes(&r, id->keys.cert_hash, SHA256_LEN);
		break;
	case TAG_STATE:
		id->batch_last = rd_u32(&r);
		id->batch_ms = rd_u64(&r);
		id->stale_below = rd_u64(&r);
		id->created_ms = rd_u64(&r);
		break;
	case TAG_NEXT_CERT:
		rd_bytes(&r, id->next_cert_hash, SHA256_LEN);
		id->has_next_cert = true;
		break;
	case TAG_NEXT_AIK:
		rd_bytes(&r, id->next_aik.b, sizeof(id->next_aik.b));
		id->has_next_aik = true;
		break;
	case TAG_PREV_AIK:
		rd_bytes(&r, id->prev_aik.b, sizeof(id->prev_aik.b));
		id->has_prev_aik = true;
		break;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
get_account(struct span record, struct identity *id)
{
	struct tlv t = tlv_init(record);
	struct span v;
	uint32_t tag;

	while (tlv_next(&t, &tag, &v))
		TRY(get_account_field(tag, v, id));
	TRY(tlv_end(&t));
	return id->me.device != 0 ? OK : ERR_FORMAT;
}

static enum err
get_device_field(uint32_t tag, struct span v, struct device_keys *k)
{
	struct rd r = rd_init(v);

	switch (tag) {
	case TAG_DSK:
		rd_bytes(&r, k->dsk.b, sizeof(k->dsk.b));
		break;
	case TAG_IKX:
		rd_bytes(&r, k->ikx_priv, sizeof(k->ikx_priv));
		break;
	case TAG_IKK:
		rd_bytes(&r, k->ikk_seed, sizeof(k->ikk_seed));
		break;
	case TAG_REPLACED:
		k->replaced_ms = rd_u64(&r);
		break;
	case TAG_CERT:
		if (v.n > CERT_LEN_MAX)
			return ERR_FORMAT;
		k->cert_n = (uint32_t)v.n;
		rd_bytes(&r, k->cert, v.n);
		break;
	default:
		return tlv_unknown(tag);
	}
	return rd_done(&r) ? OK : ERR_FORMAT;
}

static enum err
get_device(struct span record, struct device_keys *k)
{
	struct tlv t = tlv_init(record);
	struct span v;
	uint32_t tag;

	while (tlv_next(&t, &tag, &v))
		TRY(get_device_field(tag, v, k));
	TRY(tlv_end(&t));
	return k->cert_n != 0 ? OK : ERR_FORMAT;
}

enum err
identity_put_keys(struct core *c, const struct device_keys *k)
{
	uint8_t rec[DEVICE_LEN_MAX];
	struct wr w = wr_init(rec, sizeof(rec));
	enum err e;

	tlv_put(&w, TAG_DSK, SPAN_OF(k->dsk.b));
	tlv_put(&w, TAG_IKX, SPAN_OF(k->ikx_priv));
	tlv_put(&w, TAG_IKK, SPAN_OF(k->ikk_seed));
	tlv_put_u64(&w, TAG_REPLACED, k->replaced_ms);
	tlv_put(&w, TAG_CERT, span_of(k->cert, k->cert_n));
	e = !wr_ok(&w) ? ERR_INTERNAL : c->store->put(c->store->ctx,
	    RECORD_DEVICE, SPAN_OF(k->cert_hash), wr_done(&w),
	    c->store->generation);
	wipe(rec, sizeof(rec));
	return e;
}

enum err
identity_load_keys(struct core *c, const uint8_t cert_hash[static SHA256_LEN],
    struct device_keys *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	enum err e;

	memset(out, 0, sizeof(*out));
	memcpy(out->cert_hash, cert_hash, SHA256_LEN);
	e = c->store->get(c->store->ctx, RECORD_DEVICE,
	    span_of(cert_hash, SHA256_LEN), c->arena, &v);
	if (e == OK)
		e = get_device(v, out);
	store_scratch_end(c->arena, m);
	if (e != OK)
		identity_wipe_keys(out);
	return e;
}

static enum err
load_list_state(struct core *c, struct identity *id)
{
	struct peer own;
	enum err e = peer_load(c, &id->me.account, &own);

	/* While the very first list is being made there is none. */
	if (e == ERR_NOT_FOUND)
		return OK;
	if (e == OK) {
		id->list_version = own.list.version;
		memcpy(id->list_hash, own.list_hash, SHA256_LEN);
	}
	return e;
}

enum err
identity_load(struct core *c, struct identity *out)
{
	struct arena_mark m = arena_mark(c->arena);
	uint8_t hash[SHA256_LEN];
	struct span v;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = c->store->get(c->store->ctx, RECORD_ACCOUNT, (struct span){ 0 },
	    c->arena, &v);
	if (e == OK)
		e = get_account(v, out);
	store_scratch_end(c->arena, m);
	if (e == OK)
		e = cert_aik_hash(c->p, out->aik, out->aik_hash);
	if (e == OK) {
		memcpy(hash, out->keys.cert_hash, sizeof(hash));
		e = identity_load_keys(c, hash, &out->keys);
	}
	if (e == OK)
		e = load_list_state(c, out);
	if (e != OK)
		identity_wipe(out);
	return e;
}

enum err
identity_make_keys(struct core *c, const struct address *me,
    const uint8_t aik_hash[static SHA256_LEN], uint8_t flags,
    struct device_keys *k)
{
	const struct provider *p = c->p;
	struct composite_pub dsk;
	struct cert cert = { .account = me->account, .device = me->device,
	    .created_ms = c->now_ms, .flags = flags, .suites_n = 1,
	    .suites = { SUITE_RATCHET }, .vmin = 1, .vmax = 1 };
	struct wr w;

	identity_wipe_keys(k);
	memcpy(cert.aik_hash, aik_hash, SHA256_LEN);
	TRY(composite_generate(p, &k->dsk));
	TRY(composite_make_pub(p, &k->dsk, &dsk));
	memcpy(cert.dsk, dsk.b, sizeof(cert.dsk));
	TRY(p->random(p->ctx, k->ikx_priv, sizeof(k->ikx_priv)));
	TRY(p->x25519_pub(p->ctx, k->ikx_priv, cert.ikx));
	TRY(p->random(p->ctx, k->ikk_seed, sizeof(k->ikk_seed)));
	TRY(p->mlkem_pub(p->ctx, k->ikk_seed, cert.ikk));
	w = wr_init(k->cert, sizeof(k->cert));
	TRY(cert_encode(&cert, &w));
	k->cert_n = (uint32_t)w.n;
	TRY(cert_hash(p, wr_done(&w), k->cert_hash));
	return identity_put_keys(c, k);
}

/* They become the present ones. */
static enum err
make_keys(struct core *c, struct identity *id, uint8_t flags)
{
	TRY(identity_make_keys(c, &id->me, id->aik_hash, flags, &id->keys));
	return identity_save(c, id);
}

/* Version, times and prev_hash of the list that follows the known one. */
static enum err
next_list(struct core *c, const struct identity *id, struct devlist *l)
{
	struct peer own;
	enum err e = peer_load(c, &id->me.account, &own);

	l->account = id->me.account;
	memcpy(l->aik, id->aik, sizeof(l->aik));
	l->version = 1;
	l->issued_ms = c->now_ms;
	l->expires_ms = c->now_ms + IDENTITY_LIST_LIFE_MS;
	if (e == OK) {
		l->version = own.list.version + 1;
		memcpy(l->prev_hash, own.list_hash, SHA256_LEN);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
identity_sign_as(struct core *c, struct identity *id,
    const struct devlist_entry *entries, uint8_t n, uint32_t next_id,
    enum identity_way way, struct span *list_out)
{
	struct devlist l = { .next_id = next_id, .n = n };
	struct peer_news news;
	struct wr w;
	uint8_t *mem;

	if (!id->is_manager)
		return ERR_FORBIDDEN;
	if (n == 0 || n > DEVLIST_DEVICES_MAX)
		return ERR_ARG;
	memcpy(l.entries, entries, n * sizeof(entries[0]));
	TRY(next_list(c, id, &l));
	mem = arena_bytes(c->arena, DEVLIST_LEN_MAX);
	if (mem == NULL)
		return ERR_TOO_LARGE;
	w = wr_init(mem, DEVLIST_LEN_MAX);
	TRY(devlist_sign(c->p, &id->aik_priv, &l, &w));
	/* The way of every list: checked as a stranger would, then kept. */
	if (way == IDENTITY_ANEW)
		TRY(peer_accept_identity(c, &id->me.account, wr_done(&w),
		    &news));
	else if (way == IDENTITY_RENEWED)
		TRY(peer_accept_renewed(c, &id->me.account, wr_done(&w),
		    &news));
	else
		TRY(peer_accept_list(c, &id->me.account, wr_done(&w), &news));
	id->list_version = l.version;
	TRY(devlist_hash(c->p, wr_done(&w), id->list_hash));
	*list_out = wr_done(&w);
	return OK;
}

enum err
identity_sign_list(struct core *c, struct identity *id,
    const struct devlist_entry *entries, uint8_t n, uint32_t next_id,
    struct span *list_out)
{
	return identity_sign_as(c, id, entries, n, next_id, IDENTITY_SAME,
	    list_out);
}

/* The first device of a new account key; anew: in place of another one. */
static enum err
create(struct core *c, const struct address *me, uint8_t flags, bool anew,
    struct span *list_out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct identity id = { .me = *me, .is_manager = true,
	    .created_ms = c->now_ms };
	struct composite_pub aik;
	struct devlist_entry entry = { .device = me->device,
	    .flags = (uint8_t)(flags | DEVICE_PRIMARY | DEVICE_MANAGER) };
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_ACCOUNT,
	    (struct span){ 0 }, c->arena, &v);

	store_scratch_end(c->arena, m);
	if (e != ERR_NOT_FOUND)
		return e == OK ? ERR_CONFLICT : e;
	e = composite_generate(c->p, &id.aik_priv);
	if (e == OK)
		e = composite_make_pub(c->p, &id.aik_priv, &aik);
	if (e == OK) {
		memcpy(id.aik, aik.b, sizeof(id.aik));
		e = cert_aik_hash(c->p, id.aik, id.aik_hash);
	}
	if (e == OK)
		e = make_keys(c, &id, entry.flags);
	if (e == OK) {
		memcpy(entry.cert_hash, id.keys.cert_hash, SHA256_LEN);
		e = identity_sign_as(c, &id, &entry, 1, me->device + 1,
		    anew ? IDENTITY_ANEW : IDENTITY_SAME, list_out);
	}
	identity_wipe(&id);
	return e;
}

enum err
identity_create(struct core *c, const struct user_id *account, uint8_t flags,
    struct span *list_out)
{
	struct address me = { *account, 1 };

	return create(c, &me, flags, false, list_out);
}

enum err
identity_start_over(struct core *c, const struct user_id *account,
    uint8_t flags, struct span old_list, struct span *list_out)
{
	struct address me = { *account, 1 };
	struct peer_news news;
	struct devlist old;
	enum err e;

	TRY(devlist_verify(c->p, old_list, account, &old));
	e = peer_accept_list(c, account, old_list, &news);
	/* Whatever its date: only its numbers are gone on from. */
	if (e == ERR_IDENTITY_CHANGED || e == ERR_EXPIRED)
		e = peer_accept_identity(c, account, old_list, &news);
	TRY(e);
	me.device = old.next_id;	/* no number is given twice */
	return create(c, &me, flags, true, list_out);
}

/*
 * This device's entry, where it names another certificate than the present
 * one: the list that did was refused by the server.
 */
static enum err
mend_entry(struct core *c, const struct identity *id, struct devlist *l,
    struct span *cert_out)
{
	for (uint8_t i = 0; i < l->n; i++) {
		struct devlist_entry *e = &l->entries[i];

		if (e->device != id->me.device || memcmp(e->cert_hash,
		    id->keys.cert_hash, SHA256_LEN) == 0)
			continue;
		memcpy(e->cert_hash, id->keys.cert_hash, SHA256_LEN);
		return arena_dup(c->arena, span_of(id->keys.cert,
		    id->keys.cert_n), cert_out);
	}
	return OK;
}

enum err
identity_resign_list(struct core *c, struct span *cert_out,
    struct span *list_out)
{
	struct identity id;
	struct peer own;
	enum err e = identity_load(c, &id);

	*cert_out = (struct span){ 0 };
	if (e == OK)
		e = peer_load(c, &id.me.account, &own);
	if (e == OK)
		e = mend_entry(c, &id, &own.list, cert_out);
	if (e == OK)
		e = identity_sign_list(c, &id, own.list.entries, own.list.n,
		    own.list.next_id, list_out);
	identity_wipe(&id);
	return e;
}

static enum err
replace_keys(struct core *c, struct identity *id, struct devlist *l,
    struct span *cert_out, struct span *list_out)
{
	struct devlist_entry *mine = NULL;

	for (uint8_t i = 0; i < l->n; i++)
		if (l->entries[i].device == id->me.device)
			mine = &l->entries[i];
	if (mine == NULL)
		return ERR_UNTRUSTED;
	id->keys.replaced_ms = c->now_ms;
	TRY(identity_put_keys(c, &id->keys));
	TRY(make_keys(c, id, mine->flags));
	memcpy(mine->cert_hash, id->keys.cert_hash, SHA256_LEN);
	TRY(identity_sign_list(c, id, l->entries, l->n, l->next_id, list_out));
	TRY(arena_dup(c->arena, span_of(id->keys.cert, id->keys.cert_n),
	    cert_out));
	return sessions_mark_gone(c, (struct span){ 0 });
}

enum err
identity_renew_device(struct core *c, struct span *cert_out,
    struct span *list_out)
{
	struct identity id;
	struct peer own;
	enum err e = identity_load(c, &id);

	if (e == OK && !id.is_manager)
		e = ERR_FORBIDDEN;
	if (e == OK)
		e = peer_load(c, &id.me.account, &own);
	if (e == OK)
		e = replace_keys(c, &id, &own.list, cert_out, list_out);
	identity_wipe(&id);
	return e;
}

struct tidy {
	struct core *c;
	struct span cert_hash;
	bool in_use;
};

static enum err
tidy_batch(void *arg, struct span key, struct span value)
{
	struct tidy *t = arg;
	struct prekey_batch b;
	struct rd r = rd_init(key);
	enum err e = prekey_load(t->c, rd_u32(&r), &b);

	(void)value;
	if (e == OK && span_eq(SPAN_OF(b.cert_hash), t->cert_hash))
		t->in_use = true;
	wipe(&b, sizeof(b));
	return e;
}

void
identity_forget_keys(const struct provider *p, const struct device_keys *k)
{
	provider_forget(p, k->dsk.b, MLDSA_SEED_LEN);
	provider_forget(p, k->dsk.b + MLDSA_SEED_LEN, ED25519_SEED_LEN);
	provider_forget(p, k->ikx_priv, sizeof(k->ikx_priv));
	provider_forget(p, k->ikk_seed, sizeof(k->ikk_seed));
}

/* docs/protocol.md, Keys: kept as long as a batch names the certificate. */
static enum err
tidy_device(void *arg, struct span key, struct span value)
{
	struct tidy *t = arg;
	struct device_keys k = { 0 };
	enum err e = get_device(value, &k);

	t->cert_hash = key;
	t->in_use = k.replaced_ms == 0;
	if (e == OK && !t->in_use)
		e = t->c->store->iterate(t->c->store->ctx, RECORD_BATCH,
		    (struct span){ 0 }, tidy_batch, t);
	if (e == OK && !t->in_use) {
		identity_forget_keys(t->c->p, &k);
		e = t->c->store->del(t->c->store->ctx, RECORD_DEVICE, key);
	}
	identity_wipe_keys(&k);
	return e;
}

enum err
identity_tidy(struct core *c)
{
	struct tidy t = { .c = c };

	return c->store->iterate(c->store->ctx, RECORD_DEVICE,
	    (struct span){ 0 }, tidy_device, &t);
}

void
identity_forget_aik(const struct provider *p, const struct composite_priv *aik)
{
	provider_forget(p, aik->b, MLDSA_SEED_LEN);
	provider_forget(p, aik->b + MLDSA_SEED_LEN, ED25519_SEED_LEN);
}

static enum err
drop_device(void *arg, struct span key, struct span value)
{
	struct core *c = arg;
	struct device_keys k = { 0 };
	enum err e = get_device(value, &k);

	if (e == OK) {
		identity_forget_keys(c->p, &k);
		e = c->store->del(c->store->ctx, RECORD_DEVICE, key);
	}
	identity_wipe_keys(&k);
	return e;
}

enum err
identity_drop(struct core *c)
{
	struct arena_mark m = arena_mark(c->arena);
	struct identity id = { .is_manager = false };
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_ACCOUNT,
	    (struct span){ 0 }, c->arena, &v);

	if (e == OK)
		e = get_account(v, &id);
	store_scratch_end(c->arena, m);
	if (e == OK && id.is_manager)
		identity_forget_aik(c->p, &id.aik_priv);
	if (e == OK && id.has_next_aik)
		identity_forget_aik(c->p, &id.next_aik);
	if (e == OK && id.has_prev_aik)
		identity_forget_aik(c->p, &id.prev_aik);
	identity_wipe(&id);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	TRY(c->store->iterate(c->store->ctx, RECORD_DEVICE,
	    (struct span){ 0 }, drop_device, c));
	TRY(prekey_drop_all(c));
	TRY(sessions_drop_all(c));
	return c->store->del(c->store->ctx, RECORD_ACCOUNT,
	    (struct span){ 0 });
}

void
identity_bind_message(const struct session_id *sid, const struct address *who,
    uint8_t out[static IDENTITY_BIND_LEN])
{
	struct wr w = wr_init(out, IDENTITY_BIND_LEN);

	wr_u8(&w, 1);
	wr_bytes(&w, sid->b, ID_LEN);
	wr_bytes(&w, who->account.b, ID_LEN);
	wr_u32(&w, who->device);
}

enum err
identity_bind(struct core *c, const struct session_id *sid,
    struct composite_sig *out)
{
	uint8_t msg[IDENTITY_BIND_LEN];
	struct identity id;
	enum err e = identity_load(c, &id);

	if (e == OK) {
		identity_bind_message(sid, &id.me, msg);
		e = composite_sign(c->p, &id.keys.dsk, SPAN("NJ1/bind"),
		    SPAN_OF(msg), NULL, out);
	}
	identity_wipe(&id);
	return e;
}

enum err
identity_check_generation(struct core *c, uint64_t greatest)
{
	struct identity id;
	enum err e;

	if (c->store->generation > greatest)
		return OK;
	e = identity_load(c, &id);
	if (e == OK) {
		id.stale_below = greatest + 1;
		e = identity_save(c, &id);
	}
	identity_wipe(&id);
	return e == OK ? ERR_ROLLBACK : e;
}
