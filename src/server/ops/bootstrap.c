/*
 * bootstrap.c: all that a client needs after signing in, in one call and of
 * one moment: what comes behind `position` it learns of by sync.
 */
#include "server/ops.h"
#include "server/conf.h"
#include "server/ops/blocks.h"
#include "server/ops/chats.h"
#include "server/ops/records.h"
#include "server/ops/settings.h"
#include "server/presence.h"
#include "wire/json.h"

#define CHATS_DEFAULT 50
#define MESSAGES_DEFAULT 1
/* Events for other devices that are passed over at most. */
#define OTHERS_MAX 20

enum err
bootstrap_check(struct call *c)
{
	struct presence_state *s = ARENA_NEW(&c->arena,
	    struct presence_state);

	c->state = s;
	return s != NULL ? OK : ERR_TOO_LARGE;
}

static struct limits_rec
limits_now(const struct call *c)
{
	return (struct limits_rec){ .content_chars = 100000,
	    .keys_entries = 100, .key_chars = 4096, .group_members = 1000,
	    .edit_s = (uint32_t)(c->conf->messages_edit_ms / 1000),
	    .settings_bytes = SETTINGS_DATA_MAX, .blocks = BLOCKS_MAX };
}

/*
 * The newest messages of a chat that this session may have. *bytes: of all
 * chats; beyond RECORDS_PAGE_BYTES the others come without.
 */
static enum err
add_messages(struct call *c, struct txn *t, struct chat_rec *chat,
    uint32_t max, size_t *bytes)
{
	struct q_chat_get_in get = { chat->chat_id, c->who.user };
	struct q_messages_before_out row;
	struct q_chat_get_out head;
	struct message_rec *m;
	struct cursor cu;
	message_row same;
	enum err e = OK;

	if (max == 0 || *bytes >= RECORDS_PAGE_BYTES)
		return OK;
	TRY(q_chat_get(t, &get, &head));
	struct q_messages_before_in in = { chat->chat_id,
	    head.joined_position, SHAPE_U53_MAX, max + OTHERS_MAX,
	    c->who.user };
	m = arena_alloc(&c->arena, max * sizeof(*m));
	if (m == NULL)
		return ERR_TOO_LARGE;
	chat->messages.p = m;
	chat->has_messages = true;
	TRY(q_messages_before_open(t, &in, &cu));
	while (*bytes < RECORDS_PAGE_BYTES && chat->messages.n < max &&
	    (e = q_messages_before_next(&cu, &row)) == OK) {
		memcpy(&same, &row, sizeof(same));
		if (!records_is_for(&c->arena, &same, &c->who.user,
		    c->who.device))
			continue;
		e = records_message(&c->arena, &same, &c->who.user,
		    &m[chat->messages.n++]);
		if (e != OK)
			break;
		*bytes += json_put_len(same.content);
	}
	query_close(&cu);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_chats(struct call *c, struct txn *t, struct bootstrap_rep *out)
{
	const struct bootstrap_req *in = c->req;
	struct q_chat_list_in list = { .user = c->who.user,
	    .before = SHAPE_U53_MAX, .limit = in->has_chats ? in->chats :
	    CHATS_DEFAULT };
	struct chats_page page = { .chats = { NULL, 0 } };
	uint32_t max = in->has_messages ? in->messages : MESSAGES_DEFAULT;
	size_t bytes = 0;

	TRY(chats_page(c, t, &list, &page));
	for (size_t i = 0; i < page.chats.n; i++)
		TRY(add_messages(c, t, &page.chats.p[i], max, &bytes));
	out->chats = page.chats;
	out->next_cursor = page.next_cursor;
	out->has_next_cursor = page.next_cursor.n > 0;
	return OK;
}

static enum err
load_position(struct call *c, struct txn *t, uint64_t *out)
{
	struct q_chat_newest_out chats;
	struct q_user_stream_out own;

	TRY(q_chat_newest(t, &(struct q_chat_newest_in){ c->who.user },
	    &chats));
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user }, &own));
	*out = chats.position > own.position ? chats.position : own.position;
	return OK;
}

enum err
bootstrap_read(struct call *c, struct txn *t)
{
	struct bootstrap_rep *out = c->rep;

	TRY(records_me(c, t, &out->me));
	TRY(settings_load(c, t, &out->settings));
	out->limits = limits_now(c);
	TRY(load_chats(c, t, out));
	TRY(blocks_load(c, t, &out->blocks));
	TRY(load_position(c, t, &out->position));
	return presence_peers(c, t, PRESENCE_SEEN, c->state);
}

/* The directory is the reactor's: the reply is completed there. */
void
bootstrap_emit(struct call *c)
{
	const struct presence_state *s = c->state;
	struct bootstrap_rep *out = c->rep;

	out->presence.p = arena_alloc(&c->arena,
	    (s->peers_n + 1) * sizeof(*out->presence.p));
	for (size_t i = 0; out->presence.p != NULL && i < s->peers_n; i++) {
		enum presence_status now = call_presence_of(c, &s->peers[i]);

		if (now != PRESENCE_OFFLINE)
			out->presence.p[out->presence.n++] =
			    (struct presence_ev){ .user_id = s->peers[i],
			    .status = now, .timestamp = c->now_ms,
			    .has_timestamp = true };
	}
}
