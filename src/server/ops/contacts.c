/* contacts.c: who hears of changes of somebody's devices, and where. */
#include <stdlib.h>

#include "server/deliver.h"
#include "server/ops/contacts.h"
#include "store/txn.h"

/* ---- which chats ---- */

static enum err
load_members(struct call *c, struct txn *t, struct contacts_chat *chat)
{
	struct q_chat_member_ids_in in = { chat->chat };
	struct q_chat_member_ids_out row;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	TRY(q_chat_member_ids_open(t, &in, &cu));
	while ((e = q_chat_member_ids_next(&cu, &row)) == OK) {
		chat->members = arena_grow(&c->arena, chat->members,
		    chat->members_n, &cap, sizeof(*chat->members));
		if (chat->members == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		chat->members[chat->members_n++] = row.user;
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err
load_chats(struct call *c, struct txn *t, struct contacts *out)
{
	struct q_chat_heads_in in = { c->who.user };
	struct q_chat_heads_out row;
	struct cursor cu;
	size_t cap = 0;
	enum err e;

	TRY(q_chat_heads_open(t, &in, &cu));
	while ((e = q_chat_heads_next(&cu, &row)) == OK) {
		out->chats = arena_grow(&c->arena, out->chats, out->chats_n,
		    &cap, sizeof(*out->chats));
		if (out->chats == NULL) {
			query_close(&cu);
			return ERR_TOO_LARGE;
		}
		out->chats[out->chats_n++] = (struct contacts_chat){
			.chat = row.chat, .prev = row.last_position };
	}
	if (e != ERR_NOT_FOUND)
		return e;
	for (size_t i = 0; i < out->chats_n; i++)
		TRY(load_members(c, t, &out->chats[i]));
	return OK;
}

static int
compare_size(const void *a, const void *b)
{
	const struct contacts_chat *x = a, *y = b;

	if (x->members_n != y->members_n)
		return x->members_n > y->members_n ? -1 : 1;
	return memcmp(x->chat.b, y->chat.b, ID_LEN);
}

static int
compare_id(const void *a, const void *b)
{
	return memcmp(a, b, ID_LEN);
}

/*
 * Leaves those chats that have somebody who is in none before them, the
 * largest first: few chats, and each of the caller's people in one at least.
 */
static enum err
choose(struct call *c, struct contacts *k)
{
	size_t n = 1, chosen = 0, more;
	struct user_id *reached;

	for (size_t i = 0; i < k->chats_n; i++)
		n += k->chats[i].members_n;
	reached = arena_alloc(&c->arena, n * sizeof(*reached));
	if (reached == NULL)
		return ERR_TOO_LARGE;
	reached[0] = c->who.user;
	n = 1;
	if (k->chats_n > 0)
		qsort(k->chats, k->chats_n, sizeof(*k->chats), compare_size);
	for (size_t i = 0; i < k->chats_n; i++) {
		const struct contacts_chat *chat = &k->chats[i];

		more = 0;
		for (size_t j = 0; j < chat->members_n; j++)
			if (bsearch(&chat->members[j], reached, n,
			    sizeof(*reached), compare_id) == NULL)
				reached[n + more++] = chat->members[j];
		if (more == 0)
			continue;
		n += more;
		qsort(reached, n, sizeof(*reached), compare_id);
		k->chats[chosen++] = *chat;
	}
	k->chats_n = chosen;
	return OK;
}

enum err
contacts_load(struct call *c, struct txn *t, struct contacts *out)
{
	struct q_user_stream_out own;

	*out = (struct contacts){ .chats = NULL };
	TRY(q_user_stream(t, &(struct q_user_stream_in){ c->who.user },
	    &own));
	out->own_prev = own.position;
	TRY(load_chats(c, t, out));
	return choose(c, out);
}

/* ---- what they hear ---- */

static struct devices_ev
to_record(const struct call *c, const struct contacts_told *w)
{
	return (struct devices_ev){ .user_id = c->who.user,
	    .device_id = w->device, .has_device_id = w->device != 0,
	    .version = w->version, .has_version = true,
	    .rotated = w->is_renewed, .has_rotated = w->is_renewed };
}

/* chat NULL: the caller's own stream. *prev moves on. */
static enum err
store_one(struct call *c, struct txn *t, struct contacts *k,
    struct contacts_told w, const struct chat_id *chat, uint64_t *prev)
{
	struct devices_ev ev = to_record(c, &w);
	struct q_event_insert_in in = { .prev = *prev,
	    .event = span_str(w.event), .created_at = c->now_ms };

	if (chat != NULL)
		in.chat = *chat;
	else
		in.user = c->who.user;
	TRY(shape_encode_arena(&shape_devices_ev, &ev, &c->arena, &in.data));
	in.position = w.position = txn_position(t);
	TRY(q_event_insert(t, &in, NULL));
	w.prev = *prev;
	*prev = w.position;
	k->told = arena_grow(&c->arena, k->told, k->told_n, &k->told_cap,
	    sizeof(w));
	if (k->told == NULL)
		return ERR_TOO_LARGE;
	k->told[k->told_n++] = w;
	return OK;
}

enum err
contacts_tell(struct call *c, struct txn *t, struct contacts *k,
    const char *event, uint32_t device, uint64_t version)
{
	struct contacts_told w = { .event = event, .device = device,
	    .version = version, .is_renewed = k->is_renewed &&
	    strcmp(event, "keys:changed") == 0 };

	TRY(store_one(c, t, k, w, NULL, &k->own_prev));
	for (size_t i = 0; i < k->chats_n; i++) {
		struct contacts_chat *chat = &k->chats[i];

		w.members = chat->members;
		w.members_n = chat->members_n;
		TRY(store_one(c, t, k, w, &chat->chat, &chat->prev));
	}
	return OK;
}

void
contacts_emit(struct call *c, const struct contacts *k)
{
	for (size_t i = 0; i < k->told_n; i++) {
		const struct contacts_told *w = &k->told[i];
		struct devices_ev ev = to_record(c, w);
		struct deliver_event out = deliver_event(w->event,
		    &shape_devices_ev, &ev);

		ev.position = w->position;
		ev.prev = w->prev;
		ev.has_position = ev.has_prev = true;
		if (w->members_n == 0)
			deliver_user(c, &c->who.user, &out, w->position, 0);
		else
			deliver_users(c, w->members, w->members_n, &out,
			    w->position, 0);
		deliver_end(&out);
	}
}
