/*
 * typing.c: who types in which chat, kept on the reactor of the chat's key;
 * each entry ends by itself.
 */
#include <assert.h>
#include <stdlib.h>

#include "server/frame.h"
#include "server/ops.h"

#define TYPING_MS 5000
#define TYPING_MAX 16384	/* of a reactor; beyond: not remembered */
#define TYPING_KEY (2 * ID_LEN)

struct typing {
	struct timer timer;
	struct shard *shard;
	struct caller who;
	struct chat_id chat;
};

static void
typing_key(const struct chat_id *chat, const struct user_id *user,
    uint8_t key[static TYPING_KEY])
{
	memcpy(key, chat->b, ID_LEN);
	memcpy(key + ID_LEN, user->b, ID_LEN);
}

static void
typing_end(struct typing *t)
{
	uint8_t key[TYPING_KEY];

	timer_cancel(&t->timer);
	typing_key(&t->chat, &t->who.user, key);
	map_remove(&t->shard->typing, key);
	free(t);
}

static void
typing_fired(struct timer *timer)
{
	struct typing *t = LIST_ITEM(timer, struct typing, timer);
	struct frame *f = frame_internal(t->shard,
	    ops_get(OP_typing_expired), &t->who, NULL);
	struct chat_id chat = t->chat;

	typing_end(t);
	if (f == NULL)
		return;
	struct typing_req *req = f->call.req;
	req->chat_id = chat;
	req->has_chat_id = true;
	frame_run(f);
}

bool
typing_set(struct call *c, const struct chat_id *chat, bool is_typing)
{
	struct shard *s = frame_of(c)->at;
	uint8_t key[TYPING_KEY];
	struct typing *t;

	assert(reactor_self() == s->reactor);
	if (s->typing.key_len == 0)
		map_init(&s->typing, TYPING_KEY, TYPING_MAX, s->server->seed);
	typing_key(chat, &c->who.user, key);
	t = map_find(&s->typing, key);
	bool was = t != NULL;
	if (!is_typing) {
		if (was)
			typing_end(t);
		return was;
	}
	if (!was) {
		t = calloc(1, sizeof(*t));
		if (t == NULL)
			return false;
		t->shard = s;
		t->who = c->who;
		t->chat = *chat;
		if (map_put(&s->typing, key, t) != OK) {
			free(t);
			return false;
		}
	}
	timer_start(reactor_wheel(s->reactor), &t->timer, TYPING_MS,
	    typing_fired);
	return was;
}

void
typing_fini(struct shard *s)
{
	const void *key;
	void *value;
	size_t at = 0;

	if (s->typing.key_len == 0)
		return;
	while (map_next(&s->typing, &at, &key, &value)) {
		struct typing *t = value;

		timer_cancel(&t->timer);
		free(t);
	}
	map_fini(&s->typing);
}
