/*
 * history.c: see history.h. It steps back `limit` entries and then forward,
 * so it holds one entry at a time, however long the history is.
 */
#include "cli/history.h"

/* The chat with a person; before the server knows one, the person's id. */
static enum err
find_chat(struct host *h, const struct user_id *user, struct chat_id *out)
{
	struct client_person p;
	enum err e = client_person(&h->client, &h->query, user, &p);
	memcpy(out->b, user->b, ID_LEN);
	if (e == ERR_NOT_FOUND)
		return OK;
	TRY(e);
	if (!ID_IS_ZERO(p.chat))
		*out = p.chat;
	return OK;
}

static enum err
next(struct host *h, const struct chat_id *chat, bool back,
    struct client_place *at, struct client_item *it)
{
	return client_history_next(&h->client, &h->query, chat, back, at, it);
}

static enum err
walk(struct host *h, const struct user_id *user, size_t limit,
    history_fn fn, void *ctx)
{
	struct client_place at = { 0 };
	struct client_item it;
	struct chat_id chat;
	size_t n = 0;
	enum err e = OK;
	TRY(find_chat(h, user, &chat));
	while (n < limit && e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = next(h, &chat, true, &at, &it);
		arena_wipe(&h->query, m);
		n += e == OK;
	}
	if (n == 0)
		return e == ERR_NOT_FOUND ? OK : e;
	/* `at` is the oldest one's own place now. */
	struct arena_mark first = arena_mark(&h->query);
	e = OK;
	struct client_place before = at;
	bool begin = next(h, &chat, true, &before, &it) != OK;
	arena_wipe(&h->query, first);
	if (begin)
		at = (struct client_place){ 0 };
	else
		at = before;
	while (n-- > 0 && e == OK) {
		struct arena_mark m = arena_mark(&h->query);
		e = next(h, &chat, false, &at, &it);
		if (e == OK)
			e = fn(h, &it, ctx);
		arena_wipe(&h->query, m);
	}
	return e;
}

enum err
history_last(struct host *h, const struct user_id *user, size_t limit,
    history_fn fn, void *ctx)
{
	TRY(host_read(h));
	enum err e = walk(h, user, limit, fn, ctx);
	host_read_end(h);
	return e;
}
