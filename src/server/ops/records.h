/*
 * records.h: messages, chats and keys as their readers see them, from the
 * rows of the store. For the files of this folder; any thread, no state.
 */
#ifndef SERVER_OPS_RECORDS_H
#define SERVER_OPS_RECORDS_H

#include "server/call.h"
#include "store/txn.h"

/*
 * Bytes of messages' content, as JSON, at which a page ends early: it may have
 * fewer entries than were asked for, never none.
 */
#define RECORDS_PAGE_BYTES ((size_t)2 << 20)

/* Rows of messages, whichever query they come from. */
typedef struct q_messages_after_out message_row;

/*
 * The message as `reader` sees it: of encryptedKeys their own entries only.
 * Text is borrowed from the row. ERR_STORE: the row is malformed.
 */
MUST_USE enum err records_message(struct arena *a, const message_row *row,
    const struct user_id *reader, struct message_rec *out);
/*
 * Its type and metadata, as stored, into a message. Borrowed; ERR_STORE.
 */
MUST_USE enum err records_words(struct arena *a, struct span type,
    struct span metadata, struct message_rec *out);
/*
 * May a session of this user, speaking for this device (0: none), have the
 * row at all? An event for some devices is for those that it names.
 */
bool records_is_for(struct arena *a, const message_row *row,
    const struct user_id *reader, uint32_t device);
/* The entries of one user; borrowed names and values, in the arena. */
MUST_USE enum err records_own_keys(struct arena *a,
    const struct shape_pair_list *all, const struct user_id *reader,
    struct shape_pair_list *out);
/* As JSON object, for the store. */
MUST_USE enum err records_keys_encode(struct arena *a,
    const struct shape_pair_list *keys, struct span *json_out);

/*
 * The chat as `reader` sees it; members only when asked, and always of a
 * direct chat. ERR_NOT_FOUND: it is none of theirs.
 */
MUST_USE enum err records_chat(struct call *c, struct txn *t,
    const struct chat_id *chat, const struct user_id *reader,
    bool with_members, struct chat_rec *out);

/* Who the caller is. */
MUST_USE enum err records_me(struct call *c, struct txn *t,
    struct me_rep *out);

/* Both people of a direct chat, the lower id first. */
#define RECORDS_DIRECT_KEY_LEN (2 * ID_LEN)
void records_direct_key(const struct user_id *a, const struct user_id *b,
    uint8_t out[static RECORDS_DIRECT_KEY_LEN]);

#endif
