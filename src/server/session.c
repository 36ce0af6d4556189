/*
 * session.c: a map and the order of last use; the longest unused goes first.
 */
#include "server/session.h"

#define SESSIONS_POOL_KEEP 256

struct session_entry {
	struct list link;
	struct caller who;
};

void
sessions_init(struct sessions *s, size_t max, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	map_init(&s->by_id, ID_LEN, max, seed);
	pool_init(&s->pool, sizeof(struct session_entry), SESSIONS_POOL_KEEP);
	list_init(&s->used);
	s->max = max;
}

static void
session_free(struct sessions *s, struct session_entry *e)
{
	list_remove(&e->link);
	map_remove(&s->by_id, e->who.session.b);
	pool_put(&s->pool, e);
}

void
sessions_fini(struct sessions *s)
{
	if (s->by_id.key_len == 0)
		return;
	while (!list_is_empty(&s->used))
		session_free(s, LIST_ITEM(s->used.next,
		    struct session_entry, link));
	map_fini(&s->by_id);
	pool_fini(&s->pool);
	memset(s, 0, sizeof(*s));
}

const struct caller *
sessions_find(struct sessions *s, const struct session_id *id)
{
	struct session_entry *e = map_find(&s->by_id, id->b);

	if (e == NULL)
		return NULL;
	list_remove(&e->link);
	list_push(&s->used, &e->link);
	return &e->who;
}

void
sessions_put(struct sessions *s, const struct caller *who)
{
	struct session_entry *e = map_find(&s->by_id, who->session.b);

	if (e != NULL) {
		e->who = *who;
		return;
	}
	if (s->by_id.n >= s->max)
		session_free(s, LIST_ITEM(s->used.next,
		    struct session_entry, link));
	e = pool_get(&s->pool);
	if (e == NULL)
		return;
	memset(e, 0, sizeof(*e));
	e->who = *who;
	if (map_put(&s->by_id, who->session.b, e) != OK) {
		pool_put(&s->pool, e);
		return;
	}
	list_push(&s->used, &e->link);
}

void
sessions_forget(struct sessions *s, const struct session_id *id)
{
	struct session_entry *e = map_find(&s->by_id, id->b);

	s->epoch++;
	if (e != NULL)
		session_free(s, e);
}

void
sessions_set_device(struct sessions *s, const struct session_id *id,
    uint32_t device)
{
	struct session_entry *e = map_find(&s->by_id, id->b);

	s->epoch++;
	if (e != NULL)
		e->who.device = device;
}
