/*
 * peer.c: accounts as this device knows them, see peer.h.
 */
#include "core/peer.h"

#include "core/sessions.h"
#include "crypto/hash.h"

#define FORMAT 1
/* u8 format | list_hash | aik_hash | u64 seen_ms | signed list */
#define LIST_RECORD_MAX (1 + 32 + 32 + 8 + DEVLIST_LEN_MAX)

static enum err
put_list(struct core *c, const struct peer *p, struct span bytes)
{
	uint8_t rec[LIST_RECORD_MAX];
	struct wr w = wr_init(rec, sizeof(rec));

	wr_u8(&w, FORMAT);
	wr_bytes(&w, p->list_hash, SHA256_LEN);
	wr_bytes(&w, p->aik_hash, SHA256_LEN);
	wr_u64(&w, c->now_ms);
	wr_span(&w, bytes);
	if (!wr_ok(&w))
		return ERR_INTERNAL;
	return c->store->put(c->store->ctx, RECORD_LIST,
	    ID_SPAN(p->list.account), wr_done(&w), c->store->generation);
}

static enum err
get_list(struct span v, struct peer *out)
{
	struct rd r = rd_init(v);
	uint8_t format = rd_u8(&r);

	rd_bytes(&r, out->list_hash, SHA256_LEN);
	rd_bytes(&r, out->aik_hash, SHA256_LEN);
	out->seen_ms = rd_u64(&r);
	if (r.bad || format != FORMAT)
		return ERR_FORMAT;
	return devlist_decode(rd_rest(&r), &out->list, NULL);
}

enum err
peer_load(struct core *c, const struct user_id *account, struct peer *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_LIST,
	    ID_SPAN(*account), c->arena, &v);

	memset(out, 0, sizeof(*out));
	if (e == OK)
		e = get_list(v, out);
	arena_reset(c->arena, m);
	if (e != OK)
		memset(out, 0, sizeof(*out));
	return e;
}

/* What the change from `old` (NULL: nothing known) to `next` means. */
static void
compare(const struct devlist *old, const struct devlist *next,
    struct peer_news *news)
{
	const struct devlist_entry *e;

	for (uint8_t i = 0; i < next->n; i++) {
		e = old == NULL ? NULL :
		    devlist_find(old, next->entries[i].device);
		if (e == NULL)
			news->added[news->added_n++] = next->entries[i].device;
		else if (memcmp(e->cert_hash, next->entries[i].cert_hash,
		    SHA256_LEN) != 0)
			news->renewed[news->renewed_n++] = e->device;
	}
	for (uint8_t i = 0; old != NULL && i < old->n; i++)
		if (devlist_find(next, old->entries[i].device) == NULL)
			news->removed[news->removed_n++] =
			    old->entries[i].device;
}

/* A device that is not in the list does not exist: its sessions end. */
static enum err
forget_removed(struct core *c, const struct devlist *old,
    const struct devlist *next, const struct peer_news *news)
{
	struct address a = { .account = next->account };

	for (uint8_t i = 0; i < news->removed_n; i++) {
		a.device = news->removed[i];
		TRY(sessions_drop(c, &a));
	}
	for (uint8_t i = 0; old != NULL && i < old->n; i++) {
		const struct devlist_entry *o = &old->entries[i];
		const struct devlist_entry *e = devlist_find(next, o->device);

		if (e == NULL ||
		    memcmp(e->cert_hash, o->cert_hash, SHA256_LEN) != 0)
			TRY(c->store->del(c->store->ctx, RECORD_CERT,
			    SPAN_OF(o->cert_hash)));
	}
	return sessions_mark_gone(c, ID_SPAN(next->account));
}

/*
 * docs/protocol.md, Renewing the account key: a certificate names the account
 * key, so one that stayed the same is none under the new key.
 */
static enum err
forget_kept(struct core *c, const struct devlist *old,
    const struct devlist *next)
{
	struct address a = { .account = next->account };

	for (uint8_t i = 0; i < next->n; i++) {
		const struct devlist_entry *e = &next->entries[i];
		const struct devlist_entry *o = devlist_find(old, e->device);

		if (o == NULL || memcmp(e->cert_hash, o->cert_hash,
		    SHA256_LEN) != 0)
			continue;
		a.device = e->device;
		TRY(sessions_drop(c, &a));
		TRY(c->store->del(c->store->ctx, RECORD_CERT,
		    SPAN_OF(o->cert_hash)));
	}
	return OK;
}

/*
 * docs/protocol.md, Replay, order, clones: a list of the own account with a
 * certificate for this device that it never made.
 */
static enum err
check_own(struct core *c, const struct devlist *l, bool *forged_out)
{
	struct identity id;
	struct device_keys k;
	const struct devlist_entry *e = NULL;
	enum err err = identity_load(c, &id);

	*forged_out = false;
	if (err == ERR_NOT_FOUND)
		return OK;
	if (err == OK && ID_EQ(id.me.account, l->account))
		e = devlist_find(l, id.me.device);
	if (e != NULL) {
		err = identity_load_keys(c, e->cert_hash, &k);
		*forged_out = err == ERR_NOT_FOUND;
		identity_wipe_keys(&k);
	}
	identity_wipe(&id);
	return err == ERR_NOT_FOUND ? OK : err;
}

static enum err
take_list(struct core *c, const struct peer *old, const struct peer *next,
    struct span bytes, struct peer_news *news)
{
	const struct devlist *was = old == NULL ? NULL : &old->list;

	news->first = old == NULL;
	news->changed = true;
	compare(was, &next->list, news);
	TRY(put_list(c, next, bytes));
	TRY(forget_removed(c, was, &next->list, news));
	return check_own(c, &next->list, &news->own_cert_forged);
}

/* Verified list with its hashes, or the known one when it is the same. */
static enum err
verify_list(struct core *c, const struct user_id *account, struct span bytes,
    const struct peer *known, struct peer *out)
{
	TRY(devlist_decode(bytes, &out->list, NULL));
	TRY(devlist_hash(c->p, bytes, out->list_hash));
	if (known != NULL && memcmp(known->list_hash, out->list_hash,
	    SHA256_LEN) == 0)
		return OK;		/* was verified when it came */
	TRY(devlist_verify(c->p, bytes, account, &out->list));
	return cert_aik_hash(c->p, out->list.aik, out->aik_hash);
}

static bool
is_ahead(const struct core *c, const struct devlist *l)
{
	return l->issued_ms > c->now_ms &&
	    l->issued_ms - c->now_ms > DEVLIST_AHEAD_MS;
}

/* A device that joined an account knows its key before any list of it. */
static enum err
check_own_key(struct core *c, const struct devlist *l)
{
	struct identity id;
	enum err e = identity_load(c, &id);

	if (e == OK && ID_EQ(id.me.account, l->account) &&
	    memcmp(id.aik, l->aik, sizeof(id.aik)) != 0)
		e = ERR_IDENTITY_CHANGED;
	identity_wipe(&id);
	return e == ERR_NOT_FOUND ? OK : e;
}

/* May `next` be taken in the place of what is known? */
static enum err
follows(struct core *c, const struct peer *old, const struct peer *next,
    bool renewed)
{
	if (old == NULL)
		return check_own_key(c, &next->list);
	return renewed ? devlist_follow_renewed(&old->list, old->list_hash,
	    &next->list, next->list_hash) : devlist_follow(&old->list,
	    old->list_hash, &next->list, next->list_hash);
}

static enum err
accept_as(struct core *c, const struct user_id *account, struct span bytes,
    bool renewed, struct peer_news *news_out)
{
	struct peer old, next = { 0 };
	struct peer_news news = { 0 };
	enum err e = peer_load(c, account, &old);
	bool known = e == OK;

	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	TRY(verify_list(c, account, bytes, known ? &old : NULL, &next));
	e = follows(c, known ? &old : NULL, &next, renewed);
	if (e != OK && e != ERR_IDENTITY_CHANGED)
		return e;
	/* What is known already stays known when the clock is set back. */
	if ((!known || next.list.version != old.list.version || e != OK) &&
	    is_ahead(c, &next.list))
		return ERR_EXPIRED;
	TRY(e);
	news.age = devlist_age(&next.list, c->now_ms);
	if (!known || next.list.version != old.list.version) {
		if (known && renewed)
			TRY(forget_kept(c, &old.list, &next.list));
		TRY(take_list(c, known ? &old : NULL, &next, bytes, &news));
	}
	*news_out = news;
	return OK;
}

enum err
peer_accept_list(struct core *c, const struct user_id *account,
    struct span bytes, struct peer_news *news_out)
{
	return accept_as(c, account, bytes, false, news_out);
}

enum err
peer_accept_renewed(struct core *c, const struct user_id *account,
    struct span bytes, struct peer_news *news_out)
{
	return accept_as(c, account, bytes, true, news_out);
}

enum err
peer_accept_identity(struct core *c, const struct user_id *account,
    struct span bytes, struct peer_news *news_out)
{
	struct peer next = { 0 };
	struct peer_news news = { 0 };

	TRY(verify_list(c, account, bytes, NULL, &next));
	TRY(peer_set_verified(c, account, false));
	TRY(sessions_drop_account(c, account));
	TRY(take_list(c, NULL, &next, bytes, &news));
	news.age = devlist_age(&next.list, c->now_ms);
	*news_out = news;
	return OK;
}

/*
 * The list that was made here and not taken by the server never was: what it
 * followed is known by its prev_hash. The devices of that one are not kept
 * (ours may have one more or one less), so ids are not compared: whoever signs
 * lists of this account has seen them.
 */
static enum err
go_back(struct core *c, const struct user_id *account, struct span bytes,
    bool renewed, struct peer_news *news_out)
{
	struct peer ours, next = { 0 };
	struct peer_news news = { 0 };
	struct devlist base;
	uint8_t base_hash[SHA256_LEN];

	TRY(peer_load(c, account, &ours));
	if (ours.list.version < 2)
		return ERR_STALE;
	TRY(verify_list(c, account, bytes, &ours, &next));
	if (memcmp(next.list_hash, ours.list_hash, SHA256_LEN) != 0) {
		base = ours.list;
		base.version--;
		base.n = 0;
		base.next_id = 0;
		memcpy(base_hash, ours.list.prev_hash, SHA256_LEN);
		TRY(renewed ? devlist_follow_renewed(&base, base_hash,
		    &next.list, next.list_hash) : devlist_follow(&base,
		    base_hash, &next.list, next.list_hash));
		if (is_ahead(c, &next.list))
			return ERR_EXPIRED;
		TRY(take_list(c, &ours, &next, bytes, &news));
	}
	news.age = devlist_age(&next.list, c->now_ms);
	*news_out = news;
	return OK;
}

enum err
peer_go_back(struct core *c, const struct user_id *account, struct span bytes,
    struct peer_news *news_out)
{
	return go_back(c, account, bytes, false, news_out);
}

enum err
peer_go_back_renewed(struct core *c, const struct user_id *account,
    struct span bytes, struct peer_news *news_out)
{
	return go_back(c, account, bytes, true, news_out);
}

enum err
peer_accept_cert(struct core *c, const struct user_id *account,
    struct span bytes)
{
	struct peer peer;
	struct cert cert;
	uint8_t hash[SHA256_LEN];

	TRY(peer_load(c, account, &peer));
	TRY(cert_decode(bytes, &cert));
	TRY(devlist_check_cert(c->p, &peer.list, bytes, &cert));
	TRY(cert_check(&cert));
	TRY(cert_hash(c->p, bytes, hash));
	return c->store->put(c->store->ctx, RECORD_CERT, SPAN_OF(hash), bytes,
	    c->store->generation);
}

enum err
peer_load_cert(struct core *c, const uint8_t cert_hash[static SHA256_LEN],
    struct cert *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_CERT,
	    span_of(cert_hash, SHA256_LEN), c->arena, &v);

	if (e == OK)
		e = cert_decode(v, out);
	arena_reset(c->arena, m);
	return e;
}

enum err
peer_has_cert(struct core *c, const uint8_t cert_hash[static SHA256_LEN],
    bool *out)
{
	struct cert cert;
	enum err e = peer_load_cert(c, cert_hash, &cert);

	*out = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_own(struct core *c, struct peer *out)
{
	struct identity id;
	enum err e = identity_load(c, &id);

	if (e == OK)
		e = peer_load(c, &id.me.account, out);
	identity_wipe(&id);
	return e;
}

enum err
peer_safety(struct core *c, const struct user_id *account,
    struct peer_safety *out)
{
	struct peer own, peer;

	TRY(load_own(c, &own));
	TRY(peer_load(c, account, &peer));
	TRY(safety_fingerprint(c->p, own.list.aik, &own.list.account,
	    &out->own));
	TRY(safety_fingerprint(c->p, peer.list.aik, account, &out->peer));
	safety_number(&out->own, &out->peer, out->number);
	safety_qr_text(&out->own, &out->peer, out->qr);
	return OK;
}

enum err
peer_set_verified(struct core *c, const struct user_id *account, bool verified)
{
	struct peer peer;

	if (!verified)
		return c->store->del(c->store->ctx, RECORD_TRUST,
		    ID_SPAN(*account));
	TRY(peer_load(c, account, &peer));
	return c->store->put(c->store->ctx, RECORD_TRUST, ID_SPAN(*account),
	    SPAN_OF(peer.aik_hash), c->store->generation);
}

enum err
peer_is_verified(struct core *c, const struct user_id *account, bool *out)
{
	struct arena_mark m = arena_mark(c->arena);
	struct peer peer;
	struct span v;
	enum err e = c->store->get(c->store->ctx, RECORD_TRUST,
	    ID_SPAN(*account), c->arena, &v);

	*out = false;
	if (e == OK)
		e = peer_load(c, account, &peer);
	if (e == OK)
		*out = span_eq(v, SPAN_OF(peer.aik_hash));
	arena_reset(c->arena, m);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_sides(struct core *c, const struct user_id *account,
    struct view_side *own_out, struct view_side *peer_out)
{
	struct peer p;

	TRY(load_own(c, &p));
	own_out->version = p.list.version;
	memcpy(own_out->hash, p.list_hash, SHA256_LEN);
	TRY(peer_load(c, account, &p));
	peer_out->version = p.list.version;
	memcpy(peer_out->hash, p.list_hash, SHA256_LEN);
	return OK;
}

enum err
peer_view(struct core *c, const struct user_id *account,
    uint8_t out[static EVENT_VIEW_LEN])
{
	struct view_side own, peer;

	TRY(load_sides(c, account, &own, &peer));
	return view_make(c->p, &own, &peer, out);
}

enum err
peer_check_view(struct core *c, const struct user_id *account,
    const uint8_t view[static EVENT_VIEW_LEN], enum view_verdict *out)
{
	struct view_side own, peer;

	TRY(load_sides(c, account, &own, &peer));
	return view_check(c->p, &own, &peer, view, out);
}
