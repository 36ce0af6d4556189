/*
 * contacts.h: telling everybody who shares a chat with the caller that the
 * caller's devices have changed. An event is stored once in the caller's own
 * stream, and in as few of the caller's chats as have everybody in them, so
 * that who shares several chats does not hear of it several times.
 */
#ifndef SERVER_OPS_CONTACTS_H
#define SERVER_OPS_CONTACTS_H

#include "server/call.h"

/* A stored event of one chat, or (no members) of the caller's own stream. */
struct contacts_told {
	const char *event;
	uint32_t device;	/* 0: none */
	bool is_renewed;
	uint64_t version;
	uint64_t position, prev;
	const struct user_id *members;
	size_t members_n;
};

struct contacts_chat {
	struct chat_id chat;
	uint64_t prev;		/* newest position of the chat */
	struct user_id *members;
	size_t members_n;
};

struct contacts {
	uint64_t own_prev;
	bool is_renewed;	/* keys:changed: the key before signed it */
	struct contacts_chat *chats;
	size_t chats_n;
	struct contacts_told *told;
	size_t told_n, told_cap;
};

/* In write, once: which chats are told. ERR_TOO_LARGE and the store's. */
MUST_USE enum err contacts_load(struct call *c, struct txn *t,
    struct contacts *out);
/*
 * In write: stores one event, a literal, everywhere. version: of the device
 * list. device: 0 for none.
 */
MUST_USE enum err contacts_tell(struct call *c, struct txn *t,
    struct contacts *k, const char *event, uint32_t device,
    uint64_t version);
/* In emit: hands out what was stored. */
void contacts_emit(struct call *c, const struct contacts *k);

#endif
