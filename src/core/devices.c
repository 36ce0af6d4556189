/*
 * devices.c: the devices of the own account, see devices.h.
 */
#include "core/devices.h"

#include "core/identity_private.h"
#include "core/peer.h"
#include "core/prekey.h"
#include "core/sessions.h"
#include "crypto/hash.h"

/* An identity in this store ends what would make another one. */
static enum err
check_empty(struct core *c)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_ACCOUNT,
	    (struct span){ 0 }, c->arena, &v);

	store_scratch_end(c->arena, m);
	return e == OK ? ERR_CONFLICT : e == ERR_NOT_FOUND ? OK : e;
}

/* The public half of id->aik_priv has to be this. */
static enum err
check_aik(struct core *c, const struct composite_priv *priv,
    const uint8_t aik[static COMPOSITE_PUB_LEN], enum err otherwise)
{
	struct composite_pub pub;

	TRY(composite_make_pub(c->p, priv, &pub));
	return memcmp(pub.b, aik, COMPOSITE_PUB_LEN) == 0 ? OK : otherwise;
}

static enum err
join(struct core *c, struct identity *id, uint8_t flags,
    struct span *cert_out)
{
	TRY(cert_aik_hash(c->p, id->aik, id->aik_hash));
	TRY(identity_make_keys(c, &id->me, id->aik_hash, flags, &id->keys));
	TRY(identity_save(c, id));
	return arena_dup(c->arena, span_of(id->keys.cert, id->keys.cert_n),
	    cert_out);
}

enum err
devices_join(struct core *c, const struct linking_facts *f,
    struct span *cert_out)
{
	struct identity id = { .me = { f->account, f->device },
	    .is_manager = f->has_aik_priv, .created_ms = c->now_ms };
	enum err e;

	if (f->device < 1 ||
	    f->has_aik_priv != ((f->flags & DEVICE_MANAGER) != 0))
		return ERR_ARG;
	TRY(check_empty(c));
	if (f->has_aik_priv)
		TRY(check_aik(c, &f->aik_priv, f->aik, ERR_ARG));
	memcpy(id.aik, f->aik, sizeof(id.aik));
	id.aik_priv = f->aik_priv;
	e = join(c, &id, f->flags, cert_out);
	identity_wipe(&id);
	return e;
}

static enum err
restore(struct core *c, const struct user_id *account,
    const struct composite_priv *aik_priv, struct span list, uint8_t flags,
    bool alone, struct span *cert_out, struct span *list_out)
{
	struct identity id = { .me = { .account = *account },
	    .is_manager = true, .created_ms = c->now_ms };
	struct peer_news news;
	struct devlist l;
	struct devlist_entry *mine;
	enum err e;

	TRY(check_empty(c));
	TRY(devlist_verify(c->p, list, account, &l));
	TRY(check_aik(c, aik_priv, l.aik, ERR_IDENTITY_CHANGED));
	TRY(peer_accept_list(c, account, list, &news));
	if (alone)
		l.n = 0;
	if (l.n == DEVLIST_DEVICES_MAX)
		return ERR_LIMIT;
	flags |= DEVICE_MANAGER;
	memcpy(id.aik, l.aik, sizeof(id.aik));
	id.aik_priv = *aik_priv;
	id.me.device = l.next_id;	/* no number is given twice */
	e = join(c, &id, flags, cert_out);
	if (e == OK) {
		mine = &l.entries[l.n++];
		*mine = (struct devlist_entry){ .device = id.me.device,
		    .flags = flags };
		memcpy(mine->cert_hash, id.keys.cert_hash, SHA256_LEN);
		e = identity_sign_list(c, &id, l.entries, l.n, l.next_id + 1,
		    list_out);
	}
	identity_wipe(&id);
	return e;
}

enum err
devices_restore(struct core *c, const struct user_id *account,
    const struct composite_priv *aik_priv, struct span list, uint8_t flags,
    struct span *cert_out, struct span *list_out)
{
	return restore(c, account, aik_priv, list, flags, false, cert_out,
	    list_out);
}

enum err
devices_restore_instead(struct core *c, const struct user_id *account,
    const struct composite_priv *aik_priv, struct span list, uint8_t flags,
    struct span *cert_out, struct span *list_out)
{
	return restore(c, account, aik_priv, list, flags, true, cert_out,
	    list_out);
}

/* Identity and own list. The caller wipes *id whatever is returned. */
static enum err
load_own(struct core *c, struct identity *id, struct peer *own)
{
	TRY(identity_load(c, id));
	return peer_load(c, &id->me.account, own);
}

enum err
devices_next(struct core *c, uint32_t *device_out, uint64_t *version_out,
    uint8_t list_hash_out[static SHA256_LEN])
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK) {
		*device_out = own.list.next_id;
		*version_out = own.list.version;
		memcpy(list_hash_out, own.list_hash, SHA256_LEN);
	}
	identity_wipe(&id);
	return e;
}

/* A certificate of this account under this account key. */
static enum err
read_cert(struct core *c, const struct identity *id,
    const uint8_t aik_hash[static SHA256_LEN], struct span bytes,
    struct cert *out)
{
	TRY(cert_decode(bytes, out));
	TRY(cert_check(out));
	(void)c;
	return ID_EQ(out->account, id->me.account) &&
	    memcmp(out->aik_hash, aik_hash, SHA256_LEN) == 0 ?
	    OK : ERR_FORBIDDEN;
}

static enum err
add(struct core *c, struct identity *id, struct devlist *l, struct span bytes,
    struct span *list_out)
{
	struct devlist_entry *e;
	struct cert cert;

	TRY(read_cert(c, id, id->aik_hash, bytes, &cert));
	if (l->n == DEVLIST_DEVICES_MAX)
		return ERR_LIMIT;
	/* docs/protocol.md, Devices: a device id is never given twice. */
	if (cert.device < l->next_id || cert.device == UINT32_MAX)
		return ERR_LIST_CONFLICT;
	e = &l->entries[l->n++];
	*e = (struct devlist_entry){ .device = cert.device,
	    .flags = cert.flags };
	TRY(cert_hash(c->p, bytes, e->cert_hash));
	TRY(identity_sign_list(c, id, l->entries, l->n, cert.device + 1,
	    list_out));
	return peer_accept_cert(c, &id->me.account, bytes);
}

enum err
devices_add(struct core *c, struct span cert, struct span *list_out)
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK)
		e = add(c, &id, &own.list, cert, list_out);
	identity_wipe(&id);
	return e;
}

static struct devlist_entry *
find_entry(struct devlist *l, uint32_t device)
{
	for (uint8_t i = 0; i < l->n; i++)
		if (l->entries[i].device == device)
			return &l->entries[i];
	return NULL;
}

static enum err
take_out(struct core *c, struct identity *id, struct devlist *l,
    uint32_t device, struct span *list_out)
{
	uint8_t n = 0;

	if (find_entry(l, device) == NULL)
		return ERR_NOT_FOUND;
	if (device == id->me.device || l->n == 1)
		return ERR_ARG;
	for (uint8_t i = 0; i < l->n; i++)
		if (l->entries[i].device != device)
			l->entries[n++] = l->entries[i];
	return identity_sign_list(c, id, l->entries, n, l->next_id, list_out);
}

enum err
devices_remove(struct core *c, uint32_t device, struct span *list_out)
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK)
		e = take_out(c, &id, &own.list, device, list_out);
	identity_wipe(&id);
	return e;
}

/* ---- certificates that wait ---- */

static enum err
proof_message(struct core *c, const struct user_id *account,
    const uint8_t cert_hash[static SHA256_LEN],
    uint8_t out[static SHA256_LEN])
{
	return hash_tuple2(c->p, "NJ1 renew-proof", ID_SPAN(*account),
	    span_of(cert_hash, SHA256_LEN), out);
}

/* Gives up the keys that waited. */
static enum err
drop_next(struct core *c, struct identity *id)
{
	struct device_keys k;
	enum err e;

	if (!id->has_next_cert)
		return OK;
	e = identity_load_keys(c, id->next_cert_hash, &k);
	if (e == OK) {
		identity_forget_keys(c->p, &k);
		e = c->store->del(c->store->ctx, RECORD_DEVICE,
		    SPAN_OF(id->next_cert_hash));
	}
	identity_wipe_keys(&k);
	id->has_next_cert = false;
	memset(id->next_cert_hash, 0, SHA256_LEN);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* The keys that wait, if they are for this account key; else new ones. */
static enum err
find_next(struct core *c, struct identity *id,
    const uint8_t aik_hash[static SHA256_LEN], uint8_t flags,
    struct device_keys *k)
{
	struct cert cert;

	if (id->has_next_cert) {
		TRY(identity_load_keys(c, id->next_cert_hash, k));
		TRY(cert_decode(span_of(k->cert, k->cert_n), &cert));
		if (memcmp(cert.aik_hash, aik_hash, SHA256_LEN) == 0 &&
		    cert.flags == flags)
			return OK;
	}
	TRY(drop_next(c, id));
	TRY(identity_make_keys(c, &id->me, aik_hash, flags, k));
	id->has_next_cert = true;
	memcpy(id->next_cert_hash, k->cert_hash, SHA256_LEN);
	return identity_save(c, id);
}

static enum err
next_cert(struct core *c, struct identity *id, struct devlist *l,
    const uint8_t *aik, struct device_keys *k, struct span *cert_out,
    struct composite_sig *proof_out)
{
	const struct devlist_entry *mine = find_entry(l, id->me.device);
	uint8_t aik_hash[SHA256_LEN], msg[SHA256_LEN];
	bool same = aik == NULL || memcmp(aik, id->aik, sizeof(id->aik)) == 0;
	uint8_t flags;

	if (mine == NULL)
		return ERR_UNTRUSTED;
	/* Another account key: this device does not hold it. */
	flags = same ? mine->flags :
	    (uint8_t)(mine->flags & ~DEVICE_MANAGER);
	TRY(cert_aik_hash(c->p, same ? id->aik : aik, aik_hash));
	TRY(find_next(c, id, aik_hash, flags, k));
	TRY(proof_message(c, &id->me.account, k->cert_hash, msg));
	TRY(composite_sign(c->p, &k->dsk, SPAN("NJ1/renew"), SPAN_OF(msg),
	    NULL, proof_out));
	return arena_dup(c->arena, span_of(k->cert, k->cert_n), cert_out);
}

enum err
devices_next_cert(struct core *c, const uint8_t *aik, struct span *cert_out,
    struct composite_sig *proof_out)
{
	struct device_keys k = { .cert_n = 0 };
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK)
		e = next_cert(c, &id, &own.list, aik, &k, cert_out, proof_out);
	identity_wipe_keys(&k);
	identity_wipe(&id);
	return e;
}

static enum err
check_next(struct core *c, const struct identity *id, struct devlist *l,
    uint32_t device, const uint8_t *aik, struct span bytes,
    const uint8_t *proof)
{
	const struct devlist_entry *e = find_entry(l, device);
	uint8_t aik_hash[SHA256_LEN], hash[SHA256_LEN], msg[SHA256_LEN];
	bool same = aik == NULL || memcmp(aik, id->aik, sizeof(id->aik)) == 0;
	struct cert cert;

	if (e == NULL)
		return ERR_NOT_FOUND;
	TRY(cert_aik_hash(c->p, same ? id->aik : aik, aik_hash));
	TRY(read_cert(c, id, aik_hash, bytes, &cert));
	if (cert.device != device || cert.flags != (same ? e->flags :
	    e->flags & ~DEVICE_MANAGER))
		return ERR_FORBIDDEN;
	TRY(cert_hash(c->p, bytes, hash));
	TRY(proof_message(c, &id->me.account, hash, msg));
	return composite_verify(c->p, cert.dsk, SPAN("NJ1/renew"),
	    SPAN_OF(msg), proof);
}

enum err
devices_check_next(struct core *c, uint32_t device, const uint8_t *aik,
    struct span cert, const uint8_t proof[static COMPOSITE_SIG_LEN])
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK)
		e = check_next(c, &id, &own.list, device, aik, cert, proof);
	identity_wipe(&id);
	return e;
}

static enum err
renew(struct core *c, struct identity *id, struct devlist *l,
    struct span bytes, struct span *list_out)
{
	struct devlist_entry *e;
	struct cert cert;

	TRY(read_cert(c, id, id->aik_hash, bytes, &cert));
	e = find_entry(l, cert.device);
	if (e == NULL)
		return ERR_NOT_FOUND;
	if (e->flags != cert.flags || cert.device == id->me.device)
		return ERR_FORBIDDEN;
	TRY(cert_hash(c->p, bytes, e->cert_hash));
	TRY(identity_sign_list(c, id, l->entries, l->n, l->next_id, list_out));
	return peer_accept_cert(c, &id->me.account, bytes);
}

enum err
devices_renew(struct core *c, struct span cert, struct span *list_out)
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	if (e == OK)
		e = renew(c, &id, &own.list, cert, list_out);
	identity_wipe(&id);
	return e;
}

/* The list's account key is another one: this device does not hold it. */
static enum err
follow_key(struct core *c, struct identity *id, const struct devlist *l)
{
	if (memcmp(id->aik, l->aik, sizeof(id->aik)) == 0)
		return OK;
	if (id->is_manager)
		identity_forget_aik(c->p, &id->aik_priv);
	if (id->has_next_aik)
		identity_forget_aik(c->p, &id->next_aik);
	wipe(&id->aik_priv, sizeof(id->aik_priv));
	wipe(&id->next_aik, sizeof(id->next_aik));
	id->is_manager = id->has_next_aik = false;
	memcpy(id->aik, l->aik, sizeof(id->aik));
	return cert_aik_hash(c->p, id->aik, id->aik_hash);
}

static enum err
adopt(struct core *c, struct identity *id, struct devlist *l, bool *out)
{
	const struct devlist_entry *e = find_entry(l, id->me.device);

	if (!id->has_next_cert || e == NULL ||
	    memcmp(e->cert_hash, id->next_cert_hash, SHA256_LEN) != 0)
		return OK;
	id->keys.replaced_ms = c->now_ms;
	TRY(identity_put_keys(c, &id->keys));
	identity_wipe_keys(&id->keys);
	TRY(identity_load_keys(c, id->next_cert_hash, &id->keys));
	id->has_next_cert = false;
	memset(id->next_cert_hash, 0, SHA256_LEN);
	TRY(follow_key(c, id, l));
	TRY(identity_save(c, id));
	*out = true;
	return sessions_mark_gone(c, (struct span){ 0 });
}

enum err
devices_adopt(struct core *c, bool *adopted_out)
{
	struct identity id;
	struct peer own;
	enum err e = load_own(c, &id, &own);

	*adopted_out = false;
	if (e == OK)
		e = adopt(c, &id, &own.list, adopted_out);
	identity_wipe(&id);
	return e == ERR_NOT_FOUND ? OK : e;
}
