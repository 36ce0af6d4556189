/*
 * directory.c: one map of users. An entry lives as long as any reactor has a
 * connection of the user.
 */
#include "bus/directory.h"

#include <assert.h>

#define DIRECTORY_POOL_KEEP 1024

static uint64_t
directory_bit(unsigned reactor)
{
	assert(reactor < DIRECTORY_REACTORS_MAX);
	return 1ULL << reactor;
}

void
directory_init(struct directory *d, unsigned self, uint64_t seed)
{
	memset(d, 0, sizeof(*d));
	map_init(&d->users, ID_LEN, DIRECTORY_USERS_MAX, seed);
	pool_init(&d->pool, sizeof(struct directory_user),
	    DIRECTORY_POOL_KEEP);
	d->self = self;
}

void
directory_fini(struct directory *d)
{
	const void *key;
	void *value;
	size_t at = 0;

	if (d->users.key_len == 0)
		return;
	while (map_next(&d->users, &at, &key, &value)) {
		struct directory_user *u = value;
		struct list *l;

		while ((l = list_pop(&u->conns)) != NULL)
			LIST_ITEM(l, struct directory_conn, link)->user = NULL;
		pool_put(&d->pool, u);
	}
	map_fini(&d->users);
	pool_fini(&d->pool);
	memset(d, 0, sizeof(*d));
}

static struct directory_user *
directory_get(struct directory *d, const struct user_id *user, enum err *e)
{
	struct directory_user *u = map_find(&d->users, user->b);

	*e = OK;
	if (u != NULL)
		return u;
	u = pool_get(&d->pool);
	if (u == NULL) {
		*e = ERR_NOMEM;
		return NULL;
	}
	memset(u, 0, sizeof(*u));
	u->id = *user;
	list_init(&u->conns);
	*e = map_put(&d->users, user->b, u);
	if (*e != OK) {
		pool_put(&d->pool, u);
		return NULL;
	}
	return u;
}

static void
directory_drop(struct directory *d, struct directory_user *u)
{
	if (u->online != 0 || u->away != 0 || u->conns_n > 0 ||
	    u->others_n > 0)
		return;
	map_remove(&d->users, u->id.b);
	pool_put(&d->pool, u);
}

static enum directory_state
directory_of_bits(uint64_t online, uint64_t away)
{
	if (online != 0)
		return DIRECTORY_ONLINE;
	return away != 0 ? DIRECTORY_AWAY : DIRECTORY_OFFLINE;
}

static enum directory_state
directory_part(const struct directory_user *u, unsigned reactor)
{
	uint64_t bit = directory_bit(reactor);

	return directory_of_bits(u->online & bit, u->away & bit);
}

static void
directory_put(struct directory_user *u, unsigned reactor,
    enum directory_state state)
{
	uint64_t bit = directory_bit(reactor);

	u->online &= ~bit;
	u->away &= ~bit;
	if (state == DIRECTORY_ONLINE)
		u->online |= bit;
	if (state == DIRECTORY_AWAY)
		u->away |= bit;
}

static void
directory_put_kinds(struct directory_user *u, unsigned reactor, unsigned kinds)
{
	uint64_t bit = directory_bit(reactor);

	for (unsigned i = 0; i < DIRECTORY_KINDS; i++) {
		u->kinds[i] &= ~bit;
		if ((kinds >> i & 1) != 0)
			u->kinds[i] |= bit;
	}
}

/* This reactor's part anew from its connections. */
static void
directory_count(struct directory *d, struct directory_user *u)
{
	enum directory_state now = DIRECTORY_OFFLINE;
	unsigned kinds = 0;

	for (struct list *l = u->conns.next; l != &u->conns; l = l->next) {
		const struct directory_conn *c = LIST_ITEM(l,
		    struct directory_conn, link);

		kinds |= 1u << c->kind;
		if (!c->is_away)
			now = DIRECTORY_ONLINE;
		else if (now == DIRECTORY_OFFLINE)
			now = DIRECTORY_AWAY;
	}
	directory_put(u, d->self, now);
	directory_put_kinds(u, d->self, kinds);
}

enum err
directory_add(struct directory *d, const struct user_id *user,
    struct directory_conn *c)
{
	enum err e;
	struct directory_user *u = directory_get(d, user, &e);

	if (u == NULL)
		return e;
	assert(c->user == NULL);
	assert(c->kind < DIRECTORY_KINDS);
	c->user = u;
	list_push(&u->conns, &c->link);
	if (u->conns_n++ == 0)
		d->here++;
	directory_count(d, u);
	return OK;
}

void
directory_remove(struct directory *d, struct directory_conn *c)
{
	struct directory_user *u = c->user;

	if (u == NULL)
		return;
	list_remove(&c->link);
	c->user = NULL;
	if (--u->conns_n == 0)
		d->here--;
	directory_count(d, u);
	directory_drop(d, u);
}

void
directory_set_away(struct directory *d, struct directory_conn *c, bool is_away)
{
	if (c->user == NULL)
		return;
	c->is_away = is_away;
	directory_count(d, c->user);
}

enum directory_state
directory_here(const struct directory *d, const struct user_id *user)
{
	const struct directory_user *u = directory_find(d, user);

	return u == NULL ? DIRECTORY_OFFLINE : directory_part(u, d->self);
}

unsigned
directory_kinds(const struct directory *d, const struct user_id *user)
{
	const struct directory_user *u = directory_find(d, user);
	unsigned kinds = 0;

	for (unsigned i = 0; u != NULL && i < DIRECTORY_KINDS; i++)
		if ((u->kinds[i] & directory_bit(d->self)) != 0)
			kinds |= 1u << i;
	return kinds;
}

enum directory_state
directory_state(const struct directory *d, const struct user_id *user)
{
	const struct directory_user *u = directory_find(d, user);

	return u == NULL ? DIRECTORY_OFFLINE :
	    directory_of_bits(u->online, u->away);
}

enum err
directory_hear(struct directory *d, unsigned from, const struct user_id *user,
    enum directory_state state, unsigned kinds, int delta,
    enum directory_state *before_out, enum directory_state *after_out)
{
	enum directory_state before = directory_state(d, user);
	enum err e;

	assert(from != d->self);
	if (state != DIRECTORY_OFFLINE || directory_find(d, user) != NULL) {
		struct directory_user *u = directory_get(d, user, &e);

		if (u == NULL)
			return e;
		directory_put(u, from, state);
		directory_put_kinds(u, from, kinds);
		if (delta > 0)
			u->others_n++;
		if (delta < 0 && u->others_n > 0)
			u->others_n--;
		directory_drop(d, u);
	}
	*before_out = before;
	*after_out = directory_state(d, user);
	return OK;
}

uint32_t
directory_conns(const struct directory *d, const struct user_id *user)
{
	const struct directory_user *u = directory_find(d, user);

	return u == NULL ? 0 : u->conns_n + u->others_n;
}

const struct directory_user *
directory_find(const struct directory *d, const struct user_id *user)
{
	return map_find(&d->users, user->b);
}
