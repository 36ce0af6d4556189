/*
 * presence.h: what the server's operations on presence hand on to each
 * other: between socket.c, ops/presence.c and those that change who sees it.
 */
#ifndef SERVER_PRESENCE_H
#define SERVER_PRESENCE_H

#include "server/call.h"
#include "store/txn.h"

/* People that one person's presence is told to; the rest do without. */
#define PRESENCE_PEERS_MAX 10000
/* People of a chat whose presence chat:join tells. */
#define PRESENCE_VIEW_MAX 100

/* call.state of announce (status filled in before), connect and chat:join. */
struct presence_state {
	enum presence_status status;
	struct user_id *peers;
	size_t peers_n;
	/* Of chat:join: how many of them, at the front, are to be seen. */
	size_t seen_n;
};

/* Which of those who share a chat with the caller, nobody beyond a block. */
enum presence_which {
	PRESENCE_TO,		/* who hear of him; nobody when he hides it */
	PRESENCE_TO_ALL,	/* the same, as if he did not */
	PRESENCE_SEEN,		/* whose presence he sees */
};
/* In read or write; the first PRESENCE_PEERS_MAX of them. */
MUST_USE enum err presence_peers(struct call *c, struct txn *t,
    enum presence_which which, struct presence_state *out);

/*
 * In emit: tells these people that somebody is like that. Away is online to
 * who hears the other set of names.
 */
void presence_tell(struct call *c, const struct user_id *user,
    enum presence_status status, const struct user_id *to, size_t n);

#endif
