/*
 * renew.c: a new account key, made here or by others, see renew.h.
 */
#include "core/renew.h"

#include "core/identity_private.h"
#include "core/sessions.h"

static enum err
load_manager(struct core *c, struct identity *id)
{
	TRY(identity_load(c, id));
	return id->is_manager ? OK : ERR_FORBIDDEN;
}

/* The next account key, made where there is none. */
static enum err
begin(struct core *c, struct identity *id, struct composite_pub *pub_out)
{
	if (!id->has_next_aik) {
		TRY(composite_generate(c->p, &id->next_aik));
		id->has_next_aik = true;
		TRY(identity_save(c, id));
	}
	return composite_make_pub(c->p, &id->next_aik, pub_out);
}

enum err
renew_begin(struct core *c, uint8_t aik_out[static COMPOSITE_PUB_LEN])
{
	struct composite_pub pub;
	struct identity id;
	enum err e = load_manager(c, &id);

	if (e == OK)
		e = begin(c, &id, &pub);
	if (e == OK)
		memcpy(aik_out, pub.b, COMPOSITE_PUB_LEN);
	identity_wipe(&id);
	return e;
}

enum err
renew_cancel(struct core *c)
{
	struct identity id;
	enum err e = load_manager(c, &id);

	if (e == OK && id.has_next_aik) {
		identity_forget_aik(c->p, &id.next_aik);
		wipe(&id.next_aik, sizeof(id.next_aik));
		id.has_next_aik = false;
		e = identity_save(c, &id);
	}
	identity_wipe(&id);
	return e;
}

/* The key of the record that says what renewed an account key. */
#define RENEWED_KEY_LEN (ID_LEN + SHA256_LEN)

static enum err
renewed_key(struct core *c, const struct user_id *account,
    const uint8_t aik[static COMPOSITE_PUB_LEN],
    uint8_t out[static RENEWED_KEY_LEN])
{
	memcpy(out, account->b, ID_LEN);
	return cert_aik_hash(c->p, aik, &out[ID_LEN]);
}

/* Keeps it, or ERR_CONFLICT: another one was taken from that key before. */
static enum err
remember(struct core *c, const struct rotate *r, bool keep)
{
	struct arena_mark m = arena_mark(c->arena);
	uint8_t key[RENEWED_KEY_LEN], hash[SHA256_LEN];
	struct span v;
	enum err e;

	TRY(renewed_key(c, &r->account, r->old_aik, key));
	TRY(cert_aik_hash(c->p, r->new_aik, hash));
	e = c->store->get(c->store->ctx, RECORD_RENEWED, SPAN_OF(key),
	    c->arena, &v);
	if (e == OK)
		e = span_eq(v, SPAN_OF(hash)) ? OK : ERR_CONFLICT;
	else if (e == ERR_NOT_FOUND)
		e = !keep ? OK : c->store->put(c->store->ctx, RECORD_RENEWED,
		    SPAN_OF(key), SPAN_OF(hash), c->store->generation);
	arena_reset(c->arena, m);
	return e;
}

static enum err
sign_rotation(struct core *c, struct identity *id, const struct peer *own,
    const struct composite_pub *next, struct span *rotation_out)
{
	struct rotate r = { .account = id->me.account,
	    .version = own->list.version + 1, .time_ms = c->now_ms };
	uint8_t *mem = arena_bytes(c->arena, ROTATE_LEN);
	struct wr w;

	if (mem == NULL)
		return ERR_TOO_LARGE;
	memcpy(r.old_aik, id->aik, sizeof(r.old_aik));
	memcpy(r.new_aik, next->b, sizeof(r.new_aik));
	w = wr_init(mem, ROTATE_LEN);
	TRY(rotate_sign(c->p, &id->aik_priv, &id->next_aik, &r, &w));
	*rotation_out = wr_done(&w);
	return remember(c, &r, true);
}

/* The entries of the next list: this device and those that have certificates
 * under the next key. l is the present list, changed into the next. */
static enum err
choose_devices(struct core *c, const struct identity *id, struct devlist *l,
    const uint8_t aik_hash[static SHA256_LEN], const struct span *certs,
    size_t n)
{
	bool stays[DEVLIST_DEVICES_MAX] = { false };
	struct devlist_entry *e;
	struct cert cert;
	uint8_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		TRY(cert_decode(certs[i], &cert));
		for (e = l->entries; e < &l->entries[l->n]; e++)
			if (e->device == cert.device)
				break;
		if (e == &l->entries[l->n])
			return ERR_NOT_FOUND;
		if (cert.device == id->me.device ||
		    !ID_EQ(cert.account, id->me.account) ||
		    memcmp(cert.aik_hash, aik_hash, SHA256_LEN) != 0 ||
		    cert.flags != (e->flags & ~DEVICE_MANAGER))
			return ERR_FORBIDDEN;
		e->flags = cert.flags;
		TRY(cert_hash(c->p, certs[i], e->cert_hash));
		stays[e - l->entries] = true;
	}
	for (uint8_t i = 0; i < l->n; i++)
		if (stays[i] || l->entries[i].device == id->me.device)
			l->entries[kept++] = l->entries[i];
	l->n = kept;
	return OK;
}

/* Keys of this device under the next account key, which becomes the present
 * one. */
static enum err
change_keys(struct core *c, struct identity *id, struct devlist *l,
    const struct composite_pub *next, const uint8_t *aik_hash)
{
	struct devlist_entry *mine = NULL;

	for (uint8_t i = 0; i < l->n; i++)
		if (l->entries[i].device == id->me.device)
			mine = &l->entries[i];
	if (mine == NULL)
		return ERR_UNTRUSTED;
	id->keys.replaced_ms = c->now_ms;
	TRY(identity_put_keys(c, &id->keys));
	TRY(identity_make_keys(c, &id->me, aik_hash, mine->flags, &id->keys));
	memcpy(mine->cert_hash, id->keys.cert_hash, SHA256_LEN);
	/* Kept until the server has the list: see renew_done. */
	id->prev_aik = id->aik_priv;
	id->has_prev_aik = true;
	id->aik_priv = id->next_aik;
	wipe(&id->next_aik, sizeof(id->next_aik));
	id->has_next_aik = false;
	memcpy(id->aik, next->b, sizeof(id->aik));
	memcpy(id->aik_hash, aik_hash, SHA256_LEN);
	return identity_save(c, id);
}

static enum err
account(struct core *c, struct identity *id, const struct span *certs,
    size_t n, struct span *rotation_out, struct span *cert_out,
    struct span *list_out)
{
	uint8_t aik_hash[SHA256_LEN];
	struct composite_pub next;
	struct peer own;

	if (id->has_prev_aik)
		return ERR_CONFLICT;
	TRY(peer_load(c, &id->me.account, &own));
	TRY(begin(c, id, &next));
	TRY(cert_aik_hash(c->p, next.b, aik_hash));
	TRY(choose_devices(c, id, &own.list, aik_hash, certs, n));
	TRY(sign_rotation(c, id, &own, &next, rotation_out));
	TRY(change_keys(c, id, &own.list, &next, aik_hash));
	TRY(identity_sign_as(c, id, own.list.entries, own.list.n,
	    own.list.next_id, IDENTITY_RENEWED, list_out));
	for (size_t i = 0; i < n; i++)
		TRY(peer_accept_cert(c, &id->me.account, certs[i]));
	TRY(sessions_mark_gone(c, (struct span){ 0 }));
	return arena_dup(c->arena, span_of(id->keys.cert, id->keys.cert_n),
	    cert_out);
}

enum err
renew_account(struct core *c, const struct span *certs, size_t n,
    struct span *rotation_out, struct span *cert_out, struct span *list_out)
{
	struct identity id;
	enum err e = n > DEVLIST_DEVICES_MAX ? ERR_LIMIT : OK;

	if (e != OK)
		return e;
	e = load_manager(c, &id);
	if (e == OK)
		e = account(c, &id, certs, n, rotation_out, cert_out,
		    list_out);
	identity_wipe(&id);
	return e;
}

enum err
renew_done(struct core *c)
{
	struct identity id;
	enum err e = identity_load(c, &id);

	if (e == OK && id.has_prev_aik) {
		identity_forget_aik(c->p, &id.prev_aik);
		wipe(&id.prev_aik, sizeof(id.prev_aik));
		id.has_prev_aik = false;
		e = identity_save(c, &id);
	}
	identity_wipe(&id);
	return e;
}

/* The keys that the list names for this device are the present ones again. */
static enum err
go_back(struct core *c, struct identity *id, const struct devlist *l)
{
	const struct devlist_entry *mine = devlist_find(l, id->me.device);

	if (mine == NULL)
		return ERR_UNTRUSTED;
	id->keys.replaced_ms = c->now_ms;
	TRY(identity_put_keys(c, &id->keys));
	identity_wipe_keys(&id->keys);
	TRY(identity_load_keys(c, mine->cert_hash, &id->keys));
	id->keys.replaced_ms = 0;
	TRY(identity_put_keys(c, &id->keys));
	id->next_aik = id->aik_priv;
	id->has_next_aik = true;
	id->aik_priv = id->prev_aik;
	wipe(&id->prev_aik, sizeof(id->prev_aik));
	id->has_prev_aik = false;
	memcpy(id->aik, l->aik, sizeof(id->aik));
	TRY(cert_aik_hash(c->p, id->aik, id->aik_hash));
	return identity_save(c, id);
}

enum err
renew_go_back(struct core *c, struct span list, struct peer_news *news_out)
{
	struct composite_pub pub;
	struct devlist l;
	struct identity id;
	enum err e = load_manager(c, &id);

	if (e == OK && !id.has_prev_aik)
		e = ERR_CONFLICT;
	if (e == OK)
		e = devlist_decode(list, &l, NULL);
	if (e == OK)
		e = composite_make_pub(c->p, &id.prev_aik, &pub);
	if (e == OK && memcmp(pub.b, l.aik, sizeof(l.aik)) != 0)
		e = ERR_IDENTITY_CHANGED;
	if (e == OK)
		e = peer_go_back_renewed(c, &id.me.account, list, news_out);
	if (e == OK)
		e = go_back(c, &id, &l);
	identity_wipe(&id);
	return e;
}

/*
 * An old copy: of a version below the known one, under a key that was renewed
 * since, as far as is known here. Such a key never comes back.
 */
static enum err
is_stale(struct core *c, const struct user_id *who, struct span list,
    bool *out)
{
	uint8_t hash[SHA256_LEN];
	struct devlist l;
	struct peer known;

	*out = false;
	TRY(peer_load(c, who, &known));
	TRY(devlist_decode(list, &l, NULL));
	if (l.version >= known.list.version)
		return OK;
	TRY(cert_aik_hash(c->p, l.aik, hash));
	return renew_is_over(c, who, hash, out);
}

/*
 * Do the renewals lead from what is known to this list, and does none of them
 * contradict one that was taken before?
 */
static enum err
leads_there(struct core *c, const struct user_id *who, struct span list,
    const struct span *rotations, size_t n)
{
	struct devlist next;
	struct rotate r;
	struct peer known;
	enum err e;

	TRY(peer_load(c, who, &known));
	TRY(devlist_decode(list, &next, NULL));
	e = rotate_lead(c->p, rotations, n, &known.list, &next);
	for (size_t i = 0; e == OK && i < n; i++) {
		e = rotate_decode(rotations[i], &r);
		if (e == OK)
			e = remember(c, &r, false);
	}
	/* Bad renewals are as good as none. */
	return e == OK || e == ERR_PROVIDER || e == ERR_STORE ?
	    e : ERR_IDENTITY_CHANGED;
}

static enum err
keep_all(struct core *c, const struct span *rotations, size_t n)
{
	struct rotate r;

	for (size_t i = 0; i < n; i++) {
		TRY(rotate_decode(rotations[i], &r));
		TRY(remember(c, &r, true));
	}
	return OK;
}

enum err
renew_accept(struct core *c, const struct user_id *who, struct span list,
    const struct span *rotations, size_t n, struct renew_news *out)
{
	struct renew_news news = { .renewed = false };
	enum err e = peer_accept_list(c, who, list, &news.list);
	bool stale = false;

	if (e == ERR_IDENTITY_CHANGED)
		TRY(is_stale(c, who, list, &stale));
	if (stale)
		return ERR_STALE;
	if (e == ERR_IDENTITY_CHANGED) {
		TRY(leads_there(c, who, list, rotations, n));
		TRY(peer_is_verified(c, who, &news.was_verified));
		TRY(peer_accept_renewed(c, who, list, &news.list));
		TRY(keep_all(c, rotations, n));
		/* docs/protocol.md, Renewing the account key: the verified
		 * mark does not pass over. */
		TRY(peer_set_verified(c, who, false));
		news.renewed = true;
		e = OK;
	}
	if (e == OK)
		*out = news;
	return e;
}

enum err
renew_is_over(struct core *c, const struct user_id *who,
    const uint8_t aik_hash[static SHA256_LEN], bool *out)
{
	struct arena_mark m = arena_mark(c->arena);
	uint8_t key[RENEWED_KEY_LEN];
	struct span v;
	enum err e;

	memcpy(key, who->b, ID_LEN);
	memcpy(&key[ID_LEN], aik_hash, SHA256_LEN);
	e = c->store->get(c->store->ctx, RECORD_RENEWED, SPAN_OF(key),
	    c->arena, &v);
	*out = e == OK;
	arena_reset(c->arena, m);
	return e == ERR_NOT_FOUND ? OK : e;
}
