/*
 * rooms.c: which socket is in which room. A membership hangs in its room and
 * at its socket, so that both can be walked; rooms are found by a hash of
 * namespace and name. The room of a socket's own id has no membership: the id
 * says which slot it is of.
 * exports edge_rooms_*, edge_rooms, edge_join, edge_leave, edge_is_in
 *
 * Implementation notes: the first 4 of an id's 15 bytes are the index of its
 * slot, hidden by a hash of the others with the edge's secret seed. A socket
 * that was recovered has the id of another slot; it is in the room of its id
 * by a membership like any other.
 */
#include <assert.h>

#include "base/text.h"
#include "edge/sio.h"

#define ID_RAW 15
#define ID_INDEX 4		/* bytes of them */

static struct sio *
sio_of(const struct sock *k)
{
	return k->nsp->edge->sio;
}

static uint32_t
mask(const struct sio *x, const uint8_t raw[static ID_RAW])
{
	return (uint32_t)map_hash_of(span_of(raw + ID_INDEX,
	    ID_RAW - ID_INDEX), x->seed);
}

void
edge_rooms_make_id(struct sock *k)
{
	uint8_t raw[ID_RAW];
	struct wr w = wr_init(raw, ID_INDEX);
	size_t n;

	sys_random(raw, sizeof raw);
	wr_u32(&w, k->slot.index ^ mask(sio_of(k), raw));
	n = base64url_encode(SPAN_OF(raw), k->id);
	assert(n == EDGE_SOCK_ID);
}

struct sock *
edge_rooms_owner(struct nsp *n, struct span name)
{
	struct sio *x = n->edge->sio;
	uint8_t raw[ID_RAW];
	struct sock *k;
	struct rd r;
	size_t got = 0;

	if (name.n != EDGE_SOCK_ID || !base64url_decode(name, raw, &got) ||
	    got != ID_RAW)
		return NULL;
	r = rd_init(span_of(raw, ID_INDEX));
	k = slab_used(&n->edge->socks, rd_u32(&r) ^ mask(x, raw));
	return k != NULL && k->nsp == n && k->state == SOCK_OPEN &&
	    (k->flags & SOCK_NOT_OWN) == 0 &&
	    memcmp(k->id, name.p, EDGE_SOCK_ID) == 0 ? k : NULL;
}

/* ---- Rooms ---- */

static uint64_t
hash_of(const struct nsp *n, struct span name)
{
	return map_hash_of(name, n->edge->sio->seed ^
	    (uint64_t)(n->slot.index + 1) * 0x9e3779b97f4a7c15ULL);
}

static struct room *
room_at(struct sio *x, uint32_t index)
{
	return slab_at(&x->rooms, index);
}

static struct member *
member_at(struct sio *x, uint32_t index)
{
	return slab_at(&x->members, index);
}

static uint32_t
first_of(struct sio *x, uint64_t hash)
{
	return (uint32_t)(uintptr_t)map_find(&x->rooms_by, &hash) - 1;
}

static struct room *
find(struct nsp *n, struct span name, uint64_t hash)
{
	struct sio *x = n->edge->sio;

	for (uint32_t i = first_of(x, hash); i != SIO_NONE;) {
		struct room *r = room_at(x, i);

		if (r->nsp == n && span_eq(blob_span(r->name), name))
			return r;
		i = r->same;
	}
	return NULL;
}

struct room *
edge_rooms_find(struct nsp *n, struct span name)
{
	return find(n, name, hash_of(n, name));
}

/* It lives while its members' sockets do, and so does its namespace. */
static enum err
make(struct nsp *n, struct span name, struct room **out)
{
	struct sio *x = n->edge->sio;
	uint64_t hash = hash_of(n, name);
	struct room *r = find(n, name, hash);
	enum err err;

	if (r != NULL) {
		*out = r;
		return OK;
	}
	if (x->rooms.max == 0 || (r = slab_get(&x->rooms)) == NULL)
		return ERR_LIMIT;
	r->nsp = n;
	r->hash = hash;
	r->same = first_of(x, hash);
	r->first = SIO_NONE;
	r->name = blob_dup(name);
	err = r->name == NULL ? ERR_NOMEM : map_put(&x->rooms_by, &hash,
	    (void *)(uintptr_t)(r->slot.index + 1));
	if (err != OK) {
		blob_unref(r->name);
		slab_put(&x->rooms, r);
		return err;
	}
	n->edge->stats.rooms++;
	*out = r;
	return OK;
}

static void
unchain(struct sio *x, struct room *r)
{
	uint32_t i = first_of(x, r->hash);

	if (i == r->slot.index) {
		(void)map_remove(&x->rooms_by, &r->hash);
		/* There was an entry, so there is room for it. */
		if (r->same != SIO_NONE && map_put(&x->rooms_by, &r->hash,
		    (void *)(uintptr_t)(r->same + 1)) != OK)
			assert(false);
		return;
	}
	while (room_at(x, i)->same != r->slot.index)
		i = room_at(x, i)->same;
	room_at(x, i)->same = r->same;
}

/* Nobody is in it any more. */
static void
drop_if_empty(struct sio *x, struct room *r)
{
	if (r->n > 0)
		return;
	r->nsp->edge->stats.rooms--;
	unchain(x, r);
	blob_unref(r->name);
	slab_put(&x->rooms, r);
}

/* ---- Memberships ---- */

static struct member *
member_of(const struct sock *k, const struct room *r)
{
	struct sio *x = sio_of(k);
	uint32_t i = k->more == NULL ? SIO_NONE : k->more->rooms;

	while (i != SIO_NONE) {
		struct member *m = member_at(x, i);

		if (m->room == r->slot.index)
			return m;
		i = m->sock_next;
	}
	return NULL;
}

static bool
is_own(const struct sock *k, struct span name)
{
	return edge_rooms_owner(k->nsp, name) == k;
}

static bool
is_id_of(const struct sock *k, struct span name)
{
	return span_eq(name, SPAN_OF(k->id));
}

/* At the end of its socket's list and of its room's. */
static void
hang(struct sio *x, struct member *m, struct sock *k, struct room *r)
{
	uint32_t *at = &k->more->rooms;

	m->sock = k->slot.index;
	m->room = r->slot.index;
	m->sock_next = m->prev = SIO_NONE;
	while (*at != SIO_NONE)
		at = &member_at(x, *at)->sock_next;
	*at = m->slot.index;
	m->next = r->first;
	if (r->first != SIO_NONE)
		member_at(x, r->first)->prev = m->slot.index;
	r->first = m->slot.index;
	r->n++;
	k->more->rooms_n++;
	k->nsp->edge->stats.members++;
}

static enum err
add(struct sock *k, struct span name)
{
	struct edge *e = k->nsp->edge;
	struct sio *x = e->sio;
	struct sock_more *more = edge_sio_more(k);
	struct member *m;
	struct room *r;

	if (more == NULL || x->members.max == 0)
		return ERR_LIMIT;
	TRY(make(k->nsp, name, &r));
	if (member_of(k, r) != NULL)
		return OK;
	if (more->rooms_n >= e->conf.sock_rooms_max ||
	    (m = slab_get(&x->members)) == NULL) {
		drop_if_empty(x, r);
		return ERR_LIMIT;
	}
	hang(x, m, k, r);
	return OK;
}

enum err
edge_rooms_add(struct sock *k, struct span name)
{
	struct edge *e = k->nsp->edge;
	enum err err;

	if (name.n == 0 || name.n > e->conf.room_name_max)
		return ERR_ARG;
	if (is_own(k, name))
		return OK;
	err = add(k, name);
	if (err == ERR_LIMIT)
		e->stats.rooms_over++;
	return err;
}

/* m is what *at names. */
static void
unhang(struct sio *x, struct sock *k, uint32_t *at)
{
	struct member *m = member_at(x, *at);
	struct room *r = room_at(x, m->room);

	*at = m->sock_next;
	if (m->prev == SIO_NONE)
		r->first = m->next;
	else
		member_at(x, m->prev)->next = m->next;
	if (m->next != SIO_NONE)
		member_at(x, m->next)->prev = m->prev;
	slab_put(&x->members, m);
	k->more->rooms_n--;
	k->nsp->edge->stats.members--;
	r->n--;
	drop_if_empty(x, r);
}

void
edge_rooms_remove(struct sock *k, struct span name)
{
	struct sio *x = sio_of(k);
	struct room *r;

	if (is_own(k, name)) {
		k->flags |= SOCK_NOT_OWN;
		return;
	}
	if (k->more == NULL || (r = edge_rooms_find(k->nsp, name)) == NULL)
		return;
	for (uint32_t *at = &k->more->rooms; *at != SIO_NONE;
	    at = &member_at(x, *at)->sock_next) {
		if (member_at(x, *at)->room == r->slot.index) {
			unhang(x, k, at);
			return;
		}
	}
}

void
edge_rooms_remove_all(struct sock *k)
{
	while (k->more != NULL && k->more->rooms != SIO_NONE)
		unhang(sio_of(k), k, &k->more->rooms);
}

bool
edge_rooms_is_in(const struct sock *k, struct span name)
{
	struct room *r;

	if (is_id_of(k, name) && is_own(k, name))
		return true;
	r = edge_rooms_find(k->nsp, name);
	return r != NULL && member_of(k, r) != NULL;
}

bool
edge_rooms_next(const struct sock *k, uint64_t *at, struct span *name)
{
	struct sio *x = sio_of(k);
	struct member *m;

	if (*at == 0) {
		*at = k->more == NULL || k->more->rooms == SIO_NONE ?
		    UINT64_MAX : (uint64_t)k->more->rooms + 1;
		if (is_own(k, SPAN_OF(k->id))) {
			*name = SPAN_OF(k->id);
			return true;
		}
	}
	if (*at == UINT64_MAX)
		return false;
	m = member_at(x, (uint32_t)(*at - 1));
	*name = blob_span(room_at(x, m->room)->name);
	*at = m->sock_next == SIO_NONE ? UINT64_MAX :
	    (uint64_t)m->sock_next + 1;
	return true;
}

/* ---- For the application ---- */

enum err
edge_join(struct edge_ref sock, struct span room)
{
	struct sock *k = edge_sio_find_open(sock);

	return k == NULL ? ERR_NOT_FOUND : edge_rooms_add(k, room);
}

void
edge_leave(struct edge_ref sock, struct span room)
{
	struct sock *k = edge_sio_find_open(sock);

	if (k != NULL)
		edge_rooms_remove(k, room);
}

bool
edge_is_in(struct edge_ref sock, struct span room)
{
	struct sock *k = edge_sio_find_open(sock);

	return k != NULL && edge_rooms_is_in(k, room);
}

void
edge_rooms(struct edge_ref sock, void (*fn)(void *arg, struct span room),
    void *arg)
{
	struct sock *k = edge_sio_find_open(sock);
	struct span name;
	uint64_t at = 0;

	while (k != NULL && edge_rooms_next(k, &at, &name))
		fn(arg, name);
}
