/*
 * typing.c: somebody types. Nothing is stored; the others of the chat hear of
 * it, and 5 s later that it is over, when nothing else was said. Nobody hears of
 * it beyond a block, or when the person lets nobody hear.
 */
#include "server/deliver.h"
#include "server/ops.h"
#include "server/ops/settings.h"
#include "store/txn.h"

#define TYPING_MEMBERS_MAX 1000

struct typing_state {
	struct chat_id chat;
	struct user_id *others;
	size_t others_n;
};

enum err
typing_check(struct call *c)
{
	const struct typing_req *in = c->req;

	if (in->has_chat_id == in->has_recipient_id)
		return call_invalid(c, "chatId",
		    "must be given, or recipientId, not both");
	if (in->has_recipient_id && ID_EQ(in->recipient_id, c->who.user))
		return call_invalid(c, "recipientId",
		    "must be somebody else");
	return OK;
}

/* The direct chat of two people: both ids, the lower first. */
static enum err
typing_find(struct call *c, struct txn *t, struct chat_id *out)
{
	const struct typing_req *in = c->req;
	struct q_chat_by_direct_key_out row;
	const uint8_t *a = c->who.user.b, *b = in->recipient_id.b;
	uint8_t key[2 * ID_LEN];

	if (in->has_chat_id) {
		*out = in->chat_id;
		return OK;
	}
	bool swap = memcmp(a, b, ID_LEN) > 0;
	memcpy(key, swap ? b : a, ID_LEN);
	memcpy(key + ID_LEN, swap ? a : b, ID_LEN);
	TRY(q_chat_by_direct_key(t, &(struct q_chat_by_direct_key_in){
	    SPAN_OF(key) }, &row));
	*out = row.chat;
	return OK;
}

enum err
typing_read(struct call *c, struct txn *t)
{
	struct typing_state *s = ARENA_NEW(&c->arena, struct typing_state);
	struct q_chat_audience_out row;
	struct settings_flags_rec flags;
	struct q_chat_head_out head;
	struct cursor cu = { 0 };
	enum err e;

	if (s == NULL)
		return ERR_TOO_LARGE;
	c->state = s;
	TRY(typing_find(c, t, &s->chat));
	TRY(q_chat_head(t, &(struct q_chat_head_in){ s->chat, c->who.user },
	    &head));
	call_key(c, s->chat.b);
	TRY(settings_flags(c, t, &flags));
	if (!flags.typing)
		return OK;
	s->others = arena_alloc(&c->arena,
	    TYPING_MEMBERS_MAX * sizeof(*s->others));
	if (s->others == NULL)
		return ERR_TOO_LARGE;
	TRY(q_chat_audience_open(t, &(struct q_chat_audience_in){
	    s->chat, c->who.user }, &cu));
	while ((e = q_chat_audience_next(&cu, &row)) == OK)
		if (s->others_n < TYPING_MEMBERS_MAX &&
		    !ID_EQ(row.user, c->who.user))
			s->others[s->others_n++] = row.user;
	return e == ERR_NOT_FOUND ? OK : e;
}

static void
typing_tell(struct call *c, bool is_typing)
{
	const struct typing_state *s = c->state;
	struct typing_ev ev = { .chat_id = s->chat, .user_id = c->who.user,
	    .is_typing = is_typing };
	struct deliver_event out = deliver_event("typing:indicator",
	    &shape_typing_ev, &ev);

	deliver_users(c, s->others, s->others_n, &out, 0, 0);
	deliver_end(&out);
}

void
typing_start_emit(struct call *c)
{
	const struct typing_state *s = c->state;

	(void)typing_set(c, &s->chat, true);
	typing_tell(c, true);
}

void
typing_stop_emit(struct call *c)
{
	const struct typing_state *s = c->state;

	(void)typing_set(c, &s->chat, false);
	typing_tell(c, false);
}

/* chat:leave: who looks away does not type any more. */
void
typing_leave_emit(struct call *c)
{
	const struct typing_state *s = c->state;

	if (typing_set(c, &s->chat, false))
		typing_tell(c, false);
}

/* The 5 s are over: as if it had been said. */
void
typing_expired_emit(struct call *c)
{
	typing_tell(c, false);
}
