/*
 * records.c: messages, chats and keys as their readers see them.
 */
#include "server/ops/records.h"

#include "wire/json.h"

#define KEYS_MAX 100

static bool
is_entry_of(struct span name, const struct user_id *reader)
{
	struct user_id user;
	uint32_t device;

	return shape_address_decode(name, &user, &device) &&
	    ID_EQ(user, *reader);
}

enum err
records_own_keys(struct arena *a, const struct shape_pair_list *all,
    const struct user_id *reader, struct shape_pair_list *out)
{
	size_t n = 0;

	out->n = 0;
	out->p = NULL;
	for (size_t i = 0; i < all->n; i++)
		n += is_entry_of(all->p[i].name, reader);
	if (n == 0)
		return OK;
	out->p = arena_alloc(a, n * sizeof(*out->p));
	if (out->p == NULL)
		return ERR_TOO_LARGE;
	for (size_t i = 0; i < all->n; i++)
		if (is_entry_of(all->p[i].name, reader))
			out->p[out->n++] = all->p[i];
	return OK;
}

enum err
records_keys_encode(struct arena *a, const struct shape_pair_list *keys,
    struct span *json_out)
{
	size_t n = 2;
	struct wr w;
	uint8_t *p;

	for (size_t i = 0; i < keys->n; i++)
		n += json_put_len(keys->p[i].name) +
		    json_put_len(keys->p[i].value) + 2;
	p = arena_bytes(a, n);
	if (p == NULL)
		return ERR_TOO_LARGE;
	w = wr_init(p, n);
	wr_u8(&w, '{');
	for (size_t i = 0; i < keys->n; i++) {
		if (i > 0)
			wr_u8(&w, ',');
		json_put_str(&w, keys->p[i].name);
		wr_u8(&w, ':');
		json_put_str(&w, keys->p[i].value);
	}
	wr_u8(&w, '}');
	*json_out = wr_done(&w);
	return wr_ok(&w) ? OK : ERR_INTERNAL;
}

/* The stored object as a list; what is not the reader's is left out. */
static enum err
keys_decode(struct arena *a, struct span text, const struct user_id *reader,
    struct shape_pair_list *out)
{
	struct json j = json_init(text);
	struct shape_pair all[KEYS_MAX];
	struct shape_pair_list list = { all, 0 };
	struct span name, value;

	out->n = 0;
	out->p = NULL;
	if (text.n == 0)
		return OK;
	if (json_object(&j)) {
		while (json_member(&j, a, &name)) {
			if (!json_string(&j, a, &value))
				break;
			if (list.n < KEYS_MAX && is_entry_of(name, reader))
				all[list.n++] = (struct shape_pair){ name,
				    value };
		}
	}
	if (json_end(&j) != OK)
		return ERR_STORE;
	return records_own_keys(a, &list, reader, out);
}

bool
records_is_for(struct arena *a, const message_row *row,
    const struct user_id *reader, uint32_t device)
{
	struct shape_pair_list own;
	struct user_id user;
	uint32_t named;

	if (!row->is_partial)
		return true;
	if (ID_EQ(row->sender, *reader) && row->sender_device == device)
		return true;
	if (keys_decode(a, row->keys, reader, &own) != OK)
		return false;
	for (size_t i = 0; i < own.n; i++)
		if (shape_address_decode(own.p[i].name, &user, &named) &&
		    named == device)
			return true;
	return false;
}

enum err
records_words(struct arena *a, struct span type, struct span metadata,
    struct message_rec *out)
{
	uint32_t n;

	if (!shape_value(&shape_names_msg_type, type, &n))
		return ERR_STORE;
	out->message_type = (enum msg_type)n;
	if (metadata.p == NULL)
		return OK;
	out->has_metadata = true;
	if (shape_decode(&shape_metadata_rec, metadata, a, &out->metadata,
	    NULL) != OK)
		return ERR_STORE;
	return OK;
}

enum err
records_message(struct arena *a, const message_row *row,
    const struct user_id *reader, struct message_rec *out)
{
	uint32_t suite;

	if (!shape_value(&shape_names_msg_suite, row->suite, &suite))
		return ERR_STORE;
	*out = (struct message_rec){
		.message_id = row->message, .chat_id = row->chat,
		.client_message_id = row->client_message,
		.has_client_message_id = !ID_IS_ZERO(row->client_message),
		.sender_id = row->sender,
		.sender_device_id = row->sender_device,
		.has_sender_device_id = row->sender_device != 0,
		.suite = (enum msg_suite)suite,
		.encrypted_content = row->content,
		.has_encrypted_content = row->content.p != NULL,
		.iv = row->iv, .has_iv = row->iv.p != NULL,
		.timestamp = row->created_at, .position = row->position,
		.prev = row->prev, .edited_at = row->edited_at,
		.has_edited_at = row->edited_at != 0,
		.deleted_at = row->deleted_at,
		.has_deleted_at = row->deleted_at != 0,
	};
	TRY(keys_decode(a, row->keys, reader, &out->encrypted_keys));
	return records_words(a, row->type, row->metadata, out);
}

enum err
records_me(struct call *c, struct txn *t, struct me_rep *out)
{
	struct q_user_get_out row;

	TRY(q_user_get(t, &(struct q_user_get_in){ c->who.user }, &row));
	out->id = c->who.user;
	out->username = row.username;
	out->email = row.email;
	out->created_at = row.created_at;
	out->last_login = row.last_login;
	out->has_last_login = row.last_login != 0;
	out->is_active = row.is_active;
	out->role = c->who.role;
	out->session_id = c->who.session;
	out->has_session_id = true;
	out->device_id = c->who.device;
	out->has_device_id = c->who.device != 0;
	out->is_verified = row.is_verified;
	out->has_is_verified = true;
	return OK;
}

void
records_direct_key(const struct user_id *a, const struct user_id *b,
    uint8_t out[static RECORDS_DIRECT_KEY_LEN])
{
	bool swap = memcmp(a->b, b->b, ID_LEN) > 0;
	struct wr w = wr_init(out, RECORDS_DIRECT_KEY_LEN);

	wr_bytes(&w, swap ? b->b : a->b, ID_LEN);
	wr_bytes(&w, swap ? a->b : b->b, ID_LEN);
}

static enum err
load_members(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct user_id *reader, uint32_t n_max, struct member_rec_list *out)
{
	struct q_chat_members_in in = { *chat, *reader };
	struct q_chat_members_out row;
	struct cursor cu;
	uint32_t role;
	enum err e;

	out->n = 0;
	out->p = arena_alloc(&c->arena, n_max * sizeof(*out->p));
	if (out->p == NULL)
		return ERR_TOO_LARGE;
	TRY(q_chat_members_open(t, &in, &cu));
	while ((e = q_chat_members_next(&cu, &row)) == OK) {
		if (out->n == n_max ||
		    !shape_value(&shape_names_member_role, row.role, &role)) {
			query_close(&cu);
			return ERR_STORE;
		}
		out->p[out->n++] = (struct member_rec){
			.user_id = row.user, .username = row.username,
			.role = (enum member_role)role,
			.joined_at = row.joined_at,
			.delivered = row.delivered,
			.has_delivered = !row.is_hidden,
			.read = row.read, .has_read = !row.is_hidden };
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

enum err
records_chat(struct call *c, struct txn *t, const struct chat_id *chat,
    const struct user_id *reader, bool with_members, struct chat_rec *out)
{
	struct q_chat_get_in in = { *chat, *reader };
	struct q_chat_get_out row;
	struct q_message_unread_count_in unread = { .chat = *chat,
	    .user = *reader };
	struct q_message_unread_count_out count;
	uint32_t type, role, notify;

	TRY(q_chat_get(t, &in, &row));
	if (!shape_value(&shape_names_chat_type, row.type, &type) ||
	    !shape_value(&shape_names_member_role, row.role, &role) ||
	    !shape_value(&shape_names_chat_notify, row.notify, &notify))
		return ERR_STORE;
	unread.after = row.last_read_position > row.joined_position ?
	    row.last_read_position : row.joined_position;
	TRY(q_message_unread_count(t, &unread, &count));
	*out = (struct chat_rec){
		.chat_id = *chat, .type = (enum chat_type)type,
		.name = row.name, .has_name = row.name.p != NULL,
		.created_at = row.created_at,
		.last_message_at = row.last_message_at,
		.has_last_message_at = row.last_message_at != 0,
		.position = row.newest_position, .unread = count.count,
		.role = (enum member_role)role, .muted = row.is_muted,
		.pinned = row.is_pinned, .has_pinned = true,
		.archived = row.is_archived, .has_archived = true,
		.notify = (enum chat_notify)notify, .has_notify = true,
		.member_count = row.member_count,
	};
	if (!with_members && type != CHAT_TYPE_DIRECT)
		return OK;
	out->has_members = true;
	return load_members(c, t, chat, reader, row.member_count, &out->members);
}
