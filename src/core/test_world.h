/*
 * test_world.h: for the tests of core alone: a store in memory with
 * transactions, copies and failures on demand, and devices that live on it.
 * Everything random comes from a seed. Header only; each test is one program.
 */
#ifndef CORE_TEST_WORLD_H
#define CORE_TEST_WORLD_H

#include <stdlib.h>

#include "core/content.h"
#include "core/pair.h"
#include "core/prekey.h"
#include "core/retry.h"
#include "core/sessions.h"
#include "crypto/hash.h"
#include "crypto/named.h"
#include "crypto/openssl.h"

#define W_UNUSED __attribute__((unused))
#define W_DAY_MS (24ull * 3600 * 1000)
#define W_START_MS 1767225600000ull

struct w_rec {
	uint8_t kind, key_n;
	uint8_t key[RECORD_KEY_MAX];
	uint8_t *value;
	size_t n;
};

/* What a put or del replaced. */
struct w_undo {
	struct w_rec old;		/* value NULL: there was none */
};

struct w_store {
	struct w_rec *recs;		/* sorted by kind and key */
	size_t n, cap;
	struct w_undo *undo;
	size_t undo_n, undo_cap;
	long fail_in;			/* > 0: the call that fails */
	unsigned long calls, puts;
	struct store api;
};

static W_UNUSED uint8_t *
w_copy(const uint8_t *p, size_t n)
{
	uint8_t *c = malloc(n + 1);

	if (c == NULL)
		abort();
	if (n != 0)
		memcpy(c, p, n);
	return c;
}

static W_UNUSED int
w_cmp(uint8_t kind, struct span key, const struct w_rec *r)
{
	if (kind != r->kind)
		return kind < r->kind ? -1 : 1;
	return span_cmp(key, span_of(r->key, r->key_n));
}

/* First index that is not below. */
static W_UNUSED size_t
w_find(const struct w_store *s, uint8_t kind, struct span key)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (w_cmp(kind, key, &s->recs[mid]) > 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static W_UNUSED bool
w_is_at(const struct w_store *s, size_t i, uint8_t kind, struct span key)
{
	return i < s->n && w_cmp(kind, key, &s->recs[i]) == 0;
}

static W_UNUSED bool
w_fails(struct w_store *s)
{
	s->calls++;
	return s->fail_in > 0 && --s->fail_in == 0;
}

static W_UNUSED void
w_remember(struct w_store *s, uint8_t kind, struct span key,
    const struct w_rec *old)
{
	struct w_undo u = { .old = { .kind = kind } };

	u.old.key_n = (uint8_t)key.n;
	if (key.n != 0)
		memcpy(u.old.key, key.p, key.n);
	if (old != NULL) {
		u.old.value = w_copy(old->value, old->n);
		u.old.n = old->n;
	}
	if (s->undo_n == s->undo_cap) {
		s->undo_cap = s->undo_cap * 2 + 16;
		s->undo = realloc(s->undo, s->undo_cap * sizeof(*s->undo));
		if (s->undo == NULL)
			abort();
	}
	s->undo[s->undo_n++] = u;
}

/* value NULL deletes. */
static W_UNUSED void
w_set(struct w_store *s, uint8_t kind, struct span key, const uint8_t *value,
    size_t n)
{
	size_t i = w_find(s, kind, key);
	bool there = w_is_at(s, i, kind, key);

	if (there) {
		/* As a careful host would. */
		wipe(s->recs[i].value, s->recs[i].n);
		free(s->recs[i].value);
	}
	if (value == NULL) {
		if (!there)
			return;
		memmove(&s->recs[i], &s->recs[i + 1],
		    (s->n - i - 1) * sizeof(s->recs[0]));
		s->n--;
		return;
	}
	if (!there) {
		if (s->n == s->cap) {
			s->cap = s->cap * 2 + 64;
			s->recs = realloc(s->recs, s->cap * sizeof(*s->recs));
			if (s->recs == NULL)
				abort();
		}
		memmove(&s->recs[i + 1], &s->recs[i],
		    (s->n - i) * sizeof(s->recs[0]));
		s->n++;
		s->recs[i].kind = kind;
		s->recs[i].key_n = (uint8_t)key.n;
		if (key.n != 0)
			memcpy(s->recs[i].key, key.p, key.n);
	}
	s->recs[i].value = w_copy(value, n);
	s->recs[i].n = n;
}

static W_UNUSED enum err
w_get(void *ctx, uint8_t kind, struct span key, struct arena *arena,
    struct span *value_out)
{
	struct w_store *s = ctx;
	size_t i = w_find(s, kind, key);

	if (w_fails(s))
		return ERR_STORE;
	if (!w_is_at(s, i, kind, key))
		return ERR_NOT_FOUND;
	return arena_dup(arena, span_of(s->recs[i].value, s->recs[i].n),
	    value_out);
}

static W_UNUSED enum err
w_put(void *ctx, uint8_t kind, struct span key, struct span value,
    uint64_t generation)
{
	struct w_store *s = ctx;
	size_t i = w_find(s, kind, key);

	if (w_fails(s) || key.n > RECORD_KEY_MAX ||
	    value.n > RECORD_VALUE_MAX || generation != s->api.generation)
		return ERR_STORE;
	w_remember(s, kind, key, w_is_at(s, i, kind, key) ?
	    &s->recs[i] : NULL);
	w_set(s, kind, key, value.p == NULL ? (const uint8_t *)"" : value.p,
	    value.n);
	s->puts++;
	return OK;
}

static W_UNUSED enum err
w_del(void *ctx, uint8_t kind, struct span key)
{
	struct w_store *s = ctx;
	size_t i = w_find(s, kind, key);

	if (w_fails(s))
		return ERR_STORE;
	if (!w_is_at(s, i, kind, key))
		return OK;
	/* The key may point into the record that goes. */
	struct w_rec r = s->recs[i];

	w_remember(s, kind, span_of(r.key, r.key_n), &s->recs[i]);
	w_set(s, kind, span_of(r.key, r.key_n), NULL, 0);
	return OK;
}

static W_UNUSED enum err
w_iterate(void *ctx, uint8_t kind, struct span prefix, store_each_fn fn,
    void *arg)
{
	struct w_store *s = ctx;
	struct w_rec *copy = NULL;
	size_t from = w_find(s, kind, prefix), n = 0;
	enum err e = OK;

	if (w_fails(s))
		return ERR_STORE;
	while (from + n < s->n && s->recs[from + n].kind == kind &&
	    span_starts(span_of(s->recs[from + n].key,
	    s->recs[from + n].key_n), prefix))
		n++;
	copy = malloc((n + 1) * sizeof(*copy));
	if (copy == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		copy[i] = s->recs[from + i];
		copy[i].value = w_copy(copy[i].value, copy[i].n);
	}
	for (size_t i = 0; i < n; i++) {
		if (e == OK)
			e = fn(arg, span_of(copy[i].key, copy[i].key_n),
			    span_of(copy[i].value, copy[i].n));
		wipe(copy[i].value, copy[i].n);
		free(copy[i].value);
	}
	free(copy);
	return e;
}

static W_UNUSED void
w_store_init(struct w_store *s)
{
	memset(s, 0, sizeof(*s));
	s->api = (struct store){ s, 1, w_get, w_put, w_del, w_iterate };
}

static W_UNUSED void
w_commit(struct w_store *s)
{
	for (size_t i = 0; i < s->undo_n; i++)
		if (s->undo[i].old.value != NULL) {
			wipe(s->undo[i].old.value, s->undo[i].old.n);
			free(s->undo[i].old.value);
		}
	s->undo_n = 0;
	s->api.generation++;
}

static W_UNUSED void
w_rollback(struct w_store *s)
{
	while (s->undo_n > 0) {
		struct w_rec *o = &s->undo[--s->undo_n].old;

		w_set(s, o->kind, span_of(o->key, o->key_n), o->value, o->n);
		free(o->value);
	}
}

static W_UNUSED void
w_store_fini(struct w_store *s)
{
	w_commit(s);
	for (size_t i = 0; i < s->n; i++)
		free(s->recs[i].value);
	free(s->recs);
	free(s->undo);
	memset(s, 0, sizeof(*s));
}

/* A deep copy of what is committed; generation as it was then. */
static W_UNUSED void
w_store_copy(struct w_store *to, const struct w_store *from)
{
	w_store_init(to);
	to->recs = malloc((from->n + 1) * sizeof(*to->recs));
	if (to->recs == NULL)
		abort();
	to->n = from->n;
	to->cap = from->n + 1;
	for (size_t i = 0; i < from->n; i++) {
		to->recs[i] = from->recs[i];
		to->recs[i].value = w_copy(from->recs[i].value,
		    from->recs[i].n);
	}
	to->api.generation = from->api.generation;
}

/* FNV-1a over every record: equal when nothing has changed. */
static W_UNUSED uint64_t
w_hash(const struct w_store *s)
{
	uint64_t h = 14695981039346656037ull;

	for (size_t i = 0; i < s->n; i++) {
		const struct w_rec *r = &s->recs[i];

		h = (h ^ r->kind) * 1099511628211ull;
		for (size_t k = 0; k < r->key_n; k++)
			h = (h ^ r->key[k]) * 1099511628211ull;
		for (size_t k = 0; k < r->n; k++)
			h = (h ^ r->value[k]) * 1099511628211ull;
	}
	return h;
}

/* The number of records of a kind. */
static W_UNUSED size_t
w_count(const struct w_store *s, uint8_t kind)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->recs[i].kind == kind;
	return n;
}

/* A device with its store; all of them share one OpenSSL provider. */
struct w_dev {
	struct w_store st;
	struct named named;
	struct provider p;
	struct arena arena;
	uint8_t *mem;
	struct core c;
	struct address addr;
	struct span list, cert;		/* heap copies */
	struct span header;
	struct span leaves[MERKLE_LEAVES_MAX];
	uint16_t leaves_n, next_leaf;
};

static W_UNUSED struct provider w_base;

static W_UNUSED void
w_setup(void)
{
	if (w_base.random == NULL && openssl_provider_open(&w_base) != OK)
		abort();
}

static W_UNUSED void
w_teardown(void)
{
	openssl_provider_close(&w_base);
	memset(&w_base, 0, sizeof(w_base));
}

static W_UNUSED struct span
w_keep(struct span s)
{
	return span_of(w_copy(s.p, s.n), s.n);
}

static W_UNUSED void
w_drop(struct span *s)
{
	union { const uint8_t *c; void *p; } u = { s->p };

	free(u.p);
	*s = (struct span){ 0 };
}

/* Commits when e is OK, else rolls back; puts the arena back. */
static W_UNUSED enum err
w_end(struct w_dev *d, enum err e)
{
	struct arena_mark start = { d->mem, 0, CORE_ARENA_BYTES, 0, NULL };

	if (e == OK)
		w_commit(&d->st);
	else
		w_rollback(&d->st);
	store_scratch_end(&d->arena, start);
	return e;
}

static W_UNUSED void
w_forget_upload(struct w_dev *d)
{
	w_drop(&d->header);
	for (uint16_t i = 0; i < d->leaves_n; i++)
		w_drop(&d->leaves[i]);
	d->leaves_n = 0;
}

/* A new batch; the copy here plays the server. */
static W_UNUSED enum err
w_prekeys(struct w_dev *d, uint16_t n)
{
	static struct prekey_upload up;
	enum err e = prekey_make(&d->c, n, &up);

	if (e == OK) {
		w_forget_upload(d);
		d->header = w_keep(up.header);
		for (uint16_t i = 0; i < up.leaves_n; i++)
			d->leaves[i] = w_keep(up.leaves[i]);
		d->leaves_n = up.leaves_n;
		d->next_leaf = 2;
	}
	return w_end(d, e);
}

static W_UNUSED void
w_take_cert(struct w_dev *d)
{
	static struct identity id;

	if (identity_load(&d->c, &id) != OK)
		abort();
	w_drop(&d->cert);
	d->cert = w_keep(span_of(id.keys.cert, id.keys.cert_n));
	(void)w_end(d, OK);
}

static W_UNUSED void
w_dev_init(struct w_dev *d, uint8_t number, uint64_t seed, uint16_t leaves)
{
	uint8_t bytes[16] = { 0 };
	struct wr w = wr_init(bytes, sizeof(bytes));
	struct user_id account = { { number, 0x4e, 0x4a } };
	struct span list;

	w_setup();
	memset(d, 0, sizeof(*d));
	wr_u64(&w, seed);
	wr_u64(&w, number);
	if (named_seed(&d->named, &w_base, SPAN_OF(bytes), &d->p) != OK)
		abort();
	w_store_init(&d->st);
	d->mem = calloc(1, CORE_ARENA_BYTES);
	arena_init(&d->arena, d->mem, CORE_ARENA_BYTES);
	d->c = (struct core){ &d->p, &d->st.api, &d->arena, W_START_MS };
	d->addr = (struct address){ account, 1 };
	if (identity_create(&d->c, &account, 0, &list) != OK)
		abort();
	d->list = w_keep(list);
	(void)w_end(d, OK);
	w_take_cert(d);
	if (w_prekeys(d, leaves) != OK)
		abort();
}

static W_UNUSED void
w_dev_fini(struct w_dev *d)
{
	w_forget_upload(d);
	w_drop(&d->list);
	w_drop(&d->cert);
	w_store_fini(&d->st);
	free(d->mem);
}

/* d learns of other: its list and its certificate. */
static W_UNUSED enum err
w_meet(struct w_dev *d, const struct w_dev *other)
{
	struct peer_news news;
	enum err e = peer_accept_list(&d->c, &other->addr.account,
	    other->list, &news);

	if (e == OK)
		e = peer_accept_cert(&d->c, &other->addr.account, other->cert);
	return w_end(d, e);
}

/* Accounts 1 and 2, one device each, that know each other. */
static W_UNUSED void
w_pair_init(struct w_dev *a, struct w_dev *b, uint64_t seed, uint16_t leaves)
{
	w_dev_init(a, 1, seed, leaves);
	w_dev_init(b, 2, seed, leaves);
	if (w_meet(a, b) != OK || w_meet(b, a) != OK)
		abort();
}

static W_UNUSED int
w_pair_fini(struct w_dev *a, struct w_dev *b)
{
	w_dev_fini(a);
	w_dev_fini(b);
	return 0;
}

/* What the server would hand out for a device; path memory is the caller's. */
struct w_bundle {
	struct bundle_bytes b;
	uint8_t path[2][MERKLE_DEPTH_MAX * SHA256_LEN];
};

static W_UNUSED void
w_path(const struct w_dev *d, uint16_t index, uint8_t *mem, struct span *out)
{
	struct merkle_hash hashes[MERKLE_LEAVES_MAX], path[MERKLE_DEPTH_MAX];
	size_t depth = merkle_depth(d->leaves_n);

	for (uint16_t i = 0; i < d->leaves_n; i++)
		if (merkle_leaf(&w_base, d->leaves[i], &hashes[i]) != OK)
			abort();
	if (merkle_path(&w_base, hashes, d->leaves_n, index, path) != OK)
		abort();
	memcpy(mem, path, depth * SHA256_LEN);
	*out = span_of(mem, depth * SHA256_LEN);
}

static W_UNUSED void
w_serve(struct w_dev *d, struct w_bundle *w)
{
	uint16_t leaf = d->next_leaf < d->leaves_n ? d->next_leaf++ : 1;

	memset(w, 0, sizeof(*w));
	w->b.cert = d->cert;
	w->b.header = d->header;
	w->b.index[1] = leaf;
	w->b.leaf[0] = d->leaves[0];
	w->b.leaf[1] = d->leaves[leaf];
	w_path(d, 0, w->path[0], &w->b.path[0]);
	w_path(d, leaf, w->path[1], &w->b.path[1]);
}

static W_UNUSED enum err
w_initiate(struct w_dev *d, struct w_dev *to)
{
	static struct w_bundle b;

	w_serve(to, &b);
	return w_end(d, sessions_initiate(&d->c, &to->addr, &b.b));
}

/* Seals text; the message is a heap copy. */
static W_UNUSED enum err
w_seal(struct w_dev *d, const struct w_dev *to, struct span content,
    struct span *out)
{
	struct span msg;
	enum err e = sessions_seal(&d->c, &to->addr, content, &msg, NULL);

	if (e == OK)
		*out = w_keep(msg);
	return w_end(d, e);
}

/* Opens; content_out (heap copy) may be NULL. */
static W_UNUSED enum err
w_open(struct w_dev *d, const struct w_dev *from, struct span msg,
    struct sessions_opened *o, struct span *content_out)
{
	enum err e = sessions_open(&d->c, &from->addr, msg, o);

	if (e == OK && content_out != NULL)
		*content_out = w_keep(o->content);
	return w_end(d, e);
}

/* A small generator for schedules; not for keys. */
static W_UNUSED uint64_t
w_rand(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static W_UNUSED uint64_t
w_env(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);
	uint64_t n;

	return v != NULL && span_u64(span_str(v), UINT64_MAX, &n) ?
	    n : otherwise;
}

#endif
