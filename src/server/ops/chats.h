/*
 * chats.h: what other operations need of chats.c: the direct chat of two
 * people, made where there is none.
 */
#ifndef SERVER_OPS_CHATS_H
#define SERVER_OPS_CHATS_H

#include "server/call.h"
#include "store/txn.h"

/* A chat that this call made, for chats_announce. */
struct chats_made {
	struct chat_id chat;
	uint64_t position;	/* of its chat:created; 0: it was there */
};

/*
 * The direct chat of the caller and `other`. ERR_NOT_FOUND: there is no such
 * person.
 */
MUST_USE enum err chats_direct(struct call *c, struct txn *t,
    const struct user_id *other, struct chats_made *out);
/*
 * In write: one of two people has blocked the other, so nobody writes. Whose
 * block it is, or whether there is an account left, is not said.
 * ERR_FORBIDDEN.
 */
MUST_USE enum err chats_refuse_blocked(struct call *c);
/* Chats as GET /api/chats lists them, from one on (NULL: all). */
struct chats_page {
	struct chat_rec_list chats;
	struct span next_cursor;	/* empty: no more */
};
MUST_USE enum err chats_page(struct call *c, struct txn *t,
    const struct q_chat_list_in *in, struct chats_page *out);
/* In emit: chat:created to everybody in rec (with members). */
void chats_announce(struct call *c, const struct chats_made *made,
    const struct chat_rec *rec);

#endif
