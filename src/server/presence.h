/*
 * presence.h: what the server's own operations on presence hand on to each
 * other: between socket.c and ops/presence.c.
 */
#ifndef SERVER_PRESENCE_H
#define SERVER_PRESENCE_H

#include "server/call.h"

/* People that one person's presence is told to; the rest do without. */
#define PRESENCE_PEERS_MAX 10000
/* People of a chat whose presence chat:join tells. */
#define PRESENCE_VIEW_MAX 100

/* call.state of announce (status filled in before) and connect. */
struct presence_state {
	enum presence_status status;
	struct user_id *peers;
	size_t peers_n;
};

#endif
