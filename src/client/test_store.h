/*
 * test_store.h: for tests only: profiles in memory, and what is under way in
 * the world of test_world.h. Included by test_server.h.
 */
#ifndef CLIENT_TEST_STORE_H
#define CLIENT_TEST_STORE_H

#include <stdlib.h>

#include "base/list.h"
#include "base/text.h"
#include "client/client.h"
#include "crypto/host.h"
#include "crypto/named.h"
#include "crypto/openssl.h"
#include "pub/devlist.h"
#include "pub/prekey_batch.h"
#include "wire/json.h"
#include "wire/shapes.h"

#define FAKE_NODES 3
#define FAKE_LEAVES 64
#define FAKE_MESSAGES 8192
#define FAKE_ACTIONS 8192

struct fake_record {
	uint8_t kind;
	struct span key, value;		/* malloc'ed */
};

/* A profile on "disk". */
struct fake_store {
	struct fake_record *r;
	size_t n, cap;
};

/* A message as the server has it. */
struct fake_message {
	struct message_rec m;		/* spans malloc'ed */
	struct shape_pair pairs[8];
};

/* What happened to a message later, with a position of its own. */
struct fake_change {
	size_t msg;
	uint64_t position, prev, at;
	struct event_id event;		/* of the edit */
	bool removed;			/* else edited */
};

enum fake_action_type { ACT_TIMER, ACT_ANSWER, ACT_EVENT, ACT_ACK, ACT_UP,
	ACT_START, ACT_DOWN };

struct fake_action {
	enum fake_action_type type;
	uint64_t at, order;
	int node;
	uint32_t id, status, link;
	char *name, *json;
};

struct fake_node {
	struct fake_store store;
	struct client c;
	bool alive, up, caught_up;
	uint32_t options;		/* 0: CLIENT_LISTEN */
	uint32_t link;			/* number of the present connection */
	uint32_t life;			/* number of the present process */
	uint64_t timer;
	struct user_id user;
	char name[16];
	/* Server's side of this account. */
	struct span list, cert, header, leaves[FAKE_LEAVES];
	size_t leaves_n, next_leaf;
	uint32_t device;
	uint8_t dsk_hash[32];
	bool bound;
	char token[128];
	unsigned tokens;
	/* What the test looks at. */
	unsigned ready, refused, repaired, errors, warnings, crashes;
	unsigned typings, dones;
	enum err error;			/* of the last SHOW_ERROR */
	int64_t skew_ms;		/* its clock is so far ahead */
};

struct fake {
	struct provider ossl, pv;
	struct named named;
	uint64_t now, order, rnd;
	uint64_t position;
	struct fake_node node[FAKE_NODES];
	struct { struct chat_id id; int a, b; uint64_t made, last;
	    bool said; } chat[8];
	int chats;
	struct fake_message *msg;
	size_t msgs;
	struct fake_change change[64];
	size_t changes;
	struct fake_action act[FAKE_ACTIONS];
	size_t acts;
	/* Faults, in percent. */
	unsigned drop, dup, reorder, crash, lose_answer, cut;
	/* Changes a message on its way to node `to`; may be NULL. */
	void (*tamper)(struct fake *f, struct message_rec *m, int to);
	bool silent;			/* a connection repeats nothing */
	uint32_t status;		/* of a refusal under way; 0: 404 */
	enum err refuse_edit;		/* edits are answered so; OK: taken */
	unsigned removals, blocks, patches, reports;	/* calls that came */
	uint64_t settings;		/* version; flags below */
	struct settings_flags_rec flags;
	struct span blob;
	bool conflict;			/* the next PUT of settings meets one */
	unsigned refuse_lists;		/* so many next ones, with 400 */
	unsigned refuse_devices;	/* so many next sends and edits */
	uint64_t replay_ms;		/* sends that say they are older, 0: all
					 * are taken */
	uint8_t *mem;
};

static inline uint64_t
fake_rnd(struct fake *f, uint64_t n)
{
	f->rnd ^= f->rnd << 13;
	f->rnd ^= f->rnd >> 7;
	f->rnd ^= f->rnd << 17;
	return f->rnd % n;
}

/*
 * The heap of a test: what is not given back by the end of its world is swept
 * then, so that a test may drop what it looked at.
 */
struct fake_mem {
	struct list in;
	uint8_t p[];
};
static struct list fake_heap = { &fake_heap, &fake_heap };

static inline void *
fake_alloc(size_t n)
{
	struct fake_mem *m = calloc(1, sizeof(*m) + n + 1);

	if (m == NULL)
		abort();
	list_push(&fake_heap, &m->in);
	return m->p;
}

static inline void
fake_drop(const void *p)
{
	union { const void *c; char *p; } u = { p };
	struct fake_mem *m;

	if (p == NULL)
		return;
	m = (struct fake_mem *)(void *)(u.p - offsetof(struct fake_mem, p));
	list_remove(&m->in);
	free(m);
}

static inline void
fake_sweep(void)
{
	struct list *l;

	while ((l = list_pop(&fake_heap)) != NULL)
		free(LIST_ITEM(l, struct fake_mem, in));
}

static inline struct span
fake_dup(struct span s)
{
	uint8_t *p = fake_alloc(s.n);

	if (s.n != 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

static inline void
fake_free(struct span s)
{
	fake_drop(s.p);
}

/* ------------------------------------------------------------ records */

static inline size_t
fake_lower(const struct fake_store *st, uint8_t kind, struct span key)
{
	size_t lo = 0, hi = st->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct fake_record *r = &st->r[mid];

		if (r->kind < kind || (r->kind == kind &&
		    span_cmp(r->key, key) < 0))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static inline bool
fake_is(const struct fake_store *st, size_t i, uint8_t kind, struct span key)
{
	return i < st->n && st->r[i].kind == kind &&
	    span_eq(st->r[i].key, key);
}

static inline enum err
fake_load(void *ctx, uint8_t kind, struct span key, struct arena *a,
    struct span *out)
{
	const struct fake_store *st = ctx;
	size_t i = fake_lower(st, kind, key);

	if (!fake_is(st, i, kind, key))
		return ERR_NOT_FOUND;
	return arena_dup(a, st->r[i].value, out);
}

static inline enum err
fake_seek(void *ctx, uint8_t kind, struct span prefix, struct span from,
    bool back, struct arena *a, struct span *key_out, struct span *value_out)
{
	const struct fake_store *st = ctx;
	const struct fake_record *best = NULL;
	size_t i, lo = fake_lower(st, kind, prefix);

	/* Plain on purpose: the meaning of `seek`, without cleverness. */
	if (!back && from.n != 0)
		lo = fake_lower(st, kind, from);
	for (i = lo; i < st->n && st->r[i].kind == kind; i++) {
		const struct fake_record *r = &st->r[i];

		if (!span_starts(r->key, prefix)) {
			if (back || from.n == 0 ||
			    span_cmp(r->key, prefix) > 0)
				break;
			continue;
		}
		if (from.n != 0 && (back ? span_cmp(r->key, from) >= 0 :
		    span_cmp(r->key, from) <= 0)) {
			if (back)
				break;
			continue;
		}
		best = r;
		if (!back)
			break;
	}
	if (best == NULL)
		return ERR_NOT_FOUND;
	if (arena_dup(a, best->key, key_out) != OK)
		return ERR_TOO_LARGE;
	return arena_dup(a, best->value, value_out);
}

static inline void
fake_put(struct fake_store *st, uint8_t kind, bool del, struct span key,
    struct span value)
{
	size_t i = fake_lower(st, kind, key);

	if (fake_is(st, i, kind, key)) {
		fake_free(st->r[i].value);
		if (!del) {
			st->r[i].value = fake_dup(value);
			return;
		}
		fake_free(st->r[i].key);
		memmove(&st->r[i], &st->r[i + 1],
		    (st->n - i - 1) * sizeof(*st->r));
		st->n--;
		return;
	}
	if (del)
		return;
	if (st->n == st->cap) {
		st->cap = st->cap ? 2 * st->cap : 256;
		st->r = realloc(st->r, st->cap * sizeof(*st->r));
		if (st->r == NULL)
			abort();
	}
	memmove(&st->r[i + 1], &st->r[i], (st->n - i) * sizeof(*st->r));
	st->r[i] = (struct fake_record){ kind, fake_dup(key),
	    fake_dup(value) };
	st->n++;
}

/* ------------------------------------------------------------- actions */

static inline struct fake_action *
fake_later(struct fake *f, enum fake_action_type t, int node, uint64_t in_ms)
{
	struct fake_action *a;

	if (f->acts == FAKE_ACTIONS)
		abort();
	a = &f->act[f->acts++];
	*a = (struct fake_action){ .type = t, .node = node,
	    .at = f->now + in_ms, .order = f->order++ };
	return a;
}

static inline char *
fake_text(struct span s)
{
	union { const uint8_t *c; char *p; } u = { fake_dup(s).p };

	return u.p;
}

static inline void
fake_send_event(struct fake *f, int to, const char *name, struct span json,
    uint64_t in_ms)
{
	struct fake_action *a = fake_later(f, ACT_EVENT, to, in_ms);

	a->link = f->node[to].link;
	a->name = fake_text(span_str(name));
	a->json = fake_text(json);
}

static inline struct span
fake_json(struct arena *a, const struct shape *shape, const void *rec)
{
	struct span out;

	if (shape_encode_arena(shape, rec, a, &out) != OK)
		abort();
	return out;
}

#endif
